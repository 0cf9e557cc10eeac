// SPDX-License-Identifier: Apache-2.0
// Right after deploying: what is done, what comes next, and how pictures get here, as text that works as it stands.
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { FeedbackLoop } from '../api/learn';
import type { ContinuousDeployment, ContinuousTraining } from '../api/loop';
import type { Deployment } from '../api/types';
import type { TrainingData } from '../api/watch';
import { score, shellWord } from '../lib/format';
import { policyTitle, triggerSentence } from '../lib/loop';
import type { Parts } from '../lib/one_thing';
import { Command, Segments, Time } from './basics';
import { connectCommand } from './first_steps';
import { Icon } from './icons';

const python = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

function ways(deployment: Deployment): readonly (readonly [name: string, text: string])[] {
	const host = location.origin;
	const client = `from picsellia import Client\n\nclient = Client(api_token=open("var/admin-token").read().strip(), host="${host}")\ndeployment = client.get_deployment(${python(deployment.name)})\n`;
	return [
		['curl', `curl -H "Authorization: Bearer $(cat var/admin-token)" -F media=@photo.jpg \\\n  ${host}/api/deployments/${deployment.id}/predict`],
		['Python', `${client}print(deployment.predict("photo.jpg"))`],
		['gyre', `${connectCommand()}\ngyre predict ${shellWord(deployment.name)} photo.jpg --json`],
	];
}

/** What a model elsewhere said of a picture, in the form of the SDK's raw predictions. */
const SAID: Record<Deployment['type'], readonly [format: string, argument: string, json: string]> = {
	OBJECT_DETECTION: ['DetectionPredictionFormat', 'detection_boxes=[[40, 30, 200, 180]]', '"detection_boxes": [[40, 30, 200, 180]]'],
	SEGMENTATION: ['SegmentationPredictionFormat', 'detection_masks=[[[30, 40], [180, 40], [180, 200]]]', '"detection_masks": [[[30, 40], [180, 40], [180, 200]]]'],
	CLASSIFICATION: ['ClassificationPredictionFormat', '', ''],
};

/** A prediction that was made on the user's own infrastructure is sent with its picture. */
export function Reports({ deployment }: { deployment: Deployment }): JSX.Element {
	const host = location.origin;
	const [format, argument, json] = SAID[deployment.type];
	const texts: Record<string, string> = {
		Python: `from picsellia import Client\nfrom picsellia.types.schemas_prediction import ${format}\n\nclient = Client(api_token=open("var/admin-token").read().strip(), host="${host}")\ndeployment = client.get_deployment(${python(deployment.name)})\nsaid = ${format}(detection_classes=[0], detection_scores=[0.9]${argument && `, ${argument}`})\ndeployment.monitor("photo.jpg", latency=0.02, height=480, width=640, prediction=said)`,
		curl: `printf '{"filename": "photo.jpg", "width": 640, "height": 480, "latency": 0.02, "image": "%s", "raw_predictions": {"detection_classes": [0], "detection_scores": [0.9]${json && `, ${json}`}}}' "$(base64 -w0 photo.jpg)" |\n  curl -H "Authorization: Bearer $(cat var/admin-token)" --data-binary @- ${host}/api/deployment/${deployment.id}/predictions`,
	};
	const [chosen, setChosen] = useState('Python');
	return (
		<>
			<Segments name="report" legend="How to report" value={chosen} choices={Object.keys(texts).map((name) => [name, name])} onChoose={setChosen} />
			<Command>{texts[chosen] ?? ''}</Command>
		</>
	);
}

/** The same from three sides, filled in with this deployment's id and this server's address. */
function Ways({ deployment }: { deployment: Deployment }): JSX.Element {
	const all = ways(deployment);
	const [chosen, setChosen] = useState(all[0]?.[0] ?? '');
	const text = all.find(([name]) => name === chosen)?.[1];
	return (
		<>
			<Segments name="way" legend="How to send" value={chosen} choices={all.map(([name]) => [name, name])} onChoose={setChosen} />
			{text && <Command>{text}</Command>}
		</>
	);
}

function Step({ done, title, children }: { done: boolean | null; title: string; children?: ComponentChildren }): JSX.Element {
	return (
		<li class={done ? 'is-done' : done === null ? 'is-later' : undefined}>
			<h3>{title}{done && <span class="unseen"> (done)</span>}</h3>
			{done && <Icon name="check" size={14} />}
			{children}
		</li>
	);
}

