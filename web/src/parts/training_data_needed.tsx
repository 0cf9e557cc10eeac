// SPDX-License-Identifier: Apache-2.0
// In place of a panel that needs Training Data: choose it, or how far it is.
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { tell, watch, type TrainingData } from '../api/watch';
import type { Deployment } from '../api/types';
import { sentence } from '../lib/explain';
import { trainingSentence, trainingState } from '../lib/training_data';
import { Button } from './basics';
import { say } from './toasts';
import { SourceDialog, setSource } from './training_data_source';

/** How far its job is; a bar that says nothing where nobody knows. */
export function TrainingProgress({ training }: { training: TrainingData }): JSX.Element {
	const { reference } = training;
	const known = reference?.status === 'RUNNING' && reference.progress !== null;
	return (
		<div class="training-progress">
			<p role="status"><span>{trainingSentence(training)}</span>{known && <strong>{Math.floor(100 * (reference.progress ?? 0))} %</strong>}</p>
			<progress class="progress" max={1} aria-label="Training Data" {...(known ? { value: reference.progress ?? 0 } : {})} />
		</div>
	);
}

/** A button for what is done in one press. */
export function Doing({ children, kind = 'plain', run }: { children: ComponentChildren; kind?: 'plain' | 'primary' | 'quiet'; run: () => Promise<unknown> }): JSX.Element {
	const [busy, setBusy] = useState(false);
	const start = async (): Promise<void> => {
		setBusy(true);
		try {
			await run();
		} catch (error) {
			say('bad', sentence(error));
		}
		setBusy(false);
	};
	return <Button kind={kind} busy={busy} onClick={start}>{children}</Button>;
}

/** What to do, by the state; nothing where it is on. */
export function TrainingActions({ deployment, training }: { deployment: Deployment; training: TrainingData }): JSX.Element {
	const [choosing, setChoosing] = useState(false);
	const state = trainingState(training);
	const { suggestion } = training;
	return (
		<>
			<p class="row-actions">
				{state === 'off' && suggestion && <Doing kind="primary" run={() => setSource(deployment.id, { dataset_version_id: suggestion.dataset_version_id })}>Use what is suggested</Doing>}
				{state === 'failed' && <Doing kind="primary" run={async () => {
					await watch.redoTrainingData(deployment.id);
					tell('training');
				}}>Do it again</Doing>}
				{state === 'disabled' && <Doing kind="primary" run={async () => {
					await watch.switchTrainingData(deployment.id, true);
					tell('training');
				}}>Switch it on</Doing>}
				<Button kind={state === 'off' && !suggestion ? 'primary' : 'plain'} onClick={() => setChoosing(true)}>{state === 'off' ? 'Choose Training Data' : 'Choose other images'}</Button>
			</p>
			{state === 'off' && suggestion && <p class="muted training-note">{suggestion.why}</p>}
			{choosing && <SourceDialog deployment={deployment} training={training} onClose={() => setChoosing(false)} />}
		</>
	);
}

/** brief: another panel above says the rest. */
export function TrainingNeeded({ deployment, training, brief = false, children }: { deployment: Deployment; training: TrainingData; brief?: boolean; children: ComponentChildren }): JSX.Element {
	const state = trainingState(training);
	const busy = state === 'making' || state === 'waiting';
	if (busy && !brief) return <TrainingProgress training={training} />;
	return (
		<div class="training-needed">
			<p>{children} {!brief && state !== 'off' && trainingSentence(training)}</p>
			{brief ? <p class="muted">Needs Training Data.</p> : <div><TrainingActions deployment={deployment} training={training} /></div>}
		</div>
	);
}
