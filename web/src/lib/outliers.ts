// SPDX-License-Identifier: Apache-2.0
// Outlier scores in words and as points: 1 is the limit.
import { secondsOf } from '../api/dashboard';
import type { OutlierPoint, Outliers } from '../api/watch';
import { plural } from './format';

export interface Dot {
	/** Unix seconds. */
	at: number;
	score: number;
	/** By its rank: a score above the limit is one only where Training Data has enough images to rank among. */
	outlier: boolean;
	id: string;
}

export const isOutlier = (point: OutlierPoint, rank: number): boolean => point.rank !== null && point.rank <= rank;

/** Oldest first. */
export const dots = ({ points, rank }: Outliers): Dot[] =>
	points.map((p) => ({ at: secondsOf(p.at), score: p.score, outlier: isOutlier(p, rank), id: p.predicted_asset_id })).sort((a, b) => a.at - b.at);

/** Scores far above the limit are many times as large: up the axis each step doubles. */
export const height = (score: number): number => Math.log2(1 + Math.max(0, score));

const TICKS = [0, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000];

/** Round scores up to the top that are at least so far apart, as shares of the axis; the limit, 1, always. */
export function scoreTicks(top: number, apart: number): number[] {
	const far = (a: number, b: number): boolean => Math.abs(height(a) - height(b)) / height(top) >= apart;
	const kept: number[] = [];
	for (const t of TICKS) {
		const last = kept.at(-1);
		if (t <= top && (t === 1 || ((last === undefined || far(t, last)) && (t > 1 || far(t, 1))))) kept.push(t);
	}
	return kept;
}

export const percent = (share: number | null): string => (share === null ? '–' : share > 0 && share < 0.001 ? 'below 0.1\u00a0%' : `${Number((100 * share).toFixed(share < 0.1 ? 1 : 0))}\u00a0%`);

export const rankWords = (rank: number | null): string => (rank === null ? '' : `more unusual than ${Math.floor(1000 * (1 - rank)) / 10} % of Training Data`);

export function outlierSentence({ counts, limit, points, rank }: Outliers): string {
	if (counts.images === 0) return 'No image yet to score.';
	const range = counts.low !== null && counts.high !== null ? ` (${percent(counts.low)} to ${percent(counts.high)})` : '';
	const verdict = counts.low !== null && counts.low > rank ? 'More than' : counts.high !== null && counts.high < rank ? 'Fewer than' : 'As';
	if (counts.outliers === 0 && points.some((p) => p.score >= limit && !isOutlier(p, rank))) {
		return 'Some images score above the limit, and Training Data has too few images to call them outliers: that takes about 200.';
	}
	return `${percent(counts.share)}${range} of ${plural(counts.images, 'image')} are unusual to the model. ${verdict} expected when nothing changed: ${percent(rank)}.`;
}
