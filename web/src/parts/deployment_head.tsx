// SPDX-License-Identifier: Apache-2.0
// A deployment's name (click to rename), state, threshold and id; the way to its other pages.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Deployment } from '../api/types';
import { sentence } from '../lib/explain';
import { score, taskName } from '../lib/format';
import type { Connection } from '../lib/live';
import { stages, type Parts } from '../lib/one_thing';
import { Button, Copy, LiveBadge, StatusPill } from './basics';
import { Icon } from './icons';
import { say } from './toasts';

function Name({ deployment, onChanged }: { deployment: Deployment; onChanged: (d: Deployment) => void }): JSX.Element {
	const [draft, setDraft] = useState<string | null>(null);
	const [error, setError] = useState<string | null>(null);
	const input = useRef<HTMLInputElement>(null);
	const button = useRef<HTMLButtonElement>(null);
	const editing = draft !== null;
	useEffect(() => {
		if (editing) input.current?.select();
	}, [editing]);
	const stop = (): void => {
		setDraft(null);
		setError(null);
		requestAnimationFrame(() => button.current?.focus());
	};
	const save = async (event: Event): Promise<void> => {
		event.preventDefault();
		const name = (draft ?? '').trim();
		if (name === deployment.name) return stop();
		if (!name) return setError('A deployment needs a name.');
		try {
			onChanged(await api.updateDeployment(deployment.id, { name }));
			say('ok', `Renamed to ${name}.`);
			return stop();
		} catch (failure) {
			return setError(sentence(failure));
		}
	};
	if (draft === null) {
		return (
			<h1 class="editable">
				{deployment.name}
				<button ref={button} type="button" class="bare" aria-label={`Rename ${deployment.name}`} title="Rename" onClick={() => setDraft(deployment.name)}><Icon name="edit" size={15} /></button>
			</h1>
		);
	}
	return (
		<form class="rename" onSubmit={save} onKeyDown={(event) => event.key === 'Escape' && stop()}>
			<input ref={input} class="input" aria-label="Name" maxLength={100} value={draft} aria-invalid={error !== null}
				onInput={(event) => setDraft(event.currentTarget.value)} />
			<Button type="submit" kind="primary">Rename</Button>
			<Button onClick={stop}>Cancel</Button>
			{error !== null && <p class="form-error" role="alert">{error}</p>}
		</form>
	);
}

const TABS = [['', 'Dashboard'], ['predictions', 'Predictions'], ['settings', 'Settings'], ['history', 'History']] as const;

/** The parts of the loop, in order: off, on, working, or a problem. */
function Pipeline({ deployment, parts }: { deployment: string; parts: Parts }): JSX.Element {
	return (
		<ol class="pipeline" aria-label="Pipeline">
			{stages(deployment, parts).map(({ name, word, tone, href, title }) => <li key={name}><a class={`pipeline-badge ${tone}`} href={href} title={title}>{name} <strong>{word}</strong></a></li>)}
		</ol>
	);
}

export function DeploymentHead({ deployment, tab, connection, parts, onChanged }: {
	deployment: Deployment;
	tab: string;
	connection: Connection;
	parts: Parts;
	onChanged: (deployment: Deployment) => void;
}): JSX.Element {
	const home = `/deployment/${deployment.id}`;
	return (
		<>
			<header class="page-head deployment-head">
				<div>
					<nav class="trail" aria-label="Trail"><a href="/">Deployments</a></nav>
					<Name deployment={deployment} onChanged={onChanged} />
					<p class="head-facts">
						<StatusPill status={deployment.status} title={deployment.status_text} />
						<span>{taskName(deployment.type)}</span>
						<span>threshold <strong>{score(deployment.min_threshold)}</strong></span>
						<Copy text={deployment.id} what="deployment id"><code>{deployment.id.slice(0, 8)}</code></Copy>
					</p>
				</div>
				<div class="head-actions">
					<LiveBadge connection={connection} />
					<a class="button" href={`${home}/review`}><Icon name="review" /><span>Review</span></a>
				</div>
			</header>
			<Pipeline deployment={deployment.id} parts={parts} />
			<nav class="tabs" aria-label="Of this deployment">
				{TABS.map(([name, label]) => <a key={name} href={name ? `${home}/${name}` : home} aria-current={name === (tab.split('/')[0] ?? '') ? 'page' : undefined}>{label}</a>)}
			</nav>
		</>
	);
}
