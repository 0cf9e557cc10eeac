// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, vi } from 'vitest';
import type { DatasetStats, FeedbackLoop, ReviewedAsset, VersionQuality } from '../src/api/learn';
import type { ContinuousTraining } from '../src/api/loop';
import type { Page, Shape } from '../src/api/types';
import { assetQuery, classFolders, datasetWarnings, importPortions, labelBars, mergeResults, nextVersionName, NO_FILTER } from '../src/lib/dataset';
import { drawable, labelNumber } from '../src/lib/dataset_shapes';
import { asSaved, changeLabel, delayWords, keepTheRest, loopNext, loopSentence, loopState, sameLabels, whyNotSaved } from '../src/lib/feedback';
import { sortLabelled, type Found } from '../src/lib/folder';
import { isRunning, jobName, jobObject, jobSeconds } from '../src/lib/jobs';
import { PAGE, Paged } from '../src/lib/paged';
import { isFiltering, listQuery, readFilter, writeFilter } from '../src/lib/prediction_filter';
import { busyLabels, cellShares, compare, interval, lines, path, points } from '../src/lib/quality';
import { everything, extend, isSelected, NOTHING, portions, selectedCount, toggle } from '../src/lib/selection';
import { countingReview, drawingOf } from '../src/lib/whose';

const files = (...paths: string[]): Found[] => paths.map((path) => ({ path, file: { size: 10 } as File }));

describe('a selection', () => {
	const id = (i: number): string => `p${i}`;
	it('takes one, takes a range from the last one either way, lets go of one', () => {
		const one = toggle(NOTHING, 5, id(5));
		const up = extend(one, 2, id);
		expect([...up.ids].sort()).toEqual(['p2', 'p3', 'p4', 'p5']);
		expect([...extend(up, 7, id).ids].sort()).toEqual(['p2', 'p3', 'p4', 'p5', 'p6', 'p7']);
		expect(selectedCount(toggle(up, 3, id(3)), 100)).toBe(3);
	});
	it('of all knows what was never loaded, and who is left out', () => {
		const but = toggle(everything(), 1, 'p1');
		expect([isSelected(but, 'p1'), isSelected(but, 'far away'), selectedCount(but, 3000)]).toEqual([false, true, 2999]);
		expect(isSelected(extend(but, 1, id), 'p1')).toBe(true);
	});
	it('goes in portions', () => expect(portions([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]));
});

describe('a long list', () => {
	const list = (size: () => number, changed = (): void => undefined) => {
		const asked: number[] = [];
		const paged = new Paged<{ id: string }>(async ({ offset, limit }) => {
			asked.push(offset);
			return { count: size(), items: Array.from({ length: Math.max(0, Math.min(limit, size() - offset)) }, (_, i) => ({ id: `${offset + i}` })) } satisfies Page<{ id: string }>;
		}, changed);
		return { paged, asked };
	};
	const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 0));
	it('loads where it is looked at, once', async () => {
		const { paged, asked } = list(() => 5000);
		paged.look(0, 40);
		await settled();
		paged.look(2 * PAGE + 50, 3 * PAGE + 10);
		await settled();
		await settled();
		expect(asked).toEqual([0, 200, 300]);
		expect([paged.total, paged.at(250)?.id, paged.at(150), paged.indexOf('310')]).toEqual([5000, '250', undefined, 310]);
		paged.look(0, 40);
		await settled();
		expect(asked).toEqual([0, 200, 300]);
	});
	it('is empty once, and does not ask again and again', async () => {
		const { paged, asked } = list(() => 0);
		paged.look(0, 40);
		await settled();
		paged.look(0, 40);
		await settled();
		expect([paged.total, asked]).toEqual([0, [0]]);
	});
	it('shows what it has while it is read anew, and what a change answered at once', async () => {
		let size = 3;
		const { paged, asked } = list(() => size);
		paged.look(0, 40);
		await settled();
		paged.put({ id: '1' });
		size = 2;
		paged.reload();
		expect(paged.at(2)?.id).toBe('2');
		await settled();
		await settled();
		expect([paged.total, paged.at(2), asked]).toEqual([2, undefined, [0, 0]]);
	});
	it('says what went wrong, and goes on when told to', async () => {
		let wrong = true;
		const changed = vi.fn();
		const paged = new Paged<{ id: string }>(async () => {
			if (wrong) throw new Error('no');
			return { count: 1, items: [{ id: 'a' }] };
		}, changed);
		paged.look(0, 9);
		await settled();
		expect(String(paged.error)).toContain('no');
		wrong = false;
		paged.reload();
		await settled();
		expect([paged.error, paged.total]).toEqual([null, 1]);
		expect(changed).toHaveBeenCalled();
	});
});

