// SPDX-License-Identifier: Apache-2.0
// What another threshold does to the last predictions, and the way to make it the deployment's.
import type { JSX } from 'preact';
import { api } from '../api/client';
import type { Deployment } from '../api/types';
import { count, plural, score } from '../lib/format';
import { SCORE_FLOOR, type ThresholdView } from '../lib/shapes';
import { Confirm } from './dialog';
import { say } from './toasts';

export interface Effect {
	pictures: number;
	answered: number;
	shown: number;
}

export function SaveDialog({ deployment, threshold, effect, onSaved, onClose }: {
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
