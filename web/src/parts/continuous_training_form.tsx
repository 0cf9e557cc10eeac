// SPDX-License-Identifier: Apache-2.0
// The fields of Continuous Training: trigger, data, the version to go on from, hyperparameters, project.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { loopApi, type AttachedDataset, type ContinuousTraining } from '../api/loop';
import { organization } from '../api/session';
import type { Deployment } from '../api/types';
import { aliasHelp, minutesOf, otherParameters, PARAMETERS, parameterProblem, parameterTexts, type Draft, type Parameter } from '../lib/continuous_form';
import { count, duration, plural } from '../lib/format';
import { everyWords } from '../lib/loop';
import { AttachDialog } from './continuous_training_attach';
import { Button, Failure } from './basics';
import { useLoad } from './hooks';
import { Icon } from './icons';
import { lazy } from './lazy';
import { versionWords } from './training_data_source';

const PickVersion = lazy(() => import('./pick_version').then((m) => m.PickVersion));

interface Fields {
	deployment: Deployment;
	ct: ContinuousTraining;
	draft: Draft;
	change: (part: Partial<Draft>) => void;
	problem?: string | undefined;
}

const Problem = ({ text }: { text: string | undefined }): JSX.Element | null => (text ? <p class="form-error" role="alert">{text}</p> : null);

// ---- trigger

const PERIODS = [86_400, 2 * 86_400, 7 * 86_400, 14 * 86_400, 28 * 86_400];

export function TriggerFields({ draft, change, problem }: Fields): JSX.Element {
	const number = (value: string, name: string, set: (text: string) => void, disabled = false): JSX.Element =>
		<input class="input number-input" type="number" inputMode="numeric" min={1} step={1} aria-label={name} value={value} disabled={disabled} onInput={(event) => set(event.currentTarget.value)} />;
	const quick = draft.scheduled || draft.on_drift;
	return (
		<div class="triggers">
			<label class="check"><input type="checkbox" checked={draft.counted} onChange={() => change({ counted: !draft.counted })} />After so many submitted reviews</label>
			{draft.counted && <p class="trigger-more">{number(draft.threshold, 'Submitted reviews that begin a training', (threshold) => change({ threshold }))} reviews since the last training</p>}
			<label class="check"><input type="checkbox" checked={draft.scheduled} onChange={() => change({ scheduled: !draft.scheduled })} />By schedule</label>
			{draft.scheduled && (
				<p class="trigger-more">every
					<select class="input" aria-label="How often" value={String(draft.every_s)} onChange={(event) => change({ every_s: Number(event.currentTarget.value) })}>
						{[...new Set([...PERIODS, draft.every_s])].sort((a, b) => a - b).map((s) => <option key={s} value={String(s)}>{everyWords(s)}</option>)}
					</select>
				</p>
			)}
			<label class="check"><input type="checkbox" checked={draft.on_drift} onChange={() => change({ on_drift: !draft.on_drift })} />When drift is told</label>
			{quick && <p class="trigger-more">{draft.scheduled && draft.on_drift ? 'both with' : 'with'} at least {number(draft.drift_images_min, 'New reviews that it needs at least', (drift_images_min) => change({ drift_images_min }))} new reviews</p>}
			<p class="muted">By hand at any time: <em>Train now</em>.</p>
			{!draft.counted && !quick && <p class="warn-text">Nothing begins a training by itself.</p>}
			<Problem text={problem} />
		</div>
	);
}

// ---- data

