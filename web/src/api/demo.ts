// SPDX-License-Identifier: Apache-2.0
// What `gyre demo` is at.
import { request } from './client';
import type { Page } from './types';

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

/** Snapshots are locked, so that what was trained on stays as it was: here they shall go. */
async function unlock(dataset: string): Promise<void> {
	const { items } = await request<Page<{ id: string; locked: boolean }>>(`${dataset}/versions?limit=1000`);
	for (const { id, locked } of items)
		if (locked) await request(`/api/dataset/version/${id}/unlock`, { method: 'POST', body: {} });
}

/** Those that are gone already are passed over. */
async function forget(path: string): Promise<void> {
	try {
		if (path.startsWith('/api/dataset/')) await unlock(path);
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
