// SPDX-License-Identifier: Apache-2.0
// A sitting of one reviewer: the pictures leased ahead, where one is, what became of each. The server is asked for more
// before they run out; what was decided goes through the outbox, so nothing here waits for an answer.
import { marksOf, sameShapes, wire, type LooseShape } from '../annotator/wire';
import { begin, type State, type Whose } from '../annotator/state';
import { overlap } from '../annotator/geometry';
import type { Ghost, Mark, Origin, WireShape } from '../annotator/types';
import { ApiError } from '../api/client';
import { reviewApi, type Lease, type ReviewAsset } from '../api/review';
import type { Shape, TaskType } from '../api/types';
import type { Outbox } from '../lib/outbox';
import { championPrediction, shadowPredictions } from '../lib/shapes';
import { Store } from '../lib/store';
import { giveBackLeft, noteLeases } from './review_leases';

export type ItemStatus = 'waiting' | 'changed' | 'accepted' | 'corrected' | 'nothing' | 'skipped' | 'submitted';

export const DONE: ReadonlySet<ItemStatus> = new Set(['accepted', 'corrected', 'nothing', 'skipped', 'submitted']);

export interface Item {
	asset: ReviewAsset;
	status: ItemStatus;
	/** What the annotator knew when it was last open, with its past. */
	state: State | null;
	/** What the champion answered, as it would be accepted. */
	answered: readonly WireShape[];
	/** What was last saved as a review; null: none. */
	saved: readonly WireShape[] | null;
	seconds: number;
	inputs: number;
}

export interface Sitting {
	items: readonly Item[];
	at: number;
	/** In the queue, of anybody. */
	left: number;
	mineToday: number;
	/** No more pictures are to be had. */
	ended: boolean;
	error: unknown;
}

/** Pictures held ahead of the one before the eyes. */
const AHEAD = 8;
/** The server keeps no more for one tab. */
const HELD_MAX = 64;
const RENEW_MS = 60_000;
/** Whoever does nothing for so long gives back what they hold: the server's five minutes run out. */
const IDLE_MS = 4 * 60_000;
const RETRY_MS = 3_000;
/** A shadow's shape that lies so well on a real one of its label says nothing new. */
const SAME = 0.9;

export interface Reading {
	task: TaskType;
	threshold: number;
	/** Null: all. */
	labels: readonly string[] | null;
	/** The shadow's shapes are shown beside the champion's from the beginning. */
	both?: boolean;
}

const named = (shapes: readonly Shape[], labels: readonly string[] | null): Shape[] => (labels ? shapes.filter((s) => labels.includes(s.label)) : [...shapes]);

export const thresholdOf = (asset: ReviewAsset, standing: number): number => asset.threshold ?? standing;

/** What the champion answers: of classes the surest, whatever its score; of shapes those that reach the threshold. */
function answeredShapes(asset: ReviewAsset, { task, threshold, labels }: Reading): Shape[] {
	const at = thresholdOf(asset, threshold);
	const all = named(championPrediction(asset)?.shapes ?? [], labels).sort((a, b) => b.score - a.score);
	return task === 'CLASSIFICATION' ? all.slice(0, 1) : all.filter((s) => s.score >= at);
}

function ghostsOf(asset: ReviewAsset, answered: readonly Mark[], reading: Reading, first: number): Ghost[] {
	const made: Ghost[] = [];
	const add = (shapes: readonly LooseShape[], origin: Origin): void => {
		for (const mark of marksOf(shapes, first + made.length)) made.push({ ...mark, score: mark.score ?? 0, origin });
	};
	const at = thresholdOf(asset, reading.threshold);
	if (reading.task !== 'CLASSIFICATION') add(named(championPrediction(asset)?.shapes ?? [], reading.labels).filter((s) => s.score < at), 'champion');
	for (const shadow of shadowPredictions(asset)) {
		const fresh = marksOf(named(shadow.shapes, reading.labels).filter((s) => s.score >= at), 0)
			.filter((m) => !answered.some((a) => a.label === m.label && overlap(a.geometry, m.geometry) > SAME));
		for (const mark of fresh) made.push({ ...mark, id: first + made.length, score: mark.score ?? 0, origin: 'shadow' });
	}
	return made;
}

/** Of reviews the last one counts, unless it was taken back or says nothing of the shapes. */
function lastReview(asset: ReviewAsset): LooseShape[] | null {
	const last = (asset.reviews ?? []).filter((r) => r.kind !== 'SKIPPED').at(-1);
	return last && last.kind !== 'UNDONE' && (asset.status === 'REVIEWED' || asset.status === 'SUBMITTED') ? last.shapes : null;
}

function statusOf(asset: ReviewAsset): ItemStatus {
	if (asset.status === 'SUBMITTED') return 'submitted';
	if (asset.status === 'SKIPPED') return 'skipped';
	if (asset.status !== 'REVIEWED') return asset.draft ? 'changed' : 'waiting';
	const kind = (asset.reviews ?? []).at(-1)?.kind;
	return kind === 'ACCEPTED' ? 'accepted' : kind === 'NOTHING' ? 'nothing' : 'corrected';
}

