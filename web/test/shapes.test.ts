// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { PredictedAsset, Shape } from '../src/api/types';
import { boundsOf, championPrediction, compareThresholds, shapesAt, shownShapes, summarize } from '../src/lib/shapes';

const box = (label_id: number, score: number): Shape => ({ type: 'rectangle', x: 1, y: 2, w: 3, h: 4, label: `label ${label_id}`, label_id, score });

function asset(id: string, answeredAt: number, shapes: Shape[]): PredictedAsset {
	const prediction = { id: `${id}p`, is_shadow: false, model_version_id: 'v', created_at: '', threshold: answeredAt, latency: 0.02, steps_ms: {}, shapes, hidden: 0 };
	return {
		id, status: 'TO REVIEW', created_at: '',
		data: { id: `${id}d`, filename: `${id}.jpg`, object_name: '', content_type: '', presigned_url: '', meta: { width: 10, height: 10 } },
		predictions: [{ ...prediction, id: 'shadow', is_shadow: true, shapes: [box(9, 0.99)] }, prediction],
	};
}

describe('the threshold', () => {
	it('lets equal scores in', () => {
		expect(shapesAt([box(0, 0.25), box(1, 0.2499)], 0.25).map((s) => s.label_id)).toEqual([0]);
	});

	it('as answered follows each prediction’s own, at a threshold all follow one', () => {
		const one = asset('a', 0.1, [box(0, 0.9), box(1, 0.15), box(2, 0.05)]);
		expect(shownShapes(one, null)).toHaveLength(2);
		expect(shownShapes(one, 0.5)).toHaveLength(1);
		expect(shownShapes(one, 0.01)).toHaveLength(3);
	});

	it('never shows a shadow’s shapes as answered', () => {
		expect(championPrediction(asset('a', 0.1, []))?.id).toBe('ap');
		expect(shownShapes({ ...asset('a', 0.1, []), predictions: [] }, null)).toEqual([]);
	});

	it('counts what moving it would do', () => {
		const assets = [asset('a', 0.1, [box(0, 0.9), box(1, 0.15)]), asset('b', 0.5, [box(0, 0.6), box(1, 0.3)])];
		expect(compareThresholds(assets, null)).toEqual({ pictures: 2, answered: 3, shown: 3 });
		expect(compareThresholds(assets, 0.2)).toEqual({ pictures: 2, answered: 3, shown: 3 });
		expect(compareThresholds(assets, 0.01)).toEqual({ pictures: 2, answered: 3, shown: 4 });
		expect(compareThresholds([], 0.2)).toEqual({ pictures: 0, answered: 0, shown: 0 });
	});
});

describe('summaries', () => {
	it('one line a label, the surest first', () => {
		expect(summarize([box(3, 0.4), box(1, 0.9), box(3, 0.95), box(1, 0.2)])).toEqual([
			{ label: 'label 3', labelId: 3, count: 2, best: 0.95 }, { label: 'label 1', labelId: 1, count: 2, best: 0.9 },
		]);
	});
});

describe('bounds', () => {
	it('of a box, of a polygon, of a class', () => {
		expect(boundsOf(box(0, 1))).toEqual({ x: 1, y: 2, w: 3, h: 4 });
		expect(boundsOf({ type: 'polygon', polygon: [[5, 1], [2, 8], [9, 3]], label: '', label_id: 0, score: 1 })).toEqual({ x: 2, y: 1, w: 7, h: 7 });
		expect(boundsOf({ type: 'polygon', polygon: [], label: '', label_id: 0, score: 1 })).toBeNull();
		expect(boundsOf({ type: 'classification', label: '', label_id: 0, score: 1 })).toBeNull();
	});
});
