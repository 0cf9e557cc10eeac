// SPDX-License-Identifier: Apache-2.0
// The way from a file to a deployment: labels, names, uploads, recipes, trials, thresholds.
import { describe, expect, it } from 'vitest';
import type { ModelVersion, Model, RecipeField, Shape, TryAnswer } from '../src/api/types';
import { whyNotDeploy } from '../src/lib/deploy_check';
import { bytes, duration } from '../src/lib/format';
import { LabelsError, numbered, parseLabels } from '../src/lib/labels';
import { suggestName } from '../src/lib/names';
import { nameOf, sortModelFiles, targetOf, typeOfName } from '../src/lib/new_model';
import { PREVIEW_MAX, previewCounts, previewReducer, type PreviewPicture } from '../src/lib/preview';
import { changeChips, parseField, presetOf, PRESETS, recipeDiff, sameValue } from '../src/lib/recipe';
import { noTransfer, transferred } from '../src/lib/transfer';
import { isRunning, NO_TRIAL, trialReducer, type Trial, type TrialEvent } from '../src/lib/trial';

describe('a name for a deployment', () => {
	it('is two words', () => {
		expect(suggestName(new Set(), () => 0)).toBe('amber-acorn');
		for (let i = 0; i < 50; i++) expect(suggestName(new Set(), Math.random)).toMatch(/^[a-z]+-[a-z]+$/);
	});

	it('is never one that is taken', () => {
		const draws = [0, 0, 0.5, 0.5];
		expect(suggestName(new Set(['amber-acorn']), () => draws.shift() ?? 0)).not.toBe('amber-acorn');
		expect(suggestName(new Set(['amber-acorn', 'amber-acorn-2']), () => 0)).toBe('amber-acorn-3');
	});
});

describe('labels', () => {
	it('are a name a line, whatever the line ends with', () => {
		expect(parseLabels('coco.txt', '\uFEFFperson\r\ntraffic light\r\n\r\n')).toEqual(['person', 'traffic light']);
		expect(parseLabels('x.names', 'a')).toEqual(['a']);
	});

	it('may be numbered on every line, in order', () => {
		expect(parseLabels('l.txt', '0 person\n1 car')).toEqual(['person', 'car']);
		expect(parseLabels('l.txt', '0: person\n1: car')).toEqual(['person', 'car']);
		expect(parseLabels('l.txt', '7 up\n1 cup')).toEqual(['7 up', '1 cup']);
		expect(parseLabels('digits.txt', '0\n1\n2')).toEqual(['0', '1', '2']);
	});

	it('come from JSON in every usual shape', () => {
		expect(parseLabels('l.json', '["a","b"]')).toEqual(['a', 'b']);
		expect(parseLabels('l.json', '{"1":"b","0":"a"}')).toEqual(['a', 'b']);
		expect(parseLabels('config.json', '{"id2label":{"0":"a","1":"b"},"x":1}')).toEqual(['a', 'b']);
		expect(parseLabels('coco.json', '{"images":[],"categories":[{"id":3,"name":"b"},{"id":1,"name":"a"}]}')).toEqual(['a', 'b']);
	});

	it('come from the names of a YAML file', () => {
		expect(parseLabels('data.yaml', 'path: x\nnames:\n  - person # a human\n  - "traffic light"\nnc: 2\n')).toEqual(['person', 'traffic light']);
		expect(parseLabels('data.yml', 'names:\n  0: person\n  1: car\ntrain: t')).toEqual(['person', 'car']);
		expect(parseLabels('data.yaml', "nc: 3\nnames: ['a', 'b',\n  'c']\n")).toEqual(['a', 'b', 'c']);
		expect(parseLabels('data.yaml', 'names: {0: a, 1: b}')).toEqual(['a', 'b']);
	});

	it('say what is wrong in a sentence', () => {
		const problem = (name: string, text: string): string => {
			try {
				parseLabels(name, text);
			} catch (error) {
				expect(error).toBeInstanceOf(LabelsError);
				return (error as Error).message;
			}
			throw new Error('no error');
		};
		expect(problem('l.txt', 'a\n\nb')).toContain('Line 2 is empty');
		expect(problem('l.txt', ' \n')).toContain('No names');
		expect(problem('l.json', '{nope')).toContain('not JSON');
		expect(problem('l.json', '{"0":"a","5":"b"}')).toContain('from 0 to 1');
		expect(problem('l.json', '3')).toContain('no list');
		expect(problem('l.json', '["a",""]')).toContain('class 1 is empty');
		expect(problem('l.json', '[1,2]')).toContain('something other');
		expect(problem('data.yaml', 'nc: 2')).toContain('no "names"');
		expect(problem('l.txt', 'x\n'.repeat(10_001))).toContain('right file');
	});

	it('go out by number', () => expect(numbered(['a', 'b'])).toEqual({ 0: 'a', 1: 'b' }));
});

