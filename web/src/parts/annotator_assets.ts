// SPDX-License-Identifier: Apache-2.0
// The assets of a dataset version one after the other, those without a label first; what is done goes through the outbox.
import { begin, type State } from '../annotator/state';
import { marksOf, wire, type LooseShape } from '../annotator/wire';
import { ApiError } from '../api/client';
import { reviewApi, type DatasetAsset } from '../api/review';
import type { Outbox } from '../lib/outbox';
import { Store } from '../lib/store';

export type AssetStatus = 'waiting' | 'changed' | 'accepted';

export interface AssetItem {
	asset: DatasetAsset;
	status: AssetStatus;
	state: State;
}

export interface Labelling {
	items: readonly AssetItem[];
	at: number;
	/** In the version, and how many of them had no label when they were asked for. */
	total: number;
	unlabelled: number;
	done: number;
	ended: boolean;
	error: unknown;
}

const PAGE = 100;
const AHEAD = 10;
const UNLABELLED = 'annotations.count = 0';
const LABELLED = 'annotations.count > 0';

function itemOf(asset: DatasetAsset, pending: readonly LooseShape[] | null): AssetItem {
	const marks = marksOf(pending ?? asset.annotation?.shapes ?? [], 1);
	const status = pending ? 'changed' : !asset.annotation ? 'waiting' : asset.annotation.status === 'ACCEPTED' ? 'accepted' : 'changed';
	return { asset, status, state: begin({ picture: asset.data.meta, marks }) };
}

export class AssetSession {
	readonly view = new Store<Labelling>({ items: [], at: 0, total: 0, unlabelled: 0, done: 0, ended: false, error: null });
	/** What is asked for next. */
	private readonly sources: { q: string | null; offset: number }[] = [{ q: UNLABELLED, offset: 0 }, { q: LABELLED, offset: 0 }];
	private asking = false;

	constructor(private readonly options: { version: string; outbox: Outbox; first: string | null }) {}

	start(): void {
		void this.refill();
	}

	changed(id: string, state: State): void {
		this.update(id, (item) => ({ ...item, state, status: 'changed' }));
		this.options.outbox.add('annotation', id, { shapes: wire(state.marks), make_labels: true });
	}

	/** Done with it. What is there already and stays as it is need not be sent again. */
	accept(state: State, seconds: number): void {
		const { items, at, done } = this.view.get();
		const item = items[at];
		if (!item) return;
		if (item.status !== 'accepted') {
			this.options.outbox.add('annotation', item.asset.id, { shapes: wire(state.marks), make_labels: true, status: 'ACCEPTED', seconds: Math.round(seconds * 10) / 10 });
			this.update(item.asset.id, (i) => ({ ...i, state, status: 'accepted' }));
			this.view.set({ ...this.view.get(), done: done + 1 });
		}
		this.move(1);
	}

	replace(id: string, shapes: readonly LooseShape[]): void {
		this.update(id, (item) => ({ ...item, status: 'changed', state: begin({ picture: item.asset.data.meta, marks: marksOf(shapes, 1) }) }));
	}

	move(step: 1 | -1): void {
		const { items, at } = this.view.get();
		this.go(Math.min(items.length, Math.max(0, at + step)));
	}

	go(at: number): void {
		this.view.set({ ...this.view.get(), at });
		void this.refill();
	}

	private update(id: string, change: (item: AssetItem) => AssetItem): void {
		const now = this.view.get();
		this.view.set({ ...now, items: now.items.map((item) => (item.asset.id === id ? change(item) : item)) });
	}

	private add(found: readonly DatasetAsset[]): void {
		const now = this.view.get();
		const known = new Set(now.items.map((item) => item.asset.id));
		const fresh = found.filter(({ id }) => !known.has(id)).map((asset) => {
			this.options.outbox.know(asset.id, asset.annotation?.revision ?? 0);
			const pending = this.options.outbox.pendingOf(asset.id);
			return itemOf(asset, pending ? pending.body.shapes as LooseShape[] : null);
		});
		this.view.set({ ...now, items: [...now.items, ...fresh] });
	}

	private async refill(): Promise<void> {
		const { items, at, ended } = this.view.get();
		if (this.asking || ended || items.length - at > AHEAD) return;
		this.asking = true;
		try {
			if (this.options.first && items.length === 0) await this.fetchFirst(this.options.first);
			while (this.sources.length > 0 && this.view.get().items.length - this.view.get().at <= AHEAD) await this.fetchPage();
			this.view.set({ ...this.view.get(), error: null, ended: this.sources.length === 0 });
		} catch (error) {
			this.view.set({ ...this.view.get(), error });
		}
		this.asking = false;
	}

	/** The one that was asked for by its link comes first, whatever is on it. */
	private async fetchFirst(id: string): Promise<void> {
		const { items } = await reviewApi.assets(this.options.version, { limit: 1, offset: 0, q: `id = "${id.replace(/[^0-9a-f-]/gi, '')}"` });
		this.add(items.filter((asset) => asset.id === id));
	}

	private async fetchPage(): Promise<void> {
		const [source] = this.sources;
		if (!source) return;
		try {
			const page = await reviewApi.assets(this.options.version, { limit: PAGE, offset: source.offset, ...(source.q ? { q: source.q } : {}) });
			source.offset += page.items.length;
			if (source.q === UNLABELLED && source.offset === page.items.length) this.view.set({ ...this.view.get(), unlabelled: page.count });
			if (page.items.length < PAGE) {
				this.sources.shift();
				if (source.q !== UNLABELLED) this.view.set({ ...this.view.get(), total: page.count + (source.q ? this.view.get().unlabelled : 0) });
			}
			this.add(source.q ? page.items : [...page.items].sort((a, b) => Number(Boolean(a.annotation)) - Number(Boolean(b.annotation))));
		} catch (error) {
			// A server without this question: all of them, as they come.
			if (!(error instanceof ApiError && error.status === 400 && source.q)) throw error;
			this.sources.splice(0, this.sources.length, { q: null, offset: 0 });
		}
	}
}
