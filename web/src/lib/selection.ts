// SPDX-License-Identifier: Apache-2.0
// What is selected in a long list: some by name, or all that the filter finds but for some.

export interface Selection {
	/** All of the filter, also what was never loaded, less `ids`. */
	all: boolean;
	ids: ReadonlySet<string>;
	/** Where a range begins. */
	anchor: number | null;
}

export const NOTHING: Selection = { all: false, ids: new Set(), anchor: null };

export const isSelected = (selection: Selection, id: string): boolean => selection.all !== selection.ids.has(id);

export const selectedCount = (selection: Selection, total: number): number =>
	(selection.all ? Math.max(0, total - selection.ids.size) : selection.ids.size);

function withState(selection: Selection, ids: readonly string[], on: boolean): ReadonlySet<string> {
	const next = new Set(selection.ids);
	for (const id of ids) {
		if (on !== selection.all) next.add(id);
		else next.delete(id);
	}
	return next;
}

export function toggle(selection: Selection, index: number, id: string): Selection {
	return { ...selection, ids: withState(selection, [id], !isSelected(selection, id)), anchor: index };
}

/** From where one clicked last to here, whichever is above; what is not loaded in between stays as it is. */
export function extend(selection: Selection, index: number, idAt: (index: number) => string | undefined): Selection {
	const anchor = selection.anchor ?? index;
	const ids: string[] = [];
	for (let i = Math.min(anchor, index); i <= Math.max(anchor, index); i++) {
		const id = idAt(i);
		if (id !== undefined) ids.push(id);
	}
	return { ...selection, ids: withState(selection, ids, true), anchor };
}

export const everything = (): Selection => ({ all: true, ids: new Set(), anchor: null });

/** In portions that one request may have. */
export function portions<T>(items: readonly T[], size: number): T[][] {
	const made: T[][] = [];
	for (let i = 0; i < items.length; i += size) made.push(items.slice(i, i + size));
	return made;
}