describe('a model to upload', () => {
	const found = (path: string) => ({ path, file: { name: path } as File });
	it('comes with its labels, or alone', () => {
		expect(sortModelFiles([found('a.txt'), found('w/yolo.onnx')])).toMatchObject({ model: { path: 'w/yolo.onnx' }, labels: { path: 'a.txt' }, problem: null });
		expect(sortModelFiles([found('data.yaml')])).toMatchObject({ model: null, labels: { path: 'data.yaml' }, problem: null });
	});

	it('is one, and an ONNX file', () => {
		expect(sortModelFiles([found('a.onnx'), found('b.onnx')]).problem).toContain('one is taken at a time');
		expect(sortModelFiles([found('model.pt')]).problem).toContain('model.pt is none');
	});
	it('guesses the type from the name, or does not', () => {
		expect(['w/yolox_nano.onnx', 'yolov8n-seg.onnx', 'opt-mnist.onnx', 'light_squeezenet.onnx', 'deeplab_v3.onnx', 'best.onnx'].map(typeOfName))
			.toEqual(['OBJECT_DETECTION', 'SEGMENTATION', 'CLASSIFICATION', 'CLASSIFICATION', 'SEGMENTATION', null]);
	});

	it('is named by its file, and joins a model of that name', () => {
		expect(nameOf('weights/yolox_nano.v2.onnx')).toBe('yolox_nano.v2');
		const models = [{ id: '1', name: 'yolox', type: 'OBJECT_DETECTION', versions: 2 }, { id: '2', name: 'new', type: 'NOT_CONFIGURED', versions: 0 }] as Model[];
		expect(targetOf(' yolox ', models)).toMatchObject({ existing: { id: '1' }, type: 'OBJECT_DETECTION' });
		expect(targetOf('new', models)).toMatchObject({ existing: { id: '2' }, type: null });
		expect(targetOf('other', models)).toMatchObject({ existing: null, type: null, words: 'A new model, version 0.' });
	});
});

describe('an upload', () => {
	it('knows its speed and what is left', () => {
		let state = noTransfer(1000, 0);
		expect(state.secondsLeft).toBeNull();
		state = transferred(state, 10, 1000, 100);
		expect(state.speed).toBeNull();
		state = transferred(state, 200, 1000, 1000);
		expect(state).toMatchObject({ speed: 200, secondsLeft: 4 });
	});

	it('goes by the last seconds, and stands still when nothing moves', () => {
		let state = noTransfer(10_000, 0);
		for (let s = 1; s <= 5; s++) state = transferred(state, s * 1000, 10_000, s * 1000);
		for (let s = 6; s <= 12; s++) state = transferred(state, 5000 + (s - 5) * 10, 10_000, s * 1000);
		expect(state.speed).toBeLessThan(20);
		expect(state.samples.length).toBeLessThan(8);
	});

	it('is told in numbers that people read', () => {
		expect([0, 1, 999, 3_658_000, 209_715_200, 1_500_000_000].map(bytes)).toEqual(['0 bytes', '1 byte', '999 bytes', '3.7 MB', '210 MB', '1.5 GB']);
		expect([0.2, 8.4, 95, 3900].map(duration)).toEqual(['1 s', '8 s', '2 min', '1 h 5 min']);
	});
});

