// SPDX-License-Identifier: Apache-2.0
// The dataset versions that a deployment's corrected images go to.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { learn, type DatasetVersion, type FeedbackLoop, type FeedbackTarget } from '../api/learn';
import { organization } from '../api/session';
import type { Deployment } from '../api/types';
import { nextVersionName } from '../lib/dataset';
import { sentence } from '../lib/explain';
import { count, plural, taskName } from '../lib/format';
import { Button, Failure, Skeleton, Time } from './basics';
import { Confirm, Dialog } from './dialog';
import { useLoad } from './hooks';
import { Icon } from './icons';
import { say } from './toasts';

const nameOf = (v: DatasetVersion): string => `${v.origin_name} ${v.version}`;

interface Version {
	version: DatasetVersion;
	attached: boolean;
}

async function allVersions(attached: readonly FeedbackTarget[], signal: AbortSignal): Promise<Version[]> {
	const datasets = await learn.datasets(organization(), 200, 0, signal);
	const lists = await Promise.all(datasets.items.map((d) => learn.versions(d.id, signal)));
	return lists.flatMap((l) => [...l.items].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at)))
		.map((version) => ({ version, attached: attached.some((t) => t.dataset_version.id === version.id) }));
}

async function attachNew(deployment: Deployment, name: string): Promise<void> {
	const dataset = await learn.createDataset(organization(), name, `Corrected predictions of ${deployment.name}`);
	const version = await learn.createVersion(dataset.id, { version: 'v1', type: deployment.type });
	await learn.attach(deployment.id, version.id);
}

function AttachDialog({ deployment, loop, onClose, onDone }: { deployment: Deployment; loop: FeedbackLoop; onClose: () => void; onDone: () => void }): JSX.Element {
	const versions = useLoad('versions to attach', (signal) => allVersions(loop.targets, signal));
	const [chosen, setChosen] = useState<DatasetVersion | null>(null);
	const [fork, setFork] = useState<string | null>(null);
	/** The name of a dataset to be made. */
	const [fresh, setFresh] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<string | null>(null);
	const names = (v: DatasetVersion): string[] => (versions.data ?? []).filter((o) => o.version.origin_id === v.origin_id).map((o) => o.version.version);
	const choose = (v: DatasetVersion | null): void => {
		setChosen(v);
		setFresh(v ? null : deployment.name);
		setError(null);
		setFork(v?.locked ? nextVersionName(names(v), v.version) : null);
	};
	const submit = async (event: Event): Promise<void> => {
		event.preventDefault();
		if (!chosen && fresh === null) return;
		setBusy(true);
		setError(null);
		try {
			if (!chosen) {
				await attachNew(deployment, (fresh ?? '').trim());
				say('ok', `Corrected images go to ${(fresh ?? '').trim()} v1.`);
				return onDone();
			}
			await (fork !== null ? learn.attachFork(deployment.id, chosen.id, fork.trim()) : learn.attach(deployment.id, chosen.id));
			say('ok', `Corrected images go to ${chosen.origin_name} ${fork ?? chosen.version}.`);
			onDone();
		} catch (failure) {
			// Somebody locked it meanwhile: what the server offers is offered here.
			if (chosen && failure instanceof ApiError && failure.status === 423) setFork(nextVersionName(names(chosen), chosen.version));
			setError(sentence(failure));
			setBusy(false);
		}
		return undefined;
	};
	return (
		<Dialog title="Attach a dataset version" onClose={onClose}>
			<form onSubmit={submit}>
				<div class="dialog-text">
					{versions.error !== null && <Failure error={versions.error} what="The datasets could not be read" onRetry={versions.reload} />}
					{!versions.data && versions.loading && <Skeleton width="100%" height={60} />}
					<fieldset class="choices version-choices">
						<legend class="unseen">Version</legend>
						<label class={fresh !== null ? 'choice is-on' : 'choice'}>
							<input class="unseen" type="radio" name="target" checked={fresh !== null} onChange={() => choose(null)} />
							<Icon name="plus" /><span><strong>A new dataset</strong><small>that begins empty and grows with what is corrected here</small></span>
						</label>
						{versions.data?.map(({ version: v, attached }) => (
							<label key={v.id} class={`choice${chosen?.id === v.id ? ' is-on' : ''}${attached ? ' is-off' : ''}`}>
								<input class="unseen" type="radio" name="target" checked={chosen?.id === v.id} disabled={attached} onChange={() => choose(v)} />
								<span><strong>{nameOf(v)}</strong><small>{taskName(v.type)}, {plural(v.assets, 'image')}</small></span>
								{attached ? <span class="badge read">attached</span> : v.locked && <span class="badge given"><Icon name="lock" size={11} />locked</span>}
							</label>
						))}
					</fieldset>
					{fresh !== null && <label class="field">Name of the dataset<input class="input" value={fresh} maxLength={100} onInput={(event) => setFresh(event.currentTarget.value)} /></label>}
					{chosen && fork !== null && (
						<>
							<p class="pick-note">{nameOf(chosen)} is locked, so that what was trained on it stays known. A fork of it begins with the same {plural(chosen.assets, 'image')} and may grow.</p>
							<label class="field">Name of the fork<input class="input" value={fork} onInput={(event) => setFork(event.currentTarget.value)} /></label>
						</>
					)}
					{error && <p class="form-error" role="alert">{error}</p>}
				</div>
				<footer class="dialog-foot"><Button onClick={onClose}>Cancel</Button><Button type="submit" kind="primary" busy={busy} disabled={(!chosen && !fresh?.trim()) || (fork !== null && !fork.trim())}>{fork !== null ? 'Fork and attach' : fresh !== null ? 'Create and attach' : 'Attach'}</Button></footer>
			</form>
		</Dialog>
	);
}

export function Targets({ deployment, loop, reload }: { deployment: Deployment; loop: FeedbackLoop; reload: () => void }): JSX.Element {
	const [attaching, setAttaching] = useState(false);
	const [leaving, setLeaving] = useState<DatasetVersion | null>(null);
	return (
		<>
			{loop.targets.length === 0 && <p class="muted">None. Corrected images wait here until one is attached.</p>}
			<ul class="targets">
				{loop.targets.map(({ dataset_version: v, since }) => (
					<li key={v.id} class="file-row">
						<Icon name="datasets" />
						<a class="file-name" href={`/dataset/version/${v.id}`}>{nameOf(v)}</a>
						<span class="muted">{v.assets === undefined ? '' : `${count(v.assets)} images, `}since <Time at={since} /></span>
						{v.locked && <span class="badge guessed" title="It was locked meanwhile: nothing more goes in. Attach a fork of it.">locked</span>}
						<Button kind="quiet" onClick={() => setLeaving(v)} aria-label={`Detach ${nameOf(v)}`}>Detach</Button>
					</li>
				))}
			</ul>
			<p class="row-actions"><Button icon="plus" kind={loop.targets.length === 0 ? 'primary' : 'plain'} onClick={() => setAttaching(true)}>Attach a version…</Button></p>
			{attaching && <AttachDialog deployment={deployment} loop={loop} onClose={() => setAttaching(false)} onDone={() => {
				setAttaching(false);
				reload();
			}} />}
			{leaving && (
				<Confirm title={`Detach ${nameOf(leaving)}?`} action="Detach" onClose={() => setLeaving(null)} run={async () => {
					await learn.detach(deployment.id, [leaving.id]);
					say('ok', `Nothing more goes to ${nameOf(leaving)}.`);
					setLeaving(null);
					reload();
				}}>
					<p>Nothing more goes into it. What was submitted so far stays in it.</p>
				</Confirm>
			)}
		</>
	);
}
