// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Page, PredictedAsset } from '../src/api/types';
import { EMPTY_FEED, feedReducer, indexOf, itemAt, nextRequest, waiting, type Feed, type FeedEvent } from '../src/lib/feed';
import { FeedLoader, type FetchPage } from '../src/lib/feed_loader';

const asset = (n: number): PredictedAsset => ({ id: `asset ${n}` }) as PredictedAsset;

/** What a server with `count` predictions answers, asset 0 the oldest. */
function page(count: number, offset: number, limit: number): Page<PredictedAsset> {
	const items: PredictedAsset[] = [];
	for (let k = offset; k < Math.min(count, offset + limit); k++) items.push(asset(count - 1 - k));
	return { items, count };
}

let request = 0;
const load = (feed: Feed, count: number, offset: number, limit: number, more: Partial<Extract<FeedEvent, { kind: 'page' }>> = {}): Feed =>
	feedReducer(feed, { kind: 'page', offset, limit, page: page(count, offset, limit), epoch: feed.epoch, request: ++request, follow: false, ...more });

const shown = (feed: Feed, n: number): (string | undefined)[] => Array.from({ length: n }, (_, i) => itemAt(feed, i)?.id);

describe('the feed', () => {
	it('shows the newest first', () => {
		const feed = load(EMPTY_FEED, 100, 0, 3);
		expect(shown(feed, 4)).toEqual(['asset 99', 'asset 98', 'asset 97', undefined]);
		expect(feed.count).toBe(100);
	});

	it('lets new ones wait while older ones are read, and nothing moves', () => {
		let feed = load(EMPTY_FEED, 100, 0, 3);
		feed = load(feed, 102, 0, 3);
		expect(shown(feed, 3)).toEqual(['asset 99', 'asset 98', 'asset 97']);
		expect(waiting(feed)).toBe(2);
		feed = feedReducer(feed, { kind: 'follow' });
		expect(shown(feed, 3)).toEqual(['asset 101', 'asset 100', 'asset 99']);
		expect(waiting(feed)).toBe(0);
	});

	it('puts a page that was asked for before new ones came in its right place', () => {
		let feed = load(EMPTY_FEED, 100, 0, 3);
		// Offset 3 of 100 was asked for; by then there were 101, so the server began one newer.
		feed = load(feed, 101, 3, 3);
		expect(shown(feed, 6)).toEqual(['asset 99', 'asset 98', 'asset 97', 'asset 96', 'asset 95', undefined]);
	});

	it('starts again when something was deleted, but not for an answer that came late', () => {
		let feed = load(EMPTY_FEED, 100, 0, 3);
		const late = request - 1;
		feed = load(feed, 90, 50, 3, { request: late });
		expect(feed.count).toBe(100);
		feed = load(feed, 90, 0, 3);
		expect(feed.count).toBe(90);
		expect(shown(feed, 1)).toEqual(['asset 89']);
		expect(indexOf(feed, 'asset 99')).toBe(-1);
	});

	it('finds an asset, but not one that still waits', () => {
		let feed = load(EMPTY_FEED, 10, 0, 10);
		expect(indexOf(feed, 'asset 7')).toBe(2);
		feed = load(feed, 11, 0, 3);
		expect(indexOf(feed, 'asset 10')).toBe(-1);
		expect(indexOf(feed, 'asset 7')).toBe(2);
	});

	it('asks for what is missing where one looks', () => {
		let feed = load(EMPTY_FEED, 1000, 0, 48);
		expect(nextRequest(feed, 0, 47, 48)).toBeNull();
		expect(nextRequest(feed, 30, 60, 48)).toEqual({ offset: 48, limit: 48 });
		feed = load(feed, 1005, 0, 48);
		expect(nextRequest(feed, 500, 520, 48)).toEqual({ offset: 505, limit: 48 });
		expect(nextRequest(feed, 990, 5000, 48)).toEqual({ offset: 995, limit: 48 });
		expect(nextRequest(EMPTY_FEED, 0, 10, 48)).toEqual({ offset: 0, limit: 48 });
	});

	it('does not ask for ever for what the server does not give', () => {
		const short = { items: [asset(9)], count: 10 };
		const feed = feedReducer(EMPTY_FEED, { kind: 'page', offset: 0, limit: 5, page: short, epoch: 0, request: ++request, follow: true });
		expect(nextRequest(feed, 0, 4, 5)).toBeNull();
		expect(itemAt(feed, 1)).toBeUndefined();
	});

	it('lets go of what is far from where one looks, and never of what is on the screen', () => {
		let feed = load(EMPTY_FEED, 20_000, 0, 6000);
		feed = feedReducer(feed, { kind: 'trim', first: 4000, last: 4040 });
		expect(feed.slots.size).toBeLessThan(3000);
		expect(feed.positions.size).toBe(feed.slots.size);
		expect(itemAt(feed, 0)?.id).toBe('asset 19999');
		expect(itemAt(feed, 4020)?.id).toBe('asset 15979');
		expect(itemAt(feed, 2000)).toBeUndefined();
		expect(nextRequest(feed, 4000, 4040, 48)).toBeNull();
		expect(feedReducer(feed, { kind: 'trim', first: 0, last: 10 })).toBe(feed);
	});

	it('keeps showing the old view until the new one is there', () => {
		let feed = load(EMPTY_FEED, 10, 0, 5);
		feed = feedReducer(feed, { kind: 'view changed' });
		expect(itemAt(feed, 0)?.id).toBe('asset 9');
		expect(nextRequest(feed, 0, 4, 5)).toEqual({ offset: 0, limit: 5 });
		// An answer of the view before does not count.
		feed = load(feed, 10, 0, 5, { epoch: feed.epoch - 1 });
		expect(nextRequest(feed, 0, 4, 5)).not.toBeNull();
		feed = load(feed, 10, 0, 5);
		expect(nextRequest(feed, 0, 4, 5)).toBeNull();
	});
});

