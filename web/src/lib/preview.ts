// SPDX-License-Identifier: Apache-2.0
// Pictures on which a threshold is chosen: all their shapes are here, so that moving it asks nobody.
import type { Shape } from '../api/types';
import { shapesAt } from './shapes';

export interface PreviewPicture {
	key: string;
	name: string;
	url: string;
	width: number;
	height: number;
	/** null: not answered yet. */
	shapes: readonly Shape[] | null;
	error: unknown;
}

export type PreviewEvent =
	| { kind: 'added'; pictures: readonly PreviewPicture[] }
	| { kind: 'answered'; key: string; width: number; height: number; shapes: readonly Shape[] }
	| { kind: 'failed'; key: string; error: unknown }
	| { kind: 'removed'; key: string };

export const PREVIEW_MAX = 8;

export function previewReducer(pictures: readonly PreviewPicture[], event: PreviewEvent): readonly PreviewPicture[] {
	const change = (key: string, fields: Partial<PreviewPicture>): readonly PreviewPicture[] =>
		pictures.map((p) => (p.key === key ? { ...p, ...fields } : p));
	switch (event.kind) {
	case 'added': {
		const fresh = event.pictures.filter((p) => !pictures.some((q) => q.key === p.key));
		return [...fresh, ...pictures].slice(0, PREVIEW_MAX);
	}
	case 'answered':
		return change(event.key, { width: event.width, height: event.height, shapes: event.shapes, error: null });
	case 'failed':
		return change(event.key, { error: event.error });
	case 'removed':
		return pictures.filter((p) => p.key !== event.key);
	}
}

export interface PreviewCounts {
	pictures: number;
	shown: number;
	/** Kept, and below the threshold. */
	below: number;
	/** Pictures on which nothing is left. */
	empty: number;
}

export function previewCounts(pictures: readonly PreviewPicture[], threshold: number): PreviewCounts {
	const counts = { pictures: 0, shown: 0, below: 0, empty: 0 };
	for (const { shapes } of pictures) {
		if (!shapes) continue;
		const shown = shapesAt(shapes, threshold).length;
		counts.pictures += 1;
		counts.shown += shown;
		counts.below += shapes.length - shown;
		if (shown === 0) counts.empty += 1;
	}
	return counts;
}