/** The steps of the loop behind the first answers. */
function LoopSteps({ deployment, loop, ct, cd }: { deployment: Deployment; loop: FeedbackLoop | undefined; ct: ContinuousTraining | undefined; cd: ContinuousDeployment | undefined }): JSX.Element {
	const home = `/deployment/${deployment.id}`;
	const trains = ct?.set === true && ct.active;
	const deploys = cd?.set === true && cd.active;
	const ready = loop !== undefined && loop.active && loop.targets.length > 0;
	return (
		<>
			<Step done={null} title="Review some: accept what is right, correct what is not">
				<p class="muted">In the <a href={`${home}/review`}>review tool</a>. From 20 on, the dashboard says how good the answers are.</p>
			</Step>
			<Step done={ready ? true : null} title={ready ? `Corrected images go to ${loop.targets.map((t) => `${t.dataset_version.origin_name} ${t.dataset_version.version}`).join(' and ')}` : 'Let corrected images go into a dataset'}>
				{!ready && <p class="muted">Set up the <a href={`${home}/settings/feedback`}>Feedback Loop</a> and attach a dataset version: what people correct is what the next model learns from.</p>}
			</Step>
			<Step done={trains ? true : null} title={trains ? triggerSentence(ct) : 'Let the next version be trained by itself'}>
				{!trains && <p class="muted"><a href={`${home}/settings/continuous-training`}>Continuous Training</a> begins when enough images were corrected.</p>}
			</Step>
			<Step done={deploys ? true : null} title={deploys ? `A new version becomes: ${policyTitle(cd.policy).toLowerCase()}` : 'Say what becomes of a new version'}>
				{!deploys && <p class="muted"><a href={`${home}/settings/continuous-deployment`}>Continuous Deployment</a>: a shadow that answers unseen beside the champion, or the champion itself, or neither.</p>}
			</Step>
		</>
	);
}

/** With it the dashboard tells whether new images are still like those the model learned from. */
function TrainingStep({ deployment, training }: { deployment: Deployment; training: TrainingData | undefined }): JSX.Element {
	const set = training?.set === true;
	return (
		<Step done={set ? true : null} title={set ? 'Training Data is chosen' : 'Say what the model learned from'}>
			{!set && <p class="muted">Choose <a href={`/deployment/${deployment.id}/settings/training-data`}>Training Data</a>, a dataset version or the first 500 images: drift and outliers are then watched.</p>}
		</Step>
	);
}

export function Checklist({ deployment, loop, training, ct, cd }: { deployment: Deployment } & Parts): JSX.Element {
	const { champion } = deployment;
	const external = deployment.status === 'EXTERNAL';
	const ready = deployment.status === 'SERVING';
	return (
		<section class="panel padded first-picture" aria-label="First steps">
			<h2>First steps</h2>
			<ol class="steps checklist">
				<Step done title={`${champion ? `${champion.model_name}:${champion.version}` : 'A model'} is deployed`}>
					<p class="muted">from {score(deployment.min_threshold)} on, <Time at={deployment.created_at} /></p>
				</Step>
				{!external && <Step done={ready} title={ready ? 'It is loaded and warm' : 'It is being loaded'}>{!ready && deployment.status_text && <p class="muted">{deployment.status_text}</p>}</Step>}
				{external
					? (
						<Step done={false} title="Report the first prediction">
							<p class="muted">With its picture, its classes by their place in the labels, and how long it took. It appears here by itself.</p>
							<Reports deployment={deployment} />
						</Step>
					)
					: (
						<Step done={false} title="Send the first picture">
							<p class="muted">Drop one anywhere on this page, or send it from where your pictures are. It appears here by itself.</p>
							<Ways deployment={deployment} />
						</Step>
					)}
				<Step done={null} title="Then look at the answers, and move the threshold to where they are right">
					<p class="muted">In the bar above the charts, or in <a href={`/deployment/${deployment.id}/settings`}>Settings</a>, for the past too.</p>
				</Step>
				<TrainingStep deployment={deployment} training={training} />
				<LoopSteps deployment={deployment} loop={loop} ct={ct} cd={cd} />
			</ol>
		</section>
	);
}
