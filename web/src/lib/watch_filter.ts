// SPDX-License-Identifier: Apache-2.0
// What the dashboard looks at: in the address, so that it can be sent to somebody; and as the server wants it.
import type { ListQuery } from '../api/learn';

const HOUR = 3600;
const DAY = 24 * HOUR;

/** [key in the address, words, seconds]; "all" has no beginning. */
export const WATCH_RANGES = [
	['1h', 'Last hour', HOUR], ['24h', 'Last 24 hours', DAY], ['7d', 'Last 7 days', 7 * DAY], ['30d', 'Last 30 days', 30 * DAY], ['1y', 'Last year', 365 * DAY], ['all', 'All time', Infinity],
] as const;

export type WatchRange = typeof WATCH_RANGES[number][0];

/** Each prediction at the threshold it was answered with, all at the one in force now, or all at this one. */
export type WatchThreshold = 'answered' | 'setting' | number;

export interface WatchFilter {
	/** '': the server's choice, the last 24 hours that have predictions; 'custom': from…to. */
	range: WatchRange | '' | 'custom';
	/** Unix seconds, where the range is 'custom'. */
	from: number | null;
	to: number | null;
	/** A model version's id, or ''. */
	version: string;
	source: string;
	tags: readonly string[];
	label: string;
	threshold: WatchThreshold;
}

export const NO_WATCH_FILTER: WatchFilter = { range: '', from: null, to: null, version: '', source: '', tags: [], label: '', threshold: 'answered' };

const KEYS = ['range', 'from', 'to', 'version', 'source', 'tag', 'label', 'threshold'] as const;

function readTime(text: string | null): number | null {
	const value = Number(text);
	return text !== null && text !== '' && Number.isFinite(value) && value >= 0 && value < 1e11 ? value : null;
}

function readThreshold(text: string | null): WatchThreshold {
	if (text === 'setting') return 'setting';
	const value = Number(text);
	return text !== null && text !== '' && Number.isFinite(value) && value >= 0 && value <= 1 ? value : 'answered';
}

export function readWatchFilter(query: URLSearchParams): WatchFilter {
	const from = readTime(query.get('from'));
	const to = readTime(query.get('to'));
	const known = WATCH_RANGES.find(([key]) => key === query.get('range'))?.[0] ?? '';
	const custom = from !== null && to !== null && from < to;
	return {
		range: custom ? 'custom' : known, from: custom ? from : null, to: custom ? to : null,
		version: query.get('version') ?? '', source: query.get('source') ?? '', tags: query.getAll('tag').filter((tag) => tag !== ''), label: query.get('label') ?? '',
		threshold: readThreshold(query.get('threshold')),
	};
}

/** Into the address; what is as it is by default is left out, and what is not ours stays. */
export function writeWatchFilter(filter: WatchFilter, query: URLSearchParams): URLSearchParams {
	const next = new URLSearchParams(query);
	for (const key of KEYS) next.delete(key);
	if (filter.range === 'custom' && filter.from !== null && filter.to !== null) {
		next.set('from', String(Math.floor(filter.from)));
		next.set('to', String(Math.ceil(filter.to)));
	} else if (filter.range !== '' && filter.range !== 'custom') {
		next.set('range', filter.range);
	}
	for (const key of ['version', 'source', 'label'] as const) if (filter[key]) next.set(key, filter[key]);
	for (const tag of filter.tags) next.append('tag', tag);
	if (filter.threshold !== 'answered') next.set('threshold', String(filter.threshold));
	return next;
}

/** Without the range: a stretch of time is not what is meant by "filtered". */
export const isNarrowed = ({ version, source, tags, label }: WatchFilter): boolean => version !== '' || source !== '' || tags.length > 0 || label !== '';

/** From and to in unix seconds; undefined: the server's choice. Full minutes, so that the same view is the same request for a while. */
export function watchSpan(filter: WatchFilter, nowMs: number): { from: number | undefined; to: number | undefined } {
	if (filter.range === 'custom') return { from: filter.from ?? undefined, to: filter.to ?? undefined };
	const seconds = WATCH_RANGES.find(([key]) => key === filter.range)?.[2];
	if (seconds === undefined) return { from: undefined, to: undefined };
	if (seconds === Infinity) return { from: 0, to: undefined };
	return { from: Math.floor(nowMs / 60_000) * 60 - seconds, to: undefined };
}

/** As every endpoint of the dashboard takes it: `…/dashboard`, `/heatmap`, `/drift`, `/outliers`. */
export function watchQuery(filter: WatchFilter, nowMs: number): ListQuery {
	return {
		...watchSpan(filter, nowMs),
		version: filter.version || undefined, source: filter.source || undefined, tag: filter.tags.length > 0 ? filter.tags : undefined, label: filter.label || undefined,
		threshold: filter.threshold === 'answered' ? undefined : filter.threshold,
	};
}

/** The same view is the same key. */
export const watchKey = (filter: WatchFilter): string => JSON.stringify([filter.range, filter.from, filter.to, filter.version, filter.source, filter.tags, filter.label, filter.threshold]);

/**
 * What is looked at where nothing was chosen: of a deployment that is younger than an hour that hour, or all would lie at one
 * edge; unless its predictions are older than itself, as those made elsewhere may be.
 */
export function withRecent(filter: WatchFilter, createdAt: string, lastAt: string | null, nowMs: number): WatchFilter {
	const young = nowMs - Date.parse(createdAt) < HOUR * 1000 && (lastAt === null || nowMs - Date.parse(lastAt) < HOUR * 1000);
	return filter.range === '' && young ? { ...filter, range: '1h' } : filter;
}

/** "in the last 24 hours", "between 2026-03-01 and 2026-03-04". */
export function rangeWords(filter: WatchFilter): string {
	if (filter.range === 'custom') return 'in the chosen stretch of time';
	if (filter.range === 'all') return 'so far';
	const words = WATCH_RANGES.find(([key]) => key === filter.range)?.[1];
	return words ? `in the ${words.toLowerCase()}` : 'in the last 24 hours with predictions';
}

/** A stretch of time that ends now and moves, or one that stands. Unix seconds. */
export type Window = { seconds: number } | { from: number; to: number };

const DAY_WINDOW: Window = { seconds: DAY };

/** Of the points of latency: the same stretch that the server chooses for what it counts. */
export function latencyWindow(filter: WatchFilter, first: number, lastAt: string | null, nowMs: number): Window {
	if (filter.range === 'custom') return { from: filter.from ?? 0, to: filter.to ?? nowMs / 1000 };
	const seconds = WATCH_RANGES.find(([key]) => key === filter.range)?.[2];
	if (seconds === Infinity) return { seconds: Math.max(60, Math.ceil(nowMs / 1000 - first)) };
	if (seconds !== undefined) return { seconds };
	const last = lastAt === null ? nowMs / 1000 : Date.parse(lastAt) / 1000;
	return nowMs / 1000 - last < DAY ? DAY_WINDOW : { from: Math.floor(last) - DAY, to: Math.ceil(last) };
}

/** The Predictions tab with what is looked at here. */
export function predictionsLink(deployment: string, filter: WatchFilter): string {
	const query = new URLSearchParams();
	for (const key of ['source', 'label', 'version'] as const) if (filter[key]) query.set(key, filter[key]);
	if (filter.tags[0]) query.set('tag', filter.tags[0]);
	if (['1h', '24h', '7d', '30d'].includes(filter.range)) query.set('since', filter.range);
	const text = query.toString();
	return `/deployment/${deployment}/predictions${text ? `?${text}` : ''}`;
}
