// SPDX-License-Identifier: Apache-2.0
// What Training Data shall be: a dataset version, or the first images that the deployment met.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { learn, type DatasetVersion } from '../api/learn';
import { organization } from '../api/session';
import { tell, watch, type TrainingData, type TrainingSource } from '../api/watch';
import type { Deployment } from '../api/types';
import { sentence } from '../lib/explain';
import { plural, taskName } from '../lib/format';
import { imagesProblem } from '../lib/training_data';
import { Button, Failure, Segments, Skeleton } from './basics';
import { Dialog } from './dialog';
import { useLoad } from './hooks';
import { say } from './toasts';

export async function allVersions(signal: AbortSignal): Promise<DatasetVersion[]> {
	const datasets = await learn.datasets(organization(), 200, 0, signal);
	const lists = await Promise.all(datasets.items.map((d) => learn.versions(d.id, signal)));
	return lists.flatMap((l) => [...l.items].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at)));
}

export const versionWords = (v: DatasetVersion): string => `${v.origin_name} ${v.version}`;

/** Sets it, says so, and lets the page know. */
export async function setSource(deployment: string, source: TrainingSource): Promise<void> {
	await watch.setTrainingData(deployment, source);
	say('ok', 'kind' in source ? `Training Data: the first ${source.images} production images.` : 'Training Data is set: its images are looked at now.');
	tell('training');
}

function Versions({ deployment, suggestion, chosen, onChoose }: {
	deployment: Deployment;
	suggestion: TrainingData['suggestion'];
	chosen: string;
	onChoose: (id: string) => void;
}): JSX.Element {
	const versions = useLoad('versions for training data', allVersions);
	const first = suggestion?.dataset_version_id;
	const list = [...(versions.data ?? [])].sort((a, b) => Number(b.id === first) - Number(a.id === first));
	return (
		<fieldset class="choices version-choices">
			<legend class="field-name">Version</legend>
			{versions.error !== null && <Failure error={versions.error} what="The datasets could not be read" onRetry={versions.reload} />}
			{!versions.data && versions.loading && <Skeleton width="100%" height={60} />}
			{list.map((v) => (
				<label key={v.id} class={`choice${chosen === v.id ? ' is-on' : ''}${v.assets === 0 ? ' is-off' : ''}`}>
					<input class="unseen" type="radio" name="training-version" checked={chosen === v.id} disabled={v.assets === 0} onChange={() => onChoose(v.id)} />
					<span><strong>{versionWords(v)}</strong><small>{v.id === first ? suggestion?.why : `${v.type === deployment.type || v.type === 'NOT_CONFIGURED' ? '' : `${taskName(v.type)}, `}${plural(v.assets, 'image')}`}</small></span>
					{v.id === first && <span class="badge given">suggested</span>}
					{v.assets === 0 && <span class="badge read">empty</span>}
				</label>
			))}
			{versions.data?.length === 0 && <p class="muted">There is no dataset yet. <a href="/datasets">Import one</a>, or take production images.</p>}
		</fieldset>
	);
}

function Production({ images, source, from, onImages, onSource, onFrom }: {
	images: string;
	source: string;
	from: string;
	onImages: (text: string) => void;
	onSource: (source: string) => void;
	onFrom: (text: string) => void;
}): JSX.Element {
	const sources = useLoad('sources', (signal) => learn.sources(organization(), signal));
	const problem = imagesProblem(images);
	return (
		<>
			<label class="field">How many images
				<input class="input" type="number" inputMode="numeric" min={20} max={5000} step={1} value={images} aria-invalid={problem !== null} onInput={(event) => onImages(event.currentTarget.value)} />
			</label>
			{problem ? <p class="form-error" role="alert">{problem}</p> : Number(images) < 500 && <p class="warn-text training-note">With fewer than 500, small shifts cannot be seen.</p>}
			<label class="field">Source
				<select class="input" value={source} onChange={(event) => onSource(event.currentTarget.value)}>
					<option value="">All sources</option>
					{sources.data?.items.map((s) => <option key={s.id} value={s.name}>{s.name}</option>)}
				</select>
			</label>
			<label class="field">From <span class="muted">(empty: the first one)</span>
				<input class="input" type="datetime-local" value={from} onInput={(event) => onFrom(event.currentTarget.value)} />
			</label>
			<p class="muted training-note">What is normal is what came then: take a time when all was well. These images are in no later comparison.</p>
		</>
	);
}

type Kind = 'DATASET' | 'PRODUCTION';

export function SourceDialog({ deployment, training, onClose }: { deployment: Deployment; training: TrainingData; onClose: () => void }): JSX.Element {
	const [kind, setKind] = useState<Kind>(training.kind ?? 'DATASET');
	const [version, setVersion] = useState(training.dataset_version?.id ?? training.suggestion?.dataset_version_id ?? '');
	const [images, setImages] = useState(String(training.images_max ?? 500));
	const [source, setSourceName] = useState(training.source ?? '');
	const [from, setFrom] = useState('');
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<string | null>(null);
	const submit = async (event: Event): Promise<void> => {
		event.preventDefault();
		setBusy(true);
		setError(null);
		try {
			await setSource(deployment.id, kind === 'DATASET'
				? { dataset_version_id: version }
				: { kind, images: Number(images), ...(source ? { source } : {}), ...(from ? { from: Date.parse(from) / 1000 } : {}) });
			onClose();
		} catch (failure) {
			setError(sentence(failure));
			setBusy(false);
		}
	};
	const ready = kind === 'DATASET' ? version !== '' : imagesProblem(images) === null;
	return (
		<Dialog title="Choose Training Data" onClose={onClose}>
			<form onSubmit={submit}>
				<div class="dialog-text">
					<p>The images that count as normal. Each new one is compared with them.</p>
					<Segments name="training-kind" legend="Where they come from" value={kind} choices={[['DATASET', 'A dataset version'], ['PRODUCTION', 'Production images']] as const} onChoose={setKind} />
					{kind === 'DATASET'
						? <Versions deployment={deployment} suggestion={training.suggestion} chosen={version} onChoose={setVersion} />
						: <Production images={images} source={source} from={from} onImages={setImages} onSource={setSourceName} onFrom={setFrom} />}
					{error && <p class="form-error" role="alert">{error}</p>}
				</div>
				<footer class="dialog-foot">
					<Button onClick={onClose}>Cancel</Button>
					<Button type="submit" kind="primary" busy={busy} disabled={!ready}>Use these</Button>
				</footer>
			</form>
		</Dialog>
	);
}
