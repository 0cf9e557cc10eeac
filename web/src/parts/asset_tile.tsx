// SPDX-License-Identifier: Apache-2.0
// One asset of a dataset version in its grid: the picture with what was drawn on it.
import type { JSX } from 'preact';
import type { Asset } from '../api/learn';
import { drawable } from '../lib/dataset_shapes';
import { summarize } from '../lib/shapes';
import { withParameter } from '../router';
import { LabelDot } from './basics';
import { Boxes } from './boxes';

export function AssetTile({ asset, labels }: { asset: Asset; labels: readonly string[] }): JSX.Element {
	const { width, height } = asset.data.meta;
	const shapes = drawable(asset.annotation?.shapes ?? [], labels);
	const found = summarize(shapes);
	return (
		<a class="tile" href={withParameter('asset', asset.id)} title={asset.data.filename}>
			<span class="tile-picture">
				<img src={asset.data.presigned_url} alt={asset.data.filename} loading="lazy" decoding="async" width={width} height={height} />
				<Boxes shapes={shapes} width={width} height={height} />
				{asset.evaluation && <span class="tile-flag" title="To measure with only: it is in no export for training.">evaluation</span>}
			</span>
			<span class="tile-caption">
				<span class="tile-labels">
					{!asset.annotation && <span class="muted">not annotated</span>}
					{asset.annotation && found.length === 0 && <span class="muted">nothing on it</span>}
					{found.slice(0, 3).map((l) => <span key={l.labelId} class="tile-label"><LabelDot labelId={l.labelId} />{l.label} {l.count > 1 && <span class="muted">×{l.count}</span>}</span>)}
				</span>
				<span class="tile-facts muted"><span class="tile-name">{asset.data.filename}</span></span>
			</span>
		</a>
	);
}
