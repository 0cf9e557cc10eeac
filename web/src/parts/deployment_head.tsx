// SPDX-License-Identifier: Apache-2.0
// A deployment's name (click to rename), state, id and threshold; its history and its end.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Deployment } from '../api/types';
import { sentence } from '../lib/explain';
import { exact, plural, score, taskName } from '../lib/format';
import { historyLine, newestFirst } from '../lib/history';
import type { Connection } from '../lib/live';
import { navigate } from '../router';
import { Button, Copy, LiveBadge, StatusPill, Time } from './basics';
import { Confirm, Dialog } from './dialog';
import { Icon } from './icons';
import { say } from './toasts';
import type { History } from './use_history';

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

function HistoryDialog({ history: { items, names }, onClose }: { history: History; onClose: () => void }): JSX.Element {
	return (
		<Dialog title="History" onClose={onClose}>
			<ol class="history">
				{newestFirst(items).map((item, i) => (
					<li key={i}><span>{historyLine(item, names)}</span><span class="muted" title={exact(item.at)}>{item.by && `${item.by}, `}<Time at={item.at} /></span></li>
				))}
			</ol>
		</Dialog>
	);
}

function DeleteDialog({ deployment, onClose }: { deployment: Deployment; onClose: () => void }): JSX.Element {
	const [typed, setTyped] = useState('');
	return (
		<Confirm title={`Delete ${deployment.name}?`} action="Delete for good" danger disabled={typed !== deployment.name} onClose={onClose}
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
	);
}

export function DeploymentHead({ deployment, connection, history, onChanged }: {
	deployment: Deployment;
	connection: Connection;
	history: History;
	onChanged: (deployment: Deployment) => void;
}): JSX.Element {
	const [open, setOpen] = useState<'history' | 'delete' | null>(null);
	return (
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
				<Button icon="history" onClick={() => setOpen('history')}>History</Button>
				<Button icon="trash" kind="quiet" aria-label={`Delete ${deployment.name}`} title="Delete" onClick={() => setOpen('delete')} />
			</div>
			{open === 'history' && <HistoryDialog history={history} onClose={() => setOpen(null)} />}
			{open === 'delete' && <DeleteDialog deployment={deployment} onClose={() => setOpen(null)} />}
		</header>
	);
}
