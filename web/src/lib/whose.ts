// SPDX-License-Identifier: Apache-2.0
// Whose shapes are drawn over a picture: the champion's, a shadow's, both, or what a person said.
import type { ReviewedAsset, ReviewMark } from '../api/learn';
import type { Shape } from '../api/types';
import { drawable } from './dataset_shapes';
import { championPrediction, shadowPredictions, shapesAt } from './shapes';

export type Whose = 'champion' | 'shadow' | 'both' | 'review';

/** Told apart on photos, and by those who do not see red and green. */
export const CHAMPION_COLOUR = '#4db4ff';
export const SHADOW_COLOUR = '#ffb02e';

export interface Drawing {
	shapes: Shape[];
	shadows: ReadonlySet<Shape>;
	/** By whom instead of by label; null: by label. */
	colour: ((shape: Shape) => string) | null;
}

/** The review that counts: the last, unless it was undone or the image was left out. */
export function countingReview(asset: ReviewedAsset): ReviewMark | null {
	const last = asset.reviews?.[asset.reviews.length - 1];
	return last && last.kind !== 'SKIPPED' && last.kind !== 'UNDONE' ? last : null;
}

export function drawingOf(asset: ReviewedAsset, whose: Whose, labels: readonly string[]): Drawing {
	const champion = championPrediction(asset);
	const own = champion ? shapesAt(champion.shapes, champion.threshold) : [];
	const shadow = shadowPredictions(asset).flatMap((p) => shapesAt(p.shapes, champion?.threshold ?? p.threshold));
	if (whose === 'review') {
		const review = countingReview(asset);
		return { shapes: review ? drawable(review.shapes, labels) : [], shadows: new Set(), colour: null };
	}
	if (whose === 'champion') return { shapes: own, shadows: new Set(), colour: null };
	const shadows = new Set(shadow);
	if (whose === 'shadow') return { shapes: shadow, shadows, colour: null };
	return { shapes: [...own, ...shadow], shadows, colour: (shape) => (shadows.has(shape) ? SHADOW_COLOUR : CHAMPION_COLOUR) };
}
