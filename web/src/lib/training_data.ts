// SPDX-License-Identifier: Apache-2.0
// Training Data in words: what it is, how far it is, what is to be done.
import type { Reference, TrainingData } from '../api/watch';
import { count, plural } from './format';

export type TrainingState = 'off' | 'disabled' | 'making' | 'waiting' | 'failed' | 'on';

export function trainingState(td: TrainingData): TrainingState {
	if (!td.set) return 'off';
	if (!td.active) return 'disabled';
	if (td.reference?.status === 'READY') return 'on';
	if (td.reference?.status === 'FAILED') return 'failed';
	return td.reference ? 'making' : 'waiting';
}

/** There is something to compare with: also while it is made anew. */
export const trainingReady = (td: TrainingData): boolean => td.set && td.active && (td.reference?.status === 'READY' || td.reference?.in_use === true);

/** What the badge in a deployment's head says. */
export function trainingBadge(td: TrainingData): { word: string; tone: string } {
	const state = trainingState(td);
	if (state === 'making') return { word: `${Math.floor(100 * (td.reference?.progress ?? 0))} %`, tone: 'busy' };
	return {
		off: { word: 'off', tone: 'plain' }, disabled: { word: 'off', tone: 'plain' }, waiting: { word: 'waiting', tone: 'busy' },
		failed: { word: 'problem', tone: 'bad' }, on: { word: 'on', tone: 'ok' },
	}[state];
}

/** "street v2", "the first 500 production images of camera-1". */
export function sourceWords(td: TrainingData): string {
	if (td.kind === 'PRODUCTION') return `the first ${count(td.images_max ?? 500)} production images${td.source ? ` of ${td.source}` : ''}`;
	return td.dataset_version ? `${td.dataset_version.origin_name} ${td.dataset_version.version}` : 'a dataset version that is no more';
}

export function trainingSentence(td: TrainingData): string {
	const what = sourceWords(td);
	switch (trainingState(td)) {
		case 'off': return 'It is not set: drift and outliers need images to compare with.';
		case 'disabled': return `It is off. What was worked out of ${what} is kept, and nothing is compared with it.`;
		case 'waiting': return td.kind === 'PRODUCTION' ? `It waits for ${what}.` : `It waits to look at ${what}.`;
		case 'making': return `${td.reference?.message || 'Looking at its images'}: ${what}.`.replace(/\.: /, ': ');
		case 'failed': return td.reference?.error ?? 'It could not be made.';
		case 'on': return `Each image is compared with ${plural(td.reference?.images ?? 0, 'image')} of ${what}.`;
	}
}

export type TrainingStep = { words: string; href: string | null };

/** The one thing to do next. */
export function trainingNext(td: TrainingData, deployment: string): TrainingStep {
	const home = `/deployment/${deployment}`;
	switch (trainingState(td)) {
		case 'off': return { words: td.suggestion ? 'take what is suggested, or choose other images' : 'choose images to compare with', href: null };
		case 'disabled': return { words: 'switch it on', href: null };
		case 'waiting': return { words: td.kind === 'PRODUCTION' ? 'send images' : 'wait a moment', href: td.kind === 'PRODUCTION' ? home : null };
		case 'making': return { words: 'nothing, it goes on by itself', href: null };
		case 'failed': return { words: 'do it again, or choose other images', href: null };
		case 'on': return { words: 'let corrected images go into a dataset: the Feedback Loop', href: `${home}/settings/feedback` };
	}
}

export function heldOutWords(reference: Reference, kind: TrainingData['kind']): { word: string; help: string } {
	if (kind === 'PRODUCTION') return { word: 'held-out', help: 'The model was not trained on images it met in production, so what it says of them is as good as what it says of the next ones.' };
	return reference.held_out
		? { word: 'held-out', help: 'None of these images was trained on, as far as is known: the model is as sure of them as of any.' }
		: { word: 'optimistic', help: 'The model was trained on these images, or nobody knows: it is surer of them than of others. Alarms therefore come from the images’ own statistics alone.' };
}

export function featureWords(reference: Reference): { word: string; help: string } {
	if (reference.features) return { word: 'available', help: 'What the model sees in an image, from its own graph, is compared too.' };
	return { word: 'not available', help: reference.features_reason ?? (reference.predicted ? 'The model’s graph gives none.' : 'The model does not run here.') };
}

/** The smallest shifts that can be seen, features of the same one together, the finest first. */
export function seenGroups(reference: Reference): { d: string; names: string[] }[] {
	const groups = new Map<string, string[]>();
	for (const { feature, title, d } of reference.sees ?? []) {
		if (d !== null) groups.set(d.toFixed(2), [...(groups.get(d.toFixed(2)) ?? []), title ?? feature.replace(/_/g, ' ')]);
	}
	return [...groups].map(([d, names]) => ({ d, names })).sort((a, b) => Number(a.d) - Number(b.d));
}

/** As a form says it: whole images, at least 20. */
export function imagesProblem(text: string): string | null {
	const n = Number(text);
	return Number.isInteger(n) && n >= 20 && n <= 5000 ? null : 'Between 20 and 5,000 images.';
}
