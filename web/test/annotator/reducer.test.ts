// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { reduce, type Action } from '../../src/annotator/reducer';
import { begin, visibleGhosts, type ModeName, type State } from '../../src/annotator/state';
import type { Geometry, Ghost, Mark, Point } from '../../src/annotator/types';

const REACH = 4;
const box = (x: number, y: number, w: number, h: number): Geometry => ({ type: 'rectangle', x, y, w, h });
const mark = (id: number, geometry: Geometry, label = 'cell'): Mark => ({ id, label, geometry, score: 0.5 });
const ghost = (id: number, geometry: Geometry, score: number, origin: 'champion' | 'shadow' = 'champion'): Ghost => ({ id, label: 'cell', geometry, score, origin });

const start = (over: Partial<State> = {}): State => begin({ picture: { width: 200, height: 100 }, label: 'cell', ...over });
const run = (s: State, ...actions: Action[]): State => actions.reduce(reduce, s);
const press = (x: number, y: number): Action => ({ do: 'press', at: [x, y], reach: REACH });
const drag = (x: number, y: number): Action => ({ do: 'drag', at: [x, y], reach: REACH });
const release = (x: number, y: number): Action => ({ do: 'release', at: [x, y], reach: REACH });
const stroke = (from: Point, to: Point): Action[] => [press(...from), drag((from[0] + to[0]) / 2, (from[1] + to[1]) / 2), drag(...to), release(...to)];
const click = (x: number, y: number): Action[] => [press(x, y), release(x, y)];
const mode = (name: ModeName): Action => ({ do: 'mode', mode: name });
const geometries = (s: State): Geometry[] => s.marks.map((m) => m.geometry);

describe('drawing boxes', () => {
	it('makes what lies between the corners, on whole pixels, with the last label', () => {
		const s = run(start(), mode('box'), { do: 'label', label: 'RBC' }, ...stroke([10.4, 20.6], [50.2, 39.8]));
		expect(s.marks).toEqual([{ id: 1, label: 'RBC', geometry: box(10, 21, 40, 19), score: null }]);
		expect(s.selected).toBe(1);
		expect(run(s, ...stroke([60, 60], [90, 80])).marks[1]?.label).toBe('RBC');
	});

	it('works from any corner and stops at the edge of the picture', () => {
		expect(geometries(run(start(), mode('box'), ...stroke([50, 40], [10, 20])))).toEqual([box(10, 20, 40, 20)]);
		expect(geometries(run(start(), mode('box'), ...stroke([150, 50], [400, -30])))).toEqual([box(150, 0, 50, 50)]);
	});

	it('takes a trembling hand for a click, which chooses what is there', () => {
		const s = start({ marks: [mark(1, box(10, 10, 30, 30))], mode: 'box' });
		const clicked = run(s, press(20, 20), drag(21, 20), release(21, 20));
		expect(clicked.marks).toHaveLength(1);
		expect(clicked.selected).toBe(1);
		expect(run(clicked, ...click(150, 90)).selected).toBeNull();
	});

	it('draws over others, but the edges of the chosen one can be pulled', () => {
		const s = start({ marks: [mark(1, box(10, 10, 60, 60))], mode: 'box' });
		expect(run(s, ...stroke([20, 20], [40, 40])).marks).toHaveLength(2);
		const pulled = run(s, ...click(30, 30), ...stroke([70, 40], [90, 40]));
		expect(geometries(pulled)).toEqual([box(10, 10, 80, 60)]);
	});

	it('is forgotten by Escape, and undo means the gesture first', () => {
		const s = run(start(), mode('box'), press(10, 10), drag(50, 50));
		expect(run(s, { do: 'cancel' }, release(50, 50)).marks).toEqual([]);
		expect(run(s, { do: 'undo' }).gesture).toBeNull();
	});
});

