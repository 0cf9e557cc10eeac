// SPDX-License-Identifier: Apache-2.0
// Drift: which of an image's numbers are no longer as in Training Data, by how much, where, and on which images.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { watch, type Drift, type DriftFeature } from '../api/watch';
import type { Deployment } from '../api/types';
import { Distributions } from '../charts/distribution';
import { basisWords, D_MIN, drifted, driftSentence, dWords, firstFeatures, leftToSay, movedWords, pWords, short, smallestSeen, within } from '../lib/drift';
import { count, plural } from '../lib/format';
import { trainingReady, trainingState } from '../lib/training_data';
import { watchKey, watchQuery, type WatchFilter } from '../lib/watch_filter';
import { AssetStrip } from './asset_strip';
import { Button, Failure, Segments, Skeleton } from './basics';
import { TrainingNeeded, TrainingProgress } from './training_data_needed';
import { useDelayed } from './use_delayed';
import { useStanding } from './use_standing';
import { useTraining } from './use_training';

const ROOM = 10;
const WINDOWS = [['100', '100'], ['200', '200'], ['500', '500'], ['2000', '2,000']] as const;

function DBar({ feature }: { feature: DriftFeature }): JSX.Element {
	const { d, low, high, critical_d } = feature;
	const at = (x: number): string => `${100 * Math.min(1, Math.max(0, x))}%`;
	return (
		<span class={feature.drifted ? 'd-bar is-drifted' : 'd-bar'} aria-hidden="true">
			{d !== null && <i style={{ width: at(d) }} />}
			{low !== null && high !== null && <b style={{ left: at(low), right: `calc(100% - ${at(high)})` }} />}
			<u style={{ left: at(Math.max(D_MIN, critical_d ?? 0)) }} />
		</span>
	);
}

function featureHelp(f: DriftFeature): string {
	const parts = [
		`D ${dWords(f.d)}${f.low !== null && f.high !== null ? `, with 95 % between ${dWords(f.low)} and ${dWords(f.high)}` : ''}.`,
		f.p_adjusted !== null ? `p ${pWords(f.p_adjusted)}, corrected for the number of features.` : '',
		f.may_alarm ? '' : 'Shown only: Training Data is optimistic about it, so that it raises no alarm.',
	];
	return parts.filter(Boolean).join(' ');
}

function Features({ drift, chosen, onChoose }: { drift: Drift; chosen: string; onChoose: (name: string) => void }): JSX.Element {
	const watching = drift.detectors?.state === 'watching';
	const [all, setAll] = useState(false);
	const shown = all ? drift.features : firstFeatures(drift, ROOM);
	const more = drift.features.length - shown.length;
	return (
		<div>
			<table class="table drift-table">
				<thead><tr>
					<th>Feature</th>
					<th><abbr title="Kolmogorov–Smirnov distance: the widest gap between the two cumulative curves, 0 to 1. The thin line is its interval, the mark what is more than chance.">D</abbr></th>
					{watching && <th class="number evidence"><abbr title="Of what the detector needs for an alarm">Evidence</abbr></th>}
				</tr></thead>
				<tbody>
					{shown.map((f) => (
						<tr key={f.name} class={f.name === chosen ? 'is-chosen' : undefined} title={featureHelp(f)}>
							<th scope="row">
								<button type="button" class="row-button" aria-pressed={f.name === chosen} onClick={() => onChoose(f.name)}>{f.title}</button>
								{movedWords(f) && <small class={f.drifted ? 'warn-text' : undefined}>{movedWords(f)}</small>}
							</th>
							<td><span class="d-cell"><DBar feature={f} /><strong>{dWords(f.d)}</strong></span></td>
							{watching && <td class="number evidence">{f.may_alarm && f.strength !== null ? `${Math.round(100 * Math.min(1, f.strength))} %` : <span class="muted">–</span>}</td>}
						</tr>
					))}
				</tbody>
			</table>
			{more > 0 && <Button kind="quiet" onClick={() => setAll(true)}>{plural(more, 'more feature', 'more features')}</Button>}
		</div>
	);
}