export function DataField({ deployment, draft, change, problem }: Fields): JSX.Element {
	const [attaching, setAttaching] = useState(false);
	const rows = [...draft.datasets].sort((a, b) => order(a.name) - order(b.name));
	const remove = (gone: AttachedDataset): void => change({ datasets: draft.datasets.filter((d) => d !== gone) });
	const names = new Set(draft.datasets.map((d) => d.name));
	return (
		<>
			{rows.length > 0 && (
				<ul class="targets alias-rows">
					{rows.map((d) => (
						<li key={d.name} class="file-row">
							<span class="badge given" title={aliasHelp(d.name)}>{d.name}</span>
							<a class="file-name" href={`/dataset/version/${d.dataset_version.id}`}>{versionWords(d.dataset_version)}</a>
							<span class="muted">{plural(d.images, 'image')}{d.evaluation > 0 && `, ${count(d.evaluation)} of them only to measure with`}</span>
							<Button kind="quiet" onClick={() => remove(d)} aria-label={`Detach ${versionWords(d.dataset_version)} as ${d.name}`}>Detach</Button>
						</li>
					))}
				</ul>
			)}
			{rows.length === 0 ? <p class="muted">None. The Feedback Loop’s dataset is the usual one, as <strong>train</strong>.</p> : <Problem text={problem} />}
			<p class="row-actions"><Button icon="plus" kind={rows.length === 0 ? 'primary' : 'plain'} onClick={() => setAttaching(true)}>Attach a version…</Button></p>
			{rows.length > 0 && !names.has('test') && <p class="muted">Without <strong>test</strong>, old and new version are measured with the images that are kept to measure with; if they are fewer than a tenth, with a fifth of the images. Those are never trained on.</p>}
			{attaching && <AttachDialog deployment={deployment} datasets={draft.datasets} onClose={() => setAttaching(false)} onChosen={(d) => {
				change({ datasets: [...draft.datasets.filter((o) => o.name !== d.name && o.dataset_version.id !== d.dataset_version.id), d] });
				setAttaching(false);
			}} />}
		</>
	);
}

const ORDER = ['train', 'val', 'test'];
/** Others that are learned from stand beside train. */
const order = (alias: string): number => (ORDER.includes(alias) ? ORDER.indexOf(alias) : 0.5);

// ---- base

export function BaseField({ deployment, draft, change }: Fields): JSX.Element {
	const [picking, setPicking] = useState(false);
	const { champion } = deployment;
	return (
		<>
			<fieldset class="choices">
				<legend class="unseen">Model to retrain</legend>
				<label class={draft.base === null ? 'choice is-on' : 'choice'}>
					<input class="unseen" type="radio" name="ct-base" checked={draft.base === null} onChange={() => change({ base: null, base_name: null })} />
					<span><strong>The champion at that time</strong><small>{champion ? `Now ${champion.model_name}:${champion.version}. Each version goes on from the last one that was good enough to answer.` : 'Whichever answers when a training begins.'}</small></span>
				</label>
				<label class={draft.base !== null ? 'choice is-on' : 'choice'}>
					<input class="unseen" type="radio" name="ct-base" checked={draft.base !== null} onChange={() => setPicking(true)} onClick={() => draft.base !== null && setPicking(true)} />
					<span><strong>{draft.base !== null ? `Always ${draft.base_name ?? 'the chosen version'}` : 'Always a chosen version…'}</strong><small>Each training begins at the same version, with all data so far.</small></span>
				</label>
			</fieldset>
			{picking && (
				<PickVersion title="Model to retrain" action="Retrain this one" deployment={deployment} purpose="train" onClose={() => setPicking(false)} run={async (version) => {
					change({ base: version.id, base_name: `${version.origin.name}:${version.version}` });
					setPicking(false);
				}}>
					<p class="muted pick-note">The result becomes the next version of its model.</p>
				</PickVersion>
			)}
		</>
	);
}

// ---- hyperparameters

function ParameterInput({ parameter, value, onChange }: { parameter: Parameter; value: string; onChange: (text: string) => void }): JSX.Element {
	const { name, title, help, kind, choices } = parameter;
	const wrong = parameterProblem(name, value) !== null;
	const own = <option value="">the trainer’s own</option>;
	return (
		<label class="field" title={help}>{title}
			{kind === 'choice' || kind === 'flag'
				? (
					<select class="input" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
						{own}
						{kind === 'flag' ? <><option value="true">yes</option><option value="false">no</option></> : choices?.map((c) => <option key={c} value={c}>{c}</option>)}
					</select>
				)
				: <input class="input" inputMode="decimal" placeholder="the trainer’s own" value={value} aria-invalid={wrong} onInput={(event) => onChange(event.currentTarget.value)} />}
		</label>
	);
}

