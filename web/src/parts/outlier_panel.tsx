// SPDX-License-Identifier: Apache-2.0
// Outliers: how unusual each image is to the model, over time, and the most unusual ones.
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { watch, type Outliers } from '../api/watch';
import type { Deployment } from '../api/types';
import { OutlierTime, type TimeMarker } from '../charts/outlier_time';
import { leftToSay } from '../lib/drift';
import { count } from '../lib/format';
import { dots, isOutlier, outlierSentence, percent, rankWords } from '../lib/outliers';
import { trainingReady, trainingState } from '../lib/training_data';
import { watchKey, watchQuery, type WatchFilter } from '../lib/watch_filter';
import { AssetStrip, openAsset } from './asset_strip';
import { Failure, Skeleton } from './basics';
import { TrainingNeeded } from './training_data_needed';
import { useDelayed } from './use_delayed';
import { useStanding } from './use_standing';
import { useTraining } from './use_training';

const NO_MARKERS: readonly TimeMarker[] = [];

function Shown({ outliers, said, markers }: { outliers: Outliers; said: string | null; markers: readonly TimeMarker[] }): JSX.Element {
	const points = useMemo(() => dots(outliers), [outliers.points]);
	const { counts, limit } = outliers;
	const missing = leftToSay(outliers.missing, [said]);
	return (
		<>
			<p class={counts.low !== null && counts.low > outliers.rank ? 'drift-sentence is-drifted' : 'drift-sentence'}>{outlierSentence(outliers)}</p>
			{points.length > 0 && <OutlierTime points={points} limit={limit} markers={markers} onOpen={openAsset} />}
			{points.length > 0 && points.length < counts.images && <p class="muted drift-note">{count(points.length)} of {count(counts.images)} images drawn, outliers first.</p>}
			{outliers.worst.length > 0 && (
				<section aria-label="Most unusual images">
					<h3>Most unusual <span class="muted">the score, and 1 is the limit: {percent(outliers.rank)} of images like Training Data are above it</span></h3>
					<AssetStrip label="Most unusual images" items={outliers.worst.map((p) => ({ id: p.predicted_asset_id, value: p.score.toFixed(2), means: `Outlier score, ${rankWords(p.rank)}`, at: p.at, bad: isOutlier(p, outliers.rank) }))} />
				</section>
			)}
			{missing.length > 0 && <ul class="missing muted">{missing.map((m) => <li key={m}>{m}</li>)}</ul>}
		</>
	);
}

function Scored({ deployment, filter, said, markers }: { deployment: Deployment; filter: WatchFilter; said: string | null; markers: readonly TimeMarker[] }): JSX.Element {
	const late = useDelayed(filter, 150);
	const { shown, loading, error, reload, element } = useStanding(`outliers ${deployment.id} ${watchKey(late)} ${deployment.model_version_id}`, (signal) =>
		watch.outliers(deployment.id, watchQuery(late, Date.now()), signal));
	return (
		<div class="watch-body" ref={element} aria-busy={loading}>
			{error !== null && <Failure error={error} what="The outliers could not be read" onRetry={reload} />}
			{!shown && loading && <Skeleton width="100%" height={200} />}
			{shown && <Shown outliers={shown} said={said} markers={markers} />}
		</div>
	);
}

/** markers: where the champion changed. */
export function OutlierPanel({ deployment, filter, markers = NO_MARKERS }: { deployment: Deployment; filter: WatchFilter; markers?: readonly TimeMarker[] }): JSX.Element {
	const { data, loading } = useTraining(deployment.id);
	const on = data && trainingReady(data);
	return (
		<section class="panel watch-panel" aria-label="Outliers" id="outliers">
			<header class="panel-head"><h2>Outliers</h2></header>
			{on && <Scored deployment={deployment} filter={filter} said={data.reference?.note ?? null} markers={markers} />}
			{!on && (
				<div class="watch-body">
					{!data && loading && <Skeleton width="60%" />}
					{data && (trainingState(data) === 'making'
						? <p class="muted">Scores come as soon as Training Data is looked at, for the images before it too.</p>
						: <TrainingNeeded deployment={deployment} training={data} brief>Which images are unlike anything in Training Data? Each one gets a score and a rank, and the most unusual are shown.</TrainingNeeded>)}
				</div>
			)}
		</section>
	);
}
