// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { FeedbackLoop } from '../src/api/learn';
import type { ContinuousDeployment, ContinuousTraining, Training, Verdict } from '../src/api/loop';
import type { Deployment } from '../src/api/types';
import type { AlertEvent, Reference, TrainingData } from '../src/api/watch';
import { oneThing, stages, type Known, type Parts } from '../src/lib/one_thing';

const deployment = { id: 'd', shadows: [] } as unknown as Deployment;
const counts = { reviewed: 0, submitted: 40, waiting: 0, waiting_labels: {}, next_submission_at: null };
const loop = { set_up: true, active: true, targets: [{ dataset_version: { origin_name: 'belt', version: 'v1' } }], labels: [], counts } as unknown as FeedbackLoop;
const reference = { status: 'READY', images: 500, progress: 1, message: null, error: null } as unknown as Reference;
const training = { set: true, active: true, reference } as unknown as TrainingData;
const event = (kind: string, sentence: string): AlertEvent => ({ id: kind, alert_id: 'a', kind, title: kind, opened_at: '', closed_at: null, closed_by: null, sentence });
const fine: Known = { deployment, queue: { to_review: 5, chosen_left: 0, reviewed: 0, submitted: 40, skipped: 0, mine_today: 0 }, loop, training, ct: undefined, cd: undefined, verdicts: new Map(), alerts: [] };

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

const ct = { set: true, active: true, state: 'counting', state_text: '', problems: [], open: null, last: null } as unknown as ContinuousTraining;
const cd = { set: true, active: true, state: 'on', state_text: '', promote_by_itself: false } as unknown as ContinuousDeployment;
const failed = { status: 'FAILED', error: 'The loss grew without end.', experiment: { id: 'e', name: 'v4' } } as unknown as Training;
const verdict = (part: Partial<Verdict>): Verdict => ({
	version: { id: 's', model: 'yolox', version: 4 }, role: 'CANDIDATE', state: 'unsure', more_reviews: 12, may_promote: false, disagreements: { images: 80, sampled: 80, reviewed: 3, to_review: 77 }, ...part,
} as unknown as Verdict);
const shadowed = (part: Partial<Verdict>): Known => ({ ...fine, ct, cd, verdicts: new Map([['s', verdict(part)]]) });

describe('the sentence of the slow loop', () => {
	it('says what keeps the next version from being made', () => {
		expect(oneThing({ ...fine, ct: { ...ct, state: 'paused', state_text: 'Two trainings in a row failed. Look at them.' }, cd }).words).toBe('Continuous Training is paused: Two trainings in a row failed.');
		expect(oneThing({ ...fine, ct: { ...ct, last: failed }, cd })).toEqual({ tone: 'warn', words: 'The last training failed: The loss grew without end.', action: { words: 'See why', href: '/experiment/e' } });
		expect(oneThing({ ...fine, ct: { ...ct, last: failed, open: { experiment: failed.experiment } as Training }, cd }).words).toBe('All well: v4 is being trained.');
		expect(oneThing({ ...fine, ct: { ...ct, state: 'unready', problems: ['There is no trainer.'] }, cd }).action).toEqual({ words: 'Continuous Training', href: '/deployment/d/settings/continuous-training' });
	});

	it('leads from one setting to the next', () => {
		expect(oneThing({ ...fine, ct: { ...ct, set: false } }).action).toEqual({ words: 'Set up Continuous Training', href: '/deployment/d/settings/continuous-training' });
		expect(oneThing({ ...fine, ct, cd: { ...cd, set: false } }).action).toEqual({ words: 'Set up Continuous Deployment', href: '/deployment/d/settings/continuous-deployment' });
	});

	it('asks for what decides about a shadow', () => {
		expect(oneThing(shadowed({})).action).toEqual({ words: 'Review 12', href: '/deployment/d/review?queue=disagreements&version=s' });
		expect(oneThing(shadowed({ more_reviews: null, disagreements: { images: 8, sampled: 8, reviewed: 3, to_review: 5 } })).action).toMatchObject({ words: 'Review 5' });
		expect(oneThing(shadowed({ state: 'better', may_promote: true })).words).toContain('yolox:4 is better than the champion');
		expect(oneThing({ ...shadowed({ state: 'better', may_promote: true }), cd: { ...cd, promote_by_itself: true } }).words).toContain('nothing waits for you');
		expect(oneThing(shadowed({ role: 'HELD', reason: 'Class crack falls by 6 points. It has 40 objects.' })).words).toBe('yolox:4 was held back: Class crack falls by 6 points.');
		expect(oneThing(shadowed({ role: 'FORMER', state: 'better' })).tone).toBe('warn');
	});
});

describe('the badges', () => {
	const words = (parts: Partial<Parts>): string[] => stages('d', { loop: undefined, training: undefined, ct: undefined, cd: undefined, ...parts }).map((s) => s.word);
	it('are off, on, working or a problem', () => {
		expect(words({})).toEqual(['off', 'off', 'off', 'off']);
		expect(words({ loop, training, ct, cd })).toEqual(['on', 'on', 'on', 'on']);
		expect(words({ loop, training: { ...training, reference: { ...reference, status: 'RUNNING', progress: 0.419 } } })[0]).toBe('working 41 %');
		expect(words({ loop: { ...loop, targets: [] }, training: { ...training, reference: { ...reference, status: 'FAILED' } } }).slice(0, 2)).toEqual(['problem', 'problem']);
		expect(words({ loop, training: { ...training, active: false } })[0]).toBe('off');
		expect(words({ ct: { ...ct, state: 'unready' }, cd: { ...cd, state: 'problem' } }).slice(2)).toEqual(['problem', 'problem']);
		expect(words({ ct: { ...ct, state: 'off', active: false }, cd: { ...cd, state: 'off', active: false } }).slice(2)).toEqual(['off', 'off']);
	});
});
