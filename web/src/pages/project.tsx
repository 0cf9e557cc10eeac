// SPDX-License-Identifier: Apache-2.0
// One project: its experiments, the newest first, with what came of each.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { loopApi, type Experiment, type Training } from '../api/loop';
import { trainingApi } from '../api/training';
import type { Session } from '../api/types';
import { count, exact, plural } from '../lib/format';
import { isOpen, statusOf } from '../lib/training';
import { Button, Empty, Failure, Skeleton, Time } from '../parts/basics';
import { Confirm } from '../parts/dialog';
import { NewExperimentDialog } from '../parts/experiment_dialog';
import { useLoad, useStore, useTitle } from '../parts/hooks';
import { Pager, PER_PAGE, pageOf } from '../parts/pager';
import { say } from '../parts/toasts';
import { TrainingHead, TrainingRow } from '../parts/training_row';
import { navigate, place } from '../router';
import { NotFoundPage } from './not_found';
import { ProjectDialog } from './projects';

const RUNNING_MS = 2000;

function Row({ experiment, training }: { experiment: Experiment; training: Training | undefined }): JSX.Element {
	if (training) return <TrainingRow training={training} showProject={false} />;
	const { word, tone } = statusOf(experiment.status);
	return (
		<tr>
			<th scope="row"><a class="row-link" href={`/experiment/${experiment.id}`}>{experiment.name}</a><small>{experiment.description}</small></th>
			<td data-label="Status" class="job-status"><span class={`pill ${tone}`}>{word}</span>{experiment.status === 'WAITING' && <small>not trained yet</small>}</td>
			<td data-label="Result"><span class="muted">–</span></td>
			<td class="number" data-label="Began"><span title={exact(experiment.created_at)}><Time at={experiment.created_at} /></span></td>
			<td class="number" data-label="Took">–</td>
		</tr>
	);
}

export function ProjectPage({ id, session }: { id: string; session: Session }): JSX.Element {
	const organization = session.organization.id;
	const page = pageOf(useStore(place).query);
	const project = useLoad(`project ${id}`, (signal) => loopApi.project(id, signal));
	const list = useLoad(`experiments of ${id} ${page}`, (signal) => trainingApi.experimentsOf(id, PER_PAGE, page * PER_PAGE, signal));
	const trainings = useLoad(`trainings of ${id}`, (signal) => trainingApi.trainingsOf(organization, id, signal));
	const [dialog, setDialog] = useState<'new' | 'change' | 'delete' | null>(null);
	const running = [...(trainings.data?.values() ?? [])].filter(isOpen).length;
	useTitle(project.data?.name ?? 'Project');
	useEffect(() => {
		if (running === 0) return undefined;
		const timer = setInterval(() => document.hidden || trainings.reload(), RUNNING_MS);
		return () => clearInterval(timer);
	}, [running > 0, trainings.reload]);
	if (project.error instanceof ApiError && project.error.status === 404) return <NotFoundPage what="This project" />;
	const error = project.error ?? list.error;
	const items = list.data?.items;
	return (
		<>
			<nav class="trail" aria-label="Trail"><a href="/projects">Projects</a></nav>
			<header class="page-head">
				<h1>{project.data?.name ?? <Skeleton width={180} height={24} />}{list.data && list.data.count > 0 && <span class="count">{count(list.data.count)}</span>}</h1>
				<div class="page-tools">
					<Button icon="edit" disabled={!project.data} onClick={() => setDialog('change')}>Change</Button>
					<Button kind="quiet" icon="trash" disabled={!project.data || running > 0} aria-label="Delete this project" title={running > 0 ? 'A training of it runs.' : 'Delete this project'} onClick={() => setDialog('delete')} />
					<Button kind="primary" icon="plus" disabled={!project.data} onClick={() => setDialog('new')}>New experiment</Button>
				</div>
			</header>
			{project.data?.description && <p class="lead">{project.data.description}</p>}
			{error !== null && <Failure error={error} what="The project could not be read" onRetry={() => {
				project.reload();
				list.reload();
			}} />}
			{list.data?.count === 0 && (
				<Empty title="No experiments yet">
					<p>An experiment is one training: from a model version, or from nothing, on dataset versions. Continuous Training of a deployment puts its own here.</p>
					<p><Button kind="primary" icon="plus" onClick={() => setDialog('new')}>New experiment</Button></p>
				</Empty>
			)}
			{list.data?.count !== 0 && (items || list.loading) && (
				<div class="panel table-panel">
					<table class="table stacks jobs-table">
						<TrainingHead />
						<tbody aria-busy={!items}>
							{items ? items.map((e) => <Row key={e.id} experiment={e} training={trainings.data?.get(e.id)} />) : [0, 1, 2].map((i) => (
								<tr key={i} class="loading-row"><th scope="row"><Skeleton width="50%" /></th><td><Skeleton width={90} /></td><td /><td /><td /></tr>
							))}
						</tbody>
					</table>
					{list.data && <Pager page={page} count={list.data.count} />}
				</div>
			)}
			{dialog === 'change' && project.data && <ProjectDialog organization={organization} project={project.data} onClose={() => setDialog(null)} onSaved={project.reload} />}
			{dialog === 'new' && project.data && <NewExperimentDialog project={project.data} onClose={() => setDialog(null)} />}
			{dialog === 'delete' && project.data && (
				<Confirm title={`Delete the project ${project.data.name}?`} action="Delete for good" danger onClose={() => setDialog(null)} run={async () => {
					await loopApi.deleteProject(id);
					say('ok', `${project.data?.name ?? 'The project'} was deleted.`);
					navigate('/projects');
				}}>
					<p>{plural(list.data?.count ?? 0, 'experiment')} with {list.data?.count === 1 ? 'its' : 'their'} logs and verdicts go with it. Model versions and datasets stay. A deployment that trains into it must be given another project.</p>
				</Confirm>
			)}
		</>
	);
}
