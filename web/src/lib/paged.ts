// SPDX-License-Identifier: Apache-2.0
// A long list that is held only where it is looked at. Unlike the feed of predictions it does not grow by itself: what
// changed is read anew when somebody says so.
import type { Page } from '../api/types';

export const PAGE = 100;
/** What is held at most, and how far around the screen it stays. */
const HELD_MAX = 4000;
const NEAR = 1000;

export type FetchItems<Item> = (query: { limit: number; offset: number }, signal: AbortSignal) => Promise<Page<Item>>;

export class Paged<Item extends { id: string }> {
	/** null: not known yet. */
	total: number | null = null;
	error: unknown = null;
	private held = new Map<number, { item: Item; epoch: number }>();
	private asked = new Map<number, number>();
	private epoch = 0;
	private first = 0;
	private last = PAGE - 1;
	private busy = false;
	private readonly stop = new AbortController();

	constructor(private readonly fetchItems: FetchItems<Item>, private readonly changed: () => void) {}

	at(index: number): Item | undefined {
		return this.held.get(index)?.item;
	}

	indexOf(id: string): number {
		for (const [index, { item }] of this.held) if (item.id === id) return index;
		return -1;
	}

	/** Every item held at the moment, in the order of the list. */
	items(): Item[] {
		return [...this.held].sort((a, b) => a[0] - b[0]).map(([, { item }]) => item);
	}

	look(first: number, last: number): void {
		this.first = first;
		this.last = last;
		this.pump();
	}

	/** What is shown stays until its successor is there. */
	reload(): void {
		this.epoch += 1;
		this.error = null;
		this.pump();
	}

	/** What a change answered, put in at once. */
	put(item: Item): void {
		const index = this.indexOf(item.id);
		const before = this.held.get(index);
		if (!before) return;
		this.held.set(index, { item, epoch: before.epoch });
		this.changed();
	}

	close(): void {
		this.stop.abort();
	}

	/** The page looked at first whose items are not there, or are old. */
	private wanted(): number | null {
		const end = this.total === null ? this.first : Math.min(this.last, this.total - 1);
		for (let page = Math.floor(this.first / PAGE); page <= Math.floor(Math.max(end, this.first) / PAGE); page++) {
			if (this.total === 0 && this.asked.get(0) === this.epoch) return null;
			if (this.asked.get(page) !== this.epoch) return page;
		}
		return null;
	}

	private pump(): void {
		if (this.busy || this.stop.signal.aborted || this.error !== null) return;
		const page = this.wanted();
		if (page === null) return;
		this.busy = true;
		void this.load(page);
	}

	private async load(page: number): Promise<void> {
		const epoch = this.epoch;
		try {
			const answer = await this.fetchItems({ limit: PAGE, offset: page * PAGE }, this.stop.signal);
			if (this.stop.signal.aborted) return;
			this.take(page, answer, epoch);
		} catch (error) {
			if (this.stop.signal.aborted) return;
			if (epoch === this.epoch) this.error = error;
		}
		this.busy = false;
		this.changed();
		this.pump();
	}

	private take(page: number, answer: Page<Item>, epoch: number): void {
		this.asked.set(page, epoch);
		// Somebody added or removed some meanwhile: what else is held may have moved.
		if (this.total !== null && answer.count !== this.total && epoch === this.epoch) {
			this.epoch += 1;
			this.asked.set(page, this.epoch);
		}
		this.total = answer.count;
		for (let i = 0; i < PAGE; i++) {
			const item = answer.items[i];
			if (item) this.held.set(page * PAGE + i, { item, epoch });
			else this.held.delete(page * PAGE + i);
		}
		for (const index of this.held.keys()) if (index >= answer.count) this.held.delete(index);
		if (this.held.size > HELD_MAX) this.trim();
	}

	private trim(): void {
		for (const index of this.held.keys()) {
			if (index >= this.first - NEAR && index <= this.last + NEAR) continue;
			this.held.delete(index);
			this.asked.delete(Math.floor(index / PAGE));
		}
	}
}
