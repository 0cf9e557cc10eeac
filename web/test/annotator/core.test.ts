// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { area, bounds, distanceToSegment, moved, overlap, touches } from '../../src/annotator/geometry';
import { commandOf, helpOf, KEYS, keyName, keyText } from '../../src/annotator/keys';
import { levelFor } from '../../src/annotator/picture';
import type { Geometry } from '../../src/annotator/types';
import { fitted, panned, toImage, toScreen, zoomed } from '../../src/annotator/view';
import { geometryOf, marksOf, sameShapes, wire } from '../../src/annotator/wire';

const ring = { type: 'polygon', rings: [[[0, 0], [10, 0], [10, 10], [0, 10]], [[4, 4], [6, 4], [6, 6], [4, 6]]] } satisfies Geometry;

describe('geometry', () => {
	it('a hole is outside, its edge within reach is not', () => {
		expect(touches(ring, [2, 2], 0)).toBe(true);
		expect(touches(ring, [5, 5], 0)).toBe(false);
		expect(touches(ring, [5, 4.5], 1)).toBe(true);
		expect(touches(ring, [12, 5], 1)).toBe(false);
	});

	it('bounds, areas, overlaps', () => {
		expect(bounds(ring)).toEqual({ x: 0, y: 0, w: 10, h: 10 });
		expect(bounds({ type: 'classification' })).toBeNull();
		expect(area({ type: 'polygon', rings: [[[0, 0], [4, 0], [0, 3]]] })).toBe(6);
		expect(overlap({ type: 'rectangle', x: 0, y: 0, w: 2, h: 2 }, { type: 'rectangle', x: 1, y: 0, w: 2, h: 2 })).toBeCloseTo(1 / 3);
		expect(distanceToSegment([5, 3], [0, 0], [10, 0])).toBe(3);
		expect(distanceToSegment([13, 4], [0, 0], [10, 0])).toBe(5);
	});

	it('what sticks out of the picture may come in, not go farther out', () => {
		const out: Geometry = { type: 'rectangle', x: -5, y: 0, w: 20, h: 10 };
		expect(moved(out, -3, 0, { width: 100, height: 50 })).toEqual(out);
		expect(moved(out, 3, 0, { width: 100, height: 50 })).toEqual({ ...out, x: -2 });
	});
});

describe('the view', () => {
	const picture = { width: 4000, height: 3000 };
	const stage = { width: 800, height: 600 };

	it('fits the whole picture in the middle', () => {
		const v = fitted(picture, stage);
		expect(v.scale).toBeCloseTo(576 / 3000);
		expect(toScreen(v, [2000, 1500])).toEqual([400, 300]);
		expect(fitted({ width: 28, height: 28 }, stage).scale).toBe(8);
	});

	it('zooms at the pointer, within limits, and there and back is where it was', () => {
		const v = fitted(picture, stage);
		const near = zoomed(v, 3, [300, 200], picture, stage);
		expect(toImage(near, [300, 200]).map(Math.round)).toEqual(toImage(v, [300, 200]).map(Math.round));
		let far = v;
		for (let i = 0; i < 50; i++) far = zoomed(far, 0.5, [300, 200], picture, stage);
		expect(far.scale).toBeCloseTo(v.scale / 2);
		for (let i = 0; i < 50; i++) far = zoomed(far, 2, [300, 200], picture, stage);
		expect(far.scale).toBe(40);
	});

	it('cannot lose the picture', () => {
		const v = panned(fitted(picture, stage), 1e6, -1e6, picture, stage);
		expect(v.x).toBe(740);
		expect(v.y + 3000 * v.scale).toBeCloseTo(60);
	});

	it('draws from the smallest copy that has a pixel for each of the screen’s', () => {
		const level = (width: number): ImageBitmap => ({ width, height: width * 0.75, close: () => undefined });
		const levels = [level(4000), level(2000), level(1000)];
		const from = (scale: number): number | undefined => levelFor({ size: picture, levels }, scale)?.width;
		expect([from(0.2), from(0.3), from(0.6), from(3)]).toEqual([1000, 2000, 4000, 4000]);
	});
});

describe('shapes as they are stored', () => {
	it('come back as they went', () => {
		const stored = [
			{ type: 'rectangle', x: 1.25, y: 2, w: 3, h: 4, label: 'RBC' }, { type: 'polygon', polygon: [[0, 0], [4, 0], [4, 4]] as [number, number][], label: 'β' },
			{ type: 'polygon', rings: ring.rings.map((r) => r.map(([x, y]): [number, number] => [x ?? 0, y ?? 0])), label: 'x' }, { type: 'classification', label: 'cat' },
		];
		expect(wire(marksOf(stored, 1))).toEqual(stored);
	});

	it('what cannot be drawn is left out', () => {
		expect(geometryOf({ type: 'line', label: 'x' })).toBeNull();
		expect(geometryOf({ type: 'polygon', polygon: [[0, 0], [1, 1]], label: 'x' })).toBeNull();
	});

	it('are the same in another order, and not with another label', () => {
		const [a, b] = wire(marksOf([{ type: 'rectangle', x: 1, y: 2, w: 3, h: 4, label: 'a' }, { type: 'classification', label: 'b' }], 1));
		if (!a || !b) throw new Error('two');
		expect(sameShapes([a, b], [b, a])).toBe(true);
		expect(sameShapes([a, b], [a, { ...b, label: 'c' }])).toBe(false);
		expect(sameShapes([a, a], [a, b])).toBe(false);
	});
});

describe('keys', () => {
	const key = (name: string, more: Partial<KeyboardEvent> = {}) => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });

	it('are named once each', () => {
		const names = KEYS.flatMap((line) => line.keys);
		expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
	});

	it('mean the same with capitals locked, and Shift counts where it is no other sign', () => {
		expect(keyName(key('B'))).toBe('b');
		expect(commandOf(key('Z', { shiftKey: true, ctrlKey: true }))).toEqual({ on: 'shapes', do: 'redo' });
		expect(commandOf(key('z', { metaKey: true }))).toEqual({ on: 'shapes', do: 'undo' });
		expect(commandOf(key('?', { shiftKey: true }))).toEqual({ on: 'page', do: 'help' });
		expect(commandOf(key(' '))).toEqual({ on: 'page', do: 'accept' });
		expect(commandOf(key('ArrowUp', { shiftKey: true }))).toEqual({ on: 'nudge', dx: 0, dy: -10 });
		expect(commandOf(key('0'))).toEqual({ on: 'label', index: 9 });
		expect(commandOf(key('r', { ctrlKey: true }))).toBeUndefined();
	});

	it('are explained, each group with each of its keys', () => {
		const all = (['Picture', 'Tools', 'Shapes', 'View'] as const).flatMap(helpOf);
		expect(all.every((line) => line.text.length >= 3)).toBe(true);
		expect(all.flatMap((line) => line.keys)).toHaveLength(KEYS.flatMap((line) => line.keys).length);
		expect([keyText('Ctrl+Shift+z'), keyText('+'), keyText('ArrowLeft'), keyText('Space')]).toEqual(['Ctrl Shift Z', '+', '←', 'Space']);
	});
});
