// SPDX-License-Identifier: Apache-2.0
// Settings, Continuous Deployment: what becomes of a newly trained version, and what may hold it back.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { loopApi, type ContinuousDeployment, type ContinuousDeploymentSetting, type ContinuousTraining } from '../api/loop';
import type { Deployment } from '../api/types';
import { plural } from '../lib/format';
import { deploymentBadge, deploymentNext, points, POLICIES } from '../lib/loop';
import { Failure, Skeleton, Time } from './basics';
import type { Loaded } from './hooks';
import { NextLine, SaveBar, SettingSection, SwitchNow } from './setting';
import { say } from './toasts';

interface Acting {
	deployment: Deployment;
	cd: ContinuousDeployment;
	reload: () => void;
}

function State({ deployment, cd, reload, ct }: Acting & { ct: ContinuousTraining | undefined }): JSX.Element {
	const { word, tone } = deploymentBadge(cd);
	const { last } = cd;
	return (
		<section class="panel padded loop-state" aria-label="Continuous Deployment">
			<div class="row-head">
				<h2>Continuous Deployment <span class={`pill ${tone}`}>{word}</span></h2>
				{cd.set && <SwitchNow what="Continuous Deployment" on={cd.active} said={(on) => `Continuous Deployment is ${on ? 'on' : 'off'}.`} run={async (on) => {
					await loopApi.switchContinuousDeployment(deployment.id, on);
					reload();
				}} />}
			</div>
			<p>What becomes of a version that Continuous Training has made.</p>
			<p class="loop-sentence">{cd.state_text}</p>
			{cd.state === 'problem' && cd.note && <p class="warn-text">{cd.note}</p>}
			{last && <p><span class="muted">Last:</span> {last.sentence} <span class="muted"><Time at={last.at} /></span> <a href={`/deployment/${deployment.id}/history`}>History</a></p>}
			<NextLine next={deploymentNext(cd, ct, deployment.id)} />
		</section>
	);
}

type Change = (part: Partial<ContinuousDeploymentSetting>) => void;

function PolicyCards({ wish, external, change }: { wish: ContinuousDeploymentSetting; external: boolean; change: Change }): JSX.Element {
	return (
		<fieldset class="policies">
			<legend class="unseen">What becomes of a new version</legend>
			{POLICIES.map(({ policy, title, what, consequence }) => {
				const off = external && policy !== 'DEPLOY_MANUAL';
				return (
					<label key={policy} class={`choice${wish.policy === policy ? ' is-on' : ''}${off ? ' is-off' : ''}`}>
						<input class="unseen" type="radio" name="policy" checked={wish.policy === policy} disabled={off} onChange={() => change({ policy })} />
						<span><strong>{title}</strong><small>{what}</small><small class="consequence">{off ? 'This deployment runs on your own infrastructure: gyre can put nothing into service there.' : consequence}</small></span>
					</label>
				);
			})}
		</fieldset>
	);
}

function Gate({ cd, wish, change }: { cd: ContinuousDeployment; wish: ContinuousDeploymentSetting; change: Change }): JSX.Element {
	return (
		<SettingSection title="Gate" note="Before a new version becomes the champion. What is held back becomes a shadow, with its reason, and can be promoted anyway.">
			<label class="check"><input type="checkbox" checked={wish.gate} onChange={() => change({ gate: !wish.gate })} />Hold back what is measurably worse</label>
			{wish.gate ? (
				<>
					<p class="muted">On the test images, both versions answer the same pictures. Held back is what is worse overall with 95 % confidence, or what loses more than this on a class with 30 objects or more:</p>
					<div class="slider">
						<input type="range" aria-label="How far a class may fall" min={0} max={0.2} step={0.01} value={wish.tolerance} onInput={(event) => change({ tolerance: Number(event.currentTarget.value) })} />
						<output>{points(wish.tolerance)}</output>
					</div>
				</>
			) : <p class="warn-text">Every new version answers at once, however it does on the test images.</p>}
			<TestSet cd={cd} tolerance={wish.tolerance} />
		</SettingSection>
	);
}

