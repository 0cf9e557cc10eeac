// SPDX-License-Identifier: Apache-2.0
// Settings, their tabs; and of General: name, threshold seen on the last predictions, pause, where it runs, its end.
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { api } from '../api/client';
import type { FeedbackLoop } from '../api/learn';
import type { Deployment } from '../api/types';
import { sentence } from '../lib/explain';
import { plural, score } from '../lib/format';
import { PREVIEW_MAX, type PreviewPicture } from '../lib/preview';
import { championPrediction, SCORE_FLOOR } from '../lib/shapes';
import { AlertSettings } from '../parts/alert_settings';
import { Button, Failure, Time } from '../parts/basics';
import { PauseButton, ResumeButton } from '../parts/champion';
import { Confirm } from '../parts/dialog';
import { Reports } from '../parts/first_picture';
import { FeedbackSettings } from '../parts/feedback_settings';
import { useLoad, type Loaded } from '../parts/hooks';
import { KEPT, PreviewGrid, ThresholdField } from '../parts/preview';
import { SettingSection } from '../parts/setting';
import { lazy } from '../parts/lazy';
import { say } from '../parts/toasts';
import { TrainingDataSettings } from '../parts/training_data_settings';
import type { Loop } from '../parts/use_loop';
import { navigate } from '../router';

const ContinuousTrainingSettings = lazy(() => import('../parts/continuous_training_settings').then((m) => m.ContinuousTrainingSettings));
const ContinuousDeploymentSettings = lazy(() => import('../parts/continuous_deployment_settings').then((m) => m.ContinuousDeploymentSettings));

interface Acting {
	deployment: Deployment;
	onChanged: (deployment: Deployment) => void;
}

function NameSetting({ deployment, onChanged }: Acting): JSX.Element {
	const [name, setName] = useState(deployment.name);
	const [error, setError] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const changed = name.trim() !== deployment.name;
	const save = async (event: Event): Promise<void> => {
		event.preventDefault();
		if (!name.trim()) return setError('A deployment needs a name.');
		setBusy(true);
		try {
			onChanged(await api.updateDeployment(deployment.id, { name: name.trim() }));
			setError(null);
			say('ok', `Renamed to ${name.trim()}.`);
		} catch (failure) {
			setError(sentence(failure));
		}
		return setBusy(false);
	};
	return (
		<SettingSection title="Name" note="Clients that call it by its id notice nothing.">
			<form class="field-row" onSubmit={save}>
				<input class="input" aria-label="Name of the deployment" value={name} maxLength={100} autoComplete="off" spellcheck={false} aria-invalid={error !== null} onInput={(event) => setName(event.currentTarget.value)} />
				<Button type="submit" kind={changed ? 'primary' : 'plain'} busy={busy} disabled={!changed}>Rename</Button>
			</form>
			{error && <p class="form-error" role="alert">{error}</p>}
		</SettingSection>
	);
}

function ThresholdSetting({ deployment, onChanged }: Acting): JSX.Element {
	const [threshold, setThreshold] = useState(deployment.min_threshold);
	const [busy, setBusy] = useState(false);
	const last = useLoad(`settings preview ${deployment.id}`, (signal) => api.predictedAssets(deployment.id, { limit: PREVIEW_MAX, offset: 0, threshold: SCORE_FLOOR }, signal));
	const pictures = useMemo(() => (last.data?.items ?? []).map((asset): PreviewPicture => ({
		key: asset.id, name: asset.data.filename, url: asset.data.presigned_url, ...asset.data.meta, shapes: championPrediction(asset)?.shapes ?? [], error: null,
	})), [last.data]);
	const changed = Math.abs(threshold - deployment.min_threshold) > 0.004;
	const save = async (): Promise<void> => {
		setBusy(true);
		try {
			const after = await api.updateDeployment(deployment.id, { min_threshold: threshold });
			onChanged(after);
			say('ok', `${deployment.name} now answers from ${score(threshold)} on.`);
		} catch (failure) {
			say('bad', `Not changed. ${sentence(failure)}`);
		}
		setBusy(false);
	};
	return (
		<SettingSection title="Confidence threshold" note={KEPT}>
			<div class="setting-row">
				<ThresholdField threshold={threshold} pictures={pictures} onThreshold={setThreshold} />
				<Button kind={changed ? 'primary' : 'plain'} disabled={!changed} busy={busy} onClick={save}>{changed ? `Set to ${score(threshold)}` : 'Set'}</Button>
				{changed && <Button kind="quiet" onClick={() => setThreshold(deployment.min_threshold)}>{`Back to ${score(deployment.min_threshold)}`}</Button>}
			</div>
			{last.error !== null && <Failure error={last.error} what="The last predictions could not be read" onRetry={last.reload} />}
			{last.data && <PreviewGrid pictures={pictures} threshold={threshold}><p class="muted">As soon as there are predictions, the last ones are shown here, with what the threshold does to them.</p></PreviewGrid>}
		</SettingSection>
	);
}

