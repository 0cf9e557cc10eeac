// SPDX-License-Identifier: Apache-2.0
// Trainings in words and numbers: where one is, what its curves are, what its verdict means, what to do when it failed.
import type { Decision, Evaluation, ExperimentLog, FirstModel, Training, TrainingStage, TrainingStatus } from '../api/loop';
import { count, duration, plural } from './format';

export const STATUS: Record<TrainingStatus, { word: string; tone: string }> = {
	WAITING: { word: 'Waiting', tone: 'plain' },
	RUNNING: { word: 'Running', tone: 'busy' },
	SUCCESS: { word: 'Done', tone: 'ok' },
	FAILED: { word: 'Failed', tone: 'bad' },
	CANCELED: { word: 'Cancelled', tone: 'warn' },
};

/** Of a training or of an experiment that something else trained. */
export const statusOf = (status: string): { word: string; tone: string } => STATUS[status as TrainingStatus] ?? { word: status.toLowerCase(), tone: 'plain' };

export const isOpen = (t: Pick<Training, 'status'>): boolean => t.status === 'WAITING' || t.status === 'RUNNING';
export const canRetry = (t: Pick<Training, 'status'>): boolean => t.status === 'FAILED' || t.status === 'CANCELED';

/** The stage it is at: the one that runs, failed, or is next. */
export function stageNow(t: Pick<Training, 'stages' | 'stage'>): TrainingStage | null {
	return t.stages.find((s) => s.state === 'running' || s.state === 'failed') ?? t.stages.find((s) => s.name === t.stage) ?? null;
}

/** One line for a list: what happens, or how it ended. */
export function inShort(t: Training): string {
	if (t.status === 'WAITING') return 'waits for the training before it';
	if (t.status === 'RUNNING') {
		const stage = stageNow(t);
		const share = stage?.name === 'train' ? `, ${Math.round(100 * t.progress)} %` : '';
		return `${stage?.title ?? 'Running'}${share}${leftWords(t)}`;
	}
	if (t.status === 'FAILED') return t.error ?? 'It failed.';
	if (t.status === 'CANCELED') return 'cancelled';
	return t.decision?.sentence ?? t.evaluation?.sentence ?? '';
}

/** ", about 3 min left"; nothing where nobody knows. */
export const leftWords = (t: Pick<Training, 'left_s' | 'status'>): string => (t.left_s !== null && t.left_s > 0 && isOpen(t) ? `, about ${duration(t.left_s)} left` : '');

/** Seconds from its start to its end or to now; null before it began. */
export function tookSeconds(t: Pick<Training, 'started_at' | 'finished_at'>, nowMs: number): number | null {
	if (t.started_at === null) return null;
	const end = t.finished_at === null ? nowMs : Date.parse(t.finished_at);
	return Math.max(0, (end - Date.parse(t.started_at)) / 1000);
}

/** What helps, by the trainer's exit code; the sentence beside it says what happened. */
const TODO: Record<number, string> = {
	2: 'Look at its parameters: the trainer did not understand one of them. Then start a new training.',
	3: 'Choose another model to start from: this one cannot be trained. Its page says why.',
	4: 'Look at the pictures and annotations of its datasets, mend what the log names, then retry.',
	5: 'The loss grew without end. Look for annotations that are wrong, or begin a new experiment with a lower learning rate.',
	6: 'It needs more memory or disk than it may have. Free some, or give a smaller batch, then retry.',
	75: 'It was something that passes. Retry; what was trained so far is not lost.',
	143: 'It was told to stop. Retry goes on from its last checkpoint.',
};

export function whatToDo(t: Pick<Training, 'exit_code' | 'stage' | 'status'>): string {
	if (t.status === 'CANCELED') return 'What was trained so far is kept: Retry goes on from there.';
	const known = t.exit_code === null ? undefined : TODO[t.exit_code];
	if (known) return known;
	if (t.stage === 'publish') return 'The model that came of it could not be used. Look at the log, then retry.';
	return 'The log below says more. Retry begins again with the stage that failed.';
}

// ---- curves

export interface Curve {
	name: string;
	/** One for each epoch, from `first` on. */
	values: (number | null)[];
}

export interface Curves {
	/** Epoch of the first value. */
	first: number;
	/** Epochs of the longest. */
	length: number;
	loss: Curve[];
	/** The metric that decides first. */
	metric: Curve[];
	/** All else, such as the learning rate. */
	other: Curve[];
	/** Of the model it started from, on the same images. */
	base: number | null;
	/** Index of the best value of the first metric; null without one. */
	best: number | null;
}

