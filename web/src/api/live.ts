// SPDX-License-Identifier: Apache-2.0
// One event stream, kept open as long as somebody looks.
import { liveReducer, retryDelay, START, type Connection, type LiveEvent } from '../lib/live';
import { api } from './client';

export interface LiveHandlers {
	/** By event name; the data is JSON. */
	events: Record<string, (data: unknown) => void>;
	/** Events may have been missed: read everything anew. */
	onMissed: () => void;
	onConnection: (connection: Connection) => void;
}

/** Answers the way to close it. */
export function openLive(path: string, handlers: LiveHandlers): () => void {
	let state = START;
	let source: EventSource | null = null;
	let timer: ReturnType<typeof setTimeout> | undefined;

	const step = (event: LiveEvent): void => {
		const missed = state.missed;
		state = liveReducer(state, event);
		handlers.onConnection(state.connection);
		if (event === 'open' && missed) handlers.onMissed();
	};
	const drop = (): void => {
		clearTimeout(timer);
		source?.close();
		source = null;
	};
	const connect = (): void => {
		drop();
		const stream = new EventSource(path);
		source = stream;
		stream.onopen = () => step('open');
		stream.onerror = () => {
			drop();
			step('error');
			// A stream says nothing of its status. Should the session have ended, this call finds out and says so.
			if (state.attempt === 2) api.session().catch(() => undefined);
			timer = setTimeout(() => {
				step('retry');
				connect();
			}, retryDelay(state.attempt, Math.random()));
		};
		for (const [name, handle] of Object.entries(handlers.events)) {
			stream.addEventListener(name, (message: MessageEvent<string>) => {
				let data: unknown = null;
				try {
					data = JSON.parse(message.data);
				} catch {
					return;
				}
				handle(data);
			});
		}
	};
	const onVisibility = (): void => {
		if (document.hidden) {
			drop();
			step('hidden');
		} else if (state.connection === 'resting') {
			step('visible');
			connect();
		}
	};
	const onOnline = (): void => {
		if (state.connection === 'reconnecting') connect();
	};
	const until = new AbortController();
	document.addEventListener('visibilitychange', onVisibility, until);
	addEventListener('online', onOnline, until);
	if (document.hidden) step('hidden');
	else connect();
	return () => {
		drop();
		until.abort();
	};
}
