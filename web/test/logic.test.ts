// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../src/api/client';
import { explain, sentence } from '../src/lib/explain';
import { championBefore, championChanges, goBackTo, historyLine, newestFirst, versionIds } from '../src/lib/history';
import { liveReducer, retryDelay, START } from '../src/lib/live';
import { match } from '../src/lib/match';
import { fieldName, fieldValue } from '../src/lib/recipe';
import { orderedSteps } from '../src/lib/steps';
import { Store } from '../src/lib/store';
import { throttle } from '../src/lib/throttle';
import { nextUpload, uploadReducer, type Upload } from '../src/lib/upload';
import { gridShape, step, visibleRange } from '../src/lib/windowing';

describe('the event stream', () => {
	it('notes what it may have missed and is well again once open', () => {
		const broken = liveReducer(liveReducer(START, 'open'), 'error');
		expect(broken).toEqual({ connection: 'reconnecting', attempt: 1, missed: true });
		expect(liveReducer(broken, 'error').attempt).toBe(2);
		expect(liveReducer(broken, 'retry').missed).toBe(true);
		expect(liveReducer(broken, 'open')).toEqual({ connection: 'live', attempt: 0, missed: false });
	});

	it('rests while nobody looks', () => {
		const resting = liveReducer(liveReducer(START, 'open'), 'hidden');
		expect(resting.connection).toBe('resting');
		expect(liveReducer(resting, 'retry')).toBe(resting);
		expect(liveReducer(resting, 'visible')).toEqual({ connection: 'connecting', attempt: 0, missed: true });
	});

	it('waits longer each time, up to a limit, and not all at once', () => {
		expect([1, 2, 3, 4, 5, 50].map((n) => retryDelay(n, 0))).toEqual([1000, 2000, 4000, 8000, 15000, 15000]);
		expect(retryDelay(1, 1)).toBe(1250);
	});
});

describe('throttle', () => {
	beforeEach(() => void vi.useFakeTimers());
	afterEach(() => void vi.useRealTimers());

	it('runs at once, then at most once a period, and never loses the last', () => {
		const call = vi.fn();
		const throttled = throttle(call, 1000);
		throttled();
		throttled();
		throttled();
		expect(call).toHaveBeenCalledTimes(1);
		vi.advanceTimersByTime(1000);
		expect(call).toHaveBeenCalledTimes(2);
		throttled();
		expect(call).toHaveBeenCalledTimes(2);
		vi.advanceTimersByTime(1000);
		expect(call).toHaveBeenCalledTimes(3);
		vi.advanceTimersByTime(5000);
		expect(call).toHaveBeenCalledTimes(3);
		throttled();
		expect(call).toHaveBeenCalledTimes(4);
	});

	it('can be called off', () => {
		const call = vi.fn();
		const throttled = throttle(call, 1000);
		throttled();
		throttled();
		throttled.cancel();
		vi.advanceTimersByTime(5000);
		expect(call).toHaveBeenCalledTimes(1);
	});
});

describe('errors', () => {
	it('say what, why and what to do', () => {
		const told = explain(new ApiError(503, 'amber-falcon was paused by admin.', 60), 'Not predicted');
		expect(told).toEqual({ what: 'Not predicted', why: 'amber-falcon was paused by admin.', todo: 'Try again in 60 s.', retry: true });
		expect(explain(new ApiError(422, 'x is no picture.'), '')).toMatchObject({ why: 'x is no picture.', retry: false });
		expect(explain(new ApiError(500, 'x'), '').todo).toContain('log');
		expect(explain(new ApiError(418, 'x'), '').retry).toBe(true);
		expect(explain(new TypeError('a bug'), '').why).toBe('The page failed: a bug.');
		expect(sentence('what?')).toBe('Something failed.');
	});
});

describe('routes', () => {
	it('match whole paths', () => {
		expect(match('/', '/')).toEqual({});
		expect(match('/deployment/:id', '/deployment/a%20b/')).toEqual({ id: 'a b' });
		expect(match('/deployment/:id', '/deployment')).toBeNull();
		expect(match('/deployment/:id', '/deployment/a/b')).toBeNull();
		expect(match('/models', '/model')).toBeNull();
		expect(match('/deployment/:id', '/deployment/%E0%A4%A')).toBeNull();
	});
});

