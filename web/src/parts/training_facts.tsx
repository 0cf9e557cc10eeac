// SPDX-License-Identifier: Apache-2.0
// What a training was made of: base, snapshots with their counts, parameters; and what goes on from it.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import type { ExperimentLog, Training } from '../api/loop';
import type { ModelVersion } from '../api/types';
import { sentence } from '../lib/explain';
import { count, exact } from '../lib/format';
import { DECISION, isOpen, nextWords, parameterRows } from '../lib/training';
import { Button, Time } from './basics';
import { Icon } from './icons';
import { lazy } from './lazy';
import { say } from './toasts';
import { VersionLink } from './training_verdict';

const DeployDialog = lazy(() => import('./deploy_dialog').then((m) => m.DeployDialog));

const ALIAS: Record<string, string> = { train: 'To train on', val: 'To choose the best epoch by', test: 'To measure with' };

export function MadeOf({ training, logs }: { training: Training; logs: readonly ExperimentLog[] }): JSX.Element {
	const parameters = parameterRows(logs);
	return (
		<section class="panel padded made-of" aria-label="Made of">
			<h2>Made of</h2>
			<dl class="facts">
				<div><dt>Began with</dt><dd>{training.base ? <VersionLink version={training.base} /> : <>a new model{training.arch && <> (<code>{training.arch}</code>)</>}</>}</dd></div>
				{training.datasets.map((d) => (
					<div key={`${d.alias} ${d.dataset_version_id}`}>
						<dt>{ALIAS[d.alias] ?? `To train on, too (${d.alias})`}</dt>
						<dd><a href={`/dataset/version/${d.dataset_version_id}`}>{d.dataset} {d.version}</a><small class="muted"> {count(d.images)} images{d.evaluation > 0 && d.alias !== 'test' && `, ${count(d.evaluation)} kept to measure with`}, revision {d.revision}</small></dd>
					</div>
				))}
				<div><dt>Trainer</dt><dd>{training.trainer}</dd></div>
				<div><dt>Began</dt><dd title={exact(training.created_at)}><Time at={training.created_at} /></dd></div>
			</dl>
			{parameters.length > 0 && (
				<details class="fold"><summary>Parameters ({parameters.length})</summary><dl class="facts parameters">{parameters.map(([key, value]) => <div key={key}><dt>{key}</dt><dd>{value}</dd></div>)}</dl></details>
			)}
		</section>
	);
}

function DeployButton({ versionId, kind }: { versionId: string; kind: 'primary' | 'plain' }): JSX.Element {
	const [version, setVersion] = useState<ModelVersion | null>(null);
	const [busy, setBusy] = useState(false);
	const open = async (): Promise<void> => {
		setBusy(true);
		try {
			setVersion(await api.modelVersion(versionId));
		} catch (error) {
			say('bad', sentence(error));
		}
		setBusy(false);
	};
	return (
		<>
			<Button kind={kind} icon="deploy" busy={busy} onClick={() => void open()}>Deploy…</Button>
			{version && <DeployDialog version={version} onConfirmed={setVersion} onClose={() => setVersion(null)} />}
		</>
	);
}

/** What happens next, and why. */
export function WhatNext({ training }: { training: Training }): JSX.Element {
	const { candidate, decision, deployment } = training;
	const told = decision ? DECISION[decision.what] : null;
	return (
		<section class="panel padded what-next" aria-label="What happens next">
			<header class="row-head"><h2>What happens next {told && <span class={`pill ${told.tone}`}>{told.word}</span>}</h2>{decision && <span class="muted"><Time at={decision.at} /></span>}</header>
			<p>{nextWords(training)}</p>
			<p class="row-actions">
				{candidate && !deployment && <DeployButton versionId={candidate.model_version_id} kind="primary" />}
				{deployment && <a class="button" href={`/deployment/${deployment.id}`}><Icon name="deployments" /><span>{deployment.name}</span></a>}
				{candidate && <a class="button" href={`/model/${candidate.model_id}?version=${candidate.version}`}><Icon name="models" /><span>{candidate.model}:{candidate.version}</span></a>}
				{candidate && deployment && <DeployButton versionId={candidate.model_version_id} kind="plain" />}
			</p>
			{!candidate && !isOpen(training) && <p class="muted">No version came of it.</p>}
		</section>
	);
}
