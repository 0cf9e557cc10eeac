// SPDX-License-Identifier: Apache-2.0
// One prediction in the grid: the picture with its boxes, what was found, how long it took, when.
import type { JSX } from 'preact';
import type { PredictedAsset } from '../api/types';
import { exact, score, seconds } from '../lib/format';
import { championPrediction, shownShapes, summarize, type ThresholdView } from '../lib/shapes';
import { withParameter } from '../router';
import { LabelDot, Skeleton, Time } from './basics';
import { Boxes } from './boxes';

export function Tile({ asset, view, fresh }: { asset: PredictedAsset; view: ThresholdView; fresh: boolean }): JSX.Element {
	const prediction = championPrediction(asset);
	const shapes = shownShapes(asset, view);
	const labels = summarize(shapes);
	const { width, height } = asset.data.meta;
	return (
		<a class={fresh ? 'tile is-fresh' : 'tile'} href={withParameter('prediction', asset.id)} title={`${asset.data.filename}, ${exact(asset.created_at)}`}>
			<span class="tile-picture">
				<img src={asset.data.presigned_url} alt={asset.data.filename} loading="lazy" decoding="async" width={width} height={height} />
				<Boxes shapes={shapes} width={width} height={height} />
			</span>
			<span class="tile-caption">
				<span class="tile-labels">
					{labels.length === 0 && <span class="muted">nothing found</span>}
					{labels.slice(0, 3).map((l) => (
						<span key={l.labelId} class="tile-label">
							<LabelDot labelId={l.labelId} />{l.label} <span class="muted">{l.count > 1 ? `×${l.count}` : score(l.best)}</span>
						</span>
					))}
				</span>
				<span class="tile-facts muted"><span>{seconds(prediction?.latency)}</span><Time at={asset.created_at} /></span>
			</span>
		</a>
	);
}

export function TileSkeleton(): JSX.Element {
	return (
		<div class="tile is-loading" aria-hidden="true">
			<span class="tile-picture" />
			<span class="tile-caption"><Skeleton width="60%" height={12} /><Skeleton width="80%" height={10} /></span>
		</div>
	);
}
