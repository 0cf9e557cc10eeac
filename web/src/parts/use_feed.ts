// SPDX-License-Identifier: Apache-2.0
import { useEffect, useMemo, useState } from 'preact/hooks';
import { api } from '../api/client';
import { FeedLoader } from '../lib/feed_loader';
import { SCORE_FLOOR, type ThresholdView } from '../lib/shapes';

export interface FeedFilter {
	source?: string | undefined;
	tag?: string | undefined;
	label?: string | undefined;
	version?: string | undefined;
	/** Unix seconds. */
	from?: number | undefined;
	to?: number | undefined;
}

/** The last predictions of a deployment that fit, loaded where they are looked at. */
export function useFeed(deployment: string, view: ThresholdView, filter: FeedFilter): FeedLoader {
	const key = JSON.stringify(filter);
	const [, render] = useState({});
	const loader = useMemo(() => {
		let queued = false;
		return new FeedLoader(
			(query, signal) => api.predictedAssets(deployment, { ...filter, ...query }, signal),
			() => {
				if (queued) return;
				queued = true;
				queueMicrotask(() => {
					queued = false;
					render({});
				});
			});
	}, [deployment, key]);
	useEffect(() => () => loader.close(), [loader]);
	// At a threshold everything stored is fetched once, so that the slider moves without asking the server; but who has a label
	// at this threshold, the server must say.
	const threshold = view === null ? undefined : filter.label ? view : SCORE_FLOOR;
	useEffect(() => loader.setThreshold(threshold), [loader, threshold]);
	return loader;
}
