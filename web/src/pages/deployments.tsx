// SPDX-License-Identifier: Apache-2.0
// All deployments, one line each, alive.
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { api } from '../api/client';
import type { Deployment, Page, Session } from '../api/types';
import { Sparkline } from '../charts/sparkline';
import { count, milliseconds, plural, taskName } from '../lib/format';
import { throttle } from '../lib/throttle';
import { Command, Empty, Failure, LiveBadge, Skeleton, StatusPill, Time } from '../parts/basics';
import { ConnectStep, PushStep } from '../parts/first_steps';
import { useLive, useLoad, useStore, useTitle } from '../parts/hooks';
import { PER_PAGE, pageOf, Pager } from '../parts/pager';
import { place } from '../router';

function Row({ deployment }: { deployment: Deployment }): JSX.Element {
	const { stats, champion } = deployment;
	return (
		<tr>
			<th scope="row">
				<a class="row-link" href={`/deployment/${deployment.id}`}>{deployment.name}</a>
				<small>{taskName(deployment.type)}</small>
			</th>
			<td data-label="Status"><StatusPill status={deployment.status} title={deployment.status_text} /></td>
			<td data-label="Champion">
				{champion ? <a href={`/model/${champion.model_id}`}>{champion.model_name}<span class="muted">:{champion.version}</span></a> : <span class="muted">none</span>}
			</td>
			<td class="number" data-label="Inferences">
				{count(stats.inferences)}
				{stats.failed > 0 && <small class="bad-text">{count(stats.failed)} failed</small>}
			</td>
			<td class="number" data-label="Mean latency">{milliseconds(stats.mean_latency_ms)}</td>
			<td data-label="Latest latencies"><Sparkline values={stats.recent_latency_ms} /></td>
			<td class="number" data-label="Last prediction"><Time at={stats.last_at} /></td>
		</tr>
	);
}

function Loading(): JSX.Element {
	return (
		<>{[0, 1, 2, 3].map((i) => (
			<tr key={i} class="loading-row">
				<th scope="row"><Skeleton width="70%" /></th>
				<td><Skeleton width={64} height={18} /></td><td><Skeleton width="80%" /></td><td><Skeleton width={48} /></td>
				<td><Skeleton width={56} /></td><td><Skeleton width={120} height={22} /></td><td><Skeleton width={72} /></td>
			</tr>
		))}</>
	);
}

/** What to do next, as commands that work as they stand. */
function FirstSteps({ models }: { models: number }): JSX.Element {
	return (
		<Empty title="Nothing is deployed yet">
			<p>A deployment is a model in service: it answers pictures, keeps every answer, and shows them here.</p>
			<ol class="steps">
				<ConnectStep />
				<PushStep>Push an ONNX model {models > 0 && <span class="pill ok">done: {plural(models, 'model')}</span>}</PushStep>
				<li>
					<h3>Deploy it</h3>
					<Command>gyre deploy yolox-nano --name street --threshold 0.10</Command>
				</li>
			</ol>
			<p class="muted">This page shows the deployment as soon as it is there.</p>
		</Empty>
	);
}

export function DeploymentsPage({ session }: { session: Session }): JSX.Element {
	const page = pageOf(useStore(place).query);
	const organization = session.organization.id;
	const list = useLoad<Page<Deployment>>(`deployments ${page}`, (signal) => api.deployments(organization, PER_PAGE, page * PER_PAGE, signal));
	const empty = list.data !== undefined && list.data.count === 0;
	const models = useLoad<number>(`models ${empty}`,
		async (signal) => (empty ? (await api.models(organization, 1, 0, signal)).count : 0));
	const refresh = useMemo(() => throttle(list.reload, 1000), [list.reload]);
	useEffect(() => refresh.cancel, [refresh]);
	const connection = useLive('/api/events', { events: { deployments: refresh }, onMissed: refresh });
	useTitle('Deployments');

	return (
		<>
			<header class="page-head">
				<h1>Deployments{list.data && list.data.count > 0 && <span class="count">{count(list.data.count)}</span>}</h1>
				<LiveBadge connection={connection} />
			</header>
			{list.error !== null && <Failure error={list.error} what="The deployments could not be read" onRetry={list.reload} />}
			{empty ? <FirstSteps models={models.data ?? 0} /> : (list.data || list.loading) && (
				<div class="panel table-panel">
					<table class="table stacks">
						<thead>
							<tr>
								<th scope="col">Name</th><th scope="col">Status</th><th scope="col">Champion</th>
								<th scope="col" class="number">Inferences</th><th scope="col" class="number">Mean latency</th>
								<th scope="col">Latest latencies</th><th scope="col" class="number">Last prediction</th>
							</tr>
						</thead>
						<tbody aria-busy={!list.data}>
							{list.data ? list.data.items.map((d) => <Row key={d.id} deployment={d} />) : <Loading />}
						</tbody>
					</table>
					{list.data && <Pager page={page} count={list.data.count} />}
				</div>
			)}
		</>
	);
}