describe('moving and pulling', () => {
	const s = start({ marks: [mark(1, box(10.5, 10.25, 30, 20))] });

	it('moves by whole pixels and keeps the size', () => {
		expect(geometries(run(s, ...stroke([20, 20], [33, 24])))).toEqual([box(23.5, 14.25, 30, 20)]);
	});

	it('does not move out of the picture', () => {
		expect(geometries(run(s, ...stroke([20, 20], [900, 900])))).toEqual([box(170, 80, 30, 20)]);
		expect(geometries(run(s, ...stroke([20, 20], [-900, 20])))).toEqual([box(0, 10.25, 30, 20)]);
	});

	it('a click alone moves nothing and leaves no past', () => {
		const clicked = run(s, ...click(20, 20));
		expect(clicked.selected).toBe(1);
		expect(clicked.past).toEqual([]);
	});

	it.each([
		['left edge', [10.5, 20], [4, 20], box(4, 10.25, 36.5, 20)],
		['bottom right corner', [40.5, 30.25], [60, 50], box(10.5, 10.25, 49.5, 39.75)],
		['top edge past the bottom one: it turns over', [25, 10.25], [25, 50], box(10.5, 30.25, 30, 19.75)],
	] as [string, Point, Point, Geometry][])('pulls the %s', (_, from, to, want) => {
		expect(geometries(run(s, ...click(25, 20), ...stroke(from, to)))).toEqual([want]);
	});

	it('a box smaller than the reach can still be moved by its middle', () => {
		const small = start({ marks: [mark(1, box(50, 50, 6, 6))] });
		expect(geometries(run(small, ...click(53, 53), ...stroke([53, 53], [63, 53])))).toEqual([box(60, 50, 6, 6)]);
	});

	it('arrows nudge; a streak of them is one step back', () => {
		const right: Action = { do: 'nudge', dx: 1, dy: 0 };
		const nudged = run(s, ...click(20, 20), right, right, { do: 'nudge', dx: 0, dy: 10 });
		expect(geometries(nudged)).toEqual([box(12.5, 20.25, 30, 20)]);
		expect(geometries(run(nudged, { do: 'undo' }))).toEqual([box(10.5, 10.25, 30, 20)]);
		expect(run(nudged, { do: 'select', id: null }, { do: 'select', id: 1 }, right).past).toHaveLength(2);
		expect(geometries(run(s, ...click(20, 20), { do: 'grow', dx: 5, dy: -3 }))).toEqual([box(10.5, 10.25, 35, 17)]);
	});

	it('at the edge a nudge changes nothing and leaves no past', () => {
		const edge = start({ marks: [mark(1, box(0, 0, 10, 10))], selected: 1 });
		expect(run(edge, { do: 'nudge', dx: -1, dy: 0 })).toBe(edge);
	});
});

describe('polygons', () => {
	const points: Action[] = [press(10, 10), release(10, 10), ...click(50, 10), ...click(50, 40)];

	it('are closed by Enter, or by a click on the first point', () => {
		const want = { type: 'polygon', rings: [[[10, 10], [50, 10], [50, 40]]] };
		expect(geometries(run(start(), mode('polygon'), ...points, { do: 'finish' }))).toEqual([want]);
		expect(geometries(run(start(), mode('polygon'), ...points, ...click(12, 11)))).toEqual([want]);
	});

	it('need three points off one line', () => {
		const two = run(start(), mode('polygon'), ...click(10, 10), ...click(50, 10));
		expect(run(two, { do: 'finish' }).marks).toEqual([]);
		expect(run(two, ...click(90, 10), { do: 'finish' }).marks).toEqual([]);
	});

	it('take their last point back, one at a time', () => {
		const s = run(start(), mode('polygon'), ...points, { do: 'delete' });
		expect(s.gesture).toEqual({ kind: 'polygon', points: [[10, 10], [50, 10]] });
		expect(run(s, { do: 'undo' }, { do: 'undo' }).gesture).toBeNull();
	});

	const triangle = start({ marks: [mark(1, { type: 'polygon', rings: [[[20, 20], [80, 20], [80, 80]]] })], selected: 1 });

	it('vertices are pulled, edges grow one, and a right click takes one away', () => {
		const pulled = run(triangle, ...stroke([80, 80], [90, 70]));
		expect(geometries(pulled)).toEqual([{ type: 'polygon', rings: [[[20, 20], [80, 20], [90, 70]]] }]);
		const four = run(triangle, ...stroke([50, 20], [50, 10]));
		expect(geometries(four)).toEqual([{ type: 'polygon', rings: [[[20, 20], [50, 10], [80, 20], [80, 80]]] }]);
		const three = run(four, { do: 'deleteVertex', at: [50, 10], reach: REACH });
		expect(geometries(three)).toEqual(geometries(triangle));
		expect(run(three, { do: 'deleteVertex', at: [20, 20], reach: REACH })).toBe(three);
	});

	it('are hit inside, not in their bounds', () => {
		expect(run({ ...triangle, selected: null }, ...click(70, 40)).selected).toBe(1);
		expect(run({ ...triangle, selected: null }, ...click(30, 70)).selected).toBeNull();
	});
});

