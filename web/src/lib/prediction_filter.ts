// SPDX-License-Identifier: Apache-2.0
// Which predictions one looks at: in the address, so that it can be sent to somebody; and as the server wants it.
import type { ListQuery } from '../api/learn';

export const STATUSES = ['TO REVIEW', 'REVIEWED', 'SUBMITTED', 'SKIPPED'] as const;

export const ORDERS = [
	['-created_at', 'Newest first'], ['created_at', 'Oldest first'], ['score', 'Least sure first'], ['-score', 'Surest first'],
	['-count', 'Most shapes first'], ['count', 'Fewest shapes first'],
] as const;

export const SINCE = [['1h', 'Last hour', 3600], ['24h', 'Last 24 hours', 86400], ['7d', 'Last 7 days', 604800], ['30d', 'Last 30 days', 2592000]] as const;

export interface PredictionFilter {
	status: readonly string[];
	source: string;
	tag: string;
	label: string;
	version: string;
	score_min: string;
	score_max: string;
	/** A key of SINCE, or "" for any time. */
	since: string;
	q: string;
	order: string;
}

const KEYS = ['source', 'tag', 'label', 'version', 'score_min', 'score_max', 'since', 'q'] as const;
type Key = typeof KEYS[number];

export function readFilter(query: URLSearchParams): PredictionFilter {
	const order = query.get('order') ?? '';
	const text = (key: Key): string => query.get(key) ?? '';
	return {
		status: query.getAll('status').filter((s) => (STATUSES as readonly string[]).includes(s)),
		source: text('source'), tag: text('tag'), label: text('label'), version: text('version'), score_min: text('score_min'), score_max: text('score_max'),
		since: SINCE.some(([key]) => key === text('since')) ? text('since') : '', q: text('q'),
		order: ORDERS.some(([key]) => key === order) ? order : '-created_at',
	};
}

/** Into the address; what does not filter is left out. */
export function writeFilter(filter: PredictionFilter, query: URLSearchParams): URLSearchParams {
	const next = new URLSearchParams(query);
	for (const key of [...KEYS, 'status', 'order']) next.delete(key);
	for (const status of filter.status) next.append('status', status);
	for (const key of KEYS) if (filter[key]) next.set(key, filter[key]);
	if (filter.order !== '-created_at') next.set('order', filter.order);
	return next;
}

export const isFiltering = (filter: PredictionFilter): boolean => filter.status.length > 0 || KEYS.some((key) => filter[key] !== '');

const number = (text: string): number | undefined => {
	const value = Number(text);
	return text.trim() && Number.isFinite(value) && value >= 0 && value <= 1 ? value : undefined;
};

/** As the server takes it. Times are full minutes, so that the same view is the same request for a while. */
export function listQuery(filter: PredictionFilter, nowMs: number): ListQuery {
	const since = SINCE.find(([key]) => key === filter.since);
	return {
		status: filter.status.length > 0 ? filter.status : undefined,
		source: filter.source || undefined, tag: filter.tag || undefined, label: filter.label || undefined, version: filter.version || undefined,
		score_min: number(filter.score_min), score_max: number(filter.score_max),
		from: since ? Math.floor(nowMs / 60_000) * 60 - since[2] : undefined,
		q: filter.q.trim() || undefined, order_by: filter.order,
	};
}

const STATUS_WORDS: Record<string, { word: string; tone: string; help: string }> = {
	'TO REVIEW': { word: 'To review', tone: 'plain', help: 'Nobody has looked at it.' },
	REVIEWED: { word: 'Reviewed', tone: 'busy', help: 'A person said what is right. It is not in a dataset yet.' },
	SUBMITTED: { word: 'Submitted', tone: 'ok', help: 'It is in the Feedback Loop’s datasets.' },
	SKIPPED: { word: 'Skipped', tone: 'warn', help: 'A person left it out: nothing is trained or measured on it.' },
};

export const statusWords = (status: string): { word: string; tone: string; help: string } =>
	STATUS_WORDS[status] ?? { word: status, tone: 'plain', help: '' };
