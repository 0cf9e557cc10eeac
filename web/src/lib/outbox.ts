// SPDX-License-Identifier: Apache-2.0
// What people did and the server has not acknowledged yet. Each operation is in the browser's storage before the next
// key is read, is sent in order, and carries an id by which the server knows it again: a lost answer, a killed server or
// a closed tab neither loses it nor makes it happen twice. docs/internals/outbox.md
import { Store } from './store';

export type What = 'draft' | 'review' | 'skip' | 'unreview' | 'annotation';

export interface Operation {
	/** Known to the server as client_id. */
	id: string;
	what: What;
	/** The picture that it is about. */
	asset: string;
	body: Record<string, unknown>;
	/** The revision that it builds on; null until it is sent for the first time, and the same ever after. */
	base: number | null;
	/** Of this browser; the order in which things were done. */
	order: number;
	/** The person who did it: nobody else's session sends it. */
	who: string;
	/** The tab that did it. */
	tab: string;
}

/** What somebody else has stored meanwhile. */
export interface Theirs {
	revision: number;
	who: string | null;
	shapes: unknown[];
}

export interface Problem {
	operation: Operation;
	/** The server's sentence. */
	message: string;
	/** A conflict; null: it was refused. */
	theirs: Theirs | null;
}

export type Sent =
	| { as: 'done'; revision: number }
	| { as: 'conflict'; message: string; theirs: Theirs }
	| { as: 'refused'; message: string }
	/** No answer, or not now: the same again later. */
	| { as: 'later'; after_s: number | null };

export interface OutboxStatus {
	/** Not acknowledged yet. */
	waiting: number;
	/** The last try came to nothing. */
	away: boolean;
	/** It could not be written to the browser's storage: only this tab knows it. */
	unkept: boolean;
	problems: readonly Problem[];
}

/** The part of Storage that is used. */
export interface Keep {
	readonly length: number;
	key(index: number): string | null;
	getItem(key: string): string | null;
	setItem(key: string, value: string): void;
	removeItem(key: string): void;
}

export interface OutboxOptions {
	keep: Keep;
	send: (operation: Operation) => Promise<Sent>;
	who: string;
	tab: string;
	now?: () => number;
	later?: (run: () => void, ms: number) => unknown;
}

const PREFIX = 'gyre-outbox/';
const RETRY_FIRST_MS = 400;
const RETRY_MOST_MS = 8_000;

/** Later ones of these on the same picture say all that earlier ones did. */
const STATES: ReadonlySet<What> = new Set(['draft', 'annotation']);

function parsed(text: string | null): Operation | null {
	try {
		const value: unknown = JSON.parse(text ?? 'null');
		return typeof value === 'object' && value !== null && 'id' in value && 'what' in value && 'order' in value ? value as Operation : null;
	} catch {
		return null;
	}
}

export function newId(): string {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
}

export class Outbox {
	readonly status = new Store<OutboxStatus>({ waiting: 0, away: false, unkept: false, problems: [] });
	private queue: Operation[] = [];
	private problems: Problem[] = [];
	private readonly revisions = new Map<string, number>();
	private readonly unkept = new Set<string>();
	private order = 0;
	private sending: Operation | null = null;
	private tries = 0;
	private waiting = false;
	private away = false;

	constructor(private readonly options: OutboxOptions) {
		this.adopt([options.tab]);
	}

	/** Other tabs that have left something of this person's, or are about to send it. */
	others(): string[] {
		return [...new Set(this.stored().map((o) => o.tab))].filter((tab) => tab !== this.options.tab);
	}

	/** Takes over what tabs have left that are closed. */
	adopt(tabs: readonly string[]): void {
		const known = new Set([...this.queue, ...this.problems.map((p) => p.operation)].map((o) => o.id));
		this.queue = [...this.queue, ...this.stored().filter((o) => tabs.includes(o.tab) && !known.has(o.id))].sort((a, b) => a.order - b.order);
		this.order = Math.max(this.order, ...this.queue.map((o) => o.order));
		this.changed();
		this.run();
	}

	private stored(): Operation[] {
		const { keep, who } = this.options;
		const found: Operation[] = [];
		for (let i = 0; i < keep.length; i++) {
			const key = keep.key(i);
			const operation = key?.startsWith(PREFIX) ? parsed(keep.getItem(key)) : null;
			if (operation?.who === who) found.push(operation);
		}
		return found;
	}

