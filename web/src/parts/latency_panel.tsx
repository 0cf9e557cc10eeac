// SPDX-License-Identifier: Apache-2.0
// The panel around the latency chart: ranges, numbers, and what to say when there is nothing to draw.
import type { JSX } from 'preact';
import { LatencyChart } from '../charts/latency';
import type { Marker } from '../charts/scatter';
import { count, exact, NONE, seconds } from '../lib/format';
import { RANGES, type Range } from '../lib/points';
import { Button, Failure, Segments } from './basics';
import type { Latency, Span } from './use_latency';

function Numbers({ latency }: { latency: Latency }): JSX.Element {
	const { points } = latency;
	const unknown = latency.loading && points.count === 0;
	const rows: readonly [string, string, string][] = [
		['Predictions', unknown ? NONE : count(points.count), 'In this range.'],
		['Mean', seconds(points.mean), 'Arithmetic mean of the model’s time.'],
		['p50', seconds(points.p50), 'Half of the predictions took no longer.'],
		['p90', seconds(points.p90), 'Nine of ten took no longer.'],
		['p99', seconds(points.p99), '99 of 100 took no longer.'],
	];
	return (
		<dl class="numbers">
			{rows.map(([name, value, help]) => <div key={name} title={help}><dt>{name}</dt><dd>{value}</dd></div>)}
		</dl>
	);
}

export function LatencyPanel({ latency, range, picked, markers, cpu, onCpu, onRange, onPick, onOpen }: {
	latency: Latency;
	range: Range;
	picked: Span | null;
	markers: readonly Marker[];
	cpu: boolean;
	/** Where there is a shadow to compare with. */
	onCpu: ((cpu: boolean) => void) | null;
	onRange: (range: Range) => void;
	onPick: (span: Span | null) => void;
	onOpen: (asset: string) => void;
}): JSX.Element {
	const wider = RANGES[RANGES.findIndex((r) => r.key === range.key) + 1];
	const empty = !latency.loading && latency.error === null && latency.points.points.length === 0;
	return (
		<section class="panel" aria-label="Latency over time">
			<header class="panel-head">
				<h2>Latency over time</h2>
				{picked && (
					<span class="picked">
						{exact(picked.from * 1000).slice(0, 19)} – {exact(picked.to * 1000).slice(11, 19)}
						<Button kind="quiet" onClick={() => onPick(null)}>Show the last {range.words}</Button>
					</span>
				)}
				{onCpu && (
					<label class="check" title="A shadow runs at low priority: only the CPU time of its runs can be compared.">
						<input type="checkbox" checked={cpu} onChange={() => onCpu(!cpu)} />Champion in CPU time
					</label>
				)}
				<Segments name="range" legend="Range" value={picked ? null : range.key} choices={RANGES.map((r) => [r.key, r.label])}
					onChoose={(key) => onRange(RANGES.find((r) => r.key === key) ?? range)} />
			</header>
			<Numbers latency={latency} />
			{latency.error !== null && <Failure error={latency.error} what="The latencies could not be read" onRetry={latency.reload} />}
			<div class="chart-frame" aria-busy={latency.loading}>
				<LatencyChart points={latency.points} span={latency.span} markers={markers} onOpen={onOpen} onPick={onPick} />
				{latency.points.shadows.length > 0 && <p class="chart-legend"><i class="dot-champion" />champion{cpu && ', CPU time'}<i class="dot-shadow" />shadow, CPU time</p>}
				{empty && (
					<p class="chart-empty">
						No predictions in {picked ? 'this stretch' : `the last ${range.words}`}.
						{wider && !picked && <Button kind="quiet" onClick={() => onRange(wider)}>Show the last {wider.words}</Button>}
					</p>
				)}
			</div>
		</section>
	);
}
