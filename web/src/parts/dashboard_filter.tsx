// SPDX-License-Identifier: Apache-2.0
// What all below it shows: time, version, source, tags, label, threshold.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { DashboardData } from '../api/dashboard';
import type { Deployment } from '../api/types';
import { exact, score } from '../lib/format';
import { versionChoices, type VersionNames } from '../lib/history';
import { SCORE_FLOOR } from '../lib/shapes';
import { isNarrowed, NO_WATCH_FILTER, WATCH_RANGES, type WatchFilter } from '../lib/watch_filter';
import { Button, Segments } from './basics';
import { Icon } from './icons';
import { SaveDialog, type Effect } from './threshold';
import { Select, useFold } from './tool_bar';

const CUSTOM = 'custom';

/** As a field for a day and a time takes it: local, to the minute. */
const asField = (seconds: number): string => exact(seconds * 1000).slice(0, 16).replace(' ', 'T');
const ofField = (text: string): number | null => (Number.isNaN(Date.parse(text)) ? null : Date.parse(text) / 1000);

/** What makes no sense (yet) waits until it does. */
function Stretch({ filter, onFilter }: { filter: WatchFilter; onFilter: (change: Partial<WatchFilter>) => void }): JSX.Element {
	const [draft, setDraft] = useState<{ from: number; to: number } | null>(null);
	const { from, to } = draft ?? { from: filter.from ?? 0, to: filter.to ?? 0 };
	const change = (next: { from: number; to: number }): void => {
		const good = next.from < next.to;
		setDraft(good ? null : next);
		if (good) onFilter(next);
	};
	const field = (label: string, value: number, set: (at: number) => void): JSX.Element => (
		<input class="input" type="datetime-local" aria-label={label} value={asField(value)} onChange={(event) => {
			const at = ofField(event.currentTarget.value);
			if (at !== null) set(at);
		}} />
	);
	return (
		<span class="stretch">
			{field('From', from, (at) => change({ from: at, to }))}<span class="muted">to</span>{field('To', to, (at) => change({ from, to: at }))}
			{draft && <span class="bad-text" role="alert">ends before it begins</span>}
		</span>
	);
}

function Tags({ tags, onTags }: { tags: readonly string[]; onTags: (tags: readonly string[]) => void }): JSX.Element {
	const [draft, setDraft] = useState('');
	const add = (): void => {
		const tag = draft.trim();
		setDraft('');
		if (tag && !tags.includes(tag)) onTags([...tags, tag]);
	};
	return (
		<>
			{tags.map((tag) => <button key={tag} type="button" class="tag-chip" aria-label={`Without the tag ${tag}`} onClick={() => onTags(tags.filter((t) => t !== tag))}>{tag}<Icon name="close" size={11} /></button>)}
			<form class="pick" onSubmit={(event) => {
				event.preventDefault();
				add();
			}}>
				<input class="input tag-input" aria-label="Tag" placeholder="tag" value={draft} autoComplete="off" spellcheck={false} onInput={(event) => setDraft(event.currentTarget.value)} onBlur={add} />
			</form>
		</>
	);
}

const MODES = ['answered', 'setting', 'value'] as const;

