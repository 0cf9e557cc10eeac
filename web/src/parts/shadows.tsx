// SPDX-License-Identifier: Apache-2.0
// Versions that answer the same pictures unseen: how far they are, what they cost, and what one may do with them.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import type { ShadowRole, Verdict } from '../api/loop';
import type { Deployment, Shadow } from '../api/types';
import { count, milliseconds, plural } from '../lib/format';
import { dayWords, disagreementsLeft, reviewDisagreements, ROLES, VERDICTS, verdictWords } from '../lib/loop';
import { Button, Segments, Time } from './basics';
import { Confirm } from './dialog';
import { useNow } from './hooks';
import { lazy } from './lazy';
import { say } from './toasts';
import type { Verdicts } from './use_loop';
import { agreementWords, Evidence } from './verdict';

const VerdictDialog = lazy(() => import('./verdict_dialog').then((m) => m.VerdictDialog));
const PickVersion = lazy(() => import('./pick_version').then((m) => m.PickVersion));

interface Acting {
	deployment: Deployment;
	onChanged: (deployment: Deployment) => void;
}

const nameOf = (shadow: Shadow): string => `${shadow.model_name}:${shadow.version}`;

function State({ shadow }: { shadow: Shadow }): JSX.Element {
	const title = shadow.state_text ?? undefined;
	if (shadow.state === 'HELD') return <span class="pill bad" title={title}>Held</span>;
	if (shadow.state === 'PAUSED') return <span class="pill warn" title={title}>Paused</span>;
	return shadow.lag > 0 ? <span class="pill busy" title="Predictions it has still to make.">{count(shadow.lag)} behind</span> : <span class="pill ok">Up to date</span>;
}

/** Only the CPU time can be compared: a shadow runs at low priority, whenever there is room. */
function Cost({ shadow }: { shadow: Shadow }): JSX.Element {
	const { mean_cpu_ms: own, champion_mean_cpu_ms: championMs } = shadow;
	const change = own !== null && championMs ? Math.round((own / championMs - 1) * 100) : null;
	return (
		<dl class="shadow-facts">
			<div>
				<dt>Predictions</dt>
				<dd>{count(shadow.predictions)}</dd>
				{shadow.skipped > 0 && <dd class="beside bad-text" title={shadow.skipped_text ?? undefined}>{count(shadow.skipped)} skipped</dd>}
			</div>
			<div title="Mean CPU time of a run.">
				<dt>CPU a picture</dt>
				<dd>{milliseconds(own)} {change !== null && change !== 0 && <small class={change > 10 ? 'warn-text' : 'muted'}>{change > 0 ? '+' : '−'}{Math.abs(change)} %</small>}</dd>
				{championMs ? <dd class="beside muted">champion {milliseconds(championMs)}</dd> : null}
			</div>
		</dl>
	);
}

function SetShadow({ deployment, onChanged, onClose }: Acting & { onClose: () => void }): JSX.Element {
	const [since, setSince] = useState<'now' | 'start'>('now');
	const past = deployment.stats.inferences;
	return (
		<PickVersion title="Set a shadow" action="Set as shadow" deployment={deployment} onClose={onClose} run={async (version) => {
			onChanged(await api.setShadow(deployment.id, version.id, since));
			say('ok', `${version.origin.name}:${version.version} follows ${deployment.name}.`);
			onClose();
		}}>
			{past > 0 && (
				<div class="field">
					<span class="field-name">Pictures</span>
					<Segments name="since" legend="Pictures" value={since} choices={[['now', 'From now on'], ['start', `Also the ${count(past)} so far`]]} onChoose={setSince} />
				</div>
			)}
			<p class="muted pick-note">It answers the same pictures at low priority, after the champion and unseen by anyone who asks. Its answers are kept beside the champion’s.</p>
		</PickVersion>
	);
}

/** What reviews say of it, and the way to say more. */
function Judged({ verdict, deployment }: { verdict: Verdict; deployment: Deployment }): JSX.Element {
	const { word, tone } = VERDICTS[verdict.state];
	const left = disagreementsLeft(verdict);
	const agreement = agreementWords(verdict);
	return (
		<div class="judged">
			<p class="verdict-sentence"><span class={`pill ${tone}`}>{word}</span> {verdictWords(verdict)}</p>
			<Evidence verdict={verdict} />
			{agreement && <p class="muted">{agreement}</p>}
			{left > 0 && <a class={verdict.state === 'unsure' ? 'button primary' : 'button'} href={reviewDisagreements(deployment.id, verdict.version.id)}>Review the disagreements ({count(left)} left)</a>}
		</div>
	);
}

const PROMOTE: Record<ShadowRole, string> = { HAND: 'Promote', CANDIDATE: 'Promote', HELD: 'Promote anyway', FORMER: 'Go back to it' };

