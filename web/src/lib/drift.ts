// SPDX-License-Identifier: Apache-2.0
// Distributions as curves, and what drift says in words.
import type { Drift, DriftFeature } from '../api/watch';
import { plural } from './format';

/** From here on a difference matters, however many images it was seen on. */
export const D_MIN = 0.1;

export type Curve = [x: number, y: number][];

/** Values at evenly spaced shares → the share at and below each value. */
export function cumulative(quantiles: readonly number[]): Curve {
	const last = quantiles.length - 1;
	return last < 1 ? [] : quantiles.map((x, i): [number, number] => [x, i / last]);
}

/** The share at and below x, by straight lines; of equal values the last counts. */
export function shareBelow(quantiles: readonly number[], x: number): number {
	const last = quantiles.length - 1;
	const first = quantiles[0];
	const top = quantiles[last];
	if (last < 1 || first === undefined || top === undefined) return 0;
	if (x < first) return 0;
	if (x >= top) return 1;
	let low = 0;
	let high = last;
	while (high - low > 1) {
		const middle = (low + high) >> 1;
		if ((quantiles[middle] ?? 0) <= x) low = middle;
		else high = middle;
	}
	const a = quantiles[low] ?? 0;
	const b = quantiles[high] ?? a;
	return (low + (b > a ? (x - a) / (b - a) : 1)) / last;
}

/** Where the two differ most: there D is read. */
export function widestGap(a: readonly number[], b: readonly number[]): { x: number; a: number; b: number } | null {
	let best: { x: number; a: number; b: number } | null = null;
	for (const x of [...a, ...b]) {
		const at = { x, a: shareBelow(a, x), b: shareBelow(b, x) };
		if (!best || Math.abs(at.a - at.b) > Math.abs(best.a - best.b)) best = at;
	}
	return best;
}

/** Whole numbers within a range that bars can show. */
export function isWhole(...lists: readonly (readonly number[])[]): boolean {
	const all = lists.flat();
	return all.length > 0 && all.every(Number.isInteger) && Math.max(...all) - Math.min(...all) <= 40;
}

/** The share of each whole value, as far as the quantiles tell. */
export function wholeShares(quantiles: readonly number[], low: number, high: number): number[] {
	const shares = new Array<number>(high - low + 1).fill(0);
	for (const x of quantiles) shares[x - low] = (shares[x - low] ?? 0) + 1 / quantiles.length;
	return shares;
}

export interface Share {
	value: number;
	reference: number;
	window: number;
}

/** Values that are names, not sizes: how often each is, as far as the quantiles tell; those that differ most first. */
export function nameShares(reference: readonly number[], window: readonly number[], most: number): Share[] {
	// A quantile between two labels is neither.
	const [before, now] = [reference.filter(Number.isInteger), window.filter(Number.isInteger)];
	const share = (list: readonly number[], value: number): number => list.filter((v) => v === value).length / Math.max(1, list.length);
	return [...new Set([...before, ...now])].map((value) => ({ value, reference: share(before, value), window: share(now, value) }))
		.sort((a, b) => Math.abs(b.window - b.reference) - Math.abs(a.window - a.reference) || b.reference - a.reference || a.value - b.value).slice(0, most);
}

/** The range that both need, a little wider; a far tail of either is left out of sight. */
export function commonRange(...lists: readonly (readonly number[])[]): [number, number] {
	const all = lists.filter((l) => l.length > 0);
	if (all.length === 0) return [0, 1];
	const low = Math.min(...all.map((l) => l[0] ?? 0));
	const high = Math.max(...all.map((l) => l[l.length - 1] ?? 0));
	const pad = high > low ? 0.04 * (high - low) : Math.max(0.5, 0.1 * Math.abs(low));
	return [low - pad, high + pad];
}

function spread(quantiles: readonly number[]): number {
	const at = (share: number): number => quantiles[Math.round(share * (quantiles.length - 1))] ?? 0;
	const mean = quantiles.reduce((a, b) => a + b, 0) / quantiles.length;
	const sd = Math.sqrt(quantiles.reduce((a, b) => a + (b - mean) ** 2, 0) / quantiles.length);
	const iqr = (at(0.75) - at(0.25)) / 1.34;
	return iqr > 0 ? Math.min(sd, iqr) : sd;
}

