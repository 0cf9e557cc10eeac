// SPDX-License-Identifier: Apache-2.0
// What charts work out before they draw: axes, lines with gaps, bars of a histogram, colours of a heat map.
import type { Histogram } from '../api/dashboard';

const STEPS = [1, 2, 2.5, 5, 10] as const;

/** Ticks from nought to at least `most`, at most `wanted` + 1 of them, at round numbers. */
export function axis(most: number, wanted = 4): number[] {
	if (!(most > 0)) return [0, 1];
	const rough = most / wanted;
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = power * (STEPS.find((s) => s * power >= rough * (1 - 1e-9)) ?? 10);
	const count = Math.ceil(most / step - 1e-9);
	return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

/** Round numbers from below the least to above the most, for what is not counted from nought. */
export function axisBetween(least: number, most: number, wanted = 4): number[] {
	const spread = Math.max(most - least, Math.abs(most) * 0.02, 1e-9);
	const step = axis(spread, wanted)[1] ?? 1;
	const first = Math.floor(least / step + 1e-9);
	const last = Math.max(first + 1, Math.ceil(most / step - 1e-9));
	return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Times at full minutes, hours, days, in local time: at most `wanted`. */
export function timeTicks(from: number, to: number, wanted: number): { at: number; step: number }[] {
	const choices = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400, 14 * 86400, 30 * 86400, 91 * 86400, 365 * 86400];
	const step = choices.find((s) => (to - from) / s <= wanted) ?? Math.ceil((to - from) / wanted / 86400) * 86400;
	const zone = -new Date(from * 1000).getTimezoneOffset() * 60;
	const first = Math.ceil((from + zone) / step) * step - zone;
	const ticks: { at: number; step: number }[] = [];
	for (let at = first; at <= to; at += step) ticks.push({ at, step });
	return ticks;
}

const round = (n: number): number => Math.round(n * 10) / 10;

/** A line that breaks where nothing is known. A value alone between two gaps is a short dash, or it would not be seen. */
export function brokenLine(points: readonly (readonly [x: number, y: number] | null)[]): string {
	let text = '';
	points.forEach((p, i) => {
		if (!p) return;
		const before = i > 0 && points[i - 1] != null;
		const after = i < points.length - 1 && points[i + 1] != null;
		if (!before && !after) text += `M${round(p[0] - 2)} ${round(p[1])}h4`;
		else text += `${before ? 'L' : 'M'}${round(p[0])} ${round(p[1])}`;
	});
	return text;
}

export interface Bar {
	from: number;
	to: number;
	count: number;
	/** Of the highest bar, 0…1. */
	height: number;
	/** Of all, 0…1. */
	share: number;
}

/** Bars of a histogram: what is empty at both ends is left out, and neighbours are joined until there are few enough to be seen. */
export function bars({ edges, counts }: Histogram, most = 48): Bar[] {
	let first = counts.findIndex((n) => n > 0);
	if (first < 0) return [];
	let last = counts.length - 1;
	while ((counts[last] ?? 0) === 0) last--;
	// A bar alone says nothing of where it stands.
	first = Math.max(0, first - 1);
	last = Math.min(counts.length - 1, last + 1);
	const joined = Math.ceil((last - first + 1) / most);
	const made: Bar[] = [];
	for (let i = first; i <= last; i += joined) {
		const end = Math.min(i + joined, last + 1);
		const count = counts.slice(i, end).reduce((sum, n) => sum + n, 0);
		made.push({ from: edges[i] ?? 0, to: edges[end] ?? 0, count, height: 0, share: 0 });
	}
	const total = made.reduce((sum, bar) => sum + bar.count, 0);
	const top = Math.max(...made.map((bar) => bar.count));
	for (const bar of made) {
		bar.height = bar.count / top;
		bar.share = bar.count / total;
	}
	return made;
}

export const total = (histogram: Histogram | null): number => histogram?.counts.reduce((sum, n) => sum + n, 0) ?? 0;

/** Where a share of all lies below: read off the bins, evenly within each. null of nothing. */
export function quantile({ edges, counts }: Histogram, share: number): number | null {
	const all = counts.reduce((sum, n) => sum + n, 0);
	if (all === 0) return null;
	let below = 0;
	for (let i = 0; i < counts.length; i++) {
		const n = counts[i] ?? 0;
		if (n > 0 && below + n >= share * all) {
			const low = edges[i] ?? 0;
			return low + ((share * all - below) / n) * ((edges[i + 1] ?? low) - low);
		}
		below += n;
	}
	return edges.at(-1) ?? null;
}

/** Dark blue, violet, orange, light yellow: alike in lightness steps, and for those who tell red from green badly. */
const HEAT = [[13, 16, 40], [76, 22, 98], [150, 40, 92], [217, 84, 60], [250, 157, 45], [252, 245, 170]] as const;

export function heatColour(share: number): [red: number, green: number, blue: number] {
	const at = Math.min(1, Math.max(0, share)) * (HEAT.length - 1);
	const i = Math.min(HEAT.length - 2, Math.floor(at));
	const [a, b] = [HEAT[i] ?? HEAT[0], HEAT[i + 1] ?? HEAT[0]];
	const mix = (k: 0 | 1 | 2): number => Math.round(a[k] + (b[k] - a[k]) * (at - i));
	return [mix(0), mix(1), mix(2)];
}

/** By the square root, as counts scatter: a cell with one shape is still told from none. */
export function heatPixels(cells: readonly number[]): Uint8ClampedArray {
	const top = Math.sqrt(cells.reduce((most, n) => Math.max(most, n), 0)) || 1;
	const pixels = new Uint8ClampedArray(cells.length * 4);
	cells.forEach((n, i) => {
		const [red, green, blue] = heatColour(Math.sqrt(n) / top);
		pixels.set([red, green, blue, 255], i * 4);
	});
	return pixels;
}

const DOWN = ['top', 'middle', 'bottom'] as const;
const ACROSS = ['left', 'centre', 'right'] as const;

/** "top left": the ninth of the picture that holds most, and its share; null of nothing. */
export function densest(cells: readonly number[], side: number): { where: string; share: number } | null {
	const sums = new Array<number>(9).fill(0);
	cells.forEach((n, i) => {
		const ninth = 3 * Math.floor((Math.floor(i / side) * 3) / side) + Math.floor(((i % side) * 3) / side);
		sums[ninth] = (sums[ninth] ?? 0) + n;
	});
	const all = sums.reduce((a, b) => a + b, 0);
	if (all === 0) return null;
	const best = sums.indexOf(Math.max(...sums));
	const where = best === 4 ? 'centre' : `${DOWN[Math.floor(best / 3)] ?? ''} ${ACROSS[best % 3] ?? ''}`;
	return { where, share: (sums[best] ?? 0) / all };
}
