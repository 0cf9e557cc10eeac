// SPDX-License-Identifier: Apache-2.0
// Settings, Alerts: what one wants to be told of, and where it is sent.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { session } from '../api/session';
import { tell, watch, type Alert, type AlertChange } from '../api/watch';
import type { Deployment } from '../api/types';
import { ALERT_KINDS, conditionWords, kindOf, newestEvents, OPERATORS, operatorWords, valueProblem, WINDOWS, windowWords } from '../lib/alerts';
import { sentence } from '../lib/explain';
import { plural } from '../lib/format';
import { useAlerts, CloseAlert } from './alerts_card';
import { Button, Failure, Skeleton, Time } from './basics';
import { Confirm } from './dialog';
import { say } from './toasts';
import { WebhookSettings } from './webhook_settings';

type Fields = Required<Pick<Alert, 'operator' | 'value' | 'window_s' | 'images_min' | 'label'>>;

/** The controls of one condition. Numbers are saved when one leaves them, choices at once. */
function Condition({ alert, labels, onChange }: { alert: Pick<Alert, 'kind' | 'title' | 'unit'> & Fields; labels: readonly string[]; onChange: (change: AlertChange) => void }): JSX.Element {
	const [text, setText] = useState(String(alert.value));
	/** What was sent last: leaving the field after Enter sends nothing twice. */
	const sent = useRef(alert.value);
	useEffect(() => {
		sent.current = alert.value;
		setText(String(alert.value));
	}, [alert.value]);
	const kind = kindOf(alert.kind);
	const problem = valueProblem(text, alert.unit);
	if (alert.window_s === 0 && !kind?.windowed) return <span class="muted">as soon as it is found</span>;
	const name = alert.title;
	const commit = (): void => {
		if (problem || Number(text) === sent.current) return;
		sent.current = Number(text);
		onChange({ value: sent.current });
	};
	return (
		<span class="condition">
			<select class="input" aria-label={`${name}: operator`} value={alert.operator} onChange={(event) => onChange({ operator: event.currentTarget.value })}>
				{OPERATORS.map((o) => <option key={o} value={o}>{operatorWords(o)}</option>)}
			</select>
			<span class="condition-value">
				<input class="input" inputMode="decimal" aria-label={`${name}: value`} value={text} aria-invalid={problem !== null} title={problem ?? undefined} onInput={(event) => setText(event.currentTarget.value)}
					onBlur={commit} onKeyDown={(event) => event.key === 'Enter' && (event.preventDefault(), commit())} />
				{alert.unit && <span class="muted">{alert.unit}</span>}
			</span>
			<label class="condition-window"><span class="muted">over</span>
				<select class="input" aria-label={`${name}: window`} value={String(alert.window_s)} onChange={(event) => onChange({ window_s: Number(event.currentTarget.value) })}>
					{[...new Set<number>([...WINDOWS, alert.window_s])].sort((a, b) => a - b).map((s) => <option key={s} value={String(s)}>{windowWords(s)}</option>)}
				</select>
			</label>
			{(kind?.labelled || alert.label) && (
				<select class="input" aria-label={`${name}: label`} value={alert.label ?? ''} onChange={(event) => onChange({ label: event.currentTarget.value || null })}>
					<option value="">all labels</option>
					{[...new Set([...labels, ...(alert.label ? [alert.label] : [])])].map((l) => <option key={l} value={l}>{l}</option>)}
				</select>
			)}
		</span>
	);
}

function Row({ alert, deployment, onDelete }: { alert: Alert; deployment: Deployment; onDelete: () => void }): JSX.Element {
	// One change after the other, in the order they were made.
	const before = useRef<Promise<unknown>>(Promise.resolve());
	const change = (fields: AlertChange): void => {
		before.current = before.current.then(() => watch.changeAlert(alert.id, fields))
			.catch((error: unknown) => say('bad', `Not changed. ${sentence(error)}`)).then(() => tell('alerts'));
	};
	const { open } = alert;
	return (
		<tr class={alert.active ? undefined : 'is-off'}>
			<td><label class="switch" title={alert.active ? 'On' : 'Off'}><input type="checkbox" role="switch" aria-label={`${alert.title}, ${conditionWords(alert)}`} checked={alert.active} onChange={() => change({ active: !alert.active })} /></label></td>
			<th scope="row" title={alert.help}>
				<strong>{alert.title}</strong>
				<small>{alert.supervised ? 'of reviewed images' : alert.budget ?? ''}</small>
			</th>
			<td data-label="Condition"><Condition alert={alert} labels={deployment.labels} onChange={change} /></td>
			<td class="fired">{open ? <span class="pill bad" title={open.sentence}>open</span> : <span class="muted"><Time at={alert.last_fired_at} /></span>}</td>
			<td class="action"><button type="button" class="bare" aria-label={`Delete the alert ${alert.title}, ${conditionWords(alert)}`} title="Delete" onClick={onDelete}>×</button></td>
		</tr>
	);
}

