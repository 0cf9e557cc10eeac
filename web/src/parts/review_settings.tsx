// SPDX-License-Identifier: Apache-2.0
// How the queue chooses pictures, and what reviewers are told: a part of a deployment's settings.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { reviewApi, type Queue, type QueueSettings } from '../api/review';
import type { Deployment } from '../api/types';
import { sentence } from '../lib/explain';
import { count, plural } from '../lib/format';
import { Button, Failure, Segments } from './basics';
import { useLoad } from './hooks';
import { say } from './toasts';

const ORDERS: readonly (readonly [QueueSettings['queue_order'], string])[] = [['unsure', 'Unsure first'], ['outlier', 'Unusual first'], ['newest', 'Newest first']];

const EXPLAINED: Record<QueueSettings['queue_order'], string> = {
	unsure: 'Pictures where scores lie near the middle come first: corrections teach the most there.',
	outlier: 'Pictures unlike the others come first: they show what the model has not seen.',
	newest: 'What came in last comes first: for watching a change as it happens.',
};

function Form({ deployment, queue, onSaved }: { deployment: Deployment; queue: Queue; onSaved: (queue: Queue) => void }): JSX.Element {
	const [wish, setWish] = useState<QueueSettings>(queue.settings);
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>(null);
	const changed = JSON.stringify(wish) !== JSON.stringify(queue.settings);
	const shown = new Set(wish.labels_shown ?? deployment.labels);
	const toggle = (label: string): void => {
		const next = deployment.labels.filter((l) => (l === label ? !shown.has(l) : shown.has(l)));
		setWish({ ...wish, labels_shown: next.length === deployment.labels.length ? null : next });
	};
	const save = async (event: Event): Promise<void> => {
		event.preventDefault();
		setBusy(true);
		setError(null);
		try {
			onSaved(await reviewApi.saveQueue(deployment.id, wish));
			say('ok', 'The queue is set.');
		} catch (failure) {
			setError(failure);
		}
		setBusy(false);
	};
	return (
		<form class="queue-settings" onSubmit={save}>
			<p class="muted">{plural(queue.to_review, 'picture')} to review, {count(queue.chosen_left)} chosen by the queue; {count(queue.reviewed)} reviewed, {count(queue.submitted)} submitted, {count(queue.skipped)} skipped.</p>
			<div class="field">
				<span class="field-name">Order</span>
				<Segments name="queue-order" legend="Order" value={wish.queue_order} choices={ORDERS} onChoose={(queue_order) => setWish({ ...wish, queue_order })} />
				<small class="muted">{EXPLAINED[wish.queue_order]}</small>
			</div>
			<label class="field">
				<span class="field-name">Random share <output>{Math.round(wish.random_share * 100)} %</output></span>
				<input type="range" min={0} max={1} step={0.05} value={wish.random_share} onInput={(event) => setWish({ ...wish, random_share: Number(event.currentTarget.value) })} />
				<small class={wish.random_share < 0.2 ? 'warn-text' : 'muted'}>{wish.random_share < 0.2
					? 'Below 20 % the estimate of quality gets wide: most pictures are then chosen for being difficult.'
					: 'Drawn by lot, whatever is on them: from these the quality of all answers is estimated.'}</small>
			</label>
			<label class="field">
				<span class="field-name">Guide for reviewers</span>
				<textarea class="input" rows={4} maxLength={4000} value={wish.guide} placeholder="What counts as a crack, how tight a box is, what to do with what is half hidden" onInput={(event) => setWish({ ...wish, guide: event.currentTarget.value })} />
			</label>
			{deployment.labels.length > 0 && (
				<details class="fold">
					<summary>Labels shown and reviewed: {wish.labels_shown ? `${count(wish.labels_shown.length)} of ${count(deployment.labels.length)}` : 'all'}</summary>
					<div class="queue-labels">
						{deployment.labels.map((label) => <label key={label} class="check"><input type="checkbox" checked={shown.has(label)} onChange={() => toggle(label)} />{label}</label>)}
					</div>
				</details>
			)}
			{error !== null && <p class="form-error" role="alert">{sentence(error)}</p>}
			<p class="row-actions">
				<Button type="submit" kind="primary" busy={busy} disabled={!changed || wish.labels_shown?.length === 0}>Save</Button>
				{changed && <Button onClick={() => setWish(queue.settings)}>Undo</Button>}
				<a class="button" href={`/deployment/${deployment.id}/review`}>Review now</a>
			</p>
		</form>
	);
}

export function ReviewSettings({ deployment }: { deployment: Deployment }): JSX.Element {
	const queue = useLoad(`queue settings ${deployment.id}`, (signal) => reviewApi.queue(deployment.id, signal));
	return (
		<section class="panel padded" aria-label="Review queue">
			<h2>Review queue</h2>
			{queue.error !== null && <Failure error={queue.error} what="The queue could not be read" onRetry={queue.reload} />}
			{queue.data && <Form key={JSON.stringify(queue.data.settings)} deployment={deployment} queue={queue.data} onSaved={queue.set} />}
		</section>
	);
}
