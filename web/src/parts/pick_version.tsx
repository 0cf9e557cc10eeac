// SPDX-License-Identifier: Apache-2.0
// Which version shall answer, or follow as a shadow: models of the deployment's type, and their versions.
import type { ComponentChildren, JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { api } from '../api/client';
import { organization } from '../api/session';
import type { Deployment, ModelVersion } from '../api/types';
import { sentence } from '../lib/explain';
import { plural, taskName } from '../lib/format';
import { Button, Failure, Skeleton, Time } from './basics';
import { ConfirmRecipe } from './confirm_recipe';
import { Dialog } from './dialog';
import { useLoad } from './hooks';

/** What it is chosen for: to answer beside or in place of what answers, or to be trained on. */
type Purpose = 'serve' | 'train';

/** Why this version cannot be chosen, in a word or two. */
function whyNot(version: ModelVersion, deployment: Deployment, purpose: Purpose): string | null {
	if (purpose === 'serve' && version.id === deployment.champion?.version_id) return 'champion';
	if (purpose === 'serve' && deployment.shadows.some((s) => s.model_version_id === version.id)) return 'shadow';
	if (version.type !== deployment.type) return taskName(version.type);
	if (version.state === 'REFUSED') return 'refused';
	if (version.state === 'EMPTY' && (purpose === 'train' || deployment.status !== 'EXTERNAL')) return 'no file yet';
	if (purpose === 'train' && version.trainable?.trainable === false) return 'not trainable';
	return null;
}

function Row({ version, deployment, purpose, chosen, name, onChoose }: {
	version: ModelVersion;
	deployment: Deployment;
	purpose: Purpose;
	chosen: boolean;
	name: string;
	onChoose: () => void;
}): JSX.Element {
	const why = whyNot(version, deployment, purpose);
	return (
		<label class={`choice${chosen ? ' is-on' : ''}${why ? ' is-off' : ''}`}>
			<input class="unseen" type="radio" name={name} checked={chosen} disabled={why !== null} onChange={onChoose} />
			<span>
				<strong>{version.origin.name}:{version.version}</strong>{version.name && version.name !== `v${version.version}` && ` ${version.name}`}
				<small>added <Time at={version.created_at} />{!version.confirmed && version.guessed.length > 0 && `, ${plural(version.guessed.length, 'guess', 'guesses')} in its recipe`}</small>
			</span>
			{why && <span class="badge read" title={(why === 'not trainable' && version.trainable?.reason) || undefined}>{why}</span>}
		</label>
	);
}

export function PickVersion({ title, action, deployment, purpose = 'serve', children, run, onClose }: {
	title: string;
	action: string;
	deployment: Deployment;
	purpose?: Purpose;
	/** What will happen, and what else can be said of it. */
	children: ComponentChildren;
	run: (version: ModelVersion) => Promise<void>;
	onClose: () => void;
}): JSX.Element {
	const [modelId, setModelId] = useState(deployment.champion?.model_id ?? '');
	const [chosen, setChosen] = useState<ModelVersion | null>(null);
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>(null);
	const ids = useId();
	const models = useLoad('models to pick', (signal) => api.models(organization(), 1000, 0, signal));
	const versions = useLoad(`versions to pick ${modelId}`, (signal) => (modelId ? api.modelVersions(modelId, signal) : Promise.resolve({ items: [], count: 0 })));
	const fitting = models.data?.items.filter((m) => m.id === modelId || (m.versions > 0 && m.type === deployment.type)) ?? [];
	const newestFirst = [...(versions.data?.items ?? [])].sort((a, b) => b.version - a.version);
	const guessed = purpose === 'serve' && chosen !== null && !chosen.confirmed;
	const submit = async (event: Event): Promise<void> => {
		event.preventDefault();
		if (!chosen) return;
		setBusy(true);
		setError(null);
		try {
			await run(chosen);
		} catch (failure) {
			setError(failure);
			setBusy(false);
		}
	};
	return (
		<Dialog title={title} onClose={onClose}>
			<form onSubmit={submit}>
				<div class="dialog-text">
					<label class="field">Model
						<select class="input" autoFocus value={modelId} onChange={(event) => {
							setModelId(event.currentTarget.value);
							setChosen(null);
						}}>{fitting.map((m) => <option key={m.id} value={m.id}>{m.name}</option>)}</select>
					</label>
					{(models.error ?? versions.error) !== null && <Failure error={models.error ?? versions.error} what="The versions could not be read" onRetry={() => {
						models.reload();
						versions.reload();
					}} />}
					<fieldset class="choices version-choices">
						<legend class="field-name">Version</legend>
						{!versions.data && versions.loading && <Skeleton width="100%" height={44} />}
						{newestFirst.map((v) => <Row key={v.id} version={v} deployment={deployment} purpose={purpose} name={ids} chosen={v.id === chosen?.id} onChoose={() => setChosen(v)} />)}
						{versions.data && newestFirst.every((v) => whyNot(v, deployment, purpose)) && <p class="muted">No other version of this model fits. <a href={`/model/${modelId}`}>Upload one</a>, or choose another model.</p>}
					</fieldset>
					{chosen && guessed && <ConfirmRecipe version={chosen} action="Confirm its recipe" onConfirmed={(v) => {
						setChosen(v);
						versions.reload();
					}} />}
					{children}
					{error !== null && <p class="form-error" role="alert">{sentence(error)}</p>}
				</div>
				<footer class="dialog-foot">
					{guessed && <p class="why-not">Its recipe is not confirmed.</p>}
					<Button onClick={onClose}>Cancel</Button>
					<Button type="submit" kind="primary" busy={busy} disabled={!chosen || guessed}>{action}</Button>
				</footer>
			</form>
		</Dialog>
	);
}
