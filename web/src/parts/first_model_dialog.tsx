// SPDX-License-Identifier: Apache-2.0
// A first model from labelled images alone: which kind, how the images are split, what would make it poor. Then its experiment's page.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { DatasetVersion } from '../api/learn';
import { loopApi, type FirstModel } from '../api/loop';
import { count, plural } from '../lib/format';
import { classRows, firstModelWords, minutesWords } from '../lib/training';
import { navigate } from '../router';
import { Failure, Skeleton } from './basics';
import { Confirm, Dialog } from './dialog';
import { useLoad } from './hooks';
import { Icon } from './icons';

const CLASSES_SHOWN = 8;
const OBJECTS_MIN = 10;

const HELP: Record<string, string> = {
	Fast: 'Small, and quick to answer. Begin with this one.',
	Accurate: 'Sees finer things. It trains and answers more slowly.',
};

/** Train, validation and test as one bar. */
function Split({ split }: { split: FirstModel['split'] }): JSX.Element {
	const parts = [['train', 'to train on', split.train], ['val', 'to choose the best epoch by', split.val], ['test', 'to measure with', split.test]] as const;
	const all = Math.max(1, split.train + split.val + split.test);
	return (
		<div class="split">
			<span class="split-bar" aria-hidden="true">{parts.map(([key, , n]) => <i key={key} class={key} style={{ width: `${(100 * n) / all}%` }} />)}</span>
			<ul>{parts.filter(([, , n]) => n > 0).map(([key, words, n]) => <li key={key}><i class={`split-key ${key}`} /><strong>{count(n)}</strong> {words}</li>)}</ul>
			{split.val === 0 && <p class="muted">The trainer puts a fifth of those aside, to choose the best epoch by.</p>}
		</div>
	);
}

function Classes({ first }: { first: FirstModel }): JSX.Element {
	const rows = classRows(first);
	return (
		<p class="first-classes">
			{rows.slice(0, CLASSES_SHOWN).map((c) => (
				<span key={c.label} class={c.objects !== null && c.objects < OBJECTS_MIN ? 'chip is-few' : 'chip'} title={c.objects === null ? undefined : plural(c.objects, 'object')}>{c.label}{c.objects !== null && <span class="muted"> {count(c.objects)}</span>}</span>
			))}
			{rows.length > CLASSES_SHOWN && <span class="muted">and {rows.length - CLASSES_SHOWN} more</span>}
		</p>
	);
}

const Warnings = ({ warnings }: { warnings: readonly string[] }): JSX.Element | null => (warnings.length === 0 ? null
	: <div class="first-warning"><Icon name="warning" size={14} /><ul>{warnings.map((w) => <li key={w}>{w}</li>)}</ul></div>);

function Form({ version, first, onClose }: { version: DatasetVersion; first: FirstModel; onClose: () => void }): JSX.Element {
	const [arch, setArch] = useState(first.choices[0]?.arch ?? '');
	const [name, setName] = useState(version.origin_name);
	return (
		<Confirm title="Train a first model" action="Train" disabled={!name.trim() || !arch} onClose={onClose} run={async () => {
			const training = await loopApi.trainFirstModel(version.id, { arch, name: name.trim() });
			navigate(`/experiment/${training.experiment.id}`);
		}}>
			<p>{firstModelWords(first)} It learns from nothing but the {plural(first.labelled, 'labelled image')} of {version.origin_name} {version.version}{first.task !== 'CLASSIFICATION' && first.objects > 0 && `, with ${plural(first.objects, 'object')}`}.</p>
			<Classes first={first} />
			<p class="muted">So many of each are trained on; the others measure.</p>
			<fieldset class="choices">
				<legend class="field-name">Which kind</legend>
				{first.choices.map((c) => (
					<label key={c.arch} class={c.arch === arch ? 'choice is-on' : 'choice'}>
						<input class="unseen" type="radio" name="first-model" checked={c.arch === arch} autoFocus={c.arch === arch} onChange={() => setArch(c.arch)} />
						<span><strong>{c.title}</strong><small>{HELP[c.title] ?? c.arch}</small></span>
						<span class="choice-end"><strong>{minutesWords(c.minutes)}</strong>{c.input && <small class="muted">sees {c.input[0]} × {c.input[1]} pixels</small>}</span>
					</label>
				))}
			</fieldset>
			<div class="field"><span class="field-name">How the images are split</span><Split split={first.split} /></div>
			<Warnings warnings={first.warnings} />
			<label class="field">Name of the model<input class="input" value={name} maxLength={100} autoComplete="off" spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} /></label>
		</Confirm>
	);
}

export function FirstModelDialog({ version, onClose }: { version: DatasetVersion; onClose: () => void }): JSX.Element {
	const first = useLoad(`first model of ${version.id} ${version.revision}`, (signal) => loopApi.firstModel(version.id, signal));
	if (first.data?.can) return <Form version={version} first={first.data} onClose={onClose} />;
	return (
		<Dialog title="Train a first model" onClose={onClose}>
			<div class="dialog-text first-none">
				{first.error !== null && <Failure error={first.error} what="Whether a model can be trained could not be asked" onRetry={first.reload} />}
				{first.loading && !first.data && <><Skeleton width="80%" /><br /><Skeleton width="100%" height={56} /></>}
				{first.data && (
					<div class="notice warn"><Icon name="warning" /><div><strong>It cannot be trained yet</strong><p>{first.data.reason}</p></div></div>
				)}
				<Warnings warnings={first.data?.warnings ?? []} />
				{first.data?.labelled === 0 && <p class="row-actions"><a class="button primary" href={`/dataset/version/${version.id}/annotate`}><Icon name="edit" /><span>Label images</span></a></p>}
			</div>
		</Dialog>
	);
}
