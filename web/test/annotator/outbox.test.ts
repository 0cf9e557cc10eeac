// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { Outbox, type Keep, type Operation, type Sent } from '../../src/lib/outbox';

class Memory implements Keep {
	readonly map = new Map<string, string>();
	full = false;
	get length(): number {
		return this.map.size;
	}
	key(i: number): string | null {
		return [...this.map.keys()][i] ?? null;
	}
	getItem(key: string): string | null {
		return this.map.get(key) ?? null;
	}
	setItem(key: string, value: string): void {
		if (this.full) throw new Error('quota');
		this.map.set(key, value);
	}
	removeItem(key: string): void {
		this.map.delete(key);
	}
	get kept(): number {
		return [...this.map.keys()].filter((k) => k.startsWith('gyre-outbox/')).length;
	}
}

/** As the server's contract has it: drafts with revisions, an id done once, and a wire that can fail on either side of it. */
class Server {
	readonly drafts = new Map<string, { revision: number; client_id: string; who: string; shapes: unknown[] }>();
	readonly reviews: { asset: string; id: string; shapes: unknown }[] = [];
	readonly calls: string[] = [];
	/** What the next calls come to. */
	weather: ('lost' | 'unheard' | 'fine')[] = [];
	away = false;

	send = async (o: Operation): Promise<Sent> => {
		await Promise.resolve();
		this.calls.push(`${o.what} ${o.asset}`);
		const now = this.away ? 'unheard' : this.weather.shift() ?? 'fine';
		if (now === 'unheard') return { as: 'later', after_s: null };
		const done = this.apply(o);
		return now === 'lost' ? { as: 'later', after_s: null } : done;
	};

	private apply(o: Operation): Sent {
		const draft = this.drafts.get(o.asset);
		if (o.what === 'draft') {
			if (draft?.client_id === o.id) return { as: 'done', revision: draft.revision };
			if ((draft?.revision ?? 0) !== o.base) return { as: 'conflict', message: 'changed', theirs: { revision: draft?.revision ?? 0, who: draft?.who ?? null, shapes: draft?.shapes ?? [] } };
			const revision = (o.base ?? 0) + 1;
			this.drafts.set(o.asset, { revision, client_id: o.id, who: o.who, shapes: o.body.shapes as unknown[] });
			return { as: 'done', revision };
		}
		if (o.body.refuse) return { as: 'refused', message: 'no' };
		if (!this.reviews.some((r) => r.id === o.id)) this.reviews.push({ asset: o.asset, id: o.id, shapes: o.body.shapes });
		this.drafts.delete(o.asset);
		return { as: 'done', revision: 0 };
	}
}

function setUp(keep = new Memory(), server = new Server(), over: { who?: string; tab?: string } = {}) {
	const waits: (() => void)[] = [];
	let clock = 1000;
	const outbox = new Outbox({ keep, send: server.send, who: over.who ?? 'ann', tab: over.tab ?? 'one', now: () => ++clock, later: (run) => waits.push(run) });
	const settle = async (): Promise<void> => {
		for (let i = 0; i < 400 && (outbox.status.get().waiting > 0 || waits.length > 0); i++) {
			waits.shift()?.();
			await new Promise((done) => setTimeout(done, 0));
			if (outbox.status.get().problems.length > 0 && waits.length === 0 && i > 40) break;
		}
	};
	return { keep, server, outbox, settle, waits };
}

