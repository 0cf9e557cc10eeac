// SPDX-License-Identifier: Apache-2.0
// Where on images shapes are: a grid over the picture, lighter where more are.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { count, plural } from '../lib/format';
import { densest, heatPixels } from '../lib/plot';

export function HeatmapChart({ cells, side, what, images, ratio }: {
	cells: readonly number[];
	side: number;
	/** "centres" are counted where they lie; "coverage" counts each cell that a shape's box touches. */
	what: 'centres' | 'coverage';
	images: number;
	/** Width to height of the pictures, about. */
	ratio: number;
}): JSX.Element {
	const canvas = useRef<HTMLCanvasElement>(null);
	const [at, setAt] = useState<number | null>(null);
	useEffect(() => {
		const context = canvas.current?.getContext('2d');
		context?.putImageData(new ImageData(heatPixels(cells) as Uint8ClampedArray<ArrayBuffer>, side, side), 0, 0);
	}, [cells, side]);
	const most = densest(cells, side);
	const top = cells.reduce((a, b) => Math.max(a, b), 0);
	const words = most ? `Most are at the ${most.where} of the picture: ${Math.round(100 * most.share)} % in that ninth.` : 'Nothing was found on these images.';
	const value = at === null ? null : cells[at] ?? 0;
	return (
		<figure class="heatmap">
			<canvas ref={canvas} width={side} height={side} role="img" aria-label={`Heat map of ${what === 'centres' ? 'the centres of shapes' : 'where shapes lie'} on ${plural(images, 'image')}. ${words}`} style={{ aspectRatio: String(ratio) }}
				onPointerMove={(event) => {
					const box = event.currentTarget.getBoundingClientRect();
					const part = (offset: number, size: number): number => Math.min(side - 1, Math.max(0, Math.floor((offset / size) * side)));
					setAt(part(event.clientY - box.top, box.height) * side + part(event.clientX - box.left, box.width));
				}}
				onPointerLeave={() => setAt(null)} />
			<figcaption>
				<span class="heat-scale" aria-hidden="true"><span>0</span><i /><span>{count(top)}</span></span>
				<span>{value === null ? words : `${plural(value, what === 'centres' ? 'centre' : 'shape')} here`}</span>
			</figcaption>
		</figure>
	);
}
