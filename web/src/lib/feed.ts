// SPDX-License-Identifier: Apache-2.0
// The last predictions as a window on a long, growing list. The server pages from the newest, so every new
// prediction shifts all offsets; positions counted from the oldest stay. The grid shows index i (0 = the first tile)
// = position head - 1 - i.
import type { Page, PredictedAsset } from '../api/types';

interface Slot {
	/** null: asked for and not given. */
	item: PredictedAsset | null;
	/** Which view (as answered, at a threshold) it was fetched for. */
	epoch: number;
}

export interface Feed {
	/** How many there are on the server, as last heard. */
	count: number;
	/** How many the grid shows: below `count` while the reader looks at older ones and new ones wait. */
	head: number;
	slots: ReadonlyMap<number, Slot>;
	positions: ReadonlyMap<string, number>;
	epoch: number;
	/** Request number of the newest answer applied: later answers to earlier requests say nothing on the count. */
	answered: number;
	loaded: boolean;
}

export const EMPTY_FEED: Feed = {
	count: 0, head: 0, slots: new Map(), positions: new Map(), epoch: 0, answered: 0, loaded: false,
};

export type FeedEvent =
	| { kind: 'page'; offset: number; limit: number; page: Page<PredictedAsset>; epoch: number; request: number; follow: boolean }
	| { kind: 'follow' }
	| { kind: 'trim'; first: number; last: number }
	| { kind: 'view changed' };

function applyPage(feed: Feed, event: Extract<FeedEvent, { kind: 'page' }>): Feed {
	const { page, offset, limit, epoch } = event;
	const current = event.request >= feed.answered;
	// Fewer than before means that some were deleted: positions moved, start again.
	const reset = current && page.count < feed.count;
	const slots = new Map(reset ? [] : feed.slots);
	const positions = new Map(reset ? [] : feed.positions);
	const put = (position: number, item: PredictedAsset | null): void => {
		const before = slots.get(position);
		if (before && before.epoch > epoch) return;
		if (item) {
			const elsewhere = positions.get(item.id);
			if (elsewhere !== undefined && elsewhere !== position) slots.delete(elsewhere);
			if (before?.item && before.item.id !== item.id) positions.delete(before.item.id);
			positions.set(item.id, position);
		}
		slots.set(position, { item, epoch });
	};
	const wanted = Math.min(limit, Math.max(0, page.count - offset));
	for (let i = 0; i < wanted; i++) put(page.count - 1 - offset - i, page.items[i] ?? null);
	const count = current ? page.count : Math.max(page.count, feed.count);
	const follow = event.follow || !feed.loaded || reset;
	return {
		count, slots, positions, epoch: feed.epoch, loaded: true,
		head: follow ? count : Math.min(feed.head, count),
		answered: Math.max(feed.answered, event.request),
	};
}

/** A page left open for days must not hold all that came by: what is far from where one looks goes. */
export const SLOTS_MAX = 3000;
const NEAR = 1000;

function trim(feed: Feed, first: number, last: number): Feed {
	if (feed.slots.size <= SLOTS_MAX) return feed;
	const newest = feed.count - NEAR / 4;
	const near = ([position]: [number, Slot]): boolean => {
		const index = feed.head - 1 - position;
		return position >= newest || (index >= first - NEAR && index <= last + NEAR);
	};
	const slots = new Map([...feed.slots].filter(near));
	const positions = new Map([...feed.positions].filter(([, position]) => slots.has(position)));
	return { ...feed, slots, positions };
}

export function feedReducer(feed: Feed, event: FeedEvent): Feed {
	switch (event.kind) {
	case 'page':
		return applyPage(feed, event);
	case 'follow':
		return feed.head === feed.count ? feed : { ...feed, head: feed.count };
	case 'trim':
		return trim(feed, event.first, event.last);
	case 'view changed':
		// What is shown stays until its successor arrives: no flicker.
		return { ...feed, epoch: feed.epoch + 1 };
	}
}

export function itemAt(feed: Feed, index: number): PredictedAsset | undefined {
	return feed.slots.get(feed.head - 1 - index)?.item ?? undefined;
}

/** Index in the grid, or -1. */
export function indexOf(feed: Feed, id: string): number {
	const position = feed.positions.get(id);
	return position === undefined || position >= feed.head ? -1 : feed.head - 1 - position;
}

export const waiting = (feed: Feed): number => feed.count - feed.head;

/** The next page to ask for so that indexes first…last are there; null when they are. */
export function nextRequest(feed: Feed, first: number, last: number, pageSize: number): { offset: number; limit: number } | null {
	if (!feed.loaded) return { offset: 0, limit: pageSize };
	for (let index = Math.max(0, first); index <= Math.min(last, feed.head - 1); index++) {
		const slot = feed.slots.get(feed.head - 1 - index);
		if (!slot || slot.epoch < feed.epoch) return { offset: index + waiting(feed), limit: pageSize };
	}
	return null;
}
