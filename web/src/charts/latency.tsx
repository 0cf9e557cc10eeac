// SPDX-License-Identifier: Apache-2.0
// Latency over time: every dot is a prediction and opens its picture, by the mouse or by the arrow keys and Enter; shadows in
// grey under them, lines at the percentiles. Dots are drawn on a canvas, as there are thousands; all else is SVG.
import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LatencyPoint } from '../api/types';
import { count, exact, milliseconds, plural, seconds } from '../lib/format';
import { axis, timeTicks } from '../lib/plot';
import { ceiling, nearest, type Points } from '../lib/points';
import { tickLabel } from '../lib/ticks';
import { px } from '../parts/basics';
import { useStore } from '../parts/hooks';
import { palette, resolveColour } from '../parts/theme';
import { Markers, type Marker } from './markers';
import { useDrag } from './use_drag';
import { useWidth } from './use_width';

const REACH = 16;
const HEIGHT = 236;
const PAD = { left: 58, right: 44, top: 18, bottom: 24 };

interface Span {
	from: number;
	to: number;
}

interface Marked {
	/** Among the champion's points, or the shadows'. */
	index: number;
	shadow: boolean;
}

function summary(points: Points): string {
	if (points.count === 0) return 'Latency over time: no predictions in this range.';
	return `Latency over time: ${plural(points.count, 'prediction')}, mean ${seconds(points.mean)}, median ${seconds(points.p50)}, ` +
		`99th percentile ${seconds(points.p99)}. Left and right arrow keys walk through the predictions, Enter opens one.`;
}

type Place = (value: number) => number;

function drawDots(canvas: HTMLCanvasElement, points: Points, x: Place, y: Place): void {
	const ratio = devicePixelRatio || 1;
	const context = canvas.getContext('2d');
	if (!context) return;
	canvas.width = Math.round(canvas.clientWidth * ratio);
	canvas.height = Math.round(canvas.clientHeight * ratio);
	context.scale(ratio, ratio);
	const dots = (list: readonly LatencyPoint[], colour: string, opacity: number, radius: number): void => {
		context.fillStyle = resolveColour(colour);
		context.globalAlpha = opacity;
		for (const [at, latency] of list) {
			context.beginPath();
			context.arc(x(at), y(latency), radius, 0, 7);
			context.fill();
		}
	};
	dots(points.shadows, '--text-3', 0.5, 2.2);
	dots(points.points, '--accent', 0.65, 2.5);
}

/** From the lowest up: a name that would touch the one below it moves up a little. */
function Percentiles({ points, y, width, height }: { points: Points; y: Place; width: number; height: number }): JSX.Element {
	let free = Infinity;
	return (
		<>
			{(['p50', 'p90', 'p99'] as const).map((name) => {
				const value = points[name];
				if (value === null) return null;
				const at = Math.min(height, y(value));
				const text = Math.min(at, free - 12);
				free = text;
				return <g key={name}><line class="plot-now" x1={0} x2={width} y1={at} y2={at} /><text class="plot-text" x={width + 6} y={text + 4}>{name}</text></g>;
			})}
		</>
	);
}