describe('a recipe', () => {
	it('prints a float without its noise, and what it does not know as JSON', () => {
		expect(fieldValue(0.44999998807907104)).toBe('0.45');
		expect(fieldValue({ a: 1 })).toBe('{"a":1}');
		expect(fieldName('pad_value')).toBe('pad value');
	});
});

describe('history', () => {
	const v0 = '01a20c48-af7f-73bd-810a-1c3d09dcd979';
	const v1 = '01a20c4f-0b34-7977-8c70-30276a9745a7';
	const names = new Map([[v0, 'yolox:0'], [v1, 'yolox:1']]);
	const item = (what: string, from: string | null, to: string | null, at = '2026-01-01T00:00:00Z') => ({ at, what, by: 'admin', from, to });

	it('reads as sentences', () => {
		expect(historyLine(item('threshold', '0.25', '0.1'), names)).toBe('Threshold from 0.25 to 0.10');
		expect(historyLine(item('renamed', 'street', 'dock 2'), names)).toBe('Renamed from street to dock 2');
		expect(historyLine(item('created', null, v0), names)).toBe('Created with yolox:0');
		expect(historyLine(item('deployed', v0, v1), names)).toBe('Deployed yolox:1 in place of yolox:0');
		expect(historyLine(item('rolled_back', v1, v0), new Map())).toBe('Went back to version 01a20c48 in place of version 01a20c4f');
		expect(historyLine(item('paused', null, null), names)).toBe('Paused');
		expect(historyLine(item('promoted', v0, v1), names)).toBe('Promoted yolox:1 in place of yolox:0');
		expect(historyLine(item('shadow_set', null, v1), names)).toBe('Shadow set: yolox:1');
		expect(historyLine(item('shadow_removed', v1, null), names)).toBe('Shadow removed: yolox:1');
		expect(historyLine(item('held', null, v1), names)).toBe('Held back, a shadow: yolox:1');
		expect(historyLine(item('training_failed', null, v1), names)).toBe('A training failed');
		expect(historyLine(item('something new', null, 'x'), names)).toBe('something new x');
	});

	it('knows whose names to look up', () => {
		expect(versionIds([item('deployed', v0, v1), item('created', null, v0), item('renamed', v0, 'b')])).toEqual([v0, v1]);
	});

	it('knows where the way back leads', () => {
		expect(championBefore([item('created', null, v0), item('paused', null, null)])).toBeNull();
		expect(championBefore([item('created', null, v0), item('deployed', v0, v1, '2026-01-02T00:00:00Z')])).toBe(v0);
		expect(championBefore([item('deployed', v0, v1), item('rolled_back', v1, v0, '2026-01-02T00:00:00Z')])).toBe(v1);
	});

	it('offers the way back to what a line made the champion, and on the last one to what was before', () => {
		const v2 = v1.replace(/.$/, 'f');
		const items = [item('created', null, v0), item('deployed', v0, v1, '2026-01-02T00:00:00Z'), item('shadow_set', null, v2, '2026-01-03T00:00:00Z'), item('promoted', v1, v2, '2026-01-04T00:00:00Z'), item('renamed', 'a', 'b', '2026-01-05T00:00:00Z')];
		expect(items.map((i) => goBackTo(i, items, v2))).toEqual([v0, v1, null, v1, null]);
		// Back at the first: its own line offers nothing.
		const after = [...items, item('rolled_back', v2, v0, '2026-01-06T00:00:00Z')];
		expect(after.map((i) => goBackTo(i, after, v0))).toEqual([null, v1, null, v2, null, v2]);
	});

	it('offers nothing that cannot answer any more', () => {
		const items = [item('created', null, v0), { ...item('deployed', v0, v1, '2026-01-02T00:00:00Z'), can_go_back: false }];
		expect(items.map((i) => goBackTo(i, items, v1))).toEqual([v0, v0]);
		const deleted = [{ ...item('created', null, v0), can_go_back: false }, items[1]!, { ...item('shadow_set', null, v0, '2026-01-03T00:00:00Z'), can_go_back: false }];
		expect(deleted.map((i) => goBackTo(i, deleted, v1))).toEqual([null, null, null]);
	});

	it('knows when which version began to answer', () => {
		const items = [item('created', null, v0), item('deployed', v0, v1, '2026-01-02T00:00:00Z'), item('paused', null, null), item('rolled_back', v1, v0, '2026-01-01T12:00:00Z')];
		expect(championChanges(items).map((c) => [c.version, c.at])).toEqual([[v0, Date.parse('2026-01-01T12:00:00Z') / 1000], [v1, Date.parse('2026-01-02T00:00:00Z') / 1000]]);
	});

	it('begins with the newest', () => {
		const items = [item('created', null, null), item('paused', null, null, '2026-01-02T00:00:00Z')];
		expect(newestFirst(items).map((i) => i.what)).toEqual(['paused', 'created']);
	});
});