export function ParameterFields({ ct, draft, change, problem }: Fields): JSX.Element {
	const [adding, setAdding] = useState('');
	const suggested = parameterTexts(ct.suggestion.parameters);
	const set = (name: string, text: string): void => change({ parameters: { ...draft.parameters, [name]: text } });
	const remove = (name: string): void => change({ parameters: Object.fromEntries(Object.entries(draft.parameters).filter(([n]) => n !== name)) });
	const filled = (all: Record<string, string>): string => JSON.stringify(Object.entries(all).filter(([, v]) => v.trim()).sort());
	const same = filled(draft.parameters) === filled(suggested);
	const minutes = minutesOf(ct.suggestion, draft.parameters);
	const input = (p: Parameter): JSX.Element => <ParameterInput key={p.name} parameter={p} value={draft.parameters[p.name] ?? ''} onChange={(text) => set(p.name, text)} />;
	const others = otherParameters(draft.parameters);
	return (
		<>
			<div class="parameter-grid">{PARAMETERS.filter((p) => p.first).map(input)}</div>
			<details class="fold">
				<summary>More</summary>
				<div class="parameter-grid">{PARAMETERS.filter((p) => !p.first).map(input)}</div>
				{others.length > 0 && <p class="muted parameter-note">Others, passed on as they are:</p>}
				{others.map((name) => (
					<div key={name} class="field-row parameter-row">
						<label class="unseen" for={`ct-${name}`}>{name}</label>
						<code>{name}</code>
						<input id={`ct-${name}`} class="input" value={draft.parameters[name] ?? ''} onInput={(event) => set(name, event.currentTarget.value)} />
						<button type="button" class="bare" aria-label={`Remove ${name}`} onClick={() => remove(name)}><Icon name="close" size={13} /></button>
					</div>
				))}
				<form class="field-row parameter-row" onSubmit={(event) => {
					event.preventDefault();
					if (adding.trim() && !(adding.trim() in draft.parameters)) set(adding.trim(), '');
					setAdding('');
				}}>
					<input class="input" aria-label="Name of another parameter" placeholder="name of another" value={adding} onInput={(event) => setAdding(event.currentTarget.value)} />
					<Button type="submit" disabled={!adding.trim()}>Add</Button>
				</form>
			</details>
			<Problem text={problem} />
			<p class="row-actions">
				<Button kind="quiet" disabled={same} onClick={() => change({ parameters: suggested })}>Reset</Button>
				<span class="muted">{!same ? 'Changed from what is suggested.' : filled(suggested) === '[]' ? 'All of it is left to the trainer.' : 'As the champion was trained, as far as is known.'}{minutes !== null && ` A training takes about ${duration(60 * minutes)}.`}</span>
			</p>
		</>
	);
}

// ---- project

export function ProjectField({ ct, draft, change, problem }: Fields): JSX.Element {
	const projects = useLoad(`projects to choose ${ct.project?.id ?? ''}`, (signal) => loopApi.projects(organization(), 1000, 0, signal));
	const items = projects.data?.items ?? [];
	return (
		<>
			{projects.error !== null && <Failure error={projects.error} what="The projects could not be read" onRetry={projects.reload} />}
			<div class="field-row project-row">
				<select class="input" aria-label="Project" value={draft.project_id ?? ''} onChange={(event) => change({ project_id: event.currentTarget.value || null })}>
					<option value="">A new project</option>
					{items.map((p) => <option key={p.id} value={p.id}>{p.name}</option>)}
					{draft.project_id !== null && !items.some((p) => p.id === draft.project_id) && <option value={draft.project_id}>{ct.project?.id === draft.project_id ? ct.project.name : 'a project that is not listed'}</option>}
				</select>
				{draft.project_id === null && <input class="input" aria-label="Name of the new project" placeholder="its name" maxLength={100} value={draft.project_name} onInput={(event) => change({ project_name: event.currentTarget.value })} />}
			</div>
			<Problem text={problem} />
		</>
	);
}
