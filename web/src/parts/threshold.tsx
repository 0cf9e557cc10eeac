// SPDX-License-Identifier: Apache-2.0
// What was answered, or what would be shown at another threshold, and the way to make that the deployment's.
import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Deployment } from '../api/types';
import { count, plural, score } from '../lib/format';
import { SCORE_FLOOR, type ThresholdView } from '../lib/shapes';
import { Button, Segments } from './basics';
import { Confirm } from './dialog';
import { say } from './toasts';

const VIEWS = [['answered', 'As answered'], ['threshold', 'At threshold']] as const;

export interface Effect {
	pictures: number;
	answered: number;
	shown: number;
}

function SaveDialog({ deployment, threshold, effect, onSaved, onClose }: {
	deployment: Deployment;
	threshold: number;
	effect: Effect;
	onSaved: (deployment: Deployment) => void;
	onClose: () => void;
}): JSX.Element {
	return (
		<Confirm title={`Answer from ${score(threshold)} on?`} action={`Set the threshold to ${score(threshold)}`} onClose={onClose}
			run={async () => {
				onSaved(await api.updateDeployment(deployment.id, { min_threshold: threshold }));
				say('ok', `${deployment.name} now answers from ${score(threshold)} on.`);
				onClose();
			}}>
			<p>
				From now on <strong>{deployment.name}</strong> answers only shapes with a score of at least <strong>{score(threshold)}</strong>;
				until now it was {score(deployment.min_threshold)}.
			</p>
			{effect.pictures > 0 && (
				<p>
					On the {plural(effect.pictures, 'picture')} loaded here, {count(effect.answered)} shapes were answered;
					at {score(threshold)} it would have been {count(effect.shown)}.
				</p>
			)}
			<p class="muted">What was answered before stays as it was. Everything above {SCORE_FLOOR} is kept, so you can come back to this at any time.</p>
		</Confirm>
	);
}

/** What the view shows of the pictures loaded so far. */
export function EffectLine({ view, effect }: { view: ThresholdView; effect: Effect }): JSX.Element {
	const { pictures, answered, shown } = effect;
	if (pictures === 0) return <p class="effect">&nbsp;</p>;
	const on = `on the ${plural(pictures, 'picture')} loaded`;
	return (
		<p class="effect" aria-live="polite">
			{view === null ? `${plural(answered, 'shape')} answered ${on}` : `${plural(shown, 'shape')} shown, ${count(answered)} answered, ${on}`}
		</p>
	);
}

export function ThresholdBar({ deployment, view, effect, onView, onSaved }: {
	deployment: Deployment;
	view: ThresholdView;
	effect: Effect;
	onView: (view: ThresholdView) => void;
	onSaved: (deployment: Deployment) => void;
}): JSX.Element {
	const [saving, setSaving] = useState(false);
	const slider = useId();
	const value = view ?? deployment.min_threshold;
	const differs = view !== null && Math.abs(view - deployment.min_threshold) > 0.004;
	return (
		<div class="threshold">
			<Segments name="view" legend="Shapes shown" value={view === null ? 'answered' : 'threshold'} choices={VIEWS}
				onChoose={(chosen) => onView(chosen === 'answered' ? null : value)} />
			<div class="slider">
				<label class="unseen" for={slider}>Threshold</label>
				<input id={slider} type="range" min={SCORE_FLOOR} max={0.99} step={0.01} value={value} list={`${slider}-mark`}
					class={view === null ? 'is-idle' : undefined} onInput={(event) => onView(Number(event.currentTarget.value))} />
				<datalist id={`${slider}-mark`}><option value={deployment.min_threshold} /></datalist>
				<output for={slider}>{score(value)}</output>
			</div>
			<Button kind={differs ? 'primary' : 'plain'} disabled={!differs} onClick={() => setSaving(true)}
				title={differs ? undefined : `The deployment answers from ${score(deployment.min_threshold)} on.`}>Set as threshold…</Button>
			{saving && <SaveDialog deployment={deployment} threshold={value} effect={effect} onSaved={onSaved} onClose={() => setSaving(false)} />}
		</div>
	);
}
