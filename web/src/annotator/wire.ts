// SPDX-License-Identifier: Apache-2.0
// Shapes as they are stored, to marks and back.
import type { Geometry, Mark, Point, WireShape } from './types';

type Points = readonly (readonly number[])[];

/** What any of our answers holds: coordinates and a label, perhaps a score. */
export interface LooseShape {
	type: string;
	label: string;
	score?: number;
	x?: number;
	y?: number;
	w?: number;
	h?: number;
	polygon?: Points;
	rings?: readonly Points[];
}

const ring = (points: Points): Point[] => points.map((p): Point => [p[0] ?? 0, p[1] ?? 0]);

/** Null of what cannot be drawn. */
export function geometryOf(shape: LooseShape): Geometry | null {
	if (shape.type === 'classification') return { type: 'classification' };
	if (shape.type === 'rectangle') return { type: 'rectangle', x: shape.x ?? 0, y: shape.y ?? 0, w: shape.w ?? 0, h: shape.h ?? 0 };
	if (shape.type !== 'polygon') return null;
	const rings = (shape.rings ?? [shape.polygon ?? []]).map(ring).filter((points) => points.length >= 3);
	return rings.length > 0 ? { type: 'polygon', rings } : null;
}

/** Numbered from `first` on. */
export function marksOf(shapes: readonly LooseShape[], first: number): Mark[] {
	return shapes.flatMap((shape, i) => {
		const geometry = geometryOf(shape);
		return geometry ? [{ id: first + i, label: shape.label, geometry, score: shape.score ?? null }] : [];
	});
}

export function wireOf({ label, geometry }: Mark): WireShape {
	if (geometry.type === 'rectangle') return { type: 'rectangle', x: geometry.x, y: geometry.y, w: geometry.w, h: geometry.h, label };
	if (geometry.type === 'classification') return { type: 'classification', label };
	const rings = geometry.rings.map((points) => points.map(([x, y]): [number, number] => [x, y]));
	const [only] = rings;
	return rings.length === 1 && only ? { type: 'polygon', polygon: only, label } : { type: 'polygon', rings, label };
}

export const wire = (marks: readonly Mark[]): WireShape[] => marks.map(wireOf);

/** The same shapes, whatever their order. */
export function sameShapes(a: readonly WireShape[], b: readonly WireShape[]): boolean {
	if (a.length !== b.length) return false;
	const text = (shapes: readonly WireShape[]): string[] => shapes.map((s) => JSON.stringify(s)).sort();
	const [left, right] = [text(a), text(b)];
	return left.every((s, i) => s === right[i]);
}