describe('filters', () => {
	it('of predictions go into the address and come back', () => {
		const filter = readFilter(new URLSearchParams('status=REVIEWED&label=car&score_min=0.3&since=24h&order=score&status=nonsense&view=table'));
		expect(filter).toMatchObject({ status: ['REVIEWED'], label: 'car', score_min: '0.3', since: '24h', order: 'score' });
		expect(writeFilter(filter, new URLSearchParams('view=table&q=old')).toString()).toBe('view=table&status=REVIEWED&label=car&score_min=0.3&since=24h&order=score');
		expect(isFiltering(filter)).toBe(true);
		expect(isFiltering(readFilter(new URLSearchParams('order=score')))).toBe(false);
	});
	it('are asked of the server as it takes them', () => {
		const filter = readFilter(new URLSearchParams('status=REVIEWED&score_min=2&score_max=0.9&since=1h&q= filename = "a" '));
		expect(listQuery(filter, 7_200_500)).toEqual({
			status: ['REVIEWED'], source: undefined, tag: undefined, label: undefined, version: undefined, score_min: undefined, score_max: 0.9, from: 3600, q: 'filename = "a"', order_by: '-created_at',
		});
	});
	it('of assets are one question, whose texts cannot break out', () => {
		expect(assetQuery(NO_FILTER)).toBeUndefined();
		expect(assetQuery({ ...NO_FILTER, q: 'a = 1 or b = 2' })).toBe('a = 1 or b = 2');
		expect(assetQuery({ label: 'a"b\\', annotated: 'yes', evaluation: 'no', q: 'a = 1 or b = 2' }))
			.toBe('annotations.label.name = "a\\"b\\\\" and annotations.count > 0 and evaluation = false and (a = 1 or b = 2)');
	});
});

describe('a dataset', () => {
	const stats: DatasetStats = {
		label_repartition: { RBC: 90, WBC: 9 }, nb_objects: 99, nb_annotations: 20, nb_assets: 25, nb_annotated: 20, sizes: { small: 0, medium: 50, large: 49 }, objects_per_image: [1, 2],
	};
	it('shows its classes, those on no image too, and warns of the rare', () => {
		const bars = labelBars(stats, ['WBC', 'RBC', 'Platelets']);
		expect(bars.map((b) => [b.label, b.count, b.few])).toEqual([['RBC', 90, false], ['WBC', 9, true], ['Platelets', 0, true]]);
		expect(datasetWarnings(stats, bars)).toEqual([
			'Only 20 images have an annotation. A first model wants 30 or more.',
			'Fewer than 10 objects of WBC (9), Platelets (0): such a class is hardly learned, and cannot be measured.',
		]);
		expect(datasetWarnings({ ...stats, nb_assets: 0 }, bars)).toEqual([]);
	});
	it('comes in portions, each with the annotations it needs', () => {
		const pictures = Array.from({ length: 250 }, (_, i) => `JPEGImages/${i}.jpg`);
		const found = files(...pictures, ...pictures.map((p) => p.replace('JPEGImages', 'Annotations').replace('.jpg', '.xml')), 'all.json', 'classes.txt', 'README.md');
		const made = importPortions(sortLabelled(found));
		expect(made.map((p) => [p.pictures.length, p.annotations.length])).toEqual([[200, 202], [50, 52]]);
		expect(made[1]?.annotations.map((a) => a.path)).toContain('Annotations/249.xml');
		expect(made[1]?.annotations.map((a) => a.path)).not.toContain('Annotations/0.xml');
		expect(importPortions(sortLabelled(files('only.json'))).map((p) => [p.pictures.length, p.annotations.length])).toEqual([[0, 1]]);
		expect(importPortions(sortLabelled([]))).toEqual([]);
	});
	it('takes folders for classes only where every bare picture is in one of several', () => {
		const classes = (...paths: string[]): string[] => classFolders(sortLabelled(files(...paths)));
		expect(classes('signs/1/a.jpg', 'signs/0/b.jpg', 'signs/1/c.jpg')).toEqual(['0', '1']);
		expect(classes('signs/1/a.jpg', 'signs/1/b.jpg')).toEqual([]);
		expect(classes('1/a.jpg', 'b.jpg')).toEqual([]);
		expect(classes('1/a.jpg', '0/b.jpg', 'all.json')).toEqual([]);
	});
	it('adds up what the portions did, and says the same thing once', () => {
		const one = { images: 200, assets_new: 200, annotated: 180, shapes: 900, labels_new: 3, problems: ['all.json: x', 'b'], problems_left_out: 1 };
		expect(mergeResults([one, { ...one, images: 50, assets_new: 50, labels_new: 0, problems: ['all.json: x', 'c'], problems_left_out: 0 }])).toEqual({
			images: 250, assets_new: 250, annotated: 360, shapes: 1800, labels_new: 3, problems: ['all.json: x', 'b', 'c'], problems_left_out: 1,
		});
	});
	it('finds the next name', () => {
		expect(nextVersionName(['v1', 'v2'])).toBe('v3');
		expect(nextVersionName(['v1', 'v2'], 'v1')).toBe('v3');
		expect(nextVersionName(['gold'], 'gold')).toBe('gold-2');
	});
	it('draws what people drew, with one colour a label', () => {
		const shapes = drawable([
			{ type: 'rectangle', x: 1, y: 2, w: 3, h: 4, label: 'b' }, { type: 'polygon', rings: [[[0, 0], [1, 0], [1, 1]], [[5, 5], [6, 5], [6, 6]]], label: 'a' }, { type: 'line', label: 'a' },
		], ['a', 'b']);
		expect(shapes.map((s) => [s.type, s.label_id])).toEqual([['rectangle', 1], ['polygon', 0], ['polygon', 0]]);
		expect(labelNumber(['a'], 'unheard of')).toBe(labelNumber(['a', 'b'], 'unheard of'));
	});
});

