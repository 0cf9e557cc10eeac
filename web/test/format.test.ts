// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { count, exact, milliseconds, NONE, plural, relative, seconds, shellWord, taskName, taskWord } from '../src/lib/format';

describe('numbers', () => {
	it('groups thousands and knows one from many', () => {
		expect(count(1234567)).toBe('1,234,567');
		expect(plural(1, 'shape')).toBe('1 shape');
		expect(plural(0, 'shape')).toBe('0 shapes');
		expect(plural(2, 'field is', 'fields are')).toBe('2 fields are');
	});

	it.each([
		[0, '0.00 ms'], [0.4242, '0.42 ms'], [9.994, '9.99 ms'], [9.996, '10.0 ms'], [25.14, '25.1 ms'], [99.94, '99.9 ms'], [99.96, '100 ms'],
		[999.4, '999 ms'], [999.6, '1.00 s'], [1240, '1.24 s'], [59_994, '59.99 s'], [59_996, '1 min 0 s'], [123_000, '2 min 3 s'],
	])('%f ms is %s', (ms, text) => expect(milliseconds(ms)).toBe(text));

	it('says nothing of what it does not know', () => {
		expect(milliseconds(null)).toBe(NONE);
		expect(milliseconds(NaN)).toBe(NONE);
		expect(seconds(undefined)).toBe(NONE);
		expect(seconds(0.0251)).toBe('25.1 ms');
	});
});

describe('times', () => {
	const now = Date.parse('2026-03-01T12:00:00Z');
	it.each([
		[-3_000, 'just now'], [0, 'just now'], [4_999, 'just now'], [12_000, '12 s ago'], [59_999, '59 s ago'], [60_000, '1 min ago'],
		[3_599_999, '59 min ago'], [3_600_000, '1 h ago'], [86_400_000, '1 day ago'], [29 * 86_400_000, '29 days ago'],
	])('%d ms before now is "%s"', (ago, text) => expect(relative(now - ago, now)).toBe(text));

	it('gives the date after a month, and words for nothing', () => {
		expect(relative(now - 40 * 86_400_000, now)).toBe('2026-01-20');
		expect(relative(null, now)).toBe('never');
		expect(relative('not a time', now)).toBe(NONE);
	});

	it('is exact with its offset', () => {
		expect(exact('2026-03-01T12:34:56.789Z')).toMatch(/^2026-0[123]-\d\d \d\d:\d\d:56\.789 [+-]\d\d:\d\d$/);
		// The offset printed is the one applied: reading it back gives the same moment.
		const text = exact('2026-03-01T12:34:56.789Z');
		expect(Date.parse(`${text.slice(0, 10)}T${text.slice(11, 23)}${text.slice(24)}`)).toBe(Date.parse('2026-03-01T12:34:56.789Z'));
		expect(exact('rubbish')).toBe('');
	});
});

describe('words', () => {
	it('names tasks, and leaves unknown ones as they are', () => {
		expect(taskName('OBJECT_DETECTION')).toBe('Object detection');
		expect(taskName('detection')).toBe('Object detection');
		expect(taskName('POINT')).toBe('POINT');
		expect(taskWord('OBJECT_DETECTION')).toBe('detection');
		expect(taskWord('SEGMENTATION')).toBe('segmentation');
	});

	it('quotes for the shell only where it must', () => {
		expect(shellWord('amber-falcon')).toBe('amber-falcon');
		expect(shellWord('dock 2')).toBe("'dock 2'");
		expect(shellWord("it's; rm -rf")).toBe(`'it'\\''s; rm -rf'`);
	});
});