/** How much the test images can tell. What the server says of what is saved comes first. */
function TestSet({ cd, tolerance }: { cd: ContinuousDeployment; tolerance: number }): JSX.Element | null {
	if (cd.test_images === null) return <p class="muted">How much the test images can tell is known once Continuous Training has its data.</p>;
	const few = cd.test_images < 30;
	const blind = cd.sees !== null && cd.sees > tolerance;
	if (cd.note && (few || blind)) return <p class="warn-text">{cd.note}</p>;
	const images = plural(cd.test_images, 'test image');
	if (few) return <p class="warn-text">{images}: under 30 a new version becomes a shadow and not the champion, as the gate could not tell.</p>;
	return (
		<p class={blind ? 'warn-text' : 'muted'}>{images}{cd.sees !== null && `: the smallest fall of a class that they can show is about ${points(cd.sees)}`}{blind && `, more than the ${points(tolerance)} that are allowed. More images kept to measure with help`}.</p>
	);
}

const DAYS = [0, 1, 3, 7, 14, 30];

function Shadows({ wish, change }: { wish: ContinuousDeploymentSetting; change: Change }): JSX.Element {
	return (
		<>
			<SettingSection title="Promotion" note="A shadow is compared with the champion on the images where they disagree and that people have reviewed.">
				<label class="check"><input type="checkbox" checked={wish.promote_by_itself} onChange={() => change({ promote_by_itself: !wish.promote_by_itself })} />Promote by itself when it is better</label>
				<p class="muted">{wish.promote_by_itself
					? 'As soon as reviews say so beyond luck (20 to 1) and nothing else speaks against it: latency, failures, no class that falls. History names the rule, and Go back is one click.'
					: 'You are told when it is better, and promote it yourself.'}</p>
			</SettingSection>
			<SettingSection title="The champion before" note="After a promotion it goes on answering unseen, so that one sees whether the change was right. If it turns out better after all, the promotion is taken back when Promote by itself is on.">
				<label class="field inline-field">stays as a shadow for
					<select class="input" value={String(wish.keep_days)} onChange={(event) => change({ keep_days: Number(event.currentTarget.value) })}>
						{[...new Set([...DAYS, wish.keep_days])].sort((a, b) => a - b).map((d) => <option key={d} value={String(d)}>{d === 0 ? 'no time at all' : plural(d, 'day')}</option>)}
					</select>
				</label>
			</SettingSection>
		</>
	);
}

const settingOf = ({ policy, gate, tolerance, promote_by_itself, keep_days }: ContinuousDeployment): ContinuousDeploymentSetting => ({ policy, gate, tolerance, promote_by_itself, keep_days });

function Form({ deployment, cd, onSaved }: { deployment: Deployment; cd: ContinuousDeployment; onSaved: (cd: ContinuousDeployment) => void }): JSX.Element {
	const external = deployment.status === 'EXTERNAL';
	const begin = settingOf(cd);
	const [edited, setEdited] = useState<ContinuousDeploymentSetting | null>(null);
	const wish = { ...(edited ?? begin), ...(external ? { policy: 'DEPLOY_MANUAL' as const } : {}) };
	const change: Change = (part) => setEdited({ ...wish, ...part });
	const changed = JSON.stringify(wish) !== JSON.stringify(begin);
	const save = async (): Promise<void> => {
		const saved = await loopApi.setContinuousDeployment(deployment.id, wish);
		say('ok', cd.set ? 'Continuous Deployment is changed.' : 'Continuous Deployment is set up.');
		onSaved(saved);
		setEdited(null);
	};
	return (
		<>
			<section class="panel padded" aria-label="Policy">
				<h2>A new version becomes</h2>
				<PolicyCards wish={wish} external={external} change={change} />
			</section>
			{wish.policy === 'DEPLOY_CHAMPION' && <Gate cd={cd} wish={wish} change={change} />}
			{wish.policy !== 'DEPLOY_MANUAL' && <Shadows wish={wish} change={change} />}
			<SaveBar first={cd.set ? null : 'Set it up'} changed={changed} problem={null} save={save} onUndo={() => setEdited(null)} />
		</>
	);
}

export function ContinuousDeploymentSettings({ deployment, loaded, ct }: { deployment: Deployment; loaded: Loaded<ContinuousDeployment>; ct: ContinuousTraining | undefined }): JSX.Element {
	const { data, error, loading, reload, set } = loaded;
	return (
		<div class="settings">
			{error !== null && <Failure error={error} what={error instanceof ApiError && error.status === 404 ? 'This server has no Continuous Deployment' : 'Continuous Deployment could not be read'} onRetry={reload} />}
			{!data && loading && <section class="panel padded" aria-busy="true"><Skeleton width="100%" height={160} /></section>}
			{data && <State deployment={deployment} cd={data} ct={ct} reload={reload} />}
			{data && <Form deployment={deployment} cd={data} onSaved={set} />}
		</div>
	);
}
