// SPDX-License-Identifier: Apache-2.0
// From a deployment's labels to a dataset's: keep, rename, drop, or new; asked once.
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { learn, type FeedbackLoop, type LabelAction } from '../api/learn';
import type { Deployment } from '../api/types';
import { sentence } from '../lib/explain';
import { asSaved, changeLabel, keepTheRest, sameLabels, waitingNames, whyNotSaved } from '../lib/feedback';
import { count, plural } from '../lib/format';
import { Button } from './basics';
import { useLoad } from './hooks';
import { Icon } from './icons';
import { say } from './toasts';

const ACTIONS: readonly (readonly [LabelAction | '', string])[] = [['', 'nobody said'], ['keep', 'keep its name'], ['rename', 'rename to'], ['drop', 'drop'], ['new', 'new label']];
const SHOWN = 14;

/** Labels that every attached version has. */
async function commonLabels(loop: FeedbackLoop, signal: AbortSignal): Promise<string[]> {
	const lists = await Promise.all(loop.targets.map(async ({ dataset_version: v }) => (await learn.labels(v.id, signal)).items.map((l) => l.name)));
	const [first = [], ...rest] = lists;
	return first.filter((name) => rest.every((list) => list.includes(name)));
}

export function LabelTable({ deployment, loop, reload }: { deployment: Deployment; loop: FeedbackLoop; reload: () => void }): JSX.Element {
	const [lines, setLines] = useState(loop.labels);
	const [wanted, setWanted] = useState('');
	const [all, setAll] = useState(false);
	const [busy, setBusy] = useState(false);
	const known = useLoad(`labels of ${loop.targets.map(({ dataset_version: v }) => `${v.id} ${v.revision}`).join()}`, (signal) => commonLabels(loop, signal));
	const names = known.data ?? [];
	const waiting = loop.counts.waiting_labels;
	const open = lines.filter((line) => line.action === null).length;
	const changed = !sameLabels(lines, loop.labels);
	const why = whyNotSaved(lines);
	// What waits first, then what nobody decided about.
	const sorted = useMemo(() => {
		const rank = (label: string, action: LabelAction | null): number => (waiting[label] ? 0 : action === null ? 1 : 2);
		const order = new Map([...loop.labels].sort((a, b) => rank(a.label, a.action) - rank(b.label, b.action)).map((line, i) => [line.label, i]));
		return (label: string): number => order.get(label) ?? 0;
	}, [loop.labels, waiting]);
	const text = wanted.trim().toLowerCase();
	const found = lines.filter((line) => line.label.toLowerCase().includes(text)).sort((a, b) => sorted(a.label) - sorted(b.label));
	const save = async (): Promise<void> => {
		setBusy(true);
		try {
			await learn.mapLabels(deployment.id, asSaved(lines, names));
			say('ok', 'The table of labels is saved.');
			reload();
		} catch (error) {
			say('bad', `Not saved. ${sentence(error)}`);
		}
		setBusy(false);
	};
	if (lines.length === 0) return <p class="muted">No labels yet: the champion names none, and nobody has drawn any.</p>;
	return (
		<div class="label-table">
			{loop.counts.waiting > 0 && <div class="notice warn"><Icon name="warning" /><div><p>{plural(loop.counts.waiting, 'review waits', 'reviews wait')} for {Object.keys(waiting).length > 1 ? `${count(Object.keys(waiting).length)} labels` : waitingNames(loop)}. Say what becomes of {Object.keys(waiting).length > 1 ? 'them' : 'it'}, and save.</p></div></div>}
			<div class="row-head">
				{lines.length > SHOWN ? <label class="filter"><Icon name="search" size={14} /><span class="unseen">Find a label</span><input class="input" type="search" value={wanted} placeholder={`${lines.length} labels`} onInput={(event) => setWanted(event.currentTarget.value)} /></label> : <span />}
				{open > 0 && <Button onClick={() => setLines(keepTheRest(lines, names))}>{open === lines.length ? 'Keep all as they are' : `Keep the other ${count(open)} as they are`}</Button>}
			</div>
			<div class="table-scroll">
				<table class="table">
					<thead><tr><th scope="col">Of the deployment</th><th scope="col">In the datasets</th><th scope="col"><span class="unseen">Name</span></th></tr></thead>
					<tbody>
						{found.slice(0, all || text ? undefined : SHOWN).map((line) => (
							<tr key={line.label} class={waiting[line.label] ? 'is-waiting' : undefined}>
								<th scope="row">{line.label}{waiting[line.label] !== undefined && <span class="badge guessed">{plural(waiting[line.label] ?? 0, 'waits', 'wait')}</span>}</th>
								<td>
									<select class={line.action === null ? 'input is-open' : 'input'} aria-label={`What becomes of ${line.label}`} value={line.action ?? ''} onChange={(event) => setLines(changeLabel(lines, line.label, (event.currentTarget.value || null) as LabelAction | null, null))}>
										{ACTIONS.map(([action, words]) => <option key={action} value={action}>{words}</option>)}
									</select>
								</td>
								<td>{(line.action === 'rename' || (line.action === 'new' && (line.to_name ?? line.label) !== line.label)) && (
									<input class="input" list="dataset-label-names" aria-label={`New name of ${line.label}`} placeholder="name in the datasets" value={line.to_name ?? ''} onInput={(event) => setLines(changeLabel(lines, line.label, line.action, event.currentTarget.value))} />
								)}{line.action === 'drop' && <span class="muted">its shapes are left out</span>}</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
			<datalist id="dataset-label-names">{names.map((n) => <option key={n} value={n} />)}</datalist>
			{found.length > SHOWN && !text && <Button kind="quiet" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Fewer' : `All ${found.length} labels`}</Button>}
			<p class="row-actions">
				<Button kind={changed ? 'primary' : 'plain'} busy={busy} disabled={!changed || why !== null} onClick={save}>Save the labels</Button>
				{changed && <Button kind="quiet" onClick={() => setLines(loop.labels)}>Undo</Button>}
				{why && <span class="warn-text">{why}</span>}
			</p>
		</div>
	);
}