export function itemOf(asset: ReviewAsset, reading: Reading, pending: readonly LooseShape[] | null): Item {
	const answered = marksOf(answeredShapes(asset, reading), 1);
	const review = lastReview(asset);
	const stored = pending ?? asset.draft?.shapes ?? review;
	const ghosts = ghostsOf(asset, answered, reading, answered.length + 1);
	const marks = stored ? marksOf(stored, answered.length + ghosts.length + 1) : answered;
	const whose: Whose = reading.both || asset.chosen?.why.includes('disagree') ? 'both' : 'champion';
	return {
		asset, status: pending ? 'changed' : statusOf(asset), answered: wire(answered), saved: review ? wire(marksOf(review, 1)) : null, seconds: 0, inputs: 0,
		// What a person has not seen as a ghost before: the model's own shapes are still there to be clicked.
		state: begin({ picture: asset.data.meta, marks, ghosts: stored ? [...answered.map((m): Ghost => ({ ...m, score: m.score ?? 0, origin: 'champion' })).filter((g) => !marks.some((m) => m.label === g.label && overlap(m.geometry, g.geometry) > 0.98)), ...ghosts] : ghosts, whose }),
	};
}

export class ReviewSession {
	readonly view: Store<Sitting>;
	private timer: ReturnType<typeof setTimeout> | undefined;
	private asking = false;
	private closed = false;
	private leasedAt = 0;
	private activeAt = Date.now();
	private readonly ids: readonly string[] | null;

	constructor(private readonly options: { deployment: string; reading: Reading; outbox: Outbox; tab: string; ids: readonly string[] | null; sample?: string | null; onLost: (name: string) => void }) {
		this.ids = options.ids;
		this.view = new Store<Sitting>({ items: [], at: 0, left: 0, mineToday: 0, ended: false, error: null });
	}

	async start(): Promise<void> {
		if (!this.ids) await giveBackLeft(this.options.deployment);
		await this.refill();
	}

	close(): void {
		this.closed = true;
		clearTimeout(this.timer);
		this.giveBack();
	}

	/** What is not decided goes to others. */
	giveBack(): void {
		const held = this.held().slice(0, HELD_MAX);
		if (this.ids || held.length === 0) return;
		reviewApi.release(this.options.deployment, this.options.tab, held).then(() => noteLeases(this.options.deployment, []), () => undefined);
	}

	/** Somebody is there: a key, a click, the pointer. */
	active(): void {
		const idle = Date.now() - this.activeAt > IDLE_MS;
		this.activeAt = Date.now();
		if (idle) void this.refill();
	}

	current(): Item | undefined {
		const { items, at } = this.view.get();
		return items[at];
	}

	/** Each change is saved at once. */
	changed(id: string, state: State): void {
		const shapes = wire(state.marks);
		this.update(id, (item) => ({ ...item, state, status: DONE.has(item.status) && item.saved && sameShapes(item.saved, shapes) ? item.status : 'changed' }));
		this.options.outbox.add('draft', id, { shapes });
	}

	keepState(id: string, state: State): void {
		this.update(id, (item) => ({ ...item, state }));
	}

	/** What is shown becomes the review, and the next picture is shown. */
	accept(state: State, spent: { seconds: number; inputs: number }): void {
		const item = this.current();
		if (!item) return;
		const shapes = wire(state.marks);
		const unchanged = item.saved !== null && DONE.has(item.status) && sameShapes(item.saved, shapes);
		if (!unchanged) {
			const seconds = Math.round(spent.seconds * 10) / 10;
			this.options.outbox.add('review', item.asset.id, { shapes, seconds, keys: spent.inputs });
			this.finish(item, state, shapes.length === 0 ? 'nothing' : sameShapes(item.answered, shapes) ? 'accepted' : 'corrected', shapes, spent);
		}
		this.move(1);
	}

	skip(reason: string, state: State, spent: { seconds: number; inputs: number }): void {
		const item = this.current();
		if (!item) return;
		this.options.outbox.add('skip', item.asset.id, { reason });
		this.finish(item, state, 'skipped', null, spent);
		this.move(1);
	}

	/** The picture before, as it was before it was decided. Null: there is none. */
	takeBack(): boolean {
		const { items, at } = this.view.get();
		const before = items[at - 1];
		if (!before || !DONE.has(before.status) || before.status === 'submitted') return false;
		this.options.outbox.add('unreview', before.asset.id, {});
		this.update(before.asset.id, (item) => ({ ...item, status: item.state && item.state.past.length > 0 ? 'changed' : 'waiting', saved: null }));
		this.view.set({ ...this.view.get(), at: at - 1, mineToday: Math.max(0, this.view.get().mineToday - 1) });
		return true;
	}

	move(step: 1 | -1): void {
		const { items, at } = this.view.get();
		this.go(Math.min(items.length, Math.max(0, at + step)));
	}

