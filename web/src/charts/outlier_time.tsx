// SPDX-License-Identifier: Apache-2.0
// The outlier score over time: every dot is an image and opens it, by the mouse or by the arrow keys and Enter.
import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { count, exact, plural } from '../lib/format';
import { axis, timeTicks } from '../lib/plot';
import { nearest } from '../lib/points';
import { topScore } from '../lib/outliers';
import { tickLabel } from '../lib/ticks';
import { px } from '../parts/basics';
import { useWidth } from './use_width';

const HEIGHT = 190;
const PAD = { left: 40, right: 14, top: 12, bottom: 26 };
const REACH = 16;

type Point = readonly [at: number, score: number, id: string];

export interface TimeMarker {
	at: number;
	name: string;
}

export function OutlierTime({ points, limit, markers, onOpen }: {
	/** Oldest first. */
	points: readonly Point[];
	limit: number;
	markers: readonly TimeMarker[];
	onOpen: (asset: string) => void;
}): JSX.Element {
	const host = useRef<HTMLDivElement>(null);
	const width = useWidth(host);
	const [marked, setMarked] = useState<number | null>(null);

	const top = useMemo(() => topScore(points, limit), [points, limit]);
	const first = points[0]?.[0] ?? 0;
	const last = Math.max(points.at(-1)?.[0] ?? 1, first + 1);
	const from = first - 0.01 * (last - first);
	const to = last + 0.01 * (last - first);
	const inner = { width: Math.max(1, width - PAD.left - PAD.right), height: HEIGHT - PAD.top - PAD.bottom };
	const x = (at: number): number => ((at - from) / (to - from)) * inner.width;
	const y = (score: number): number => inner.height * (1 - Math.min(score, top) / top);
	// A stroke of no length with round ends is a dot: thousands are two paths.
	const dots = (keep: (score: number) => boolean): string =>
		points.filter((p) => keep(p[1])).map((p) => `M${x(p[0]).toFixed(1)} ${y(p[1]).toFixed(1)}h0`).join('');
	const above = points.filter((p) => p[1] > top).length;
	const shown = marked === null ? undefined : points[marked];

	const find = (event: MouseEvent): number | null => {
		const box = host.current?.getBoundingClientRect();
		if (!box) return null;
		const at = from + ((event.clientX - box.left - PAD.left) / inner.width) * (to - from);
		const score = top * (1 - (event.clientY - box.top - PAD.top) / inner.height);
		const index = nearest(points as [number, number, string][], at, score, { xPixels: inner.width / (to - from), yPixels: inner.height / top, top }, REACH);
		return index < 0 ? null : index;
	};
	const onKey = (event: KeyboardEvent): void => {
		const end = points.length - 1;
		if (event.key === 'ArrowLeft') setMarked(marked === null ? end : Math.max(0, marked - 1));
		else if (event.key === 'ArrowRight') setMarked(marked === null ? end : Math.min(end, marked + 1));
		else if (event.key === 'Enter' && shown) onOpen(shown[2]);
		else if (event.key === 'Escape' && shown) setMarked(null);
		else return;
		event.preventDefault();
	};
	const label = `Outlier score over time: ${plural(points.length, 'image')}, ${count(points.filter((p) => p[1] >= limit).length)} at or above the limit. ` +
		'Left and right arrow keys walk through the images, Enter opens one.';
	return (
		<div ref={host} class={shown ? 'chart time-dots is-pointing' : 'chart time-dots'} tabIndex={0} role="application" aria-label={label} onKeyDown={onKey}
			onMouseMove={(event) => setMarked(find(event))} onMouseLeave={() => setMarked(null)}
			onClick={(event) => {
				const index = find(event);
				const point = index === null ? undefined : points[index];
				if (point) onOpen(point[2]);
			}}>
			{width > 0 && (
				<svg width={width} height={HEIGHT} aria-hidden="true">
					<g transform={`translate(${PAD.left} ${PAD.top})`}>
						{axis(top).filter((t) => t <= top).map((t) => (
							<g key={t}>
								<line class="plot-line" x1={0} x2={inner.width} y1={y(t)} y2={y(t)} />
								<text class="plot-text" x={-7} y={y(t) + 3.5} text-anchor="end">{t}</text>
							</g>
						))}
						{timeTicks(from, to, Math.max(2, inner.width / 110)).map(({ at, step }) => <text key={at} class="plot-text" x={x(at)} y={inner.height + 17} text-anchor="middle">{tickLabel(at, step)}</text>)}
						{markers.filter((m) => m.at >= from && m.at <= to).map((m) => (
							<g key={m.at} class="time-marker"><line x1={x(m.at)} x2={x(m.at)} y1={-6} y2={inner.height} /><text class="plot-text" x={x(m.at) + (x(m.at) > 0.7 * inner.width ? -4 : 4)} y={2} text-anchor={x(m.at) > 0.7 * inner.width ? 'end' : 'start'}>{m.name}</text></g>
						))}
						<path class="dots" d={dots((s) => s < limit)} />
						<path class="dots is-out" d={dots((s) => s >= limit)} />
						<line class="limit" x1={0} x2={inner.width} y1={y(limit)} y2={y(limit)} />
						<text class="plot-text limit-name" x={inner.width} y={y(limit) - 5} text-anchor="end">limit</text>
					</g>
				</svg>
			)}
			{shown && (
				<>
					<i class="chart-ring" style={{ left: px(PAD.left + x(shown[0])), top: px(PAD.top + y(shown[1])) }} />
					<div class={`chart-tip${x(shown[0]) > inner.width / 2 ? ' to-left' : ''}`} style={{ left: px(PAD.left + x(shown[0])), top: px(PAD.top + y(shown[1])) }} role="status">
						<strong>{shown[1].toFixed(2)}<span class="muted"> {shown[1] >= limit ? 'outlier' : 'usual'}</span></strong>
						<span>{exact(shown[0] * 1000).slice(0, 19)}</span>
						<span class="muted">Click or Enter opens it</span>
					</div>
				</>
			)}
			{above > 0 && <p class="chart-note">{count(above)} above {top.toFixed(1)}, drawn at the edge</p>}
		</div>
	);
}
