// SPDX-License-Identifier: Apache-2.0
// What stands over a long list: choices, words to look for, how large the tiles are.
import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { sentence } from '../lib/explain';
import { ApiError } from '../api/client';
import { Icon } from './icons';

export function Select({ label, value, choices, filters = true, onChoose }: {
	label: string;
	value: string;
	choices: readonly (readonly [value: string, text: string])[];
	/** What it leaves out is to be seen. */
	filters?: boolean;
	onChoose: (value: string) => void;
}): JSX.Element {
	return (
		<span class={filters ? (value ? 'pick is-set' : 'pick') : 'order'}>
			<select class="input" aria-label={label} value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
				{choices.map(([key, text]) => <option key={key} value={key}>{text}</option>)}
			</select>
		</span>
	);
}

/** A question in the query language; what is wrong with it is said under it. */
export function Question({ value, example, error, onInput }: { value: string; example: string; error: unknown; onInput: (value: string) => void }): JSX.Element {
	const id = useId();
	const refused = error instanceof ApiError && error.status === 400 && value.trim() !== '';
	return (
		<>
			<label class="filter question">
				<Icon name="search" size={14} />
				<span class="unseen">Query</span>
				<input class="input" type="search" value={value} placeholder={example} title={`A query, like ${example}`} spellcheck={false} autoComplete="off" aria-invalid={refused}
					aria-describedby={refused ? id : undefined} onInput={(event) => onInput(event.currentTarget.value)} />
			</label>
			{refused && <p id={id} class="form-error question-error" role="alert">{sentence(error)}</p>}
		</>
	);
}

/** On a phone the filters are behind a button. */
export function useFold(active: number): { folded: string; button: JSX.Element } {
	const [open, setOpen] = useState(false);
	return {
		folded: open ? '' : ' is-folded',
		button: <button type="button" class="button fold-button" aria-expanded={open} onClick={() => setOpen(!open)}><Icon name="filter" /><span>Filters{active > 0 && ` (${active})`}</span></button>,
	};
}

export const TILE_MIN = 120;
export const TILE_MAX = 420;

export function TileSize({ value, onSize }: { value: number; onSize: (value: number) => void }): JSX.Element {
	return (
		<label class="tile-size" title="Size of the tiles">
			<Icon name="picture" size={13} />
			<input type="range" aria-label="Size of the tiles" min={TILE_MIN} max={TILE_MAX} step={20} value={value} onInput={(event) => onSize(Number(event.currentTarget.value))} />
		</label>
	);
}