/** Of what was predicted elsewhere; what is predicted here is kept. */
function KeptSetting({ deployment, onChanged }: Acting): JSX.Element {
	const [share, setShare] = useState(deployment.sample_rate ?? 1);
	const save = async (sample_rate: number): Promise<void> => {
		try {
			onChanged(await api.updateDeployment(deployment.id, { sample_rate }));
		} catch (failure) {
			say('bad', `Not changed. ${sentence(failure)}`);
			setShare(deployment.sample_rate ?? 1);
		}
	};
	return (
		<SettingSection title="Images kept" note="Of each prediction you report its numbers are counted. Of the images so many are kept, drawn by their ids: those can be looked at and reviewed.">
			<div class="slider">
				<input type="range" aria-label="Share of images that are kept" min={0} max={1} step={0.05} value={share} onInput={(event) => setShare(Number(event.currentTarget.value))} onChange={(event) => save(Number(event.currentTarget.value))} />
				<output>{Math.round(100 * share)} %</output>
			</div>
			{share === 0 && <p class="warn-text">Without images nothing can be reviewed, and drift shows no examples.</p>}
		</SettingSection>
	);
}

function ServiceSetting({ deployment, onChanged }: Acting): JSX.Element {
	if (deployment.status === 'EXTERNAL') {
		return (
			<SettingSection title="Your own infrastructure" note="You predict, gyre watches: nothing runs here for this deployment.">
				<Reports deployment={deployment} />
			</SettingSection>
		);
	}
	const paused = deployment.status === 'PAUSED';
	return (
		<SettingSection title={paused ? 'Paused' : 'Pause'} note="While it is paused every picture is refused with status 503, and clients are told who paused it and when.">
			<div class="row-actions">
				{paused ? <ResumeButton deployment={deployment} onChanged={onChanged} kind="primary" /> : <PauseButton deployment={deployment} onChanged={onChanged} />}
				{paused && <span class="muted">{deployment.paused_by && `by ${deployment.paused_by}, `}<Time at={deployment.paused_at} /></span>}
			</div>
		</SettingSection>
	);
}

function DeleteSetting({ deployment }: { deployment: Deployment }): JSX.Element {
	const [asking, setAsking] = useState(false);
	const [typed, setTyped] = useState('');
	return (
		<SettingSection title="Delete" note="It stops answering at once and its predictions go with it. The model stays." danger>
			<Button icon="trash" onClick={() => setAsking(true)}>Delete this deployment…</Button>
			{asking && (
				<Confirm title={`Delete ${deployment.name}?`} action="Delete for good" danger disabled={typed !== deployment.name} onClose={() => setAsking(false)}
					run={async () => {
						await api.deleteDeployment(deployment.id);
						say('ok', `${deployment.name} was deleted.`);
						navigate('/');
					}}>
					<p>It stops answering at once, and its {plural(deployment.stats.inferences, 'prediction')} go with it. This cannot be undone. The model stays.</p>
					<label class="field">Type <strong>{deployment.name}</strong> to confirm
						<input class="input" value={typed} autoComplete="off" onInput={(event) => setTyped(event.currentTarget.value)} />
					</label>
				</Confirm>
			)}
		</SettingSection>
	);
}

const TABS = [['', 'General'], ['training-data', 'Training Data'], ['feedback', 'Feedback Loop'],
	['continuous-training', 'Continuous Training'], ['continuous-deployment', 'Continuous Deployment'], ['alerts', 'Alerts']] as const;

export function SettingsTab({ deployment, tab, loop, slow, onChanged }: Acting & { tab: string; loop: Loaded<FeedbackLoop>; slow: Loop }): JSX.Element {
	const home = `/deployment/${deployment.id}/settings`;
	return (
		<div class="settings-frame">
			<nav class="settings-menu" aria-label="Settings">
				{TABS.map(([name, label]) => <a key={name} href={name ? `${home}/${name}` : home} aria-current={name === tab ? 'page' : undefined}>{label}</a>)}
			</nav>
			{tab === 'training-data' && <TrainingDataSettings deployment={deployment} />}
			{tab === 'feedback' && <FeedbackSettings deployment={deployment} loop={loop} ct={slow.ct.data} />}
			{tab === 'continuous-training' && <ContinuousTrainingSettings deployment={deployment} loaded={slow.ct} cd={slow.cd.data} feedback={loop.data} />}
			{tab === 'continuous-deployment' && <ContinuousDeploymentSettings deployment={deployment} loaded={slow.cd} ct={slow.ct.data} />}
			{tab === 'alerts' && <AlertSettings deployment={deployment} />}
			{tab === '' && <General deployment={deployment} onChanged={onChanged} />}
		</div>
	);
}

function General({ deployment, onChanged }: Acting): JSX.Element {
	return (
		<div class="settings">
			<NameSetting key={deployment.name} deployment={deployment} onChanged={onChanged} />
			<ThresholdSetting key={deployment.min_threshold} deployment={deployment} onChanged={onChanged} />
			<ServiceSetting deployment={deployment} onChanged={onChanged} />
			{deployment.status === 'EXTERNAL' && <KeptSetting deployment={deployment} onChanged={onChanged} />}
			<DeleteSetting deployment={deployment} />
		</div>
	);
}
