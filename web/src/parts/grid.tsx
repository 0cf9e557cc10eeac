// SPDX-License-Identifier: Apache-2.0
// The last predictions, a few full rows of them. Tiles are placed by transform, so a new prediction on top slides the others
// on, and nothing else moves.
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { useWidth } from '../charts/use_width';
import { itemAt } from '../lib/feed';
import type { FeedLoader } from '../lib/feed_loader';
import { count } from '../lib/format';
import type { ThresholdView } from '../lib/shapes';
import { gridShape, step } from '../lib/windowing';
import { Failure, px } from './basics';
import { Tile, TileSkeleton } from './tile';

const GAP = 10;
const CAPTION = 48;
const TILE_MIN = 140;

export function Grid({ loader, view, most }: {
	loader: FeedLoader;
	view: ThresholdView;
	/** About so many: rows are full. */
	most: number;
}): JSX.Element {
	const element = useRef<HTMLDivElement>(null);
	const width = useWidth(element);
	const firstSeen = useRef(new Map<string, number>());
	const settled = useRef(false);
	const { feed } = loader;
	const shape = useMemo(() => gridShape(width || 560, TILE_MIN, GAP, CAPTION), [width]);
	const total = Math.min(feed.loaded ? feed.head : most, Math.ceil(most / shape.columns) * shape.columns);
	useEffect(() => loader.look(0, Math.max(0, total - 1), true), [loader, total]);

	// A tile announces itself once: when it comes in on top of a page that was already there.
	const isFresh = (id: string): boolean => {
		const at = firstSeen.current.get(id) ?? (settled.current ? performance.now() : -Infinity);
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

	const rows = Math.ceil(total / shape.columns);
	return (
		<>
			{loader.error !== null && <Failure error={loader.error} what="The predictions could not be read" onRetry={() => loader.refresh()} />}
			<div ref={element} class="grid" role="list" aria-label={`The last ${count(total)} predictions, newest first`} aria-busy={!feed.loaded}
				style={{ height: px(Math.max(0, rows * shape.rowHeight - GAP)) }} onKeyDown={onKey}>
				{Array.from({ length: total }, (_, index) => {
					const asset = itemAt(feed, index);
					const x = (index % shape.columns) * (shape.tileWidth + GAP);
					const y = Math.floor(index / shape.columns) * shape.rowHeight;
					return (
						<div key={asset ? asset.id : `empty ${feed.head - index}`} data-index={index} class="cell" role="listitem"
							style={{ transform: `translate(${x}px, ${y}px)`, width: px(shape.tileWidth), height: px(shape.rowHeight - GAP) }}>
							{asset ? <Tile asset={asset} view={view} fresh={isFresh(asset.id)} /> : <TileSkeleton />}
						</div>
					);
				})}
			</div>
		</>
	);
}