function Threshold({ deployment, filter, floor, effect, onFilter, onSaved }: {
	deployment: Deployment;
	filter: WatchFilter;
	/** Below it nothing was sent. */
	floor: number | null;
	effect: Effect;
	onFilter: (change: Partial<WatchFilter>) => void;
	onSaved: (deployment: Deployment) => void;
}): JSX.Element {
	const [saving, setSaving] = useState(false);
	const { threshold } = filter;
	const mode = typeof threshold === 'number' ? 'value' : threshold;
	const value = typeof threshold === 'number' ? threshold : deployment.min_threshold;
	const least = Math.max(SCORE_FLOOR, floor ?? 0);
	const differs = Math.abs(value - deployment.min_threshold) > 0.004;
	const names = { answered: 'As answered', setting: `Setting ${score(deployment.min_threshold)}`, value: 'At' } as const;
	return (
		<span class="watch-threshold">
			<Segments name="view" legend="Shapes counted" value={mode} choices={MODES.map((m) => [m, names[m]] as const)} onChoose={(next) => onFilter({ threshold: next === 'value' ? value : next })} />
			<label class="slider">
				<input type="range" aria-label="Threshold" min={least} max={0.99} step={0.01} value={value} class={mode === 'value' ? undefined : 'is-idle'} onInput={(event) => onFilter({ threshold: Number(event.currentTarget.value) })} />
				<output>{score(value)}</output>
			</label>
			{floor !== null && floor > SCORE_FLOOR && <span class="muted floor-note">nothing was sent below {score(floor)}</span>}
			{mode === 'value' && differs && <Button onClick={() => setSaving(true)}>Set as threshold…</Button>}
			{saving && <SaveDialog deployment={deployment} threshold={value} effect={effect} onSaved={onSaved} onClose={() => setSaving(false)} />}
		</span>
	);
}

const options = (any: string, values: readonly string[], chosen: string): [string, string][] =>
	[['', any], ...[...new Set([...values, ...(chosen ? [chosen] : [])])].map((v): [string, string] => [v, v])];

export function DashboardFilter({ deployment, names, filter, data, effect, onFilter, onSaved }: {
	deployment: Deployment;
	names: VersionNames;
	filter: WatchFilter;
	/** What the server counted last, for what there is to choose from. */
	data: DashboardData | undefined;
	/** Of the threshold, on the last predictions. */
	effect: Effect;
	onFilter: (filter: WatchFilter) => void;
	onSaved: (deployment: Deployment) => void;
}): JSX.Element {
	const set = (change: Partial<WatchFilter>): void => onFilter({ ...filter, ...change });
	const versions = versionChoices(deployment, names);
	for (const v of data?.versions ?? []) if (!versions.some(([id]) => id === v.id)) versions.push([v.id, v.model_name ? `${v.model_name}:${v.version}` : `version ${v.id.slice(0, 8)}`]);
	const narrowed = isNarrowed(filter) || filter.range !== '' || filter.threshold !== 'answered';
	const { folded, button } = useFold([filter.range, filter.version, filter.source, filter.label].filter(Boolean).length + filter.tags.length + (filter.threshold === 'answered' ? 0 : 1));
	const choose = (range: string): void => {
		const now = Math.floor(Date.now() / 60_000) * 60;
		if (range === CUSTOM) set({ range: CUSTOM, from: now - 86400, to: now });
		else set({ range: WATCH_RANGES.find(([key]) => key === range)?.[0] ?? '', from: null, to: null });
	};
	return (
		<div class={`tool-bar watch-bar${folded}`} role="group" aria-label="What is shown below">
			{button}
			<Select label="Time" value={filter.range} choices={[['', 'Recent'], ...WATCH_RANGES.map(([key, words]) => [key, words] as const), [CUSTOM, 'From … to …']]} onChoose={choose} />
			{filter.range === CUSTOM && <Stretch filter={filter} onFilter={set} />}
			{(versions.length > 1 || filter.version) && <Select label="Version" value={filter.version} choices={[['', 'All versions'], ...versions]} onChoose={(version) => set({ version })} />}
			{((data?.sources.length ?? 0) > 1 || filter.source) && <Select label="Source" value={filter.source} choices={options('All sources', data?.sources ?? [], filter.source)} onChoose={(source) => set({ source })} />}
			<Select label="Label" value={filter.label} choices={options('All labels', deployment.labels, filter.label)} onChoose={(label) => set({ label })} />
			<Tags tags={filter.tags} onTags={(tags) => set({ tags })} />
			<Threshold deployment={deployment} filter={filter} floor={data?.threshold.floor ?? null} effect={effect} onFilter={set} onSaved={onSaved} />
			{narrowed && <Button kind="quiet" icon="close" onClick={() => onFilter(NO_WATCH_FILTER)}>Clear</Button>}
		</div>
	);
}
