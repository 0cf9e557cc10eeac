// SPDX-License-Identifier: Apache-2.0
// Settings, Training Data: what new images are compared with, how far it is, and what it can tell.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { tell, watch, type Reference, type TrainingData } from '../api/watch';
import type { Deployment } from '../api/types';
import { sentence } from '../lib/explain';
import { count, exact } from '../lib/format';
import { featureWords, heldOutWords, seenGroups, sourceWords, trainingBadge, trainingNext, trainingSentence, trainingState } from '../lib/training_data';
import { Button, Failure, Skeleton, Time } from './basics';
import { Doing, TrainingActions, TrainingProgress } from './training_data_needed';
import { say } from './toasts';
import { SourceDialog } from './training_data_source';
import { useTraining } from './use_training';

interface Acting {
	deployment: Deployment;
	training: TrainingData;
}

function Switch({ deployment, training }: Acting): JSX.Element {
	const [busy, setBusy] = useState(false);
	const change = async (): Promise<void> => {
		setBusy(true);
		try {
			await watch.switchTrainingData(deployment.id, !training.active);
			say('ok', training.active ? 'Training Data is off: nothing is compared.' : 'Training Data is on.');
			tell('training');
		} catch (error) {
			say('bad', sentence(error));
		}
		setBusy(false);
	};
	return <label class="switch"><input type="checkbox" role="switch" aria-label="Training Data" checked={training.active} disabled={busy} onChange={change} /><span>{training.active ? 'On' : 'Off'}</span></label>;
}

function State({ deployment, training }: Acting): JSX.Element {
	const state = trainingState(training);
	const { word, tone } = trainingBadge(training);
	const next = trainingNext(training, deployment.id);
	return (
		<section class="panel padded loop-state" aria-label="Training Data">
			<div class="row-head">
				<h2>Training Data <span class={`pill ${tone}`}>{word}</span></h2>
				{training.set && <Switch deployment={deployment} training={training} />}
			</div>
			<p>The images that count as normal. Each new image is compared with them: drift and outliers are measured against them.</p>
			{state === 'making' || state === 'waiting' ? <TrainingProgress training={training} /> : <p class={state === 'failed' ? 'bad-text' : 'loop-sentence'}>{trainingSentence(training)}</p>}
			{(state === 'off' || state === 'failed' || state === 'disabled') && <div><TrainingActions deployment={deployment} training={training} /></div>}
			<p class="loop-next">Next: {next.href ? <a href={next.href}>{next.words}</a> : <strong>{next.words}</strong>}.</p>
		</section>
	);
}

function Source({ deployment, training }: Acting): JSX.Element {
	const [choosing, setChoosing] = useState(false);
	const { dataset_version: version, reference } = training;
	return (
		<section class="panel setting" aria-label="Source">
			<div><h2>Source</h2><p class="muted">Choosing other images, or doing it again, begins anew; until it is ready the one before counts.</p></div>
			<div>
				<p>{training.kind === 'DATASET' && version ? <a href={`/dataset/version/${version.id}`}>{sourceWords(training)}</a> : sourceWords(training)}{reference?.revision != null && <span class="muted">, revision {count(reference.revision)}</span>}</p>
				{training.from != null && <p class="muted">from {exact(typeof training.from === 'number' ? training.from * 1000 : training.from).slice(0, 16)} on</p>}
				{training.changed_since && <p class="warn-text">It has changed since it was looked at.</p>}
				{reference?.ready_at && <p class="muted">looked at <Time at={reference.ready_at} /></p>}
				<p class="row-actions">
					<Button onClick={() => setChoosing(true)}>Choose other images…</Button>
					<Doing run={async () => {
						await watch.redoTrainingData(deployment.id);
						say('ok', 'Its images are looked at again.');
						tell('training');
					}}>Do it again</Doing>
				</p>
				{choosing && <SourceDialog deployment={deployment} training={training} onClose={() => setChoosing(false)} />}
			</div>
		</section>
	);
}

function Fact({ name, value, help, tone = 'plain' }: { name: string; value: string; help: string; tone?: string }): JSX.Element {
	return <li><p><strong>{name}</strong> <span class={`pill ${tone}`}>{value}</span></p><p class="muted">{help}</p></li>;
}

function Made({ reference, training }: { reference: Reference; training: TrainingData }): JSX.Element {
	const heldOut = heldOutWords(reference, training.kind);
	const features = featureWords(reference);
	return (
		<section class="panel setting" aria-label="What it tells">
			<div><h2>What it tells</h2><p class="muted">How far what is found against it can be believed.</p></div>
			<ul class="training-facts">
				<Fact name="Images" value={count(reference.images)} tone={reference.small ? 'warn' : 'ok'} help={reference.small ? 'A small reference: with 500 and more, smaller shifts can be seen.' : 'Enough to see small shifts.'} />
				<Fact name="The model’s answers" value={heldOut.word} tone={heldOut.word === 'held-out' ? 'ok' : 'warn'} help={heldOut.help} />
				<Fact name="What the model sees" value={features.word} tone={reference.features ? 'ok' : 'warn'} help={features.help} />
				{reference.tolerance !== null && <Fact name="Tolerance" value={String(Number(reference.tolerance.toFixed(3)))} help="Shifts smaller than this share of the images are let pass by the detectors: it follows from the number of images." />}
				{reference.note && <li><p class="muted">{reference.note}</p></li>}
			</ul>
		</section>
	);
}

function Sees({ reference }: { reference: Reference }): JSX.Element | null {
	const groups = seenGroups(reference);
	if (groups.length === 0) return null;
	return (
		<section class="panel setting" aria-label="Shifts it can see">
			<div><h2>Shifts it can see</h2><p class="muted">The smallest distance D of a window of 200 images that is more than chance. 0 is no difference, 1 is no overlap.</p></div>
			<ul class="sees">
				{groups.map(({ d, names }) => <li key={d}><span class="d-cell"><strong>{d}</strong><span class="d-bar" aria-hidden="true"><i style={{ width: `${100 * Math.min(1, Number(d))}%` }} /></span></span><span class="muted">{names.join(', ')}</span></li>)}
			</ul>
		</section>
	);
}

export function TrainingDataSettings({ deployment }: { deployment: Deployment }): JSX.Element {
	const { data, error, loading, reload } = useTraining(deployment.id);
	return (
		<div class="settings">
			{error !== null && <Failure error={error} what={error instanceof ApiError && error.status === 404 ? 'This server has no Training Data' : 'Training Data could not be read'} onRetry={reload} />}
			{!data && loading && <section class="panel padded"><Skeleton width="100%" height={120} /></section>}
			{data && <State deployment={deployment} training={data} />}
			{data?.set && <Source deployment={deployment} training={data} />}
			{data?.set && data.reference?.status === 'READY' && <Made reference={data.reference} training={data} />}
			{data?.set && data.reference?.status === 'READY' && <Sees reference={data.reference} />}
		</div>
	);
}
