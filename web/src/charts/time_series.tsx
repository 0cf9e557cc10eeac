// SPDX-License-Identifier: Apache-2.0
// Numbers over time: lines or stacked bars, a vertical where the champion changed. The mouse or the arrow keys read a point;
// a stretch that is dragged over becomes the page's.
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { exact } from '../lib/format';
import { axis, axisBetween, brokenLine, timeTicks } from '../lib/plot';
import { tickLabel } from '../lib/ticks';
import { px } from '../parts/basics';
import { Markers, type Marker } from './markers';
import { useDrag } from './use_drag';
import { useWidth } from './use_width';

export interface Series {
	name: string;
	/** One for each point of time. */
	values: readonly (number | null)[];
	/** Bars stand on those before them. */
	kind: 'line' | 'bars';
	tone: 'main' | 'second' | 'shadow' | 'bad' | 'warn';
}

interface Times {
	/** Beginning of each step, unix seconds. */
	at: readonly number[];
	step: number;
	from: number;
	to: number;
}

const PAD = { left: 52, right: 12, top: 16, bottom: 22 };

function Tip({ x, width, at, step, series, index, format }: { x: number; width: number; at: number; step: number; series: readonly Series[]; index: number; format: (value: number) => string }): JSX.Element {
	const time = exact(at * 1000);
	return (
		<div class={`chart-tip${x > width / 2 ? ' to-left' : ''}`} style={{ left: px(x), top: px(PAD.top + 24) }} role="status">
			<span>{step >= 86400 ? time.slice(0, 10) : time.slice(0, step < 60 ? 19 : 16)}</span>
			{series.map((s) => <span key={s.name}><i class={`key ${s.tone}`} />{s.name} <strong>{s.values[index] == null ? '–' : format(s.values[index])}</strong></span>)}
		</div>
	);
}

/** Heights of the bars of one point, from the bottom up. */
function stack(series: readonly Series[], index: number): { tone: Series['tone']; from: number; to: number }[] {
	let top = 0;
	return series.filter((s) => s.kind === 'bars').map((s) => {
		const from = top;
		top += s.values[index] ?? 0;
		return { tone: s.tone, from, to: top };
	});
}

export function TimeSeries({ times, series, format, tick = format, markers, label, fromNought = true, height = 168, onPick }: {
	times: Times;
	series: readonly Series[];
	/** A value in words, and on the axis. */
	format: (value: number) => string;
	tick?: (value: number) => string;
	markers: readonly Marker[];
	/** What it shows; the values in words follow. */
	label: string;
	fromNought?: boolean;
	height?: number;
	onPick?: ((span: { from: number; to: number }) => void) | undefined;
}): JSX.Element {
	const host = useRef<HTMLDivElement>(null);
	const full = useWidth(host);
	const [marked, setMarked] = useState<number | null>(null);
	const width = Math.max(0, full - PAD.left - PAD.right);
	const inner = height - PAD.top - PAD.bottom;
	const { at, step, from, to } = times;
	const drag = useDrag(host, PAD.left, width, onPick && ((a, b) => onPick({ from: from + a * (to - from), to: from + b * (to - from) })));

	const values = series.filter((s) => s.kind === 'line').flatMap((s) => s.values.filter((v): v is number => v !== null));
	const stacked = at.map((_, i) => stack(series, i).at(-1)?.to ?? 0);
	const most = Math.max(0, ...values, ...stacked);
	const ticks = fromNought ? axis(most) : axisBetween(Math.min(...values), most);
	const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
	const x = (time: number): number => ((time - from) / Math.max(1, to - from)) * width;
	const y = (value: number): number => inner * (1 - (value - low) / (high - low));
	const indexAt = (clientX: number): number => {
		const left = clientX - (host.current?.getBoundingClientRect().left ?? 0) - PAD.left;
		const index = Math.floor((from + (left / width) * (to - from) - (at[0] ?? 0)) / step);
		return Math.min(at.length - 1, Math.max(0, index));
	};
	const onKey = (event: KeyboardEvent): void => {
		const move = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
		if (move) setMarked((i) => Math.min(at.length - 1, Math.max(0, (i ?? (move < 0 ? at.length : -1)) + move)));
		else if (event.key === 'Escape' && marked !== null) setMarked(null);
		else return;
		event.preventDefault();
	};
	const bar = Math.max(1, (step / Math.max(1, to - from)) * width - 1);
	const middle = marked === null ? 0 : x((at[marked] ?? 0) + step / 2);
	return (
		<div ref={host} class="chart time-series" tabIndex={0} role="application" aria-label={`${label} Left and right arrow keys read it.`} style={{ height: px(height) }} onKeyDown={onKey} onBlur={() => setMarked(null)}
			{...drag.handlers}
			onPointerMove={(event) => {
				setMarked(indexAt(event.clientX));
				drag.handlers.onPointerMove(event);
			}}
			onPointerLeave={() => {
				setMarked(null);
				drag.handlers.onPointerLeave();
			}}>
			{width > 0 && (
				<svg width={full} height={height} aria-hidden="true">
					<g transform={`translate(${PAD.left} ${PAD.top})`}>
						{ticks.map((t) => <g key={t}><line class="plot-line" x1={0} x2={width} y1={y(t)} y2={y(t)} /><text class="plot-text" x={-7} y={y(t) + 3.5} text-anchor="end">{tick(t)}</text></g>)}
						{timeTicks(from, to, Math.max(2, Math.floor(width / 74))).map((t) => <text key={t.at} class="plot-text" x={x(t.at)} y={inner + 15} text-anchor="middle">{tickLabel(t.at, t.step)}</text>)}
						{at.map((time, i) => stack(series, i).map((part, k) => part.to > part.from && (
							<rect key={`${time} ${k}`} class={`fill ${part.tone}`} x={Math.max(0, x(time))} width={bar} y={y(part.to)} height={Math.max(1, y(part.from) - y(part.to))} />
						)))}
						{series.map((s) => s.kind === 'line' && <path key={s.name} class={`line ${s.tone}`} d={brokenLine(s.values.map((v, i) => (v === null ? null : [x((at[i] ?? 0) + step / 2), y(v)] as const)))} />)}
						<Markers markers={markers} from={from} to={to} width={width} height={inner} />
						{marked !== null && <line class="plot-now" x1={middle} x2={middle} y1={0} y2={inner} />}
						{drag.rect && <rect class="plot-drag" x={drag.rect.left} width={drag.rect.width} y={0} height={inner} />}
					</g>
				</svg>
			)}
			{marked !== null && at[marked] !== undefined && <Tip x={PAD.left + middle} width={full} at={at[marked]} step={step} series={series} index={marked} format={format} />}
		</div>
	);
}

export function Legend({ series }: { series: readonly Pick<Series, 'name' | 'tone'>[] }): JSX.Element {
	return <p class="legend">{series.map((s) => <span key={s.name}><i class={`key ${s.tone}`} />{s.name}</span>)}</p>;
}
