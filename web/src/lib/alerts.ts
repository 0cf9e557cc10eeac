// SPDX-License-Identifier: Apache-2.0
// Alerts in words: the kinds one can add, what a condition says, how a delivery went.
import type { Alert, AlertEvent, Delivery } from '../api/watch';
import { delayWords } from './feedback';
import { plural } from './format';

export interface AlertKind {
	kind: string;
	title: string;
	unit: string;
	/** It looks at a window; otherwise it fires by an event. */
	windowed: boolean;
	/** What a new one begins with. */
	operator: string;
	value: number;
	window_s: number;
	images_min: number;
	/** May be of one label alone. */
	labelled: boolean;
}

/** As src/watch/alerts.def has them. */
export const ALERT_KINDS: readonly AlertKind[] = [
	{ kind: 'latency', title: 'Latency (p99)', unit: 'ms', windowed: true, operator: '>', value: 1000, window_s: 300, images_min: 20, labelled: false },
	{ kind: 'avg_latency', title: 'Mean latency', unit: 'ms', windowed: true, operator: '>', value: 500, window_s: 300, images_min: 20, labelled: false },
	{ kind: 'failed', title: 'Failed requests', unit: '%', windowed: true, operator: '>', value: 5, window_s: 300, images_min: 20, labelled: false },
	{ kind: 'is_outlier', title: 'Outliers', unit: '%', windowed: true, operator: '>', value: 5, window_s: 3600, images_min: 50, labelled: false },
	{ kind: 'is_drift', title: 'Drift', unit: '', windowed: false, operator: '=', value: 1, window_s: 0, images_min: 0, labelled: false },
	{ kind: 'training_failed', title: 'Training failed', unit: '', windowed: false, operator: '=', value: 1, window_s: 0, images_min: 0, labelled: false },
	{ kind: 'stats.ap_50_95', title: 'AP of reviewed images', unit: '', windowed: true, operator: '<', value: 0.5, window_s: 604800, images_min: 30, labelled: true },
	{ kind: 'distribution', title: 'Label distribution', unit: '', windowed: true, operator: '<', value: 0.0001, window_s: 86400, images_min: 100, labelled: false },
	{ kind: 'data_quality', title: 'Image quality', unit: '%', windowed: true, operator: '>', value: 5, window_s: 3600, images_min: 50, labelled: false },
];

export const kindOf = (kind: string): AlertKind | undefined => ALERT_KINDS.find((k) => k.kind === kind);

export const OPERATORS = ['>', '>=', '<', '<=', '='] as const;
const OPERATOR_WORDS: Record<string, string> = { '>': 'above', '>=': 'at or above', '<': 'below', '<=': 'at or below', '=': 'equal to' };
export const operatorWords = (operator: string): string => OPERATOR_WORDS[operator] ?? operator;

export const WINDOWS = [60, 300, 900, 3600, 21600, 86400, 604800] as const;

/** "15 minutes", "7 days". */
export function windowWords(seconds: number): string {
	return seconds >= 2 * 86400 && seconds % 86400 === 0 ? plural(seconds / 86400, 'day') : delayWords(seconds);
}

/** "above 1000 ms over 15 minutes, from 20 images on". */
export function conditionWords(alert: Pick<Alert, 'kind' | 'operator' | 'value' | 'unit' | 'window_s' | 'images_min' | 'label'>): string {
	if (alert.window_s === 0) return 'as soon as it is found';
	const value = `${operatorWords(alert.operator)} ${alert.value}${alert.unit ? ` ${alert.unit}` : ''}`;
	return `${value} over ${windowWords(alert.window_s)}${alert.label ? `, ${alert.label} alone` : ''}${alert.images_min > 1 ? `, from ${plural(alert.images_min, 'image')} on` : ''}`;
}

/** Why it cannot be saved, or null. */
export function valueProblem(text: string, unit: string): string | null {
	const value = Number(text);
	if (text.trim() === '' || !Number.isFinite(value)) return 'It needs a number.';
	if (value < 0) return 'It cannot be below 0.';
	return unit === '%' && value > 100 ? 'It cannot be above 100 %.' : null;
}

/** Open ones first, then by when they opened, newest first. */
export const newestEvents = (events: readonly AlertEvent[]): AlertEvent[] =>
	[...events].sort((a, b) => Number(b.closed_at === null) - Number(a.closed_at === null) || Date.parse(b.opened_at) - Date.parse(a.opened_at));

export const openEvents = (events: readonly AlertEvent[]): AlertEvent[] => newestEvents(events).filter((e) => e.closed_at === null);

export function deliveryWords(d: Delivery): { word: string; tone: string } {
	if (d.done_at !== null && d.http_status !== null && d.http_status >= 200 && d.http_status < 300) return { word: 'delivered', tone: 'ok' };
	if (d.next_at !== null) return d.attempts === 0 ? { word: 'on its way', tone: 'busy' } : { word: 'tried again later', tone: 'warn' };
	return { word: 'given up', tone: 'bad' };
}

/** Why this address cannot be called, or null. */
export function addressProblem(text: string): string | null {
	try {
		const { protocol } = new URL(text.trim());
		return protocol === 'https:' || protocol === 'http:' ? null : 'It begins with https:// or http://.';
	} catch {
		return 'It is a whole address, such as https://example.org/hook.';
	}
}
