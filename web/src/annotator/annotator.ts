// SPDX-License-Identifier: Apache-2.0
// The annotator on a page: two canvases in an element, the pointer, the wheel, fingers. It holds a state and paints it.
import { commandOf, type Command } from './keys';
import { MODES } from './modes';
import { paintPicture, paintShapes, type Look } from './paint';
import type { Picture } from './picture';
import { reduce, type Action } from './reducer';
import { begin, type State } from './state';
import type { Point, Size } from './types';
import { fitted, panned, toImage, zoomed, type View } from './view';

/** Of the screen, in pixels: how near is near for a mouse and for a finger. */
const REACH = 8;
const REACH_TOUCH = 18;
const ZOOM_STEP = 1.25;

export interface Listener {
	/** A state, and whether what will be saved differs from before. */
	onState(state: State, changed: boolean): void;
	/** A key that the page has to answer. True: it did. */
	onCommand(command: Command): boolean;
}

export class Annotator {
	state: State = begin({ picture: { width: 1, height: 1 } });
	look: Look;
	view: View = { scale: 1, x: 0, y: 0 };
	/** Keys and clicks since the picture came. */
	inputs = 0;

	private picture: Picture | null = null;
	private readonly canvases: readonly [HTMLCanvasElement, HTMLCanvasElement];
	private stage: Size = { width: 1, height: 1 };
	private ratio = 1;
	private fits = true;
	private dirty = { picture: true, shapes: true };
	private frame = 0;
	private pointers = new Map<number, Point>();
	private panning: number | null = null;
	private reach = REACH;
	private readonly until = new AbortController();
	private readonly watcher: ResizeObserver;

	constructor(private readonly host: HTMLElement, look: Look, private readonly listener: Listener) {
		this.look = look;
		const canvas = (name: string): HTMLCanvasElement => {
			const made = document.createElement('canvas');
			made.className = name;
			made.setAttribute('aria-hidden', 'true');
			host.append(made);
			return made;
		};
		this.canvases = [canvas('annotator-picture'), canvas('annotator-shapes')];
		this.watcher = new ResizeObserver(() => this.measure());
		this.watcher.observe(host);
		this.listen();
		this.measure();
	}

	close(): void {
		this.until.abort();
		this.watcher.disconnect();
		cancelAnimationFrame(this.frame);
		for (const canvas of this.canvases) canvas.remove();
	}

	/** Another picture, with its own past. Null: it is still on its way. `key` names it in the page, for whoever watches from outside. */
	show(key: string, picture: Picture | null, state: State): void {
		this.host.dataset.key = key;
		const fits = state.picture.width !== this.state.picture.width || state.picture.height !== this.state.picture.height || this.fits;
		this.picture = picture;
		this.state = state;
		this.inputs = 0;
		this.pointers.clear();
		this.panning = null;
		if (fits) this.fit();
		this.repaint('all');
	}

	/** It has come. */
	setPicture(picture: Picture): void {
		this.picture = picture;
		this.repaint('all');
	}

	dispatch(action: Action): void {
		const before = this.state;
		const next = reduce(before, action);
		if (next === before) return;
		this.state = next;
		this.repaint('shapes');
		// Where the pointer is concerns only what is painted.
		if (action.do !== 'hover' && action.do !== 'drag') this.listener.onState(next, next.marks !== before.marks);
	}

	setLook(look: Look): void {
		this.look = look;
		this.repaint('shapes');
	}

	fit(): void {
		this.fits = true;
		this.setView(fitted(this.state.picture, this.stage));
	}

	zoom(factor: number, at: Point = [this.stage.width / 2, this.stage.height / 2]): void {
		this.fits = false;
		this.setView(zoomed(this.view, factor, at, this.state.picture, this.stage));
	}

	/** Brings a shape into sight, where it is outside. */
	reveal(rect: { x: number; y: number; w: number; h: number }): void {
		const { scale } = this.view;
		const [left, top] = [rect.x * scale + this.view.x, rect.y * scale + this.view.y];
		const outside = left + rect.w * scale < 0 || top + rect.h * scale < 0 || left > this.stage.width || top > this.stage.height;
		if (outside) this.setView({ scale, x: this.stage.width / 2 - (rect.x + rect.w / 2) * scale, y: this.stage.height / 2 - (rect.y + rect.h / 2) * scale });
	}

