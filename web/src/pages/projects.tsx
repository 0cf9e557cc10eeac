// SPDX-License-Identifier: Apache-2.0
// Projects: where trainings and their results are kept together.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { loopApi, type Project, type Training } from '../api/loop';
import type { Session } from '../api/types';
import { count, plural } from '../lib/format';
import { isOpen } from '../lib/training';
import { Button, Empty, Failure, Skeleton, Time } from '../parts/basics';
import { Confirm } from '../parts/dialog';
import { Filter } from '../parts/filter';
import { useLoad, useTitle } from '../parts/hooks';
import { Icon } from '../parts/icons';
import { Pager } from '../parts/pager';
import { TrainerState } from '../parts/trainer_state';
import { TrainingResult, TrainingStatusCell } from '../parts/training_row';
import { useList } from '../parts/use_list';
import { navigate } from '../router';

/** The last trainings of all projects that are looked at for the list. */
const LOOKED_AT = 200;

export function ProjectDialog({ organization, project, onClose, onSaved }: { organization: string; project?: Project; onClose: () => void; onSaved?: () => void }): JSX.Element {
	const [name, setName] = useState(project?.name ?? '');
	const [description, setDescription] = useState(project?.description ?? '');
	return (
		<Confirm title={project ? 'Change the project' : 'New project'} action={project ? 'Save' : 'Create'} disabled={!name.trim()} onClose={onClose} run={async () => {
			const wish = { name: name.trim(), description: description.trim() };
			if (project) {
				await loopApi.updateProject(project.id, wish);
				onSaved?.();
				onClose();
			} else navigate(`/project/${(await loopApi.createProject(organization, wish.name, wish.description)).id}`);
		}}>
			<p>A project keeps experiments together: the trainings of one task, by hand and by themselves.</p>
			<label class="field">Name<input class="input" autoFocus value={name} maxLength={100} autoComplete="off" onInput={(event) => setName(event.currentTarget.value)} /></label>
			<label class="field">What it is for<input class="input" value={description} maxLength={500} autoComplete="off" onInput={(event) => setDescription(event.currentTarget.value)} /></label>
		</Confirm>
	);
}

function Row({ project, last, result }: { project: Project; last: Training | undefined; result: Training | undefined }): JSX.Element {
	return (
		<tr>
			<th scope="row"><a class="row-link" href={`/project/${project.id}`}>{project.name}</a><small>{project.description}</small></th>
			<td class="number" data-label="Experiments">{count(project.experiments ?? 0)}</td>
			<td data-label="Last training" class="job-status">{last ? <><a href={`/experiment/${last.experiment.id}`}>{last.experiment.name}</a> <TrainingStatusCell training={last} /></> : <span class="muted">none yet</span>}</td>
			<td data-label="Last result">{result ? <TrainingResult training={result} /> : <span class="muted">–</span>}</td>
			<td class="number" data-label="Created"><Time at={project.created_at} /></td>
		</tr>
	);
}

function NoProjects({ onCreate }: { onCreate: () => void }): JSX.Element {
	return (
		<Empty title="No projects yet">
			<p>A project keeps experiments together. An experiment is one training: its data, its curves, its verdict, the version that came of it.</p>
			<ol class="steps">
				<li>
					<h3>Train a first model</h3>
					<p class="muted">Open a version of a <a href="/datasets">dataset</a> with labelled images and choose <strong>Train a first model</strong>: its project is made on the way.</p>
				</li>
				<li>
					<h3>Let a deployment train by itself</h3>
					<p class="muted">On a <a href="/">deployment</a>, Settings, <strong>Continuous Training</strong>: it asks for a project to put its experiments in.</p>
					<p><Button kind="primary" icon="plus" onClick={onCreate}>New project</Button></p>
				</li>
			</ol>
		</Empty>
	);
}

export function ProjectsPage({ session }: { session: Session }): JSX.Element {
	const organization = session.organization.id;
	const list = useList('projects', (limit, offset, signal) => loopApi.projects(organization, limit, offset, signal));
	const trainings = useLoad('trainings of projects', (signal) => loopApi.trainings(organization, { limit: LOOKED_AT, offset: 0 }, signal));
	const [making, setMaking] = useState(false);
	const running = trainings.data?.items.filter(isOpen).length ?? 0;
	useTitle('Projects');
	return (
		<>
			<header class="page-head">
				<h1>Projects{list.total > 0 && <span class="count">{count(list.total)}</span>}</h1>
				<div class="page-tools">
					{running > 0 && <span class="pill busy">{plural(running, 'training runs', 'trainings run')}</span>}
					{list.filterable && <Filter value={list.wanted} what="projects" onInput={list.setWanted} />}
					<Button kind="primary" icon="plus" onClick={() => setMaking(true)}>New project</Button>
				</div>
			</header>
			{list.error !== null && <Failure error={list.error} what="The projects could not be read" onRetry={list.reload} />}
			{list.empty ? <NoProjects onCreate={() => setMaking(true)} /> : (list.items || list.loading) && (
				<div class="panel table-panel">
					<table class="table stacks jobs-table">
						<thead><tr><th scope="col">Project</th><th scope="col" class="number">Experiments</th><th scope="col">Last training</th><th scope="col">Last result</th><th scope="col" class="number">Created</th></tr></thead>
						<tbody aria-busy={!list.items}>
							{list.items ? list.items.map((p) => <Row key={p.id} project={p} last={trainings.data?.items.find((t) => t.project.id === p.id)} result={trainings.data?.items.find((t) => t.project.id === p.id && t.candidate !== null)} />) : [0, 1, 2].map((i) => (
								<tr key={i} class="loading-row"><th scope="row"><Skeleton width="50%" /></th><td /><td><Skeleton width={90} /></td><td /><td /></tr>
							))}
						</tbody>
					</table>
					{list.items?.length === 0 && <p class="no-match"><Icon name="search" size={13} /> No project has “{list.wanted}” in its name.</p>}
					{list.items && !list.wanted && <Pager page={list.page} count={list.total} />}
				</div>
			)}
			<TrainerState />
			{making && <ProjectDialog organization={organization} onClose={() => setMaking(false)} />}
		</>
	);
}
