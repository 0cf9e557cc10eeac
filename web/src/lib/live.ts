// SPDX-License-Identifier: Apache-2.0
// The life of one event stream: what to show, when to try again, when to read everything anew.

export type Connection = 'connecting' | 'live' | 'reconnecting' | 'resting';

export interface LiveState {
	connection: Connection;
	/** Failed attempts in a row. */
	attempt: number;
	/** Events may have been missed: read everything anew once the stream is open. */
	missed: boolean;
}

export const START: LiveState = { connection: 'connecting', attempt: 0, missed: false };

export type LiveEvent = 'open' | 'error' | 'retry' | 'hidden' | 'visible';

export function liveReducer(state: LiveState, event: LiveEvent): LiveState {
	switch (event) {
	case 'open':
		return { connection: 'live', attempt: 0, missed: false };
	case 'error':
		return { connection: 'reconnecting', attempt: state.attempt + 1, missed: true };
	case 'retry':
		return state.connection === 'resting' ? state : { ...state, connection: 'reconnecting' };
	case 'hidden':
		// A browser allows six connections to a host: a tab nobody looks at gives its own back.
		return { connection: 'resting', attempt: 0, missed: true };
	case 'visible':
		return state.connection === 'resting' ? { ...state, connection: 'connecting' } : state;
	}
}

/** Milliseconds before attempt n (from 1): 1, 2, 4, 8, 15 s, up to a quarter longer so that pages do not come back as one. */
export function retryDelay(attempt: number, random: number): number {
	return Math.min(15_000, 1000 * 2 ** Math.max(0, attempt - 1)) * (1 + random / 4);
}
