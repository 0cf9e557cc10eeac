// SPDX-License-Identifier: Apache-2.0
// Long work: what runs, what ended and how. What runs is asked for again and again; the rest stands still.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api/client';
import { learn, type AnyJob } from '../api/learn';
import type { Session } from '../api/types';
import { sentence } from '../lib/explain';
import { count, exact, milliseconds } from '../lib/format';
import { isRunning, jobName, jobObject, jobSeconds, jobStatus } from '../lib/jobs';
import { Button, Empty, Failure, Skeleton, Time } from '../parts/basics';
import { Progress } from '../parts/files';
import { useLoad, useStore, useTitle } from '../parts/hooks';
import { lazy } from '../parts/lazy';
import { Pager, PER_PAGE, pageOf } from '../parts/pager';
import { say } from '../parts/toasts';
import { place } from '../router';

const TrainingsPanel = lazy(() => import('../parts/trainings_panel').then((m) => m.TrainingsPanel));

const EVERY_MS = 1000;

interface About {
	name: string;
	href: string;
}

async function aboutOf(job: AnyJob, signal: AbortSignal): Promise<About | null> {
	const id = job.object_id ?? '';
	try {
		if (jobObject(job) === 'dataset version') {
			const version = await learn.version(id, signal);
			return { name: `${version.origin_name} ${version.version}`, href: `/dataset/version/${id}` };
		}
		if (jobObject(job) === 'deployment') {
			const { name } = await api.deployment(id, signal);
			return { name, href: job.kind === 'reference' ? `/deployment/${id}/settings/training-data` : `/deployment/${id}` };
		}
		const version = await api.modelVersion(id, signal);
		return { name: `${version.origin.name}:${version.version}`, href: `/model/${version.origin.id}?version=${version.version}` };
	} catch {
		// It is gone; the job stays.
		return null;
	}
}

/** Where what the jobs are about is, each asked for once. */
async function aboutAll(jobs: readonly AnyJob[], signal: AbortSignal): Promise<ReadonlyMap<string, About | null>> {
	const once = new Map(jobs.filter((job) => jobObject(job) !== null).map((job) => [job.object_id ?? '', job]));
	return new Map(await Promise.all([...once].map(async ([id, job]) => [id, await aboutOf(job, signal)] as const)));
}

function Row({ job, about, onChanged }: { job: AnyJob; about: About | null | undefined; onChanged: () => void }): JSX.Element {
	const [stopping, setStopping] = useState(false);
	const running = isRunning(job);
	const { word, tone } = jobStatus(job.status);
	const cancel = async (): Promise<void> => {
		setStopping(true);
		try {
			await learn.cancelJob(job.id);
			onChanged();
		} catch (error) {
			say('bad', `Not cancelled. ${sentence(error)}`);
		}
		setStopping(false);
	};
	return (
		<tr>
			<th scope="row">
				{about ? <a class="row-link" href={about.href}>{jobName(job.kind)}</a> : <strong>{jobName(job.kind)}</strong>}
				<small>{about && <span class="job-about">{about.name}, </span>}{job.by ? `by ${job.by}` : 'by the server'}</small>
			</th>
			<td data-label="Status" class="job-status">
				{running ? (
					<span class="job-progress"><Progress share={job.progress > 0 ? job.progress : null} label={`${jobName(job.kind)}, progress`} /><small>{Math.round(100 * job.progress)} %{job.message ? `, ${job.message}` : ''}</small></span>
				) : <span class={`pill ${tone}`}>{word}</span>}
				{job.error && <small class="bad-text job-error">{job.error}</small>}
			</td>
			<td class="number" data-label="Began"><span title={exact(job.created_at)}><Time at={job.created_at} /></span></td>
			<td class="number" data-label="Took">{milliseconds(1000 * jobSeconds(job, Date.now()))}</td>
			<td class="action">{running && <Button busy={stopping} onClick={cancel} aria-label={`Cancel ${jobName(job.kind)}`}>Cancel</Button>}</td>
		</tr>
	);
}

export function JobsPage({ session }: { session: Session }): JSX.Element {
	const page = pageOf(useStore(place).query);
	const list = useLoad(`jobs ${page}`, (signal) => learn.jobs(session.organization.id, PER_PAGE, page * PER_PAGE, signal));
	const running = list.data?.items.some(isRunning) ?? false;
	const objects = useLoad(`job objects ${[...new Set(list.data?.items.map((job) => job.object_id))].join()}`, (signal) => aboutAll(list.data?.items ?? [], signal));
	useTitle('Jobs');
	useEffect(() => {
		// What runs moves; what does not may begin elsewhere.
		const timer = setInterval(() => document.hidden || list.reload(), running ? EVERY_MS : 8 * EVERY_MS);
		return () => clearInterval(timer);
	}, [running, list.reload]);
	const items = list.data?.items;
	return (
		<>
			<header class="page-head"><h1>Jobs{list.data && list.data.count > 0 && <span class="count">{count(list.data.count)}</span>}</h1></header>
			{list.error !== null && <Failure error={list.error} what="The jobs could not be read" onRetry={list.reload} />}
			{list.data?.count === 0 && (
				<Empty title="No jobs yet">
					<p>Work that takes a while is a job: the import of a folder into a <a href="/datasets">dataset</a>, the Check of a <a href="/models">model’s</a> recipe. It goes on when you leave its page, and is listed here with its progress.</p>
				</Empty>
			)}
			{list.data?.count !== 0 && (items || list.loading) && (
				<div class="panel table-panel">
					<table class="table stacks jobs-table">
						<thead><tr><th scope="col">Job</th><th scope="col">Status</th><th scope="col" class="number">Began</th><th scope="col" class="number">Took</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
						<tbody aria-busy={!items}>
							{items ? items.map((job) => <Row key={job.id} job={job} about={objects.data?.get(job.object_id ?? '')} onChanged={list.reload} />) : [0, 1, 2].map((i) => (
								<tr key={i} class="loading-row"><th scope="row"><Skeleton width="50%" /></th><td><Skeleton width={70} /></td><td><Skeleton width={70} /></td><td><Skeleton width={50} /></td><td /></tr>
							))}
						</tbody>
					</table>
					{list.data && <Pager page={page} count={list.data.count} />}
				</div>
			)}
			<TrainingsPanel organization={session.organization.id} />
		</>
	);
}
