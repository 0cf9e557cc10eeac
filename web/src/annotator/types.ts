// SPDX-License-Identifier: Apache-2.0
// What the annotator works on. Everything is in image pixels, origin top left, x to the right, y down.

export type Point = readonly [x: number, y: number];
export type Ring = readonly Point[];

export interface Size {
	width: number;
	height: number;
}

export interface Rect {
	x: number;
	y: number;
	w: number;
	h: number;
}

export type Geometry =
	| ({ type: 'rectangle' } & Rect)
	/** Parts of one shape; a point is inside where it is inside of an odd number of them. */
	| { type: 'polygon'; rings: readonly Ring[] }
	| { type: 'classification' };

/** Whose candidate it is: the champion's below the threshold, or a shadow's. */
export type Origin = 'champion' | 'shadow';

export interface Mark {
	/** Of this picture; a ghost made real keeps its own. */
	id: number;
	label: string;
	geometry: Geometry;
	/** The model's; null: drawn by a person. */
	score: number | null;
}

export interface Ghost extends Mark {
	score: number;
	origin: Origin;
}

/** As it is stored and sent; labels by name. */
export type WireShape =
	| ({ type: 'rectangle'; label: string } & Rect)
	| { type: 'polygon'; label: string; polygon: [number, number][] }
	| { type: 'polygon'; label: string; rings: [number, number][][] }
	| { type: 'classification'; label: string };
