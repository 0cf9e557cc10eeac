// SPDX-License-Identifier: Apache-2.0
// The points of the latency chart: what the server sent, plus what has happened since.
import type { LatencyPoint, LatencySeries } from '../api/types';
import { mean, percentile } from './percentile';

export interface Points {
	/** Oldest first. */
	points: LatencyPoint[];
	count: number;
	sampled: boolean;
	/** Seconds. */
	mean: number | null;
	p50: number | null;
	p90: number | null;
	p99: number | null;
	/** What the shadows took, in CPU time. */
	shadows: LatencyPoint[];
}

export const EMPTY: Points = { points: [], count: 0, sampled: false, mean: null, p50: null, p90: null, p99: null, shadows: [] };

export function fromSeries(series: LatencySeries): Points {
	return {
		points: series.points, count: series.count, sampled: series.sampled,
		mean: series.mean_s, p50: series.p50_s, p90: series.p90_s, p99: series.p99_s,
		shadows: series.shadow_points ?? [],
	};
}

function withNumbers(points: LatencyPoint[], shadows: LatencyPoint[]): Points {
	const sorted = Float64Array.from(points, (p) => p[1]).sort();
	return {
		shadows, points, count: points.length, sampled: false, mean: mean(sorted),
		p50: percentile(sorted, 0.5), p90: percentile(sorted, 0.9), p99: percentile(sorted, 0.99),
	};
}

/**
 * New points in, points that left the range out. While every point is here the numbers follow at once; with a
 * sample they stay the server's until it is asked again.
 */
export function advance(state: Points, fresh: readonly LatencyPoint[], from: number): Points {
	const known = new Set(state.points.slice(-fresh.length - 64).map((p) => p[2]));
	const added = fresh.filter((p) => p[0] >= from && !known.has(p[2]));
	const firstKept = state.points.findIndex((p) => p[0] >= from);
	const kept = firstKept < 0 ? [] : state.points.slice(firstKept);
	if (added.length === 0 && kept.length === state.points.length) return state;
	const points = [...kept, ...added].sort((a, b) => a[0] - b[0]);
	if (!state.sampled) return withNumbers(points, state.shadows);
	return { ...state, points, count: state.count + added.length };
}

/** First index whose time is not before `at`. */
function lowerBound(points: readonly LatencyPoint[], at: number): number {
	let low = 0;
	let high = points.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((points[middle]?.[0] ?? Infinity) < at) low = middle + 1;
		else high = middle;
	}
	return low;
}

/** Pixels a second and pixels a second of latency: what makes "near" mean near on the screen. */
export interface ChartScale {
	xPixels: number;
	yPixels: number;
	/** What lies above is drawn there. Seconds. */
	top: number;
}

/** The point nearest on the screen within `reach` pixels, or -1. */
export function nearest(points: readonly LatencyPoint[], at: number, latency: number, scale: ChartScale, reach: number): number {
	const span = reach / scale.xPixels;
	let best = -1;
	let bestDistance = reach * reach;
	for (let i = lowerBound(points, at - span); i < points.length; i++) {
		const point = points[i];
		if (!point || point[0] > at + span) break;
		const dx = (point[0] - at) * scale.xPixels;
		const dy = (Math.min(point[1], scale.top) - latency) * scale.yPixels;
		const distance = dx * dx + dy * dy;
		if (distance <= bestDistance) {
			best = i;
			bestDistance = distance;
		}
	}
	return best;
}

/**
 * Seconds at the chart's upper edge: all of it, unless a few points are so far out that the rest would lie flat.
 * Those are drawn at the edge, and counted.
 */
export function ceiling(state: Points): { top: number; above: number } {
	const latest = (points: readonly LatencyPoint[]): number => points.reduce((max, p) => Math.max(max, p[1]), 0);
	const max = latest(state.points);
	const most = (state.p99 ?? max) * 2.5;
	const own = max <= most || most <= 0 ? Math.max(max, state.p99 ?? 0, 0.001) * 1.08 : most;
	// A slower shadow must be seen to be slower: it raises the edge, up to a point.
	const shadow = percentile(Float64Array.from(state.shadows, (p) => p[1]).sort(), 0.95) ?? 0;
	const top = Math.max(own, Math.min(shadow * 1.2, own * 6));
	return { top, above: state.points.filter((p) => p[1] > top).length };
}
