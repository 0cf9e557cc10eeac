// SPDX-License-Identifier: Apache-2.0
// Continuous Training, Continuous Deployment and verdicts, read anew when the server tells of them and while something runs.
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { FeedbackLoop } from '../api/learn';
import { loopApi, type ContinuousDeployment, type ContinuousTraining, type Verdict } from '../api/loop';
import type { Deployment } from '../api/types';
import { told } from '../api/watch';
import { throttle } from '../lib/throttle';
import { useLoad, useStore, type Loaded } from './hooks';

const RUNNING_MS = 2000;
const VERDICT_MS = 2000;

/** Reads anew after each change of `what`, at most so often. */
function useAgain(what: unknown, reload: () => void, ms: number): void {
	const first = useRef(true);
	const call = useRef(reload);
	call.current = reload;
	const soon = useMemo(() => throttle(() => call.current(), ms), []);
	useEffect(() => {
		if (!first.current) soon();
		first.current = false;
	}, [what]);
	useEffect(() => soon.cancel, [soon]);
}

export interface Loop {
	ct: Loaded<ContinuousTraining>;
	cd: Loaded<ContinuousDeployment>;
}

/** feedback: whose dataset versions are what Continuous Training suggests; undefined: not known yet. */
export function useLoop(deployment: string, feedback: FeedbackLoop | undefined): Loop {
	const ct = useLoad(`continuous training ${deployment}`, (signal) => loopApi.continuousTraining(deployment, signal));
	const cd = useLoad(`continuous deployment ${deployment}`, (signal) => loopApi.continuousDeployment(deployment, signal));
	useAgain(useStore(told.loop), () => {
		ct.reload();
		cd.reload();
	}, 1000);
	useAgain(feedback, ct.reload, 1000);
	const running = ct.data?.open != null;
	useEffect(() => {
		if (!running) return undefined;
		const timer = setTimeout(ct.reload, RUNNING_MS);
		return () => clearTimeout(timer);
	}, [ct.data, running]);
	// What it became is decided by the time a training has ended.
	const was = useRef(running);
	useEffect(() => {
		if (was.current && !running) cd.reload();
		was.current = running;
	}, [running]);
	return { ct, cd };
}

/** By version; without those that the server has nothing to say of. */
export type Verdicts = ReadonlyMap<string, Verdict>;

const NO_VERDICTS: Verdicts = new Map();

/** Read anew with the deployment, so that no version is asked for that has just stopped following. */
export function useVerdicts(deployment: Deployment): Verdicts {
	const ids = deployment.shadows.map((s) => s.model_version_id);
	const verdicts = useLoad(`verdicts ${deployment.id} ${deployment.model_version_id} ${ids.join(' ')}`, async (signal) => {
		const found = await Promise.all(ids.map((id) => loopApi.verdict(deployment.id, id, signal).catch((): null => null)));
		return new Map(found.flatMap((v): [string, Verdict][] => (v ? [[v.version.id, v]] : [])));
	});
	useAgain(deployment, verdicts.reload, VERDICT_MS);
	return verdicts.data ?? NO_VERDICTS;
}
