// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AlertEvent, Delivery, Reference, TrainingData } from '../src/api/watch';
import { addressProblem, ALERT_KINDS, conditionWords, deliveryWords, newestEvents, openEvents, valueProblem, windowWords } from '../src/lib/alerts';
import { featureWords, heldOutWords, imagesProblem, seenGroups, sourceWords, trainingBadge, trainingNext, trainingReady, trainingSentence, trainingState } from '../src/lib/training_data';

describe('alerts', () => {
	it('the kinds are the server’s', () => {
		const table = readFileSync(new URL('../../src/watch/alerts.def', import.meta.url), 'utf8');
		const row = /^ALERT\(\w+, "([^"]+)", "([^"]+)", "([^"]*)", (ALERT_BY_\w+), \w+, "([<>=]+)", ([\d.]+), (\d+), (\d+),/gm;
		const rows = [...table.matchAll(row)].map(([, kind, title, unit, way, operator, value, window_s, images_min]) => ({
			kind, title, unit, windowed: way === 'ALERT_BY_WINDOW', operator, value: Number(value), window_s: Number(window_s), images_min: Number(images_min),
		}));
		expect(rows.length).toBeGreaterThan(5);
		expect(ALERT_KINDS.map(({ labelled: _, ...kind }) => kind)).toEqual(rows);
	});
	it('a condition reads as a sentence goes on', () => {
		const base = { kind: 'latency', operator: '>', value: 500, unit: 'ms', window_s: 900, images_min: 20, label: null };
		expect(conditionWords(base)).toBe('above 500 ms over 15 minutes, from 20 images on');
		expect(conditionWords({ ...base, label: 'crack', images_min: 1 })).toBe('above 500 ms over 15 minutes, crack alone');
		expect(conditionWords({ ...base, window_s: 0 })).toBe('as soon as it is found');
		expect([windowWords(60), windowWords(86400), windowWords(604800)]).toEqual(['1 minute', '24 hours', '7 days']);
	});
	it('a value is a number that can be', () => {
		expect([valueProblem('12.5', 'ms'), valueProblem('0', '%')]).toEqual([null, null]);
		for (const [text, unit] of [['', 'ms'], ['abc', ''], ['-1', 'ms'], ['101', '%']] as const) expect(valueProblem(text, unit), text).not.toBeNull();
	});
	it('open ones come first, then the newest', () => {
		const event = (id: string, opened_at: string, closed_at: string | null): AlertEvent => ({ id, alert_id: 'a', kind: 'latency', title: '', opened_at, closed_at, closed_by: null, sentence: '' });
		const events = [event('old open', '2026-01-01', null), event('closed', '2026-01-03', '2026-01-04'), event('open', '2026-01-02', null)];
		expect(newestEvents(events).map((e) => e.id)).toEqual(['open', 'old open', 'closed']);
		expect(openEvents(events)).toHaveLength(2);
	});
	it('a delivery went, waits, or was given up', () => {
		const d: Delivery = { id: '', attempts: 1, next_at: null, http_status: 200, error: null, created_at: '', done_at: '2026' };
		expect([d, { ...d, http_status: 500, done_at: null, next_at: '2026' }, { ...d, http_status: 0 }, { ...d, attempts: 0, done_at: null, next_at: '2026', http_status: null }].map((x) => deliveryWords(x).word))
			.toEqual(['delivered', 'tried again later', 'given up', 'on its way']);
	});
	it('an address is one that can be called', () => {
		expect(addressProblem('https://example.org/hook')).toBeNull();
		for (const wrong of ['', 'example.org', 'ftp://example.org', 'javascript:alert(1)']) expect(addressProblem(wrong), wrong).not.toBeNull();
	});
});

const reference = (fields: Partial<Reference> = {}): Reference => ({
	id: 'r', status: 'READY', progress: 1, message: null, error: null, images: 420, held_out: true, small: true, predicted: true, features: true, features_reason: null, note: null, ready_at: null, revision: 1,
	model_version_id: 'v', tolerance: 0.06, job_id: null, ...fields,
});
const training = (fields: Partial<TrainingData> = {}): TrainingData => ({
	set: true, active: true, kind: 'PRODUCTION', dataset_version: null, source: 'camera-1', images_max: 500, reference: reference(), suggestion: null, ...fields,
});

describe('training data', () => {
	const states = {
		off: training({ set: false, active: false, kind: null, reference: null }), disabled: training({ active: false }), waiting: training({ reference: null }),
		making: training({ reference: reference({ status: 'RUNNING', progress: 0.427, message: 'Looking at image 9 of 21' }) }), failed: training({ reference: reference({ status: 'FAILED', error: 'No image could be read.' }) }), on: training(),
	};
	it('has a state, and a badge that says it', () => {
		for (const [state, td] of Object.entries(states)) expect(trainingState(td)).toBe(state);
		expect([trainingBadge(states.making), trainingBadge(states.on), trainingBadge(states.failed)].map((b) => b.word)).toEqual(['42 %', 'on', 'problem']);
	});
	it('is there to compare with, also while it is made anew', () => {
		expect(Object.values(states).map(trainingReady)).toEqual([false, false, false, false, false, true]);
		expect(trainingReady(training({ reference: reference({ status: 'RUNNING', in_use: true }) }))).toBe(true);
		expect(trainingReady(training({ active: false }))).toBe(false);
	});
	it('says what it is, and what to do', () => {
		expect(sourceWords(states.on)).toBe('the first 500 production images of camera-1');
		expect(trainingSentence(states.on)).toBe('Each image is compared with 420 images of the first 500 production images of camera-1.');
		expect(trainingSentence(states.failed)).toBe('No image could be read.');
		expect(trainingSentence(states.making)).toBe('Looking at image 9 of 21: the first 500 production images of camera-1.');
		expect(trainingNext(states.on, 'd').href).toBe('/deployment/d/settings/feedback');
		expect(Object.values(states).every((td) => trainingNext(td, 'd').words !== '')).toBe(true);
	});
	it('says how far it can be believed', () => {
		expect(heldOutWords(reference({ held_out: false }), 'DATASET').word).toBe('optimistic');
		expect(heldOutWords(reference({ held_out: false }), 'PRODUCTION').word).toBe('held-out');
		expect(featureWords(reference({ features: false, features_reason: 'The graph has no pooled layer.' }))).toEqual({ word: 'not available', help: 'The graph has no pooled layer.' });
	});
	it('features that are seen alike stand together', () => {
		const sees = [{ feature: 'red_share', d: 0.288 }, { feature: 'outlier', title: 'Unusual', d: 0.39 }, { feature: 'blue_share', d: 0.29 }, { feature: 'label', d: null }];
		expect(seenGroups(reference({ sees }))).toEqual([{ d: '0.29', names: ['red share', 'blue share'] }, { d: '0.39', names: ['Unusual'] }]);
	});
	it('is not of too few images', () => expect(['500', '19', '5001', '20.5', ''].map((t) => imagesProblem(t) === null)).toEqual([true, false, false, false, false]));
});
