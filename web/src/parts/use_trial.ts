// SPDX-License-Identifier: Apache-2.0
import { useEffect, useMemo, useReducer, useRef } from 'preact/hooks';
import { wasCancelled } from '../api/send';
import { api } from '../api/client';
import { isRunning, NO_TRIAL, trialReducer, type Changes, type Trial } from '../lib/trial';
import { remember, tried } from './pictures';

const PAUSE_MS = 250;

export interface TrialControl {
	trial: Trial;
	running: boolean;
	/** Of the picture, for an <img>. */
	url: string | null;
	setPicture: (picture: File | null) => void;
	change: (field: string, value: unknown, same: boolean) => void;
	setChanges: (changes: Changes) => void;
	again: () => void;
}

/** Runs the version on a picture with a changed recipe: at once for a picture, after a short pause for a change. */
export function useTrial(versionId: string, active: boolean): TrialControl {
	const [trial, dispatch] = useReducer(trialReducer, NO_TRIAL, (none: Trial) => ({ ...none, picture: tried.get()[0] ?? null }));
	const serial = useRef(0);
	const { picture, changes } = trial;
	const url = useMemo(() => (picture ? URL.createObjectURL(picture) : null), [picture]);
	useEffect(() => () => void (url && URL.revokeObjectURL(url)), [url]);

	const running = useRef<AbortController | null>(null);
	const run = (): void => {
		if (!picture || !active) return;
		running.current?.abort();
		const controller = new AbortController();
		running.current = controller;
		const mine = ++serial.current;
		dispatch({ kind: 'asked', serial: mine });
		api.tryRecipe(versionId, picture, changes, controller.signal).then(
			(result) => dispatch({ kind: 'answered', serial: mine, result }),
			(error: unknown) => {
				if (!wasCancelled(error)) dispatch({ kind: 'refused', serial: mine, error });
			});
	};
	const shown = useRef<File | null>(null);
	useEffect(() => {
		// The first look at a picture waits for nothing; while a control moves, the last position counts.
		const timer = setTimeout(run, shown.current === picture ? PAUSE_MS : 0);
		shown.current = picture;
		return () => clearTimeout(timer);
	}, [picture, changes, versionId, active]);
	useEffect(() => () => running.current?.abort(), []);

	return {
		trial, url, running: isRunning(trial), again: run,
		setPicture: (next) => {
			if (next) remember(next);
			dispatch({ kind: 'picture', picture: next });
		},
		change: (field, value, same) => dispatch({ kind: 'change', field, value, same }),
		setChanges: (next) => dispatch({ kind: 'changes', changes: next }),
	};
}
