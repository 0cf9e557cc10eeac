// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Evaluation, FirstModel, Training, TrainingStage } from '../src/api/loop';
import {
	canRetry, classesInOrder, classRows, curvesOf, entryLines, epochTicks, firstModelWords, inShort, isOpen, leftWords, lineValues, minutesWords, nextWords, parameterRows, preLabelNames, preLabelWords, shortName,
	signedPoints, stageNow, tookSeconds, triggerWords, verdictTone, whatToDo,
} from '../src/lib/training';

const stage = (name: string, state: TrainingStage['state']): TrainingStage => ({ name, title: name[0]?.toUpperCase() + name.slice(1), help: '', state, done_at: null });
const training = (fields: Partial<Training> = {}): Training => ({
	id: 't', experiment: { id: 'e', name: 'v2' }, project: { id: 'p', name: 'street' }, deployment: { id: 'd', name: 'gate' }, epoch: 1, trigger: 'FEEDBACK_LOOP', why: '', who: 'gyre', status: 'RUNNING', stage: 'train',
	stages: [stage('prepare', 'done'), stage('train', 'running'), stage('publish', 'waiting')], progress: 0.34, message: null, left_s: 130, attempt: 1, error: null, exit_code: null, trainer: 'gyre-train', base: null, arch: null,
	datasets: [], candidate: null, evaluation: null, decision: null, cpu_s: 0, memory_mb: 0, created_at: '2026-01-01T00:00:00Z', started_at: '2026-01-01T00:00:10Z', finished_at: null, ...fields,
});
const evaluation = (fields: Partial<Evaluation> = {}): Evaluation => ({
	images: 84, metric: 'AP', champion: 0.4, candidate: 0.46, difference: { value: 0.06, low: 0.01, high: 0.1 }, few: false, sentence: 'Better.', classes: [], better: [], worse: [], forgetting: null, ...fields,
});

describe('a training', () => {
	it('says in a line where it is, and how it ended', () => {
		expect(inShort(training())).toBe('Train, 34 %, about 2 min left');
		expect(inShort(training({ stage: 'publish', stages: [stage('train', 'done'), stage('publish', 'running')], left_s: null }))).toBe('Publish');
		expect(inShort(training({ status: 'WAITING' }))).toBe('waits for the training before it');
		expect(inShort(training({ status: 'FAILED', error: 'The loss became infinite.' }))).toBe('The loss became infinite.');
		expect(inShort(training({ status: 'SUCCESS', evaluation: evaluation(), decision: { what: 'HELD', sentence: 'Held: class crack fell.', at: '' } }))).toBe('Held: class crack fell.');
		expect(inShort(training({ status: 'SUCCESS', evaluation: evaluation() }))).toBe('Better.');
	});
	it('is at the stage that runs or failed, else at the one it is said to be at', () => {
		expect(stageNow(training())?.name).toBe('train');
		expect(stageNow(training({ stages: [stage('train', 'failed'), stage('publish', 'waiting')] }))?.state).toBe('failed');
		expect(stageNow(training({ stage: 'publish', stages: [stage('train', 'done'), stage('publish', 'waiting')] }))?.name).toBe('publish');
		expect(stageNow(training({ stage: 'done', stages: [stage('train', 'done')] }))).toBeNull();
	});
	it('can be cancelled or tried again, never both', () => {
		for (const status of ['WAITING', 'RUNNING', 'SUCCESS', 'FAILED', 'CANCELED'] as const) expect(isOpen({ status }) && canRetry({ status })).toBe(false);
		expect([isOpen({ status: 'WAITING' }), canRetry({ status: 'CANCELED' }), canRetry({ status: 'SUCCESS' })]).toEqual([true, true, false]);
	});
	it('took so long, and has so long to go', () => {
		expect(tookSeconds(training({ started_at: null }), 0)).toBeNull();
		expect(tookSeconds(training({ finished_at: '2026-01-01T00:01:10Z' }), 0)).toBe(60);
		expect(tookSeconds(training(), Date.parse('2026-01-01T00:00:40Z'))).toBe(30);
		expect([leftWords(training({ left_s: null })), leftWords(training({ status: 'FAILED' }))]).toEqual(['', '']);
	});
	it('says what to do by its exit code and stage', () => {
		expect(whatToDo({ exit_code: 3, stage: 'train', status: 'FAILED' })).toContain('another model');
		expect(whatToDo({ exit_code: 0, stage: 'publish', status: 'FAILED' })).toContain('could not be used');
		expect(whatToDo({ exit_code: 1, stage: 'train', status: 'FAILED' })).toContain('log');
		expect(whatToDo({ exit_code: 143, stage: 'train', status: 'CANCELED' })).toContain('goes on from there');
	});
	it('says who began it and what comes next', () => {
		expect([triggerWords({ trigger: 'FEEDBACK_LOOP', who: 'gyre' }), triggerWords({ trigger: 'HAND', who: 'ann' })]).toEqual(['by the number of reviews', 'by hand, ann']);
		expect(nextWords(training())).toContain('beside the champion of gate');
		expect(nextWords(training({ status: 'SUCCESS', deployment: null }))).toContain('deploy it');
		expect(nextWords(training({ status: 'FAILED' }))).toContain('goes on serving');
	});
});

