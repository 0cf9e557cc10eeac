// SPDX-License-Identifier: Apache-2.0
// From image pixels to the screen and back: screen = image × scale + offset.
import { clamp } from './geometry';
import type { Point, Size } from './types';

export interface View {
	scale: number;
	x: number;
	y: number;
}

export const SCALE_MAX = 40;
/** Free space around a fitted picture, in screen pixels. */
const MARGIN = 12;
/** So much of the picture always stays on the screen. */
const KEPT = 60;

export const toScreen = (v: View, p: Point): Point => [p[0] * v.scale + v.x, p[1] * v.scale + v.y];
export const toImage = (v: View, p: Point): Point => [(p[0] - v.x) / v.scale, (p[1] - v.y) / v.scale];

/** The whole picture, in the middle. A small one is enlarged, but not beyond eight times. */
export function fitted(picture: Size, stage: Size): View {
	const room = { width: Math.max(1, stage.width - 2 * MARGIN), height: Math.max(1, stage.height - 2 * MARGIN) };
	const scale = Math.min(room.width / Math.max(1, picture.width), room.height / Math.max(1, picture.height), 8);
	return { scale, x: (stage.width - picture.width * scale) / 2, y: (stage.height - picture.height * scale) / 2 };
}

/** It cannot be pushed out of sight. */
function kept(v: View, picture: Size, stage: Size): View {
	const low = (length: number): number => Math.min(KEPT, length);
	return {
		scale: v.scale,
		x: clamp(v.x, low(picture.width * v.scale) - picture.width * v.scale, stage.width - low(picture.width * v.scale)),
		y: clamp(v.y, low(picture.height * v.scale) - picture.height * v.scale, stage.height - low(picture.height * v.scale)),
	};
}

export const panned = (v: View, dx: number, dy: number, picture: Size, stage: Size): View => kept({ ...v, x: v.x + dx, y: v.y + dy }, picture, stage);

/** What is under `at` on the screen stays there. */
export function zoomed(v: View, factor: number, at: Point, picture: Size, stage: Size): View {
	const least = Math.min(fitted(picture, stage).scale * 0.5, 1);
	const scale = clamp(v.scale * factor, least, SCALE_MAX);
	const ratio = scale / v.scale;
	return kept({ scale, x: at[0] - (at[0] - v.x) * ratio, y: at[1] - (at[1] - v.y) * ratio }, picture, stage);
}
