// SPDX-License-Identifier: Apache-2.0
import { useEffect, useMemo, useState } from 'preact/hooks';
import { api } from '../api/client';
import { FeedLoader } from '../lib/feed_loader';
import { SCORE_FLOOR, type ThresholdView } from '../lib/shapes';

/** The last predictions of a deployment, loaded where they are looked at. */
export function useFeed(deployment: string, view: ThresholdView): FeedLoader {
	const [, render] = useState({});
	const loader = useMemo(() => {
		let queued = false;
		return new FeedLoader(
			(query, signal) => api.predictedAssets(deployment, query, signal),
			() => {
				if (queued) return;
				queued = true;
				queueMicrotask(() => {
					queued = false;
					render({});
				});
			});
	}, [deployment]);
	useEffect(() => () => loader.close(), [loader]);
	// At a threshold everything stored is fetched once, so that the slider moves without asking the server.
	useEffect(() => loader.setThreshold(view === null ? undefined : SCORE_FLOOR), [loader, view === null]);
	return loader;
}
