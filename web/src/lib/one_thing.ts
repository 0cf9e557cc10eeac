// SPDX-License-Identifier: Apache-2.0
// The state of a deployment in one sentence: what is wrong, or the one thing to do next, or that all is well.
import type { FeedbackLoop, QueueCounts } from '../api/learn';
import type { ContinuousDeployment, ContinuousTraining, Verdict } from '../api/loop';
import type { Deployment } from '../api/types';
import type { AlertEvent, TrainingData } from '../api/watch';
import { loopSentence, loopState, waitingNames } from './feedback';
import { count, plural } from './format';
import { deploymentBadge, disagreementsLeft, experimentHref, reviewDisagreements, trainingBadge } from './loop';

export interface OneThing {
	tone: 'ok' | 'warn' | 'bad';
	words: string;
	/** A page, or a part of this one by its id. */
	action: { words: string; href: string } | { words: string; part: string } | null;
}

/** So many reviews say something of the quality. */
const REVIEWS = 20;

/** Where what an alert speaks of is shown, or what one does about it. */
function lookAt(event: AlertEvent, home: string): NonNullable<OneThing['action']> {
	switch (event.kind) {
	case 'latency':
	case 'avg_latency':
		return { words: 'See the latency', part: 'latency' };
	case 'failed':
		return { words: 'See what failed', part: 'failed' };
	case 'distribution':
		return { words: 'See the labels', part: 'labels' };
	case 'data_quality':
		return { words: 'See the images', part: 'images' };
	case 'training_failed':
		return { words: 'Continuous Training', href: `${home}/settings/continuous-training` };
	case 'is_drift':
	case 'is_outlier':
		return { words: `Review ${REVIEWS}`, href: `${home}/review` };
	default:
		return { words: 'See the quality', part: 'quality' };
	}
}