describe('curves', () => {
	it('reads a line however it was logged', () => {
		expect(lineValues([1, null, 'x', 2])).toEqual([1, null, null, 2]);
		expect(lineValues({ x: [1, 2], y: [0.5, 0.25] })).toEqual([0.5, 0.25]);
		expect([lineValues(0.5), lineValues('none')]).toEqual([[0.5], []]);
	});
	it('tells losses from metrics, the deciding one first, and finds its best epoch', () => {
		const made = curvesOf([
			{ name: 'train/box', type: 'LINE', data: { x: [1, 2], y: [2, 1] } }, { name: 'train/loss', type: 'LINE', data: [3, 2, 1] }, { name: 'val/AP', type: 'LINE', data: [0.1, 0.2] }, { name: 'val/AP50', type: 'LINE', data: [0.3, 0.5, 0.4] },
			{ name: 'learning_rate', type: 'LINE', data: [1, 1] }, { name: 'val/AP50/start', type: 'VALUE', data: 0.35 }, { name: 'parameters', type: 'TABLE', data: { epochs: 3 } },
		]);
		expect(made.loss.map((c) => c.name)).toEqual(['train/loss', 'train/box']);
		expect(made.metric.map((c) => shortName(c.name))).toEqual(['AP50', 'AP']);
		expect([made.best, made.base, made.length, made.other.length]).toEqual([1, 0.35, 3, 1]);
		expect(curvesOf([]).best).toBeNull();
		expect(curvesOf([{ name: 'val/IoU', type: 'LINE', data: { x: [4, 5], y: [0.1, 0.2] } }]).first).toBe(4);
	});
	it('marks whole epochs, not too many', () => {
		expect(epochTicks(1, 3, 6)).toEqual([1, 2, 3]);
		expect(epochTicks(1, 30, 7)).toEqual([1, 5, 10, 15, 20, 25, 30]);
		expect(epochTicks(1, 3000, 4).length).toBeLessThanOrEqual(5);
	});
	it('shows parameters that were given', () => {
		expect(parameterRows([{ name: 'parameters', data: { epochs: 30, patience: null, size: [1, 2] } }])).toEqual([['epochs', '30'], ['size', '[1,2]']]);
		expect(parameterRows([])).toEqual([]);
	});
	it('takes an entry of the console apart', () => expect([entryLines('a\nb\n'), entryLines(['a', 'b'])]).toEqual([['a', 'b'], ['a', 'b']]));
});

describe('a verdict', () => {
	it('is sure only where the interval is on one side of nought', () => {
		const by = (low: number, high: number) => verdictTone(evaluation({ difference: { value: (low + high) / 2, low, high } }));
		expect([by(0.01, 0.1), by(-0.02, 0.1), by(-0.1, -0.01), verdictTone(evaluation({ difference: null }))]).toEqual(['ok', 'warn', 'bad', 'plain']);
		expect(verdictTone(evaluation({ few: true }))).toBe('warn');
	});
	it('writes points with their sign', () => expect([0.034, -0.061, 0.0001].map(signedPoints)).toEqual(['+3.4', '−6.1', '±0.0']));
	it('puts the class that fell most first, and what was never seen last', () => {
		const row = (label: string, truths: number, champion: number | null, candidate: number | null) => ({ label, truths, champion, candidate, low: null, high: null });
		expect(classesInOrder([row('rose', 40, 0.3, 0.5), row('none', 0, 0, 0), row('new', 10, null, 0.4), row('fell', 40, 0.6, 0.5)]).map((c) => c.label)).toEqual(['fell', 'rose', 'new', 'none']);
	});
});

describe('a first model', () => {
	const first = (fields: Partial<FirstModel>): FirstModel => ({ can: true, reason: null, task: 'OBJECT_DETECTION', classes: ['nut', 'bolt'], images: 0, labelled: 0, objects: 0, split: { train: 0, val: 0, test: 0 }, warnings: [], choices: [], ...fields });
	it('says what will come of it', () => {
		expect(firstModelWords(first({}))).toBe('A model that finds 2 kinds of objects.');
		expect(firstModelWords(first({ task: 'CLASSIFICATION' }))).toBe('A model that tells 2 classes apart.');
		expect(classRows(first({ classes: [{ label: 'nut', objects: 4 }] }))).toEqual([{ label: 'nut', objects: 4 }]);
		expect([minutesWords(null), minutesWords(2.4)]).toEqual(['time unknown', 'about 2 min']);
	});
});

it('says what pre-labelling found', () => {
	expect(preLabelWords({ images: 6, annotated: 5, shapes: 7, labels_new: 2, left_out: 0, failed: 1 })).toBe('7 shapes on 5 of 6 images; 2 labels made; 1 image could not be answered.');
	expect(preLabelWords(null)).toBe('0 shapes on 0 of 0 images.');
});

it('tells a model’s labels that a dataset version has from those it lacks', () =>
	expect(preLabelNames({ 1: 'bolt', 0: 'nut' }, ['bolt', 'screw'])).toEqual({ known: ['bolt'], missing: ['nut'] }));
