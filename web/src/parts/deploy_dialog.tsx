// SPDX-License-Identifier: Apache-2.0
// Deploying a version: where, under which name, from which confidence on, seen on pictures before it is said.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { api, ApiError } from '../api/client';
import { organization } from '../api/session';
import type { ModelVersion } from '../api/types';
import { watch } from '../api/watch';
import { whyNotDeploy, type Where } from '../lib/deploy_check';
import { explain, sentence } from '../lib/explain';
import { isPicture, type Found } from '../lib/folder';
import { bytes, milliseconds, score } from '../lib/format';
import { suggestName } from '../lib/names';
import { navigate } from '../router';
import { Button } from './basics';
import { ConfirmRecipe } from './confirm_recipe';
import { Dialog } from './dialog';
import { ChooseButton, DropField } from './files';
import { useLoad } from './hooks';
import { Icon, type IconName } from './icons';
import { LastPictures } from './pictures';
import { KEPT, PreviewGrid, ThresholdField } from './preview';
import { say } from './toasts';
import { firstPick, PickTraining, type TrainingPick } from './training_data_pick';
import { useDropped } from './use_dropped';
import { usePreview } from './use_preview';

function Place({ value, chosen, icon, title, children, name, onChoose }: {
	value: Where;
	chosen: Where;
	icon: IconName;
	title: string;
	name: string;
	children: ComponentChildren;
	onChoose: (where: Where) => void;
}): JSX.Element {
	return (
		<label class={value === chosen ? 'choice is-on' : 'choice'}>
			<input class="unseen" type="radio" name={name} checked={value === chosen} autoFocus={value === chosen} onChange={() => onChoose(value)} />
			<Icon name={icon} size={18} />
			<span><strong>{title}</strong><small>{children}</small></span>
		</label>
	);
}

/** What is known of its speed and size: measured when the file came, or on the pictures just now. */
function facts(version: ModelVersion, inferMs: number | null): string {
	const probe = version.graph?.probe_us;
	const ms = inferMs ?? (probe ? probe / 1000 : null);
	return [
		ms !== null && `${milliseconds(ms)} a picture, measured ${inferMs === null ? 'when it was uploaded' : 'just now'}`,
		version.graph?.weights_bytes && `${bytes(version.graph.weights_bytes)} of weights in memory`,
	].filter(Boolean).join(' · ');
}

/** What new images are compared with. The deployment is there already: should this fail, it is said, and no more. */
async function setTraining(deployment: string, pick: TrainingPick): Promise<void> {
	if (pick === '' || pick === 'itself') return;
	try {
		await watch.setTrainingData(deployment, pick === 'production' ? { kind: 'PRODUCTION', images: 500 } : { dataset_version_id: pick });
	} catch (error) {
		say('bad', `Training Data is not set. ${sentence(error)}`);
	}
}

export interface DeployProps {
	version: ModelVersion;
	onConfirmed: (version: ModelVersion) => void;
	onClose: () => void;
}

