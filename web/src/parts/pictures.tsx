// SPDX-License-Identifier: Apache-2.0
// Pictures to try a model on: those tried before, and the last ones that deployments of its kind saw.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, ownPath } from '../api/client';
import { organization } from '../api/session';
import type { Deployment, ImageData, ModelVersion } from '../api/types';
import { sentence } from '../lib/explain';
import { Store } from '../lib/store';
import { useLoad } from './hooks';
import { say } from './toasts';

const TRIED_MAX = 8;

/** Newest first; kept while the page is open, so that the next version is tried on the same pictures. */
export const tried = new Store<readonly File[]>([]);

const same = (a: File, b: File): boolean => a.name === b.name && a.size === b.size;

export const remember = (picture: File): void => tried.set([picture, ...tried.get().filter((other) => !same(other, picture))].slice(0, TRIED_MAX));

/** Its own deployments first, then those that see pictures of the same kind. */
function byKinship(deployments: readonly Deployment[], version: ModelVersion): Deployment[] {
	const distance = (d: Deployment): number => (d.champion?.version_id === version.id ? 0 : d.champion?.model_id === version.origin.id ? 1 : 2);
	return deployments.filter((d) => d.type === version.type && d.stats.inferences > 0).sort((a, b) => distance(a) - distance(b));
}

async function lastPictures(version: ModelVersion, signal: AbortSignal): Promise<ImageData[]> {
	const { items } = await api.deployments(organization(), 50, 0, signal);
	const nearest = byKinship(items, version)[0];
	if (!nearest) return [];
	const page = await api.predictedAssets(nearest.id, { limit: 24, offset: 0 }, signal);
	const once = new Map(page.items.map(({ data }) => [data.filename, data]));
	return [...once.values()].slice(0, 10);
}

/** A stored picture as a file, as if it had been dropped. */
export async function fetchPicture(data: ImageData): Promise<File> {
	const response = await fetch(ownPath(data.presigned_url));
	if (!response.ok) throw new Error('The picture could not be fetched: its link may have expired. Reload the page.');
	const blob = await response.blob();
	return new File([blob], data.filename, { type: blob.type });
}

/** Small pictures of the last predictions, one click each. Nothing where there are none. */
export function LastPictures({ version, title, onPicture }: { version: ModelVersion; title?: string; onPicture: (picture: File) => void }): JSX.Element | null {
	const last = useLoad(`last pictures ${version.id}`, (signal) => lastPictures(version, signal));
	const [fetching, setFetching] = useState<string | null>(null);
	if (!last.data || last.data.length === 0) return null;
	const take = async (data: ImageData): Promise<void> => {
		setFetching(data.id);
		try {
			onPicture(await fetchPicture(data));
		} catch (error) {
			say('bad', sentence(error));
		}
		setFetching(null);
	};
	return (
		<div class="last-pictures" role="group" aria-label="Pictures of the last predictions">
			{title && <p class="muted">{title}</p>}
			{last.data.map((data) => (
				<button key={data.id} type="button" title={data.filename} aria-label={`Use ${data.filename}`} aria-busy={fetching === data.id} onClick={() => take(data)}>
					<img src={data.presigned_url} alt="" loading="lazy" decoding="async" />
				</button>
			))}
		</div>
	);
}
