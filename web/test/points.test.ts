// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { LatencyPoint } from '../src/api/types';
import { mean, percentile } from '../src/lib/percentile';
import { advance, ceiling, EMPTY, fromSeries, nearest } from '../src/lib/points';
import { tickLabel } from '../src/lib/ticks';
import { sparkPath } from '../src/lib/spark';

const point = (at: number, latency = 0.02): LatencyPoint => [at, latency, `asset ${at}`];

describe('percentiles', () => {
	it('are values that occurred, by nearest rank', () => {
		// The textbook's example: 15 20 35 40 50.
		const values = [15, 20, 35, 40, 50];
		expect([0.05, 0.3, 0.4, 0.5, 1].map((p) => percentile(values, p))).toEqual([15, 20, 20, 35, 50]);
		expect(percentile([], 0.5)).toBeNull();
		expect(percentile([7], 0)).toBe(7);
		// 0.9 * 10 is 9.000000000000002 in places: still the ninth.
		expect(percentile(Array.from({ length: 10 }, (_, i) => i + 1), 0.9)).toBe(9);
		expect(percentile(Array.from({ length: 100 }, (_, i) => i + 1), 0.99)).toBe(99);
	});

	it('mean of nothing is nothing', () => {
		expect(mean([])).toBeNull();
		expect(mean([1, 2, 6])).toBe(3);
	});
});

describe('points', () => {
	it('take in new ones once, drop old ones, and keep the numbers right', () => {
		const start = fromSeries({ points: [point(10, 0.1), point(20, 0.2)], count: 2, mean_s: 0.15, p50_s: 0.1, p90_s: 0.2, p99_s: 0.2, sampled: false, shadow_points: [] });
		const next = advance(start, [point(20, 0.2), point(30, 0.6)], 15);
		expect(next.points.map((p) => p[0])).toEqual([20, 30]);
		expect(next.count).toBe(2);
		expect(next.mean).toBeCloseTo(0.4);
		expect(next.p50).toBe(0.2);
		expect(next.p99).toBe(0.6);
	});

	it('sort what came out of order and ignore what is too old', () => {
		expect(advance(EMPTY, [point(30), point(20), point(1)], 10).points.map((p) => p[0])).toEqual([20, 30]);
	});

	it('are the same object when nothing changed', () => {
		const state = advance(EMPTY, [point(30)], 10);
		expect(advance(state, [], 10)).toBe(state);
	});

	it('leave a sample’s numbers to the server', () => {
		const start = fromSeries({ points: [point(10, 0.1)], count: 5000, mean_s: 0.3, p50_s: 0.3, p90_s: 0.4, p99_s: 0.5, sampled: true, shadow_points: [] });
		const next = advance(start, [point(11, 9)], 0);
		expect(next.count).toBe(5001);
		expect(next.p99).toBe(0.5);
		expect(next.sampled).toBe(true);
	});

	it('find the one under the pointer, in pixels', () => {
		const points = [point(100, 0.02), point(101, 0.5), point(140, 0.02)];
		const scale = { xPixels: 2, yPixels: 200, top: 1 };
		expect(nearest(points, 100.5, 0.03, scale, 16)).toBe(0);
		expect(nearest(points, 100.5, 0.49, scale, 16)).toBe(1);
		expect(nearest(points, 120, 0.02, scale, 16)).toBe(-1);
		expect(nearest([], 0, 0, scale, 16)).toBe(-1);
		// Drawn at the edge, found at the edge.
		expect(nearest([point(100, 7)], 100, 1, scale, 16)).toBe(0);
	});

	it('put a few far ones at the edge, so that the rest can be seen', () => {
		const many = Array.from({ length: 200 }, (_, i) => point(i, 0.02));
		const flat = advance(EMPTY, many, 0);
		expect(ceiling(flat)).toEqual({ top: 0.02 * 1.08, above: 0 });
		const far = advance(EMPTY, [...many, point(300, 10)], 0);
		expect(ceiling(far)).toEqual({ top: 0.05, above: 1 });
		expect(ceiling(EMPTY).top).toBeGreaterThan(0);
	});

	it('let a slower shadow raise the edge, so that one sees how much slower it is; up to six times', () => {
		const many = advance(EMPTY, Array.from({ length: 50 }, (_, i) => point(i, 0.02)), 0);
		expect(ceiling({ ...many, shadows: [point(1, 0.05)] }).top).toBeCloseTo(0.06);
		expect(ceiling({ ...many, shadows: [point(1, 9)] }).top).toBeCloseTo(0.02 * 1.08 * 6);
		expect(ceiling({ ...many, shadows: [point(1, 0.01)] }).top).toBe(0.02 * 1.08);
	});

	it('keep their shadows while new ones come in', () => {
		const start = fromSeries({ points: [], count: 0, mean_s: null, p50_s: null, p90_s: null, p99_s: null, sampled: false, shadow_points: [point(5)] });
		expect(advance(start, [point(6)], 0).shadows).toEqual([point(5)]);
	});
});

describe('axis and sparkline', () => {
	it('says the date where a day begins', () => {
		const midnight = new Date(2026, 2, 9).getTime() / 1000;
		expect(tickLabel(midnight, 3600)).toBe('9 Mar');
		expect(tickLabel(midnight + 3600 * 13.5, 1800)).toBe('13:30');
		expect(tickLabel(midnight + 61, 1)).toBe('00:01:01');
		expect(tickLabel(midnight + 3600, 86400)).toBe('9 Mar');
	});

	it('begins at nought and stays inside', () => {
		const { line, end } = sparkPath([0, 10, 5], 100, 20);
		expect(line).toBe('M2 18L49.5 2L97 10');
		expect(end).toEqual([97, 10]);
		expect(sparkPath([0, 0], 100, 20).line).toBe('M2 18L97 18');
	});
});