describe('labels and classes', () => {
	it('rename what is chosen and stay for what comes next', () => {
		const s = run(start({ marks: [mark(1, box(10, 10, 20, 20)), mark(2, box(50, 10, 20, 20))] }), ...click(20, 20), { do: 'label', label: 'WBC' });
		expect(s.marks.map((m) => m.label)).toEqual(['WBC', 'cell']);
		expect(s.label).toBe('WBC');
		expect(run(s, { do: 'label', label: 'WBC' }).past).toHaveLength(1);
	});

	it('a class replaces the class; the same again changes nothing, X takes it away', () => {
		const s = run(start({ mode: 'class' }), { do: 'label', label: 'cat' }, { do: 'label', label: 'dog' });
		expect(s.marks.map((m) => [m.label, m.geometry.type])).toEqual([['dog', 'classification']]);
		expect(run(s, { do: 'classify', label: 'dog' }).past).toHaveLength(2);
		expect(run(s, { do: 'delete' }).marks).toEqual([]);
		expect(run(s, { do: 'undo' }).marks.map((m) => m.label)).toEqual(['cat']);
	});
});

describe('ghosts', () => {
	const s = start({ marks: [mark(1, box(0, 0, 60, 60))], ghosts: [ghost(2, box(100, 20, 20, 20), 0.06), ghost(3, box(140, 20, 20, 20), 0.02), ghost(4, box(10, 70, 20, 20), 0.6, 'shadow')], from: 0.05 });

	it('become real by one click, keep score and id, and come back by undo', () => {
		const real = run(s, ...click(110, 30));
		expect(real.marks[1]).toEqual({ id: 2, label: 'cell', geometry: box(100, 20, 20, 20), score: 0.06 });
		expect(visibleGhosts(real)).toEqual([]);
		expect(visibleGhosts(run(real, { do: 'undo' })).map((g) => g.id)).toEqual([2]);
		expect(visibleGhosts(run(real, { do: 'delete', id: 2 })).map((g) => g.id)).toEqual([2]);
	});

	it('in the box mode too, and by Enter or a label when chosen', () => {
		expect(run(s, mode('box'), ...click(110, 30)).marks).toHaveLength(2);
		expect(run(s, { do: 'select', id: 2 }, { do: 'finish' }).marks).toHaveLength(2);
		expect(run(s, { do: 'select', id: 2 }, { do: 'label', label: 'WBC' }).marks[1]?.label).toBe('WBC');
	});

	it('below the slider or of the other version are neither shown nor hit', () => {
		expect(run(s, ...click(150, 30)).marks).toHaveLength(1);
		expect(run(s, { do: 'look', from: 0.01 }, ...click(150, 30)).marks).toHaveLength(2);
		expect(run(s, ...click(20, 80)).marks).toHaveLength(1);
		expect(run(s, { do: 'look', whose: 'both' }, ...click(20, 80)).marks).toHaveLength(2);
		expect(visibleGhosts(run(s, { do: 'look', whose: 'shadow' })).map((g) => g.id)).toEqual([4]);
	});

	it('another name for the same thing is not hit by mistake; a part of it is', () => {
		const twin = start({ marks: [mark(1, box(10, 10, 40, 40))], ghosts: [ghost(2, box(11, 11, 38, 38), 0.3), ghost(3, box(25, 25, 8, 8), 0.3)] });
		expect(run(twin, ...click(15, 15)).marks).toHaveLength(1);
		expect(run(twin, ...click(29, 29)).marks).toHaveLength(2);
	});
});

describe('choosing', () => {
	const nested = start({ marks: [mark(1, box(0, 0, 90, 90)), mark(2, box(10, 10, 40, 40)), mark(3, box(12, 12, 40, 42))] });

	it('finds the smallest under the pointer, and Tab goes on to the others', () => {
		let s = run(nested, ...click(20, 20));
		expect(s.selected).toBe(2);
		const seen = [];
		for (let i = 0; i < 3; i++) {
			s = run(s, { do: 'hover', at: [20, 20] }, { do: 'cycle', step: 1, reach: REACH });
			seen.push(s.selected);
		}
		expect(seen).toEqual([3, 1, 2]);
	});

	it('what Tab brought up can be dragged although others lie over it', () => {
		const s = run(nested, { do: 'hover', at: [20, 20] }, { do: 'select', id: 1 }, ...stroke([30, 30], [35, 30]));
		expect(geometries(s)[0]).toEqual(box(5, 0, 90, 90));
	});

	it('away from all shapes Tab goes through all of them', () => {
		const s = run(nested, { do: 'hover', at: null }, { do: 'cycle', step: -1, reach: REACH });
		expect(s.selected).toBe(3);
		expect(run(start(), { do: 'cycle', step: 1, reach: REACH }).selected).toBeNull();
	});
});