function Chosen({ drift, feature, deployment }: { drift: Drift; feature: DriftFeature; deployment: Deployment }): JSX.Element {
	const counting = Math.round(drift.window.effective ?? drift.window.images);
	return (
		<figure class="drift-chosen">
			<figcaption>
				<strong>{feature.title}</strong>{' '}
				{feature.drifted ? <span class="pill warn">{movedWords(feature) || 'differs'}</span> : <span class="muted">as in Training Data</span>}
				<span class="drift-key muted"><i class="swatch past" />Training Data <i class="swatch" />the last {plural(drift.window.images, 'image')}{counting !== drift.window.images && ` (${count(counting)} count)`}</span>
			</figcaption>
			<Distributions feature={feature} names={feature.name === 'label' ? deployment.labels : null} images={{ reference: drift.reference?.images ?? 0, window: counting }} />
			<p class="muted drift-note">{featureHelp(feature)}</p>
		</figure>
	);
}

function Where({ drift }: { drift: Drift }): JSX.Element | null {
	const title = (name: string): string => drift.features.find((f) => f.name === name)?.title ?? name;
	if (drift.where.length === 0) return null;
	return (
		<section aria-label="Where it moved">
			<h3>Where</h3>
			<ul class="where-list">
				{drift.where.slice(0, 8).map((w) => (
					<li key={`${w.by} ${w.name}`}>
						<span class="where-name"><span class="badge read">{w.by}</span> {w.name}</span>
						<span class="muted">{title(w.feature)}, {plural(w.images, 'image')}</span>
						<span class="d-cell" title={`p ${pWords(w.p)}`}><span class="d-bar is-drifted" aria-hidden="true"><i style={{ width: `${100 * Math.min(1, w.d ?? 0)}%` }} /></span><strong>{dWords(w.d)}</strong></span>
					</li>
				))}
			</ul>
		</section>
	);
}

function Examples({ drift }: { drift: Drift }): JSX.Element | null {
	const [moved] = drifted(drift);
	if (!moved || drift.examples.length === 0) return null;
	return (
		<section aria-label="Images that moved most">
			<h3>Images <span class="muted">farthest from Training Data by {within(moved.title)}</span></h3>
			<AssetStrip label="Images that moved most" items={drift.examples.map((e) => ({ id: e.predicted_asset_id, value: short(e.value), means: moved.title, at: e.created_at }))} />
		</section>
	);
}

