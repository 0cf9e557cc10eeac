// SPDX-License-Identifier: Apache-2.0
// A grid of any length that holds only the tiles on the screen. Tiles are placed by transform, so a new prediction
// on top slides the others on, and nothing else moves.
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { itemAt, waiting } from '../lib/feed';
import type { FeedLoader } from '../lib/feed_loader';
import { count, plural } from '../lib/format';
import type { ThresholdView } from '../lib/shapes';
import { gridShape, step, visibleRange, type GridShape } from '../lib/windowing';
import { Button, Failure, px } from './basics';
import { Tile, TileSkeleton } from './tile';

const GAP = 10;
const CAPTION = 48;
const OVERSCAN = 2;

/** Small screens get two columns, wide ones as many of about 190 pixels as fit. */
const tileMin = (width: number, few: boolean): number => (few || width < 520 ? 140 : 190);

export function Grid({ loader, view, most }: {
	loader: FeedLoader;
	view: ThresholdView;
	/** No more than full rows of about so many: what is new then never waits. */
	most?: number;
}): JSX.Element {
	const element = useRef<HTMLDivElement>(null);
	const [shape, setShape] = useState<GridShape>(() => gridShape(1100, 190, GAP, CAPTION));
	const [[first, last], setRange] = useState<[number, number]>([0, 23]);
	const firstSeen = useRef(new Map<string, number>());
	const settled = useRef(false);
	const { feed } = loader;
	const loaded = feed.loaded ? feed.head : 12;
	const total = most === undefined ? loaded : Math.min(loaded, Math.ceil(most / shape.columns) * shape.columns);

	useLayoutEffect(() => {
		const grid = element.current;
		if (!grid) return undefined;
		let frame = 0;
		const measure = (): void => {
			frame = 0;
			const width = grid.clientWidth;
			if (width === 0) return;
			const next = gridShape(width, tileMin(width, most !== undefined), GAP, CAPTION);
			setShape((s) => (s.columns === next.columns && s.tileWidth === next.tileWidth ? s : next));
			const top = grid.getBoundingClientRect().top;
			const range = visibleRange(top, innerHeight, next, total, OVERSCAN);
			setRange((r) => (r[0] === range[0] && r[1] === range[1] ? r : range));
			// Once the first row is out of sight the reader is reading: what is new waits.
			loader.look(range[0], range[1], most !== undefined || top > -next.rowHeight / 2);
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
	}, [loader, total, most]);

	// A tile announces itself once: when it comes in on top of a page that was already there.
	const isFresh = (id: string, index: number): boolean => {
		const at = firstSeen.current.get(id) ?? (settled.current && index < 8 ? performance.now() : -Infinity);
		firstSeen.current.set(id, at);
		if (firstSeen.current.size > 1000) firstSeen.current.delete(firstSeen.current.keys().next().value ?? '');
		return performance.now() - at < 1500;
	};
	useEffect(() => {
		settled.current = feed.loaded;
	}, [feed.loaded]);

	const onKey = (event: KeyboardEvent): void => {
		const target = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-index]') : null;
		if (!target) return;
		const next = step(Number(target.dataset.index), event.key, shape.columns, total);
		if (next === null) return;
		event.preventDefault();
		element.current?.querySelector<HTMLElement>(`[data-index="${next}"] a`)?.focus();
	};

	const cells: JSX.Element[] = [];
	for (let index = first; index <= Math.min(last, total - 1); index++) {
		const asset = itemAt(feed, index);
		const x = (index % shape.columns) * (shape.tileWidth + GAP);
		const y = Math.floor(index / shape.columns) * shape.rowHeight;
		cells.push(
			<div key={asset ? asset.id : `empty ${feed.head - index}`} data-index={index} class="cell" role="listitem"
				aria-setsize={total} aria-posinset={index + 1}
				style={{ transform: `translate(${x}px, ${y}px)`, width: px(shape.tileWidth), height: px(shape.rowHeight - GAP) }}>
				{asset ? <Tile asset={asset} view={view} fresh={isFresh(asset.id, index)} /> : <TileSkeleton />}
			</div>);
	}
	const rows = Math.ceil(total / shape.columns);
	const more = waiting(feed);
	return (
		<>
			{loader.error !== null && <Failure error={loader.error} what="The predictions could not be read" onRetry={() => loader.refresh()} />}
			{more > 0 && (
				<div class="waiting">
					<Button kind="primary" onClick={() => {
						loader.showNewest();
						element.current?.scrollIntoView({ block: 'start' });
					}}>{plural(more, 'new prediction')}</Button>
				</div>
			)}
			<div ref={element} class="grid" role="list" aria-label={`${count(total)} predictions, newest first`} aria-busy={!feed.loaded}
				style={{ height: px(Math.max(0, rows * shape.rowHeight - GAP)) }} onKeyDown={onKey}>
				{cells}
			</div>
		</>
	);
}
