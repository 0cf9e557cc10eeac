// SPDX-License-Identifier: Apache-2.0
// Decodes pictures and makes their smaller copies in a thread of its own: reducing 12 megapixels would hold up the keys.

/** Below that a smaller copy is not worth its memory. */
const LEVEL_PIXELS = 3_000_000;
/** Twice what is shown, for screens with small pixels. */
const THUMB_HEIGHT = 88;

export interface DecodeAnswer {
	/** Largest first: whole, half, a quarter. Empty: the browser cannot show this picture. */
	levels: ImageBitmap[];
	thumb: ImageBitmap | null;
}

async function decode(blob: Blob): Promise<DecodeAnswer> {
	const whole = await createImageBitmap(blob);
	const { width, height } = whole;
	const levels = [whole];
	for (let by = 2; by <= 4 && (width * height * 4) / (by * by) > LEVEL_PIXELS; by *= 2) {
		const last = levels[levels.length - 1] ?? whole;
		levels.push(await createImageBitmap(last, { resizeWidth: Math.ceil(width / by), resizeHeight: Math.ceil(height / by), resizeQuality: 'medium' }));
	}
	const thumb = await createImageBitmap(levels[levels.length - 1] ?? whole, { resizeHeight: THUMB_HEIGHT, resizeQuality: 'low' });
	return { levels, thumb };
}

const here = self as unknown as { postMessage: (answer: DecodeAnswer, moved: Transferable[]) => void };

addEventListener('message', ({ data }: MessageEvent<Blob>) => {
	decode(data).then(
		(answer) => here.postMessage(answer, [...answer.levels, ...(answer.thumb ? [answer.thumb] : [])]),
		() => here.postMessage({ levels: [], thumb: null }, []));
});
