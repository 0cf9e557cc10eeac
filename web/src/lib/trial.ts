// SPDX-License-Identifier: Apache-2.0
// Trying a recipe on a picture. Every change asks again; answers may come back in any order: the newest question's
// answer stands, and until it is there the old one stays on the screen.
import type { TryAnswer } from '../api/types';

export type Changes = Readonly<Record<string, unknown>>;

export interface Trial {
	picture: File | null;
	/** Against the version's own recipe. */
	changes: Changes;
	/** Number of the newest question, and of the newest that was answered or refused. */
	asked: number;
	settled: number;
	result: TryAnswer | null;
	error: unknown;
}

export const NO_TRIAL: Trial = { picture: null, changes: {}, asked: 0, settled: 0, result: null, error: null };

export type TrialEvent =
	| { kind: 'picture'; picture: File | null }
	| { kind: 'change'; field: string; value: unknown; same: boolean }
	| { kind: 'changes'; changes: Changes }
	| { kind: 'asked'; serial: number }
	| { kind: 'answered'; serial: number; result: TryAnswer }
	| { kind: 'refused'; serial: number; error: unknown };

export function trialReducer(state: Trial, event: TrialEvent): Trial {
	switch (event.kind) {
	case 'picture':
		// Boxes of one picture must never lie on another.
		return { ...state, picture: event.picture, result: null, error: null };
	case 'change': {
		const { [event.field]: _, ...others } = state.changes;
		return { ...state, changes: event.same ? others : { ...others, [event.field]: event.value } };
	}
	case 'changes':
		return { ...state, changes: event.changes };
	case 'asked':
		return { ...state, asked: Math.max(state.asked, event.serial) };
	case 'answered':
		return event.serial < state.settled ? state : { ...state, settled: event.serial, result: event.result, error: null };
	case 'refused':
		return event.serial < state.settled ? state : { ...state, settled: event.serial, error: event.error };
	}
}

export const isRunning = (state: Trial): boolean => state.asked > state.settled;
