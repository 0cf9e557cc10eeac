// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { axis, axisBetween, bars, brokenLine, densest, heatColour, heatPixels, quantile, timeTicks, total } from '../src/lib/plot';

describe('axes', () => {
	it('end at or above the most, at round numbers', () => {
		expect(axis(37)).toEqual([0, 10, 20, 30, 40]);
		expect(axis(1)).toEqual([0, 0.25, 0.5, 0.75, 1]);
		expect(axis(0.3)).toEqual([0, 0.1, 0.2, 0.3]);
		expect(axis(0)).toEqual([0, 1]);
		for (const most of [1e-7, 0.07, 3, 99, 101, 12_345, 9e9]) {
			const ticks = axis(most);
			expect(ticks.at(-1)).toBeGreaterThanOrEqual(most * (1 - 1e-9));
			expect(ticks.length).toBeLessThanOrEqual(6);
		}
	});

	it('need not begin at nought', () => {
		expect(axisBetween(102, 118)).toEqual([100, 105, 110, 115, 120]);
		const flat = axisBetween(5, 5);
		expect(flat[0]).toBeLessThanOrEqual(5);
		expect(flat.at(-1)).toBeGreaterThan(5);
	});

	it('mark full hours and days', () => {
		const day = timeTicks(1_700_000_000, 1_700_000_000 + 86400, 8);
		expect(day.length).toBeGreaterThan(4);
		expect(day.length).toBeLessThanOrEqual(9);
		expect(new Set(day.map(({ at }) => new Date(at * 1000).getMinutes()))).toEqual(new Set([0]));
		expect(timeTicks(1_600_000_000, 1_700_000_000, 8).length).toBeLessThanOrEqual(9);
	});
});

describe('lines', () => {
	it('break where nothing is known, and a value alone is still seen', () => {
		expect(brokenLine([[0, 1], [10, 2], null, [30, 4], null])).toBe('M0 1L10 2M28 4h4');
		expect(brokenLine([null, null])).toBe('');
	});
});

describe('histograms', () => {
	const histogram = { edges: [0, 1, 2, 3, 4, 5, 6], counts: [0, 0, 3, 1, 0, 0] };

	it('leave out empty ends, but for one bin of air', () => {
		const made = bars(histogram);
		expect(made.map((b) => [b.from, b.to, b.count])).toEqual([[1, 2, 0], [2, 3, 3], [3, 4, 1], [4, 5, 0]]);
		expect(made.map((b) => b.height)).toEqual([0, 1, 1 / 3, 0]);
		expect(made[1]?.share).toBe(0.75);
		expect(bars({ edges: [0, 1], counts: [0] })).toEqual([]);
	});

	it('join neighbours until few enough are left, and lose none', () => {
		const counts = Array.from({ length: 200 }, (_, i) => i % 7 + 1);
		const made = bars({ edges: Array.from({ length: 201 }, (_, i) => i), counts }, 48);
		expect(made.length).toBeLessThanOrEqual(48);
		expect(made.reduce((sum, b) => sum + b.count, 0)).toBe(counts.reduce((a, b) => a + b, 0));
		expect(made.at(-1)?.to).toBe(200);
	});

	it('have quantiles, as those of the values in them', () => {
		expect(quantile(histogram, 0.5)).toBeCloseTo(2 + 2 / 3);
		expect(quantile(histogram, 1)).toBe(4);
		expect(quantile({ edges: [0, 1], counts: [0] }, 0.5)).toBeNull();
		const values = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000 / 10);
		const counts = new Array<number>(100).fill(0);
		for (const value of values) counts[Math.floor(value)]! += 1;
		const sorted = [...values].sort((a, b) => a - b);
		for (const share of [0.1, 0.5, 0.9]) expect(Math.abs((quantile({ edges: Array.from({ length: 101 }, (_, i) => i), counts }, share) ?? 0) - sorted[share * 1000]!)).toBeLessThan(1);
		expect(total(null)).toBe(0);
		expect(total(histogram)).toBe(4);
	});
});

describe('heat maps', () => {
	it('grow lighter with what is there, and one is told from none', () => {
		const light = (share: number): number => heatColour(share).reduce((a, b) => a + b, 0);
		for (let share = 0; share < 1; share += 0.05) expect(light(share + 0.05)).toBeGreaterThan(light(share));
		const pixels = heatPixels([0, 1, 100]);
		expect(pixels[4]! + pixels[5]! + pixels[6]!).toBeGreaterThan(pixels[0]! + pixels[1]! + pixels[2]! + 20);
		expect(pixels[3]).toBe(255);
		expect(heatPixels([0, 0]).length).toBe(8);
	});

	it('say where most is', () => {
		const cells = new Array<number>(64 * 64).fill(0);
		cells[5 * 64 + 60] = 3;
		cells[40 * 64 + 30] = 1;
		expect(densest(cells, 64)).toEqual({ where: 'top right', share: 0.75 });
		expect(densest(new Array<number>(16).fill(0), 4)).toBeNull();
	});
});