	/** The revision of a picture's draft or annotation, as it was just read. What is under way knows better. */
	know(asset: string, revision: number): void {
		if (!this.queue.some((o) => o.asset === asset)) this.revisions.set(asset, revision);
	}

	add(what: What, asset: string, body: Record<string, unknown>): Operation {
		const operation: Operation = { id: newId(), what, asset, body, base: null, order: Math.max(this.order + 1, this.now()), who: this.options.who, tab: this.options.tab };
		this.order = operation.order;
		// What has never been sent and is said better by this one need not be sent at all.
		const outdated = what === 'unreview' ? [] : this.queue.filter((o) => o.asset === asset && STATES.has(o.what) && o.base === null && o !== this.sending);
		this.store(operation);
		for (const old of outdated) this.forget(old);
		this.queue = [...this.queue.filter((o) => !outdated.includes(o)), operation];
		this.changed();
		this.run();
		return operation;
	}

	/** What waits for a picture, newest last: what a page that opens again shows instead of what the server has. */
	pendingOf(asset: string): Operation | undefined {
		return [...this.queue].reverse().find((o) => o.asset === asset) ?? this.problems.find((p) => p.operation.asset === asset)?.operation;
	}

	/** At once, whatever the wait was: the network is back. */
	retry(): void {
		this.tries = 0;
		this.waiting = false;
		this.run();
	}

	/** "mine": over theirs, since somebody has seen both. "theirs": what was done here is dropped. */
	resolve(problem: Problem, choice: 'mine' | 'theirs'): void {
		this.problems = this.problems.filter((p) => p !== problem);
		const { operation, theirs } = problem;
		this.forget(operation);
		if (theirs) this.revisions.set(operation.asset, theirs.revision);
		if (choice === 'theirs') {
			for (const held of this.queue.filter((o) => o.asset === operation.asset)) this.forget(held);
			this.queue = this.queue.filter((o) => o.asset !== operation.asset);
		} else {
			// A new operation, since the old one has its answer; before what was done after it.
			const again: Operation = { ...operation, id: newId(), base: null };
			this.store(again);
			const later = this.queue.findIndex((o) => o.asset === operation.asset);
			this.queue.splice(later < 0 ? this.queue.length : later, 0, again);
		}
		this.changed();
		this.run();
	}

	private now(): number {
		return this.options.now?.() ?? Date.now();
	}

	private store(operation: Operation): void {
		try {
			this.options.keep.setItem(PREFIX + operation.id, JSON.stringify(operation));
			this.unkept.delete(operation.id);
		} catch {
			this.unkept.add(operation.id);
		}
	}

	private forget(operation: Operation): void {
		this.unkept.delete(operation.id);
		try {
			this.options.keep.removeItem(PREFIX + operation.id);
		} catch {
			// It was never in there.
		}
	}

	private changed(): void {
		this.status.set({ waiting: this.queue.length, away: this.away, unkept: this.unkept.size > 0, problems: this.problems });
	}

	/** The first of a picture that nothing is unsettled about. */
	private next(): Operation | undefined {
		const unsettled = new Set(this.problems.map((p) => p.operation.asset));
		return this.queue.find((o) => !unsettled.has(o.asset));
	}

	private run(): void {
		const operation = this.next();
		if (this.sending || this.waiting || !operation) return;
		if (operation.base === null) {
			operation.base = this.revisions.get(operation.asset) ?? 0;
			// Before it is sent: a second try must say the very same.
			this.store(operation);
		}
		this.sending = operation;
		this.options.send(operation).catch((): Sent => ({ as: 'later', after_s: null })).then((sent) => this.answered(operation, sent));
	}

	private answered(operation: Operation, sent: Sent): void {
		this.sending = null;
		this.away = sent.as === 'later';
		if (sent.as === 'later') {
			const ms = sent.after_s !== null ? sent.after_s * 1000 : RETRY_FIRST_MS * 2 ** this.tries;
			this.tries += 1;
			this.waiting = true;
			(this.options.later ?? setTimeout)(() => {
				if (!this.waiting) return;
				this.waiting = false;
				this.run();
			}, Math.min(ms, RETRY_MOST_MS));
			return this.changed();
		}
		this.tries = 0;
		this.queue = this.queue.filter((o) => o !== operation);
		if (sent.as === 'done') {
			this.revisions.set(operation.asset, sent.revision);
			this.forget(operation);
		} else {
			this.problems = [...this.problems, { operation, message: sent.message, theirs: sent.as === 'conflict' ? sent.theirs : null }];
		}
		this.changed();
		this.run();
	}
}
