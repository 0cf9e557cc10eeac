// SPDX-License-Identifier: Apache-2.0
// One experiment: while it trains what happens, afterwards what came of it and what is next. Also what a script elsewhere logs.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, ApiError } from '../api/client';
import { loopApi, type Experiment, type ExperimentLog, type Training } from '../api/loop';
import { trainingApi } from '../api/training';
import type { TaskType } from '../api/types';
import { sentence } from '../lib/explain';
import { count } from '../lib/format';
import { canRetry, isOpen, parameterRows, statusOf, triggerWords, whatToDo } from '../lib/training';
import { Button, Copy, Failure, LiveBadge, Skeleton, Time } from '../parts/basics';
import { Confirm } from '../parts/dialog';
import { useLoad, useTitle } from '../parts/hooks';
import { Icon } from '../parts/icons';
import { useLiveTraining, type LiveTraining } from '../parts/live_training';
import { say } from '../parts/toasts';
import { TrainingCurves } from '../parts/training_curves';
import { MadeOf, WhatNext } from '../parts/training_facts';
import { TrainingLog } from '../parts/training_log';
import { ComparedPictures } from '../parts/training_pictures';
import { Stages } from '../parts/training_stages';
import { Verdict } from '../parts/training_verdict';
import { navigate } from '../router';
import { NotFoundPage } from './not_found';

function Actions({ training, onChanged }: { training: Training; onChanged: (training: Training) => void }): JSX.Element {
	const [asking, setAsking] = useState(false);
	const [busy, setBusy] = useState(false);
	const retry = async (): Promise<void> => {
		setBusy(true);
		try {
			onChanged(await loopApi.retryTraining(training.id));
		} catch (error) {
			say('bad', `Not begun again. ${sentence(error)}`);
		}
		setBusy(false);
	};
	return (
		<>
			{isOpen(training) && <Button icon="close" onClick={() => setAsking(true)}>Cancel</Button>}
			{canRetry(training) && <Button kind="primary" icon="back" busy={busy} onClick={() => void retry()}>Retry</Button>}
			{asking && (
				<Confirm title="Cancel this training?" action="Cancel it" danger onClose={() => setAsking(false)} run={async () => {
					onChanged(await loopApi.cancelTraining(training.id));
					setAsking(false);
				}}>
					<p>The trainer saves what it has and stops. No version comes of it; Retry goes on from there.</p>
					{training.deployment && <p>{training.deployment.name} goes on serving as it does, and the reviews that began it count again.</p>}
				</Confirm>
			)}
		</>
	);
}

function Ended({ training }: { training: Training }): JSX.Element | null {
	if (training.status !== 'FAILED' && training.status !== 'CANCELED') return null;
	const failed = training.status === 'FAILED';
	return (
		<div class={`notice ${failed ? 'bad' : 'warn'}`} role={failed ? 'alert' : undefined}>
			<Icon name="warning" />
			<div>
				<strong>{failed ? 'The training failed' : 'The training was cancelled'}{training.exit_code !== null && training.exit_code !== 0 && failed && ` (the trainer’s exit code was ${training.exit_code})`}</strong>
				<p>{training.error} <span class="todo">{whatToDo(training)}</span></p>
			</div>
		</div>
	);
}

const labelsOf = (logs: readonly ExperimentLog[]): string[] => {
	const data = logs.find((log) => log.name === 'labelmap')?.data;
	if (typeof data !== 'object' || data === null) return [];
	return Object.entries(data).sort((a, b) => Number(a[0]) - Number(b[0])).map(([, name]) => String(name));
};

function Trained({ live, training, logs }: { live: LiveTraining; training: Training; logs: readonly ExperimentLog[] }): JSX.Element {
	const open = isOpen(training);
	const versionId = training.candidate?.model_version_id ?? training.base?.model_version_id;
	const task = useLoad(`task ${versionId ?? ''}`, async (signal): Promise<TaskType | null> => {
		const type = versionId ? (await api.modelVersion(versionId, signal)).type : 'NOT_CONFIGURED';
		return type === 'NOT_CONFIGURED' ? null : type;
	});
	const next = <WhatNext training={training} />;
	const curves = <TrainingCurves logs={logs} training={training} />;
	return (
		<div class="experiment">
			<Ended training={training} />
			<Stages training={training} />
			{training.evaluation && <Verdict training={training} evaluation={training.evaluation} />}
			{!open && training.candidate && next}
			{training.evaluation && <ComparedPictures training={training} evaluation={training.evaluation} labels={labelsOf(logs)} task={task.data ?? null} />}
			{curves}
			<div class="columns">
				<TrainingLog console={live.console} open={open} />
				<div><MadeOf training={training} logs={logs} />{(open || !training.candidate) && next}</div>
			</div>
		</div>
	);
}

