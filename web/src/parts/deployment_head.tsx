// SPDX-License-Identifier: Apache-2.0
// A deployment's name (click to rename), state, threshold and id; the way to its other pages.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../api/client';
import type { FeedbackLoop } from '../api/learn';
import type { Deployment } from '../api/types';
import type { TrainingData } from '../api/watch';
import { sentence } from '../lib/explain';
import { loopSentence } from '../lib/feedback';
import { score, taskName } from '../lib/format';
import type { Connection } from '../lib/live';
import { stages } from '../lib/one_thing';
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
function Pipeline({ deployment, loop, training }: { deployment: string; loop: FeedbackLoop | undefined; training: TrainingData | undefined }): JSX.Element {
	return (
		<ol class="pipeline" aria-label="Pipeline">
			{stages(deployment, loop, training, loop ? loopSentence(loop) : '').map(({ name, word, tone, href, title }) => {
				const content = <>{name} <strong>{word}</strong></>;
				return <li key={name}>{href ? <a class={`pipeline-badge ${tone}`} href={href} title={title}>{content}</a> : <span class="pipeline-badge is-later" title={title}>{content}</span>}</li>;
			})}
		</ol>
	);
}

export function DeploymentHead({ deployment, tab, connection, loop, training, onChanged }: {
	deployment: Deployment;
	tab: string;
	connection: Connection;
	/** undefined: not known (yet). */
	loop: FeedbackLoop | undefined;
	training: TrainingData | undefined;
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
			<Pipeline deployment={deployment.id} loop={loop} training={training} />
			<nav class="tabs" aria-label="Of this deployment">
				{TABS.map(([name, label]) => <a key={name} href={name ? `${home}/${name}` : home} aria-current={name === (tab.split('/')[0] ?? '') ? 'page' : undefined}>{label}</a>)}
			</nav>
		</>
	);
}
