// SPDX-License-Identifier: Apache-2.0
// The tools, one line of the table each: what pressing, dragging and letting go of the pointer mean.
import { distance, moved, rectOf, snapped } from './geometry';
import { cursorOf, pulled } from './handles';
import { handleUnder, hits, topHit } from './hit';
import { added, changed, ghostOf, markOf, promoted, replaced, type Gesture, type ModeName, type State } from './state';
import type { Point } from './types';

/** `reach`: how near is near, in image pixels; about eight pixels of the screen. */
export interface Mode {
	name: ModeName;
	text: string;
	/** What one does with it. */
	hint: string;
	press(s: State, at: Point, reach: number): State;
	drag(s: State, at: Point, reach: number): State;
	release(s: State, at: Point, reach: number): State;
	/** A style sheet's name. */
	cursor(s: State, at: Point, reach: number): string;
	crosshair: boolean;
}

/** A hand is never quite still: less is a click, not a drag. */
const slop = (reach: number): number => reach * 0.4;

type Dragged = Extract<Gesture, { kind: 'move' | 'pull' }>;

function pressHandle(s: State, at: Point, reach: number): State | null {
	const under = handleUnder(s, at, reach);
	const mark = under && markOf(s, under.id);
	if (!under || !mark) return null;
	return { ...s, streak: null, gesture: { kind: 'pull', id: mark.id, handle: under.handle, from: at, preview: mark.geometry, moved: false } };
}

function dragged(s: State, g: Dragged, at: Point, reach: number): State {
	const mark = markOf(s, g.id);
	if (!mark || (!g.moved && distance(g.from, at) < slop(reach))) return s;
	const preview = g.kind === 'pull'
		? pulled(mark.geometry, g.handle, at, s.picture)
		: moved(mark.geometry, Math.round(at[0] - g.from[0]), Math.round(at[1] - g.from[1]), s.picture);
	return { ...s, gesture: { ...g, preview, moved: true } };
}

function dropped(s: State, g: Dragged): State {
	if (!g.moved) return { ...s, gesture: null };
	return changed(s, { marks: replaced(s.marks, g.id, { geometry: g.preview }), selected: g.id });
}

/** One click: a ghost becomes real, anything else is chosen. */
function clicked(s: State, at: Point, reach: number): State {
	const hit = topHit(s, at, reach / 2);
	const still = { ...s, gesture: null, streak: null };
	if (hit && ghostOf(s, hit.id)) return promoted(still, hit.id);
	return { ...still, selected: hit?.id ?? null };
}

const select: Mode = {
	name: 'select', text: 'Select', crosshair: false,
	hint: 'Click a shape to choose it, drag to move it, pull its edges; drag the picture to pan',
	press(s, at, reach) {
		const held = pressHandle(s, at, reach);
		if (held) return held;
		const under = hits(s, at, reach / 2);
		// What is chosen stays chosen under others: Tab has brought it up.
		const hit = under.find((m) => m.id === s.selected) ?? under[0];
		if (hit && ghostOf(s, hit.id)) return clicked(s, at, reach);
		if (!hit) return { ...s, selected: null, streak: null };
		return { ...s, selected: hit.id, streak: null, gesture: { kind: 'move', id: hit.id, from: at, preview: hit.geometry, moved: false } };
	},
	drag: (s, at, reach) => (s.gesture?.kind === 'move' || s.gesture?.kind === 'pull' ? dragged(s, s.gesture, at, reach) : s),
	release: (s) => (s.gesture?.kind === 'move' || s.gesture?.kind === 'pull' ? dropped(s, s.gesture) : s),
	cursor(s, at, reach) {
		const handle = handleUnder(s, at, reach);
		if (handle) return cursorOf(handle.handle);
		const hit = topHit(s, at, reach / 2);
		return !hit ? 'default' : ghostOf(s, hit.id) ? 'pointer' : 'move';
	},
};

const box: Mode = {
	name: 'box', text: 'Box', crosshair: true,
	hint: 'Drag from corner to corner; click a shape to choose it, then pull its edges',
	press(s, at, reach) {
		const corner = snapped(at, s.picture);
		return pressHandle(s, at, reach) ?? { ...s, streak: null, gesture: { kind: 'box', from: corner, to: corner, moved: false } };
	},
	drag(s, at, reach) {
		const g = s.gesture;
		if (g?.kind === 'pull' || g?.kind === 'move') return dragged(s, g, at, reach);
		if (g?.kind !== 'box' || (!g.moved && distance(g.from, at) < slop(reach))) return s;
		return { ...s, gesture: { ...g, to: snapped(at, s.picture), moved: true } };
	},
	release(s, at, reach) {
		const g = s.gesture;
		if (g?.kind === 'pull' || g?.kind === 'move') return dropped(s, g);
		if (g?.kind !== 'box') return s;
		if (!g.moved) return clicked(s, at, reach);
		const rect = rectOf(g.from, g.to);
		return rect.w < 1 || rect.h < 1 ? { ...s, gesture: null } : added(s, { type: 'rectangle', ...rect });
	},
	cursor(s, at, reach) {
		const handle = handleUnder(s, at, reach);
		return handle ? cursorOf(handle.handle) : 'crosshair';
	},
};

/** Three points at least, and not all on one line. */
export function closed(s: State): State {
	const g = s.gesture;
	if (g?.kind !== 'polygon') return s;
	const points = g.points.filter((p, i) => i === 0 || distance(p, g.points[i - 1] ?? p) > 0);
	const [a, b] = points;
	const flat = !a || !b || points.every((p) => (b[0] - a[0]) * (p[1] - a[1]) === (b[1] - a[1]) * (p[0] - a[0]));
	return flat ? s : added(s, { type: 'polygon', rings: [points] });
}

const polygon: Mode = {
	name: 'polygon', text: 'Polygon', crosshair: true,
	hint: 'Click point by point; Enter or a click on the first point closes it, Backspace takes the last one back',
	press(s, at, reach) {
		const g = s.gesture;
		const point = snapped(at, s.picture);
		if (g?.kind !== 'polygon') return pressHandle(s, at, reach) ?? { ...s, selected: null, streak: null, gesture: { kind: 'polygon', points: [point] } };
		const first = g.points[0];
		if (first && g.points.length >= 3 && distance(first, at) <= reach) return closed(s);
		return { ...s, gesture: { kind: 'polygon', points: [...g.points, point] } };
	},
	drag: (s, at, reach) => (s.gesture?.kind === 'pull' || s.gesture?.kind === 'move' ? dragged(s, s.gesture, at, reach) : s),
	release: (s) => (s.gesture?.kind === 'pull' || s.gesture?.kind === 'move' ? dropped(s, s.gesture) : s),
	cursor(s, at, reach) {
		const handle = s.gesture?.kind === 'polygon' ? null : handleUnder(s, at, reach);
		return handle ? cursorOf(handle.handle) : 'crosshair';
	},
};

/** A picture's class is chosen by key or in the list; the picture itself can only be looked at. */
const none: Mode = {
	name: 'class', text: 'Class', crosshair: false, hint: 'Choose what the picture shows by its key',
	press: (s) => s, drag: (s) => s, release: (s) => s, cursor: () => 'default',
};

export const MODES: Record<ModeName, Mode> = { select, box, polygon, class: none };

/** Those that a task has a use for, in the order in which they are shown. */
export const TASK_MODES: Record<string, readonly ModeName[]> = {
	OBJECT_DETECTION: ['select', 'box', 'polygon'],
	SEGMENTATION: ['select', 'polygon', 'box'],
	CLASSIFICATION: ['class'],
};
