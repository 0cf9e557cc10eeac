// SPDX-License-Identifier: Apache-2.0
import { useRef } from 'preact/hooks';
import { api } from '../api/client';
import type { HistoryItem } from '../api/types';
import { versionIds, type VersionNames } from '../lib/history';
import { useLoad } from './hooks';

const NOTHING: readonly HistoryItem[] = [];

export interface History {
	items: readonly HistoryItem[];
	names: VersionNames;
	error: unknown;
	loading: boolean;
	reload: () => void;
}

/** What happened to a deployment, and the names of the model versions it speaks of. */
export function useHistory(deployment: string): History {
	const history = useLoad(`history ${deployment}`, (signal) => api.history(deployment, signal));
	const items = history.data?.items ?? NOTHING;
	const ids = versionIds(items);
	const names = useLoad(ids.join(' '), async (signal) => new Map(await Promise.all(ids.map(
		async (id): Promise<[string, string]> => {
			// A version that is gone keeps its id.
			const version = await api.modelVersion(id, signal).catch(() => null);
			return [id, version ? `${version.origin.name}:${version.version}` : `version ${id.slice(0, 8)}`];
		}))));
	const known = useRef<VersionNames>(new Map());
	if (names.data) known.current = names.data;
	return { items, names: known.current, error: history.error, loading: history.loading, reload: history.reload };
}
