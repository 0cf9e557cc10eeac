// SPDX-License-Identifier: Apache-2.0
// On the page of jobs: the last trainings, and whether there is a trainer.
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { loopApi } from '../api/loop';
import { isOpen } from '../lib/training';
import { Failure } from './basics';
import { useLoad } from './hooks';
import { TrainerState } from './trainer_state';
import { TrainingHead, TrainingRow } from './training_row';

const SHOWN = 8;
const RUNNING_MS = 2000;
const RESTING_MS = 10_000;

export function TrainingsPanel({ organization }: { organization: string }): JSX.Element | null {
	const list = useLoad('last trainings', (signal) => loopApi.trainings(organization, { limit: SHOWN, offset: 0 }, signal));
	const running = list.data?.items.some(isOpen) ?? false;
	useEffect(() => {
		const timer = setInterval(() => document.hidden || list.reload(), running ? RUNNING_MS : RESTING_MS);
		return () => clearInterval(timer);
	}, [running, list.reload]);
	if (list.error !== null && !list.data) return <Failure error={list.error} what="The trainings could not be read" onRetry={list.reload} />;
	const items = list.data?.items ?? [];
	return (
		<>
			{items.length > 0 && (
				<section class="trainings-panel" aria-label="Trainings">
					<header class="row-head"><h2>Trainings</h2><a href="/projects">All of them, by project</a></header>
					<div class="panel table-panel"><table class="table stacks jobs-table"><TrainingHead /><tbody>{items.map((t) => <TrainingRow key={t.id} training={t} showProject />)}</tbody></table></div>
				</section>
			)}
			<TrainerState />
		</>
	);
}