describe('steps', () => {
	it('come in the order they happen; the total is no step', () => {
		const steps = orderedSteps({ record: 4, total: 30, infer: 20, polish: 1, decode: 5 });
		expect(steps.map((s) => s.name)).toEqual(['decode', 'infer', 'record', 'polish']);
	});
});

describe('the grid', () => {
	it('has as many columns as fit, at least two', () => {
		expect(gridShape(1174, 190, 10, 48).columns).toBe(5);
		expect(gridShape(366, 140, 10, 48)).toEqual({ columns: 2, tileWidth: 178, rowHeight: 192 });
		expect(gridShape(100, 190, 10, 48).columns).toBe(2);
	});

	it('shows only what is on the screen and a little more', () => {
		const shape = { columns: 5, tileWidth: 200, rowHeight: 200 };
		expect(visibleRange(700, 900, shape, 3000, 0)).toEqual([0, 9]);
		expect(visibleRange(-10_000, 900, shape, 3000, 2)).toEqual([240, 284]);
		expect(visibleRange(-200_000, 900, shape, 3000, 2)).toEqual([2995, 2999]);
		expect(visibleRange(0, 900, shape, 3, 2)).toEqual([0, 2]);
		expect(visibleRange(0, 900, shape, 0, 2)).toEqual([0, -1]);
		expect(visibleRange(5000, 900, shape, 3000, 0)).toEqual([0, 4]);
	});

	it('is walked by the arrow keys', () => {
		expect(step(7, 'ArrowDown', 5, 20)).toBe(12);
		expect(step(7, 'ArrowUp', 5, 20)).toBe(2);
		expect(step(2, 'ArrowUp', 5, 20)).toBeNull();
		expect(step(19, 'ArrowRight', 5, 20)).toBeNull();
		expect(step(7, 'Enter', 5, 20)).toBeNull();
	});
});

describe('uploads', () => {
	const upload = (key: string): Upload => ({ key, file: { name: key } as File, state: { kind: 'waiting' } });
	it('go out in the order they came, so many at once', () => {
		let list = uploadReducer([], { kind: 'added', uploads: [upload('b'), upload('a')] });
		expect(nextUpload(list, 2)?.key).toBe('a');
		list = uploadReducer(list, { kind: 'changed', key: 'a', state: { kind: 'sending' } });
		expect(nextUpload(list, 1)).toBeNull();
		expect(nextUpload(list, 2)?.key).toBe('b');
	});

	it('can be tried again with the same key, and cleared once done', () => {
		let list = uploadReducer([], { kind: 'added', uploads: [upload('a'), upload('b')] });
		list = uploadReducer(list, { kind: 'changed', key: 'a', state: { kind: 'failed', error: new Error('no') } });
		expect(uploadReducer(list, { kind: 'cleared' }).map((u) => u.key)).toEqual(['b']);
		list = uploadReducer(list, { kind: 'changed', key: 'a', state: { kind: 'waiting' } });
		expect(list.find((u) => u.key === 'a')?.state.kind).toBe('waiting');
	});
});

describe('a store', () => {
	it('tells its watchers of changes only', () => {
		const store = new Store(1);
		const told = vi.fn();
		const stop = store.watch(told);
		store.set(1);
		store.set(2);
		stop();
		store.set(3);
		expect(told).toHaveBeenCalledTimes(1);
		expect(store.get()).toBe(3);
	});
});
