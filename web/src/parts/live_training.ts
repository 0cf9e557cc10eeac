// SPDX-License-Identifier: Apache-2.0
// One training while it goes on: the whole of it with each event, its curves and its console a little later.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { openLive } from '../api/live';
import { loopApi, type ExperimentLog, type Training } from '../api/loop';
import { trainingApi } from '../api/training';
import type { Connection } from '../lib/live';
import { throttle } from '../lib/throttle';
import { entryLines, isOpen, LINES_MAX } from '../lib/training';
import { useLoad } from './hooks';

const CURVES_MS = 1500;
const CONSOLE_MS = 700;

/** The same function for as long as the page is there; it calls at most every so often. */
function useSeldom(call: () => void, everyMs: number): () => void {
	const current = useRef(call);
	current.current = call;
	const seldom = useMemo(() => throttle(() => current.current(), everyMs), [everyMs]);
	useEffect(() => seldom.cancel, [seldom]);
	return seldom;
}

export interface Console {
	lines: readonly string[];
	/** Lines that are no longer kept here. */
	cut: number;
	error: unknown;
	/** Reads what is new. */
	more: () => void;
}

export function useConsole(experiment: string): Console {
	const [state, setState] = useState<{ lines: string[]; cut: number; error: unknown }>({ lines: [], cut: 0, error: null });
	const next = useRef(0);
	/** Whether an answer is awaited, and whether to ask again behind it. */
	const asking = useRef({ busy: false, again: false });
	const more = useSeldom(() => {
		if (asking.current.busy) {
			asking.current.again = true;
			return;
		}
		asking.current = { busy: true, again: false };
		trainingApi.console(experiment, next.current).then(({ items }) => {
			next.current = Math.max(next.current, ...items.map((l) => l.line_nb + 1));
			if (items.length === 0) return;
			setState((s) => {
				const lines = [...s.lines, ...items.flatMap((l) => entryLines(l.log))];
				const over = Math.max(0, lines.length - LINES_MAX);
				return { lines: lines.slice(over), cut: s.cut + over, error: null };
			});
		}, (error: unknown) => setState((s) => ({ ...s, error }))).finally(() => {
			const { again } = asking.current;
			asking.current = { busy: false, again: false };
			if (again) more();
		});
	}, CONSOLE_MS);
	useEffect(() => more(), []);
	return { ...state, more };
}

export interface LiveTraining {
	/** undefined: not known yet; null: this experiment was never trained here. */
	training: Training | null | undefined;
	set: (training: Training) => void;
	error: unknown;
	reload: () => void;
	logs: readonly ExperimentLog[] | undefined;
	console: Console;
	connection: Connection | null;
}

export function useLiveTraining(experiment: string): LiveTraining {
	const { data: training, error, reload, set } = useLoad<Training | null>(`training of ${experiment}`, (signal) =>
		loopApi.trainingOf(experiment, signal).catch((failure: unknown) => {
			if (failure instanceof ApiError && failure.status === 404) return null;
			throw failure;
		}));
	const logs = useLoad(`logs of ${experiment}`, (signal) => loopApi.logs(experiment, signal));
	const console = useConsole(experiment);
	const curves = useSeldom(logs.reload, CURVES_MS);
	const [connection, setConnection] = useState<Connection | null>(null);
	const id = training?.id;
	const open = training ? isOpen(training) : false;
	useEffect(() => {
		if (id === undefined || !open) return undefined;
		const close = openLive(loopApi.trainingEvents(id), {
			events: {
				training: (data) => {
					set(data as Training);
					curves();
				},
				log: () => console.more(),
			},
			onMissed: () => {
				reload();
				curves();
				console.more();
			},
			onConnection: setConnection,
		});
		return () => {
			close();
			setConnection(null);
			// What the last event was about may not have been read yet.
			curves();
			console.more();
		};
	}, [id, open]);
	return { training, set, error, reload, logs: logs.data?.items, console, connection };
}
