// SPDX-License-Identifier: Apache-2.0
// What components share: watched values, loaded values, the clock, the live stream.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { openLive, type LiveHandlers } from '../api/live';
import type { Connection } from '../lib/live';
import { Store } from '../lib/store';

export function useStore<T>(store: Store<T>): T {
	const [, render] = useState({});
	useEffect(() => store.watch(() => render({})), [store]);
	return store.get();
}

const clock = new Store(Date.now());
let clockUsers = 0;
let clockTimer: ReturnType<typeof setInterval> | undefined;

/** Now, every five seconds. */
export function useNow(): number {
	useEffect(() => {
		clockUsers += 1;
		if (clockUsers === 1) {
			clock.set(Date.now());
			clockTimer = setInterval(() => clock.set(Date.now()), 5000);
		}
		return () => {
			clockUsers -= 1;
			if (clockUsers === 0) clearInterval(clockTimer);
		};
	}, []);
	// The clock stands still while nobody watches it.
	return Math.max(useStore(clock), clockUsers === 0 ? Date.now() : 0);
}

export interface Loaded<T> {
	data: T | undefined;
	error: unknown;
	loading: boolean;
	reload: () => void;
	/** Put in what a change answered. */
	set: (data: T) => void;
}

/** Loads once for each key. A reload keeps what is shown until the new answer is there. */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
	const [state, setState] = useState<{ key: string; data: T | undefined; error: unknown; loading: boolean }>(
		{ key, data: undefined, error: null, loading: true });
	const current = useRef(load);
	current.current = load;
	const running = useRef<AbortController | null>(null);

	const reload = useCallback((): void => {
		running.current?.abort();
		const controller = new AbortController();
		running.current = controller;
		setState((s) => (s.key === key ? { ...s, loading: true } : { key, data: undefined, error: null, loading: true }));
		current.current(controller.signal).then(
			(data) => {
				if (!controller.signal.aborted) setState({ key, data, error: null, loading: false });
			},
			(error: unknown) => {
				if (!controller.signal.aborted) setState((s) => ({ ...s, error, loading: false }));
			});
	}, [key]);
	const set = useCallback((data: T): void => {
		running.current?.abort();
		setState({ key, data, error: null, loading: false });
	}, [key]);
	useEffect(() => {
		reload();
		return () => running.current?.abort();
	}, [reload]);
	const fresh = state.key === key;
	return { data: fresh ? state.data : undefined, error: fresh ? state.error : null, loading: fresh ? state.loading : true, reload, set };
}

export function useLive(path: string, handlers: Omit<LiveHandlers, 'onConnection'>): Connection {
	const [connection, setConnection] = useState<Connection>('connecting');
	const current = useRef(handlers);
	current.current = handlers;
	useEffect(() => {
		const names = Object.keys(current.current.events);
		return openLive(path, {
			events: Object.fromEntries(names.map((name) => [name, (data: unknown) => current.current.events[name]?.(data)])),
			onMissed: () => current.current.onMissed(),
			onConnection: setConnection,
		});
	}, [path]);
	return connection;
}

export function useTitle(title: string): void {
	useEffect(() => {
		document.title = title ? `${title} · gyre` : 'gyre';
	}, [title]);
}