function Promote({ shadow, verdict, deployment, onChanged, onClose }: Acting & { shadow: Shadow; verdict: Verdict | undefined; onClose: () => void }): JSX.Element {
	const [keep, setKeep] = useState(true);
	const { champion } = deployment;
	const role = verdict?.role ?? shadow.role ?? 'HAND';
	const reason = verdict?.reason ?? shadow.reason;
	const held = role === 'HELD';
	const action = PROMOTE[role];
	return (
		<Confirm title={role === 'FORMER' ? `Go back to ${nameOf(shadow)}?` : `Promote ${nameOf(shadow)}${held ? ' anyway' : ''}?`} action={action} onClose={onClose} run={async () => {
			onChanged(await api.promoteShadow(deployment.id, shadow.model_version_id, keep));
			say('ok', `${nameOf(shadow)} answers now.`);
			onClose();
		}}>
			{held && reason && <div class="notice warn"><div><strong>It was held back</strong><p>{reason}</p></div></div>}
			<p><strong>{nameOf(shadow)}</strong> takes over{champion && <> from <strong>{champion.model_name}:{champion.version}</strong></>}. It is loaded already; no request fails. History has a line to go back by.</p>
			{verdict && !held && verdict.state !== 'better' && <p class={verdict.state === 'worse' ? 'bad-text' : 'warn-text'}>{verdict.state === 'worse' ? 'Reviews say that it is worse.' : 'Whether it is better is not known yet.'}</p>}
			{shadow.lag > 0 && <p class="warn-text">It is {plural(shadow.lag, 'prediction')} behind: what it would have said of them is not known yet.</p>}
			{champion && <label class="check"><input type="checkbox" checked={keep} onChange={() => setKeep(!keep)} />Keep {champion.model_name}:{champion.version} as a shadow</label>}
		</Confirm>
	);
}

/** By whom or what it is one, until when, and what held it back. */
function Standing({ shadow, verdict }: { shadow: Shadow; verdict: Verdict | undefined }): JSX.Element {
	const now = useNow();
	const reason = verdict?.reason ?? shadow.reason;
	const until = verdict?.until_at ?? shadow.until_at;
	const held = (verdict?.role ?? shadow.role) === 'HELD';
	return (
		<>
			<p class="muted">follows since <Time at={shadow.since} />{until && `, leaves ${/^(to|within)/.test(dayWords(until, now)) ? '' : 'on '}${dayWords(until, now)}`}</p>
			{reason && <p class={held ? 'warn-text card-why' : 'muted card-why'}>{reason}</p>}
		</>
	);
}

function Card({ shadow, verdict, deployment, onChanged, onAdd }: Acting & { shadow: Shadow; verdict: Verdict | undefined; onAdd: (() => void) | null }): JSX.Element {
	const [asking, setAsking] = useState<'promote' | 'remove' | 'verdict' | null>(null);
	const close = (): void => setAsking(null);
	const role = verdict?.role ?? shadow.role ?? 'HAND';
	const said = ROLES[role];
	const held = role === 'HELD';
	return (
		<section class={verdict ? 'panel card is-judged' : 'panel card'} aria-label={`Shadow ${nameOf(shadow)}`}>
			<header class="card-head"><h2>Shadow{said && <span class={held ? 'badge guessed' : 'badge given'} title={said.help}>{said.word}</span>}</h2>{onAdd && <Button kind="quiet" onClick={onAdd}>Add another</Button>}</header>
			<div class="card-body">
				<div>
					<p class="card-main"><a href={`/model/${shadow.model_id}?version=${shadow.version}`}>{shadow.model_name}<span class="muted">:{shadow.version}</span></a> <State shadow={shadow} /></p>
					<Standing shadow={shadow} verdict={verdict} />
					{shadow.state !== 'FOLLOWING' && shadow.state_text && <p class="bad-text card-why">{shadow.state_text}</p>}
					<Cost shadow={shadow} />
				</div>
				{verdict && <Judged verdict={verdict} deployment={deployment} />}
			</div>
			<div class="card-foot">
				<Button kind={verdict?.state === 'better' && !held ? 'primary' : 'plain'} disabled={shadow.state === 'HELD'} onClick={() => setAsking('promote')}>{PROMOTE[role]}</Button>
				{verdict && <Button onClick={() => setAsking('verdict')}>Compare</Button>}
				<Button kind="quiet" onClick={() => setAsking('remove')}>Remove</Button>
			</div>
			{asking === 'promote' && <Promote shadow={shadow} verdict={verdict} deployment={deployment} onChanged={onChanged} onClose={close} />}
			{asking === 'verdict' && verdict && <VerdictDialog verdict={verdict} onClose={close} />}
			{asking === 'remove' && (
				<Confirm title={`Remove the shadow ${nameOf(shadow)}?`} action="Remove" onClose={close} run={async () => {
					onChanged(await api.removeShadow(deployment.id, shadow.model_version_id));
					say('ok', `${nameOf(shadow)} no longer follows.`);
					close();
				}}>
					<p>It stops following. Its {plural(shadow.predictions, 'prediction')} so far stay beside the champion’s.</p>
				</Confirm>
			)}
		</section>
	);
}

export function ShadowCards({ deployment, verdicts, onChanged }: Acting & { verdicts: Verdicts }): JSX.Element {
	const [setting, setSetting] = useState(false);
	const { shadows } = deployment;
	const add = (): void => setSetting(true);
	return (
		<>
			{shadows.map((s, i) => <Card key={s.model_version_id} shadow={s} verdict={verdicts.get(s.model_version_id)} deployment={deployment} onChanged={onChanged} onAdd={i === shadows.length - 1 ? add : null} />)}
			{shadows.length === 0 && (
				<section class="panel card" aria-label="Shadow">
					<header class="card-head"><h2>Shadow</h2></header>
					<p class="muted">None. Another version can answer the same pictures unseen, so that you compare before you promote.</p>
					<div class="card-foot"><Button icon="shadow" onClick={add}>Set a shadow…</Button></div>
				</section>
			)}
			{setting && <SetShadow deployment={deployment} onChanged={onChanged} onClose={() => setSetting(false)} />}
		</>
	);
}
