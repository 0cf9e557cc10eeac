// SPDX-License-Identifier: Apache-2.0
// Names with a bar each; a name may be a button.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { count } from '../lib/format';

export interface NamedBar {
	name: string;
	value: number;
	/** Beside the number. */
	note?: string;
	colour?: string;
	/** Not one like the others. */
	muted?: boolean;
}


export function Bars({ bars, label, chosen, most: shownMost = 8, onChoose }: { bars: readonly NamedBar[]; label: string; chosen?: string; most?: number; onChoose?: (name: string) => void }): JSX.Element {
	const [all, setAll] = useState(false);
	const most = Math.max(1, ...bars.map((b) => b.value));
	const shown = all ? bars : bars.slice(0, shownMost);
	return (
		<>
			<ul class="label-bars" aria-label={label}>
				{shown.map((b) => {
					const content = (
						<>
							<span class={b.muted ? 'bar-name muted' : 'bar-name'} title={b.name}>{b.name}</span>
							<span class="bar-track"><i class={b.muted ? 'muted-bar' : undefined} style={{ width: `${(100 * b.value) / most}%`, minWidth: b.value > 0 ? undefined : 0, background: b.colour }} /></span>
							<span class="bar-count">{count(b.value)}{b.note && <small class="muted"> {b.note}</small>}</span>
						</>
					);
					return (
						<li key={b.name}>
							{onChoose && !b.muted
								? <button type="button" aria-pressed={b.name === chosen} title={b.name === chosen ? 'Show all labels' : `Show only ${b.name}`} onClick={() => onChoose(b.name)}>{content}</button>
								: <span class="bar-row">{content}</span>}
						</li>
					);
				})}
			</ul>
			{bars.length > shownMost && <button type="button" class="button quiet" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Fewer' : `All ${bars.length}`}</button>}
		</>
	);
}