export function LatencyChart({ points, span, markers, onOpen, onPick }: {
	points: Points;
	span: Span;
	markers: readonly Marker[];
	onOpen: (asset: string) => void;
	onPick: (span: Span) => void;
}): JSX.Element {
	const host = useRef<HTMLDivElement>(null);
	const canvas = useRef<HTMLCanvasElement>(null);
	const full = useWidth(host);
	const [marked, setMarked] = useState<Marked | null>(null);
	const colours = useStore(palette);
	const { top, above } = useMemo(() => ceiling(points), [points]);
	const width = Math.max(0, full - PAD.left - PAD.right);
	const height = HEIGHT - PAD.top - PAD.bottom;
	const length = Math.max(1, span.to - span.from);
	const x: Place = (at) => ((at - span.from) / length) * width;
	const y: Place = (latency) => height * (1 - Math.min(latency, top) / top);
	const drag = useDrag(host, PAD.left, width, (from, to) => onPick({ from: span.from + from * length, to: span.from + to * length }));

	useLayoutEffect(() => {
		if (canvas.current && width > 0) drawDots(canvas.current, points, x, y);
	}, [points, span.from, span.to, width, top, colours]);
	useLayoutEffect(() => setMarked(null), [points, span.from, span.to]);

	const listOf = (shadow: boolean): readonly LatencyPoint[] => (shadow ? points.shadows : points.points);
	/** The champion's dots lie on top. */
	const find = (event: MouseEvent): Marked | null => {
		const box = host.current?.getBoundingClientRect();
		if (!box || width === 0) return null;
		const at = span.from + ((event.clientX - box.left - PAD.left) / width) * length;
		const latency = top * (1 - (event.clientY - box.top - PAD.top) / height);
		const scale = { xPixels: width / length, yPixels: height / top, top };
		for (const shadow of [false, true]) {
			const index = nearest(listOf(shadow), at, latency, scale, shadow ? REACH / 2 : REACH);
			if (index >= 0) return { index, shadow };
		}
		return null;
	};
	const open = (at: Marked | null): void => {
		const point = at && listOf(at.shadow)[at.index];
		if (point) onOpen(point[2]);
	};
	const onKey = (event: KeyboardEvent): void => {
		const last = points.points.length - 1;
		const at = marked && !marked.shadow ? marked.index : null;
		const mark = (index: number): void => setMarked(last < 0 ? null : { index, shadow: false });
		if (event.key === 'ArrowLeft') mark(at === null ? last : Math.max(0, at - 1));
		else if (event.key === 'ArrowRight') mark(at === null ? last : Math.min(last, at + 1));
		else if (event.key === 'Enter' && marked) open(marked);
		else if (event.key === 'Escape' && marked) setMarked(null);
		else return;
		event.preventDefault();
	};

	const point = marked ? listOf(marked.shadow)[marked.index] : undefined;
	const left = point ? PAD.left + x(point[0]) : 0;
	const down = point ? PAD.top + y(point[1]) : 0;
	const ticks = axis(top, 5).filter((t) => t <= top);
	const notes = [
		above > 0 && `${count(above)} above ${seconds(top)}, drawn at the edge`,
		points.sampled && `${count(points.points.length)} of ${count(points.count)} predictions drawn`,
	].filter(Boolean).join(' · ');
	return (
		<div ref={host} class={marked ? 'chart latency-chart is-pointing' : 'chart latency-chart'} style={{ height: px(HEIGHT) }} tabIndex={0} role="application" aria-label={summary(points)} onKeyDown={onKey}
			{...drag.handlers}
			onMouseMove={(event) => setMarked(event.buttons === 0 ? find(event) : null)}
			onMouseLeave={() => setMarked(null)}
			onClick={(event) => drag.wasDrag() || open(find(event))}>
			{width > 0 && (
				<svg width={full} height={HEIGHT} aria-hidden="true">
					<g transform={`translate(${PAD.left} ${PAD.top})`}>
						{ticks.map((t) => <g key={t}><line class="plot-line" x1={0} x2={width} y1={y(t)} y2={y(t)} /><text class="plot-text" x={-7} y={y(t) + 3.5} text-anchor="end">{t === 0 ? '0' : seconds(t).replace(/\.0+ /, ' ')}</text></g>)}
						{timeTicks(span.from, span.to, Math.max(2, Math.floor(width / 74))).map((t) => <text key={t.at} class="plot-text" x={x(t.at)} y={height + 16} text-anchor="middle">{tickLabel(t.at, t.step)}</text>)}
						<Markers markers={markers} from={span.from} to={span.to} width={width} height={height} />
						<Percentiles points={points} y={y} width={width} height={height} />
						{drag.rect && <rect class="plot-drag" x={drag.rect.left} width={drag.rect.width} y={0} height={height} />}
					</g>
				</svg>
			)}
			<canvas ref={canvas} style={{ left: px(PAD.left), top: px(PAD.top), width: px(width), height: px(height) }} />
			{point && (
				<>
					<i class="chart-ring" style={{ left: px(left), top: px(down) }} />
					<div class={`chart-tip${left > full / 2 ? ' to-left' : ''}`} style={{ left: px(left), top: px(down) }} role="status">
						<strong>{milliseconds(point[1] * 1000)}{marked?.shadow && <span class="muted"> CPU, shadow</span>}</strong>
						<span>{exact(point[0] * 1000).slice(0, 23)}</span>
						<span class="muted">Click or Enter opens it</span>
					</div>
				</>
			)}
			{notes && <p class="chart-note">{notes}</p>}
		</div>
	);
}
