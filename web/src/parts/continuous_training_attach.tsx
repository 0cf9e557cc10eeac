// SPDX-License-Identifier: Apache-2.0
// A dataset version for Continuous Training, under an alias that says what it is for.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { learn, type DatasetVersion } from '../api/learn';
import type { AttachedDataset } from '../api/loop';
import type { Deployment } from '../api/types';
import { ALIASES, aliasHelp, nextAlias } from '../lib/continuous_form';
import { sentence } from '../lib/explain';
import { plural, taskName } from '../lib/format';
import { Button, Failure, Segments, Skeleton } from './basics';
import { Dialog } from './dialog';
import { useLoad } from './hooks';
import { allVersions, versionWords } from './training_data_source';

/** Why this version cannot be trained on, in a word or two. */
function whyNot(version: DatasetVersion, deployment: Deployment): string | null {
	if (version.type !== deployment.type && version.type !== 'NOT_CONFIGURED') return taskName(version.type);
	return null;
}

export function AttachDialog({ deployment, datasets, onChosen, onClose }: {
	deployment: Deployment;
	datasets: readonly AttachedDataset[];
	onChosen: (chosen: AttachedDataset) => void;
	onClose: () => void;
}): JSX.Element {
	const versions = useLoad('versions to train with', allVersions);
	const [alias, setAlias] = useState(nextAlias(datasets));
	const [chosen, setChosen] = useState<DatasetVersion | null>(null);
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<string | null>(null);
	const own = !(alias in ALIASES);
	const taken = datasets.find((d) => d.name === alias);
	const submit = async (event: Event): Promise<void> => {
		event.preventDefault();
		if (!chosen) return;
		setBusy(true);
		try {
			const kept = await learn.assets(chosen.id, { limit: 1, offset: 0, q: 'evaluation = true' });
			onChosen({ name: alias.trim(), dataset_version: chosen, images: chosen.assets, evaluation: kept.count });
		} catch (failure) {
			setError(sentence(failure));
			setBusy(false);
		}
	};
	return (
		<Dialog title="Attach a dataset version" onClose={onClose}>
			<form onSubmit={submit}>
				<div class="dialog-text">
					<div class="field">
						<span class="field-name">What it is for</span>
						<Segments name="alias" legend="Alias" value={own ? 'other' : alias} choices={[...Object.keys(ALIASES).map((a) => [a, a] as const), ['other', 'another'] as const]} onChoose={(a) => setAlias(a === 'other' ? `train-${datasets.length + 1}` : a)} />
						<p class="muted pick-note">{aliasHelp(alias)}</p>
					</div>
					{own && <label class="field">Alias<input class="input" value={alias} maxLength={50} onInput={(event) => setAlias(event.currentTarget.value)} /></label>}
					{taken && <p class="warn-text pick-note">It takes the place of {versionWords(taken.dataset_version)}.</p>}
					{versions.error !== null && <Failure error={versions.error} what="The datasets could not be read" onRetry={versions.reload} />}
					<fieldset class="choices version-choices">
						<legend class="field-name">Version</legend>
						{!versions.data && versions.loading && <Skeleton width="100%" height={60} />}
						{versions.data?.map((v) => {
							const why = whyNot(v, deployment);
							const as = datasets.find((d) => d.dataset_version.id === v.id)?.name;
							return (
								<label key={v.id} class={`choice${chosen?.id === v.id ? ' is-on' : ''}${why ? ' is-off' : ''}`}>
									<input class="unseen" type="radio" name="ct-version" checked={chosen?.id === v.id} disabled={why !== null} onChange={() => setChosen(v)} />
									<span><strong>{versionWords(v)}</strong><small>{plural(v.assets, 'image')}, {plural(v.annotated, 'is', 'are')} labelled</small></span>
									{why ? <span class="badge read">{why}</span> : as && <span class="badge given">{as} now</span>}
								</label>
							);
						})}
						{versions.data?.length === 0 && <p class="muted">There is no dataset yet. <a href="/datasets">Import one</a>, or let the <a href={`/deployment/${deployment.id}/settings/feedback`}>Feedback Loop</a> make one.</p>}
					</fieldset>
					{error && <p class="form-error" role="alert">{error}</p>}
				</div>
				<footer class="dialog-foot"><Button onClick={onClose}>Cancel</Button><Button type="submit" kind="primary" busy={busy} disabled={!chosen || !alias.trim()}>Attach</Button></footer>
			</form>
		</Dialog>
	);
}
