// SPDX-License-Identifier: Apache-2.0
// (state, action) → state: all that can be done to a picture's shapes.
import { moved, sameGeometry } from './geometry';
import { grown, withoutVertex } from './handles';
import { handleUnder, hits } from './hit';
import { closed, MODES } from './modes';
import { changed, ghostOf, markOf, promoted, redone, replaced, undone, visibleGhosts, type ModeName, type State, type Whose } from './state';
import type { Geometry, Mark, Point } from './types';

export type Action =
	| { do: 'press' | 'drag' | 'release'; at: Point; reach: number }
	| { do: 'hover'; at: Point | null }
	/** Closes the polygon; makes the chosen ghost real. */
	| { do: 'finish' }
	| { do: 'cancel' }
	| { do: 'mode'; mode: ModeName }
	/** Renames what is chosen, and is the label of what is drawn next. */
	| { do: 'label'; label: string }
	| { do: 'select'; id: number | null }
	/** The next one under the pointer, or in the whole picture where the pointer is elsewhere. */
	| { do: 'cycle'; step: 1 | -1; reach: number }
	| { do: 'delete'; id?: number }
	| { do: 'deleteVertex'; at: Point; reach: number }
	| { do: 'nudge' | 'grow'; dx: number; dy: number }
	| { do: 'duplicate' }
	| { do: 'paste'; marks: readonly { label: string; geometry: Geometry }[] }
	| { do: 'promote'; id: number }
	/** What the picture shows, instead of what was chosen before. */
	| { do: 'classify'; label: string }
	/** Other shapes altogether, as one change. */
	| { do: 'replace'; marks: readonly Mark[] }
	| { do: 'undo' | 'redo' }
	/** What is looked at, never what is saved. */
	| { do: 'look'; from?: number; whose?: Whose };

function labelled(s: State, label: string): State {
	const chosen = markOf(s, s.selected);
	const named = { ...s, label };
	if (chosen) return chosen.label === label ? named : changed(named, { marks: replaced(s.marks, chosen.id, { label }) });
	return ghostOf(s, s.selected) && s.selected !== null ? promoted(named, s.selected, label) : named;
}

function cycled(s: State, step: 1 | -1, reach: number): State {
	const under = s.pointer ? hits(s, s.pointer, reach / 2) : [];
	const all: readonly Mark[] = under.length > 0 ? under : [...s.marks, ...visibleGhosts(s)].filter((m) => m.geometry.type !== 'classification');
	if (all.length === 0) return s;
	const at = all.findIndex((m) => m.id === s.selected);
	const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length;
	return { ...s, selected: all[next]?.id ?? null, gesture: null, streak: null };
}

function deleted(s: State, id: number | null): State {
	if (!markOf(s, id)) return s;
	return changed(s, { marks: s.marks.filter((m) => m.id !== id), selected: s.selected === id ? null : s.selected });
}

/** The points of a polygon under way first; then what is chosen. */
function deletedLast(s: State, id: number | undefined): State {
	if (id === undefined && s.gesture?.kind === 'polygon') {
		const points = s.gesture.points.slice(0, -1);
		return { ...s, gesture: points.length > 0 ? { kind: 'polygon', points } : null };
	}
	const chosen = s.mode === 'class' ? s.marks.find((m) => m.geometry.type === 'classification')?.id : s.selected;
	return deleted(s, id ?? chosen ?? null);
}

function stepped(s: State, name: 'nudge' | 'grow', dx: number, dy: number): State {
	const chosen = markOf(s, s.selected);
	if (!chosen) return s;
	const geometry = name === 'nudge' ? moved(chosen.geometry, dx, dy, s.picture) : grown(chosen.geometry, dx, dy, s.picture);
	if (sameGeometry(geometry, chosen.geometry)) return s;
	return changed(s, { marks: replaced(s.marks, chosen.id, { geometry }) }, `${name} ${chosen.id}`);
}