describe('the outbox', () => {
	it('keeps an operation before it is sent, and forgets it when it is acknowledged', async () => {
		const { keep, outbox, settle, server } = setUp();
		outbox.add('draft', 'a', { shapes: [1] });
		expect(keep.kept).toBe(1);
		expect(outbox.status.get().waiting).toBe(1);
		await settle();
		expect(keep.kept).toBe(0);
		expect(server.drafts.get('a')).toMatchObject({ revision: 1, shapes: [1] });
	});

	it('sends only the last state of what was not sent yet, then the review after the draft under way', async () => {
		const { outbox, settle, server } = setUp();
		for (let i = 1; i <= 5; i++) outbox.add('draft', 'a', { shapes: [i] });
		outbox.add('review', 'a', { shapes: [5] });
		await settle();
		expect(server.calls).toEqual(['draft a', 'review a']);
		expect(server.reviews.map((r) => r.shapes)).toEqual([[5]]);
		expect(server.drafts.size).toBe(0);
	});

	it('a lost answer does nothing twice, whatever is done meanwhile', async () => {
		const { outbox, settle, server } = setUp();
		server.weather = ['lost', 'unheard', 'lost', 'fine', 'lost'];
		outbox.add('draft', 'a', { shapes: [1] });
		await new Promise((done) => setTimeout(done, 0));
		expect(outbox.status.get().away).toBe(true);
		outbox.add('draft', 'a', { shapes: [2] });
		outbox.add('review', 'b', { shapes: [] });
		await settle();
		expect(server.drafts.get('a')).toMatchObject({ revision: 2, shapes: [2] });
		expect(server.reviews).toHaveLength(1);
		expect(outbox.status.get()).toMatchObject({ waiting: 0, away: false, problems: [] });
	});

	it('a closed tab loses nothing: the next one sends the very same, in order', async () => {
		const keep = new Memory();
		const server = new Server();
		server.away = true;
		const first = setUp(keep, server);
		first.outbox.add('draft', 'a', { shapes: [1] });
		await new Promise((done) => setTimeout(done, 0));
		first.outbox.add('review', 'a', { shapes: [2] });
		first.outbox.add('skip', 'b', { reason: 'dark' });
		expect(keep.kept).toBe(3);
		server.away = false;
		server.calls.length = 0;
		const second = setUp(keep, server);
		expect(second.outbox.pendingOf('a')?.what).toBe('review');
		await second.settle();
		expect(server.calls).toEqual(['draft a', 'review a', 'skip b']);
		expect(server.reviews.map((r) => r.asset)).toEqual(['a', 'b']);
		expect(keep.kept).toBe(0);
	});

	it('takes over what a closed tab left, and nothing of another person', async () => {
		const keep = new Memory();
		const server = new Server();
		server.away = true;
		setUp(keep, server, { tab: 'one' }).outbox.add('review', 'a', { shapes: [] });
		const two = setUp(keep, server, { tab: 'two' });
		expect(two.outbox.status.get().waiting).toBe(0);
		expect(two.outbox.others()).toEqual(['one']);
		const bob = setUp(keep, server, { tab: 'three', who: 'bob' }).outbox;
		expect(bob.others()).toEqual([]);
		bob.adopt(['one']);
		expect(bob.status.get().waiting).toBe(0);
		server.away = false;
		two.outbox.adopt(['one']);
		two.outbox.adopt(['one']);
		expect(two.outbox.status.get().waiting).toBe(1);
		await two.settle();
		expect(server.reviews).toHaveLength(1);
		expect(keep.kept).toBe(0);
	});

	it('a conflict overwrites nothing; others go on; the choice decides', async () => {
		const { outbox, server, settle } = setUp();
		server.drafts.set('a', { revision: 3, client_id: 'x', who: 'bob', shapes: ['his'] });
		outbox.add('draft', 'a', { shapes: ['mine'] });
		outbox.add('review', 'b', { shapes: [] });
		await settle();
		const [problem] = outbox.status.get().problems;
		expect(problem?.theirs).toEqual({ revision: 3, who: 'bob', shapes: ['his'] });
		expect(server.drafts.get('a')?.shapes).toEqual(['his']);
		expect(server.reviews).toHaveLength(1);
		outbox.add('draft', 'a', { shapes: ['mine', 'too'] });
		await settle();
		expect(server.drafts.get('a')?.shapes).toEqual(['his']);
		if (problem) outbox.resolve(problem, 'mine');
		await settle();
		expect(server.drafts.get('a')).toMatchObject({ revision: 5, shapes: ['mine', 'too'] });
		expect(outbox.status.get().problems).toEqual([]);
	});

	it('theirs drops what was done here to that picture', async () => {
		const { outbox, server, settle, keep } = setUp();
		server.drafts.set('a', { revision: 3, client_id: 'x', who: 'bob', shapes: ['his'] });
		outbox.add('draft', 'a', { shapes: ['mine'] });
		await settle();
		outbox.add('draft', 'a', { shapes: ['more'] });
		const [problem] = outbox.status.get().problems;
		if (problem) outbox.resolve(problem, 'theirs');
		await settle();
		expect(server.drafts.get('a')?.shapes).toEqual(['his']);
		expect(keep.kept).toBe(0);
		outbox.add('draft', 'a', { shapes: ['his', 'and'] });
		await settle();
		expect(server.drafts.get('a')).toMatchObject({ revision: 4, shapes: ['his', 'and'] });
	});

	it('what is refused is shown, and what comes after it goes on', async () => {
		const { outbox, server, settle } = setUp();
		outbox.add('review', 'a', { refuse: true });
		outbox.add('review', 'b', {});
		await settle();
		expect(outbox.status.get().problems.map((p) => [p.message, p.theirs])).toEqual([['no', null]]);
		expect(server.reviews.map((r) => r.asset)).toEqual(['b']);
	});

	it('says so when the browser has no room for it, and sends it all the same', async () => {
		const { outbox, keep, server, settle } = setUp();
		keep.full = true;
		server.weather = ['unheard'];
		outbox.add('review', 'a', {});
		expect(outbox.status.get().unkept).toBe(true);
		await settle();
		expect(outbox.status.get()).toMatchObject({ unkept: false, waiting: 0 });
	});

	it('under any weather every review is there once and every draft is the last one', async () => {
		for (let seed = 1; seed <= 40; seed++) {
			const { outbox, server, settle } = setUp();
			let a = seed * 2654435761;
			const next = (n: number): number => {
				a = (Math.imul(a, 1664525) + 1013904223) >>> 0;
				return (a >>> 8) % n;
			};
			server.weather = Array.from({ length: 60 }, () => (['lost', 'unheard', 'fine'] as const)[next(3)] ?? 'fine');
			const last = new Map<string, number>();
			const reviews: string[] = [];
			for (let i = 0; i < 30; i++) {
				const asset = `p${next(4)}`;
				if (next(4) === 0) {
					reviews.push(`${asset} ${i}`);
					last.delete(asset);
					outbox.add('review', asset, { shapes: [i] });
				} else {
					last.set(asset, i);
					outbox.add('draft', asset, { shapes: [i] });
				}
				if (next(3) === 0) await new Promise((done) => setTimeout(done, 0));
			}
			await settle();
			expect(server.reviews.map((r) => `${r.asset} ${String((r.shapes as number[])[0])}`), `seed ${seed}`).toEqual(reviews);
			for (const [asset, i] of last) expect(server.drafts.get(asset)?.shapes, `seed ${seed}`).toEqual([i]);
			expect(outbox.status.get().problems).toEqual([]);
		}
	});
});
