// SPDX-License-Identifier: Apache-2.0
// All deployments, one line each, alive.
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Deployment, PipelineWord, Session } from '../api/types';
import { Sparkline } from '../charts/sparkline';
import type { Found } from '../lib/folder';
import { count, milliseconds, plural, taskName } from '../lib/format';
import { throttle } from '../lib/throttle';
import { Command, Empty, Failure, LiveBadge, Skeleton, StatusPill, Time } from '../parts/basics';
import { DropCover } from '../parts/files';
import { Filter } from '../parts/filter';
import { ConnectStep, PushStep, UploadStep } from '../parts/first_steps';
import { useLive, useLoad, useTitle } from '../parts/hooks';
import { lazy } from '../parts/lazy';
import { Pager } from '../parts/pager';
import { useDropped } from '../parts/use_dropped';
import { useList } from '../parts/use_list';

const UploadDialog = lazy(() => import('../parts/upload_dialog').then((m) => m.UploadDialog));

const PARTS = [
	['training_data', 'TD', 'Training Data', 'training-data'], ['feedback_loop', 'FL', 'Feedback Loop', 'feedback'],
	['continuous_training', 'CT', 'Continuous Training', 'continuous-training'], ['continuous_deployment', 'CD', 'Continuous Deployment', 'continuous-deployment'],
] as const;
const TONES: Record<PipelineWord, string> = { off: '', on: 'ok', working: 'busy', problem: 'bad' };

/** The four parts of the loop, two letters each. */
function Badges({ deployment }: { deployment: Deployment }): JSX.Element | null {
	const { pipeline } = deployment;
	if (!pipeline) return null;
	return (
		<span class="list-badges">
			{PARTS.map(([key, short, name, tab]) => <a key={key} class={`list-badge ${TONES[pipeline[key]]}`} href={`/deployment/${deployment.id}/settings/${tab}`} title={`${name}: ${pipeline[key]}`}><span aria-hidden="true">{short}</span><span class="unseen">{name}: {pipeline[key]}</span></a>)}
		</span>
	);
}

function Row({ deployment }: { deployment: Deployment }): JSX.Element {
	const { stats, champion, shadows = [] } = deployment;
	return (
		<tr>
			<th scope="row">
				<a class="row-link" href={`/deployment/${deployment.id}`}>{deployment.name}</a>
				<small>{taskName(deployment.type)}</small>
				<Badges deployment={deployment} />
			</th>
			<td data-label="Status">
				<StatusPill status={deployment.status} title={deployment.status_text} />
				{deployment.alerts_open ? <small class="bad-text">{plural(deployment.alerts_open, 'alert')} open</small> : null}
			</td>
			<td data-label="Champion">
				{champion ? <a href={`/model/${champion.model_id}?version=${champion.version}`}>{champion.model_name}<span class="muted">:{champion.version}</span></a> : <span class="muted">none</span>}
				{shadows.length > 0 && <small>{shadows.length === 1 ? `shadow ${shadows[0]?.model_name}:${shadows[0]?.version}` : plural(shadows.length, 'shadow')}</small>}
			</td>
			<td class="number" data-label="Inferences">
				{count(stats.inferences)}
				{stats.failed > 0 && <small class="bad-text">{count(stats.failed)} failed</small>}
			</td>
			<td class="number" data-label="Mean latency">{milliseconds(stats.inferences > 0 ? stats.mean_latency_ms : null)}</td>
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

/** What to do next, by screen or as commands that work as they stand. */
function FirstSteps({ models, onUpload }: { models: number; onUpload: () => void }): JSX.Element {
	return (
		<Empty title="Nothing is deployed yet">
			<p>A deployment is a model in service: it answers pictures, keeps every answer, and shows them here.</p>
			<ol class="steps">
				<UploadStep onUpload={onUpload}>{models > 0 && <span class="pill ok">done: {plural(models, 'model')}</span>}</UploadStep>
				<li>
					<h3>Try it, and deploy it</h3>
					<p class="muted">{models > 0 ? <>Open one of <a href="/models">your models</a>, drop a picture on it, and press Deploy.</> : 'Its page shows what it sees in a picture of yours, and has a button Deploy.'}</p>
				</li>
			</ol>
			<p>No model yet? Bring pictures to <a href="/datasets">Datasets</a>, say what they show, and press <b>Train a first model</b> there.</p>
			<details class="fold">
				<summary>Or from the command line</summary>
				<ol class="steps">
					<ConnectStep />
					<PushStep>Push an ONNX model</PushStep>
					<li>
						<h3>Deploy it</h3>
						<Command>gyre deploy yolox-nano --name street --threshold 0.10</Command>
					</li>
				</ol>
			</details>
		</Empty>
	);
}

export function DeploymentsPage({ session }: { session: Session }): JSX.Element {
	const organization = session.organization.id;
	const list = useList<Deployment>('deployments', (limit, offset, signal) => api.deployments(organization, limit, offset, signal));
	const models = useLoad<number>(`models ${list.empty}`,
		async (signal) => (list.empty ? (await api.models(organization, 1, 0, signal)).count : 0));
	const [uploading, setUploading] = useState<readonly Found[] | null>(null);
	const over = useDropped(setUploading);
	const refresh = useMemo(() => throttle(list.reload, 1000), [list.reload]);
	useEffect(() => refresh.cancel, [refresh]);
	const connection = useLive('/api/events', { events: { deployments: refresh }, onMissed: refresh });
	useTitle('Deployments');

	return (
		<>
			<header class="page-head">
				<h1>Deployments{list.total > 0 && <span class="count">{count(list.total)}</span>}</h1>
				<div class="page-tools">
					{list.filterable && <Filter value={list.wanted} what="deployments" onInput={list.setWanted} />}
					<LiveBadge connection={connection} />
				</div>
			</header>
			{list.error !== null && <Failure error={list.error} what="The deployments could not be read" onRetry={list.reload} />}
			{list.empty ? <FirstSteps models={models.data ?? 0} onUpload={() => setUploading([])} /> : (list.items || list.loading) && (
				<div class="panel table-panel">
					<table class="table stacks">
						<thead>
							<tr>
								<th scope="col">Name</th><th scope="col">Status</th><th scope="col">Champion</th>
								<th scope="col" class="number">Inferences</th><th scope="col" class="number">Mean latency</th>
								<th scope="col">Latest latencies</th><th scope="col" class="number">Last prediction</th>
							</tr>
						</thead>
						<tbody aria-busy={!list.items}>
							{list.items ? list.items.map((d) => <Row key={d.id} deployment={d} />) : <Loading />}
						</tbody>
					</table>
					{list.items?.length === 0 && <p class="no-match">No deployment has “{list.wanted}” in its name.</p>}
					{list.items && !list.wanted && <Pager page={list.page} count={list.total} />}
				</div>
			)}
			<DropCover over={over}>Drop an ONNX file to upload it as a model</DropCover>
			{uploading && <UploadDialog found={uploading} onClose={() => setUploading(null)} onMade={() => models.reload()} />}
		</>
	);
}
