// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { FeedbackLoop } from '../src/api/learn';
import type { Deployment } from '../src/api/types';
import type { AlertEvent, Reference, TrainingData } from '../src/api/watch';
import { oneThing, stages, type Known } from '../src/lib/one_thing';

const deployment = { id: 'd', shadows: [] } as unknown as Deployment;
const counts = { reviewed: 0, submitted: 40, waiting: 0, waiting_labels: {}, next_submission_at: null };
const loop = { set_up: true, active: true, targets: [{}], labels: [], counts } as unknown as FeedbackLoop;
const reference = { status: 'READY', images: 500, progress: 1, message: null, error: null } as unknown as Reference;
const training = { set: true, active: true, reference } as unknown as TrainingData;
const event = (kind: string, sentence: string): AlertEvent => ({ id: kind, alert_id: 'a', kind, title: kind, opened_at: '', closed_at: null, closed_by: null, sentence });
const fine: Known = { deployment, queue: { to_review: 5, chosen_left: 0, reviewed: 0, submitted: 40, skipped: 0, mine_today: 0 }, loop, training, alerts: [] };

describe('the one sentence', () => {
	it('says that all is well when it is', () => {
		expect(oneThing(fine)).toEqual({ tone: 'ok', words: 'All well: no alert is open, and nothing waits for you.', action: null });
	});

	it('puts an open alert before everything, with what to do', () => {
		const said = oneThing({ ...fine, training: { ...training, set: false }, alerts: [event('is_drift', 'Night images differ on camera-2'), event('latency', 'Slow.')] });
		expect(said.tone).toBe('bad');
		expect(said.words).toBe('Night images differ on camera-2. 1 more alert is open.');
		expect(said.action).toEqual({ words: 'Review 20', href: '/deployment/d/review' });
		expect(oneThing({ ...fine, alerts: [event('latency', 'p99 was 1.5 ms; the limit is 1 ms. Look at the chart: it helps.')] }).words).toBe('p99 was 1.5 ms; the limit is 1 ms.');
		expect(oneThing({ ...fine, alerts: [event('latency', 'Slow.')] }).action).toEqual({ words: 'See the latency', part: 'latency' });
	});

	it('names what waits, then what is missing', () => {
		const waiting = { ...loop, counts: { ...counts, waiting: 2, waiting_labels: { chair: 2 } } };
		expect(oneThing({ ...fine, loop: waiting }).words).toBe('2 reviews wait: say what becomes of “chair”.');
		const failed = { ...training, reference: { ...reference, status: 'FAILED' as const, error: 'The version is empty' } };
		expect(oneThing({ ...fine, training: failed }).words).toBe('Training Data could not be read: The version is empty.');
		expect(oneThing({ ...fine, queue: { ...fine.queue!, submitted: 15, to_review: 300 } }).action).toEqual({ words: 'Review 5', href: '/deployment/d/review' });
		expect(oneThing({ ...fine, training: { ...training, set: false } }).words).toContain('Choose Training Data');
		expect(oneThing({ ...fine, loop: { ...loop, active: false }, queue: { ...fine.queue!, reviewed: 3 } }).words).toContain('3 reviewed images go nowhere');
	});

	it('does not claim more than is known while parts are still being read', () => {
		expect(oneThing({ ...fine, queue: undefined, loop: undefined, training: undefined }).action).toBeNull();
	});
});

describe('the badges', () => {
	const words = (...known: [FeedbackLoop | undefined, TrainingData | undefined]): string[] => stages('d', ...known, '').map((s) => s.word);
	it('are off, on, working or a problem', () => {
		expect(words(undefined, undefined)).toEqual(['off', 'off', 'off', 'off']);
		expect(words(loop, training)).toEqual(['on', 'on', 'off', 'off']);
		expect(words(loop, { ...training, reference: { ...reference, status: 'RUNNING', progress: 0.419 } })[0]).toBe('working 41 %');
		expect(words({ ...loop, targets: [] }, { ...training, reference: { ...reference, status: 'FAILED' } }).slice(0, 2)).toEqual(['problem', 'problem']);
		expect(words(loop, { ...training, active: false })[0]).toBe('off');
	});
});
