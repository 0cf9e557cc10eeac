// SPDX-License-Identifier: Apache-2.0
// The outlier score over time: every dot is an image and opens it, by the mouse or by the arrow keys and Enter.
import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { exact, plural } from '../lib/format';
import { height, scoreTicks, type Dot } from '../lib/outliers';
import { timeTicks } from '../lib/plot';
import { nearest } from '../lib/points';
import { tickLabel } from '../lib/ticks';
import { px } from '../parts/basics';
import { useWidth } from './use_width';

const HEIGHT = 190;
const PAD = { left: 40, right: 14, top: 12, bottom: 26 };
const REACH = 16;

export interface TimeMarker {
	at: number;
	name: string;
}

export function OutlierTime({ points, limit, markers, onOpen }: {
	/** Oldest first. */
	points: readonly Dot[];
	limit: number;
	markers: readonly TimeMarker[];
	onOpen: (asset: string) => void;
}): JSX.Element {
	const host = useRef<HTMLDivElement>(null);
	const width = useWidth(host);
	const [marked, setMarked] = useState<number | null>(null);

	const { top, places } = useMemo(() => ({
		top: 1.06 * Math.max(1.6 * limit, ...points.map((p) => p.score)),
		places: points.map((p): [number, number, string] => [p.at, height(p.score), p.id]),
	}), [points, limit]);
	const first = points[0]?.at ?? 0;
	const last = Math.max(points.at(-1)?.at ?? 1, first + 1);
	const from = first - 0.01 * (last - first);
	const to = last + 0.01 * (last - first);
	const inner = { width: Math.max(1, width - PAD.left - PAD.right), height: HEIGHT - PAD.top - PAD.bottom };
	const x = (at: number): number => ((at - from) / (to - from)) * inner.width;
	const y = (score: number): number => inner.height * (1 - height(score) / height(top));
	// A stroke of no length with round ends is a dot: thousands are two paths.
	const dots = (out: boolean): string => points.filter((p) => p.outlier === out).map((p) => `M${x(p.at).toFixed(1)} ${y(p.score).toFixed(1)}h0`).join('');
	const shown = marked === null ? undefined : points[marked];

	const find = (event: MouseEvent): number | null => {
		const box = host.current?.getBoundingClientRect();
		if (!box) return null;
		const at = from + ((event.clientX - box.left - PAD.left) / inner.width) * (to - from);
		const high = height(top) * (1 - (event.clientY - box.top - PAD.top) / inner.height);
		const index = nearest(places, at, high, { xPixels: inner.width / (to - from), yPixels: inner.height / height(top), top: height(top) }, REACH);
		return index < 0 ? null : index;
	};
	const onKey = (event: KeyboardEvent): void => {
		const end = points.length - 1;
		if (event.key === 'ArrowLeft') setMarked(marked === null ? end : Math.max(0, marked - 1));
		else if (event.key === 'ArrowRight') setMarked(marked === null ? end : Math.min(end, marked + 1));
		else if (event.key === 'Enter' && shown) onOpen(shown.id);
		else if (event.key === 'Escape' && shown) setMarked(null);
		else return;
		event.preventDefault();
	};
	const label = `Outlier score over time: ${plural(points.length, 'image')}, ${plural(points.filter((p) => p.outlier).length, 'outlier')}. ` +
		'Left and right arrow keys walk through the images, Enter opens one.';
	return (
		<div ref={host} class={shown ? 'chart time-dots is-pointing' : 'chart time-dots'} tabIndex={0} role="application" aria-label={label} onKeyDown={onKey}
			onMouseMove={(event) => setMarked(find(event))} onMouseLeave={() => setMarked(null)}
			onClick={(event) => {
				const index = find(event);
				const point = index === null ? undefined : points[index];
				if (point) onOpen(point.id);
			}}>
			{width > 0 && (
				<svg width={width} height={HEIGHT} aria-hidden="true">
					<g transform={`translate(${PAD.left} ${PAD.top})`}>
						{scoreTicks(top, 18 / inner.height).map((t) => (
							<g key={t}>
								<line class="plot-line" x1={0} x2={inner.width} y1={y(t)} y2={y(t)} />
								<text class="plot-text" x={-7} y={y(t) + 3.5} text-anchor="end">{t}</text>
							</g>
						))}
						{timeTicks(from, to, Math.max(2, inner.width / 110)).map(({ at, step }) => <text key={at} class="plot-text" x={x(at)} y={inner.height + 17} text-anchor="middle">{tickLabel(at, step)}</text>)}
						{markers.filter((m) => m.at >= from && m.at <= to).map((m) => (
							<g key={m.at} class="time-marker"><line x1={x(m.at)} x2={x(m.at)} y1={-6} y2={inner.height} /><text class="plot-text" x={x(m.at) + (x(m.at) > 0.7 * inner.width ? -4 : 4)} y={2} text-anchor={x(m.at) > 0.7 * inner.width ? 'end' : 'start'}>{m.name}</text></g>
						))}
						<path class="dots" d={dots(false)} />
						<path class="dots is-out" d={dots(true)} />
						<line class="limit" x1={0} x2={inner.width} y1={y(limit)} y2={y(limit)} />
						<text class="plot-text limit-name" x={inner.width} y={y(limit) - 5} text-anchor="end">limit</text>
					</g>
				</svg>
			)}
			{shown && (
				<>
					<i class="chart-ring" style={{ left: px(PAD.left + x(shown.at)), top: px(PAD.top + y(shown.score)) }} />
					<div class={`chart-tip${x(shown.at) > inner.width / 2 ? ' to-left' : ''}`} style={{ left: px(PAD.left + x(shown.at)), top: px(PAD.top + y(shown.score)) }} role="status">
						<strong>{shown.score.toFixed(2)}<span class="muted"> {shown.outlier ? 'outlier' : shown.score >= limit ? 'above the limit' : 'usual'}</span></strong>
						<span>{exact(shown.at * 1000).slice(0, 19)}</span>
						<span class="muted">Click or Enter opens it</span>
					</div>
				</>
			)}
		</div>
	);
}
