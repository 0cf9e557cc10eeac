// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Drift, DriftFeature, OutlierPoint, Outliers } from '../src/api/watch';
import { commonRange, cumulative, density, driftSentence, firstFeatures, isWhole, leftToSay, nameShares, pWords, shareBelow, short, smallestSeen, wholeShares, widestGap } from '../src/lib/drift';
import { dots, height, outlierSentence, percent, rankWords, scoreTicks } from '../src/lib/outliers';

const even = (low: number, high: number): number[] => Array.from({ length: 65 }, (_, i) => low + ((high - low) * i) / 64);

describe('distributions', () => {
	it('the share below goes straight between quantiles, and jumps at equal values', () => {
		expect([-1, 0, 0.25, 1, 2].map((x) => shareBelow([0, 0.5, 1], x))).toEqual([0, 0, 0.25, 1, 1]);
		expect(shareBelow([0, 1, 1, 1, 2], 0.999)).toBeCloseTo(0.24975);
		expect(shareBelow([0, 1, 1, 1, 2], 1)).toBe(0.75);
		expect(shareBelow([], 1)).toBe(0);
	});
	it('the cumulative curve begins at nought and ends at one', () => expect(cumulative([3, 4, 9])).toEqual([[3, 0], [4, 0.5], [9, 1]]));
	it('the widest gap is the distance of Kolmogorov and Smirnov', () => {
		const gap = widestGap(even(0, 1), even(0.3, 1.3));
		expect(Math.abs((gap?.a ?? 0) - (gap?.b ?? 0))).toBeCloseTo(0.3);
		expect(widestGap([], [])).toBeNull();
		expect(Math.abs((widestGap(even(0, 1), even(2, 3))?.a ?? 0) - 0)).toBe(1);
	});
	it('a density has the area one, and stands where the values are', () => {
		const range = commonRange(even(0, 1), even(4, 6));
		const curve = density(even(4, 6), 200, range, 400);
		const step = (range[1] - range[0]) / 399;
		expect(curve.reduce((sum, [, y]) => sum + y * step, 0)).toBeGreaterThan(0.93);
		expect(curve.reduce((sum, [, y]) => sum + y * step, 0)).toBeLessThanOrEqual(1.001);
		expect(curve.reduce((sum, [x, y]) => sum + x * y * step, 0)).toBeCloseTo(5, 0);
		expect(density([1], 5, [0, 1])).toEqual([]);
		expect(density(even(2, 2), 50, commonRange(even(2, 2))).every(([, y]) => Number.isFinite(y))).toBe(true);
	});
	it('a range is wider than both, also around one value', () => {
		expect(commonRange([1, 1])[1]).toBeGreaterThan(1);
		expect(commonRange()).toEqual([0, 1]);
		const [low, high] = commonRange([0, 10], [5, 20]);
		expect([low < 0, high > 20]).toEqual([true, true]);
	});
	it('whole numbers are bars', () => {
		expect([isWhole([0, 1, 2], [3]), isWhole([0.5], [1]), isWhole([0, 1000]), isWhole([])]).toEqual([true, false, false, false]);
		expect(wholeShares([0, 0, 2, 3], 0, 3)).toEqual([0.5, 0, 0.25, 0.25]);
	});
	it('labels are shares without an order, those that differ most first', () => {
		expect(nameShares([7, 7, 7, 60], [7, 60, 60, 60], 5)).toEqual([{ value: 7, reference: 0.75, window: 0.25 }, { value: 60, reference: 0.25, window: 0.75 }]);
		expect(nameShares([1, 2, 2.5, 3, 3], [1, 1, 1, 1.5], 2)).toEqual([{ value: 1, reference: 0.25, window: 1 }, { value: 3, reference: 0.5, window: 0 }]);
		expect(nameShares([], [], 3)).toEqual([]);
	});
	it('numbers are short', () => {
		expect([short(0.123456), short(12345.6), short(0), short(null), short(-0.5)]).toEqual(['0.123', '12346', '0', '–', '-0.5']);
		expect([pWords(null), pWords(1e-12), pWords(0.0412)]).toEqual(['–', 'below 0.001', '0.041']);
	});
});

const feature = (title: string, fields: Partial<DriftFeature>): DriftFeature => ({
	name: title, title, unit: '', kind: 'image', d: 0.05, low: 0, high: 0.1, p: 1, p_adjusted: 1, drifted: false, critical_d: 0.12, may_alarm: true, reference: null, window: null, strength: 0, moved: null, ...fields,
});
const drift = (features: DriftFeature[], images = 200): Drift => ({
	reference: null, window: { images, effective: 100, from: null, to: null, basis: null }, alpha: 0.01, features, detectors: null, where: [], examples: [], missing: [],
});

