// SPDX-License-Identifier: Apache-2.0
// Where on the images shapes were found, of all labels or of one.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { dashboard } from '../api/dashboard';
import type { Deployment } from '../api/types';
import { HeatmapChart } from '../charts/heatmap';
import { plural } from '../lib/format';
import { watchKey, watchQuery, type WatchFilter } from '../lib/watch_filter';
import { Failure, Segments, Skeleton } from './basics';
import { Select } from './tool_bar';
import { useStanding } from './use_standing';

const KINDS = [['coverage', 'Where they lie'], ['centres', 'Centres']] as const;

export function HeatmapPanel({ deployment, filter, ratio }: { deployment: Deployment; filter: WatchFilter; ratio: number }): JSX.Element {
	const [what, setWhat] = useState<'coverage' | 'centres'>('coverage');
	const [own, setOwn] = useState('');
	const label = filter.label || own;
	const { shown, loading, error, reload, element } = useStanding(`heatmap ${deployment.id} ${watchKey({ ...filter, label })} ${deployment.min_threshold}`, (signal) => dashboard.heatmap(deployment.id, watchQuery({ ...filter, label }, Date.now()), signal));
	return (
		<section class="panel chart-panel heatmap-panel" aria-label="Heat map">
			<header>
				<h3>Where shapes are found</h3>
				{!filter.label && <Select label="Label of the heat map" value={own} choices={[['', 'All labels'], ...deployment.labels.map((l) => [l, l] as const)]} onChoose={setOwn} />}
				<Segments name="heatmap-kind" legend="Counted" value={what} choices={KINDS} onChoose={setWhat} />
			</header>
			<div ref={element}>
			{error !== null && <Failure error={error} what="The heat map could not be read" onRetry={reload} />}
			{!shown && loading && <Skeleton width="100%" height={240} />}
			{shown && (shown.shapes > 0
				? <HeatmapChart cells={shown[what]} side={shown.side} what={what} images={shown.images} ratio={ratio} />
				: <p class="chart-nothing">{label ? `No “${label}”` : 'No shape'} was found on these images at this threshold. A lower one in the bar above may show what was just under it.</p>)}
			{shown && shown.shapes > 0 && <p class="panel-note muted">{plural(shown.shapes, label || 'shape')} on {plural(shown.images, 'image')}, every image stretched to this frame.{shown.basis.sentence && ` ${shown.basis.sentence}`}</p>}
			</div>
		</section>
	);
}
