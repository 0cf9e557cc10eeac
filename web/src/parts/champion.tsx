// SPDX-License-Identifier: Apache-2.0
// The card of what answers now, and the three things one may do to it.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Deployment } from '../api/types';
import { sentence } from '../lib/explain';
import { championBefore, championLine } from '../lib/history';
import { Button, Time } from './basics';
import { Confirm } from './dialog';
import { lazy } from './lazy';
import { say } from './toasts';
import type { History } from './use_history';

const PickVersion = lazy(() => import('./pick_version').then((m) => m.PickVersion));

interface Acting {
	deployment: Deployment;
	onChanged: (deployment: Deployment) => void;
}

export function ResumeButton({ deployment, onChanged, kind }: Acting & { kind: 'primary' | 'plain' }): JSX.Element {
	const [busy, setBusy] = useState(false);
	const resume = async (): Promise<void> => {
		setBusy(true);
		try {
			onChanged(await api.resume(deployment.id));
			say('ok', `${deployment.name} answers again.`);
		} catch (error) {
			say('bad', `Not resumed. ${sentence(error)}`);
		}
		setBusy(false);
	};
	return <Button icon={kind === 'primary' ? 'play' : undefined} kind={kind} busy={busy} onClick={resume}>Resume</Button>;
}

export function PauseButton({ deployment, onChanged }: Acting): JSX.Element {
	const [asking, setAsking] = useState(false);
	const close = (): void => setAsking(false);
	return (
		<>
			<Button disabled={deployment.status !== 'SERVING'} onClick={() => setAsking(true)}>Pause</Button>
			{asking && (
				<Confirm title={`Pause ${deployment.name}?`} action="Pause" onClose={close} run={async () => {
					onChanged(await api.pause(deployment.id));
					say('ok', `${deployment.name} is paused.`);
					close();
				}}>
					<p>Every picture sent to it is refused with status 503, with your name and the time, until someone resumes it.</p>
					<p class="muted">What was predicted so far stays. The model stays loaded, so that it resumes at once.</p>
				</Confirm>
			)}
		</>
	);
}

export function ChampionCard({ deployment, history, onChanged }: Acting & { history: History }): JSX.Element {
	const [asking, setAsking] = useState<'swap' | 'back' | null>(null);
	const { champion } = deployment;
	const back = championBefore(history.items);
	const rule = championLine(history.items);
	const backName = (back && history.names.get(back)) ?? 'the version before it';
	const external = deployment.status === 'EXTERNAL';
	const close = (): void => setAsking(null);
	return (
		<section class="panel card" aria-label="Champion">
			<header class="card-head"><h2>Champion</h2></header>
			{champion ? (
				<>
					<p class="card-main"><a href={`/model/${champion.model_id}?version=${champion.version}`}>{champion.model_name}<span class="muted">:{champion.version}</span></a></p>
					<p class="muted">{rule?.by === 'gyre' ? 'by itself' : rule?.what === 'promoted' ? 'promoted' : rule?.what === 'rolled_back' ? 'answers again' : 'deployed'} <Time at={champion.since} />{rule?.by && rule.by !== 'gyre' && `, by ${rule.by}`}</p>
					{rule?.why && <p class="muted card-why">{rule.why}</p>}
				</>
			) : <p class="muted">No model answers here.</p>}
			<div class="card-foot">
				{deployment.status === 'PAUSED'
					? <ResumeButton deployment={deployment} onChanged={onChanged} kind="plain" />
					: !external && <PauseButton deployment={deployment} onChanged={onChanged} />}
				<Button onClick={() => setAsking('swap')}>Swap…</Button>
				<Button disabled={back === null} onClick={() => setAsking('back')}
					title={back ? `Let ${backName} answer again.` : 'There was no other champion before this one.'}>Go back</Button>
			</div>
			{asking === 'swap' && (
				<PickVersion title="Swap the champion" action="Let it answer" deployment={deployment} onClose={close} run={async (version) => {
					onChanged(await api.setChampion(deployment.id, version.id));
					say('ok', `${version.origin.name}:${version.version} answers now.`);
					close();
				}}>
					<p class="muted pick-note">It is loaded and warmed first, then takes over between two pictures: no request fails. History has a line to go back by.</p>
				</PickVersion>
			)}
			{asking === 'back' && (
				<Confirm title={`Go back to ${backName}?`} action="Go back" onClose={close} run={async () => {
					const after = await api.rollback(deployment.id);
					onChanged(after);
					say('ok', after.champion ? `${after.champion.model_name}:${after.champion.version} answers again.` : 'Went back.');
					close();
				}}>
					<p>{champion && <><strong>{champion.model_name}:{champion.version}</strong> stops answering and </>}{backName} takes over. It is loaded and warmed first; no request fails.</p>
				</Confirm>
			)}
		</section>
	);
}
