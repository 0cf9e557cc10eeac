// SPDX-License-Identifier: Apache-2.0
// Pictures fetched and decoded before they are asked for, off the main thread, with smaller copies of big ones.
import type { Size } from './types';

export interface Picture {
	size: Size;
	/** Largest first: whole, half, a quarter. What is drawn small is drawn from a small one. */
	levels: ImageBitmap[];
}

/** Decoded pixels held at most; four bytes each. */
const PIXELS_MAX = 80_000_000;
/** Below that a smaller copy is not worth its memory. */
const LEVEL_PIXELS = 3_000_000;

async function fetched(url: string, signal: AbortSignal): Promise<Blob> {
	const response = await fetch(url, { signal, credentials: 'same-origin' });
	if (!response.ok) throw new Error(`The picture could not be fetched (${response.status}). Its link may have expired: reload the page.`);
	return response.blob();
}

async function decoded(blob: Blob): Promise<Picture> {
	const whole = await createImageBitmap(blob).catch(() => {
		throw new Error('The browser cannot show this picture.');
	});
	return { size: { width: whole.width, height: whole.height }, levels: [whole] };
}

/** Decoded anew at half the size, which happens off the main thread; reducing what is decoded would hold up the keys. */
async function addLevels(picture: Picture, blob: Blob): Promise<void> {
	const { width, height } = picture.size;
	if (width * height <= LEVEL_PIXELS) return;
	const reduce = (from: Blob | ImageBitmap, by: number): Promise<ImageBitmap> =>
		createImageBitmap(from, { resizeWidth: Math.ceil(width / by), resizeHeight: Math.ceil(height / by), resizeQuality: 'medium' });
	const half = await reduce(blob, 2);
	picture.levels.push(half);
	if (half.width * half.height > LEVEL_PIXELS / 2) picture.levels.push(await reduce(half, 4));
}

/** The smallest that has a pixel for each of the screen's. */
export function levelFor(picture: Picture, scale: number): ImageBitmap | undefined {
	let best = picture.levels[0];
	for (const level of picture.levels) if (level.width >= picture.size.width * scale) best = level;
	return best;
}

interface Held {
	url: string;
	abort: AbortController;
	blob: Promise<Blob>;
	picture: Promise<Picture> | null;
	pixels: number;
	ready: Picture | null;
}

/** Twice what is shown, for screens with small pixels. */
const THUMB_HEIGHT = 88;

export class Pictures {
	/** Small ones of all that were ever decoded. */
	readonly thumbs = new Map<string, ImageBitmap>();
	private held = new Map<string, Held>();

	/** `onRefined`: there are smaller copies of it, and a thumb. */
	constructor(private readonly onRefined: (key: string) => void = () => undefined) {}

	/** By key, the nearest first: all are fetched, and as many decoded as there is room for. Others are let go. */
	want(wanted: readonly { key: string; url: string; pixels: number }[]): void {
		const keys = new Set(wanted.map((w) => w.key));
		for (const [key, held] of this.held) {
			if (keys.has(key)) continue;
			held.abort.abort();
			void held.picture?.then((p) => p.levels.forEach((level) => level.close()), () => undefined);
			this.held.delete(key);
		}
		let room = PIXELS_MAX;
		for (const { key, url, pixels } of wanted) {
			room -= pixels;
			const held = this.hold(key, url, pixels);
			// The one before the eyes and the next one are decoded however big they are.
			if (room > 0 || key === wanted[0]?.key || key === wanted[1]?.key) void this.decode(key, held);
		}
	}

	/** Waits for its turn; a failed one is tried anew. */
	get(key: string, url: string, pixels: number): Promise<Picture> {
		return this.decode(key, this.hold(key, url, pixels));
	}

	/** What is there already, to be shown at once. */
	peek(key: string): Picture | null {
		return this.held.get(key)?.ready ?? null;
	}

	close(): void {
		this.want([]);
	}

	private hold(key: string, url: string, pixels: number): Held {
		const known = this.held.get(key);
		if (known) return known;
		const abort = new AbortController();
		const blob = fetched(url, abort.signal);
		const held: Held = { url, abort, blob, picture: null, pixels, ready: null };
		this.held.set(key, held);
		// What failed is asked for anew.
		blob.catch(() => this.held.get(key) === held && this.held.delete(key));
		return held;
	}

	private async thumb(key: string, { levels }: Picture): Promise<void> {
		const smallest = levels[levels.length - 1];
		if (!smallest || this.thumbs.has(key)) return;
		this.thumbs.set(key, await createImageBitmap(smallest, { resizeHeight: THUMB_HEIGHT, resizeQuality: 'low' }));
	}

	/** What makes it quicker from the second look on, once it can be shown at all. */
	private async refine(key: string, picture: Picture, blob: Blob): Promise<void> {
		await addLevels(picture, blob);
		await this.thumb(key, picture);
		this.onRefined(key);
	}

	private decode(key: string, held: Held): Promise<Picture> {
		held.picture ??= held.blob.then(async (blob) => {
			const picture = await decoded(blob);
			held.ready = picture;
			void this.refine(key, picture, blob).catch(() => undefined);
			return picture;
		});
		held.picture.catch(() => undefined);
		return held.picture;
	}
}
