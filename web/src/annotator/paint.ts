// SPDX-License-Identifier: Apache-2.0
// The picture on one canvas, painted when the view moves; the shapes on another above it, painted at each change.
import { area, bounds } from './geometry';
import { boxHandles, middle } from './handles';
import { MODES } from './modes';
import { levelFor, type Picture } from './picture';
import { markOf, shownGeometry, visibleGhosts, type State } from './state';
import type { Geometry, Mark, Point, Size } from './types';
import { toScreen, type View } from './view';

export interface Look {
	/** Of a label, as #rrggbb. */
	colourOf: (label: string) => string;
	/** Text on it. */
	text: string;
	/** Labels whose shapes are dimmed: not looked at here. */
	dimmed?: ((mark: Mark) => boolean) | undefined;
	/** A shape that the mouse is over in the list. */
	hovered: number | null;
	hidden: boolean;
}

const RIM = 'rgba(0, 0, 0, 0.55)';
const FONT = '600 12px system-ui, sans-serif';
/** With more shapes only the chosen ones say their names: text would cover the picture. */
const NAMES_MAX = 60;

/** `size`: the picture's, as the server says it; shapes are in its pixels. */
export function paintPicture(c: CanvasRenderingContext2D, picture: Picture | null, size: Size, view: View, stage: Size, ratio: number): void {
	c.setTransform(1, 0, 0, 1, 0, 0);
	c.clearRect(0, 0, c.canvas.width, c.canvas.height);
	const level = picture && levelFor(picture, view.scale * ratio);
	if (!picture || !level) return;
	c.setTransform(ratio, 0, 0, ratio, 0, 0);
	// Enlarged pixels are shown as they are; reduced ones are blended.
	c.imageSmoothingEnabled = view.scale < 3;
	c.imageSmoothingQuality = 'low';
	// Only the part that is seen.
	const left = Math.max(0, -view.x / view.scale);
	const top = Math.max(0, -view.y / view.scale);
	const right = Math.min(size.width, (stage.width - view.x) / view.scale);
	const bottom = Math.min(size.height, (stage.height - view.y) / view.scale);
	if (right <= left || bottom <= top) return;
	const [kx, ky] = [level.width / size.width, level.height / size.height];
	c.drawImage(level, left * kx, top * ky, (right - left) * kx, (bottom - top) * ky,
		left * view.scale + view.x, top * view.scale + view.y, (right - left) * view.scale, (bottom - top) * view.scale);
}

function trace(c: CanvasRenderingContext2D, geometry: Geometry, view: View): void {
	c.beginPath();
	if (geometry.type === 'rectangle') {
		const [x, y] = toScreen(view, [geometry.x, geometry.y]);
		c.rect(x, y, geometry.w * view.scale, geometry.h * view.scale);
	} else if (geometry.type === 'polygon') {
		for (const ring of geometry.rings) {
			for (const [i, point] of ring.entries()) c[i === 0 ? 'moveTo' : 'lineTo'](...toScreen(view, point));
			c.closePath();
		}
	}
}

interface Stroke {
	colour: string;
	width: number;
	dash?: number[];
	fill?: number;
	alpha?: number;
}

function outline(c: CanvasRenderingContext2D, geometry: Geometry, view: View, { colour, width, dash = [], fill = 0, alpha = 1 }: Stroke): void {
	trace(c, geometry, view);
	c.globalAlpha = alpha;
	if (fill > 0) {
		c.globalAlpha = alpha * fill;
		c.fillStyle = colour;
		c.fill('evenodd');
		c.globalAlpha = alpha;
	}
	c.setLineDash([]);
	c.strokeStyle = RIM;
	c.lineWidth = width + 2;
	if (dash.length === 0) c.stroke();
	c.setLineDash(dash);
	c.strokeStyle = dash.length > 0 ? RIM : colour;
	if (dash.length > 0) c.stroke();
	c.strokeStyle = colour;
	c.lineWidth = width;
	c.stroke();
	c.setLineDash([]);
	c.globalAlpha = 1;
}

/** Above the shape, or inside of it where there is no room above. */
function nameTag(c: CanvasRenderingContext2D, mark: Mark, geometry: Geometry, view: View, look: Look, stage: Size, alpha = 1): void {
	const b = bounds(geometry);
	if (!b) return;
	const [x, y] = toScreen(view, [b.x, b.y]);
	if (x > stage.width || y > stage.height || x + b.w * view.scale < 0 || y + b.h * view.scale < 0) return;
	const text = mark.score === null ? mark.label : `${mark.label} ${mark.score.toFixed(2)}`;
	c.font = FONT;
	const width = c.measureText(text).width + 10;
	const left = Math.max(0, Math.min(x - 1, stage.width - width));
	const top = y >= 20 ? y - 19 : Math.max(0, y + 2);
	c.globalAlpha = alpha;
	c.fillStyle = look.colourOf(mark.label);
	c.beginPath();
	c.roundRect(left, top, width, 17, 3);
	c.fill();
	c.fillStyle = look.text;
	c.textBaseline = 'middle';
	c.fillText(text, left + 5, top + 9);
	c.globalAlpha = 1;
}

function dot(c: CanvasRenderingContext2D, [x, y]: Point, colour: string, radius: number, round: boolean): void {
	c.beginPath();
	if (round) c.arc(x, y, radius, 0, 2 * Math.PI);
	else c.rect(x - radius, y - radius, 2 * radius, 2 * radius);
	c.fillStyle = '#fff';
	c.fill();
	c.lineWidth = 1.5;
	c.strokeStyle = colour;
	c.stroke();
}