const number = (v: unknown): number | null => (typeof v === 'number' && Number.isFinite(v) ? v : null);

/** A LINE is a list of numbers, or {"x": […], "y": […]}, or one number so far. */
export function lineValues(data: unknown): (number | null)[] {
	if (Array.isArray(data)) return data.map(number);
	if (typeof data === 'object' && data !== null && 'y' in data) return lineValues(data.y);
	const one = number(data);
	return one === null ? [] : [one];
}

/** Epoch of the first value, where a LINE has its epochs beside its values. */
function firstEpoch(data: unknown): number | null {
	if (typeof data !== 'object' || data === null || !('x' in data) || !Array.isArray(data.x)) return null;
	return number(data.x[0]);
}

const METRICS = ['AP50', 'AP', 'accuracy', 'IoU', 'mIoU'];
/** The loss and its parts: what is said of the images that it trains on. */
const LOSS = /loss|^train\//i;

/** "val/AP50" → "AP50"; the part before the slash says on which images. */
export const shortName = (name: string): string => name.replace(/^(train|val|valid|validation|test)\//, '');

/** Lines of an experiment by what they are; `base`: a VALUE named like a metric with "/start" or "/base" behind it, or metric_start. */
export function curvesOf(logs: readonly Pick<ExperimentLog, 'name' | 'type' | 'data'>[]): Curves {
	const made: Curves = { first: 1, length: 0, loss: [], metric: [], other: [], base: null, best: null };
	for (const log of logs) {
		if (log.type === 'VALUE' && /(^|\/)(metric_start|base|start)$/.test(log.name)) made.base = number(log.data) ?? made.base;
		if (log.type !== 'LINE') continue;
		const curve = { name: log.name, values: lineValues(log.data) };
		made.length = Math.max(made.length, curve.values.length);
		const short = shortName(log.name);
		made.first = firstEpoch(log.data) ?? made.first;
		if (LOSS.test(log.name)) made.loss.push(curve);
		else if (METRICS.includes(short) || /^val(id|idation)?\//.test(log.name)) made.metric.push(curve);
		else made.other.push(curve);
	}
	const rank = (c: Curve): number => {
		const i = METRICS.indexOf(shortName(c.name));
		return i < 0 ? METRICS.length : i;
	};
	made.metric.sort((a, b) => rank(a) - rank(b));
	made.loss.sort((a, b) => Number(b.name === 'train/loss' || b.name === 'loss') - Number(a.name === 'train/loss' || a.name === 'loss'));
	const first = made.metric[0];
	if (first && first.values.some((v) => v !== null)) {
		const most = Math.max(...first.values.map((v) => v ?? -Infinity));
		made.best = first.values.indexOf(most);
	}
	return made;
}

/** An epoch's ticks: whole numbers, at most `wanted`, the last one among them. */
export function epochTicks(first: number, last: number, wanted: number): number[] {
	const span = Math.max(1, last - first);
	const step = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000].find((s) => span / s <= wanted) ?? Math.ceil(span / wanted);
	const ticks = [first];
	for (let at = Math.ceil((first + 1) / step) * step; at <= last; at += step) ticks.push(at);
	return ticks;
}

/** The values of parameters, flat or as {"key": …} in rows, for a table. */
export function parameterRows(logs: readonly Pick<ExperimentLog, 'name' | 'data'>[]): [string, string][] {
	const data = logs.find((log) => log.name === 'parameters')?.data;
	if (typeof data !== 'object' || data === null || Array.isArray(data)) return [];
	return Object.entries(data).filter(([, v]) => v !== null).map(([k, v]) => [k, typeof v === 'object' ? JSON.stringify(v) : String(v)]);
}

// ---- the console

/** Lines kept on the page. */
export const LINES_MAX = 2000;

/** An entry of the console is a text or texts, of one line or several. */
export const entryLines = (log: string | readonly string[]): string[] => (typeof log === 'string' ? [log] : log).flatMap((text) => text.replace(/\n$/, '').split('\n'));

// ---- the verdict

export type VerdictTone = 'ok' | 'warn' | 'bad' | 'plain';

export function verdictTone(e: Evaluation): VerdictTone {
	if (e.difference === null) return 'plain';
	if (e.few) return 'warn';
	if (e.difference.low > 0) return 'ok';
	if (e.difference.high < 0) return 'bad';
	return 'warn';
}

export const VERDICT_WORD: Record<VerdictTone, string> = { ok: 'Better', bad: 'Worse', warn: 'Too close to tell', plain: 'First of its kind' };

/** 0.034 → "+3.4", in percentage points. */
export const signedPoints = (value: number): string => `${value >= 0.0005 ? '+' : value <= -0.0005 ? '−' : '±'}${(100 * Math.abs(value)).toFixed(1)}`;

export const METRIC_WORDS: Record<Evaluation['metric'], string> = {
	AP: 'mAP over IoU 0.50 to 0.95', accuracy: 'accuracy', IoU: 'mean IoU',
};

/** By how far a class moved: the largest falls first, classes with few objects last. */
export function classesInOrder(classes: Evaluation['classes']): Evaluation['classes'] {
	const fall = (c: Evaluation['classes'][number]): number => (c.champion === null || c.candidate === null ? Infinity : c.candidate - c.champion);
	return [...classes].sort((a, b) => Number(a.truths === 0) - Number(b.truths === 0) || fall(a) - fall(b) || b.truths - a.truths);
}

export const DECISION: Record<Decision['what'], { word: string; tone: string }> = {
	SHADOW: { word: 'Shadow', tone: 'busy' },
	CHAMPION: { word: 'Champion', tone: 'ok' },
	HELD: { word: 'Held back', tone: 'warn' },
	MANUAL: { word: 'Yours to decide', tone: 'plain' },
	NONE: { word: 'Not deployed', tone: 'plain' },
};

/** What comes after a training, when nothing was decided yet. */
export function nextWords(t: Training): string {
	if (t.decision) return t.decision.sentence;
	if (isOpen(t)) return t.deployment
		? `When it is done it becomes the next version of its model, is measured beside the champion of ${t.deployment.name}, and goes where Continuous Deployment says.`
		: 'When it is done it is checked, becomes a version of its model, and can be deployed from here.';
	if (t.status === 'SUCCESS') return t.deployment ? 'Nothing is decided: promote it, or make it a shadow, on the deployment.' : 'It serves nobody yet: deploy it, or make it the shadow of a deployment.';
	return 'Nothing was deployed; what served goes on serving.';
}

const TRIGGER: Record<string, string> = {
	FEEDBACK_LOOP: 'by the number of reviews', HAND: 'by hand', SCHEDULE: 'by schedule', DRIFT: 'by a drift alert', LAUNCH: 'by hand', FIRST: 'as a first model',
};
export const triggerWords = (t: Pick<Training, 'trigger' | 'who'>): string => {
	const how = TRIGGER[t.trigger] ?? t.trigger.toLowerCase();
	return ['HAND', 'LAUNCH', 'FIRST'].includes(t.trigger) && t.who ? `${how}, ${t.who}` : how;
};

// ---- a first model

export const classRows = (first: FirstModel): { label: string; objects: number | null }[] =>
	first.classes.map((c) => (typeof c === 'string' ? { label: c, objects: null } : { label: c.label, objects: c.objects }));

/** "A model that finds 3 kinds of objects": what will come of it. */
export function firstModelWords(first: FirstModel): string {
	const kinds = first.classes.length;
	if (first.task === 'CLASSIFICATION') return `A model that tells ${plural(kinds, 'class', 'classes')} apart.`;
	if (first.task === 'SEGMENTATION') return `A model that outlines ${plural(kinds, 'kind')} of regions.`;
	return `A model that finds ${plural(kinds, 'kind')} of objects.`;
}

export const minutesWords = (minutes: number | null): string => (minutes === null ? 'time unknown' : `about ${duration(Math.max(5, 60 * minutes))}`);

// ---- pre-labelling

/** A model's labels that a dataset version has, and those it lacks. */
export function preLabelNames(model: Record<string, string> | null, version: readonly string[]): { known: string[]; missing: string[] } {
	const names = Object.entries(model ?? {}).sort((a, b) => Number(a[0]) - Number(b[0])).map(([, name]) => name);
	return { known: names.filter((n) => version.includes(n)), missing: names.filter((n) => !version.includes(n)) };
}

/** What a job of the kind pre_label found, in a sentence. */
export function preLabelWords(result: unknown): string {
	const of = (key: string): number => {
		const value = typeof result === 'object' && result !== null ? (result as Record<string, unknown>)[key] : 0;
		return typeof value === 'number' ? value : 0;
	};
	const more = [
		of('labels_new') > 0 ? `${plural(of('labels_new'), 'label')} made` : '', of('left_out') > 0 ? `${plural(of('left_out'), 'shape')} left out, as this version has no such label` : '',
		of('failed') > 0 ? `${plural(of('failed'), 'image')} could not be answered` : '',
	].filter(Boolean);
	return `${plural(of('shapes'), 'shape')} on ${count(of('annotated'))} of ${plural(of('images'), 'image')}${more.length > 0 ? `; ${more.join('; ')}` : ''}.`;
}
