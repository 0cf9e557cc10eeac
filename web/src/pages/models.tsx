// SPDX-License-Identifier: Apache-2.0
// The registry: all models. A file dropped on this page is uploaded.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Model, Session } from '../api/types';
import type { Found } from '../lib/folder';
import { count, taskName } from '../lib/format';
import { Button, Empty, Failure, Skeleton, Time } from '../parts/basics';
import { DropCover } from '../parts/files';
import { Filter } from '../parts/filter';
import { ConnectStep, PushStep, UploadStep } from '../parts/first_steps';
import { useTitle } from '../parts/hooks';
import { lazy } from '../parts/lazy';
import { Pager } from '../parts/pager';
import { useDropped } from '../parts/use_dropped';
import { useList } from '../parts/use_list';

const UploadDialog = lazy(() => import('../parts/upload_dialog').then((m) => m.UploadDialog));

function NoModels({ onUpload }: { onUpload: () => void }): JSX.Element {
	return (
		<Empty title="No models yet">
			<p>gyre serves ONNX files. It opens each, runs it once, and finds how pictures go in and what comes out.</p>
			<ol class="steps"><UploadStep onUpload={onUpload} /></ol>
			<p>No model yet? Bring pictures to <a href="/datasets">Datasets</a>, say what they show, and press <b>Train a first model</b> there.</p>
			<details class="fold">
				<summary>From the command line</summary>
				<ol class="steps"><ConnectStep /><PushStep>Push a model: the type is detection, classification or segmentation</PushStep></ol>
			</details>
		</Empty>
	);
}

function Row({ model }: { model: Model }): JSX.Element {
	return (
		<tr>
			<th scope="row">
				<a class="row-link" href={`/model/${model.id}`}>{model.name}</a>
				{model.description && <small>{model.description}</small>}
			</th>
			<td data-label="Task">{taskName(model.type)}</td>
			<td class="number" data-label="Versions">{count(model.versions)}</td>
			<td class="number" data-label="Created"><Time at={model.created_at} /></td>
		</tr>
	);
}

export function ModelsPage({ session }: { session: Session }): JSX.Element {
	const list = useList('models', (limit, offset, signal) => api.models(session.organization.id, limit, offset, signal));
	const [uploading, setUploading] = useState<readonly Found[] | null>(null);
	const over = useDropped(setUploading);
	useTitle('Models');
	return (
		<>
			<header class="page-head">
				<h1>Models{list.total > 0 && <span class="count">{count(list.total)}</span>}</h1>
				<div class="page-tools">
					{list.filterable && <Filter value={list.wanted} what="models" onInput={list.setWanted} />}
					<Button kind="primary" icon="upload" onClick={() => setUploading([])}>Upload a model</Button>
				</div>
			</header>
			{list.error !== null && <Failure error={list.error} what="The models could not be read" onRetry={list.reload} />}
			{list.empty ? <NoModels onUpload={() => setUploading([])} /> : (list.items || list.loading) && (
				<div class="panel table-panel">
					<table class="table stacks">
						<thead>
							<tr>
								<th scope="col">Name</th><th scope="col">Task</th>
								<th scope="col" class="number">Versions</th><th scope="col" class="number">Created</th>
							</tr>
						</thead>
						<tbody aria-busy={!list.items}>
							{list.items ? list.items.map((model) => <Row key={model.id} model={model} />) : [0, 1, 2].map((i) => (
								<tr key={i} class="loading-row">
									<th scope="row"><Skeleton width="50%" /></th><td><Skeleton width="60%" /></td>
									<td><Skeleton width={24} /></td><td><Skeleton width={72} /></td>
								</tr>
							))}
						</tbody>
					</table>
					{list.items?.length === 0 && <p class="no-match">No model has “{list.wanted}” in its name.</p>}
					{list.items && !list.wanted && <Pager page={list.page} count={list.total} />}
				</div>
			)}
			<DropCover over={over}>Drop an ONNX file to upload it</DropCover>
			{uploading && <UploadDialog found={uploading} onClose={() => setUploading(null)} onMade={list.reload} />}
		</>
	);
}
