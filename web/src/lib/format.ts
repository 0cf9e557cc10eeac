// SPDX-License-Identifier: Apache-2.0
// Numbers and times as people read them: always with a unit, never with more digits than they mean.

export const NONE = '–';

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export const count = (n: number): string => whole.format(n);

export function plural(n: number, one: string, many = `${one}s`): string {
	return `${count(n)} ${n === 1 ? one : many}`;
}

/** Three significant digits at most: 0.42 ms, 25.1 ms, 243 ms, 1.24 s, 2 min 3 s. */
export function milliseconds(ms: number | null | undefined): string {
	if (ms === null || ms === undefined || !Number.isFinite(ms)) return NONE;
	if (ms < 9.995) return `${ms.toFixed(2)} ms`;
	if (ms < 99.95) return `${ms.toFixed(1)} ms`;
	if (ms < 999.5) return `${ms.toFixed(0)} ms`;
	if (ms < 59_995) return `${(ms / 1000).toFixed(2)} s`;
	const seconds = Math.round(ms / 1000);
	return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export const seconds = (s: number | null | undefined): string =>
	milliseconds(s === null || s === undefined ? null : s * 1000);

/** 0.42 kB is 420 bytes: thousands, as disks and networks count. */
export function bytes(n: number): string {
	if (n < 1000) return plural(Math.round(n), 'byte');
	const units = ['kB', 'MB', 'GB'];
	let value = n / 1000;
	while (value >= 999.5 && units.length > 1) {
		value /= 1000;
		units.shift();
	}
	return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${units[0]}`;
}

/** "8 s", "2 min", "1 h 5 min": a wait, so never exact. */
export function duration(s: number): string {
	if (s < 59.5) return `${Math.max(1, Math.round(s))} s`;
	const minutes = Math.round(s / 60);
	return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const score = (x: number): string => x.toFixed(2);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "just now", "12 s ago", "3 min ago", "5 h ago", "6 days ago", then the date. A clock a little ahead is "just now". */
export function relative(at: string | number | null | undefined, now: number): string {
	if (at === null || at === undefined) return 'never';
	const time = typeof at === 'number' ? at : Date.parse(at);
	if (!Number.isFinite(time)) return NONE;
	const ago = now - time;
	if (ago < 5_000) return 'just now';
	if (ago < MINUTE) return `${Math.floor(ago / 1000)} s ago`;
	if (ago < HOUR) return `${Math.floor(ago / MINUTE)} min ago`;
	if (ago < DAY) return `${Math.floor(ago / HOUR)} h ago`;
	if (ago < 30 * DAY) return plural(Math.floor(ago / DAY), 'day') + ' ago';
	return exact(time).slice(0, 10);
}

const two = (n: number): string => String(n).padStart(2, '0');

/** Local time with its offset: 2026-03-01 14:05:09.120 +01:00. */
export function exact(at: string | number | null | undefined): string {
	if (at === null || at === undefined) return '';
	const d = new Date(at);
	if (Number.isNaN(d.getTime())) return '';
	const offset = -d.getTimezoneOffset();
	const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
	return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ` +
		`${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, '0')} ${zone}`;
}

const TASKS: Record<string, string> = {
	OBJECT_DETECTION: 'Object detection',
	DETECTION: 'Object detection',
	CLASSIFICATION: 'Classification',
	SEGMENTATION: 'Segmentation',
	NOT_CONFIGURED: 'Not configured',
};

export const taskName = (type: string): string => TASKS[type.toUpperCase()] ?? type;

/** For the command line: "detection". */
export const taskWord = (type: string): string => (type === 'OBJECT_DETECTION' ? 'detection' : type.toLowerCase());

/** A word the shell takes as it is, or quoted so that it does. */
export const shellWord = (text: string): string =>
	/^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
