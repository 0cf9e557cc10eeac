// SPDX-License-Identifier: Apache-2.0
// What reviews say of the answers: mAP or accuracy with its interval, by label, by threshold, over time, champion beside shadow.
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { learn, type Quality } from '../api/learn';
import type { Deployment } from '../api/types';
import { Confusion } from '../charts/confusion';
import { PrCurve, ThresholdCurve } from '../charts/pr_curve';
import { QualityTime } from '../charts/quality_time';
import { count, plural } from '../lib/format';
import { inOrder, isEmpty, metricOf } from '../lib/quality';
import { throttle } from '../lib/throttle';
import { isNarrowed, watchKey, watchQuery, type WatchFilter } from '../lib/watch_filter';
import { Failure, Segments, Skeleton } from './basics';
import { useLoad } from './hooks';
import { Icon } from './icons';
import { CocoNumbers, QualityLabels } from './quality_labels';
import { QualityVersions } from './quality_versions';

function Nothing({ deployment, filtering }: { deployment: Deployment; filtering: boolean }): JSX.Element {
	const { name } = metricOf(deployment.type);
	if (filtering) return <p class="no-match">No reviewed image fits.</p>;
	return (
		<div class="quality-empty">
			<p>How good are the answers? From about 20 reviewed images on, {name} and its interval, precision and recall by label, and what is taken for what are shown here.</p>
			<p><a class="button primary" href={`/deployment/${deployment.id}/review`}><Icon name="review" /><span>Review 20 images</span></a></p>
		</div>
	);
}

function Shown({ quality, task }: { quality: Quality; task: string }): JSX.Element {
	const versions = useMemo(() => inOrder(quality.versions).filter((v) => v.images > 0), [quality]);
	const [whose, setWhose] = useState('');
	const chosen = versions.find((v) => v.model_version_id === whose) ?? versions[0];
	const { name } = metricOf(task);
	const classes = task.toUpperCase() === 'CLASSIFICATION';
	return (
		<>
			<QualityVersions versions={versions} task={task} threshold={quality.threshold} />
			<div class="quality-plots">
				<figure>
					<figcaption>{classes ? 'By threshold' : 'Precision and recall'} <span class="muted">{classes ? <><i class="swatch precision" />precision <i class="swatch recall" />recall <i class="swatch f1" />F1</> : 'mean of the labels, at IoU 0.5'}</span></figcaption>
					{classes ? chosen && <ThresholdCurve version={chosen} threshold={quality.threshold} /> : <PrCurve versions={versions} />}
				</figure>
				<figure>
					<figcaption>{name} over time <span class="muted">{plural(quality.over_time.length, 'span')}</span></figcaption>
					{quality.over_time.length > 0 ? <QualityTime over={quality.over_time} versions={versions} metric={name} /> : <p class="muted">Not enough reviews yet.</p>}
				</figure>
			</div>
			<div class="quality-tables">
				<section aria-label="Quality of each label"><h3>Each label</h3><QualityLabels versions={versions} task={task} /></section>
				{chosen?.confusion && (
					<section aria-label="What is taken for what">
						<h3 class="row-head">What is taken for what {versions.length > 1 && <Segments name="confusion-version" legend="Version" value={chosen.model_version_id} choices={versions.map((v) => [v.model_version_id, v.name] as const)} onChoose={setWhose} />}</h3>
						<Confusion confusion={chosen.confusion} />
					</section>
				)}
			</div>
			<CocoNumbers versions={versions} />
		</>
	);
}

/** Precision, recall and counts at the page's threshold; of what was answered, at the deployment's. */
export function QualityPanel({ deployment, filter, told }: { deployment: Deployment; filter: WatchFilter; told: { current: (() => void) | null } }): JSX.Element {
	const key = JSON.stringify([deployment.id, watchKey(filter), deployment.min_threshold, deployment.model_version_id]);
	const quality = useLoad(`quality ${key}`, (signal) => {
		const query = watchQuery(filter, Date.now());
		return learn.quality(deployment.id, { ...query, threshold: typeof filter.threshold === 'number' ? filter.threshold : undefined }, signal);
	});
	// While the answer to the next question comes, the last one stands.
	const [last, setLast] = useState<Quality | null>(null);
	useEffect(() => {
		if (quality.data) setLast(quality.data);
	}, [quality.data]);
	const refresh = useMemo(() => throttle(quality.reload, 1500), [quality.reload]);
	useEffect(() => {
		told.current = refresh;
		return () => {
			refresh.cancel();
			told.current = null;
		};
	}, [refresh]);
	const shown = quality.data ?? last;
	const filtering = isNarrowed(filter) || filter.range !== '';
	return (
		<section class="panel quality-panel" aria-label="Quality" id="quality">
			<header class="panel-head">
				<h2>Quality{shown && shown.reviewed > 0 && <span class="count" title="Reviewed images">{count(shown.reviewed)} reviewed</span>}</h2>
			</header>
			<div class="quality-body" aria-busy={quality.loading}>
				{quality.error !== null && <Failure error={quality.error} what="The quality could not be read" onRetry={quality.reload} />}
				{!shown && quality.loading && <Skeleton width="100%" height={140} />}
				{shown && (isEmpty(shown) ? <Nothing deployment={deployment} filtering={filtering} /> : <Shown quality={shown} task={shown.task || deployment.type} />)}
			</div>
		</section>
	);
}
