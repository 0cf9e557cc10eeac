// SPDX-License-Identifier: Apache-2.0
// Nothing is left: what was done, and what it did.
import type { JSX } from 'preact';
import { qualityOf, reviewApi, type Interval, type Queue } from '../api/review';
import { loopApi } from '../api/loop';
import type { Deployment } from '../api/types';
import { count, duration, plural } from '../lib/format';
import { byCount, countWords, paceWords } from '../lib/loop';
import { Button } from './basics';
import { useLoad, useNow } from './hooks';
import type { ItemStatus, Sitting } from './review_session';

export function median(values: readonly number[]): number | null {
	if (values.length === 0) return null;
	const sorted = [...values].sort((a, b) => a - b);
	const half = sorted.length >> 1;
	return sorted.length % 2 ? sorted[half] ?? null : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}

const KINDS: readonly [ItemStatus, string][] = [['accepted', 'accepted as they were'], ['corrected', 'corrected'], ['nothing', 'with nothing on them'], ['skipped', 'skipped']];

/** `left`: of anybody, so all of them are before others. */
function heading(done: number, left: number): string {
	const others = left === 1 ? 'The last one is before somebody else.' : `The other ${count(left)} are before somebody else.`;
	if (done === 0) return left > 0 ? `Nothing waits for you. ${others}` : 'Nothing is waiting for a review.';
	return `${plural(done, 'picture')} done. ${left > 0 ? others : 'Nothing is left in the queue.'}`;
}

const percent = (x: number): string => `${(x * 100).toFixed(1)} %`;
const between = ({ low, high }: Interval): string => `${percent(low)} and ${percent(high)}`;

/** What the reviews did to what is known of the champion. */
function Learnt({ deployment, before, now }: { deployment: Deployment; before: Interval | null; now: Interval }): JSX.Element {
	const name = deployment.type === 'CLASSIFICATION' ? 'Accuracy' : 'mAP';
	const narrowed = before !== null && now.high - now.low < before.high - before.low - 0.0005;
	return <p>{name} is {percent(now.value)}, between {between(now)}{narrowed && before ? `; before it was only known to lie between ${between(before)}` : ''}.</p>;
}

/** What they count towards: the next training, and the verdict on a shadow. Reviewers are told of neither. */
function Towards({ deployment, sample, done }: { deployment: Deployment; sample: string | null; done: number }): JSX.Element {
	const ct = useLoad(`training at the end ${deployment.id} ${done}`, (signal) => loopApi.continuousTraining(deployment.id, signal));
	const version = sample || deployment.shadows[0]?.model_version_id;
	const verdict = useLoad(`verdict at the end ${deployment.id} ${version} ${done}`, (signal) => (sample !== null && version ? loopApi.verdict(deployment.id, version, signal) : Promise.resolve(null)));
	const now = useNow();
	const pace = ct.data && paceWords(ct.data, now);
	return (
		<>
			{verdict.data && <p><strong>{verdict.data.version.model}:{verdict.data.version.version}</strong> {verdict.data.sentence}</p>}
			{ct.data?.set && ct.data.active && byCount(ct.data) && <p><strong>{countWords(ct.data)}</strong> submitted reviews towards the next training{pace && `, ${pace}`}.{ct.data.open && ' One is being trained now.'}</p>}
		</>
	);
}

export function ReviewEnd({ deployment, sitting, before, quality, sample, back, onMore, onBack }: {
	deployment: Deployment;
	sitting: Sitting;
	/** As it was when this sitting began. */
	before: Queue | null;
	quality: Interval | null;
	/** The shadow whose disagreements were reviewed. */
	sample: string | null;
	back: string;
	onMore: () => void;
	onBack: () => void;
}): JSX.Element {
	const now = useLoad(`queue at the end ${deployment.id} ${sitting.items.length}`, (signal) => reviewApi.queue(deployment.id, signal));
	const learnt = useLoad(`quality at the end ${deployment.id} ${sitting.items.length}`, (signal) => qualityOf(deployment.id, signal));
	const done = sitting.items.filter((i) => i.seconds > 0 || i.inputs > 0);
	const pace = median(done.map((i) => i.seconds));
	const keys = median(done.map((i) => i.inputs));
	const reviewed = now.data?.reviewed ?? null;
	return (
		<section class="review-end" role="status">
			<h2>{heading(done.length, sitting.left)}</h2>
			{done.length > 0 && (
				<>
					<ul class="end-kinds">
						{KINDS.map(([status, text]) => [sitting.items.filter((i) => i.status === status).length, status, text] as const).filter(([n]) => n > 0)
							.map(([n, status, text]) => <li key={status} class={`is-${status}`}><strong>{count(n)}</strong> {text}</li>)}
					</ul>
					<p>{pace !== null && <>{duration(pace)} and {keys === null ? '' : plural(Math.round(keys), 'key or click', 'keys or clicks')} a picture, in the middle. </>}{plural(sitting.mineToday, 'picture')} of yours today.</p>
				</>
			)}
			{reviewed !== null && <p>{plural(reviewed + (now.data?.submitted ?? 0), 'picture')} of {deployment.name} {reviewed === 1 ? 'is' : 'are'} reviewed{before && reviewed > before.reviewed ? `, ${count(reviewed - before.reviewed)} more than before` : ''}{(now.data?.submitted ?? 0) > 0 ? `; ${count(now.data?.submitted ?? 0)} went into datasets` : ''}.</p>}
			{learnt.data && done.length > 0 && <Learnt deployment={deployment} before={quality} now={learnt.data} />}
			{done.length > 0 && <Towards deployment={deployment} sample={sample} done={done.length} />}
			{done.length === 0 && sitting.left === 0 && sample !== null && <p class="muted">Champion and shadow disagree on no picture that nobody has reviewed.</p>}
			{done.length === 0 && sitting.left === 0 && sample === null && <p class="muted">Pictures come in as the deployment predicts; the queue chooses from them by itself.</p>}
			<p class="row-actions">
				<a class="button primary" href={back}>Back to {deployment.name}</a>
				<Button onClick={onMore}>Look for more</Button>
				{sitting.items.length > 0 && <Button kind="quiet" onClick={onBack}>The last picture again</Button>}
			</p>
		</section>
	);
}