describe('the loader', () => {
	const settle = async (): Promise<void> => {
		for (let i = 0; i < 20; i++) await Promise.resolve();
	};

	function server(count: number): { count: number; asked: { offset: number; threshold?: number }[]; fail: boolean; fetch: FetchPage } {
		const it = {
			count, asked: [] as { offset: number; threshold?: number }[], fail: false,
			fetch: async (query: { limit: number; offset: number; threshold?: number }) => {
				it.asked.push(query);
				if (it.fail) throw new Error('no');
				return page(it.count, query.offset, query.limit);
			},
		};
		return it;
	}

	it('loads what is looked at and nothing else', async () => {
		const from = server(5000);
		const loader = new FeedLoader(from.fetch, () => undefined);
		loader.look(0, 20, true);
		await settle();
		expect(from.asked.map((q) => q.offset)).toEqual([0]);
		loader.look(3000, 3060, false);
		await settle();
		expect(from.asked.map((q) => q.offset)).toEqual([0, 3000, 3048]);
		expect(itemAt(loader.feed, 3030)?.id).toBe('asset 1969');
	});

	it('one request at a time, and on a refresh the newest', async () => {
		const from = server(100);
		const loader = new FeedLoader(from.fetch, () => undefined);
		loader.look(0, 20, true);
		loader.look(0, 20, true);
		expect(from.asked).toHaveLength(1);
		await settle();
		from.count = 103;
		loader.refresh();
		await settle();
		expect(from.asked).toHaveLength(2);
		expect(itemAt(loader.feed, 0)?.id).toBe('asset 102');
	});

	it('stops at an error and goes on when asked', async () => {
		const from = server(100);
		from.fail = true;
		const loader = new FeedLoader(from.fetch, () => undefined);
		loader.look(0, 20, true);
		await settle();
		expect(loader.error).toBeInstanceOf(Error);
		expect(from.asked).toHaveLength(1);
		from.fail = false;
		loader.refresh();
		await settle();
		expect(loader.error).toBeNull();
		expect(itemAt(loader.feed, 0)?.id).toBe('asset 99');
	});

	it('reads anew for another view, and with its threshold', async () => {
		const from = server(100);
		const loader = new FeedLoader(from.fetch, () => undefined);
		loader.look(0, 20, true);
		await settle();
		loader.setThreshold(0.01);
		await settle();
		expect(from.asked[1]).toEqual({ offset: 0, limit: 48, threshold: 0.01 });
		loader.setThreshold(0.01);
		await settle();
		expect(from.asked).toHaveLength(2);
	});

	it('is silent once closed', async () => {
		const from = server(100);
		let told = 0;
		const loader = new FeedLoader(from.fetch, () => told++);
		loader.look(0, 20, true);
		loader.close();
		await settle();
		expect(told).toBe(0);
		loader.refresh();
		expect(from.asked).toHaveLength(1);
	});
});
