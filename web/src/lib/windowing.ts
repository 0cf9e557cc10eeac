// SPDX-License-Identifier: Apache-2.0
// Which tiles of a long grid are on the screen.

export interface GridShape {
	columns: number;
	tileWidth: number;
	rowHeight: number;
}

/** As many columns of at least `tileMin` pixels as fit, at least two; tiles are 4:3 with a caption under them. */
export function gridShape(width: number, tileMin: number, gap: number, caption: number): GridShape {
	const columns = Math.max(2, Math.floor((width + gap) / (tileMin + gap)));
	const tileWidth = Math.max(1, (width - gap * (columns - 1)) / columns);
	return { columns, tileWidth, rowHeight: Math.round(tileWidth * 0.75) + caption + gap };
}

/** `top`: where the grid begins relative to the screen's upper edge (negative once scrolled into). */
export function visibleRange(top: number, screen: number, shape: GridShape, count: number, overscanRows: number): [first: number, last: number] {
	const rows = Math.ceil(count / shape.columns);
	const firstRow = Math.floor(-top / shape.rowHeight) - overscanRows;
	const lastRow = Math.floor((screen - top) / shape.rowHeight) + overscanRows;
	const first = Math.min(Math.max(0, firstRow), Math.max(0, rows - 1)) * shape.columns;
	const last = Math.min(count, (Math.max(0, Math.min(lastRow, rows - 1)) + 1) * shape.columns) - 1;
	return [first, last];
}

/** Where the arrow keys lead from a tile; null where the key means nothing or there is nothing more. */
export function step(index: number, key: string, columns: number, count: number): number | null {
	const moves: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
	const move = moves[key];
	if (move === undefined) return null;
	const next = index + move;
	return next >= 0 && next < count ? next : null;
}