/** Trained by a script elsewhere, or not yet. */
function Elsewhere({ experiment, live, logs, onLaunched }: { experiment: Experiment; live: LiveTraining; logs: readonly ExperimentLog[]; onLaunched: () => void }): JSX.Element {
	const datasets = useLoad(`datasets of ${experiment.id}`, (signal) => trainingApi.datasets(experiment.id, signal));
	const artifacts = useLoad(`artifacts of ${experiment.id}`, (signal) => trainingApi.artifacts(experiment.id, signal));
	const [busy, setBusy] = useState(false);
	const parameters = parameterRows(logs);
	const hasTrain = datasets.data?.items.some((d) => d.name !== 'test' && d.name !== 'val') ?? false;
	const launch = async (): Promise<void> => {
		setBusy(true);
		try {
			await loopApi.launch(experiment.id);
			onLaunched();
		} catch (error) {
			say('bad', `Not begun. ${sentence(error)}`);
		}
		setBusy(false);
	};
	return (
		<div class="experiment">
			{experiment.status === 'WAITING' && (
				<section class="panel padded">
					<h2>Not trained yet</h2>
					<p class="muted">{hasTrain ? 'It has data. Train it here, or let a script of yours train it by the SDK.' : 'Attach a dataset version with the alias “train” to train it here; or let a script of yours train it by the SDK: what it logs appears on this page.'}</p>
					<p class="row-actions"><Button kind="primary" icon="play" busy={busy} disabled={!hasTrain} title={hasTrain ? undefined : 'It has no data to train on.'} onClick={() => void launch()}>Train here</Button></p>
				</section>
			)}
			<TrainingCurves logs={logs} training={null} />
			<div class="columns">
				<TrainingLog console={live.console} open={experiment.status === 'RUNNING'} />
				<section class="panel padded made-of" aria-label="Made of">
					<h2>Made of</h2>
					<dl class="facts">
						{datasets.data?.items.map((d) => <div key={d.name}><dt>{d.name}</dt><dd><a href={`/dataset/version/${d.dataset_version.id}`}>{d.dataset_version.origin_name} {d.dataset_version.version}</a><small class="muted"> {count(d.dataset_version.assets)} images, revision {d.revision}</small></dd></div>)}
						{datasets.data?.items.length === 0 && <div><dt>Data</dt><dd class="muted">none attached</dd></div>}
						{artifacts.data?.items.map((a) => <div key={a.id}><dt>{a.name}</dt><dd>{a.presigned_url ? <a href={a.presigned_url} download={a.filename}>{a.filename}</a> : a.filename}</dd></div>)}
					</dl>
					{parameters.length > 0 && <details class="fold"><summary>Parameters ({parameters.length})</summary><dl class="facts parameters">{parameters.map(([key, value]) => <div key={key}><dt>{key}</dt><dd>{value}</dd></div>)}</dl></details>}
				</section>
			</div>
		</div>
	);
}

export function ExperimentPage({ id }: { id: string }): JSX.Element {
	const experiment = useLoad(`experiment ${id}`, (signal) => loopApi.experiment(id, signal));
	const projectId = experiment.data?.project_id;
	const project = useLoad(`project ${projectId ?? ''}`, async (signal) => (projectId ? loopApi.project(projectId, signal) : undefined));
	const live = useLiveTraining(id);
	const [deleting, setDeleting] = useState(false);
	const { training } = live;
	const name = training?.experiment.name ?? experiment.data?.name;
	const share = training && training.status === 'RUNNING' && training.stage === 'train' && training.progress > 0 ? `${Math.round(100 * training.progress)} % ` : '';
	useTitle(name ? `${share}${name}` : 'Experiment');
	if (experiment.error instanceof ApiError && experiment.error.status === 404) return <NotFoundPage what="This experiment" />;
	const status = statusOf(training?.status ?? experiment.data?.status ?? 'WAITING');
	const error = experiment.error ?? live.error;
	const open = training ? isOpen(training) : false;
	return (
		<>
			<nav class="trail" aria-label="Trail"><a href="/projects">Projects</a>{projectId && <> <a href={`/project/${projectId}`}>{training?.project.name ?? project.data?.name ?? '…'}</a></>}</nav>
			<header class="page-head">
				<div>
					<h1>{name ?? <Skeleton width={200} height={24} />}</h1>
					{experiment.data && (
						<p class="head-facts">
							<span class={`pill ${status.tone}`}>{status.word}</span>
							{training ? <span>begun {triggerWords(training)}, <Time at={training.created_at} /></span> : <span>made <Time at={experiment.data.created_at} /></span>}
							{training?.deployment && <span>for <a href={`/deployment/${training.deployment.id}`}>{training.deployment.name}</a></span>}
							<Copy text={id} what="experiment id"><code>{id.slice(0, 8)}</code></Copy>
						</p>
					)}
				</div>
				<div class="page-tools">
					{open && live.connection && <LiveBadge connection={live.connection} />}
					{training && <Actions training={training} onChanged={live.set} />}
					{experiment.data && !open && <Button kind="quiet" icon="trash" aria-label="Delete this experiment" title="Delete this experiment" onClick={() => setDeleting(true)} />}
				</div>
			</header>
			{training?.why && <p class="lead">{training.why}</p>}
			{training === null && experiment.data?.description && <p class="lead">{experiment.data.description}</p>}
			{error !== null && <Failure error={error} what="The experiment could not be read" onRetry={() => {
				experiment.reload();
				live.reload();
			}} />}
			{experiment.data && training === undefined && live.error === null && <div class="panel padded" aria-busy="true"><Skeleton width="100%" height={60} /></div>}
			{training && <Trained live={live} training={training} logs={live.logs ?? []} />}
			{experiment.data && training === null && <Elsewhere experiment={experiment.data} live={live} logs={live.logs ?? []} onLaunched={live.reload} />}
			{deleting && (
				<Confirm title={`Delete the experiment ${name ?? ''}?`} action="Delete for good" danger onClose={() => setDeleting(false)} run={async () => {
					await trainingApi.deleteExperiment(id);
					say('ok', `${name ?? 'The experiment'} was deleted.`);
					navigate(projectId ? `/project/${projectId}` : '/projects');
				}}>
					<p>Its log, curves and verdict go with it. The model version that came of it stays{training?.candidate ? `: ${training.candidate.model}:${training.candidate.version}` : ''}, but no longer knows where it is from.</p>
				</Confirm>
			)}
		</>
	);
}
