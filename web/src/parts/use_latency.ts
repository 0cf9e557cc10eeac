// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { api } from '../api/client';
import type { LatencyPoint } from '../api/types';
import { advance, EMPTY, fromSeries, type Points } from '../lib/points';
import { throttle } from '../lib/throttle';
import type { Window } from '../lib/watch_filter';

const POINTS_MAX = 2000;

/** Unix seconds. */
export interface Span {
	from: number;
	to: number;
}

export interface Latency {
	points: Points;
	span: Span;
	loading: boolean;
	error: unknown;
	reload: () => void;
	add: (point: LatencyPoint) => void;
}

/** `cpu`: the champion in CPU time, as its shadows always are. */
export function useLatency(deployment: string, window: Window, cpu: boolean): Latency {
	const picked = 'from' in window ? window : null;
	const seconds = 'seconds' in window ? window.seconds : 0;
	const [points, setPoints] = useState<Points>(EMPTY);
	const [loading, setLoading] = useState(true);
	const [error, setError] = useState<unknown>(null);
	const [now, setNow] = useState(() => Date.now() / 1000);
	const running = useRef<AbortController | null>(null);
	const fresh = useRef<LatencyPoint[]>([]);
	const from = picked?.from ?? now - seconds;
	const to = picked?.to ?? now;

	const reload = useCallback((): void => {
		running.current?.abort();
		const controller = new AbortController();
		running.current = controller;
		const end = Date.now() / 1000;
		setLoading(true);
		setNow(end);
		api.latency(deployment, {
			from: Math.floor(picked?.from ?? end - seconds), to: Math.ceil(picked?.to ?? end + 1), points_max: POINTS_MAX, ...(cpu ? { cpu: 1 as const } : {}),
		}, controller.signal).then(
			(series) => {
				if (controller.signal.aborted) return;
				setPoints(fromSeries(series));
				setError(null);
				setLoading(false);
			},
			(failure: unknown) => {
				if (controller.signal.aborted) return;
				setError(failure);
				setLoading(false);
			});
	}, [deployment, window, cpu]);
	useEffect(() => {
		reload();
		return () => running.current?.abort();
	}, [reload]);

	const flush = useMemo(() => throttle(() => {
		const added = fresh.current;
		fresh.current = [];
		if (picked) return;
		const end = Date.now() / 1000;
		setNow(end);
		setPoints((state) => advance(state, added, end - seconds));
	}, 1000), [window]);
	// With a sample the numbers are the server's, and what shadows do no event tells: ask again now and then while things happen.
	const resample = useMemo(() => throttle(reload, 20_000), [reload]);
	useEffect(() => {
		const timer = setInterval(flush, Math.max(5000, seconds));
		return () => {
			clearInterval(timer);
			flush.cancel();
			resample.cancel();
		};
	}, [flush, resample, seconds]);

	// What was added live would draw ever more points; past twice the server's sample it is asked for a new one.
	const stale = points.sampled || points.points.length > 2 * POINTS_MAX || points.shadows.length > 0 || cpu;
	const add = useCallback((point: LatencyPoint): void => {
		if (!cpu) fresh.current.push(point);
		flush();
		if (stale) resample();
	}, [flush, resample, stale, cpu]);
	return { points, span: { from, to }, loading, error, reload, add };
}
