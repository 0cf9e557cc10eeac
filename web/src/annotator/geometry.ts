// SPDX-License-Identifier: Apache-2.0
// Plane geometry of boxes and polygons.
import type { Geometry, Point, Rect, Ring, Size } from './types';

export const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), Math.max(low, high));

export const distance = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** What is drawn by hand lies on whole pixels, inside of the picture. */
export const snapped = (p: Point, size: Size): Point => [clamp(Math.round(p[0]), 0, size.width), clamp(Math.round(p[1]), 0, size.height)];

export function rectOf(a: Point, b: Point): Rect {
	const x = Math.min(a[0], b[0]);
	const y = Math.min(a[1], b[1]);
	return { x, y, w: Math.max(a[0], b[0]) - x, h: Math.max(a[1], b[1]) - y };
}

/** Null of a class, which has no place in the picture. */
export function bounds(geometry: Geometry): Rect | null {
	if (geometry.type === 'rectangle') return { x: geometry.x, y: geometry.y, w: geometry.w, h: geometry.h };
	if (geometry.type === 'classification') return null;
	let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
	for (const ring of geometry.rings) {
		for (const [x, y] of ring) {
			left = Math.min(left, x);
			top = Math.min(top, y);
			right = Math.max(right, x);
			bottom = Math.max(bottom, y);
		}
	}
	return left <= right ? { x: left, y: top, w: right - left, h: bottom - top } : null;
}

/** Signed: the shoelace formula. */
function ringArea(ring: Ring): number {
	let twice = 0;
	for (const [i, [x, y]] of ring.entries()) {
		const [nextX, nextY] = ring[(i + 1) % ring.length] ?? [x, y];
		twice += x * nextY - nextX * y;
	}
	return twice / 2;
}

export function area(geometry: Geometry): number {
	if (geometry.type === 'rectangle') return geometry.w * geometry.h;
	if (geometry.type === 'classification') return 0;
	return geometry.rings.reduce((sum, ring) => sum + Math.abs(ringArea(ring)), 0);
}

/** By crossings of a ray to the right. */
function inRing(ring: Ring, [x, y]: Point): boolean {
	let inside = false;
	for (const [i, [ax, ay]] of ring.entries()) {
		const [bx, by] = ring[(i + ring.length - 1) % ring.length] ?? [ax, ay];
		if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
	}
	return inside;
}

/** To the segment from a to b. */
export function distanceToSegment(p: Point, a: Point, b: Point): number {
	const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
	const square = dx * dx + dy * dy;
	const t = square === 0 ? 0 : clamp(((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square, 0, 1);
	return Math.hypot(p[0] - a[0] - t * dx, p[1] - a[1] - t * dy);
}

export function distanceToRing(ring: Ring, p: Point): number {
	let nearest = Infinity;
	for (const [i, a] of ring.entries()) nearest = Math.min(nearest, distanceToSegment(p, a, ring[(i + 1) % ring.length] ?? a));
	return nearest;
}

/** Inside of it, or not farther than `reach` from its edge. */
export function touches(geometry: Geometry, p: Point, reach: number): boolean {
	if (geometry.type === 'classification') return false;
	if (geometry.type === 'rectangle') {
		const { x, y, w, h } = geometry;
		return p[0] >= x - reach && p[0] <= x + w + reach && p[1] >= y - reach && p[1] <= y + h + reach;
	}
	let inside = false;
	for (const ring of geometry.rings) if (inRing(ring, p)) inside = !inside;
	return inside || geometry.rings.some((ring) => distanceToRing(ring, p) <= reach);
}

/** Moved as far as the picture allows. */
export function moved(geometry: Geometry, dx: number, dy: number, size: Size): Geometry {
	const b = bounds(geometry);
	if (!b || geometry.type === 'classification') return geometry;
	// What sticks out already may come back in, but not go further out.
	const right = clamp(dx, Math.min(0, -b.x), Math.max(0, size.width - b.x - b.w));
	const down = clamp(dy, Math.min(0, -b.y), Math.max(0, size.height - b.y - b.h));
	if (geometry.type === 'rectangle') return { ...geometry, x: geometry.x + right, y: geometry.y + down };
	return { type: 'polygon', rings: geometry.rings.map((ring) => ring.map(([x, y]): Point => [x + right, y + down])) };
}

export function sameGeometry(a: Geometry, b: Geometry): boolean {
	if (a.type === 'rectangle') return b.type === 'rectangle' && a.x === b.x && a.y === b.y && a.w === b.w && a.h === b.h;
	if (a.type === 'classification' || b.type !== 'polygon') return a.type === b.type;
	return a.rings.length === b.rings.length &&
		a.rings.every((ring, i) => ring.length === b.rings[i]?.length && ring.every(([x, y], k) => x === b.rings[i]?.[k]?.[0] && y === b.rings[i]?.[k]?.[1]));
}

/** Intersection over union of the bounds, 0…1. */
export function overlap(a: Geometry, b: Geometry): number {
	const [p, q] = [bounds(a), bounds(b)];
	if (!p || !q) return 0;
	const w = Math.min(p.x + p.w, q.x + q.w) - Math.max(p.x, q.x);
	const h = Math.min(p.y + p.h, q.y + q.h) - Math.max(p.y, q.y);
	if (w <= 0 || h <= 0) return 0;
	return (w * h) / (p.w * p.h + q.w * q.h - w * h);
}
