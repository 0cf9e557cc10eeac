// SPDX-License-Identifier: Apache-2.0
// What was taken for what: rows are what is there, columns what was answered. A cell is as strong as its share of its row.
import type { JSX } from 'preact';
import { count } from '../lib/format';
import { busyLabels, cellShares } from '../lib/quality';

const LABELS_MAX = 10;
/** More names do not fit side by side. */
const UPRIGHT_MAX = 5;

const words = (label: string, background: boolean, side: 'truth' | 'answer'): string =>
	(background ? (side === 'truth' ? 'nothing there' : 'missed') : label);

export function Confusion({ confusion }: { confusion: { labels: string[]; cells: number[][] } }): JSX.Element {
	const { labels, cells, left } = busyLabels(confusion, LABELS_MAX);
	const shares = cellShares(cells);
	const isBackground = (i: number): boolean => i === labels.length - 1 && labels[i] === 'background';
	return (
		<div class="confusion-frame">
			<div class="table-scroll" tabIndex={0} role="region" aria-label="Confusion matrix">
				<table class={labels.length > UPRIGHT_MAX ? 'confusion is-many' : 'confusion'}>
					<thead>
						<tr><td class="corner"><span class="muted">there ↓ answered →</span></td>{labels.map((l, i) => <th key={i} scope="col"><span>{words(l, isBackground(i), 'answer')}</span></th>)}</tr>
					</thead>
					<tbody>
						{cells.map((row, i) => (
							<tr key={i}>
								<th scope="row">{words(labels[i] ?? '', isBackground(i), 'truth')}</th>
								{row.map((n, j) => {
									const share = shares[i]?.[j] ?? 0;
									const none = isBackground(i) && isBackground(j);
									return <td key={j} class={`${i === j ? 'is-right' : 'is-wrong'}${share > 0.55 ? ' is-strong' : ''}`} style={{ '--share': none ? 0 : share }} title={none ? undefined : `${count(n)} of what is ${words(labels[i] ?? '', isBackground(i), 'truth')} was ${isBackground(j) ? 'missed' : `answered as ${labels[j]}`}`}>{none || n === 0 ? '' : count(n)}</td>;
								})}
							</tr>
						))}
					</tbody>
				</table>
			</div>
			{left > 0 && <p class="muted">The {LABELS_MAX} most frequent labels; {left} more took part.</p>}
		</div>
	);
}
