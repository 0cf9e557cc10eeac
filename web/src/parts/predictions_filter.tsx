// SPDX-License-Identifier: Apache-2.0
// The filters of the Predictions tab, and how what they find is shown.
import type { JSX } from 'preact';
import { organization } from '../api/session';
import { learn } from '../api/learn';
import type { Deployment } from '../api/types';
import { plural } from '../lib/format';
import { versionChoices, type VersionNames } from '../lib/history';
import { isFiltering, ORDERS, SINCE, STATUSES, statusWords, type PredictionFilter } from '../lib/prediction_filter';
import { CHAMPION_COLOUR, SHADOW_COLOUR, type Whose } from '../lib/whose';
import { Button, Segments } from './basics';
import { useLoad } from './hooks';
import { Icon } from './icons';
import { Question, Select, TileSize, useFold } from './tool_bar';

export type View = 'grid' | 'table' | 'details';

const VIEWS: readonly (readonly [View, JSX.Element])[] = [
	['grid', <><Icon name="grid" size={14} /><span class="wide-only">Grid</span></>], ['table', <><Icon name="rows" size={14} /><span class="wide-only">Table</span></>],
	['details', <><Icon name="picture" size={14} /><span class="wide-only">Details</span></>],
];

function Score({ filter, set }: { filter: PredictionFilter; set: (change: Partial<PredictionFilter>) => void }): JSX.Element {
	const field = (key: 'score_min' | 'score_max', label: string, hint: string): JSX.Element => (
		<input class={filter[key] ? 'input is-set' : 'input'} type="number" inputMode="decimal" min={0} max={1} step={0.05} aria-label={label} placeholder={hint} value={filter[key]} onInput={(event) => set({ [key]: event.currentTarget.value })} />
	);
	return <span class="score-range" title="The score of its surest shape">{field('score_min', 'Score from', 'score ≥')}{field('score_max', 'Score to', '≤')}</span>;
}

export function PredictionFilters({ deployment, names, filter, error, total, view, whose, tile, onFilter, onView, onWhose, onTile }: {
	deployment: Deployment;
	names: VersionNames;
	filter: PredictionFilter;
	error: unknown;
	total: number | null;
	view: View;
	whose: Whose;
	tile: number;
	onFilter: (filter: PredictionFilter) => void;
	onView: (view: View) => void;
	onWhose: (whose: Whose) => void;
	onTile: (tile: number) => void;
}): JSX.Element {
	const sources = useLoad('sources', (signal) => learn.sources(organization(), signal));
	const set = (change: Partial<PredictionFilter>): void => onFilter({ ...filter, ...change });
	const versions = versionChoices(deployment, names);
	const { folded, button } = useFold(filter.status.length + [filter.source, filter.tag, filter.label, filter.version, filter.score_min, filter.score_max, filter.since].filter(Boolean).length);
	const whoses: [Whose, string][] = [['champion', 'Champion'], ...(deployment.shadows.length > 0 ? [['shadow', 'Shadow'], ['both', 'Both']] as [Whose, string][] : []), ['review', 'Reviewed']];
	return (
		<div class={`tool-bar predictions-bar${folded}`}>
			{button}
			<Select label="Status" value={filter.status[0] ?? ''} choices={[['', 'Any status'], ...STATUSES.map((s) => [s, statusWords(s).word] as const)]} onChoose={(s) => set({ status: s ? [s] : [] })} />
			<Select label="Label" value={filter.label} choices={[['', 'Any label'], ...deployment.labels.map((l) => [l, l] as const)]} onChoose={(label) => set({ label })} />
			<Select label="Time" value={filter.since} choices={[['', 'Any time'], ...SINCE.map(([key, words]) => [key, words] as const)]} onChoose={(since) => set({ since })} />
			{((sources.data?.items.length ?? 0) > 1 || filter.source) && <Select label="Source" value={filter.source} choices={[['', 'Any source'], ...(sources.data?.items ?? []).map((s) => [s.name, s.name] as const)]} onChoose={(source) => set({ source })} />}
			{(versions.length > 1 || filter.version) && <Select label="Version" value={filter.version} choices={[['', 'Any version'], ...versions]} onChoose={(version) => set({ version })} />}
			<label class={filter.tag ? 'pick is-set' : 'pick'}><span class="unseen">Tag</span><input class="input tag-input" value={filter.tag} placeholder="tag" autoComplete="off" spellcheck={false} onInput={(event) => set({ tag: event.currentTarget.value })} /></label>
			<Score filter={filter} set={set} />
			<Question value={filter.q} example={'filename contains "dock"'} error={error} onInput={(q) => set({ q })} />
			{isFiltering(filter) && <Button kind="quiet" icon="close" onClick={() => onFilter({ ...filter, status: [], source: '', tag: '', label: '', version: '', score_min: '', score_max: '', since: '', q: '' })}>Clear</Button>}
			<div class="predictions-view">
				<Segments name="predictions-view" legend="View" value={view} choices={VIEWS} onChoose={onView} />
				<Segments name="predictions-whose" legend="Whose shapes" value={whose} choices={whoses} onChoose={onWhose} />
				{whose === 'both' && <span class="whose-legend"><i style={{ borderColor: CHAMPION_COLOUR }} />champion <i class="dashed" style={{ borderColor: SHADOW_COLOUR }} />shadow</span>}
				<span class="tool-end">
					{total !== null && <span class="muted" role="status">{plural(total, 'prediction')}</span>}
					<Select label="Order" filters={false} value={filter.order} choices={ORDERS} onChoose={(order) => set({ order })} />
					{view === 'grid' && <TileSize value={tile} onSize={onTile} />}
				</span>
			</div>
		</div>
	);
}
