// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { isNarrowed, latencyWindow, NO_WATCH_FILTER, predictionsLink, readWatchFilter, watchKey, watchQuery, withRecent, writeWatchFilter, type WatchFilter } from '../src/lib/watch_filter';

const read = (text: string): WatchFilter => readWatchFilter(new URLSearchParams(text));
const NOW = 1_700_000_030_000;

describe('the filter of the dashboard', () => {
	it('is nothing by default, and nothing is then asked of the server', () => {
		expect(read('')).toEqual(NO_WATCH_FILTER);
		expect(Object.values(watchQuery(NO_WATCH_FILTER, NOW)).every((value) => value === undefined)).toBe(true);
		expect(writeWatchFilter(NO_WATCH_FILTER, new URLSearchParams('prediction=x')).toString()).toBe('prediction=x');
	});

	it.each([
		'range=7d', 'from=1700000000&to=1700003600', 'version=v1&source=camera-1&label=RBC&tag=night&tag=rain', 'threshold=setting', 'threshold=0.35', 'range=all&threshold=0',
	])('comes back from the address as it was: %s', (text) => {
		const filter = read(text);
		expect(readWatchFilter(writeWatchFilter(filter, new URLSearchParams('range=1h&tag=old')))).toEqual(filter);
	});

	it('leaves out what makes no sense', () => {
		expect(read('range=3d').range).toBe('');
		expect(read('from=20&to=10').range).toBe('');
		expect(read('from=ten&to=20').range).toBe('');
		expect(read('threshold=1.5').threshold).toBe('answered');
		expect(read('threshold=').threshold).toBe('answered');
		expect(read('tag=').tags).toEqual([]);
	});

	it('asks for full minutes, so that two views within one are the same request', () => {
		const filter = read('range=1h');
		expect(watchQuery(filter, NOW).from).toBe(1_699_999_980 - 3600);
		expect(watchQuery(filter, NOW)).toEqual(watchQuery(filter, NOW + 5000));
	});

	it('is narrowed by what leaves predictions out, not by time or threshold', () => {
		expect(isNarrowed(read('range=1h&threshold=0.5'))).toBe(false);
		expect(isNarrowed(read('tag=night'))).toBe(true);
	});

	it('has a key for each view', () => {
		const keys = ['', 'range=1h', 'threshold=0', 'tag=a', 'tag=a&tag=b', 'label=a', 'source=a'].map((text) => watchKey(read(text)));
		expect(new Set(keys).size).toBe(keys.length);
	});

	it('shows the points of the stretch that the server chooses', () => {
		const at = (hoursAgo: number): string => new Date(NOW - hoursAgo * 3_600_000).toISOString();
		expect(latencyWindow(read('range=1h'), 0, null, NOW)).toEqual({ seconds: 3600 });
		expect(latencyWindow(read(''), 0, at(2), NOW)).toEqual({ seconds: 86400 });
		expect(latencyWindow(read(''), 0, at(48), NOW)).toEqual({ from: NOW / 1000 - 72 * 3600, to: NOW / 1000 - 48 * 3600 });
		expect(latencyWindow(read('range=all'), NOW / 1000 - 500, at(0), NOW)).toEqual({ seconds: 500 });
		expect(latencyWindow(read('from=10&to=20'), 0, at(0), NOW)).toEqual({ from: 10, to: 20 });
	});

	it('begins with the last hour of what is younger than that', () => {
		const ago = (minutes: number): string => new Date(NOW - minutes * 60_000).toISOString();
		expect(withRecent(read(''), ago(1), null, NOW).range).toBe('1h');
		expect(withRecent(read(''), ago(10), ago(1), NOW).range).toBe('1h');
		expect(withRecent(read(''), ago(61), ago(1), NOW).range).toBe('');
		expect(withRecent(read(''), ago(1), ago(3000), NOW).range).toBe('');
		expect(withRecent(read('range=7d'), ago(1), null, NOW).range).toBe('7d');
	});

	it('leads to the same predictions', () => {
		expect(predictionsLink('d', read('source=gate-1&label=person&range=7d&tag=night'))).toBe('/deployment/d/predictions?source=gate-1&label=person&tag=night&since=7d');
		expect(predictionsLink('d', read('threshold=0.5'))).toBe('/deployment/d/predictions');
	});
});