function Detectors({ drift }: { drift: Drift }): JSX.Element | null {
	const { detectors, window } = drift;
	const rows: [string, string, string][] = [
		['Compared', `${count(window.images)}`, 'Images of this window.'],
		['Of them count', window.effective === null ? '–' : count(Math.round(window.effective)), 'Near-duplicates and frames that resemble the one before say nothing new: so many images this window is worth.'],
	];
	if (detectors && detectors.state !== 'off') rows.push(['False alarms', `1 in ${count(detectors.budget_images)}`, 'At most, in images, on average, while nothing has changed.']);
	if (detectors && detectors.state === 'watching') {
		rows.push(['Watched so far', count(detectors.seen), 'Images since Training Data is ready, in the order of the log.']);
		if (detectors.thinning !== null) rows.push(['Thinned to', detectors.thinning <= 1 ? 'all' : `1 of ${short(detectors.thinning)}`, 'After near-duplicates: how far apart two images must be to say something new.']);
		if (detectors.tolerance !== null) rows.push(['Tolerance', short(detectors.tolerance), 'Shifts of this size are let pass: it follows from the size of Training Data.']);
	}
	return (
		<section class="drift-detectors" aria-label="Detectors">
			<dl class="numbers">{rows.map(([name, value, help]) => <div key={name} title={help}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
			<p class="muted">
				{basisWords(window.basis)} {detectors && detectors.state !== 'off' && 'The curves describe; an alarm comes from detectors that may be looked at after every image.'} {detectors?.sentence}
			</p>
		</section>
	);
}

function Shown({ drift, deployment }: { drift: Drift; deployment: Deployment }): JSX.Element {
	const [name, setName] = useState('');
	const chosen = drift.features.find((f) => f.name === name) ?? drift.features[0];
	const moved = drifted(drift);
	const least = smallestSeen(drift);
	const missing = leftToSay(drift.missing, [drift.reference?.small && 'Small reference']);
	return (
		<>
			<p class={moved.length > 0 ? 'drift-sentence is-drifted' : 'drift-sentence'}>{driftSentence(drift)}</p>
			{drift.reference?.small && <p class="notice warn"><span><strong>Small reference: {least === null ? 'only large shifts can be seen.' : `shifts below D ${least.toFixed(2)} cannot be seen.`}</strong> {drift.reference.sentence}</span></p>}
			{!drift.reference?.small && drift.reference?.sentence && <p class="muted drift-note">{drift.reference.sentence}</p>}
			{drift.features.length > 0 && drift.window.images > 0 && (
				<div class="drift-columns">
					<Features drift={drift} chosen={chosen?.name ?? ''} onChoose={setName} />
					<div class="drift-side">
						{chosen && <Chosen drift={drift} feature={chosen} deployment={deployment} />}
						<Where drift={drift} />
						<Examples drift={drift} />
					</div>
				</div>
			)}
			<Detectors drift={drift} />
			{missing.length > 0 && <ul class="missing muted">{missing.map((m) => <li key={m}>{m}</li>)}</ul>}
		</>
	);
}

function Panel({ deployment, filter, images }: { deployment: Deployment; filter: WatchFilter; images: string }): JSX.Element {
	const late = useDelayed(filter, 150);
	const { shown, loading, error, reload, element } = useStanding(`drift ${deployment.id} ${watchKey(late)} ${images} ${deployment.model_version_id}`, (signal) =>
		watch.drift(deployment.id, { ...watchQuery(late, Date.now()), images }, signal));
	return (
		<div class="watch-body" ref={element} aria-busy={loading}>
			{error !== null && <Failure error={error} what="The drift could not be read" onRetry={reload} />}
			{!shown && loading && <Skeleton width="100%" height={200} />}
			{shown && <Shown drift={shown} deployment={deployment} />}
		</div>
	);
}

export function DriftPanel({ deployment, filter }: { deployment: Deployment; filter: WatchFilter }): JSX.Element {
	const training = useTraining(deployment.id);
	const [images, setImages] = useState<typeof WINDOWS[number][0]>('200');
	const on = training.data && trainingReady(training.data);
	return (
		<section class="panel watch-panel" aria-label="Drift" id="drift">
			<header class="panel-head">
				<h2>Drift</h2>
				{on && <div class="inline-choice"><span class="muted">The last</span><Segments name="drift-window" legend="Images of the window" value={images} choices={WINDOWS} onChoose={setImages} /><span class="muted">images</span></div>}
			</header>
			{on && training.data && trainingState(training.data) === 'making' && <div class="watch-body"><TrainingProgress training={training.data} /></div>}
			{on && <Panel deployment={deployment} filter={filter} images={images} />}
			{!on && (
				<div class="watch-body">
					{training.error !== null && <Failure error={training.error} what="Training Data could not be read" onRetry={training.reload} />}
					{!training.data && training.loading && <Skeleton width="100%" height={60} />}
					{training.data && (
						<TrainingNeeded deployment={deployment} training={training.data}>
							Are the images still like those the model learned from? Against Training Data each image’s light, sharpness, objects and what the model sees are compared, and you are told when they move.
						</TrainingNeeded>
					)}
				</div>
			)}
		</section>
	);
}
