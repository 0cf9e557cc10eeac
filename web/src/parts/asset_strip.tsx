// SPDX-License-Identifier: Apache-2.0
// A few pictures by their ids, each with a number that says why it is here; a click opens it.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { api, ApiError } from '../api/client';
import type { ImageData } from '../api/types';
import { navigate, withParameter } from '../router';
import { Time } from './basics';

/** null: it is gone. The same pictures stand in several panels and come again with each reading. */
const pictures = new Map<string, Promise<ImageData | null>>();
const KEPT = 300;

function pictureOf(id: string): Promise<ImageData | null> {
	const known = pictures.get(id);
	if (known) return known;
	const asked = api.predictedAsset(id, undefined).then((asset) => asset.data, (error: unknown) => {
		if (error instanceof ApiError && error.status === 404) return null;
		pictures.delete(id);
		throw error;
	});
	if (pictures.size >= KEPT) pictures.delete(pictures.keys().next().value ?? '');
	pictures.set(id, asked);
	return asked;
}

function Picture({ id }: { id: string }): JSX.Element {
	const [data, setData] = useState<ImageData | null | undefined>(undefined);
	useEffect(() => {
		let here = true;
		setData(undefined);
		pictureOf(id).then((found) => here && setData(found), () => undefined);
		return () => {
			here = false;
		};
	}, [id]);
	return (
		<span class="tile-picture">
			{data && <img src={data.presigned_url} alt={data.filename} loading="lazy" decoding="async" width={data.meta.width} height={data.meta.height} />}
			{data === null && <span class="muted">not kept</span>}
		</span>
	);
}

export interface StripItem {
	id: string;
	value: string;
	/** For those who listen: what the value is. */
	means: string;
	at: string | number;
	bad?: boolean;
}

export const openAsset = (id: string): void => navigate(withParameter('prediction', id));

export function AssetStrip({ items, label }: { items: readonly StripItem[]; label: string }): JSX.Element {
	return (
		<ul class="asset-strip" aria-label={label}>
			{items.map(({ id, value, means, at, bad }) => {
				const ms = typeof at === 'number' ? at * 1000 : at;
				return (
					<li key={id}>
						<a href={withParameter('prediction', id)}>
							<Picture id={id} />
							<span class="asset-strip-facts"><strong class={bad ? 'warn-text' : undefined} title={means}><span class="unseen">{means} </span>{value}</strong><span class="muted"><Time at={ms} /></span></span>
						</a>
					</li>
				);
			})}
		</ul>
	);
}