/** Of what is said and what may be done about it, the first: the card has all of it. */
const firstSentence = (text: string): string => text.split(/(?<=[.!?])\s+(?=[A-Z])/)[0] ?? text;
const ended = (text: string): string => (/[.!?]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`);

export interface Known {
	deployment: Deployment;
	queue: QueueCounts | undefined;
	loop: FeedbackLoop | undefined;
	training: TrainingData | undefined;
	ct: ContinuousTraining | undefined;
	cd: ContinuousDeployment | undefined;
	/** By version. */
	verdicts: ReadonlyMap<string, Verdict>;
	/** Open ones, newest first. */
	alerts: readonly AlertEvent[];
}

/** What stands in the way of the next version. */
function slowProblem(ct: ContinuousTraining | undefined, cd: ContinuousDeployment | undefined, home: string): OneThing | null {
	const settings = { words: 'Continuous Training', href: `${home}/settings/continuous-training` };
	if (ct?.set && ct.state === 'paused') return { tone: 'bad', words: `Continuous Training is paused: ${ended(firstSentence(ct.state_text.replace(/^Paused: /, '')))}`, action: settings };
	if (ct?.set && ct.active && ct.last?.status === 'FAILED' && !ct.open) {
		return { tone: 'warn', words: `The last training failed: ${ended(firstSentence(ct.last.error ?? 'no reason was given'))}`, action: { words: 'See why', href: experimentHref(ct.last) } };
	}
	if (ct?.set && ct.state === 'unready') return { tone: 'warn', words: `Continuous Training is on and cannot train: ${ended(firstSentence(ct.problems[0] ?? ct.state_text))}`, action: settings };
	if (cd?.set && cd.state === 'problem') return { tone: 'warn', words: ended(firstSentence(cd.note ?? cd.state_text)), action: { words: 'Continuous Deployment', href: `${home}/settings/continuous-deployment` } };
	return null;
}

/** A shadow about which something is to be decided, or found out. */
function shadowThing(verdicts: readonly Verdict[], cd: ContinuousDeployment | undefined, deployment: string): OneThing | null {
	const name = ({ version }: Verdict): string => `${version.model}:${version.version}`;
	const better = verdicts.find((v) => v.state === 'better' && v.role !== 'FORMER');
	if (better && !(cd?.active && cd.promote_by_itself && better.may_promote)) {
		return { tone: 'ok', words: `The shadow ${name(better)} is better than the champion: promote it, or let it follow on.`, action: { words: 'See it', part: 'cards' } };
	}
	const former = verdicts.find((v) => v.state === 'better' && v.role === 'FORMER');
	if (former) return { tone: 'warn', words: `${name(former)}, the champion before, is better than what answers now.`, action: { words: 'See it', part: 'cards' } };
	const held = verdicts.find((v) => v.role === 'HELD' && v.state !== 'worse');
	if (held) return { tone: 'warn', words: `${name(held)} was held back: ${ended(firstSentence(held.reason ?? 'see its card'))}`, action: { words: 'See it', part: 'cards' } };
	const unsure = verdicts.find((v) => v.role !== 'FORMER' && v.state === 'unsure' && disagreementsLeft(v) > 0);
	if (!unsure) return null;
	const left = Math.min(disagreementsLeft(unsure), unsure.more_reviews && unsure.more_reviews > 0 ? unsure.more_reviews : REVIEWS);
	return { tone: 'ok', words: `Whether ${name(unsure)} is better than the champion is not known yet: they disagree on ${plural(unsure.disagreements.images, 'image')}.`, action: { words: `Review ${count(left)}`, href: reviewDisagreements(deployment, unsure.version.id) } };
}

/** What is wrong comes before what could be set up. */
export function oneThing({ deployment, queue, loop, training, ct, cd, verdicts, alerts }: Known): OneThing {
	const home = `/deployment/${deployment.id}`;
	const [alert] = alerts;
	if (alert) {
		const more = alerts.length > 1 ? ` ${plural(alerts.length - 1, 'more alert is', 'more alerts are')} open.` : '';
		return { tone: 'bad', words: ended(firstSentence(alert.sentence)) + more, action: lookAt(alert, home) };
	}
	const held = deployment.shadows.find((s) => s.state === 'HELD');
	if (held) return { tone: 'warn', words: `The shadow ${held.model_name}:${held.version} is held. ${held.state_text ?? ''}`.trim(), action: { words: 'See it', part: 'cards' } };
	if (training?.active && training.reference?.status === 'FAILED') {
		return { tone: 'warn', words: `Training Data could not be read: ${ended(training.reference.error ?? 'no reason was given')}`, action: { words: 'Training Data', href: `${home}/settings/training-data` } };
	}
	const state = loop ? loopState(loop) : 'off';
	if (loop && state === 'waiting') {
		return { tone: 'warn', words: `${plural(loop.counts.waiting, 'review waits', 'reviews wait')}: say what becomes of ${waitingNames(loop)}.`, action: { words: 'Map the labels', href: `${home}/settings/feedback` } };
	}
	if (loop && state === 'unready') return { tone: 'warn', words: 'The Feedback Loop is on and has no dataset to submit to.', action: { words: 'Attach one', href: `${home}/settings/feedback` } };

	const slow = slowProblem(ct, cd, home);
	if (slow) return slow;
	const shadow = shadowThing([...verdicts.values()], cd, deployment.id);
	if (shadow) return shadow;

	const reviewed = (queue?.reviewed ?? 0) + (queue?.submitted ?? 0);
	const well = 'All well: no alert is open.';
	if (queue && reviewed < REVIEWS && queue.to_review > 0) {
		const left = Math.min(REVIEWS - reviewed, queue.to_review);
		return { tone: 'ok', words: `${well} Review ${plural(left, 'image')}${reviewed > 0 ? ' more' : ''}, and it is known how good the answers are.`, action: { words: `Review ${count(left)}`, href: `${home}/review` } };
	}
	if (training && !training.set) return { tone: 'ok', words: `${well} Choose Training Data, and drift and outliers are watched too.`, action: { words: 'Choose Training Data', href: `${home}/settings/training-data` } };
	if (loop && state === 'off' && queue && queue.reviewed > 0) {
		return { tone: 'ok', words: `${well} The Feedback Loop is off: ${plural(queue.reviewed, 'reviewed image goes', 'reviewed images go')} nowhere.`, action: { words: 'Set it up', href: `${home}/settings/feedback` } };
	}
	if (ct && !ct.set && state === 'on' && queue && queue.submitted > 0) {
		return { tone: 'ok', words: `${well} ${plural(queue.submitted, 'corrected image')} wait for a training: let the next version be made of them by itself.`, action: { words: 'Set up Continuous Training', href: `${home}/settings/continuous-training` } };
	}
	if (ct?.set && ct.active && cd && !cd.set) return { tone: 'ok', words: `${well} Say what becomes of a new version once it is trained.`, action: { words: 'Set up Continuous Deployment', href: `${home}/settings/continuous-deployment` } };
	if (ct?.open) return { tone: 'ok', words: `All well: ${ct.open.experiment.name} is being trained.`, action: { words: 'Watch it', href: experimentHref(ct.open) } };
	return { tone: 'ok', words: 'All well: no alert is open, and nothing waits for you.', action: null };
}

export interface Stage {
	name: string;
	/** off, on, working 40 %, problem. */
	word: string;
	tone: 'plain' | 'ok' | 'busy' | 'warn' | 'bad';
	href: string;
	title: string;
}

function trainingStage(training: TrainingData | undefined, home: string): Stage {
	const stage = (word: string, tone: Stage['tone'], title: string): Stage => ({ name: 'Training Data', word, tone, title, href: `${home}/settings/training-data` });
	if (!training?.set) return stage('off', 'plain', 'Not chosen: drift and outliers cannot be told.');
	const { reference } = training;
	if (!training.active) return stage('off', 'plain', 'Switched off: drift and outliers are not watched.');
	if (reference?.status === 'FAILED') return stage('problem', 'bad', reference.error ?? 'It could not be read.');
	if (reference?.status !== 'READY') return stage(`working ${Math.floor(100 * (reference?.progress ?? 0))} %`, 'busy', reference?.message ?? 'Its images are looked at.');
	return stage('on', 'ok', `${plural(reference.images, 'image')} are what new ones are compared with.`);
}

const LOOP_WORDS = { off: ['off', 'plain'], unready: ['problem', 'bad'], waiting: ['problem', 'warn'], on: ['on', 'ok'] } as const;

/** What the badges are of; undefined: not known (yet). */
export interface Parts {
	loop: FeedbackLoop | undefined;
	training: TrainingData | undefined;
	ct: ContinuousTraining | undefined;
	cd: ContinuousDeployment | undefined;
}

/** The four parts of the loop, in order. */
export function stages(deployment: string, { loop, training, ct, cd }: Parts): Stage[] {
	const home = `/deployment/${deployment}`;
	const [word, tone] = LOOP_WORDS[loop ? loopState(loop) : 'off'];
	return [
		trainingStage(training, home),
		{ name: 'Feedback Loop', word, tone, href: `${home}/settings/feedback`, title: loop ? loopSentence(loop) : '' },
		{ name: 'Continuous Training', ...trainingBadge(ct), href: `${home}/settings/continuous-training`, title: ct?.problems[0] ?? ct?.state_text ?? '' },
		{ name: 'Continuous Deployment', ...deploymentBadge(cd), href: `${home}/settings/continuous-deployment`, title: cd?.note ?? cd?.state_text ?? '' },
	];
}
