// SPDX-License-Identifier: Apache-2.0
// Settings, Feedback Loop: where corrected images go, under which labels, when, and what is kept to measure with.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { learn, type FeedbackLoop } from '../api/learn';
import type { ContinuousTraining } from '../api/loop';
import type { Deployment } from '../api/types';
import { sentence } from '../lib/explain';
import { delayWords, LOOP_BADGE, loopNext, loopSentence, loopState } from '../lib/feedback';
import { count, plural } from '../lib/format';
import { Button, Failure, Skeleton, Time } from './basics';
import { LabelTable } from './feedback_labels';
import { Targets } from './feedback_targets';
import type { Loaded } from './hooks';
import { lazy } from './lazy';
import { NextLine, SettingSection } from './setting';
import { say } from './toasts';

const ReviewSettings = lazy(() => import('./review_settings').then((m) => m.ReviewSettings));

interface Acting {
	deployment: Deployment;
	loop: FeedbackLoop;
	reload: () => void;
	onLoop: (loop: FeedbackLoop) => void;
}

function State({ deployment, loop, reload, ct }: Acting & { ct: ContinuousTraining | undefined }): JSX.Element {
	const [busy, setBusy] = useState(false);
	const { word, tone } = LOOP_BADGE[loopState(loop)];
	const next = loopNext(loop, ct, deployment.id);
	const run = async (what: () => Promise<unknown>, done: string): Promise<void> => {
		setBusy(true);
		try {
			await what();
			say('ok', done);
			reload();
		} catch (error) {
			say('bad', sentence(error));
		}
		setBusy(false);
	};
	const { counts } = loop;
	return (
		<section class="panel padded loop-state" aria-label="Feedback Loop">
			<div class="row-head">
				<h2>Feedback Loop <span class={`pill ${tone}`}>{word}</span></h2>
				{loop.set_up
					? <label class="switch"><input type="checkbox" role="switch" checked={loop.active} disabled={busy} onChange={() => run(() => learn.switchFeedback(deployment.id, !loop.active), loop.active ? 'The Feedback Loop is off.' : 'The Feedback Loop is on.')} /><span>{loop.active ? 'On' : 'Off'}</span></label>
					: <Button kind="primary" icon="loop" busy={busy} onClick={() => run(() => learn.setUpFeedback(deployment.id), 'The Feedback Loop is set up.')}>Set it up</Button>}
			</div>
			<p>Images that people corrected here become images of a dataset, with the corrections as their annotations: what the next model is trained on.</p>
			<p class="loop-sentence">{loopSentence(loop)}</p>
			<dl class="numbers">
				<div><dt>Reviewed</dt><dd>{count(counts.reviewed)}</dd></div>
				<div><dt>Submitted</dt><dd>{count(counts.submitted)}</dd></div>
				<div><dt>Waiting for a label</dt><dd class={counts.waiting > 0 ? 'warn-text' : undefined}>{count(counts.waiting)}</dd></div>
				{counts.next_submission_at && <div><dt>Next submission</dt><dd><Until at={counts.next_submission_at} /></dd></div>}
			</dl>
			<NextLine next={next} />
		</section>
	);
}

/** A time to come, in minutes. */
function Until({ at }: { at: string }): JSX.Element {
	const left = Math.round((Date.parse(at) - Date.now()) / 1000);
	return left > 0 ? <time dateTime={at}>in {left < 90 ? plural(left, 'second') : plural(Math.round(left / 60), 'minute')}</time> : <Time at={at} />;
}

const DELAYS = [0, 60, 300, 600, 1800, 3600, 21600, 86400];

