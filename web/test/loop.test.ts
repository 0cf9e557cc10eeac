// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { DatasetVersion, FeedbackLoop } from '../src/api/learn';
import type { AttachedDataset, ContinuousDeployment, ContinuousTraining, Training, Verdict } from '../src/api/loop';
import type { HistoryItem } from '../src/api/types';
import { datasetChanges, draftOf, draftProblems, minutesOf, nextAlias, parameterProblem, parameterTexts, parameterValues, settingOf } from '../src/lib/continuous_form';
import { championLine } from '../src/lib/history';
import { countWords, dayWords, deploymentNext, disagreementsLeft, evidenceSentence, evidenceShare, everyWords, oddsWords, paceWords, trainingNext, triggerSentence, verdictWords, wholeProgress } from '../src/lib/loop';

const NOW = new Date(2026, 2, 3, 15, 0).getTime();  // a Tuesday
const after = (hours: number): string => new Date(NOW + hours * 3_600_000).toISOString();

const version = (id: string): DatasetVersion => ({ id, origin_name: id, version: 'v1' } as DatasetVersion);
const attached = (name: string, id: string): AttachedDataset => ({ name, dataset_version: version(id), images: 100, evaluation: 20 });
const ct: ContinuousTraining = {
	set: true, active: true, project: { id: 'p', name: 'parts' }, base: { champion: true, model_version_id: null, model: null, version: null }, trigger: 'FEEDBACK_LOOP', threshold: 50,
	every_s: null, on_drift: false, drift_images_min: 20, parameters: { epochs: 30, learning_rate: null }, trainer: 'default', datasets: [attached('train', 'a')],
	counts: { submitted: 43, threshold: 50, evaluation_only: 3, pace_per_day: 4, expected_at: after(40), rule: '' }, state: 'counting', state_text: '', problems: [], failures: 0, open: null, last: null,
	suggestion: { parameters: { epochs: 20 }, minutes: 2, project_id: 'q', datasets: [attached('train', 'b')] },
};

describe('when', () => {
	it('is as exact as a guess may be', () => {
		expect([0.5, 3, 20, 50, 24 * 9, 24 * 400].map((h) => dayWords(after(h), NOW))).toEqual(['within the hour', 'today', 'tomorrow', 'Thursday', '12 March', '7 April 2027']);
		expect([paceWords(ct, NOW), countWords(ct)]).toEqual(['about Thursday at this pace', '43 of 50']);
		expect(paceWords({ ...ct, counts: { ...ct.counts, expected_at: after(3) } }, NOW)).toBe('today at this pace');
		expect(paceWords({ ...ct, counts: { ...ct.counts, submitted: 50 } }, NOW)).toBeNull();
		expect(countWords({ ...ct, trigger: 'NONE' })).toBe('43');
		expect([86_400, 7 * 86_400, 14 * 86_400, 2 * 86_400, 5400].map(everyWords)).toEqual(['day', 'week', '2 weeks', '2 days', '90 minutes']);
	});
	it('says when it trains', () => {
		expect(triggerSentence(ct)).toBe('It trains after 50 submitted reviews.');
		expect(triggerSentence({ ...ct, trigger: 'NONE', every_s: 86_400, on_drift: true })).toBe('It trains every day with at least 20 new reviews, or when drift is told with at least 20 new reviews.');
		expect(triggerSentence({ ...ct, trigger: 'NONE' })).toContain('only when somebody presses');
	});
	it('leads on', () => {
		const cd = { set: false, active: false } as ContinuousDeployment;
		expect(trainingNext(ct, cd, undefined, 'd').href).toBe('/deployment/d/settings/continuous-deployment');
		expect(trainingNext(ct, { ...cd, set: true, active: true }, undefined, 'd').href).toBe('/deployment/d/review');
		expect(trainingNext({ ...ct, active: false, state: 'off' }, cd, undefined, 'd').words).toBe('switch it on');
		expect(trainingNext({ ...ct, set: false }, cd, { set_up: false } as FeedbackLoop, 'd').href).toBe('/deployment/d/settings/feedback');
		expect(deploymentNext({ ...cd, set: true, active: true }, { ...ct, set: false }, 'd').href).toBe('/deployment/d/settings/continuous-training');
	});
});

describe('how far a training is', () => {
	const stages = ['snapshot', 'prepare', 'train', 'publish', 'evaluate'].map((name) => ({ name, title: name, help: '', state: 'waiting' as const, done_at: null }));
	const at = (stage: string, progress = 0): number => wholeProgress({ status: 'RUNNING', stage, stages, progress } as unknown as Training);
	it('never goes back', () => {
		const seen = [at('snapshot'), at('prepare'), at('train'), at('train', 0.5), at('train', 1), at('publish'), at('evaluate')];
		expect(seen).toEqual([...seen].sort((a, b) => a - b));
		expect([seen[0], seen[3]]).toEqual([0, 0.5]);
		expect(wholeProgress({ status: 'SUCCESS', stage: 'done', stages, progress: 1 } as unknown as Training)).toBe(1);
	});
});

