// SPDX-License-Identifier: Apache-2.0
// Trainings as a table: what, how far or how it ended, what came of it.
import type { JSX } from 'preact';
import type { Training } from '../api/loop';
import { duration, exact } from '../lib/format';
import { points } from '../lib/quality';
import { inShort, isOpen, leftWords, stageNow, statusOf, tookSeconds, triggerWords } from '../lib/training';
import { Time } from './basics';
import { Progress } from './files';
import { useNow } from './hooks';
import { VersionLink } from './training_verdict';

/** A bar while it runs, a word and a sentence afterwards. */
export function TrainingStatusCell({ training }: { training: Training }): JSX.Element {
	const { word, tone } = statusOf(training.status);
	const stage = stageNow(training);
	if (training.status === 'RUNNING') {
		const share = stage?.name === 'train' && training.progress > 0 ? training.progress : null;
		return (
			<span class="job-progress">
				<Progress share={share} label={`${training.experiment.name}, progress`} />
				<small>{stage?.title ?? 'Running'}{share !== null && ` ${Math.round(100 * share)} %`}{leftWords(training)}</small>
			</span>
		);
	}
	const text = inShort(training);
	return <><span class={`pill ${tone}`}>{word}</span>{text && <small class={training.status === 'FAILED' ? 'bad-text job-error' : 'job-error'}>{text}</small>}</>;
}

/** What came of it: the version, and what it is worth beside the champion. */
export function TrainingResult({ training }: { training: Training }): JSX.Element {
	const { candidate, evaluation } = training;
	if (!candidate) return <span class="muted">–</span>;
	return (
		<>
			<VersionLink version={candidate} />
			{evaluation && <small title={evaluation.sentence}>{evaluation.metric} {evaluation.champion !== null && `${points(evaluation.champion)} → `}{points(evaluation.candidate)}</small>}
		</>
	);
}

export function TrainingRow({ training, showProject }: { training: Training; showProject: boolean }): JSX.Element {
	const now = useNow();
	const took = tookSeconds(training, now);
	return (
		<tr>
			<th scope="row">
				<a class="row-link" href={`/experiment/${training.experiment.id}`}>{training.experiment.name}</a>
				<small>{showProject && `${training.project.name}, `}{training.deployment ? `for ${training.deployment.name}, ` : ''}{triggerWords(training)}</small>
			</th>
			<td data-label="Status" class="job-status"><TrainingStatusCell training={training} /></td>
			<td data-label="Result"><TrainingResult training={training} /></td>
			<td class="number" data-label="Began"><span title={exact(training.created_at)}><Time at={training.created_at} /></span></td>
			<td class="number" data-label="Took">{took === null ? '–' : duration(took)}{isOpen(training) && took !== null && <small>so far</small>}</td>
		</tr>
	);
}

export const TrainingHead = (): JSX.Element => (
	<thead><tr><th scope="col">Training</th><th scope="col">Status</th><th scope="col">Result</th><th scope="col" class="number">Began</th><th scope="col" class="number">Took</th></tr></thead>
);
