// SPDX-License-Identifier: Apache-2.0
// One dataset: its versions, where each came from, which are locked, and what lies between two of them.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { learn, type DatasetVersion } from '../api/learn';
import { nextVersionName } from '../lib/dataset';
import { count, plural, taskName } from '../lib/format';
import { Button, Copy, Empty, Failure, Skeleton, Time } from '../parts/basics';
import { DatasetDiffDialog } from '../parts/dataset_diff';
import { ForkDialog, LockButton, NewVersionDialog } from '../parts/dataset_dialogs';
import { Confirm } from '../parts/dialog';
import { useLoad, useTitle } from '../parts/hooks';
import { Icon } from '../parts/icons';
import { say } from '../parts/toasts';
import { navigate } from '../router';
import { NotFoundPage } from './not_found';

function Row({ version, versions, chosen, onChoose, onFork, onChanged, onDeleted }: {
	version: DatasetVersion;
	versions: readonly DatasetVersion[];
	chosen: boolean;
	onChoose: () => void;
	onFork: () => void;
	onChanged: () => void;
	onDeleted: () => void;
}): JSX.Element {
	const [asking, setAsking] = useState(false);
	const from = versions.find((v) => v.id === version.forked_from_id);
	const share = version.assets > 0 ? version.annotated / version.assets : 0;
	return (
		<tr>
			<td class="tick"><input type="checkbox" aria-label={`Compare ${version.version}`} checked={chosen} onChange={onChoose} /></td>
			<th scope="row">
				<a class="row-link" href={`/dataset/version/${version.id}`}>{version.version}</a>
				{version.locked && <span class="badge given lock-badge" title={version.hash ? `Its content has the hash ${version.hash}.` : undefined}><Icon name="lock" size={11} />locked</span>}
				<small>{taskName(version.type)}{from && `, fork of ${from.version}`}{version.description && `, ${version.description}`}</small>
			</th>
			<td class="number" data-label="Images">{count(version.assets)}</td>
			<td class="number" data-label="Annotated">{count(version.annotated)}<span class="score-bar" aria-hidden="true"><i style={{ width: `${share * 100}%` }} /></span></td>
			<td class="number" data-label="Labels">{count(version.labels)}</td>
			<td class="number" data-label="Created"><Time at={version.created_at} /></td>
			<td class="action row-buttons">
				<Button icon="fork" title="A copy that may be changed" onClick={onFork}>Fork</Button>
				<LockButton version={version} onChanged={onChanged} />
				<Button kind="quiet" icon="trash" disabled={version.locked} title={version.locked ? 'A locked version cannot be deleted.' : `Delete ${version.version}`} aria-label={`Delete ${version.version}`} onClick={() => setAsking(true)} />
				{asking && (
					<Confirm title={`Delete version ${version.version}?`} action="Delete for good" danger onClose={() => setAsking(false)} run={async () => {
						await learn.deleteVersion(version.id);
						say('ok', `${version.version} was deleted.`);
						setAsking(false);
						onDeleted();
					}}>
						<p>Its {plural(version.annotated, 'annotation')} and {plural(version.labels, 'label')} go with it. The pictures themselves stay.</p>
					</Confirm>
				)}
			</td>
		</tr>
	);
}

function Deletion({ name, id }: { name: string; id: string }): JSX.Element {
	const [asking, setAsking] = useState(false);
	return (
		<>
			<Button kind="quiet" icon="trash" aria-label={`Delete ${name}`} title="Delete this dataset" onClick={() => setAsking(true)} />
			{asking && (
				<Confirm title={`Delete ${name}?`} action="Delete for good" danger onClose={() => setAsking(false)} run={async () => {
					await learn.deleteDataset(id);
					say('ok', `${name} was deleted.`);
					navigate('/datasets');
				}}>
					<p>All its versions go, with what was drawn on them. The pictures themselves stay.</p>
				</Confirm>
			)}
		</>
	);
}

