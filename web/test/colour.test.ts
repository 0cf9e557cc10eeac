// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { contrast, LABEL_TEXT, labelColour, luminance } from '../src/lib/colour';

describe('contrast', () => {
	it('is what WCAG says', () => {
		expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
		expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.478, 3);
		expect(luminance('#ff0000')).toBeCloseTo(0.2126, 4);
	});
});

describe('label colours', () => {
	const all = Array.from({ length: 1000 }, (_, i) => labelColour(i));

	it('are colours, and text on each can be read', () => {
		for (const colour of all) {
			expect(colour).toMatch(/^#[0-9a-f]{6}$/);
			expect(contrast(colour, LABEL_TEXT)).toBeGreaterThan(4.5);
		}
	});

	it('depend on the index alone, and neighbours differ', () => {
		expect(labelColour(7)).toBe(labelColour(7));
		expect(labelColour(-1)).toBe(labelColour(0));
		const apart = (a: string, b: string): number => [1, 3, 5].reduce(
			(sum, at) => sum + Math.abs(parseInt(a.slice(at, at + 2), 16) - parseInt(b.slice(at, at + 2), 16)), 0);
		for (let i = 1; i < 200; i++) expect(apart(all[i - 1] ?? '', all[i] ?? '')).toBeGreaterThan(60);
		expect(new Set(all.slice(0, 80)).size).toBe(80);
	});
});
