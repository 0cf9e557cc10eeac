// SPDX-License-Identifier: Apache-2.0
// A training by hand: what it begins with, on which dataset versions, for how many epochs.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import type { DatasetVersion } from '../api/learn';
import { loopApi, type Hyperparameters, type Project } from '../api/loop';
import { organization } from '../api/session';
import { trainingApi } from '../api/training';
import type { ModelVersion } from '../api/types';
import { navigate } from '../router';
import { Failure, Skeleton } from './basics';
import { Confirm } from './dialog';
import { useLoad } from './hooks';
import { allVersions, versionWords } from './training_data_source';

const KINDS = ['OBJECT_DETECTION', 'CLASSIFICATION', 'SEGMENTATION'] as const;

async function bases(signal: AbortSignal): Promise<ModelVersion[]> {
	const lists = await Promise.all(KINDS.map((kind) => trainingApi.versionsThatAnswer(organization(), kind, signal)));
	return lists.flat();
}

const today = (): string => new Date().toISOString().slice(0, 10);

function DatasetPick({ label, help, value, versions, onChoose, none }: {
	label: string;
	help: string;
	value: string;
	versions: readonly DatasetVersion[];
	onChoose: (id: string) => void;
	none: string;
}): JSX.Element {
	return (
		<label class="field">{label}
			<select class="input" value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
				<option value="">{none}</option>
				{versions.map((v) => <option key={v.id} value={v.id}>{versionWords(v)}, {v.annotated} annotated images</option>)}
			</select>
			<span class="muted">{help}</span>
		</label>
	);
}

export function NewExperimentDialog({ project, onClose }: { project: Project; onClose: () => void }): JSX.Element {
	const versions = useLoad('bases of an experiment', bases);
	const datasets = useLoad('datasets of an experiment', allVersions);
	const [chosen, setChosen] = useState<string | null>(null);
	const [name, setName] = useState<string | null>(null);
	const [train, setTrain] = useState('');
	const [test, setTest] = useState('');
	const [epochs, setEpochs] = useState('');
	const [rate, setRate] = useState('');
	const fit = versions.data?.filter((v) => v.trainable?.trainable !== false) ?? [];
	const base = fit.find((v) => v.id === chosen) ?? fit[0];
	const suggested = base ? `${base.origin.name} from ${base.version} · ${today()}` : `training · ${today()}`;
	const wanted = (name ?? suggested).trim();
	const full = datasets.data?.filter((v) => v.annotated > 0 && (!base || v.type === base.type || v.type === 'NOT_CONFIGURED')) ?? [];
	const error = versions.error ?? datasets.error;
	const epochsProblem = epochs !== '' && !(Number.isInteger(Number(epochs)) && Number(epochs) > 0);
	const rateProblem = rate !== '' && !(Number(rate) > 0 && Number(rate) <= 1);
	const why = !base ? 'There is no model version to begin with.' : !train ? 'Choose the data to train on.' : epochsProblem ? 'Epochs are a whole number from 1 on.' : rateProblem ? 'A learning rate is above 0 and at most 1.' : null;
	return (
		<Confirm title="New experiment" action="Train" disabled={why !== null || !wanted} onClose={onClose} run={async () => {
			const parameters: Hyperparameters = { ...(epochs ? { epochs: Number(epochs) } : {}), ...(rate ? { learning_rate: Number(rate) } : {}) };
			const made = await trainingApi.createExperiment(project.id, { name: wanted, ...(base ? { base_model_version_id: base.id } : {}), parameters });
			await trainingApi.attach(made.id, 'train', train);
			if (test && test !== train) await trainingApi.attach(made.id, 'test', test);
			try {
				await loopApi.launch(made.id);
			} catch (failure) {
				// It is there, with all that was chosen: the experiment's page says what it lacks.
				if (!(failure instanceof ApiError) || failure.status === 0) throw failure;
				await trainingApi.deleteExperiment(made.id).catch(() => undefined);
				throw failure;
			}
			navigate(`/experiment/${made.id}`);
		}}>
			<p>A version is trained further on data that it has not seen. For a model from nothing, open a version of a <a href="/datasets">dataset</a> and choose <strong>Train a first model</strong>.</p>
			{error !== null && <Failure error={error} what="What there is to train with could not be read" onRetry={() => {
				versions.reload();
				datasets.reload();
			}} />}
			{!versions.data && versions.loading && <Skeleton width="100%" height={34} />}
			{versions.data && (
				<label class="field">Begin with
					<select class="input" autoFocus value={base?.id ?? ''} onChange={(event) => {
						setChosen(event.currentTarget.value);
						setTrain('');
						setTest('');
					}}>{fit.map((v) => <option key={v.id} value={v.id}>{v.origin.name}:{v.version}</option>)}</select>
					{fit.length === 0 && <span class="muted">No model version can be trained. <a href="/models">Upload one</a>, or train a first model from a dataset.</span>}
				</label>
			)}
			<DatasetPick label="Train on" value={train} versions={full} none="Choose a dataset version" onChoose={setTrain} help="What is kept to measure with is left out by itself." />
			<DatasetPick label="Measure with" value={test} versions={full.filter((v) => v.id !== train)} none="A part of the same version" onChoose={setTest} help="Pictures that are in here reach no training." />
			<div class="field-row even">
				<label class="field">Epochs<input class="input" inputMode="numeric" value={epochs} placeholder="by itself" onInput={(event) => setEpochs(event.currentTarget.value.trim())} /></label>
				<label class="field">Learning rate<input class="input" inputMode="decimal" value={rate} placeholder="by itself" onInput={(event) => setRate(event.currentTarget.value.trim())} /></label>
			</div>
			<label class="field">Name<input class="input" value={name ?? suggested} maxLength={100} autoComplete="off" onInput={(event) => setName(event.currentTarget.value)} /></label>
			{why && <p class="muted">{why}</p>}
		</Confirm>
	);
}
