// SPDX-License-Identifier: Apache-2.0
// Where a chosen shape can be taken hold of, and what it becomes when it is pulled there.
import { clamp, distance, distanceToSegment, snapped } from './geometry';
import type { Geometry, Point, Rect, Size } from './types';

/** Which edges of a box move with the pointer: -1 the left or top one, 1 the right or bottom one, 0 neither. */
export interface BoxHandle {
	part: 'box';
	across: -1 | 0 | 1;
	along: -1 | 0 | 1;
}

export interface VertexHandle {
	part: 'vertex' | 'edge';
	ring: number;
	/** Of the vertex; of an edge: its first. */
	index: number;
}

export type Handle = BoxHandle | VertexHandle;

const SIDES = [-1, 0, 1] as const;

/** Corners before edges: they are drawn, and win where both are near. */
export function boxHandles({ x, y, w, h }: Rect): { at: Point; handle: BoxHandle }[] {
	const all = SIDES.flatMap((along) => SIDES.map((across) => ({
		at: [x + (w * (across + 1)) / 2, y + (h * (along + 1)) / 2] as Point, handle: { part: 'box' as const, across, along },
	})));
	return all.filter(({ handle }) => handle.across !== 0 || handle.along !== 0)
		.sort((a, b) => Math.abs(b.handle.across) + Math.abs(b.handle.along) - Math.abs(a.handle.across) - Math.abs(a.handle.along));
}

function boxHandleAt(box: Rect, p: Point, reach: number): BoxHandle | null {
	const { x, y, w, h } = box;
	const inside = p[0] > x && p[0] < x + w && p[1] > y && p[1] < y + h;
	// A box that is small on the screen keeps a middle by which it can be moved.
	const near = inside ? Math.min(reach, Math.min(w, h) / 4) : reach;
	const side = (at: number, low: number, length: number): -1 | 0 | 1 => {
		const [toLow, toHigh] = [Math.abs(at - low), Math.abs(at - low - length)];
		if (Math.min(toLow, toHigh) > near) return 0;
		return toLow < toHigh ? -1 : 1;
	};
	if (p[0] < x - near || p[0] > x + w + near || p[1] < y - near || p[1] > y + h + near) return null;
	const [across, along] = [side(p[0], x, w), side(p[1], y, h)];
	return across === 0 && along === 0 ? null : { part: 'box', across, along };
}

export const middle = (a: Point, b: Point): Point => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

export function handleAt(geometry: Geometry, p: Point, reach: number): Handle | null {
	if (geometry.type === 'classification') return null;
	if (geometry.type === 'rectangle') return boxHandleAt(geometry, p, reach);
	let best: { handle: VertexHandle; far: number } | null = null;
	for (const [ring, points] of geometry.rings.entries()) {
		for (const [index, at] of points.entries()) {
			const far = distance(at, p);
			if (far <= reach && (!best || far < best.far)) best = { handle: { part: 'vertex', ring, index }, far };
		}
	}
	if (best) return best.handle;
	for (const [ring, points] of geometry.rings.entries()) {
		for (const [index, a] of points.entries()) {
			const b = points[(index + 1) % points.length] ?? a;
			if (distance(middle(a, b), p) <= reach && distanceToSegment(p, a, b) <= reach) return { part: 'edge', ring, index };
		}
	}
	return null;
}

function pulledBox(box: Rect, handle: BoxHandle, to: Point): Geometry {
	const edges = (low: number, length: number, side: number, at: number): [number, number] => {
		const high = low + length;
		// Pulled past the other edge, it turns over.
		const [a, b] = side < 0 ? [at, high] : side > 0 ? [low, at] : [low, high];
		return [Math.min(a, b), Math.max(1, Math.abs(b - a))];
	};
	const [x, w] = edges(box.x, box.w, handle.across, to[0]);
	const [y, h] = edges(box.y, box.h, handle.along, to[1]);
	return { type: 'rectangle', x, y, w, h };
}

export function pulled(geometry: Geometry, handle: Handle, at: Point, size: Size): Geometry {
	const to = snapped(at, size);
	if (geometry.type === 'rectangle' && handle.part === 'box') return pulledBox(geometry, handle, to);
	if (geometry.type !== 'polygon' || handle.part === 'box') return geometry;
	const rings = geometry.rings.map((ring, i) => {
		if (i !== handle.ring) return ring;
		const points = [...ring];
		points.splice(handle.part === 'edge' ? handle.index + 1 : handle.index, handle.part === 'edge' ? 0 : 1, to);
		return points;
	});
	return { type: 'polygon', rings };
}

/** Null: it cannot do without it. */
export function withoutVertex(geometry: Geometry, { ring, index }: VertexHandle): Geometry | null {
	if (geometry.type !== 'polygon' || (geometry.rings[ring]?.length ?? 0) <= 3) return null;
	return { type: 'polygon', rings: geometry.rings.map((points, i) => (i === ring ? points.filter((_, k) => k !== index) : points)) };
}

/** The style sheet's name of the cursor over it. */
export function cursorOf(handle: Handle): string {
	if (handle.part !== 'box') return handle.part === 'edge' ? 'copy' : 'grab';
	if (handle.across === 0) return 'ns-resize';
	if (handle.along === 0) return 'ew-resize';
	return handle.across === handle.along ? 'nwse-resize' : 'nesw-resize';
}

/** Grown or shrunk at the right and bottom edges; a polygon stays as it is. */
export function grown(geometry: Geometry, dx: number, dy: number, size: Size): Geometry {
	if (geometry.type !== 'rectangle') return geometry;
	return { ...geometry, w: clamp(geometry.w + dx, 1, size.width - geometry.x), h: clamp(geometry.h + dy, 1, size.height - geometry.y) };
}
