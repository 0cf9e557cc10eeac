// SPDX-License-Identifier: Apache-2.0
// The form of Continuous Training: what is typed, why it cannot be saved, what is sent.
import type { AttachedDataset, ContinuousTraining, ContinuousTrainingSetting, Hyperparameters } from '../api/loop';

export interface Parameter {
	name: string;
	title: string;
	help: string;
	kind: 'integer' | 'number' | 'choice' | 'flag';
	choices?: readonly string[];
	min?: number;
	/** It is among the first ones that are shown. */
	first?: boolean;
}

/** What every trainer of ours knows; others are passed on as they are. */
export const PARAMETERS: readonly Parameter[] = [
	{ name: 'epochs', title: 'Epochs', help: 'How often all images are gone through.', kind: 'integer', min: 1, first: true },
	{ name: 'learning_rate', title: 'Learning rate', help: 'How far each step goes.', kind: 'number', min: 0, first: true },
	{ name: 'batch', title: 'Batch', help: 'Images of one step.', kind: 'integer', min: 1, first: true },
	{ name: 'patience', title: 'Patience', help: 'It ends early after so many epochs without progress.', kind: 'integer', min: 1, first: true },
	{ name: 'optimizer', title: 'Optimizer', help: 'How a step is made of the gradients.', kind: 'choice', choices: ['adamw', 'sgd'] },
	{ name: 'weight_decay', title: 'Weight decay', help: 'How strongly large weights are pulled to zero.', kind: 'number', min: 0 },
	{ name: 'seed', title: 'Seed', help: 'The same seed and data give the same model.', kind: 'integer', min: 0 },
	{ name: 'freeze', title: 'Train the last layers only', help: 'Faster, and it forgets less; it also learns less.', kind: 'flag' },
	{ name: 'augment', title: 'Vary the images', help: 'Flipped, moved, brighter and darker: it learns what does not matter.', kind: 'flag' },
];

const known = (name: string): Parameter | undefined => PARAMETERS.find((p) => p.name === name);

export type ParameterTexts = Record<string, string>;

const asText = (value: unknown): string => (value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value));

export const parameterTexts = (parameters: Hyperparameters): ParameterTexts =>
	Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, asText(value)]));

/** Empty: the trainer's own. Of others than ours numbers, flags and lists are told from text as JSON does it. */
export function parameterValue(name: string, text: string): unknown {
	const trimmed = text.trim();
	if (!trimmed) return null;
	const kind = known(name)?.kind;
	if (kind === 'integer' || kind === 'number') return Number(trimmed);
	if (kind === 'flag') return trimmed === 'true';
	if (kind === 'choice') return trimmed;
	try {
		return JSON.parse(trimmed) as unknown;
	} catch {
		return trimmed;
	}
}

export function parameterProblem(name: string, text: string): string | null {
	const parameter = known(name);
	const trimmed = text.trim();
	if (!parameter || !trimmed) return null;
	const n = Number(trimmed);
	const { kind, min = -Infinity, title } = parameter;
	if (kind === 'integer' && !(Number.isInteger(n) && n >= min)) return `${title}: a whole number from ${min} on.`;
	if (kind === 'number' && !(Number.isFinite(n) && n >= min)) return `${title}: a number${min === 0 ? ', 0 or more' : ''}.`;
	return null;
}

/** Never empty: the server's wire wants to be told that nothing was forgotten. */
export function parameterValues(texts: ParameterTexts): Hyperparameters {
	const entries = Object.entries(texts).filter(([name, text]) => name.trim() && (text.trim() || known(name)));
	return entries.length > 0 ? Object.fromEntries(entries.map(([name, text]) => [name.trim(), parameterValue(name, text)])) : { epochs: null };
}

export const otherParameters = (texts: ParameterTexts): string[] => Object.keys(texts).filter((name) => !known(name));

/** Of one training, as the epochs are now: null where nobody measured. */
export function minutesOf({ parameters, minutes }: ContinuousTraining['suggestion'], texts: ParameterTexts): number | null {
	const [before, now] = [Number(parameters['epochs']), Number(texts['epochs'])];
	if (minutes === null) return null;
	return before > 0 && now > 0 ? (minutes * now) / before : minutes;
}

