// SPDX-License-Identifier: Apache-2.0
// Keeps a feed filled where it is looked at: one request at a time, the place looked at now before all others.
import type { Page, PredictedAsset } from '../api/types';
import { EMPTY_FEED, feedReducer, nextRequest, type Feed, type FeedEvent } from './feed';

export const PAGE_SIZE = 48;

export type FetchPage = (
	query: { limit: number; offset: number; threshold?: number }, signal: AbortSignal,
) => Promise<Page<PredictedAsset>>;

export class FeedLoader {
	feed: Feed = EMPTY_FEED;
	error: unknown = null;
	private first = 0;
	private last = PAGE_SIZE - 1;
	private threshold: number | undefined = undefined;
	private follow = true;
	private newestWanted = false;
	private busy = false;
	private requests = 0;
	private readonly stop = new AbortController();

	constructor(private readonly fetchPage: FetchPage, private readonly changed: () => void) {}

	/** Indexes in the grid that are on the screen. `follow`: new predictions may come in on top at once. */
	look(first: number, last: number, follow: boolean): void {
		this.first = first;
		this.last = last;
		this.follow = follow;
		if (follow) this.apply({ kind: 'follow' });
		this.pump();
	}

	/** Something new is there. Also tries again after an error. */
	refresh(): void {
		this.newestWanted = true;
		this.pump();
	}

	/** `undefined`: what was answered. */
	setThreshold(threshold: number | undefined): void {
		if (threshold === this.threshold) return;
		this.threshold = threshold;
		this.apply({ kind: 'view changed' });
		this.pump();
	}

	close(): void {
		this.stop.abort();
	}

	private apply(event: FeedEvent): void {
		const next = feedReducer(this.feed, event);
		if (next === this.feed) return;
		this.feed = next;
		this.changed();
	}

	private pump(): void {
		if (this.busy || this.stop.signal.aborted) return;
		const query = this.newestWanted
			? { offset: 0, limit: PAGE_SIZE } : nextRequest(this.feed, this.first, this.last, PAGE_SIZE);
		if (!query) return;
		this.newestWanted = false;
		this.busy = true;
		void this.load(query);
	}

	private async load(query: { offset: number; limit: number }): Promise<void> {
		const epoch = this.feed.epoch;
		const request = ++this.requests;
		const threshold = this.threshold;
		try {
			const page = await this.fetchPage(threshold === undefined ? query : { ...query, threshold }, this.stop.signal);
			if (this.stop.signal.aborted) return;
			this.error = null;
			this.apply({ kind: 'page', ...query, page, epoch, request, follow: this.follow });
			this.apply({ kind: 'trim', first: this.first, last: this.last });
		} catch (error) {
			if (this.stop.signal.aborted) return;
			this.error = error;
			this.busy = false;
			this.changed();
			return;
		}
		this.busy = false;
		this.pump();
	}
}