/** Beside the first one, as far as there is room. */
function duplicated(s: State): State {
	const chosen = markOf(s, s.selected);
	if (!chosen || chosen.geometry.type === 'classification') return s;
	const step = Math.max(4, Math.round(Math.min(s.picture.width, s.picture.height) / 50));
	const away = moved(chosen.geometry, step, step, s.picture);
	const geometry = sameGeometry(away, chosen.geometry) ? moved(chosen.geometry, -step, -step, s.picture) : away;
	const mark: Mark = { id: s.nextId, label: chosen.label, geometry, score: null };
	return changed(s, { marks: [...s.marks, mark], selected: mark.id, nextId: s.nextId + 1 });
}

/** Those that are not here already. */
function pasted(s: State, wanted: readonly { label: string; geometry: Geometry }[]): State {
	const fresh = wanted.map((w) => ({ ...w, geometry: moved(w.geometry, 0, 0, s.picture) }))
		.filter((w) => !s.marks.some((m) => m.label === w.label && sameGeometry(m.geometry, w.geometry)));
	if (fresh.length === 0) return s;
	const marks = fresh.map((w, i): Mark => ({ id: s.nextId + i, label: w.label, geometry: w.geometry, score: null }));
	return changed(s, { marks: [...s.marks, ...marks], selected: null, nextId: s.nextId + marks.length });
}

function classified(s: State, label: string): State {
	const now = s.marks.filter((m) => m.geometry.type === 'classification');
	if (now.length === 1 && now[0]?.label === label) return { ...s, label };
	const others = s.marks.filter((m) => m.geometry.type !== 'classification');
	const mark: Mark = { id: s.nextId, label, geometry: { type: 'classification' }, score: null };
	return changed({ ...s, label }, { marks: [...others, mark], selected: null, nextId: s.nextId + 1 });
}

function vertexDeleted(s: State, at: Point, reach: number): State {
	const under = handleUnder(s, at, reach);
	const mark = under && markOf(s, under.id);
	if (!under || !mark || under.handle.part !== 'vertex') return s;
	const geometry = withoutVertex(mark.geometry, under.handle);
	return geometry ? changed(s, { marks: replaced(s.marks, mark.id, { geometry }) }) : s;
}

export function reduce(s: State, action: Action): State {
	switch (action.do) {
		case 'press': return MODES[s.mode].press({ ...s, pointer: action.at }, action.at, action.reach);
		case 'drag': return MODES[s.mode].drag({ ...s, pointer: action.at }, action.at, action.reach);
		case 'release': return MODES[s.mode].release(s, action.at, action.reach);
		case 'hover': return { ...s, pointer: action.at };
		case 'finish': return s.gesture?.kind === 'polygon' ? closed(s) : s.selected === null ? s : promoted(s, s.selected);
		case 'cancel': return s.gesture ? { ...s, gesture: null } : { ...s, selected: null, streak: null };
		case 'mode': return s.mode === action.mode ? s : { ...s, mode: action.mode, gesture: null };
		case 'label': return s.mode === 'class' ? classified(s, action.label) : labelled(s, action.label);
		case 'select': return { ...s, selected: action.id, streak: null, gesture: null };
		case 'cycle': return cycled(s, action.step, action.reach);
		case 'delete': return deletedLast(s, action.id);
		case 'deleteVertex': return vertexDeleted(s, action.at, action.reach);
		case 'nudge':
		case 'grow': return stepped(s, action.do, action.dx, action.dy);
		case 'duplicate': return duplicated(s);
		case 'paste': return pasted(s, action.marks);
		case 'promote': return promoted(s, action.id);
		case 'classify': return classified(s, action.label);
		case 'replace': return changed(s, { marks: action.marks, selected: null, nextId: Math.max(s.nextId, ...action.marks.map((m) => m.id + 1)) });
		// A gesture under way is not in the past: undoing means that first.
		case 'undo': return s.gesture ? (s.gesture.kind === 'polygon' ? deletedLast(s, undefined) : { ...s, gesture: null }) : undone(s);
		case 'redo': return redone(s);
		case 'look': return { ...s, from: action.from ?? s.from, whose: action.whose ?? s.whose };
	}
}