describe('the Feedback Loop', () => {
	const loop: FeedbackLoop = {
		set_up: true, active: true, submit_by_itself: true, submit_after_s: 600, evaluation_share: 0.2,
		targets: [{ since: '', dataset_version: { origin_name: 'blood', version: 'v2' } as FeedbackLoop['targets'][number]['dataset_version'] }],
		labels: [{ label: 'cat', action: null, to_name: null }, { label: 'dog', action: 'rename', to_name: 'hound' }],
		counts: { reviewed: 3, submitted: 1, waiting: 0, waiting_labels: {}, next_submission_at: null },
	};
	it('says its state, and the one thing to do', () => {
		expect([loopState(loop), loopSentence(loop), loopNext(loop, undefined, 'd').href]).toEqual(['on', 'Corrected images go to blood v2, 10 minutes after the review.', '/deployment/d/review']);
		expect([loopState({ ...loop, active: false }), loopNext({ ...loop, active: false }, undefined, 'd').words]).toEqual(['off', 'switch it on']);
		expect([loopState({ ...loop, targets: [] }), loopNext({ ...loop, targets: [] }, undefined, 'd').words]).toEqual(['unready', 'attach a dataset version']);
		const waiting = { ...loop, submit_by_itself: false, counts: { ...loop.counts, waiting: 2, waiting_labels: { cat: 2 } } };
		expect([loopState(waiting), loopNext(waiting, undefined, 'd').words]).toEqual(['waiting', 'say what becomes of “cat”']);
		// Whoever has only this finds what comes next.
		expect(loopNext(loop, { set: false } as ContinuousTraining, 'd').href).toBe('/deployment/d/settings/continuous-training');
		// Also before the first review: whoever sets one part up after the other is led on.
		expect(loopNext({ ...loop, counts: { ...loop.counts, reviewed: 0, submitted: 0 } }, { set: false } as ContinuousTraining, 'd').href).toBe('/deployment/d/settings/continuous-training');
		expect(loopSentence(waiting)).toBe('Corrected images go to blood v2, when somebody presses Submit. 2 reviews wait for a label to be mapped.');
		expect([delayWords(3600), delayWords(90), delayWords(60)]).toEqual(['1 hour', '90 seconds', '1 minute']);
	});
	it('has a table that is edited a line at a time', () => {
		const renamed = changeLabel(loop.labels, 'cat', 'rename', null);
		expect(whyNotSaved(renamed)).toBe('“cat” has no name in the datasets yet.');
		expect(asSaved(changeLabel(renamed, 'cat', 'rename', ' lion '), ['hound'])).toEqual([{ label: 'cat', action: 'new', to_name: 'lion' }, { label: 'dog', action: 'rename', to_name: 'hound' }]);
		expect(whyNotSaved(changeLabel(renamed, 'cat', 'rename', 'lion'))).toBeNull();
		expect(changeLabel(renamed, 'cat', 'drop', 'x')[0]).toEqual({ label: 'cat', action: 'drop', to_name: null });
		expect(keepTheRest(loop.labels, ['cat'])[0]?.action).toBe('keep');
		expect(keepTheRest(loop.labels, [])[0]?.action).toBe('new');
		expect([sameLabels(loop.labels, [...loop.labels]), sameLabels(loop.labels, renamed)]).toEqual([true, false]);
	});
});

