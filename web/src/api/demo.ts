// SPDX-License-Identifier: Apache-2.0
// What `gyre demo` is at.
import { request } from './client';

export interface Demo {
	/** paused: it was begun, and is not played now. */
	state: 'none' | 'running' | 'paused' | 'done';
	step: number;
	steps: number;
	title: string | null;
	text: string | null;
	link: string | null;
	/** What it made, as paths, in the order in which they can be deleted. */
	remove: string[];
}

/** Those that are gone already are passed over. */
async function forget(path: string): Promise<void> {
	try {
		await request(path, { method: 'DELETE', body: {} });
	} catch (error) {
		if (!(error instanceof Error && 'status' in error && error.status === 404)) throw error;
	}
}

export const demo = {
	get: (signal?: AbortSignal) => request<Demo>('/api/demo', signal ? { signal } : {}),
	/** All that it made, then what it knew of it. */
	remove: async (paths: readonly string[]): Promise<void> => {
		for (const path of paths) await forget(path);
		await request('/api/demo', { method: 'DELETE' });
	},
};
