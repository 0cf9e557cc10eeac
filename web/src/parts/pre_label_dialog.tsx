// SPDX-License-Identifier: Apache-2.0
// A model draws first, people correct: its answers become annotations that wait to be looked at.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { learn, type AnyJob, type DatasetVersion } from '../api/learn';
import { loopApi } from '../api/loop';
import { organization } from '../api/session';
import { trainingApi } from '../api/training';
import type { ModelVersion } from '../api/types';
import { plural, score } from '../lib/format';
import { isRunning } from '../lib/jobs';
import { SCORE_FLOOR } from '../lib/shapes';
import { preLabelNames, preLabelWords } from '../lib/training';
import { Button, Failure, Skeleton } from './basics';
import { Confirm, Dialog } from './dialog';
import { Progress } from './files';
import { useLoad } from './hooks';

const EVERY_MS = 700;

async function versionsFor(version: DatasetVersion, signal: AbortSignal): Promise<ModelVersion[]> {
	const kinds = version.type === 'NOT_CONFIGURED' ? ['OBJECT_DETECTION', 'CLASSIFICATION', 'SEGMENTATION'] : [version.type];
	const found = (await Promise.all(kinds.map((kind) => trainingApi.versionsThatAnswer(organization(), kind, signal)))).flat();
	// Those that serve are known to be worth something.
	return found.sort((a, b) => b.deployments.length - a.deployments.length);
}

const words = (v: ModelVersion): string => {
	const role = v.deployments.find((d) => d.role === 'champion') ?? v.deployments[0];
	return `${v.origin.name}:${v.version}${role ? `, ${role.role} of ${role.name}` : ''}`;
};

function Running({ job: begun, version, onDone, onClose }: { job: AnyJob; version: DatasetVersion; onDone: () => void; onClose: () => void }): JSX.Element {
	const job = useLoad(`job ${begun.id}`, (signal) => learn.job(begun.id, signal));
	const now = job.data ?? begun;
	const running = isRunning(now);
	useEffect(() => {
		if (!running) {
			onDone();
			return undefined;
		}
		const timer = setTimeout(job.reload, EVERY_MS);
		return () => clearTimeout(timer);
	}, [job.data, job.error]);
	return (
		<Dialog title={`Pre-label ${version.origin_name} ${version.version}`} onClose={onClose}>
			<div class="dialog-text">
				{running && <><Progress share={now.progress > 0 ? now.progress : null} label="Pre-labelling, progress" /><p class="muted">{Math.round(100 * now.progress)} %{now.message ? `, ${now.message}` : ''}. It goes on when this is closed; <a href="/jobs">Jobs</a> shows it.</p></>}
				{!running && now.status === 'SUCCESS' && <p>{preLabelWords(now.result)} What the model drew is pending: look at it, correct it, and save it.</p>}
				{!running && now.status !== 'SUCCESS' && <p class="form-error" role="alert">{now.error ?? 'It was cancelled.'}</p>}
			</div>
			<footer class="dialog-foot">
				<Button onClick={onClose}>Close</Button>
				{!running && now.status === 'SUCCESS' && <a class="button primary" href={`/dataset/version/${version.id}/annotate`}>Look at them</a>}
			</footer>
		</Dialog>
	);
}

export function PreLabelDialog({ version, labels, onDone, onClose }: { version: DatasetVersion; labels: readonly string[]; onDone: () => void; onClose: () => void }): JSX.Element {
	const versions = useLoad(`versions to pre-label ${version.id}`, (signal) => versionsFor(version, signal));
	const [chosen, setChosen] = useState<string | null>(null);
	const [threshold, setThreshold] = useState(0.3);
	const [all, setAll] = useState(false);
	const [make, setMake] = useState(true);
	const [job, setJob] = useState<AnyJob | null>(null);
	const model = versions.data?.find((v) => v.id === chosen) ?? versions.data?.[0];
	const names = preLabelNames(model?.labels ?? null, labels);
	const left = version.assets - version.annotated;
	if (job) return <Running job={job} version={version} onDone={onDone} onClose={onClose} />;
	const nothing = !all && left === 0;
	return (
		<Confirm title={`Pre-label ${version.origin_name} ${version.version}`} action="Pre-label" disabled={!model || nothing || (!make && names.known.length === 0)} onClose={onClose} run={async () => {
			if (model) setJob(await loopApi.preLabel(version.id, { model_version_id: model.id, threshold, only_unlabelled: !all, make_labels: make }));
		}}>
			<p>A model draws on the images first, people correct what it drew. Its shapes are pending until somebody saves them.</p>
			{versions.error !== null && <Failure error={versions.error} what="The models could not be read" onRetry={versions.reload} />}
			{!versions.data && versions.loading && <Skeleton width="100%" height={34} />}
			{versions.data?.length === 0 && <p class="form-error">No model answers this kind of data yet. <a href="/models">Upload one</a>, or train a first model from what is labelled.</p>}
			{model && (
				<>
					<label class="field">Model
						<select class="input" autoFocus value={model.id} onChange={(event) => setChosen(event.currentTarget.value)}>{versions.data?.map((v) => <option key={v.id} value={v.id}>{words(v)}</option>)}</select>
					</label>
					<label class="field">From which confidence on
						<span class="slider wide-slider"><input type="range" min={SCORE_FLOOR} max={0.99} step={0.01} value={threshold} onInput={(event) => setThreshold(Number(event.currentTarget.value))} /><output>{score(threshold)}</output></span>
						<span class="muted">Lower: more to delete. Higher: more to draw.</span>
					</label>
					<label class="check"><input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />Also images that are annotated already</label>
					<p class="muted">{nothing ? 'Every image is annotated: there is nothing left to draw on.' : `${plural(all ? version.assets : left, 'image')} will be answered. What people drew stays.`}</p>
					{names.missing.length > 0 && (
						<>
							<label class="check"><input type="checkbox" checked={make} onChange={(event) => setMake(event.currentTarget.checked)} />Make labels that this version lacks</label>
							<p class="muted">It lacks {names.missing.slice(0, 4).join(', ')}{names.missing.length > 4 && ` and ${names.missing.length - 4} more`}{!make && ': shapes of these are left out'}.</p>
						</>
					)}
				</>
			)}
		</Confirm>
	);
}
