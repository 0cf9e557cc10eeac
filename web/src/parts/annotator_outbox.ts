// SPDX-License-Identifier: Apache-2.0
// The outbox of this tab and this person: one, whatever page is open. What closed tabs have left is taken over.
import { sendOperation } from '../api/review';
import { newId, Outbox } from '../lib/outbox';

const TAB_KEY = 'gyre-tab';
/** Open tabs answer at once, hidden ones too. */
const ANSWER_MS = 300;
const LOOK_AGAIN_MS = 30_000;
/** So long a page waits for what was left before it asks for pictures. */
const DRAIN_MS = 3_000;

/** The same after a reload, another in another tab. */
function tabId(): string {
	try {
		const known = sessionStorage.getItem(TAB_KEY);
		if (known) return known;
		const made = newId();
		sessionStorage.setItem(TAB_KEY, made);
		return made;
	} catch {
		return newId();
	}
}

export const tab = tabId();

type Message = { ask: true } | { alive: string };
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('gyre-outbox');
const alive = new Set<string>();
channel?.addEventListener('message', ({ data }: MessageEvent<Message>) => {
	if ('ask' in data) channel.postMessage({ alive: tab } satisfies Message);
	else alive.add(data.alive);
});

/** Which of these tabs are closed: they do not answer. */
export async function closedTabs(tabs: readonly string[]): Promise<string[]> {
	if (tabs.length === 0) return [];
	alive.clear();
	channel?.postMessage({ ask: true } satisfies Message);
	await new Promise((done) => setTimeout(done, ANSWER_MS));
	return tabs.filter((other) => !alive.has(other));
}

const takeOver = async (outbox: Outbox): Promise<void> => outbox.adopt(await closedTabs(outbox.others()));

/** Until all is sent, or it is clear that it cannot be sent now. */
function drained(outbox: Outbox): Promise<void> {
	const settled = (): boolean => outbox.status.get().waiting === 0 || outbox.status.get().away;
	if (settled()) return Promise.resolve();
	return new Promise((done) => {
		const end = (): void => {
			stop();
			clearTimeout(timer);
			done();
		};
		const stop = outbox.status.watch(() => settled() && end());
		const timer = setTimeout(end, DRAIN_MS);
	});
}

let current: { who: string; outbox: Outbox; ready: Promise<void>; timer: ReturnType<typeof setInterval> } | null = null;

export function outboxOf(who: string): Outbox {
	if (current?.who === who) return current.outbox;
	if (current) clearInterval(current.timer);
	const outbox = new Outbox({ keep: localStorage, send: sendOperation, who, tab });
	current = { who, outbox, ready: takeOver(outbox).then(() => drained(outbox)), timer: setInterval(() => void takeOver(outbox), LOOK_AGAIN_MS) };
	return outbox;
}

/** The server knows what was left, as far as it can be told: only then is it worth asking what is next. */
export const outboxReady = (): Promise<void> => current?.ready ?? Promise.resolve();

addEventListener('online', () => current?.outbox.retry());
addEventListener('beforeunload', (event) => {
	// What is in the storage is sent by the next page; what is only here would be gone.
	if (current?.outbox.status.get().unkept) event.preventDefault();
});