	go(at: number): void {
		const now = this.view.get();
		// Whether that was the last one is for the next answer to say.
		this.view.set({ ...now, at, ended: this.ids ? now.ended : now.ended && at < now.items.length });
		void this.refill();
	}

	/** Theirs was chosen over what was done here. */
	replace(asset: ReviewAsset): void {
		this.update(asset.id, () => itemOf(asset, this.options.reading, null));
	}

	private finish(item: Item, state: State, status: ItemStatus, saved: readonly WireShape[] | null, spent: { seconds: number; inputs: number }): void {
		const again = DONE.has(item.status);
		this.update(item.asset.id, (i) => ({ ...i, state, status, saved, seconds: i.seconds + spent.seconds, inputs: i.inputs + spent.inputs }));
		const { left, mineToday } = this.view.get();
		if (!again) this.view.set({ ...this.view.get(), mineToday: mineToday + 1, left: Math.max(0, left - 1) });
	}

	private update(id: string, change: (item: Item) => Item): void {
		const now = this.view.get();
		this.view.set({ ...now, items: now.items.map((item) => (item.asset.id === id ? change(item) : item)) });
	}

	private held(): string[] {
		return this.view.get().items.filter((item) => !DONE.has(item.status)).map((item) => item.asset.id);
	}

	/** A review on its way is not known to the server yet; the picture must not come twice. */
	private add(found: readonly ReviewAsset[]): void {
		const now = this.view.get();
		const known = new Set(now.items.map((item) => item.asset.id));
		const fresh = found.filter(({ id }) => !known.has(id)).flatMap((asset) => {
			const pending = this.options.outbox.pendingOf(asset.id);
			if (pending && !this.ids && (pending.what === 'review' || pending.what === 'skip')) return [];
			this.options.outbox.know(asset.id, asset.draft?.revision ?? asset.revision ?? 0);
			const shapes = pending?.what === 'draft' || pending?.what === 'review' ? pending.body.shapes as LooseShape[] : null;
			return [itemOf(asset, this.options.reading, shapes)];
		});
		this.view.set({ ...this.view.get(), items: [...now.items, ...fresh] });
	}

	private async refill(): Promise<void> {
		if (this.asking || this.closed) return;
		if (Date.now() - this.activeAt > IDLE_MS) return this.later(RENEW_MS);
		const { items, at, error } = this.view.get();
		const ahead = items.length - at;
		if (ahead >= AHEAD && error === null && Date.now() - this.leasedAt < RENEW_MS) return this.later(RENEW_MS);
		this.asking = true;
		let wait = RENEW_MS;
		try {
			if (this.ids) await this.fetchIds(this.ids);
			else await this.lease(Math.max(1, AHEAD - ahead));
		} catch (failure) {
			this.view.set({ ...this.view.get(), error: failure });
			// What was refused will be refused again; what got no answer may get one.
			if (failure instanceof ApiError && failure.status > 0 && failure.status < 500 && failure.status !== 429) wait = 10 * RENEW_MS;
			else wait = RETRY_MS;
		}
		this.asking = false;
		this.later(wait);
	}

	private later(ms: number): void {
		clearTimeout(this.timer);
		if (!this.closed) this.timer = setTimeout(() => void this.refill(), ms);
	}

	private async lease(count: number): Promise<void> {
		const lease: Lease = await reviewApi.lease(this.options.deployment, this.options.tab, Math.min(16, count), this.held().slice(0, HELD_MAX), this.options.sample ?? null);
		if (this.closed) return;
		this.leasedAt = Date.now();
		this.drop(lease.lost ?? []);
		this.add(lease.items);
		noteLeases(this.options.deployment, this.held());
		const now = this.view.get();
		const undecided = now.items.filter((item) => !DONE.has(item.status)).length;
		this.view.set({ ...now, left: Math.max(lease.left, undecided), mineToday: Math.max(lease.mine_today, now.mineToday), error: null, ended: now.items.length - now.at < AHEAD });
	}

	/** Those not begun that somebody else has by now; what was begun here stays, and the server compares. */
	private drop(lost: readonly string[]): void {
		const now = this.view.get();
		const items = now.items.filter((item, i) => i < now.at || item.status !== 'waiting' || !lost.includes(item.asset.id));
		if (items.length === now.items.length) return;
		const gone = now.items[now.at];
		this.view.set({ ...now, items });
		if (gone && !items.includes(gone)) this.options.onLost(gone.asset.data.filename);
	}

	private async fetchIds(ids: readonly string[]): Promise<void> {
		const { items, at } = this.view.get();
		const wanted = ids.slice(items.length, at + AHEAD);
		const found = await Promise.all(wanted.map((id) => reviewApi.asset(id)));
		if (this.closed) return;
		this.leasedAt = Date.now();
		this.add(found);
		const now = this.view.get();
		this.view.set({ ...now, left: ids.length - now.items.filter((item) => DONE.has(item.status)).length, error: null, ended: now.items.length >= ids.length });
	}
}
