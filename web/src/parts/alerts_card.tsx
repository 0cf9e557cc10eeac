// SPDX-License-Identifier: Apache-2.0
// The card of alerts: what is open, in a sentence each; what was; the way to their settings.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { tell, told, watch, type AlertEvent, type Alerts } from '../api/watch';
import type { Deployment } from '../api/types';
import { newestEvents, openEvents } from '../lib/alerts';
import { sentence } from '../lib/explain';
import { plural } from '../lib/format';
import { Button, Failure, Skeleton, Time } from './basics';
import { useLoad, useStore, type Loaded } from './hooks';
import { say } from './toasts';

/** A deployment's alerts, read anew when one opens or closes. */
export function useAlerts(deployment: string): Loaded<Alerts> {
	const alerts = useLoad(`alerts ${deployment}`, (signal) => watch.alerts(deployment, signal));
	const changed = useStore(told.alerts);
	useEffect(() => {
		if (changed > 0) alerts.reload();
	}, [changed]);
	return alerts;
}

export function CloseAlert({ event }: { event: AlertEvent }): JSX.Element {
	const [busy, setBusy] = useState(false);
	const close = async (): Promise<void> => {
		setBusy(true);
		try {
			await watch.closeAlert(event.id);
			tell('alerts');
		} catch (error) {
			say('bad', `Not closed. ${sentence(error)}`);
		}
		setBusy(false);
	};
	return <Button kind="quiet" busy={busy} aria-label={`Close: ${event.sentence}`} onClick={close}>Close</Button>;
}

const OPEN_SHOWN = 3;
const PAST_SHOWN = 2;

function Events({ alerts }: { alerts: Alerts }): JSX.Element {
	const open = openEvents(alerts.events);
	const past = newestEvents(alerts.events).filter((e) => e.closed_at !== null);
	const active = alerts.items.filter((a) => a.active).length;
	return (
		<>
			{open.length === 0 && <p class="card-main alerts-none">{active > 0 ? 'None open' : 'Off'}</p>}
			{open.length === 0 && <p class="muted">{active > 0 ? `${plural(active, 'condition is', 'conditions are')} watched.` : 'Nobody is told when something goes wrong.'}</p>}
			<ul class="alert-list">
				{open.slice(0, OPEN_SHOWN).map((e) => (
					<li key={e.id} class="is-open">
						<p title={e.sentence}>{e.sentence}</p>
						<p class="muted alert-foot"><Time at={e.opened_at} /><CloseAlert event={e} /></p>
					</li>
				))}
			</ul>
			{open.length > OPEN_SHOWN && <p class="muted">and {plural(open.length - OPEN_SHOWN, 'more', 'more')}</p>}
			{past.length > 0 && open.length < OPEN_SHOWN && (
				<ul class="alert-list" aria-label="Closed">
					{past.slice(0, PAST_SHOWN).map((e) => <li key={e.id} title={`${e.sentence} Closed by ${e.closed_by ?? 'gyre'}.`}><p class="muted"><span class="alert-past">{e.title}</span> <Time at={e.opened_at} />, closed</p></li>)}
				</ul>
			)}
		</>
	);
}

export function AlertsCard({ deployment }: { deployment: Deployment }): JSX.Element {
	const { data, error, loading, reload } = useAlerts(deployment.id);
	const open = data ? openEvents(data.events).length : 0;
	return (
		<section class={open > 0 ? 'panel card alerts-card has-open' : 'panel card alerts-card'} aria-label="Alerts">
			<header class="card-head">
				<h2>Alerts{open > 0 && <span class="count">{open} open</span>}</h2>
				<a class="button quiet" href={`/deployment/${deployment.id}/settings/alerts`}>Conditions</a>
			</header>
			{!data && error !== null && <Failure error={error} what="The alerts could not be read" onRetry={reload} />}
			{!data && loading && <Skeleton width="60%" />}
			{data && <Events alerts={data} />}
		</section>
	);
}
