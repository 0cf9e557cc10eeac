// SPDX-License-Identifier: Apache-2.0
// Training Data in one line of a form: at Deploy, where nothing is known yet but the version.
import type { JSX } from 'preact';
import type { ModelVersion } from '../api/types';
import { useLoad } from './hooks';
import { allVersions, versionWords } from './training_data_source';

/** "": none for now; "production"; "itself": of its Experiment; or a dataset version's id. */
export type TrainingPick = string;

export const firstPick = (version: ModelVersion): TrainingPick => (version.lineage.experiment_id ? 'itself' : 'production');

const HELP: Record<string, string> = {
	'': 'Drift and outliers are watched as soon as some is chosen.',
	production: 'What is normal is then what comes first. It can be changed at any time.',
	itself: 'What it was trained and evaluated on, as its Experiment says.',
};

export function PickTraining({ version, pick, onPick }: { version: ModelVersion; pick: TrainingPick; onPick: (pick: TrainingPick) => void }): JSX.Element {
	const versions = useLoad('versions for training data', allVersions);
	return (
		<>
			<label class="field">Training Data
				<select class="input" value={pick} onChange={(event) => onPick(event.currentTarget.value)}>
					{version.lineage.experiment_id && <option value="itself">The data of its Experiment</option>}
					<option value="production">The first 500 production images</option>
					{versions.data?.filter((v) => v.assets > 0).map((v) => <option key={v.id} value={v.id}>{versionWords(v)}, {v.assets} images</option>)}
					<option value="">None for now</option>
				</select>
			</label>
			<p class="muted">{HELP[pick] ?? 'New images are compared with these.'}</p>
		</>
	);
}
