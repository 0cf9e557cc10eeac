// SPDX-License-Identifier: Apache-2.0
// Outlier scores in words and as points: 1 is the limit.
import { secondsOf } from '../api/dashboard';
import type { OutlierPoint, Outliers } from '../api/watch';
import { plural } from './format';

/** Unix seconds, score, predicted asset: as the charts' `nearest` takes them. Oldest first. */
export const scored = (points: readonly OutlierPoint[]): [number, number, string][] =>
	points.map((p): [number, number, string] => [secondsOf(p.at), p.score, p.predicted_asset_id]).sort((a, b) => a[0] - b[0]);

/** Where the chart ends: what is far out is drawn at the edge, or the rest would be a line. */
export function topScore(points: readonly (readonly [number, number, string])[], limit: number): number {
	const sorted = points.map((p) => p[1]).sort((a, b) => a - b);
	const most = sorted.at(-1) ?? 0;
	const high = sorted[Math.floor(0.98 * (sorted.length - 1))] ?? 0;
	return Math.max(1.6 * limit, Math.min(1.06 * most, 1.6 * high));
}

export const percent = (share: number | null): string => (share === null ? '–' : share > 0 && share < 0.001 ? 'below 0.1\u00a0%' : `${Number((100 * share).toFixed(share < 0.1 ? 1 : 0))}\u00a0%`);

export const rankWords = (rank: number | null): string => (rank === null ? '' : `more unusual than ${Math.floor(1000 * (1 - rank)) / 10} % of Training Data`);

export function outlierSentence({ counts, rank }: Outliers): string {
	if (counts.images === 0) return 'No image yet to score.';
	const range = counts.low !== null && counts.high !== null ? ` (${percent(counts.low)} to ${percent(counts.high)})` : '';
	const verdict = counts.low !== null && counts.low > rank ? 'More than' : counts.high !== null && counts.high < rank ? 'Fewer than' : 'As';
	return `${percent(counts.share)}${range} of ${plural(counts.images, 'image')} are unusual to the model. ${verdict} expected when nothing changed: ${percent(rank)}.`;
}