describe('quality', () => {
	const version = (fields: Partial<VersionQuality>): VersionQuality => ({
		model_version_id: 'v', name: 'm:0', role: 'champion', images: 40, ap: { value: 0.4, low: 0.35, high: 0.45 }, weighted: null, random_only: null, at_threshold: null, labels: [],
		curve: null, best_threshold: null, confusion: null, ...fields,
	});
	it('puts the estimate for all images first', () => {
		const both = version({ weighted: { value: 0.5, low: 0.4, high: 0.6, images: 40 }, random_only: { value: 0.52, low: null, high: null, images: 12 } });
		expect(lines(both).map((l) => [l.name, l.value, l.trusted])).toEqual([['All images', 0.5, true], ['Random sample', 0.52, true], ['Reviewed images', 0.4, false]]);
		expect(lines(version({})).map((l) => [l.name, l.trusted])).toEqual([['Reviewed images', true]]);
		expect([points(0.41249), points(null), interval({ value: 0.5, low: 0.4, high: 0.6 }), interval({ value: 1, low: null, high: null })]).toEqual(['41.2', '–', '40.0 to 60.0', '']);
	});
	it('calls a difference one only where the intervals lie apart', () => {
		const better = version({ role: 'shadow', ap: { value: 0.6, low: 0.5, high: 0.7 } });
		expect([compare(version({}), better), compare(better, version({})), compare(version({}), version({})), compare(undefined, better)]).toEqual(['better', 'worse', 'unsure', null]);
	});
	it('draws what is there, with holes', () => {
		expect(path([[0, 0], [0.5, 1], null, [1, 0.5]], 100, 10)).toBe('M0.0 10.0L50.0 0.0M100.0 5.0');
		expect(cellShares([[3, 1], [0, 0]])).toEqual([[0.75, 0.25], [0, 0]]);
	});
	it('shows the labels that take part', () => {
		const confusion = { labels: ['a', 'b', 'c', 'background'], cells: [[5, 0, 0, 1], [0, 0, 0, 0], [0, 0, 1, 0], [2, 0, 0, 0]] };
		expect(busyLabels(confusion, 5)).toEqual({ labels: ['a', 'c', 'background'], cells: [[5, 0, 1], [0, 1, 0], [2, 0, 0]], left: 0 });
		expect(busyLabels(confusion, 1)).toMatchObject({ labels: ['a', 'background'], left: 1 });
	});
});

describe('whose shapes are drawn', () => {
	const shape = (label: string, score: number): Shape => ({ type: 'rectangle', x: 0, y: 0, w: 1, h: 1, label, label_id: 0, score });
	const asset = {
		predictions: [{ is_shadow: false, threshold: 0.3, shapes: [shape('a', 0.5), shape('b', 0.1)] }, { is_shadow: true, threshold: 0.3, shapes: [shape('c', 0.9)] }],
		reviews: [{ id: '1', kind: 'CORRECTED', shapes: [{ type: 'classification', label: 'z' }] }],
	} as unknown as ReviewedAsset;
	it('by the champion, the shadow, both, or a person', () => {
		expect(drawingOf(asset, 'champion', []).shapes.map((s) => s.label)).toEqual(['a']);
		expect(drawingOf(asset, 'shadow', []).shapes.map((s) => s.label)).toEqual(['c']);
		const both = drawingOf(asset, 'both', []);
		expect(both.shapes.map((s) => both.colour?.(s))).toHaveLength(2);
		expect(new Set(both.shapes.map((s) => both.colour?.(s))).size).toBe(2);
		expect(drawingOf(asset, 'review', ['z']).shapes.map((s) => s.label)).toEqual(['z']);
	});
	it('counts a review until it is undone', () => {
		const undone = { ...asset, reviews: [...asset.reviews ?? [], { id: '2', kind: 'UNDONE', shapes: [] }] } as unknown as ReviewedAsset;
		expect([countingReview(asset)?.id, countingReview(undone)]).toEqual(['1', null]);
	});
});

describe('jobs', () => {
	const job = { id: '1', kind: 'dataset_import', status: 'RUNNING', progress: 0.5, message: null, created_at: '2026-01-01T00:00:00Z', finished_at: null, result: null, error: null, object_id: 'v' } as const;
	it('have a name, a place and a duration', () => {
		expect([jobName('reference'), jobObject({ ...job, kind: 'recount' })]).toEqual(['Training Data', 'deployment']);
		expect([jobName('dataset_import'), jobName('night_work'), jobObject(job), jobObject({ ...job, object_id: null }), isRunning(job)]).toEqual(['Import into a dataset', 'Night work', 'dataset version', null, true]);
		expect([jobSeconds(job, Date.parse('2026-01-01T00:00:09Z')), jobSeconds({ ...job, finished_at: '2026-01-01T00:00:02Z' }, 0)]).toEqual([9, 2]);
	});
});
