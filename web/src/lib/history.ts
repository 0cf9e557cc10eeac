// SPDX-License-Identifier: Apache-2.0
// A deployment's history in sentences.
import type { HistoryItem } from '../api/types';
import { score } from './format';

/** The server says a model version as text or as an object with names; both read the same here. */
export function valueText(value: unknown): string {
	if (value === null || value === undefined) return '';
	if (typeof value === 'number') return Number.isInteger(value) ? String(value) : score(value);
	if (typeof value !== 'object') return String(value);
	const named = value as { model_name?: unknown; version?: unknown; name?: unknown };
	if (typeof named.model_name === 'string')
		return typeof named.version === 'number' ? `${named.model_name}:${named.version}` : named.model_name;
	return typeof named.name === 'string' ? named.name : JSON.stringify(value);
}

const VERBS: Record<string, string> = {
	created: 'Created', deployed: 'Deployed', rolled_back: 'Went back to', threshold: 'Threshold', renamed: 'Renamed',
	paused: 'Paused', resumed: 'Resumed',
};

export function historyLine(item: HistoryItem): string {
	const verb = VERBS[item.what] ?? item.what;
	const from = valueText(item.from);
	const to = valueText(item.to);
	if (item.what === 'threshold' || item.what === 'renamed') return `${verb} from ${from || 'nothing'} to ${to}`;
	if (item.what === 'created') return to ? `${verb} with ${to}` : verb;
	if (!to) return verb;
	return from ? `${verb} ${to} in place of ${from}` : `${verb} ${to}`;
}

export const newestFirst = (items: readonly HistoryItem[]): HistoryItem[] =>
	[...items].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));

/** There is a champion to go back to once it was replaced. */
export const canGoBack = (items: readonly HistoryItem[]): boolean =>
	items.some((item) => item.what === 'rolled_back' || (item.what === 'deployed' && valueText(item.from) !== ''));
