// SPDX-License-Identifier: Apache-2.0
// Webhooks of the organization: where alerts are sent, signed; a test; how the last ones went.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { organization } from '../api/session';
import { watch, type Webhook } from '../api/watch';
import { addressProblem, deliveryWords } from '../lib/alerts';
import { sentence } from '../lib/explain';
import { plural } from '../lib/format';
import { Button, Copy, Failure, Skeleton, Time } from './basics';
import { Confirm } from './dialog';
import { useLoad } from './hooks';
import { Icon } from './icons';
import { say } from './toasts';

/** Shown once, as the server does not tell it again. */
function Secret({ webhook, onClose }: { webhook: Webhook; onClose: () => void }): JSX.Element {
	return (
		<div class="notice plain webhook-secret">
			<Icon name="lock" />
			<div>
				<strong>The secret of {webhook.name}, shown this once</strong>
				<p><Copy text={webhook.secret ?? ''} what="secret"><code>{webhook.secret}</code></Copy></p>
				<p>Each message carries <code>X-Gyre-Signature: t=…,v1=…</code>: v1 is HMAC-SHA256 with this secret over t, a full stop and the body. Check it before you believe a message.</p>
			</div>
			<Button onClick={onClose}>I have it</Button>
		</div>
	);
}

function Deliveries({ webhook }: { webhook: Webhook }): JSX.Element {
	const { data, error, loading, reload } = useLoad(`deliveries ${webhook.id} ${webhook.last_at ?? ''}`, (signal) => watch.deliveries(webhook.id, signal));
	if (error !== null) return <Failure error={error} what="The deliveries could not be read" onRetry={reload} />;
	if (!data) return loading ? <Skeleton width="60%" /> : <p />;
	if (data.items.length === 0) return <p class="muted">Nothing was sent yet.</p>;
	return (
		<ul class="deliveries" aria-label={`Last deliveries to ${webhook.name}`}>
			{data.items.slice(0, 10).map((d) => {
				const { word, tone } = deliveryWords(d);
				return (
					<li key={d.id}>
						<span class={`pill ${tone}`}>{word}</span>
						<span>{d.event ?? (d.event_id ? 'alert' : 'test')}</span>
						<span class="muted">{d.http_status ? `status ${d.http_status}` : d.error}{d.attempts > 1 && `, ${plural(d.attempts, 'attempt')}`}</span>
						<span class="muted"><Time at={d.created_at} /></span>
					</li>
				);
			})}
		</ul>
	);
}

function Row({ webhook, reload }: { webhook: Webhook; reload: () => void }): JSX.Element {
	const [busy, setBusy] = useState(false);
	const [open, setOpen] = useState(false);
	const [leaving, setLeaving] = useState(false);
	const run = async (what: () => Promise<void>): Promise<void> => {
		setBusy(true);
		try {
			await what();
		} catch (error) {
			say('bad', sentence(error));
		}
		setBusy(false);
		reload();
	};
	const test = (): Promise<void> => run(async () => {
		const { delivered, http_status, error } = await watch.testWebhook(webhook.id);
		say(delivered ? 'ok' : 'bad', delivered ? `${webhook.name} took the test message.` : `Not delivered: ${error ?? `${webhook.name} answered ${http_status ?? 'nothing'}`}`);
		setOpen(true);
	});
	return (
		<li class="webhook">
			<div class="file-row">
				<label class="switch"><input type="checkbox" role="switch" aria-label={`${webhook.name} is sent alerts`} checked={webhook.active} disabled={busy} onChange={() => run(async () => void await watch.changeWebhook(webhook.id, { active: !webhook.active }))} /></label>
				<span class="file-name">{webhook.name} <span class="muted">{webhook.url}</span></span>
				{webhook.last_error && <span class="badge guessed" title={webhook.last_error}>last one failed</span>}
				<Button busy={busy} onClick={test} aria-label={`Test ${webhook.name}`}>Test</Button>
				<Button kind="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>Deliveries</Button>
				<button type="button" class="bare" aria-label={`Delete ${webhook.name}`} title="Delete" onClick={() => setLeaving(true)}><Icon name="trash" /></button>
			</div>
			{open && <Deliveries webhook={webhook} />}
			{leaving && (
				<Confirm title={`Delete ${webhook.name}?`} action="Delete" danger onClose={() => setLeaving(false)} run={async () => {
					await watch.deleteWebhook(webhook.id);
					setLeaving(false);
					reload();
				}}><p>Nothing more is sent to {webhook.url}. What was to be tried again is dropped.</p></Confirm>
			)}
		</li>
	);
}

function Add({ onDone, onCancel }: { onDone: (webhook: Webhook) => void; onCancel: () => void }): JSX.Element {
	const [name, setName] = useState('');
	const [url, setUrl] = useState('');
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<string | null>(null);
	const submit = async (event: Event): Promise<void> => {
		event.preventDefault();
		const problem = addressProblem(url);
		if (problem) return setError(problem);
		setBusy(true);
		try {
			return onDone(await watch.addWebhook(organization(), { name: name.trim() || new URL(url.trim()).host, url: url.trim(), active: true }));
		} catch (failure) {
			setError(sentence(failure));
			return setBusy(false);
		}
	};
	return (
		<form class="alert-add" onSubmit={submit} aria-label="New webhook">
			<label class="field">Address<input class="input" value={url} placeholder="https://example.org/hook" autoComplete="off" spellcheck={false} aria-invalid={error !== null} onInput={(event) => setUrl(event.currentTarget.value)} /></label>
			<label class="field">Name<input class="input" value={name} maxLength={100} autoComplete="off" onInput={(event) => setName(event.currentTarget.value)} /></label>
			<span class="row-actions"><Button type="submit" kind="primary" busy={busy} disabled={!url.trim()}>Add</Button><Button onClick={onCancel}>Cancel</Button></span>
			{error && <p class="form-error" role="alert">{error}</p>}
		</form>
	);
}

export function WebhookSettings(): JSX.Element {
	const webhooks = useLoad('webhooks', (signal) => watch.webhooks(organization(), signal));
	const [adding, setAdding] = useState(false);
	const [made, setMade] = useState<Webhook | null>(null);
	const items = webhooks.data?.items ?? [];
	return (
		<section class="panel setting" aria-label="Webhooks">
			<div><h2>Webhooks</h2><p class="muted">Alerts of all deployments are sent there as JSON, signed, and tried again for a day and a half when nobody answers.</p></div>
			<div class="webhooks">
				{webhooks.error !== null && <Failure error={webhooks.error} what="The webhooks could not be read" onRetry={webhooks.reload} />}
				{!webhooks.data && webhooks.loading && <Skeleton width="100%" height={40} />}
				{webhooks.data && items.length === 0 && !adding && <p class="muted">None: alerts are on the dashboard alone.</p>}
				{items.length > 0 && <ul>{items.map((w) => <Row key={w.id} webhook={w} reload={webhooks.reload} />)}</ul>}
				{made && <Secret webhook={made} onClose={() => setMade(null)} />}
				{adding
					? <Add onCancel={() => setAdding(false)} onDone={(webhook) => {
						setAdding(false);
						setMade(webhook);
						webhooks.reload();
					}} />
					: <p class="row-actions"><Button icon="plus" onClick={() => setAdding(true)}>Add a webhook</Button></p>}
			</div>
		</section>
	);
}
