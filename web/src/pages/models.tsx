// SPDX-License-Identifier: Apache-2.0
// The registry: all models.
import type { JSX } from 'preact';
import { api } from '../api/client';
import type { Session } from '../api/types';
import { count, taskName } from '../lib/format';
import { Empty, Failure, Skeleton, Time } from '../parts/basics';
import { ConnectStep, PushStep } from '../parts/first_steps';
import { useLoad, useStore, useTitle } from '../parts/hooks';
import { PER_PAGE, pageOf, Pager } from '../parts/pager';
import { place } from '../router';

function NoModels(): JSX.Element {
	return (
		<Empty title="No models yet">
			<p>gyre serves ONNX files. Push one; gyre reads from its graph how pictures go in and what comes out.</p>
			<ol class="steps">
				<ConnectStep />
				<PushStep>Push a model: the type is detection, classification or segmentation</PushStep>
			</ol>
		</Empty>
	);
}

export function ModelsPage({ session }: { session: Session }): JSX.Element {
	const page = pageOf(useStore(place).query);
	const list = useLoad(`models ${page}`, (signal) => api.models(session.organization.id, PER_PAGE, page * PER_PAGE, signal));
	useTitle('Models');
	return (
		<>
			<header class="page-head">
				<h1>Models{list.data && list.data.count > 0 && <span class="count">{count(list.data.count)}</span>}</h1>
			</header>
			{list.error !== null && <Failure error={list.error} what="The models could not be read" onRetry={list.reload} />}
			{list.data?.count === 0 ? <NoModels /> : (list.data || list.loading) && (
				<div class="panel table-panel">
					<table class="table stacks">
						<thead>
							<tr>
								<th scope="col">Name</th><th scope="col">Task</th>
								<th scope="col" class="number">Versions</th><th scope="col" class="number">Created</th>
							</tr>
						</thead>
						<tbody aria-busy={!list.data}>
							{list.data ? list.data.items.map((model) => (
								<tr key={model.id}>
									<th scope="row">
										<a class="row-link" href={`/model/${model.id}`}>{model.name}</a>
										{model.description && <small>{model.description}</small>}
									</th>
									<td data-label="Task">{taskName(model.type)}</td>
									<td class="number" data-label="Versions">{count(model.versions)}</td>
									<td class="number" data-label="Created"><Time at={model.created_at} /></td>
								</tr>
							)) : [0, 1, 2].map((i) => (
								<tr key={i} class="loading-row">
									<th scope="row"><Skeleton width="50%" /></th><td><Skeleton width="60%" /></td>
									<td><Skeleton width={24} /></td><td><Skeleton width={72} /></td>
								</tr>
							))}
						</tbody>
					</table>
					{list.data && <Pager page={page} count={list.data.count} />}
				</div>
			)}
		</>
	);
}