describe('the form of Continuous Training', () => {
	it('begins with what is suggested, then with what is saved', () => {
		const fresh = draftOf({ ...ct, set: false, project: null, datasets: [] }, 'belt');
		expect([fresh.project_id, fresh.parameters, fresh.datasets.map((d) => d.dataset_version.id), fresh.counted]).toEqual(['q', { epochs: '20' }, ['b'], true]);
		const saved = draftOf(ct, 'belt');
		expect([saved.project_id, saved.parameters, saved.datasets.map((d) => d.dataset_version.id)]).toEqual(['p', { epochs: '30', learning_rate: '' }, ['a']]);
	});
	it('says what is missing, where it is', () => {
		const draft = draftOf(ct, 'belt');
		expect(draftProblems(draft)).toEqual({});
		expect(Object.keys(draftProblems({ ...draft, project_id: null, project_name: ' ', datasets: [attached('test', 'a')], threshold: '0', parameters: { epochs: '1.5' } }))).toEqual(['project', 'data', 'parameters', 'trigger']);
		expect(draftProblems({ ...draft, counted: false, threshold: '' })).toEqual({});
		expect(draftProblems({ ...draft, on_drift: true, drift_images_min: '-1' })).toHaveProperty('trigger');
		expect([parameterProblem('learning_rate', '1e-3'), parameterProblem('learning_rate', 'fast'), parameterProblem('batch', ''), parameterProblem('my_own', 'x')]).toEqual([null, 'Learning rate: a number, 0 or more.', null, null]);
	});
	it('sends what was typed', () => {
		expect(parameterValues({ epochs: '20', learning_rate: '', freeze: 'true', optimizer: 'sgd', layers: '[1, 2]', note: 'hello', blank: '' }))
			.toEqual({ epochs: 20, learning_rate: null, freeze: true, optimizer: 'sgd', layers: [1, 2], note: 'hello' });
		expect(parameterValues({})).toEqual({ epochs: null });
		const all = { epochs: 20, seed: null, layers: [1, 2], freeze: false };
		expect(parameterValues(parameterTexts(all))).toEqual(all);
		const setting = settingOf({ ...draftOf(ct, 'belt'), counted: false, scheduled: true, every_s: 86_400 }, 'p');
		expect(setting).toMatchObject({ project_id: 'p', training_type: 'EXPERIMENT', trigger: 'NONE', threshold: 50, every_s: 86_400, on_drift: false, base: null });
	});
	it('attaches and detaches only what changed', () => {
		const { gone, fresh } = datasetChanges([attached('train', 'a'), attached('val', 'b')], [attached('train', 'a'), attached('test', 'b')]);
		expect([gone.map((d) => d.name), fresh.map((d) => d.name)]).toEqual([['val'], ['test']]);
		expect([nextAlias([]), nextAlias([attached('train', 'a')]), nextAlias(['train', 'val', 'test'].map((n) => attached(n, n)))]).toEqual(['train', 'val', 'train-3']);
	});
	it('scales the estimate with the epochs', () => {
		expect([minutesOf(ct.suggestion, { epochs: '40' }), minutesOf(ct.suggestion, { epochs: '' }), minutesOf({ ...ct.suggestion, minutes: null }, {})]).toEqual([4, 2, null]);
	});
});

describe('a verdict in words', () => {
	const verdict = { e: 6.2, e_needed: 20, state: 'unsure', more_reviews: 15, disagreements: { reviewed: 20 } } as Verdict;
	it('gives odds and what is still needed', () => {
		expect([1, 1.5, 6.23, 43.6, 1e9].map(oddsWords)).toEqual(['even', '1.5 to 1', '6.2 to 1', '44 to 1', '1,000 and more to 1']);
		expect(evidenceSentence(verdict)).toBe('The odds that it is better, and not just lucky, are 6.2 to 1; 20 to 1 decides.');
		expect(evidenceSentence({ ...verdict, disagreements: { ...verdict.disagreements, reviewed: 0 } })).toBe('Odds of 20 to 1 decide.');
		expect(verdictWords({ ...verdict, sentence: 'Not sure yet: of 9 reviewed disagreements version 4 won 6 and lost 3.' })).toBe('Of 9 reviewed disagreements version 4 won 6 and lost 3.');
		const left = (images: number, sampled: number, to_review: number): number => disagreementsLeft({ ...verdict, disagreements: { images, sampled, reviewed: 0, to_review } });
		expect([left(84, 0, 0), left(84, 84, 62), left(84, 20, 5), left(0, 0, 0)]).toEqual([84, 62, 69, 0]);
		expect([0.2, 1, Math.sqrt(20), 20, 500].map((e) => Number(evidenceShare(e, 20).toFixed(3)))).toEqual([0, 0, 0.5, 1, 1]);
	});
});

describe('the history', () => {
	const line = (what: string, at: string, more: Partial<HistoryItem> = {}): HistoryItem => ({ at, what, by: 'admin', from: null, to: null, ...more });
	const from = '11111111-2222-3333-4444-555555555555';
	it('knows which line made the champion', () => {
		const items = [line('created', '2026-01-01'), line('promoted', '2026-01-03', { by: 'gyre', why: 'better by 61 reviews', from }), line('threshold', '2026-01-04')];
		expect(championLine(items)?.why).toBe('better by 61 reviews');
	});
});