	/** True: the key was one of ours. */
	key(event: KeyboardEvent): boolean {
		const command = commandOf(event);
		if (!command) return false;
		if (event.repeat && command.on === 'page' && command.do !== 'lower' && command.do !== 'higher') return true;
		if (!this.obey(command)) return false;
		this.inputs += event.repeat ? 0 : 1;
		return true;
	}

	obey(command: Command): boolean {
		switch (command.on) {
			case 'shapes':
				// Nothing left to let go, to take back or to do again: the page may know more.
				if ((command.do === 'cancel' || command.do === 'undo') && !this.changes({ do: command.do })) return this.listener.onCommand(command);
				this.dispatch({ do: command.do });
				return true;
			case 'cycle': {
				const before = this.state;
				this.dispatch({ do: 'cycle', step: command.step, reach: this.imageReach() });
				return this.state !== before;
			}
			case 'nudge':
			case 'grow':
				if (this.state.selected === null) return false;
				this.dispatch({ do: command.on, dx: command.dx, dy: command.dy });
				return true;
			case 'view':
				if (command.do === 'hide') this.setLook({ ...this.look, hidden: true });
				else if (command.do === 'fit') this.fit();
				else this.zoom(command.do === 'in' ? ZOOM_STEP : 1 / ZOOM_STEP, this.pointerOnScreen());
				return true;
			default:
				return this.listener.onCommand(command);
		}
	}

	private changes(action: Action): boolean {
		const next = reduce(this.state, action);
		return next !== this.state && !(action.do === 'cancel' && this.state.gesture === null && this.state.selected === null);
	}

	private pointerOnScreen(): Point | undefined {
		const p = this.state.pointer;
		return p ? [p[0] * this.view.scale + this.view.x, p[1] * this.view.scale + this.view.y] : undefined;
	}

	private imageReach(): number {
		return this.reach / this.view.scale;
	}

	private setView(view: View): void {
		this.view = view;
		this.host.dataset.view = `${view.scale} ${view.x} ${view.y}`;
		this.repaint('all');
	}

	private measure(): void {
		const { width, height } = this.host.getBoundingClientRect();
		if (width < 1 || height < 1) return;
		this.ratio = Math.min(window.devicePixelRatio || 1, 2);
		this.stage = { width, height };
		for (const canvas of this.canvases) {
			canvas.width = Math.round(width * this.ratio);
			canvas.height = Math.round(height * this.ratio);
		}
		if (this.fits) this.fit();
		else this.setView(panned(this.view, 0, 0, this.state.picture, this.stage));
		// Canvases that were resized are empty: not a frame without a picture.
		this.paint();
	}

	private repaint(what: 'all' | 'shapes'): void {
		this.dirty.shapes = true;
		if (what === 'all') this.dirty.picture = true;
		this.frame ||= requestAnimationFrame(() => this.paint());
	}

	private paint(): void {
		cancelAnimationFrame(this.frame);
		this.frame = 0;
		const [below, above] = this.canvases.map((canvas) => canvas.getContext('2d'));
		if (below && this.dirty.picture) {
			paintPicture(below, this.picture, this.state.picture, this.view, this.stage, this.ratio);
		}
		if (above) paintShapes(above, this.state, this.view, this.look, this.stage, this.ratio);
		this.dirty = { picture: false, shapes: false };
		this.host.dataset.picture = this.picture ? 'shown' : 'none';
		this.host.dataset.painted = String(Number(this.host.dataset.painted ?? 0) + 1);
	}

	private at(event: { clientX: number; clientY: number }): Point {
		const box = this.host.getBoundingClientRect();
		return [event.clientX - box.left, event.clientY - box.top];
	}

