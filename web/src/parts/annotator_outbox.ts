// SPDX-License-Identifier: Apache-2.0
// The outbox of this tab and this person: one, whatever page is open.
import { sendOperation } from '../api/review';
import { newId, Outbox } from '../lib/outbox';

const TAB_KEY = 'gyre-tab';
const BEAT_MS = 5_000;

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

let current: { who: string; outbox: Outbox; timer: ReturnType<typeof setInterval> } | null = null;

export function outboxOf(who: string): Outbox {
	if (current?.who === who) return current.outbox;
	if (current) clearInterval(current.timer);
	const outbox = new Outbox({ keep: localStorage, send: sendOperation, who, tab });
	const timer = setInterval(() => outbox.adopt(), BEAT_MS);
	current = { who, outbox, timer };
	return outbox;
}

addEventListener('online', () => current?.outbox.retry());
addEventListener('beforeunload', (event) => {
	// What is in the storage is sent by the next page; what is only here would be gone.
	if (current?.outbox.status.get().unkept) event.preventDefault();
});
