// SPDX-License-Identifier: Apache-2.0
// Pictures fetched and decoded before they are asked for, one after the other in a worker, with smaller copies of big ones.
import type { DecodeAnswer } from './decode_worker';
import type { Size } from './types';

export interface Picture {
	size: Size;
	/** Largest first: whole, half, a quarter. What is drawn small is drawn from a small one. */
	levels: ImageBitmap[];
}

/** Decoded pixels held at most; four bytes each. */
const PIXELS_MAX = 80_000_000;

async function fetched(url: string, signal: AbortSignal): Promise<Blob> {
	const response = await fetch(url, { signal, credentials: 'same-origin' });
	if (!response.ok) throw new Error(`The picture could not be fetched (${response.status}). Its link may have expired: reload the page.`);
	return response.blob();
}

/** The smallest that has a pixel for each of the screen's. */
export function levelFor(picture: Picture, scale: number): ImageBitmap | undefined {
	let best = picture.levels[0];
	for (const level of picture.levels) if (level.width >= picture.size.width * scale) best = level;
	return best;
}

interface Task {
	key: string;
	blob: Blob;
	done: (answer: DecodeAnswer) => void;
}

/** One picture at a time, the one that is waited for first. */
class Decoder {
	private worker: Worker | null = null;
	private waiting: Task[] = [];
	private running: Task | null = null;

	decode(key: string, blob: Blob): Promise<DecodeAnswer> {
		return new Promise((done) => {
			this.waiting.push({ key, blob, done });
			this.next();
		});
	}

	/** Before all others. */
	hurry(key: string): void {
		this.waiting.sort((a, b) => Number(b.key === key) - Number(a.key === key));
	}

	forget(key: string): void {
		this.waiting = this.waiting.filter((task) => task.key !== key);
	}

	close(): void {
		this.worker?.terminate();
		this.worker = this.running = null;
		this.waiting = [];
	}

	private next(): void {
		if (this.running || this.waiting.length === 0) return;
		this.running = this.waiting.shift() ?? null;
		this.worker ??= this.start();
		this.worker.postMessage(this.running?.blob);
	}

	private start(): Worker {
		const worker = new Worker(new URL('./decode_worker.ts', import.meta.url), { type: 'module' });
		worker.addEventListener('message', ({ data }: MessageEvent<DecodeAnswer>) => {
			const task = this.running;
			this.running = null;
			task?.done(data);
			this.next();
		});
		return worker;
	}
}

interface Held {
	abort: AbortController;
	blob: Promise<Blob>;
	picture: Promise<Picture> | null;
	ready: Picture | null;
}

export interface Wanted {
	key: string;
	url: string;
	pixels: number;
}

/** A server that was away may be back. */
const AGAIN_MS = 2_000;

export class Pictures {
	/** Small ones of all that were ever decoded. */
	readonly thumbs = new Map<string, ImageBitmap>();
	private held = new Map<string, Held>();
	private wanted: readonly Wanted[] = [];
	private timer: ReturnType<typeof setTimeout> | undefined;
	private readonly decoder = new Decoder();

	/** `onThumb`: there is another one. */
	constructor(private readonly onThumb: () => void = () => undefined) {}

	/** By key, the nearest first: all are fetched, and as many decoded as there is room for. Others are let go. */
	want(wanted: readonly Wanted[]): void {
		this.wanted = wanted;
		const keys = new Set(wanted.map((w) => w.key));
		for (const [key, held] of this.held) {
			if (keys.has(key)) continue;
			held.abort.abort();
			this.decoder.forget(key);
			void held.picture?.then((p) => p.levels.forEach((level) => level.close()), () => undefined);
			this.held.delete(key);
		}
		let room = PIXELS_MAX;
		for (const { key, url, pixels } of wanted) {
			room -= pixels;
			const held = this.hold(key, url);
			// The one before the eyes and the next one are decoded however big they are.
			if (room > 0 || key === wanted[0]?.key || key === wanted[1]?.key) void this.decode(key, held);
		}
	}

	/** Comes before those that are only wanted; a failed one is tried anew. */
	get(key: string, url: string): Promise<Picture> {
		const picture = this.decode(key, this.hold(key, url));
		this.decoder.hurry(key);
		return picture;
	}

	/** What is there already, to be shown at once. */
	peek(key: string): Picture | null {
		return this.held.get(key)?.ready ?? null;
	}

	close(): void {
		clearTimeout(this.timer);
		this.want([]);
		this.decoder.close();
	}

	private hold(key: string, url: string): Held {
		const known = this.held.get(key);
		if (known) return known;
		const abort = new AbortController();
		const held: Held = { abort, blob: fetched(url, abort.signal), picture: null, ready: null };
		this.held.set(key, held);
		// What failed is asked for anew, a little later.
		held.blob.catch(() => {
			if (this.held.get(key) !== held) return;
			this.held.delete(key);
			clearTimeout(this.timer);
			this.timer = setTimeout(() => this.want(this.wanted), AGAIN_MS);
		});
		return held;
	}

	private decode(key: string, held: Held): Promise<Picture> {
		held.picture ??= held.blob.then(async (blob): Promise<Picture> => {
			const { levels, thumb } = await this.decoder.decode(key, blob);
			const [whole] = levels;
			if (!whole) throw new Error('The browser cannot show this picture.');
			held.ready = { size: { width: whole.width, height: whole.height }, levels };
			if (thumb) this.thumbs.set(key, thumb);
			this.onThumb();
			return held.ready;
		});
		held.picture.catch(() => undefined);
		return held.picture;
	}
}
