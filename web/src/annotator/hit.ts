// SPDX-License-Identifier: Apache-2.0
// What lies under the pointer.
import { area, touches } from './geometry';
import { handleAt, type Handle } from './handles';
import { markOf, visibleGhosts, type State } from './state';
import type { Mark, Point } from './types';

/** A ghost lies over a real shape unless it is this much smaller: other names for the same thing must not be hit by mistake. */
const GHOST_FIRST = 0.5;

/** The smallest first, so that what lies inside of something can be reached; ghosts after real ones of their size. */
export function hits(s: State, at: Point, reach: number): Mark[] {
	const under = <T extends Mark>(marks: readonly T[]): T[] =>
		marks.filter((m) => touches(m.geometry, at, reach)).sort((a, b) => area(a.geometry) - area(b.geometry));
	const ghosts = new Set<Mark>(visibleGhosts(s));
	const size = (m: Mark): number => area(m.geometry) / (ghosts.has(m) ? GHOST_FIRST : 1);
	return [...under(s.marks), ...under(visibleGhosts(s))].sort((a, b) => size(a) - size(b));
}

export const topHit = (s: State, at: Point, reach: number): Mark | undefined => hits(s, at, reach)[0];

/** Only what is chosen can be pulled at. */
export function handleUnder(s: State, at: Point, reach: number): { id: number; handle: Handle } | null {
	const chosen = markOf(s, s.selected);
	const handle = chosen && handleAt(chosen.geometry, at, reach);
	return chosen && handle ? { id: chosen.id, handle } : null;
}
