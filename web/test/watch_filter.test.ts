// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { isNarrowed, NO_WATCH_FILTER, readWatchFilter, watchKey, watchQuery, writeWatchFilter, type WatchFilter } from '../src/lib/watch_filter';

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
});
