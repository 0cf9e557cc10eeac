// SPDX-License-Identifier: Apache-2.0
// Latency: a point a prediction, which opens its image; or percentiles over time, of all that the filter lets through.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { secondsOf, type DashboardData } from '../api/dashboard';
import { LatencyChart } from '../charts/latency';
import type { Marker } from '../charts/markers';
import { Legend, TimeSeries, type Series } from '../charts/time_series';
import { count, milliseconds, plural } from '../lib/format';
import { Failure, Segments } from './basics';
import type { Latency, Span } from './use_latency';

function Numbers({ data }: { data: DashboardData }): JSX.Element {
	const { totals } = data;
	const rows: readonly [string, string, string][] = [
		['Predictions', count(totals.predictions), 'In this stretch of time, by the filter above.'],
		['Mean', milliseconds(totals.mean_latency_ms), 'Arithmetic mean of the model’s time.'],
		['p50', milliseconds(totals.p50_ms), 'Half of the predictions took no longer.'],
		['p90', milliseconds(totals.p90_ms), 'Nine of ten took no longer.'],
		['p99', milliseconds(totals.p99_ms), '99 of 100 took no longer.'],
	];
	return <dl class="numbers">{rows.map(([name, value, help]) => <div key={name} title={help}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

/** Shadows have steps of their own: each value goes to the champion's step that it lies in. */
function onSteps(data: DashboardData, shadow: DashboardData['shadows'][number]): (number | null)[] {
	const by = new Map(shadow.series.map((p) => [secondsOf(p.at), p.p50_ms]));
	return data.series.map((p) => by.get(secondsOf(p.at)) ?? null);
}

function Percentiles({ data, markers, names, onPick }: { data: DashboardData; markers: readonly Marker[]; names: ReadonlyMap<string, string>; onPick: (span: Span) => void }): JSX.Element {
	const series: Series[] = [
		...data.shadows.map((s): Series => ({ name: `${names.get(s.model_version_id) ?? 'shadow'} p50, shadow`, kind: 'line', tone: 'shadow', values: onSteps(data, s) })),
		{ name: 'p99', kind: 'line', tone: 'second', values: data.series.map((p) => p.p99_ms) },
		{ name: 'p50', kind: 'line', tone: 'main', values: data.series.map((p) => p.p50_ms) },
	];
	const { totals } = data;
	return (
		<>
			<TimeSeries times={{ at: data.series.map((p) => secondsOf(p.at)), step: data.step_s, from: secondsOf(data.from), to: secondsOf(data.to) }} series={series} format={milliseconds} tick={(v) => (v === 0 ? '0' : milliseconds(v).replace(/\.0+ /, ' '))}
				markers={markers} height={246} onPick={onPick} label={`Percentiles of latency over time, of ${plural(totals.predictions, 'prediction')}: median ${milliseconds(totals.p50_ms)}, 99th percentile ${milliseconds(totals.p99_ms)}.`} />
			<Legend series={[...series].reverse()} />
		</>
	);
}

export function LatencyPanel({ latency, data, markers, names, narrowed, cpu, external, onCpu, onPick, onOpen }: {
	latency: Latency;
	data: DashboardData | undefined;
	markers: readonly Marker[];
	names: ReadonlyMap<string, string>;
	/** The filter leaves predictions out. */
	narrowed: boolean;
	cpu: boolean;
	external: boolean;
	/** Where there is a shadow to compare with. */
	onCpu: ((cpu: boolean) => void) | null;
	onPick: (span: Span) => void;
	onOpen: (asset: string) => void;
}): JSX.Element {
	const [chosen, setChosen] = useState<'points' | 'percentiles' | null>(null);
	const view = chosen ?? (narrowed ? 'percentiles' : 'points');
	const empty = !latency.loading && latency.error === null && latency.points.points.length === 0;
	return (
		<section class="panel" aria-label="Latency over time" id="latency">
			<header class="panel-head">
				<h2>Latency over time</h2>
				{onCpu && view === 'points' && (
					<label class="check" title="A shadow runs at low priority: only the CPU time of its runs can be compared.">
						<input type="checkbox" checked={cpu} onChange={() => onCpu(!cpu)} />Champion in CPU time
					</label>
				)}
				<Segments name="latency-view" legend="Latency as" value={view} choices={[['points', 'Each prediction'], ['percentiles', 'Percentiles']] as const} onChoose={setChosen} />
			</header>
			{data && <Numbers data={data} />}
			{latency.error !== null && <Failure error={latency.error} what="The latencies could not be read" onRetry={latency.reload} />}
			<div class="chart-frame" aria-busy={latency.loading}>
				{view === 'points' ? (
					<>
						<LatencyChart points={latency.points} span={latency.span} markers={markers} onOpen={onOpen} onPick={onPick} />
						<p class="chart-legend"><i class="dot-champion" />champion{cpu && ', CPU time'}{latency.points.shadows.length > 0 && <><i class="dot-shadow" />shadow, CPU time</>}{narrowed && <span class="muted">each prediction of every version and source; the numbers above are the filter’s</span>}</p>
						{empty && <p class="chart-empty">No predictions in this stretch of time.</p>}
					</>
				) : data && <Percentiles data={data} markers={markers} names={names} onPick={onPick} />}
			</div>
			<p class="panel-note muted">The model’s own time for an image{external && ', as reported with the prediction'}, without waiting and sending. A point opens its image; dragging over the chart shows that stretch everywhere below.</p>
		</section>
	);
}