export function DeployDialog({ version, onConfirmed, onClose }: DeployProps): JSX.Element {
	const ready = version.state === 'READY';
	const [where, setWhere] = useState<Where>(ready ? 'here' : 'external');
	/** null: not suggested yet, and until it is nobody types, else the suggestion would end up in the middle of it. */
	const [suggested, setName] = useState<string | null>(null);
	const name = suggested ?? '';
	const [threshold, setThreshold] = useState(0.1);
	const [training, setTrainingPick] = useState<TrainingPick>(() => firstPick(version));
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>(null);
	/** Names that the server refused. */
	const [taken, setTaken] = useState<ReadonlySet<string>>(new Set());
	const { pictures, add, remove, inferMs } = usePreview(version.id, ready);
	const deployments = useLoad('deployment names', (signal) => api.deployments(organization(), 1000, 0, signal));
	const ids = useId();
	useEffect(() => {
		const names = new Set(deployments.data?.items.map((d) => d.name));
		if (deployments.data || deployments.error !== null) setName((typed) => typed ?? suggestName(names, Math.random));
	}, [deployments.data, deployments.error]);

	const take = (found: readonly Found[]): void => add(found.filter(({ path, file }) => isPicture(path, file.type)).map(({ file }) => file));
	const over = useDropped(take, ready);
	const obstacle = whyNotDeploy(version, where, name, taken);
	const submit = async (event: Event): Promise<void> => {
		event.preventDefault();
		if (obstacle) return;
		setBusy(true);
		setError(null);
		try {
			const made = await api.deploy(version.id, { name: name.trim(), min_threshold: threshold, disable_serving: where === 'external' });
			await setTraining(made.id, training);
			say('ok', `${made.name ?? name} is deployed.`);
			navigate(`/deployment/${made.id}`);
		} catch (failure) {
			if (failure instanceof ApiError && failure.status === 409) setTaken(new Set([...taken, name.trim()]));
			else setError(failure);
			setBusy(false);
		}
	};
	const told = error === null ? null : explain(error, '');
	const nameProblem = obstacle?.kind === 'name' && taken.has(name.trim()) ? obstacle.text : null;
	return (
		<Dialog title={`Deploy ${version.origin.name}:${version.version}`} onClose={onClose} wide>
			<form class="deploy" onSubmit={submit}>
				<div class="deploy-form">
					<fieldset class="choices">
						<legend class="field-name">Where</legend>
						<Place value="here" chosen={where} icon="system" title="This server" name={`${ids}-where`} onChoose={setWhere}>{ready ? facts(version, inferMs) || 'gyre answers pictures here.' : 'Needs a version whose file is ready.'}</Place>
						<Place value="external" chosen={where} icon="external" title="Your own infrastructure" name={`${ids}-where`} onChoose={setWhere}>You predict, gyre watches: type and labels are enough.</Place>
					</fieldset>
					{obstacle?.kind === 'recipe' && (
						<div class="notice warn"><Icon name="warning" /><div><strong>{obstacle.text}</strong><p>A wrong guess gives worse answers, not an error. Look at the pictures: are the boxes where they belong?</p>
							<ConfirmRecipe version={version} action="Confirm the recipe" onConfirmed={onConfirmed} /></div></div>
					)}
					<label class="field">Name
						<input class="input" value={name} maxLength={100} autoComplete="off" spellcheck={false} readOnly={suggested === null} aria-invalid={nameProblem !== null} onInput={(event) => setName(event.currentTarget.value)} />
						{nameProblem && <span class="form-error" role="alert">{nameProblem}</span>}
					</label>
					<ThresholdField threshold={threshold} pictures={pictures} onThreshold={setThreshold} />
					<p class="muted">{KEPT}</p>
					<PickTraining version={version} pick={training} onPick={setTrainingPick} />
					{told && <p class="form-error" role="alert">{told.why} {told.todo}</p>}
				</div>
				<div class={over ? 'deploy-preview is-over' : 'deploy-preview'}>
					<header><h3>What it would answer from {score(threshold)} on</h3>{pictures.length > 0 && <ChooseButton kind="quiet" icon="upload" accept="image/jpeg,image/png,image/webp" multiple onFound={take}>Add pictures</ChooseButton>}</header>
					<PreviewGrid pictures={pictures} threshold={threshold} onRemove={remove}>
						{ready
							? <><DropField multiple onFound={take}>Drop a few pictures, or <u>choose</u> them, to see what the threshold does</DropField></>
							: <p class="muted">There is no file to try pictures on.</p>}
					</PreviewGrid>
					{ready && <LastPictures version={version} onPicture={(file) => add([file])} />}
				</div>
				<footer class="dialog-foot">
					<p id={`${ids}-why`} class="why-not">{obstacle?.text}</p>
					<Button onClick={onClose}>Cancel</Button>
					<Button type="submit" kind="primary" icon="deploy" busy={busy} disabled={obstacle !== null} aria-describedby={`${ids}-why`}>Deploy</Button>
				</footer>
			</form>
		</Dialog>
	);
}