export function DatasetPage({ id }: { id: string }): JSX.Element {
	const dataset = useLoad(`dataset ${id}`, (signal) => learn.dataset(id, signal));
	const list = useLoad(`dataset versions ${id}`, (signal) => learn.versions(id, signal));
	const [chosen, setChosen] = useState<readonly string[]>([]);
	const [dialog, setDialog] = useState<'new' | 'diff' | DatasetVersion | null>(null);
	useTitle(dataset.data?.name ?? 'Dataset');
	if (dataset.error instanceof ApiError && dataset.error.status === 404) return <NotFoundPage what="This dataset" />;
	const versions = [...(list.data?.items ?? [])].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
	const pair = chosen.map((one) => versions.find((v) => v.id === one)).filter((v): v is DatasetVersion => v !== undefined);
	const [newer, older] = [...pair].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
	const choose = (one: string): void => setChosen((now) => (now.includes(one) ? now.filter((c) => c !== one) : [...now.slice(-1), one]));
	const names = versions.map((v) => v.version).reverse();
	return (
		<>
			<header class="page-head">
				<div>
					<nav class="trail" aria-label="Trail"><a href="/datasets">Datasets</a></nav>
					<h1>{dataset.data?.name ?? <Skeleton width={180} height={26} />}</h1>
					{dataset.data && (
						<p class="head-facts">
							{dataset.data.description && <span>{dataset.data.description}</span>}
							<span>{plural(versions.length, 'version')}</span>
							<Copy text={id} what="dataset id"><code>{id.slice(0, 8)}</code></Copy>
						</p>
					)}
				</div>
				<div class="page-tools">
					<Button icon="compare" disabled={!newer || !older} title={older ? undefined : 'Tick two versions.'} onClick={() => setDialog('diff')}>Compare</Button>
					<Button kind="primary" icon="plus" onClick={() => setDialog('new')}>New version</Button>
					{dataset.data && <Deletion name={dataset.data.name} id={id} />}
				</div>
			</header>
			{dataset.error !== null && <Failure error={dataset.error} what="The dataset could not be read" onRetry={dataset.reload} />}
			{list.error !== null && <Failure error={list.error} what="Its versions could not be read" onRetry={list.reload} />}
			{list.data && versions.length === 0 && (
				<Empty title="No version yet">
					<p>A version holds pictures and what was drawn on them. Once locked it never changes, so that a training can name what it learned from.</p>
					<p><Button kind="primary" icon="plus" onClick={() => setDialog('new')}>New version</Button></p>
				</Empty>
			)}
			{(versions.length > 0 || list.loading) && (
				<div class="panel table-panel">
					<table class="table stacks versions-table">
						<thead>
							<tr>
								<th scope="col"><span class="unseen">Compare</span></th><th scope="col">Version</th><th scope="col" class="number">Images</th>
								<th scope="col" class="number">Annotated</th><th scope="col" class="number">Labels</th><th scope="col" class="number">Created</th><th scope="col"><span class="unseen">Actions</span></th>
							</tr>
						</thead>
						<tbody aria-busy={list.loading}>
							{versions.map((v) => (
								<Row key={v.id} version={v} versions={versions} chosen={chosen.includes(v.id)} onChoose={() => choose(v.id)} onFork={() => setDialog(v)} onChanged={list.reload} onDeleted={list.reload} />
							))}
							{!list.data && [0, 1].map((i) => <tr key={i} class="loading-row"><td /><th scope="row"><Skeleton width="40%" /></th><td><Skeleton width={40} /></td><td><Skeleton width={60} /></td><td><Skeleton width={24} /></td><td><Skeleton width={70} /></td><td /></tr>)}
						</tbody>
					</table>
				</div>
			)}
			{dialog === 'new' && <NewVersionDialog dataset={id} suggested={names.length > 0 ? nextVersionName(names) : 'v1'} type={versions[0]?.type ?? 'OBJECT_DETECTION'} onClose={() => setDialog(null)} />}
			{dialog === 'diff' && newer && older && <DatasetDiffDialog newer={newer} older={older} onClose={() => setDialog(null)} />}
			{dialog !== null && typeof dialog === 'object' && <ForkDialog version={dialog} suggested={nextVersionName(names, dialog.version)} onClose={() => setDialog(null)} onForked={(made) => navigate(`/dataset/version/${made}`)} />}
		</>
	);
}