function Timing({ deployment, loop, onLoop, reload }: Acting): JSX.Element {
	const [busy, setBusy] = useState(false);
	const change = async (fields: Partial<FeedbackLoop>): Promise<void> => {
		onLoop({ ...loop, ...fields });
		try {
			const after = await learn.changeFeedback(deployment.id, fields);
			if (after) onLoop({ ...loop, ...after });
		} catch (error) {
			say('bad', `Not changed. ${sentence(error)}`);
			reload();
		}
	};
	const submit = async (): Promise<void> => {
		setBusy(true);
		try {
			const { submitted, waiting, problems } = await learn.submit(deployment.id, { all: true });
			say(problems.length > 0 ? 'bad' : 'ok', `${plural(submitted, 'image')} submitted.${waiting > 0 ? ` ${count(waiting)} wait for a label.` : ''}${problems[0] ? ` ${problems[0].message}` : ''}`);
			reload();
		} catch (error) {
			say('bad', `Not submitted. ${sentence(error)}`);
		}
		setBusy(false);
	};
	const ready = loop.counts.reviewed;
	return (
		<SettingSection title="Submission" note="Until then a review can be undone. Afterwards it can be withdrawn, and the dataset is as it was.">
			<label class="check"><input type="checkbox" checked={loop.submit_by_itself} onChange={() => change({ submit_by_itself: !loop.submit_by_itself })} />Submit by itself</label>
			<label class="field inline-field">after the review by
				<select class="input" disabled={!loop.submit_by_itself} value={String(loop.submit_after_s)} onChange={(event) => change({ submit_after_s: Number(event.currentTarget.value) })}>
					{[...new Set([...DELAYS, loop.submit_after_s])].sort((a, b) => a - b).map((s) => <option key={s} value={String(s)}>{s === 0 ? 'no time at all' : delayWords(s)}</option>)}
				</select>
			</label>
			<p class="row-actions"><Button icon="loop" busy={busy} disabled={!loop.set_up || loop.targets.length === 0 || ready === 0} title={ready === 0 ? 'No review waits to be submitted.' : undefined} onClick={submit}>{ready > 0 ? `Submit ${plural(ready, 'review')} now` : 'Submit now'}</Button></p>
		</SettingSection>
	);
}

function Share({ deployment, loop, onLoop, reload }: Acting): JSX.Element {
	const save = async (evaluation_share: number): Promise<void> => {
		try {
			const after = await learn.changeFeedback(deployment.id, { evaluation_share });
			onLoop({ ...loop, ...(after ?? {}), evaluation_share });
		} catch (error) {
			say('bad', `Not changed. ${sentence(error)}`);
			reload();
		}
	};
	return (
		<SettingSection title="Kept to measure with" note="A share of all scenes is for evaluation only and is in no export for training. Which ones is drawn before anybody looks, and pictures of one scene stay together.">
			<div class="slider">
				<input type="range" aria-label="Share kept for evaluation" min={0} max={0.5} step={0.05} value={loop.evaluation_share} onInput={(event) => onLoop({ ...loop, evaluation_share: Number(event.currentTarget.value) })} onChange={(event) => save(Number(event.currentTarget.value))} />
				<output>{Math.round(100 * loop.evaluation_share)} %</output>
			</div>
			{loop.evaluation_share === 0 && <p class="warn-text">Without any, a new model is measured on what it was trained with.</p>}
		</SettingSection>
	);
}

export function FeedbackSettings({ deployment, loop, ct }: { deployment: Deployment; loop: Loaded<FeedbackLoop>; ct: ContinuousTraining | undefined }): JSX.Element {
	if (!loop.data) {
		return (
			<div class="settings">
				{loop.error !== null && <Failure error={loop.error} what={loop.error instanceof ApiError && loop.error.status === 404 ? 'This server has no Feedback Loop' : 'The Feedback Loop could not be read'} onRetry={loop.reload} />}
				{loop.loading && <section class="panel padded"><Skeleton width="100%" height={120} /></section>}
			</div>
		);
	}
	const acting: Acting = { deployment, loop: loop.data, reload: loop.reload, onLoop: loop.set };
	return (
		<div class="settings">
			<State {...acting} ct={ct} />
			{loop.data.set_up && (
				<>
					<SettingSection title="Datasets" note="Each corrected image goes into every version that is attached, once."><Targets deployment={deployment} loop={loop.data} reload={loop.reload} /></SettingSection>
					<SettingSection title="Labels" note="What each label of this deployment is called in the datasets. A review with a label that nobody decided about waits."><LabelTable key={loop.data.labels.map((l) => `${l.label} ${l.action} ${l.to_name}`).join()} deployment={deployment} loop={loop.data} reload={loop.reload} /></SettingSection>
					<Timing {...acting} />
					<Share {...acting} />
				</>
			)}
			<ReviewSettings deployment={deployment} />
		</div>
	);
}