function Add({ deployment, onDone }: { deployment: Deployment; onDone: () => void }): JSX.Element {
	const [name, setName] = useState(ALERT_KINDS[0]?.kind ?? '');
	const fresh = (of: string): Fields => {
		const k = kindOf(of);
		return { operator: k?.operator ?? '>', value: k?.value ?? 0, window_s: k?.window_s ?? 900, images_min: k?.images_min ?? 20, label: null };
	};
	const [fields, setFields] = useState<Fields>(() => fresh(name));
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<string | null>(null);
	const kind = kindOf(name);
	const submit = async (event: Event): Promise<void> => {
		event.preventDefault();
		setBusy(true);
		setError(null);
		try {
			const windowed = kind?.windowed ?? true;
			await watch.addAlert(deployment.id, { kind: name, operator: fields.operator, value: fields.value, ...(windowed ? { window_s: fields.window_s, images_min: fields.images_min } : {}), ...(fields.label ? { label: fields.label } : {}), active: true });
			say('ok', `${kind?.title ?? name} is watched.`);
			tell('alerts');
			onDone();
		} catch (failure) {
			setError(sentence(failure));
			setBusy(false);
		}
	};
	return (
		<form class="alert-add" onSubmit={submit} aria-label="New alert">
			<label class="field">Alert when
				<select class="input" value={name} onChange={(event) => {
					setName(event.currentTarget.value);
					setFields(fresh(event.currentTarget.value));
				}}>{ALERT_KINDS.map((k) => <option key={k.kind} value={k.kind}>{k.title}</option>)}</select>
			</label>
			<Condition key={name} alert={{ kind: name, title: 'New alert', unit: kind?.unit ?? '', ...fields, window_s: kind?.windowed ? fields.window_s : 0 }} labels={deployment.labels} onChange={(change) => setFields((now) => ({ ...now, ...change }) as Fields)} />
			{kind?.windowed && (
				<label class="condition-window"><span class="muted">from</span>
					<input class="input" type="number" min={1} max={100000} aria-label="New alert: images at least" value={fields.images_min} onInput={(event) => {
						const images = Math.max(1, Number(event.currentTarget.value) || 1);
						setFields((now) => ({ ...now, images_min: images }));
					}} />
					<span class="muted">images on</span>
				</label>
			)}
			<span class="row-actions"><Button type="submit" kind="primary" busy={busy}>Add</Button><Button onClick={onDone}>Cancel</Button></span>
			{error && <p class="form-error" role="alert">{error}</p>}
		</form>
	);
}

function Fired({ deployment }: { deployment: Deployment }): JSX.Element | null {
	const { data } = useAlerts(deployment.id);
	const events = newestEvents(data?.events ?? []).slice(0, 20);
	if (events.length === 0) return null;
	return (
		<section class="panel padded" aria-label="What fired">
			<h2>What fired</h2>
			<ul class="alert-list wide">
				{events.map((e) => (
					<li key={e.id} class={e.closed_at === null ? 'is-open' : undefined}>
						<p>{e.sentence}</p>
						<p class={e.closed_at === null ? 'muted alert-foot' : 'muted'}><Time at={e.opened_at} />{e.closed_at === null ? <CloseAlert event={e} /> : <>, closed by {e.closed_by ?? 'gyre'} <Time at={e.closed_at} /></>}</p>
					</li>
				))}
			</ul>
		</section>
	);
}

export function AlertSettings({ deployment }: { deployment: Deployment }): JSX.Element {
	const alerts = useAlerts(deployment.id);
	const [adding, setAdding] = useState(false);
	const [leaving, setLeaving] = useState<Alert | null>(null);
	const items = alerts.data?.items ?? [];
	const active = items.filter((a) => a.active).length;
	const open = items.filter((a) => a.open).length;
	const admin = session.get()?.role !== 'MEMBER';
	return (
		<div class="settings">
			<section class="panel padded loop-state" aria-label="Alerts">
				<div class="row-head">
					<h2>Alerts {alerts.data && <span class={`pill ${open > 0 ? 'bad' : active > 0 ? 'ok' : 'plain'}`}>{open > 0 ? `${open} open` : active > 0 ? `${active} on` : 'off'}</span>}</h2>
					<Button icon="plus" onClick={() => setAdding(true)} disabled={adding}>Add an alert</Button>
				</div>
				<p>You are told on the dashboard, and by webhook, when one of these holds; it closes by itself when it holds no more.</p>
				{alerts.error !== null && <Failure error={alerts.error} what="The alerts could not be read" onRetry={alerts.reload} />}
				{!alerts.data && alerts.loading && <Skeleton width="100%" height={120} />}
				{adding && <Add deployment={deployment} onDone={() => setAdding(false)} />}
				{alerts.data && items.length === 0 && !adding && <p class="muted">None: nobody is told when something goes wrong.</p>}
				{items.length > 0 && (
					<table class="table alert-table">
						<thead><tr><th><span class="unseen">On or off</span></th><th>What</th><th>Condition</th><th>Fired</th><th><span class="unseen">Delete</span></th></tr></thead>
						<tbody>{items.map((alert) => <Row key={alert.id} alert={alert} deployment={deployment} onDelete={() => setLeaving(alert)} />)}</tbody>
					</table>
				)}
				{alerts.data && <p class="loop-next">Next: {open > 0 ? <a href={`/deployment/${deployment.id}`}>look at what is open</a> : active === 0 ? <strong>switch one on</strong> : admin ? <strong>have them sent where you look, by a webhook</strong> : <strong>nothing, {plural(active, 'condition is', 'conditions are')} watched</strong>}.</p>}
			</section>
			<Fired deployment={deployment} />
			{admin && <WebhookSettings />}
			{leaving && (
				<Confirm title={`Delete the alert ${leaving.title}?`} action="Delete" danger onClose={() => setLeaving(null)} run={async () => {
					await watch.deleteAlert(leaving.id);
					tell('alerts');
					setLeaving(null);
				}}>
					<p>Nobody is told any more when it is {conditionWords(leaving)}. What it fired so far goes with it. To keep that, switch it off instead.</p>
				</Confirm>
			)}
		</div>
	);
}
