// SPDX-License-Identifier: Apache-2.0
// What one does to a dataset version as a whole: make one, fork it, lock it.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { learn, type DatasetType, type DatasetVersion } from '../api/learn';
import { plural } from '../lib/format';
import { navigate } from '../router';
import { Button, Copy, Segments } from './basics';
import { Confirm } from './dialog';
import { say } from './toasts';

const TYPES: readonly (readonly [DatasetType, string])[] = [['OBJECT_DETECTION', 'Boxes'], ['SEGMENTATION', 'Regions'], ['CLASSIFICATION', 'Classes']];

export function NewVersionDialog({ dataset, suggested, type: before, onClose }: { dataset: string; suggested: string; type: DatasetType; onClose: () => void }): JSX.Element {
	const [name, setName] = useState(suggested);
	const [type, setType] = useState<DatasetType>(before === 'NOT_CONFIGURED' ? 'OBJECT_DETECTION' : before);
	return (
		<Confirm title="New version" action="Create" disabled={!name.trim()} onClose={onClose} run={async () => {
			const made = await learn.createVersion(dataset, { version: name.trim(), type });
			navigate(`/dataset/version/${made.id}`);
		}}>
			<p>An empty version. To begin with what another one holds, fork that one.</p>
			<label class="field">Name<input class="input" autoFocus value={name} maxLength={100} autoComplete="off" onInput={(event) => setName(event.currentTarget.value)} /></label>
			<div class="field"><span class="field-name">What is drawn on its pictures</span><Segments name="version-type" legend="What is drawn on its pictures" value={type} choices={TYPES} onChoose={setType} /></div>
		</Confirm>
	);
}

export function ForkDialog({ version, suggested, onClose, onForked }: { version: DatasetVersion; suggested: string; onClose: () => void; onForked: (id: string) => void }): JSX.Element {
	const [name, setName] = useState(suggested);
	return (
		<Confirm title={`Fork ${version.origin_name} ${version.version}`} action="Fork" disabled={!name.trim()} onClose={onClose} run={async () => {
			const answer = await learn.fork(version.origin_id, version, name.trim());
			say('ok', `${name.trim()} was made from ${version.version}.`);
			onClose();
			onForked(answer.dataset_version.id);
		}}>
			<p>A new version with the same {plural(version.assets, 'image')}, labels and annotations. It may be changed; {version.version} stays as it is.</p>
			<label class="field">Name<input class="input" autoFocus value={name} maxLength={100} autoComplete="off" onInput={(event) => setName(event.currentTarget.value)} /></label>
		</Confirm>
	);
}

const HOLD_OUT_DEFAULT = 20;

export function HoldOutDialog({ version, onClose, onDone }: { version: DatasetVersion; onClose: () => void; onDone: () => void }): JSX.Element {
	const [percent, setPercent] = useState(HOLD_OUT_DEFAULT);
	const about = Math.round((version.assets * percent) / 100);
	return (
		<Confirm title="Keep images to measure with" action="Keep them" onClose={onClose} run={async () => {
			const { changed } = await learn.holdOut(version.id, { share: percent / 100 });
			say('ok', changed === 0 ? 'It was so already.' : `${plural(changed, 'image')} changed ${changed === 1 ? 'its' : 'their'} use.`);
			onClose();
			onDone();
		}}>
			<p>No training gets them: models are compared on them, and as Training Data they are what drift and outliers are measured against.</p>
			<label class="field">Share of the {plural(version.assets, 'image')}
				<input type="range" min={0} max={50} step={1} autoFocus value={percent} aria-valuetext={`${percent} %, about ${plural(about, 'image')}`} onInput={(event) => setPercent(Number(event.currentTarget.value))} />
				<span class="muted">{percent} %, about {plural(about, 'image')}. Drawn by their bytes: the same picture twice is on one side, and a larger share keeps what a smaller one had. What was chosen by hand is drawn anew.</span>
			</label>
		</Confirm>
	);
}

export function LockButton({ version, onChanged }: { version: DatasetVersion; onChanged: () => void }): JSX.Element {
	const [asking, setAsking] = useState(false);
	const { locked } = version;
	return (
		<>
			<Button icon={locked ? 'unlock' : 'lock'} title={locked ? 'Let it be changed again' : 'From then on nothing in it changes'} onClick={() => setAsking(true)}>{locked ? 'Unlock' : 'Lock'}</Button>
			{asking && (
				<Confirm title={`${locked ? 'Unlock' : 'Lock'} ${version.origin_name} ${version.version}?`} action={locked ? 'Unlock' : 'Lock'} onClose={() => setAsking(false)} run={async () => {
					await (locked ? learn.unlock(version.id) : learn.lock(version.id));
					say('ok', locked ? `${version.version} may be changed.` : `${version.version} is locked.`);
					setAsking(false);
					onChanged();
				}}>
					{locked
						? <p>Its images and annotations may be changed again, and what was trained on it may no longer be what it holds.</p>
						: <p>Its {plural(version.assets, 'image')} and their annotations stay as they are now, with a hash over all of them: a training that names this version names exactly this. To go on, fork it.</p>}
					{version.hash && <p class="muted hash">hash <Copy text={version.hash} what="hash"><code>{version.hash.slice(0, 24)}…</code></Copy></p>}
				</Confirm>
			)}
		</>
	);
}
