// SPDX-License-Identifier: Apache-2.0
// How values are spread: a bar a bin, a vertical at the median, the edges in words under it.
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { Histogram } from '../api/dashboard';
import { count } from '../lib/format';
import { bars, quantile, total } from '../lib/plot';
import { px } from '../parts/basics';
import { useWidth } from './use_width';

const HEIGHT = 112;
const FOOT = 18;
const EDGE = 6;

/** As many labels as have room, evenly, the first and the last among them. */
function labelled(places: number, width: number): (i: number) => boolean {
	const parts = Math.max(1, Math.min(places - 1, Math.floor(width / 58)));
	const chosen = new Set(Array.from({ length: parts + 1 }, (_, k) => Math.round((k * (places - 1)) / parts)));
	return (i) => chosen.has(i);
}

export function HistogramChart({ histogram, format, of, label, whole = false }: {
	histogram: Histogram;
	/** An edge, or a value. */
	format: (value: number) => string;
	/** What is counted: "image", "shape". */
	of: string;
	label: string;
	/** Bins are whole numbers, not stretches. */
	whole?: boolean;
}): JSX.Element {
	const host = useRef<HTMLDivElement>(null);
	const full = useWidth(host);
	const [marked, setMarked] = useState<number | null>(null);
	const shown = bars(histogram, Math.max(12, Math.min(48, Math.floor(full / 7))));
	const median = quantile(histogram, 0.5);
	const width = Math.max(0, full - 2 * EDGE);
	const step = width / Math.max(1, shown.length);
	const inner = HEIGHT - FOOT - 4;
	const where = (value: number): number => {
		const i = shown.findIndex((b) => value <= b.to);
		const bar = shown[i];
		return bar ? (i + (value - bar.from) / Math.max(1e-12, bar.to - bar.from)) * step : 0;
	};
	const spread = ([0.05, 0.95] as const).map((share) => quantile(histogram, share));
	const words = median === null ? label : `${label}: ${count(total(histogram))} ${of}s, median ${format(whole ? Math.floor(median) : median)}, nine of ten from ${format(whole ? Math.floor(spread[0] ?? 0) : spread[0] ?? 0)} to ${format(whole ? Math.floor(spread[1] ?? 0) : spread[1] ?? 0)}.`;
	const bar = marked === null ? undefined : shown[marked];
	const isLabelled = labelled(shown.length + (whole ? 0 : 1), width);
	const between = (b: { from: number; to: number }): string => (whole && b.to - b.from <= 1 ? format(b.from) : `${format(b.from)} to ${format(whole ? b.to - 1 : b.to)}`);
	return (
		<div ref={host} class="chart histogram-chart" tabIndex={0} role="application" aria-label={`${words} Left and right arrow keys read it.`} style={{ height: px(HEIGHT) }}
			onPointerMove={(event) => setMarked(Math.min(shown.length - 1, Math.max(0, Math.floor((event.clientX - (host.current?.getBoundingClientRect().left ?? 0) - EDGE) / step))))}
			onPointerLeave={() => setMarked(null)} onBlur={() => setMarked(null)}
			onKeyDown={(event) => {
				const move = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
				if (!move) return;
				setMarked((i) => Math.min(shown.length - 1, Math.max(0, (i ?? (move < 0 ? shown.length : -1)) + move)));
				event.preventDefault();
			}}>
			{width > 0 && (
				<svg width={full} height={HEIGHT} aria-hidden="true">
					<g transform={`translate(${EDGE} 4)`}>
						<line class="plot-line" x1={0} x2={width} y1={inner + 0.5} y2={inner + 0.5} />
						{shown.map((b, i) => b.count > 0 && <rect key={b.from} class={`fill main${i === marked ? ' is-marked' : ''}`} x={i * step + 0.5} width={Math.max(1, step - 1)} y={inner * (1 - b.height)} height={Math.max(1, inner * b.height)} />)}
						{median !== null && !whole && <line class="plot-median" x1={where(median)} x2={where(median)} y1={0} y2={inner} />}
						{whole
							? shown.map((b, i) => isLabelled(i) && <text key={b.from} class="plot-text" x={(i + 0.5) * step} y={inner + 14} text-anchor="middle">{format(b.from)}</text>)
							: [...shown.map((b) => b.from), shown.at(-1)?.to ?? 0].map((edge, i, all) => isLabelled(i) && (
								<text key={edge} class="plot-text" x={i * step} y={inner + 14} text-anchor={i === 0 ? 'start' : i === all.length - 1 ? 'end' : 'middle'}>{format(edge)}</text>
							))}
					</g>
				</svg>
			)}
			{bar && (
				<div class={`chart-tip${(marked ?? 0) > shown.length / 2 ? ' to-left' : ''}`} style={{ left: px(EDGE + ((marked ?? 0) + 0.5) * step), top: px(34) }} role="status">
					<strong>{between(bar)}</strong><span>{count(bar.count)} {of}{bar.count === 1 ? '' : 's'}, {(100 * bar.share).toFixed(1)} %</span>
				</div>
			)}
		</div>
	);
}