describe('the rest', () => {
	it('duplicates beside, and where there is no room on the other side', () => {
		expect(geometries(run(start({ marks: [mark(1, box(10, 10, 20, 20))], selected: 1 }), { do: 'duplicate' }))[1]).toEqual(box(14, 14, 20, 20));
		expect(geometries(run(start({ marks: [mark(1, box(180, 80, 20, 20))], selected: 1 }), { do: 'duplicate' }))[1]).toEqual(box(176, 76, 20, 20));
	});

	it('copies what is not there yet', () => {
		const s = run(start({ marks: [mark(1, box(10, 10, 20, 20))] }), { do: 'paste', marks: [mark(9, box(10, 10, 20, 20)), mark(10, box(50, 50, 10, 10), 'WBC')] });
		expect(s.marks.map((m) => [m.id, m.label])).toEqual([[1, 'cell'], [2, 'WBC']]);
		expect(run(s, { do: 'paste', marks: s.marks })).toBe(s);
	});

	it('redo does again what undo took back, until something else is done', () => {
		const s = run(start({ marks: [mark(1, box(10, 10, 20, 20))], selected: 1 }), { do: 'delete' });
		const back = run(s, { do: 'undo' });
		expect(back.selected).toBe(1);
		expect(run(back, { do: 'redo' }).marks).toEqual([]);
		expect(run(back, { do: 'nudge', dx: 1, dy: 0 }, { do: 'redo' }).marks).toHaveLength(1);
		expect(run(start(), { do: 'undo' }, { do: 'redo' }).marks).toEqual([]);
	});
});

/** mulberry32 */
function random(seed: number): () => number {
	let a = seed;
	return () => {
		a = (a + 0x6d2b79f5) | 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

describe('any sequence of actions', () => {
	const MODES: ModeName[] = ['select', 'box', 'polygon'];
	const make = (next: () => number): Action => {
		const at: Point = [next() * 240 - 20, next() * 140 - 20];
		const n = Math.floor(next() * 20);
		const step = next() < 0.5 ? 1 : -1;
		switch (Math.floor(next() * 19)) {
			case 0: case 1: case 2: return { do: 'press', at, reach: REACH };
			case 3: case 4: case 5: return { do: 'drag', at, reach: REACH };
			case 6: case 7: return { do: 'release', at, reach: REACH };
			case 8: return { do: 'mode', mode: MODES[n % 3] ?? 'box' };
			case 9: return { do: 'label', label: `l${n % 4}` };
			case 10: return { do: 'delete' };
			case 11: return { do: n % 2 ? 'nudge' : 'grow', dx: step * n, dy: step };
			case 12: return { do: 'duplicate' };
			case 13: return { do: 'finish' };
			case 14: return { do: 'cycle', step, reach: REACH };
			case 15: return { do: n % 3 ? 'undo' : 'redo' };
			case 16: return { do: 'deleteVertex', at, reach: REACH };
			case 17: return { do: 'paste', marks: [mark(0, box(at[0], at[1], 5, 5))] };
			default: return n % 4 === 0 ? { do: 'replace', marks: [] } : { do: 'cancel' };
		}
	};
	const begun = (): State => start({
		marks: [mark(1, box(10, 10, 40, 30)), mark(2, { type: 'polygon', rings: [[[100, 20], [150, 20], [150, 60], [100, 60]]] })],
		ghosts: [ghost(3, box(60, 60, 20, 20), 0.3)],
	});

	it('undone completely gives the start, and done again the end', () => {
		for (let seed = 1; seed <= 200; seed++) {
			const next = random(seed);
			let s = begun();
			for (let i = 0; i < 120; i++) s = reduce(s, make(next));
			s = reduce(reduce(s, { do: 'cancel' }), { do: 'mode', mode: 'select' });
			s = { ...s, gesture: null };
			const end = s;
			while (s.past.length > 0) s = reduce(s, { do: 'undo' });
			expect(s.marks, `seed ${seed}`).toEqual(begun().marks);
			const redos = end.past.length + end.future.length;
			for (let i = 0; i < end.past.length; i++) s = reduce(s, { do: 'redo' });
			expect(s.marks, `seed ${seed}`).toEqual(end.marks);
			expect(s.past.length + s.future.length).toBe(redos);
		}
	});

	it('keeps ids apart, drawn shapes inside of the picture, and every number a number', () => {
		for (let seed = 1; seed <= 200; seed++) {
			const next = random(seed * 7919);
			let s = begun();
			for (let i = 0; i < 120; i++) {
				s = reduce(s, make(next));
				expect(new Set(s.marks.map((m) => m.id)).size).toBe(s.marks.length);
			}
			for (const { geometry } of s.marks) {
				if (geometry.type === 'rectangle') {
					expect(Object.values(geometry).slice(1).every(Number.isFinite)).toBe(true);
					expect(geometry.w > 0 && geometry.h > 0).toBe(true);
				} else if (geometry.type === 'polygon') {
					for (const [x, y] of geometry.rings.flat()) expect(x >= 0 && x <= 200 && y >= 0 && y <= 100).toBe(true);
				}
			}
		}
	});
});
