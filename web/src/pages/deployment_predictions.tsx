// SPDX-License-Identifier: Apache-2.0
// All predictions of a deployment: found, shown three ways, selected, and sent on their way many at once.
import type { JSX } from 'preact';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { learn, type ReviewedAsset } from '../api/learn';
import type { Deployment } from '../api/types';
import { count } from '../lib/format';
import { isFiltering, listQuery, readFilter, writeFilter, type PredictionFilter } from '../lib/prediction_filter';
import { everything, extend, isSelected, NOTHING, selectedCount, toggle } from '../lib/selection';
import type { ThresholdView } from '../lib/shapes';
import { throttle } from '../lib/throttle';
import type { Whose } from '../lib/whose';
import { Empty, Failure } from '../parts/basics';
import type { Listener } from '../parts/dashboard';
import { Detail } from '../parts/detail';
import { useStore } from '../parts/hooks';
import { BulkBar } from '../parts/predictions_bulk';
import { PredictionFilters, type View } from '../parts/predictions_filter';
import { PredictionDetails, PredictionRow, PredictionTile } from '../parts/predictions_tile';
import { TileSkeleton } from '../parts/tile';
import { useDelayed } from '../parts/use_delayed';
import type { History } from '../parts/use_history';
import { usePaged } from '../parts/use_paged';
import { WindowGrid } from '../parts/window_grid';
import { navigate, place, withParameter } from '../router';

const ROW = { grid: 0, table: 58, details: 300 } as const;

const viewOf = (text: string | null): View => (text === 'table' || text === 'details' ? text : 'grid');

/** The filter stands in the address, but one types faster than one reads. */
function useFilter(): [PredictionFilter, (filter: PredictionFilter) => void] {
	const { query } = useStore(place);
	const filter = useMemo(() => readFilter(query), [query]);
	const set = (next: PredictionFilter): void => {
		const text = writeFilter(next, place.get().query).toString();
		navigate(location.pathname + (text ? `?${text}` : ''), 'replace');
	};
	return [filter, set];
}

export function PredictionsTab({ deployment, history, listener }: { deployment: Deployment; history: History; listener: { current: Listener | null } }): JSX.Element {
	const { id, labels } = deployment;
	const [filter, setFilter] = useFilter();
	const { query } = useStore(place);
	const view = viewOf(query.get('view'));
	const opened = query.get('prediction');
	const [whose, setWhose] = useState<Whose>('champion');
	const [tile, setTile] = useState(200);
	const [threshold, setThreshold] = useState<ThresholdView>(null);
	const [selection, setSelection] = useState(NOTHING);
	const late = useDelayed(filter);
	const wanted = useMemo(() => listQuery(late, Date.now()), [late]);
	const key = `${id} ${JSON.stringify(wanted)}`;
	const fetchItems = useCallback((page: { limit: number; offset: number }, signal: AbortSignal) => learn.predictions(id, { ...wanted, ...page }, signal), [key]);
	const list = usePaged<ReviewedAsset>(key, fetchItems);
	useEffect(() => setSelection(NOTHING), [key]);

	const refresh = useMemo(() => throttle(() => list.reload(), 2000), [list]);
	useEffect(() => refresh.cancel, [refresh]);
	useEffect(() => {
		// What is new comes in on top; whoever reads further down is not disturbed.
		const top = (): void => {
			if (scrollY < 400) refresh();
		};
		listener.current = { prediction: top, changed: refresh, missed: refresh, review: refresh };
		return () => {
			listener.current = null;
		};
	});

	const refused = list.error instanceof ApiError && list.error.status === 400;
	const total = list.total ?? (list.error === null ? 12 : 0);
	const selecting = selectedCount(selection, total) > 0;
	const select = (index: number, asset: string, how: 'toggle' | 'extend'): void =>
		setSelection((s) => (how === 'extend' ? extend(s, index, (i) => list.at(i)?.id) : toggle(s, index, asset)));
	const render = (index: number): JSX.Element => {
		const asset = list.at(index);
		if (!asset) return <TileSkeleton />;
		const props = { asset, whose, labels, selected: isSelected(selection, asset.id), selecting, onSelect: (how: 'toggle' | 'extend') => select(index, asset.id, how) };
		if (view === 'table') return <PredictionRow {...props} />;
		return view === 'details' ? <PredictionDetails {...props} deployment={id} /> : <PredictionTile {...props} />;
	};
	const onKey = (event: KeyboardEvent, index: number): boolean => {
		const asset = list.at(index);
		if (event.key === 'Escape' && selecting) setSelection(NOTHING);
		else if (event.key.toLowerCase() === 'a' && (event.ctrlKey || event.metaKey)) setSelection(everything());
		else if ((event.key === 'x' || event.key === ' ') && asset && !(event.target instanceof HTMLInputElement)) select(index, asset.id, event.shiftKey ? 'extend' : 'toggle');
		else return false;
		return true;
	};
	const index = opened ? list.indexOf(opened) : -1;
	if (list.total === 0 && !isFiltering(late) && list.error === null) {
		return (
			<Empty title="No predictions yet">
				<p>What {deployment.name} answers is listed here, to be looked at, corrected, and sent on to a dataset. <a href={`/deployment/${id}`}>The dashboard</a> says how to send the first picture.</p>
			</Empty>
		);
	}
	return (
		<>
			<PredictionFilters deployment={deployment} names={history.names} filter={filter} error={list.error} total={list.total} view={view} whose={whose} tile={tile} onFilter={setFilter}
				onView={(next) => navigate(withParameter('view', next === 'grid' ? null : next), 'replace')} onWhose={setWhose} onTile={setTile} />
			{list.error !== null && !(refused && filter.q.trim()) && <Failure error={list.error} what="The predictions could not be read" onRetry={() => list.reload()} />}
			{list.total === 0 && <p class="no-match">No prediction fits.</p>}
			{view === 'table' && total > 0 && (
				<div class="prediction-row prediction-heads" aria-hidden="true"><span /><span class="prediction-open"><span>Picture</span><span /><span>Found</span><span class="number">Best</span><span>Status</span><span class="number">Latency</span><span class="number">When</span></span></div>
			)}
			<WindowGrid total={refused ? 0 : total} label={`${count(total)} predictions`} tile={tile} caption={48} row={ROW[view]} busy={list.total === null}
				keyOf={(i) => list.at(i)?.id ?? `empty ${i}`} onLook={(first, last) => list.look(first, last)} onKey={onKey} render={render} />
			{selecting && (
				<BulkBar deployment={id} selection={selection} total={total} query={wanted} nameOf={(one) => list.at(list.indexOf(one))?.data.filename ?? one.slice(0, 8)}
					onAll={() => setSelection(everything())} onClear={() => setSelection(NOTHING)} onDone={() => {
						setSelection(NOTHING);
						list.reload();
					}} />
			)}
			{opened && (
				<Detail id={opened} known={index >= 0 ? list.at(index) : undefined} view={threshold} standing={deployment.min_threshold} names={history.names} shadows={deployment.shadows} deployment={id}
					newer={list.at(index - 1)?.id ?? null} older={index >= 0 ? list.at(index + 1)?.id ?? null : null}
					onView={setThreshold} onMove={(next) => navigate(withParameter('prediction', next), 'replace')} onClose={() => navigate(withParameter('prediction', null), 'replace')} />
			)}
		</>
	);
}
