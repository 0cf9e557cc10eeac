// SPDX-License-Identifier: Apache-2.0
// A vertical where the champion changed, on every chart of time.
import type { JSX } from 'preact';

/** The champion changed. Unix seconds. */
export interface Marker {
	at: number;
	name: string;
}

export function Markers({ markers, from, to, width, height }: { markers: readonly Marker[]; from: number; to: number; width: number; height: number }): JSX.Element {
	let free = 0;
	return (
		<>
			{markers.filter((m) => m.at >= from && m.at <= to).map(({ at, name }) => {
				const left = ((at - from) / Math.max(1, to - from)) * width;
				const wide = 6.5 * name.length;
				const start = left + wide + 4 > width ? left - wide - 4 : left + 4;
				// A name that would lie on its neighbour's is left out: the line stays, History tells.
				const named = start >= free;
				if (named) free = start + wide + 10;
				return <g key={`${at} ${name}`} class="plot-marker"><line x1={left} x2={left} y1={-4} y2={height} />{named && <text x={start} y={-5}>{name}</text>}<title>{name}</title></g>;
			})}
		</>
	);
}
