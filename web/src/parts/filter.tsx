// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { Icon } from './icons';

/** A search field for what is on the page. */
export function Filter({ value, what, onInput }: { value: string; what: string; onInput: (value: string) => void }): JSX.Element {
	return (
		<label class="filter">
			<Icon name="search" size={14} />
			<span class="unseen">Filter {what} by name</span>
			<input class="input" type="search" value={value} placeholder={`Filter ${what}`} spellcheck={false} autoComplete="off" onInput={(event) => onInput(event.currentTarget.value)} />
		</label>
	);
}
