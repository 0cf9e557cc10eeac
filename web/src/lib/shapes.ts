// SPDX-License-Identifier: Apache-2.0
// What a prediction shows at a threshold.
import type { PredictedAsset, Prediction, Shape } from '../api/types';

/** Nothing below it is stored, so the slider need not go lower. */
export const SCORE_FLOOR = 0.01;

/** `null` is "as answered": each prediction at the threshold in force at its time. */
export type ThresholdView = number | null;

export const shapesAt = (shapes: readonly Shape[], threshold: number): Shape[] =>
	shapes.filter((shape) => shape.score >= threshold);

/** The champion's prediction: shadows are never drawn as if they had been answered. */
export function championPrediction(asset: PredictedAsset): Prediction | undefined {
	return asset.predictions.find((p) => !p.is_shadow);
}

/** Of each version that answered this picture unseen, the newest. */
export const shadowPredictions = (asset: PredictedAsset): Prediction[] => asset.predictions.filter((p) => p.is_shadow);

export function shownShapes(asset: PredictedAsset, view: ThresholdView): Shape[] {
	const prediction = championPrediction(asset);
	if (!prediction) return [];
	return shapesAt(prediction.shapes, view ?? prediction.threshold);
}

export interface LabelSummary {
	label: string;
	labelId: number;
	count: number;
	best: number;
}

/** One line a label: most confident first. */
export function summarize(shapes: readonly Shape[]): LabelSummary[] {
	const byLabel = new Map<number, LabelSummary>();
	for (const shape of shapes) {
		const seen = byLabel.get(shape.label_id);
		if (seen) {
			seen.count += 1;
			seen.best = Math.max(seen.best, shape.score);
		} else {
			byLabel.set(shape.label_id,
				{ label: shape.label, labelId: shape.label_id, count: 1, best: shape.score });
		}
	}
	return [...byLabel.values()].sort((a, b) => b.best - a.best || a.labelId - b.labelId);
}

export interface Bounds {
	x: number;
	y: number;
	w: number;
	h: number;
}

/** `null` for a class, which has no place in the image. */
export function boundsOf(shape: Shape): Bounds | null {
	if (shape.type === 'rectangle') return { x: shape.x, y: shape.y, w: shape.w, h: shape.h };
	if (shape.type === 'classification' || shape.polygon.length === 0) return null;
	const xs = shape.polygon.map((p) => p[0]);
	const ys = shape.polygon.map((p) => p[1]);
	const x = Math.min(...xs);
	const y = Math.min(...ys);
	return { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y };
}

/** What moving the threshold does to the pictures at hand. */
export function compareThresholds(assets: Iterable<PredictedAsset>, view: ThresholdView):
	{ pictures: number; answered: number; shown: number } {
	let pictures = 0;
	let answered = 0;
	let shown = 0;
	for (const asset of assets) {
		pictures += 1;
		answered += shownShapes(asset, null).length;
		shown += shownShapes(asset, view).length;
	}
	return { pictures, answered, shown };
}
