// SPDX-License-Identifier: Apache-2.0
// The frame of a chart: what it shows, of how many, from all of them or from a sample; what it needs when it is empty.
import type { ComponentChildren, JSX } from 'preact';
import type { Basis } from '../api/dashboard';

export function ChartPanel({ id, title, value, of, basis, empty, wide = false, children }: {
	id?: string;
	title: string;
	/** The one number, beside the title. */
	value?: string | undefined;
	/** "Of 4,155 shapes on 364 images." */
	of: string;
	basis: Basis;
	/** What it needs, or why there is nothing; null when there is something. */
	empty: string | null;
	wide?: boolean;
	children: ComponentChildren;
}): JSX.Element {
	return (
		<section class={wide ? 'panel chart-panel is-wide' : 'panel chart-panel'} id={id} aria-label={title}>
			<header><h3>{title}</h3>{value && empty === null && <strong>{value}</strong>}</header>
			{empty === null ? children : <p class="chart-nothing">{empty}</p>}
			{empty === null && <p class="panel-note muted">{of}{basis.kind === 'sample' && <> <span class="badge" title={basis.sentence ?? undefined}>sample</span></>}</p>}
		</section>
	);
}