describe('recipes', () => {
	const base = { colour: 'bgr', scale: 1, mean: [0, 0, 0], std: [1, 1, 1], fit: 'letterbox', from: { colour: 'guessed' } as const };

	it('are the same in 32 bits', () => {
		expect(sameValue(0.45, 0.44999998807907104)).toBe(true);
		expect(sameValue([0.485, 1], [0.48500001430511475, 1])).toBe(true);
		expect(sameValue([1], [1, 1])).toBe(false);
		expect(sameValue(1, 1.001)).toBe(false);
		expect(sameValue('a', 'a')).toBe(true);
		expect(sameValue(0, false)).toBe(false);
	});

	it('differ by fields, not by where these came from', () => {
		expect(recipeDiff(base, { ...base, colour: 'rgb', from: { colour: 'given' } })).toEqual({ colour: 'rgb' });
		expect(recipeDiff(base, { ...base, scale: 1.00000001 })).toEqual({});
	});

	it('have a known range of numbers, however it is written', () => {
		expect(presetOf(base)?.name).toBe('0…255');
		expect(presetOf({ scale: 0.003921569, mean: 0, std: 1 })?.name).toBe('0…1');
		expect(presetOf({ scale: 1, mean: [0, 0, 0], std: [255, 255, 255] })?.name).toBe('0…1');
		expect(presetOf({ scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] })?.name).toBe('−1…1');
		expect(presetOf({ scale: 1 / 255, mean: [0.406, 0.456, 0.485], std: [0.225, 0.224, 0.229] })?.name).toBe('ImageNet');
		expect(presetOf({ scale: 1 / 128, mean: [127, 127, 127], std: [128, 128, 128] })).toBeNull();
		for (const preset of PRESETS) expect(presetOf({ ...preset, mean: [...preset.mean], std: [...preset.std] } as never)?.name).toBe(preset.name);
	});

	it('are told apart in few words', () => {
		expect(changeChips({ colour: 'rgb', scale: 1 / 255 }, base)).toEqual([{ field: 'colour', value: 'rgb' }, { field: 'pixels', value: '0…1' }]);
		expect(changeChips({ scale: 0.5 }, base)).toEqual([{ field: 'scale', value: '0.5' }]);
		expect(changeChips({}, base)).toEqual([]);
	});

	it('take what was typed, within its range', () => {
		const field = (kind: RecipeField['kind'], min: number | null = null, max: number | null = null): RecipeField => ({ name: 'x', help: '', kind, choices: null, min, max, matters: true });
		expect(parseField(field('number', 0, 1), '0.5')).toEqual({ value: 0.5 });
		expect(parseField(field('number', 0, 1), '2')).toEqual({ problem: 'A number from 0 to 1.' });
		expect(parseField(field('number'), '')).toEqual({ problem: 'A number.' });
		expect(parseField(field('number'), 'abc')).toHaveProperty('problem');
		expect(parseField(field('integer', 0, 255), '114')).toEqual({ value: 114 });
		expect(parseField(field('integer', 0, 255), '1.5')).toHaveProperty('problem');
		expect(parseField(field('numbers'), '0.485, 0.456 0.406')).toEqual({ value: [0.485, 0.456, 0.406] });
		expect(parseField(field('numbers', 0), '1, x')).toHaveProperty('problem');
		expect(parseField(field('integers', 0, 63), '0, 2')).toEqual({ value: [0, 2] });
		expect(parseField(field('integers', 0, 63), '0.5')).toEqual({ problem: 'Whole numbers from 0 to 63, with commas between.' });
		expect(parseField(field('text'), 'a b')).toEqual({ value: 'a b' });
	});
});

describe('a trial', () => {
	const run = (events: TrialEvent[], from: Trial = NO_TRIAL): Trial => events.reduce(trialReducer, from);
	const answer = (png: string): TryAnswer => ({ image: { width: 1, height: 1 }, shapes: [], recipe: {}, seen: { width: 1, height: 1, png }, latency_ms: {} });

	it('shows the newest question’s answer, in whatever order they come', () => {
		const state = run([
			{ kind: 'asked', serial: 1 }, { kind: 'asked', serial: 2 }, { kind: 'answered', serial: 2, result: answer('second') }, { kind: 'answered', serial: 1, result: answer('first') },
		]);
		expect(state.result?.seen.png).toBe('second');
		expect(isRunning(state)).toBe(false);
	});

	it('keeps the old answer while the new one is under way, and after a refusal', () => {
		const asked = run([{ kind: 'asked', serial: 1 }, { kind: 'answered', serial: 1, result: answer('a') }, { kind: 'asked', serial: 2 }]);
		expect(isRunning(asked)).toBe(true);
		expect(asked.result?.seen.png).toBe('a');
		const refused = run([{ kind: 'refused', serial: 2, error: 'no' }], asked);
		expect(refused).toMatchObject({ error: 'no', result: { seen: { png: 'a' } } });
		expect(run([{ kind: 'asked', serial: 3 }, { kind: 'answered', serial: 3, result: answer('b') }], refused).error).toBeNull();
	});

	it('never lays one picture’s boxes on another', () => {
		const state = run([{ kind: 'asked', serial: 1 }, { kind: 'answered', serial: 1, result: answer('a') }, { kind: 'picture', picture: { name: 'b' } as File }]);
		expect(state.result).toBeNull();
	});

	it('forgets a change that was taken back', () => {
		const changed = run([{ kind: 'change', field: 'colour', value: 'rgb', same: false }, { kind: 'change', field: 'scale', value: 2, same: false }]);
		expect(changed.changes).toEqual({ colour: 'rgb', scale: 2 });
		expect(run([{ kind: 'change', field: 'colour', value: 'bgr', same: true }], changed).changes).toEqual({ scale: 2 });
		expect(run([{ kind: 'changes', changes: {} }], changed).changes).toEqual({});
	});
});

