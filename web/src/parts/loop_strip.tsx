// SPDX-License-Identifier: Apache-2.0
// How far the loop is: from what was seen to what is in a dataset, to the next version and what reviews say of it.
import type { ComponentChildren, JSX } from 'preact';
import type { FeedbackLoop, QueueCounts } from '../api/learn';
import type { ContinuousTraining } from '../api/loop';
import type { Deployment } from '../api/types';
import { loopState } from '../lib/feedback';
import { count } from '../lib/format';
import { byCount, countWords, experimentHref, paceWords, VERDICTS, wholeProgress } from '../lib/loop';
import { inShort, STATUS } from '../lib/training';
import { Time } from './basics';
import { useNow } from './hooks';
import { Icon } from './icons';
import { showPart } from './one_thing_bar';
import type { Verdicts } from './use_loop';

function Stage({ name, value, href, part, help, tone = '' }: { name: ComponentChildren; value: string; href: string; part?: string; help: string; tone?: string }): JSX.Element {
	const show = (event: Event): void => {
		if (!part) return;
		event.preventDefault();
		showPart(part);
	};
	return <li><a href={href} title={help} onClick={show}><strong class={tone}>{value}</strong><span>{name}</span></a></li>;
}

/** Towards the next training, or in the datasets where nothing counts them. */
function Submitted({ queue, ct, home }: { queue: QueueCounts; ct: ContinuousTraining | undefined; home: string }): JSX.Element {
	const now = useNow();
	const pace = ct ? paceWords(ct, now) : null;
	if (!ct?.set || !ct.active || !byCount(ct)) {
		return <Stage name="submitted" value={count(queue.submitted)} href={`${home}/predictions?status=SUBMITTED`} help="In the Feedback Loop’s datasets" tone={queue.submitted > 0 ? 'ok-text' : ''} />;
	}
	return <Stage name={<>submitted{pace && <small>{pace}</small>}</>} value={countWords(ct)} href={`${home}/settings/continuous-training`} help={`${ct.counts.rule} ${count(queue.submitted)} are in the datasets in all.`} tone="ok-text" />;
}

/** The training that runs, or the last one. */
function Run({ ct }: { ct: ContinuousTraining }): JSX.Element | null {
	if (ct.open) return <Stage name={ct.open.experiment.name} value={`training ${Math.floor(100 * wholeProgress(ct.open))} %`} href={experimentHref(ct.open)} help={inShort(ct.open)} tone="accent-text" />;
	const { last } = ct;
	if (!last) return null;
	const { word, tone } = STATUS[last.status];
	return <Stage name={<>last run {last.finished_at && <Time at={last.finished_at} />}</>} value={last.status === 'SUCCESS' && last.candidate ? `v${last.candidate.version}` : word} href={experimentHref(last)} help={inShort(last)} tone={`${tone}-text`} />;
}

export function LoopStrip({ deployment, queue, loop, ct, verdicts }: { deployment: Deployment; queue: QueueCounts; loop: FeedbackLoop | undefined; ct: ContinuousTraining | undefined; verdicts: Verdicts }): JSX.Element {
	const home = `/deployment/${deployment.id}`;
	const state = loop ? loopState(loop) : 'off';
	const [shadow] = deployment.shadows;
	const verdict = shadow && verdicts.get(shadow.model_version_id);
	return (
		<nav class="loop-strip panel" aria-label="From predictions to the next version">
			<ol>
				<Stage name="seen" value={count(deployment.stats.inferences)} href={`${home}/predictions`} help="Every prediction" />
				<Stage name="to review" value={count(queue.to_review)} href={`${home}/predictions?status=TO+REVIEW`} help="Nobody has looked at them" />
				<Stage name="reviewed" value={count(queue.reviewed)} href={`${home}/predictions?status=REVIEWED`} help="Reviewed, and not in a dataset yet" tone={queue.reviewed > 0 ? 'accent-text' : ''} />
				<Submitted queue={queue} ct={ct} home={home} />
				{ct?.set && <Run ct={ct} />}
				{shadow && <Stage name="in shadow" value={`v${shadow.version}${verdict ? `: ${VERDICTS[verdict.state].word.toLowerCase()}` : ''}`} href={home} part="cards" help={verdict?.sentence ?? 'It answers the same images unseen'} tone={verdict?.state === 'better' ? 'ok-text' : verdict?.state === 'worse' ? 'bad-text' : ''} />}
			</ol>
			<p class="loop-words">
				{state === 'off' && queue.reviewed > 0 && <a href={`${home}/settings/feedback`}>The Feedback Loop is off: reviews go nowhere</a>}
				{state === 'unready' && <a href={`${home}/settings/feedback`}>Attach a dataset for them</a>}
				{state === 'waiting' && <a class="warn-text" href={`${home}/settings/feedback`}>{count(loop?.counts.waiting ?? 0)} wait for a label</a>}
				{ct && !ct.set && state === 'on' && queue.submitted > 0 && <a href={`${home}/settings/continuous-training`}>Train the next version from them</a>}
				{ct?.state === 'paused' && <a class="bad-text" href={`${home}/settings/continuous-training`}>Training is paused</a>}
				{queue.to_review > 0 && <a class="button" href={`${home}/review`}><Icon name="review" /><span>Review</span></a>}
			</p>
		</nav>
	);
}
