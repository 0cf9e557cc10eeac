// SPDX-License-Identifier: Apache-2.0
// Settings, Continuous Training: when the next version is trained, from what, and how far it is.
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import type { FeedbackLoop } from '../api/learn';
import { loopApi, type ContinuousDeployment, type ContinuousTraining, type Training } from '../api/loop';
import { organization } from '../api/session';
import { tell } from '../api/watch';
import type { Deployment } from '../api/types';
import { datasetChanges, draftOf, draftProblems, settingOf, type Draft } from '../lib/continuous_form';
import { plural } from '../lib/format';
import { byCount, countWords, experimentHref, paceWords, trainingBadge, trainingNext, wholeProgress } from '../lib/loop';
import { inShort, STATUS } from '../lib/training';
import { navigate } from '../router';
import { Failure, Skeleton, Time } from './basics';
import { BaseField, DataField, ParameterFields, ProjectField, TriggerFields } from './continuous_training_form';
import { useNow, type Loaded } from './hooks';
import { Icon } from './icons';
import { NextLine, SaveBar, SettingSection, SwitchNow } from './setting';
import { say } from './toasts';
import { Doing } from './training_data_needed';

interface Acting {
	deployment: Deployment;
	ct: ContinuousTraining;
	reload: () => void;
}

/** How many of the reviews that begin a training are there. */
export function Counter({ ct }: { ct: ContinuousTraining }): JSX.Element {
	const pace = paceWords(ct, useNow());
	const { counts } = ct;
	return (
		<div class="loop-counter">
			<p><strong>{countWords(ct)}</strong> {byCount(ct) ? 'submitted reviews' : 'submitted reviews wait for a training'}{pace && <span class="muted">, {pace}</span>}</p>
			{byCount(ct) && <progress class="progress" max={counts.threshold} value={Math.min(counts.submitted, counts.threshold)} aria-label="Submitted reviews towards the next training" />}
			<p class="muted">{counts.rule}{counts.evaluation_only > 0 && ` ${plural(counts.evaluation_only, 'more is', 'more are')} kept to measure with, and not counted.`}</p>
		</div>
	);
}

/** One training in a line: where it is, or how it ended. */
export function TrainingLine({ training, name }: { training: Training; name: string }): JSX.Element {
	const { word, tone } = STATUS[training.status];
	const open = training.status === 'RUNNING' || training.status === 'WAITING';
	return (
		<div class="training-line">
			<p>
				<span class="muted">{name}</span> <a href={experimentHref(training)}>{training.experiment.name}</a> <span class={`pill ${tone}`}>{word}</span>{' '}
				{!open && training.finished_at && <span class="muted"><Time at={training.finished_at} /></span>}
			</p>
			{open && <progress class="progress" max={1} value={wholeProgress(training)} aria-label="The training" />}
			<p class={training.status === 'FAILED' ? 'bad-text' : 'muted'}>{inShort(training)}</p>
		</div>
	);
}

function Paused({ deployment, ct, reload }: Acting): JSX.Element {
	const { last } = ct;
	return (
		<div class="notice bad" role="alert">
			<Icon name="pause" />
			<div>
				<strong>Paused: nothing is trained</strong>
				<p>{ct.state_text.replace(/^Paused: /, '')} What was submitted is still counted.</p>
			</div>
			{last && <a class="button" href={experimentHref(last)}>See what failed</a>}
			<Doing kind="primary" run={async () => {
				await loopApi.switchContinuousTraining(deployment.id, true);
				say('ok', 'Continuous Training goes on.');
				reload();
			}}>Resume</Doing>
		</div>
	);
}

function TrainNow({ deployment, ct, reload }: Acting): JSX.Element {
	const run = async (): Promise<void> => {
		const training = await loopApi.trainNow(deployment.id);
		say('ok', `${training.experiment.name} begins.`);
		reload();
		tell('loop');
		navigate(experimentHref(training));
	};
	const retry = async (training: Training): Promise<void> => {
		await loopApi.retryTraining(training.id);
		say('ok', `${training.experiment.name} is tried again.`);
		reload();
	};
	if (ct.open) return <p class="row-actions"><a class="button" href={experimentHref(ct.open)}>Watch it</a></p>;
	return (
		<p class="row-actions">
			{ct.last?.status === 'FAILED' && <Doing run={() => retry(ct.last as Training)}>Retry</Doing>}
			{ct.state !== 'paused' && <Doing run={run}>Train now</Doing>}
			{ct.state !== 'paused' && <span class="muted">{ct.counts.submitted > 0 ? `with ${plural(ct.counts.submitted, 'new review')}` : 'with no new review: the same images as before'}</span>}
		</p>
	);
}