export interface Draft {
	/** null: a new one of this name. */
	project_id: string | null;
	project_name: string;
	/** null: the champion at that time. */
	base: string | null;
	base_name: string | null;
	counted: boolean;
	threshold: string;
	scheduled: boolean;
	every_s: number;
	on_drift: boolean;
	drift_images_min: string;
	parameters: ParameterTexts;
	datasets: AttachedDataset[];
}

const WEEK_S = 7 * 86_400;

/** What is saved; before that, what is suggested. */
export function draftOf(ct: ContinuousTraining, deployment: string): Draft {
	const { suggestion } = ct;
	const parameters = ct.set ? ct.parameters : suggestion.parameters;
	return {
		project_id: ct.project?.id ?? (ct.set ? null : suggestion.project_id), project_name: deployment,
		base: ct.base.champion ? null : ct.base.model_version_id, base_name: ct.base.model !== null && ct.base.version !== null ? `${ct.base.model}:${ct.base.version}` : null,
		counted: ct.set ? ct.trigger === 'FEEDBACK_LOOP' : true, threshold: String(ct.threshold || 50),
		scheduled: ct.set && ct.every_s !== null, every_s: ct.every_s ?? WEEK_S,
		on_drift: ct.set && ct.on_drift, drift_images_min: String(ct.drift_images_min || 20),
		parameters: parameterTexts(parameters), datasets: ct.datasets.length > 0 || ct.set ? ct.datasets : suggestion.datasets,
	};
}

const positive = (text: string): boolean => Number.isInteger(Number(text)) && Number(text) >= 1;

/** Why it cannot be saved, by the part of the form; the server may know more. */
export function draftProblems(draft: Draft): Partial<Record<'project' | 'data' | 'parameters' | 'trigger', string>> {
	const wrong = Object.entries(draft.parameters).map(([name, text]) => parameterProblem(name, text)).find((p) => p !== null);
	return {
		...(draft.project_id === null && !draft.project_name.trim() ? { project: 'The new project needs a name.' } : {}),
		...(draft.datasets.every((d) => d.name === 'val' || d.name === 'test') ? { data: 'Attach a version to train with: its alias is train.' } : {}),
		...(wrong ? { parameters: wrong } : {}),
		...(draft.counted && !positive(draft.threshold) ? { trigger: 'A whole number of reviews, from 1 on.' } : {}),
		...((draft.scheduled || draft.on_drift) && !positive(draft.drift_images_min) ? { trigger: 'A whole number of new reviews, from 1 on.' } : {}),
	};
}

export function settingOf(draft: Draft, project_id: string): ContinuousTrainingSetting {
	return {
		project_id, training_type: 'EXPERIMENT', experiment_parameters: parameterValues(draft.parameters),
		trigger: draft.counted ? 'FEEDBACK_LOOP' : 'NONE', threshold: Number(draft.threshold) || 50, base: draft.base,
		every_s: draft.scheduled ? draft.every_s : null, on_drift: draft.on_drift, drift_images_min: Number(draft.drift_images_min) || 20,
	};
}

const same = (a: AttachedDataset, b: AttachedDataset): boolean => a.name === b.name && a.dataset_version.id === b.dataset_version.id;

/** What has to be attached and detached so that the server has what the form shows. */
export const datasetChanges = (before: readonly AttachedDataset[], after: readonly AttachedDataset[]): { gone: AttachedDataset[]; fresh: AttachedDataset[] } => ({
	gone: before.filter((b) => !after.some((a) => same(a, b))),
	fresh: after.filter((a) => !before.some((b) => same(a, b))),
});

/** train, then val, then test, then a name of one's own. */
export function nextAlias(datasets: readonly AttachedDataset[]): string {
	const taken = new Set(datasets.map((d) => d.name));
	return ['train', 'val', 'test'].find((a) => !taken.has(a)) ?? `train-${datasets.length}`;
}

export const ALIASES: Record<string, string> = {
	train: 'What it learns from.',
	val: 'What tells the trainer when to stop. Without one it keeps a fifth of train aside.',
	test: 'What old and new version are measured with. It never reaches the trainer.',
};

export const aliasHelp = (name: string): string => ALIASES[name] ?? 'Learned from as well.';
