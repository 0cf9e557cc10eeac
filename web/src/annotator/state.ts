// SPDX-License-Identifier: Apache-2.0
// What the annotator knows of one picture. Nothing here draws, waits or asks: states go in, states come out.
import type { Handle } from './handles';
import type { Geometry, Ghost, Mark, Origin, Point, Size } from './types';

export type ModeName = 'select' | 'box' | 'polygon' | 'class';

/** What the pointer is in the middle of. Not a change yet: letting go makes it one, Escape forgets it. */
export type Gesture =
	| { kind: 'box'; from: Point; to: Point; moved: boolean }
	| { kind: 'polygon'; points: readonly Point[] }
	| { kind: 'move'; id: number; from: Point; preview: Geometry; moved: boolean }
	| { kind: 'pull'; id: number; handle: Handle; from: Point; preview: Geometry; moved: boolean };

interface Snapshot {
	marks: readonly Mark[];
	selected: number | null;
}

/** Whose candidates are looked at. */
export type Whose = Origin | 'both';

export interface State {
	picture: Size;
	/** What will be saved. */
	marks: readonly Mark[];
	/** What could be, if somebody says so. One made real keeps its id and is no ghost as long as it is real. */
	ghosts: readonly Ghost[];
	/** Ghosts with a lower score are neither drawn nor found. */
	from: number;
	whose: Whose;
	selected: number | null;
	mode: ModeName;
	/** Of what is drawn next. */
	label: string;
	gesture: Gesture | null;
	/** Where the pointer is over the picture. */
	pointer: Point | null;
	past: readonly Snapshot[];
	future: readonly Snapshot[];
	/** Small steps of one kind on one mark, one after the other, are undone together. */
	streak: string | null;
	nextId: number;
}

export const PAST_MAX = 500;

export function begin(over: Partial<State> & { picture: Size }): State {
	const marks = over.marks ?? [];
	const ghosts = over.ghosts ?? [];
	const last = [...marks, ...ghosts].reduce((most, { id }) => Math.max(most, id), 0);
	return {
		marks, ghosts, from: 0, whose: 'champion', selected: null, mode: 'select', label: '', gesture: null, pointer: null, past: [], future: [],
		streak: null, nextId: last + 1, ...over,
	};
}

export const markOf = (s: State, id: number | null): Mark | undefined => (id === null ? undefined : s.marks.find((m) => m.id === id));
export const ghostOf = (s: State, id: number | null): Ghost | undefined => (id === null ? undefined : visibleGhosts(s).find((g) => g.id === id));

const last: { of: State | null; ghosts: readonly Ghost[] } = { of: null, ghosts: [] };

export function visibleGhosts(s: State): readonly Ghost[] {
	const known = last.of;
	if (known && known.ghosts === s.ghosts && known.marks === s.marks && known.from === s.from && known.whose === s.whose) return last.ghosts;
	const real = new Set(s.marks.map((m) => m.id));
	last.of = s;
	last.ghosts = s.ghosts.filter((g) => g.score >= s.from && (s.whose === 'both' || g.origin === s.whose) && !real.has(g.id));
	return last.ghosts;
}

/** As it is drawn now: with what the pointer does to it. */
export function shownGeometry(s: State, mark: Mark): Geometry {
	const g = s.gesture;
	return g && (g.kind === 'move' || g.kind === 'pull') && g.id === mark.id && g.moved ? g.preview : mark.geometry;
}

/** A change that undo takes back. Steps of one streak count as one. */
export function changed(s: State, next: { marks: readonly Mark[]; selected?: number | null; nextId?: number }, streak: string | null = null): State {
	const goesOn = streak !== null && streak === s.streak;
	return {
		...s, marks: next.marks, selected: next.selected === undefined ? s.selected : next.selected, nextId: next.nextId ?? s.nextId, gesture: null,
		past: goesOn ? s.past : [...s.past, { marks: s.marks, selected: s.selected }].slice(-PAST_MAX), future: [], streak,
	};
}

export function undone(s: State): State {
	const before = s.past[s.past.length - 1];
	if (!before) return s;
	return {
		...s, ...before, gesture: null, streak: null, past: s.past.slice(0, -1), future: [...s.future, { marks: s.marks, selected: s.selected }],
	};
}

export function redone(s: State): State {
	const after = s.future[s.future.length - 1];
	if (!after) return s;
	return {
		...s, ...after, gesture: null, streak: null, future: s.future.slice(0, -1), past: [...s.past, { marks: s.marks, selected: s.selected }],
	};
}

export const replaced = (marks: readonly Mark[], id: number, change: Partial<Mark>): Mark[] => marks.map((m) => (m.id === id ? { ...m, ...change } : m));

/** A new mark by hand, chosen at once. */
export function added(s: State, geometry: Geometry): State {
	const mark: Mark = { id: s.nextId, label: s.label, geometry, score: null };
	return changed(s, { marks: [...s.marks, mark], selected: mark.id, nextId: s.nextId + 1 });
}

/** A ghost made real, perhaps under another name. */
export function promoted(s: State, id: number, label?: string): State {
	const ghost = ghostOf(s, id);
	if (!ghost) return s;
	const { origin: _, ...mark } = ghost;
	return changed(s, { marks: [...s.marks, { ...mark, label: label ?? mark.label }], selected: id });
}
