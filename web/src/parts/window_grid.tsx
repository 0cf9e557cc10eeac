// SPDX-License-Identifier: Apache-2.0
// A grid of any length that holds only the tiles on the screen; what a tile shows is the caller's.
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { gridShape, step, visibleRange, type GridShape } from '../lib/windowing';
import { px } from './basics';

const GAP = 10;
const OVERSCAN = 3;

export function WindowGrid({ total, label, tile, caption, row = 0, busy, keyOf, render, onLook, onKey }: {
	total: number;
	label: string;
	/** The least width of a tile, and what its caption takes under the picture. */
	tile: number;
	caption: number;
	/** One below the other, each so high. */
	row?: number;
	busy: boolean;
	keyOf: (index: number) => string;
	render: (index: number) => ComponentChildren;
	onLook: (first: number, last: number) => void;
	/** Keys that are not the grid's: answers whether it took one. */
	onKey?: (event: KeyboardEvent, index: number) => boolean;
}): JSX.Element {
	const element = useRef<HTMLDivElement>(null);
	const shapeAt = (width: number): GridShape =>
		(row > 0 ? { columns: 1, tileWidth: width, rowHeight: row } : gridShape(width, Math.min(tile, width / 2 - GAP), GAP, caption));
	const gap = row > 0 ? 0 : GAP;
	const [shape, setShape] = useState<GridShape>(() => shapeAt(1100));
	const [[first, last], setRange] = useState<[number, number]>([0, 23]);
	const look = useRef(onLook);
	look.current = onLook;

	useLayoutEffect(() => {
		const grid = element.current;
		if (!grid) return undefined;
		let frame = 0;
		const measure = (): void => {
			frame = 0;
			const width = grid.clientWidth;
			if (width === 0) return;
			const next = shapeAt(width);
			setShape((s) => (s.columns === next.columns && s.tileWidth === next.tileWidth && s.rowHeight === next.rowHeight ? s : next));
			const range = visibleRange(grid.getBoundingClientRect().top, innerHeight, next, total, OVERSCAN);
			setRange((r) => (r[0] === range[0] && r[1] === range[1] ? r : range));
			look.current(range[0], range[1]);
		};
		const later = (): void => {
			if (frame === 0) frame = requestAnimationFrame(measure);
		};
		measure();
		const observer = new ResizeObserver(later);
		observer.observe(grid);
		const until = new AbortController();
		addEventListener('scroll', later, { passive: true, signal: until.signal });
		addEventListener('resize', later, until);
		return () => {
			cancelAnimationFrame(frame);
			observer.disconnect();
			until.abort();
		};
	}, [total, tile, caption, row]);

	const onKeyDown = (event: KeyboardEvent): void => {
		const cell = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-index]') : null;
		if (!cell) return;
		const index = Number(cell.dataset.index);
		if (onKey?.(event, index)) return event.preventDefault();
		const next = step(index, event.key, shape.columns, total);
		if (next === null || event.target instanceof HTMLInputElement && event.target.type !== 'checkbox') return undefined;
		event.preventDefault();
		element.current?.querySelector<HTMLElement>(`[data-index="${next}"] :is(a, button)`)?.focus();
		return undefined;
	};

	const cells: JSX.Element[] = [];
	for (let index = first; index <= Math.min(last, total - 1); index++) {
		const x = (index % shape.columns) * (shape.tileWidth + GAP);
		const y = Math.floor(index / shape.columns) * shape.rowHeight;
		cells.push(
			<div key={keyOf(index)} data-index={index} class="cell still" role="listitem" aria-setsize={total} aria-posinset={index + 1}
				style={{ transform: `translate(${x}px, ${y}px)`, width: px(shape.tileWidth), height: px(shape.rowHeight - gap) }}>
				{render(index)}
			</div>);
	}
	const rows = Math.ceil(total / shape.columns);
	return (
		<div ref={element} class="grid" role="list" aria-label={label} aria-busy={busy} style={{ height: px(Math.max(0, rows * shape.rowHeight - gap)) }} onKeyDown={onKeyDown}>
			{cells}
		</div>
	);
}