/** A smooth density over the range (Gaussian kernels, Silverman's width for that many images); the area is 1. */
export function density(quantiles: readonly number[], images: number, [low, high]: readonly [number, number], points = 96): Curve {
	if (quantiles.length < 2 || !(high > low)) return [];
	const width = Math.max(0.9 * spread(quantiles) * Math.max(images, 2) ** -0.2, (high - low) / 120);
	// Between two quantiles values are as likely everywhere: four of them stand for the stretch.
	const values: number[] = [];
	for (let i = 0; i + 1 < quantiles.length; i++) {
		const a = quantiles[i] ?? 0;
		const b = quantiles[i + 1] ?? a;
		for (const t of [0.125, 0.375, 0.625, 0.875]) values.push(a + t * (b - a));
	}
	const scale = 1 / (values.length * width * Math.sqrt(2 * Math.PI));
	return Array.from({ length: points }, (_, i): [number, number] => {
		const x = low + ((high - low) * i) / (points - 1);
		return [x, scale * values.reduce((sum, v) => sum + Math.exp(-0.5 * ((x - v) / width) ** 2), 0)];
	});
}

/** Three significant digits at most: D, values of a feature. */
export function short(x: number | null | undefined): string {
	if (x === null || x === undefined || !Number.isFinite(x)) return '–';
	if (x === 0) return '0';
	return Math.abs(x) >= 1000 ? x.toFixed(0) : String(Number(x.toPrecision(3)));
}

export const dWords = (d: number | null): string => (d === null ? '–' : d.toFixed(2));

/** "0.00004" is not what p means. */
export function pWords(p: number | null): string {
	if (p === null) return '–';
	if (p < 0.001) return 'below 0.001';
	return String(Number(p.toPrecision(2)));
}

const MOVED: Record<string, string> = { higher: 'higher', lower: 'lower', wider: 'more spread out', narrower: 'less spread out' };
/** Labels have an order of their own in the model, and none in the world. */
export const movedWords = ({ name, moved }: DriftFeature): string => (moved && name !== 'label' ? MOVED[moved] ?? moved : '');

export const drifted = (drift: Drift): DriftFeature[] => drift.features.filter((f) => f.drifted);

/** A title in the middle of a sentence. */
export function within(title: string): string {
	const low = /^[A-Z][a-z]/.test(title) ? title[0]?.toLowerCase() + title.slice(1) : title;
	return low.includes(',') ? `“${low}”` : low;
}

/** What differs, and beside it so many as there is room for. */
export const firstFeatures = (drift: Drift, room: number): DriftFeature[] => drift.features.filter((f, i) => f.drifted || i < room);

/** What is missing, but for what is said elsewhere on the page. */
export const leftToSay = (missing: readonly string[], said: (string | null | undefined | false)[]): string[] => missing.filter((m) => !said.some((s) => s && (m === s || m.startsWith(s))));

/** What the panel says before any curve. */
export function driftSentence(drift: Drift): string {
	const moved = drifted(drift);
	const { images } = drift.window;
	if (images === 0) return 'No image yet to compare.';
	const last = plural(images, 'image');
	const [first] = moved;
	if (!first) return `The last ${last} look like Training Data: of ${plural(drift.features.length, 'feature')} none differs by more than chance and D ${D_MIN.toFixed(2)}.`;
	const names = moved.slice(0, 3).map((f) => `${within(f.title)} is ${movedWords(f) || 'different'}`);
	const list = names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}` : names[0] ?? '';
	const more = moved.length > 3 ? `, and ${plural(moved.length - 3, 'more feature differs', 'more features differ')}` : '';
	return `Against Training Data, in the last ${last} ${list}${more}.`;
}

export function basisWords(basis: Drift['window']['basis']): string | null {
	if (basis === null || typeof basis === 'string') return basis;
	return basis.sentence;
}

/** The smallest D that this window and this reference can show, over the features that may alarm. */
export function smallestSeen(drift: Drift): number | null {
	const watched = drift.features.some((f) => f.may_alarm) ? drift.features.filter((f) => f.may_alarm) : drift.features;
	const all = watched.flatMap((f) => (f.critical_d === null ? [] : [f.critical_d]));
	return all.length > 0 ? Math.max(D_MIN, Math.max(...all)) : null;
}