function State(acting: Acting & { cd: ContinuousDeployment | undefined; feedback: FeedbackLoop | undefined }): JSX.Element {
	const { deployment, ct, reload, cd, feedback } = acting;
	const { word, tone } = trainingBadge(ct);
	return (
		<section class="panel padded loop-state" aria-label="Continuous Training">
			<div class="row-head">
				<h2>Continuous Training <span class={`pill ${tone}`}>{word}</span></h2>
				{ct.set && <SwitchNow what="Continuous Training" on={ct.active} said={(on) => `Continuous Training is ${on ? 'on' : 'off'}.`} run={async (on) => {
					await loopApi.switchContinuousTraining(deployment.id, on);
					reload();
				}} />}
			</div>
			<p>When enough images were corrected, the next version of the model is trained from them, and measured against the one that answers.</p>
			{ct.state === 'paused' ? <Paused {...acting} /> : <p class="loop-sentence">{ct.state_text}</p>}
			{ct.problems.length > 0 && (
				<div class="notice warn">
					<Icon name="warning" />
					<div><strong>It cannot train{ct.set ? '' : ' yet'}</strong><ul class="problems">{ct.problems.map((p) => <li key={p}>{p}</li>)}</ul></div>
				</div>
			)}
			{ct.set && <Counter ct={ct} />}
			{ct.open && <TrainingLine training={ct.open} name="Now:" />}
			{ct.last && ct.last.id !== ct.open?.id && <TrainingLine training={ct.last} name="Last:" />}
			{ct.set && <TrainNow {...acting} />}
			<NextLine next={trainingNext(ct, cd, feedback, deployment.id)} />
		</section>
	);
}

/** Datasets first, so that what is saved can be judged as a whole. */
async function saveAll(deployment: Deployment, ct: ContinuousTraining, draft: Draft, made: { project: string | null }): Promise<ContinuousTraining> {
	if (draft.project_id === null && made.project === null) made.project = (await loopApi.createProject(organization(), draft.project_name.trim())).id;
	const { gone, fresh } = datasetChanges(ct.datasets, draft.datasets);
	if (gone.length > 0) await loopApi.detachFromTraining(deployment.id, gone.map((d) => d.dataset_version.id));
	for (const { name, dataset_version } of fresh) await loopApi.attachToTraining(deployment.id, name, dataset_version.id);
	return loopApi.setContinuousTraining(deployment.id, settingOf(draft, draft.project_id ?? made.project ?? ''));
}

/** Changes with what is saved or, before that, suggested; not when a count goes up. */
const savedKey = (ct: ContinuousTraining): string => JSON.stringify([ct.set, ct.project?.id, ct.base, ct.trigger, ct.threshold, ct.every_s, ct.on_drift, ct.drift_images_min, ct.parameters, ct.datasets.map((d) => [d.name, d.dataset_version.id]), !ct.set && ct.suggestion]);

function Form({ deployment, ct, onSaved }: { deployment: Deployment; ct: ContinuousTraining; onSaved: (ct: ContinuousTraining) => void }): JSX.Element {
	const begin = useMemo(() => draftOf(ct, deployment.name), [savedKey(ct)]);
	// What is typed stays while the server's side changes, also when a save is refused half way.
	const [edited, setEdited] = useState<Draft | null>(null);
	// A second try does not make a second project.
	const [made] = useState<{ project: string | null }>({ project: null });
	const draft = edited ?? begin;
	const changed = edited !== null && JSON.stringify(edited) !== JSON.stringify(begin);
	const problems = draftProblems(draft);
	const change = (part: Partial<Draft>): void => setEdited((d) => ({ ...(d ?? begin), ...part }));
	const fields = { deployment, ct, draft, change };
	const save = async (): Promise<void> => {
		const saved = await saveAll(deployment, ct, draft, made);
		say('ok', ct.set ? 'Continuous Training is changed.' : 'Continuous Training is set up.');
		onSaved(saved);
		setEdited(null);
	};
	return (
		<>
			<SettingSection title="Trigger" note="What begins a training. Each training takes in what was submitted since the one before.">
				<TriggerFields {...fields} problem={problems.trigger} />
			</SettingSection>
			<SettingSection title="Data" note="Dataset versions by their alias. When a training begins they are frozen, so that it can be looked up for ever what a version learned from; the open version goes on growing.">
				<DataField {...fields} problem={problems.data} />
			</SettingSection>
			<SettingSection title="Model to retrain" note="It learns on from this version, so old images that are still in the data are not forgotten.">
				<BaseField {...fields} />
			</SettingSection>
			<SettingSection title="Hyperparameters" note="How it learns. An empty field is left to the trainer.">
				<ParameterFields {...fields} problem={problems.parameters} />
			</SettingSection>
			<SettingSection title="Project" note="Where its experiments are listed: each training is one.">
				<ProjectField {...fields} problem={problems.project} />
			</SettingSection>
			<SaveBar first={ct.set ? null : 'Set it up'} changed={changed} problem={Object.values(problems)[0] ?? null} save={save} onUndo={() => setEdited(null)} />
		</>
	);
}

export function ContinuousTrainingSettings({ deployment, loaded, cd, feedback }: { deployment: Deployment; loaded: Loaded<ContinuousTraining>; cd: ContinuousDeployment | undefined; feedback: FeedbackLoop | undefined }): JSX.Element {
	const { data, error, loading, reload, set } = loaded;
	return (
		<div class="settings">
			{error !== null && <Failure error={error} what={error instanceof ApiError && error.status === 404 ? 'This server has no Continuous Training' : 'Continuous Training could not be read'} onRetry={reload} />}
			{!data && loading && <section class="panel padded" aria-busy="true"><Skeleton width="100%" height={160} /></section>}
			{data && <State deployment={deployment} ct={data} cd={cd} feedback={feedback} reload={reload} />}
			{data && <Form deployment={deployment} ct={data} onSaved={set} />}
		</div>
	);
}
