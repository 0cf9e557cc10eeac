// SPDX-License-Identifier: Apache-2.0
// The pictures that a tab holds, noted where other tabs see it: what a closed one held is given back at once, not only
// when the server's five minutes are over.
import { reviewApi } from '../api/review';
import { closedTabs, tab } from './annotator_outbox';

const keyOf = (deployment: string, of: string): string => `gyre-leases/${deployment}/${of}`;

function idsIn(text: string | null): string[] {
	try {
		const value: unknown = JSON.parse(text ?? '[]');
		return Array.isArray(value) ? value.filter((v): v is string => typeof v === 'string') : [];
	} catch {
		return [];
	}
}

export function noteLeases(deployment: string, ids: readonly string[]): void {
	try {
		if (ids.length > 0) localStorage.setItem(keyOf(deployment, tab), JSON.stringify(ids));
		else localStorage.removeItem(keyOf(deployment, tab));
	} catch {
		// Then they come back after five minutes.
	}
}

/** Those of other tabs of this browser, by tab. */
function noted(deployment: string): Map<string, string[]> {
	const prefix = keyOf(deployment, '');
	const found = new Map<string, string[]>();
	for (let i = 0; i < localStorage.length; i++) {
		const key = localStorage.key(i);
		if (key?.startsWith(prefix) && key !== keyOf(deployment, tab)) found.set(key.slice(prefix.length), idsIn(localStorage.getItem(key)));
	}
	return found;
}

export async function giveBackLeft(deployment: string): Promise<void> {
	const others = noted(deployment);
	for (const closed of await closedTabs([...others.keys()])) {
		await reviewApi.release(deployment, closed, others.get(closed) ?? []).catch(() => undefined);
		localStorage.removeItem(keyOf(deployment, closed));
	}
}
