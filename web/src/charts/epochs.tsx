// SPDX-License-Identifier: Apache-2.0
// What a training got better at, epoch by epoch: lines, a flat one for the model it started from, a mark at the best.
// The mouse or the arrow keys read an epoch.
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { axis, axisBetween, brokenLine } from '../lib/plot';
import { epochTicks, type Curve } from '../lib/training';
import { px } from '../parts/basics';
import { useWidth } from './use_width';

export interface EpochLine extends Curve {
	/** In words, for the legend. */
	title: string;
	tone: 'main' | 'second' | 'shadow' | 'warn' | 'bad';
}

const PAD = { left: 46, right: 14, top: 14, bottom: 34 };

export function EpochChart({ first, last, lines, flat, best, format, label, fromNought = false, height = 200 }: {
	/** Epochs of the axis: a planned one that was not reached yet leaves room on the right. */
	first: number;
	last: number;
	lines: readonly EpochLine[];
	/** A value that does not change, and what it is of. */
	flat: { value: number; title: string } | null;
	/** Index of the best epoch of the first line. */
	best: number | null;
	format: (value: number) => string;
	label: string;
	fromNought?: boolean;
	height?: number;
}): JSX.Element {
	const host = useRef<HTMLDivElement>(null);
	const full = useWidth(host);
	const [marked, setMarked] = useState<number | null>(null);
	const width = Math.max(0, full - PAD.left - PAD.right);
	const inner = height - PAD.top - PAD.bottom;
	const known = Math.max(0, ...lines.map((l) => l.values.length));
	const values = [...lines.flatMap((l) => l.values.filter((v): v is number => v !== null)), ...(flat ? [flat.value] : [])];
	const most = Math.max(0, ...values);
	const ticks = fromNought || values.length === 0 ? axis(most) : axisBetween(Math.min(...values), Math.max(...values));
	const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
	const x = (epoch: number): number => (last > first ? ((epoch - first) / (last - first)) * width : width / 2);
	const y = (value: number): number => inner * (1 - (value - low) / (high - low));
	const read = (clientX: number): number => {
		const left = clientX - (host.current?.getBoundingClientRect().left ?? 0) - PAD.left;
		return Math.min(known - 1, Math.max(0, Math.round((left / Math.max(1, width)) * (last - first))));
	};
	const onKey = (event: KeyboardEvent): void => {
		const move = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
		if (move) setMarked((i) => Math.min(known - 1, Math.max(0, (i ?? (move < 0 ? known : -1)) + move)));
		else if (event.key === 'Escape' && marked !== null) setMarked(null);
		else return;
		event.preventDefault();
	};
	const [leading] = lines;
	const bestValue = best === null ? null : leading?.values[best] ?? null;
	const at = marked === null ? 0 : x(first + marked);
	return (
		<div ref={host} class="chart epochs" tabIndex={0} role="application" aria-label={`${label} Left and right arrow keys read it.`} style={{ height: px(height) }}
			onKeyDown={onKey} onBlur={() => setMarked(null)} onPointerMove={(event) => known > 0 && setMarked(read(event.clientX))} onPointerLeave={() => setMarked(null)}>
			{width > 0 && (
				<svg width={full} height={height} aria-hidden="true">
					<g transform={`translate(${PAD.left} ${PAD.top})`}>
						{ticks.map((t) => <g key={t}><line class="plot-line" x1={0} x2={width} y1={y(t)} y2={y(t)} /><text class="plot-text" x={-7} y={y(t) + 3.5} text-anchor="end">{format(t)}</text></g>)}
						{epochTicks(first, last, Math.max(2, Math.floor(width / 46))).map((t) => <text key={t} class="plot-text" x={x(t)} y={inner + 15} text-anchor="middle">{t}</text>)}
						<text class="plot-name" x={width / 2} y={inner + 30} text-anchor="middle">Epoch</text>
						{flat && <line class="line shadow" x1={0} x2={width} y1={y(flat.value)} y2={y(flat.value)} />}
						{[...lines].reverse().map((l) => <path key={l.name} class={`line ${l.tone}`} d={brokenLine(l.values.map((v, i) => (v === null ? null : [x(first + i), y(v)] as const)))} />)}
						{best !== null && bestValue !== null && <circle class="epoch-best" cx={x(first + best)} cy={y(bestValue)} r={4} />}
						{marked !== null && <line class="plot-now" x1={at} x2={at} y1={0} y2={inner} />}
					</g>
				</svg>
			)}
			{marked !== null && (
				<div class={`chart-tip${at > width / 2 ? ' to-left' : ''}`} style={{ left: px(PAD.left + at), top: px(PAD.top + 30) }} role="status">
					<span>Epoch {first + marked}{marked === best && ', the best'}</span>
					{lines.map((l) => <span key={l.name}><i class={`key ${l.tone}`} />{l.title} <strong>{l.values[marked] == null ? '–' : format(l.values[marked])}</strong></span>)}
					{flat && <span><i class="key shadow" />{flat.title} <strong>{format(flat.value)}</strong></span>}
				</div>
			)}
		</div>
	);
}
