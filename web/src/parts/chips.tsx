// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import type { Chip } from '../lib/recipe';

/** What differs, a chip each. */
export function Chips({ chips }: { chips: readonly Chip[] }): JSX.Element {
	return <>{chips.map(({ field, value }) => <span key={field} class="chip"><span class="muted">{field}</span> {value}</span>)}</>;
}
