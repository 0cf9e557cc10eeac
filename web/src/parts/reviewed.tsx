// SPDX-License-Identifier: Apache-2.0
// What people did to a prediction, and the way to the review tool.
import type { JSX } from 'preact';
import type { ReviewedAsset } from '../api/learn';
import type { PredictedAsset } from '../api/types';
import { statusWords } from '../lib/prediction_filter';
import { Time } from './basics';
import { Icon } from './icons';

const KINDS: Record<string, string> = { CORRECTED: 'corrected', ACCEPTED: 'accepted as is', NOTHING: 'nothing on it', SKIPPED: 'skipped', UNDONE: 'put back' };

export function ReviewFacts({ asset, deployment }: { asset: PredictedAsset; deployment: string }): JSX.Element {
	const { reviews, status }: ReviewedAsset = asset;
	const { word, tone, help } = statusWords(status);
	return (
		<section class="review-facts">
			<p><span class={`pill ${tone}`} title={help}>{word}</span>
				{status !== 'SUBMITTED' && <a class="button" href={`/deployment/${deployment}/review?ids=${asset.id}`}><Icon name="edit" /><span>{status === 'TO REVIEW' ? 'Review' : 'Review again'}</span></a>}
			</p>
			{(reviews?.length ?? 0) > 0 && (
				<ul>{[...reviews ?? []].reverse().slice(0, 4).map((r) => (
					<li key={r.id} class="muted">{KINDS[r.kind] ?? String(r.kind ?? 'reviewed').toLowerCase()} by {r.who ?? 'somebody'} <Time at={r.created_at} />{r.reason && `: ${r.reason}`}</li>
				))}</ul>
			)}
		</section>
	);
}
