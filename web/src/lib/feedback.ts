// SPDX-License-Identifier: Apache-2.0
// The Feedback Loop in words, and its table of labels as it is edited.
import type { FeedbackLabel, FeedbackLoop, LabelAction } from '../api/learn';
import type { ContinuousTraining } from '../api/loop';
import { count, plural } from './format';
import type { Next } from './loop';

export type LoopState = 'off' | 'on' | 'waiting' | 'unready';

/** What the badge in a deployment's head says. */
export function loopState(loop: FeedbackLoop): LoopState {
	if (!loop.set_up || !loop.active) return 'off';
	if (loop.targets.length === 0) return 'unready';
	return loop.counts.waiting > 0 ? 'waiting' : 'on';
}

export const LOOP_BADGE: Record<LoopState, { word: string; tone: string }> = {
	off: { word: 'off', tone: 'plain' },
	unready: { word: 'no dataset', tone: 'warn' },
	waiting: { word: 'waiting', tone: 'warn' },
	on: { word: 'on', tone: 'ok' },
};

/** Hours, minutes or seconds, whole: "10 minutes". */
export function delayWords(seconds: number): string {
	if (seconds % 3600 === 0 && seconds > 0) return plural(seconds / 3600, 'hour');
	if (seconds % 60 === 0 && seconds > 0) return plural(seconds / 60, 'minute');
	return plural(seconds, 'second');
}

/** The state as one sentence. */
export function loopSentence(loop: FeedbackLoop): string {
	if (!loop.set_up) return 'It is not set up: what people correct is kept, and goes nowhere.';
	if (!loop.active) return 'It is off: reviews are kept and counted, and nothing is submitted by itself.';
	if (loop.targets.length === 0) return 'It is on, and there is no dataset version to submit to: attach one.';
	const to = loop.targets.map(({ dataset_version: v }) => `${v.origin_name} ${v.version}`).join(' and ');
	const when = loop.submit_by_itself ? `${delayWords(loop.submit_after_s)} after the review` : 'when somebody presses Submit';
	const waiting = loop.counts.waiting > 0 ? ` ${plural(loop.counts.waiting, 'review waits', 'reviews wait')} for a label to be mapped.` : '';
	return `Corrected images go to ${to}, ${when}.${waiting}`;
}

/** The one thing to do next. */
export function loopNext(loop: FeedbackLoop, ct: ContinuousTraining | undefined, deployment: string): Next {
	const home = `/deployment/${deployment}`;
	const here = (words: string): Next => ({ words, href: null });
	if (!loop.set_up) return here('set it up');
	if (loop.targets.length === 0) return here('attach a dataset version');
	if (!loop.active) return here('switch it on');
	if (loop.counts.waiting > 0) return here(`say what becomes of ${waitingNames(loop)}`);
	if (ct && !ct.set) return { words: 'let the next version be trained from them: Continuous Training', href: `${home}/settings/continuous-training` };
	if (loop.counts.reviewed + loop.counts.submitted === 0) return { words: 'review the first images', href: `${home}/review` };
	return { words: 'review more images', href: `${home}/review` };
}

export function waitingNames(loop: FeedbackLoop): string {
	const names = Object.entries(loop.counts.waiting_labels).sort((a, b) => b[1] - a[1]);
	const [first, second] = names;
	if (!first) return 'the labels';
	if (names.length > 2) return `“${first[0]}” and ${count(names.length - 1)} more labels`;
	return second ? `“${first[0]}” and “${second[0]}”` : `“${first[0]}”`;
}

/** One line changed. A name is kept only where it means something: of a label to be renamed, or made. */
export function changeLabel(labels: readonly FeedbackLabel[], label: string, action: LabelAction | null, to_name: string | null): FeedbackLabel[] {
	const name = action === 'rename' ? to_name ?? '' : action === 'new' ? to_name ?? label : null;
	return labels.map((line) => (line.label === label ? { label, action, to_name: name } : line));
}

/** As the server takes it: a name that no dataset has yet is a new label. */
export const asSaved = (labels: readonly FeedbackLabel[], known: readonly string[]): FeedbackLabel[] =>
	labels.map((line) => {
		const to_name = line.to_name?.trim() || null;
		return line.action === 'rename' && to_name !== null && !known.includes(to_name) ? { ...line, action: 'new', to_name } : { ...line, to_name };
	});

/** All that nobody decided about, as they are named here. */
export const keepTheRest = (labels: readonly FeedbackLabel[], known: readonly string[]): FeedbackLabel[] =>
	labels.map((line) => (line.action === null ? { ...line, action: known.includes(line.label) ? 'keep' : 'new', to_name: line.label } : line));

/** Why the table cannot be saved, or null. */
export function whyNotSaved(labels: readonly FeedbackLabel[]): string | null {
	const nameless = labels.find((line) => (line.action === 'rename' || line.action === 'new') && line.to_name !== null && !line.to_name.trim());
	return nameless ? `“${nameless.label}” has no name in the datasets yet.` : null;
}

/** The server names kept and new labels too, after themselves. */
export const sameLabels = (a: readonly FeedbackLabel[], b: readonly FeedbackLabel[]): boolean => {
	const text = ({ label, action, to_name }: FeedbackLabel): string => JSON.stringify([label, action, action === 'rename' || action === 'new' ? to_name ?? label : null]);
	return a.length === b.length && a.every((line, i) => text(line) === text(b[i] ?? line));
};