	private listen(): void {
		const on = <K extends keyof HTMLElementEventMap>(name: K, run: (event: HTMLElementEventMap[K]) => void, passive = false): void =>
			this.host.addEventListener(name, run as EventListener, { signal: this.until.signal, passive });
		on('pointerdown', (event) => this.press(event));
		on('pointermove', (event) => this.move(event));
		on('pointerup', (event) => this.release(event));
		on('pointercancel', (event) => {
			this.pointers.delete(event.pointerId);
			this.panning = null;
			this.dispatch({ do: 'cancel' });
		});
		on('pointerleave', () => this.pointers.size === 0 && this.dispatch({ do: 'hover', at: null }));
		on('wheel', (event) => {
			event.preventDefault();
			const pixels = event.deltaMode === 1 ? event.deltaY * 24 : event.deltaY;
			this.zoom(Math.exp(-Math.max(-120, Math.min(120, pixels)) * (event.ctrlKey ? 0.008 : 0.0022)), this.at(event));
		});
		on('dblclick', () => this.state.gesture?.kind === 'polygon' && this.dispatch({ do: 'finish' }));
		on('contextmenu', (event) => event.preventDefault());
		addEventListener('keyup', (event) => {
			if (this.look.hidden && event.key.toLowerCase() === 'h') this.setLook({ ...this.look, hidden: false });
		}, { signal: this.until.signal });
		addEventListener('blur', () => this.look.hidden && this.setLook({ ...this.look, hidden: false }), { signal: this.until.signal });
	}

	private press(event: PointerEvent): void {
		const at = this.at(event);
		this.reach = event.pointerType === 'touch' ? REACH_TOUCH : REACH;
		this.pointers.set(event.pointerId, at);
		this.host.setPointerCapture(event.pointerId);
		this.host.focus({ preventScroll: true });
		event.preventDefault();
		if (this.pointers.size > 1) {
			// Two fingers look around; what the first one began was not meant.
			if (this.state.gesture?.kind !== 'polygon') this.dispatch({ do: 'cancel' });
			this.panning = event.pointerId;
			return;
		}
		this.inputs += 1;
		const reach = this.imageReach();
		if (event.button === 2) return this.dispatch({ do: 'deleteVertex', at: toImage(this.view, at), reach });
		if (event.button === 1) {
			this.panning = event.pointerId;
			return;
		}
		this.dispatch({ do: 'press', at: toImage(this.view, at), reach });
		// What no shape took hold of moves the picture.
		if (this.state.gesture === null && !MODES[this.state.mode].crosshair) this.panning = event.pointerId;
	}

	private move(event: PointerEvent): void {
		const at = this.at(event);
		const before = this.pointers.get(event.pointerId);
		if (before && this.pointers.size > 1) return this.pinch(event.pointerId, at);
		if (before) this.pointers.set(event.pointerId, at);
		if (before && this.panning === event.pointerId) {
			this.fits = false;
			return this.setView(panned(this.view, at[0] - before[0], at[1] - before[1], this.state.picture, this.stage));
		}
		const point = toImage(this.view, at);
		if (before && this.panning === null && this.state.gesture) this.dispatch({ do: 'drag', at: point, reach: this.imageReach() });
		else this.dispatch({ do: 'hover', at: point });
		this.host.style.cursor = this.panning !== null ? 'grabbing' : MODES[this.state.mode].cursor(this.state, point, this.imageReach());
	}

	private pinch(moving: number, at: Point): void {
		const before = this.pointers.get(moving);
		const other = [...this.pointers].find(([id]) => id !== moving)?.[1];
		this.pointers.set(moving, at);
		if (!before || !other) return;
		const was = Math.hypot(before[0] - other[0], before[1] - other[1]);
		const is = Math.hypot(at[0] - other[0], at[1] - other[1]);
		this.view = panned(this.view, (at[0] - before[0]) / 2, (at[1] - before[1]) / 2, this.state.picture, this.stage);
		this.zoom(was > 1 ? is / was : 1, [(at[0] + other[0]) / 2, (at[1] + other[1]) / 2]);
	}

	private release(event: PointerEvent): void {
		this.pointers.delete(event.pointerId);
		if (this.panning !== null) {
			if (this.pointers.size === 0) this.panning = null;
			return;
		}
		if (event.button !== 0) return;
		this.dispatch({ do: 'release', at: toImage(this.view, this.at(event)), reach: this.imageReach() });
		if (event.pointerType === 'touch') this.dispatch({ do: 'hover', at: null });
	}
}