function paintHandles(c: CanvasRenderingContext2D, geometry: Geometry, view: View): void {
	if (geometry.type === 'rectangle') {
		const roomy = Math.min(geometry.w, geometry.h) * view.scale > 26;
		for (const { at, handle } of boxHandles(geometry))
			if (roomy || (handle.across !== 0 && handle.along !== 0)) dot(c, toScreen(view, at), '#10181f', roomy ? 3.5 : 2.5, false);
	} else if (geometry.type === 'polygon') {
		for (const ring of geometry.rings) {
			for (const [i, a] of ring.entries()) {
				const b = ring[(i + 1) % ring.length] ?? a;
				if (Math.hypot(b[0] - a[0], b[1] - a[1]) * view.scale > 34) dot(c, toScreen(view, middle(a, b)), '#10181f88', 2, true);
				dot(c, toScreen(view, a), '#10181f', 3.5, true);
			}
		}
	}
}

function paintCrosshair(c: CanvasRenderingContext2D, s: State, view: View, stage: Size): void {
	if (!MODES[s.mode].crosshair || !s.pointer || s.gesture?.kind === 'move' || s.gesture?.kind === 'pull') return;
	const [x, y] = toScreen(view, [Math.round(s.pointer[0]), Math.round(s.pointer[1])]);
	for (const [colour, width] of [[RIM, 3], ['rgba(255, 255, 255, 0.85)', 1]] as const) {
		c.strokeStyle = colour;
		c.lineWidth = width;
		c.beginPath();
		c.moveTo(0, y);
		c.lineTo(stage.width, y);
		c.moveTo(x, 0);
		c.lineTo(x, stage.height);
		c.stroke();
	}
}

function paintGesture(c: CanvasRenderingContext2D, s: State, view: View, look: Look): void {
	const g = s.gesture;
	const colour = look.colourOf(s.label);
	if (g?.kind === 'box' && g.moved) {
		const [x, y] = [Math.min(g.from[0], g.to[0]), Math.min(g.from[1], g.to[1])];
		outline(c, { type: 'rectangle', x, y, w: Math.abs(g.to[0] - g.from[0]), h: Math.abs(g.to[1] - g.from[1]) }, view, { colour, width: 2, fill: 0.12 });
	}
	if (g?.kind !== 'polygon') return;
	const points = g.points.map((p) => toScreen(view, p));
	const at = s.pointer && toScreen(view, s.pointer);
	for (const [stroke, width] of [[RIM, 4], [colour, 2]] as const) {
		c.beginPath();
		for (const [i, p] of points.entries()) c[i === 0 ? 'moveTo' : 'lineTo'](...p);
		if (at) c.lineTo(...at);
		c.strokeStyle = stroke;
		c.lineWidth = width;
		c.stroke();
	}
	for (const [i, p] of points.entries()) dot(c, p, colour, i === 0 && points.length >= 3 ? 5.5 : 3, true);
}

export function paintShapes(c: CanvasRenderingContext2D, s: State, view: View, look: Look, stage: Size, ratio: number): void {
	c.setTransform(1, 0, 0, 1, 0, 0);
	c.clearRect(0, 0, c.canvas.width, c.canvas.height);
	if (look.hidden) return;
	c.setTransform(ratio, 0, 0, ratio, 0, 0);
	c.lineJoin = 'round';
	const ghosts = visibleGhosts(s);
	for (const ghost of ghosts) {
		const chosen = ghost.id === s.selected || ghost.id === look.hovered;
		outline(c, ghost.geometry, view, {
			colour: look.colourOf(ghost.label), width: chosen ? 2.5 : 1.3, dash: ghost.origin === 'shadow' ? [7, 4] : [3, 4], fill: chosen ? 0.2 : 0, alpha: chosen ? 1 : 0.85,
		});
		if (chosen) nameTag(c, ghost, ghost.geometry, view, look, stage);
	}
	// Small ones last: they lie on top, as the pointer finds them.
	const shown = s.marks.filter((m) => m.geometry.type !== 'classification').map((mark) => ({ mark, geometry: shownGeometry(s, mark) }))
		.sort((a, b) => area(b.geometry) - area(a.geometry));
	for (const { mark, geometry } of shown) {
		const chosen = mark.id === s.selected;
		const over = mark.id === look.hovered;
		const polygon = geometry.type === 'polygon';
		outline(c, geometry, view, {
			colour: look.colourOf(mark.label), width: chosen ? 2.6 : over ? 3 : 1.8, fill: (polygon ? 0.18 : 0) + (chosen || over ? 0.14 : 0),
			alpha: look.dimmed?.(mark) && !chosen ? 0.35 : 1,
		});
	}
	const named = shown.length <= NAMES_MAX;
	for (const { mark, geometry } of shown)
		if ((named || mark.id === look.hovered) && mark.id !== s.selected) nameTag(c, mark, geometry, view, look, stage, look.dimmed?.(mark) ? 0.35 : 0.92);
	const chosen = markOf(s, s.selected);
	if (chosen) {
		const geometry = shownGeometry(s, chosen);
		nameTag(c, chosen, geometry, view, look, stage);
		if (!s.gesture || s.gesture.kind === 'box') paintHandles(c, geometry, view);
	}
	paintGesture(c, s, view, look);
	paintCrosshair(c, s, view, stage);
}
