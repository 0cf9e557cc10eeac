// SPDX-License-Identifier: Apache-2.0
// Whether a model version can be trained further, or why not.
import type { JSX } from 'preact';
import { loopApi, type Trainer } from '../api/loop';
import type { ModelVersion } from '../api/types';
import { count } from '../lib/format';
import { Skeleton } from './basics';
import { useLoad } from './hooks';

/** What a model's last layers are, as its page says it. */
const LAYOUT: Record<string, string> = {
	logits: 'one score a class', semantic: 'a class for each pixel', v8: 'boxes without anchors, as YOLOv8 has them', 'v8-dfl': 'boxes without anchors, as YOLOv8 has them', v5: 'boxes at anchors, as YOLOv5 has them', yolox: 'boxes without anchors, as YOLOX has them',
};

const isOwn = (trainer: Trainer): boolean => /gyre-train( |$)/.test(trainer.name ?? '') || (trainer.version ?? '').startsWith('gyre-train');

export function Trainable({ version }: { version: ModelVersion }): JSX.Element | null {
	const { trainable } = version;
	const trainer = useLoad('trainer of a version', loopApi.trainer);
	if (version.state !== 'READY') return null;
	const said = trainable ?? null;
	return (
		<section class="panel padded" aria-label="Training">
			<h2>Training {said && <span class={`pill ${said.trainable ? 'ok' : 'plain'}`}>{said.trainable ? 'Can be trained' : 'Cannot be trained'}</span>}</h2>
			{said === null && trainer.data && !trainer.data.available && <p class="muted">Not known: this server has no trainer. {trainer.data.reason}</p>}
			{said === null && trainer.data?.available && <p class="muted">{isOwn(trainer.data) ? 'The trainer looks at its file in the background.' : 'Not known: only gyre’s own trainer says it beforehand. Yours is asked when a training begins.'}</p>}
			{said === null && !trainer.data && trainer.loading && <Skeleton width="60%" />}
			{said?.trainable && (
				<>
					<p>New data makes a next version of it: by the <strong>Continuous Training</strong> of a deployment, or by hand in a <a href="/projects">project</a>.</p>
					<dl class="facts">
						{said.layout && <div><dt>Its head</dt><dd>{LAYOUT[said.layout] ?? said.layout}</dd></div>}
						{said.weights != null && <div><dt>Weights</dt><dd>{count(said.weights)}{said.trainable_weights != null && said.trainable_weights !== said.weights && `, ${count(said.trainable_weights)} can be trained`}</dd></div>}
						{said.resizable !== undefined && <div><dt>New labels</dt><dd>{said.resizable ? 'can be added: its head grows, the old ones keep their weights' : 'cannot be added to it'}</dd></div>}
					</dl>
				</>
			)}
			{said && !said.trainable && <p>{said.reason ?? 'The trainer gave no reason.'} <span class="muted">It is served, watched and measured all the same; versions trained elsewhere can be uploaded as its next.</span></p>}
		</section>
	);
}
