// SPDX-License-Identifier: Apache-2.0
// How far the loop is: from what was seen to what is in a dataset.
import type { JSX } from 'preact';
import type { FeedbackLoop, QueueCounts } from '../api/learn';
import type { Deployment } from '../api/types';
import { loopState } from '../lib/feedback';
import { count } from '../lib/format';
import { Icon } from './icons';

function Stage({ name, value, href, help, tone = '' }: { name: string; value: number; href: string; help: string; tone?: string }): JSX.Element {
	return <li><a href={href} title={help}><strong class={tone}>{count(value)}</strong><span>{name}</span></a></li>;
}

export function LoopStrip({ deployment, queue, loop }: { deployment: Deployment; queue: QueueCounts; loop: FeedbackLoop | undefined }): JSX.Element {
	const home = `/deployment/${deployment.id}`;
	const state = loop ? loopState(loop) : 'off';
	const submitted = `${home}/predictions?status=SUBMITTED`;
	return (
		<nav class="loop-strip panel" aria-label="From predictions to a dataset">
			<ol>
				<Stage name="seen" value={deployment.stats.inferences} href={`${home}/predictions`} help="Every prediction" />
				<Stage name="to review" value={queue.to_review} href={`${home}/predictions?status=TO+REVIEW`} help="Nobody has looked at them" />
				<Stage name="reviewed" value={queue.reviewed} href={`${home}/predictions?status=REVIEWED`} help="Reviewed, and not in a dataset yet" tone={queue.reviewed > 0 ? 'accent-text' : ''} />
				<Stage name="submitted" value={queue.submitted} href={submitted} help="In the Feedback Loop’s datasets" tone={queue.submitted > 0 ? 'ok-text' : ''} />
			</ol>
			<p class="loop-words">
				{state === 'off' && queue.reviewed > 0 && <a href={`${home}/settings/feedback`}>The Feedback Loop is off: reviews go nowhere</a>}
				{state === 'unready' && <a href={`${home}/settings/feedback`}>Attach a dataset for them</a>}
				{state === 'waiting' && <a class="warn-text" href={`${home}/settings/feedback`}>{count(loop?.counts.waiting ?? 0)} wait for a label</a>}
				{queue.to_review > 0 && <a class="button" href={`${home}/review`}><Icon name="review" /><span>Review</span></a>}
			</p>
		</nav>
	);
}