describe('drift in words', () => {
	it('says that nothing differs, or what does', () => {
		expect(driftSentence(drift([]), )).toContain('look like Training Data');
		expect(driftSentence(drift([feature('Brightness', {})], 0))).toBe('No image yet to compare.');
		const moved = [feature('Brightness', { drifted: true, moved: 'lower' }), feature('Contrast', { drifted: true, moved: 'wider' }), feature('AP', {})];
		expect(driftSentence(drift(moved))).toBe('Against Training Data, in the last 200 images brightness is lower and contrast is more spread out.');
		expect(driftSentence(drift([...moved, feature('A', { drifted: true }), feature('B', { drifted: true })]))).toContain('contrast is more spread out and A is different, and 1 more feature differs.');
	});
	it('a title with a comma is quoted, and labels are neither lower nor higher', () => {
		expect(driftSentence(drift([feature('What the model sees, component 4', { drifted: true, moved: 'lower' })]))).toContain('“what the model sees, component 4” is lower.');
		expect(driftSentence(drift([feature('Label', { name: 'label', drifted: true, moved: 'lower' })]))).toContain('label is different.');
	});
	it('shows what differs however far down it stands, and says nothing twice', () => {
		const many = [feature('a', {}), feature('b', {}), feature('c', {}), feature('d', { drifted: true })];
		expect(firstFeatures(drift(many), 2).map((f) => f.title)).toEqual(['a', 'b', 'd']);
		expect(leftToSay(['Small reference: 60 images.', 'Note.', 'More.'], ['Small reference', 'Note.', null, false])).toEqual(['More.']);
	});
	it('says what cannot be seen', () => {
		expect(smallestSeen(drift([feature('a', { critical_d: 0.4 }), feature('b', { critical_d: 0.8, may_alarm: false })]))).toBe(0.4);
		expect(smallestSeen(drift([feature('a', { critical_d: 0.02 })]))).toBe(0.1);
		expect(smallestSeen(drift([feature('a', { critical_d: 0.2 }), feature('b', { critical_d: null })]))).toBe(0.2);
		expect(smallestSeen(drift([]))).toBeNull();
	});
});

describe('outliers', () => {
	const point = (at: string | number, score: number): OutlierPoint => ({ predicted_asset_id: `p${score}`, at, score, rank: 0.5 });
	const outliers = (fields: Partial<Outliers['counts']>): Outliers => ({ limit: 1, rank: 0.01, points: [], worst: [], counts: { images: 200, outliers: 10, share: 0.05, low: 0.03, high: 0.09, ...fields }, reference: null, missing: [] });
	it('are points in the order of time, of either kind of time', () => {
		const points = [point('2026-01-01T00:00:02Z', 2), { ...point(1767225601, 3), rank: 0.004 }];
		expect(dots({ ...outliers({}), points })).toEqual([{ at: 1767225601, score: 3, outlier: true, id: 'p3' }, { at: 1767225602, score: 2, outlier: false, id: 'p2' }]);
	});
	it('have an axis on which each step doubles, with the limit on it', () => {
		expect([height(0), height(1), height(3)]).toEqual([0, 1, 2]);
		expect(scoreTicks(1.7, 0.1)).toEqual([0, 0.5, 1]);
		expect(scoreTicks(80, 0.08)).toEqual([0, 1, 2, 5, 10, 20, 50]);
	});
	it('are none while Training Data is too small to rank among', () => {
		expect(outlierSentence({ ...outliers({ outliers: 0, share: 0, low: 0, high: 0.02 }), points: [point(1, 5)] })).toContain('too few images');
	});
	it('are more, fewer, or as many as expected', () => {
		expect(outlierSentence(outliers({}))).toBe('5\u00a0% (3\u00a0% to 9\u00a0%) of 200 images are unusual to the model. More than expected when nothing changed: 1\u00a0%.');
		expect(outlierSentence(outliers({ share: 0.01, low: 0.002, high: 0.03 }))).toContain('As expected');
		expect(outlierSentence(outliers({ share: 0.001, low: 0, high: 0.005 }))).toContain('Fewer than');
		expect(outlierSentence(outliers({ images: 0, share: null }))).toBe('No image yet to score.');
		expect([percent(null), percent(0.0004), percent(0.0123), percent(0.234)]).toEqual(['–', 'below 0.1\u00a0%', '1.2\u00a0%', '23\u00a0%']);
		expect([rankWords(0.004), rankWords(null)]).toEqual(['more unusual than 99.6 % of Training Data', '']);
	});
});