describe('the threshold preview', () => {
	const shape = (score: number): Shape => ({ type: 'rectangle', x: 0, y: 0, w: 1, h: 1, label: 'a', label_id: 0, score });
	const picture = (key: string, shapes: Shape[] | null = null): PreviewPicture => ({ key, name: key, url: '', width: 1, height: 1, shapes, error: null });

	it('takes each picture once, the newest first, and only so many', () => {
		const twice = previewReducer(previewReducer([], { kind: 'added', pictures: [picture('a')] }), { kind: 'added', pictures: [picture('a'), picture('b')] });
		expect(twice.map((p) => p.key)).toEqual(['b', 'a']);
		const many = previewReducer([], { kind: 'added', pictures: Array.from({ length: 20 }, (_, i) => picture(String(i))) });
		expect(many).toHaveLength(PREVIEW_MAX);
	});

	it('knows what each was answered, also with a failure between', () => {
		let list = previewReducer([], { kind: 'added', pictures: [picture('a'), picture('b')] });
		list = previewReducer(list, { kind: 'failed', key: 'a', error: 'no' });
		list = previewReducer(list, { kind: 'answered', key: 'b', width: 640, height: 480, shapes: [shape(0.4)] });
		expect(list).toMatchObject([{ key: 'a', error: 'no', shapes: null }, { key: 'b', width: 640, error: null, shapes: [{ score: 0.4 }] }]);
		expect(previewReducer(list, { kind: 'removed', key: 'a' })).toHaveLength(1);
	});

	it('counts what the threshold leaves', () => {
		const list = [picture('a', [shape(0.9), shape(0.2)]), picture('b', [shape(0.05)]), picture('c')];
		expect(previewCounts(list, 0.1)).toEqual({ pictures: 2, shown: 2, below: 1, empty: 1 });
		expect(previewCounts(list, 0.2).shown).toBe(2);
		expect(previewCounts(list, 0.95)).toMatchObject({ shown: 0, empty: 2 });
	});
});

describe('Deploy', () => {
	const version = (fields: Partial<ModelVersion>): ModelVersion => ({ state: 'READY', state_text: null, confirmed: true, guessed: [], type: 'OBJECT_DETECTION', ...fields }) as ModelVersion;
	const why = (fields: Partial<ModelVersion>, where: 'here' | 'external' = 'here', name = 'a', taken: string[] = []): string | undefined =>
		whyNotDeploy(version(fields), where, name, new Set(taken))?.kind;

	it('says what is in the way', () => {
		expect(why({})).toBeUndefined();
		expect(why({ confirmed: false, guessed: ['colour'] })).toBe('recipe');
		expect(why({ state: 'EMPTY' })).toBe('empty');
		expect(why({ state: 'REFUSED', state_text: 'No.' })).toBe('refused');
		expect(why({}, 'here', '  ')).toBe('name');
		expect(why({}, 'here', 'street', ['street'])).toBe('name');
	});

	it('asks less of what runs elsewhere', () => {
		expect(why({ state: 'EMPTY', confirmed: false }, 'external')).toBeUndefined();
		expect(why({ type: 'NOT_CONFIGURED' }, 'external')).toBe('refused');
	});
});
