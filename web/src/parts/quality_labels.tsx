// SPDX-License-Identifier: Apache-2.0
// Quality of each label, champion beside shadow; and the twelve numbers of COCO.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { LabelQuality, VersionQuality } from '../api/learn';
import { count } from '../lib/format';
import { points } from '../lib/quality';
import { Button } from './basics';

const SHOWN = 10;
/** Below this an AP says little. */
const FEW = 10;

export function QualityLabels({ versions, task }: { versions: readonly VersionQuality[]; task: string }): JSX.Element {
	const [all, setAll] = useState(false);
	const [first, second] = versions;
	if (!first) return <></>;
	const classes = task.toUpperCase() === 'CLASSIFICATION';
	const rows = [...first.labels].filter((l) => (l.truths ?? 1) > 0 || (l.found ?? 0) + (l.wrong ?? 0) > 0).sort((a, b) => (b.truths ?? 0) - (a.truths ?? 0) || (a.label < b.label ? -1 : 1));
	const other = (label: string): LabelQuality | undefined => second?.labels.find((l) => l.label === label);
	return (
		<>
			<div class="table-scroll">
				<table class="table quality-table">
					<thead>
						<tr>
							<th scope="col">Label</th><th scope="col" class="number" title="How many there are on the reviewed images">There</th>
							{!classes && <th scope="col" class="number">AP</th>}
							{!classes && second && <th scope="col" class="number">AP, {second.role}</th>}
							{!classes && <th scope="col" class="number wide-only">AP50</th>}
							<th scope="col" class="number">Precision</th><th scope="col" class="number">Recall</th><th scope="col" class="number wide-only">F1</th>
							{classes && second && <th scope="col" class="number">F1, {second.role}</th>}
						</tr>
					</thead>
					<tbody>
						{(all ? rows : rows.slice(0, SHOWN)).map((l) => (
							<tr key={l.label}>
								<th scope="row">{l.label}</th>
								<td class="number">{l.truths === undefined ? '–' : count(l.truths)}{l.truths !== undefined && l.truths < FEW && <span class="badge guessed" title={`Fewer than ${FEW}: these numbers can be chance.`}>few</span>}</td>
								{!classes && <td class="number"><strong>{points(l.ap)}</strong><span class="score-bar" aria-hidden="true"><i style={{ width: `${100 * Math.max(0, l.ap ?? 0)}%` }} /></span></td>}
								{!classes && second && <td class="number">{points(other(l.label)?.ap)}</td>}
								{!classes && <td class="number wide-only">{points(l.ap50)}</td>}
								<td class="number">{points(l.precision)}</td><td class="number">{points(l.recall)}</td><td class="number wide-only">{points(l.f1)}</td>
								{classes && second && <td class="number">{points(other(l.label)?.f1)}</td>}
							</tr>
						))}
					</tbody>
				</table>
			</div>
			{rows.length > SHOWN && <Button kind="quiet" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Fewer' : `All ${rows.length} labels`}</Button>}
		</>
	);
}

/** The published order. */
const TWELVE = ['AP', 'AP50', 'AP75', 'AP_small', 'AP_medium', 'AP_large', 'AR_1', 'AR_10', 'AR_100', 'AR_small', 'AR_medium', 'AR_large'];

export function CocoNumbers({ versions }: { versions: readonly VersionQuality[] }): JSX.Element | null {
	const first = versions.find((v) => v.coco);
	if (!first?.coco) return null;
	const known = Object.keys(first.coco);
	const names = [...TWELVE.filter((n) => known.includes(n)), ...known.filter((n) => !TWELVE.includes(n))];
	return (
		<details class="fold coco-numbers">
			<summary>The {names.length} numbers of COCO</summary>
			<div class="table-scroll">
				<table class="table">
					<thead><tr><th scope="col">Version</th>{names.map((n) => <th key={n} scope="col" class="number">{n.replace(/_/g, ' ')}</th>)}</tr></thead>
					<tbody>{versions.map((v) => v.coco && <tr key={v.model_version_id}><th scope="row">{v.name}</th>{names.map((n) => <td key={n} class="number">{points(v.coco?.[n])}</td>)}</tr>)}</tbody>
				</table>
			</div>
		</details>
	);
}
