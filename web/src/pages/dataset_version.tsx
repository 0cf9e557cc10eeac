// SPDX-License-Identifier: Apache-2.0
// One version of a dataset: its images with what was drawn on them, its statistics, the way in and the way out.
import type { JSX } from 'preact';
import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { learn, type Asset, type DatasetVersion, type Label } from '../api/learn';
import { assetQuery, nextVersionName, NO_FILTER, type AssetFilter } from '../lib/dataset';
import type { Found } from '../lib/folder';
import { count, plural, taskName } from '../lib/format';
import type { Paged } from '../lib/paged';
import { AssetDetail } from '../parts/asset_detail';
import { AssetTile } from '../parts/asset_tile';
import { Button, Copy, Empty, Failure, Skeleton } from '../parts/basics';
import { ForkDialog, HoldOutDialog, LockButton } from '../parts/dataset_dialogs';
import { ExportDialog } from '../parts/dataset_export';
import { taken } from '../parts/dataset_handover';
import { ImportDialog } from '../parts/dataset_import';
import { StatisticsPanel } from '../parts/dataset_stats';
import { DropCover } from '../parts/files';
import { useLoad, useStore, useTitle } from '../parts/hooks';
import { Icon } from '../parts/icons';
import { TileSkeleton } from '../parts/tile';
import { Question, Select, TileSize, useFold } from '../parts/tool_bar';
import { useDelayed } from '../parts/use_delayed';
import { lazy } from '../parts/lazy';
import { useDropped } from '../parts/use_dropped';
import { usePaged } from '../parts/use_paged';
import { WindowGrid } from '../parts/window_grid';
import { navigate, place, withParameter } from '../router';
import { NotFoundPage } from './not_found';

const FirstModelDialog = lazy(() => import('../parts/first_model_dialog').then((m) => m.FirstModelDialog));
const PreLabelDialog = lazy(() => import('../parts/pre_label_dialog').then((m) => m.PreLabelDialog));

const CAPTION = 48;

function Head({ version, onImport, onExport, onFork, onHoldOut, onTrain, onPreLabel, onChanged }: {
	version: DatasetVersion;
	onImport: () => void;
	onExport: () => void;
	onFork: () => void;
	onHoldOut: () => void;
	onTrain: () => void;
	onPreLabel: () => void;
	onChanged: () => void;
}): JSX.Element {
	return (
		<header class="page-head">
			<div>
				<nav class="trail" aria-label="Trail"><a href="/datasets">Datasets</a> <a href={`/dataset/${version.origin_id}`}>{version.origin_name}</a></nav>
				<h1>{version.version}{version.locked && <span class="badge given lock-badge"><Icon name="lock" size={12} />locked</span>}</h1>
				<p class="head-facts">
					<span>{taskName(version.type)}</span>
					<span><strong>{count(version.assets)}</strong> images</span>
					<span><strong>{count(version.annotated)}</strong> annotated</span>
					<span>{plural(version.labels, 'label')}</span>
					<Copy text={version.id} what="version id"><code>{version.id.slice(0, 8)}</code></Copy>
					{version.hash && <span title={version.hash}>hash <Copy text={version.hash} what="hash"><code>{version.hash.slice(0, 10)}</code></Copy></span>}
				</p>
			</div>
			<div class="page-tools">
				<Button icon="upload" disabled={version.locked} title={version.locked ? 'It is locked: fork it to go on.' : undefined} onClick={onImport}>Import</Button>
				<Button icon="download" disabled={version.assets === 0} onClick={onExport}>Export</Button>
				<Button icon="fork" onClick={onFork}>Fork</Button>
				<Button disabled={version.locked || version.assets === 0} title="Keep images to measure with, out of every training" onClick={onHoldOut}>Hold out</Button>
				<Button icon="review" disabled={version.locked || version.assets === 0} title={version.locked ? 'It is locked: fork it to go on.' : 'A model draws first, people correct'} onClick={onPreLabel}>Pre-label</Button>
				<Button icon="train" disabled={version.assets === 0} onClick={onTrain}>Train a first model</Button>
				<LockButton version={version} onChanged={onChanged} />
				{version.assets > 0 && <a class="button primary" href={`/dataset/version/${version.id}/annotate`}><Icon name="edit" /><span>{version.locked ? 'Open the annotator' : 'Annotate'}</span></a>}
			</div>
		</header>
	);
}

const ANNOTATED = [['', 'Annotated or not'], ['yes', 'Annotated'], ['no', 'Not annotated']] as const;
const USE = [['', 'For all uses'], ['no', 'For training'], ['yes', 'For evaluation']] as const;

function Filters({ filter, labels, error, shown, tile, onFilter, onTile }: {
	filter: AssetFilter;
	labels: readonly string[];
	error: unknown;
	shown: number | null;
	tile: number;
	onFilter: (filter: AssetFilter) => void;
	onTile: (tile: number) => void;
}): JSX.Element {
	const set = (change: Partial<AssetFilter>): void => onFilter({ ...filter, ...change });
	const filtering = assetQuery(filter) !== undefined;
	const { folded, button } = useFold([filter.label, filter.annotated, filter.evaluation].filter(Boolean).length);
	return (
		<div class={`tool-bar${folded}`}>
			{button}
			<Select label="Label" value={filter.label} choices={[['', 'Any label'], ...labels.map((l) => [l, l] as const)]} onChoose={(label) => set({ label })} />
			<Select label="Annotated" value={filter.annotated} choices={ANNOTATED} onChoose={(annotated) => set({ annotated: annotated as AssetFilter['annotated'] })} />
			<Select label="Use" value={filter.evaluation} choices={USE} onChoose={(evaluation) => set({ evaluation: evaluation as AssetFilter['evaluation'] })} />
			<Question value={filter.q} example={'filename contains "night"'} error={error} onInput={(q) => set({ q })} />
			{filtering && <Button kind="quiet" icon="close" onClick={() => onFilter(NO_FILTER)}>Clear</Button>}
			<span class="tool-end">
				{filtering && shown !== null && <span class="muted" role="status">{plural(shown, 'image')}</span>}
				<TileSize value={tile} onSize={onTile} />
			</span>
		</div>
	);
}

function Images({ version, labels, list, filter, tile, onFilter, onTile, onImport }: {
	version: DatasetVersion;
	labels: readonly string[];
	list: Paged<Asset>;
	filter: AssetFilter;
	tile: number;
	onFilter: (filter: AssetFilter) => void;
	onTile: (tile: number) => void;
	onImport: () => void;
}): JSX.Element {
	const total = list.total ?? (list.error === null ? 12 : 0);
	const refused = list.error instanceof ApiError && list.error.status === 400 && filter.q.trim() !== '';
	if (version.assets === 0 && list.total === 0) {
		return (
			<Empty title="No images yet">
				<p>Drop a folder anywhere on this page: pictures with their COCO, Pascal VOC or YOLO annotations, or bare pictures.</p>
				<p class="row-actions">
					<Button kind="primary" icon="folder" disabled={version.locked} onClick={onImport}>Import a folder</Button>
					<span class="muted">A deployment’s Feedback Loop can fill it too.</span>
				</p>
			</Empty>
		);
	}
	return (
		<>
			<Filters filter={filter} labels={labels} error={list.error} shown={list.total} tile={tile} onFilter={onFilter} onTile={onTile} />
			{list.error !== null && !refused && <Failure error={list.error} what="The images could not be read" onRetry={() => list.reload()} />}
			{list.total === 0 && <p class="no-match">No image fits.</p>}
			<WindowGrid total={refused ? 0 : total} label={`${count(total)} images`} tile={tile} caption={CAPTION} busy={list.total === null} keyOf={(i) => list.at(i)?.id ?? `empty ${i}`}
				onLook={(first, last) => list.look(first, last)} render={(i) => {
					const asset = list.at(i);
					return asset ? <AssetTile asset={asset} labels={labels} /> : <TileSkeleton />;
				}} />
		</>
	);
}

function Statistics({ version, labels }: { version: DatasetVersion; labels: readonly Label[] }): JSX.Element {
	const stats = useLoad(`stats ${version.id} ${version.revision}`, (signal) => learn.stats(version.id, signal));
	return (
		<>
			{stats.error !== null && <Failure error={stats.error} what="The statistics could not be read" onRetry={stats.reload} />}
			{!stats.data && stats.loading && <section class="panel padded"><Skeleton width="100%" height={180} /></section>}
			{stats.data && <StatisticsPanel stats={stats.data} labels={labels} />}
		</>
	);
}

function Loaded({ version, reload }: { version: DatasetVersion; reload: () => void }): JSX.Element {
	const { id } = version;
	const { query } = useStore(place);
	const view = query.get('view') === 'statistics' ? 'statistics' : '';
	const opened = query.get('asset');
	const [filter, setFilter] = useState<AssetFilter>({ ...NO_FILTER, label: query.get('label') ?? '' });
	// A label chosen among the statistics comes by the address.
	const wanted = query.get('label');
	const lastWanted = useRef(wanted);
	if (lastWanted.current !== wanted) {
		lastWanted.current = wanted;
		if (wanted !== null) setFilter({ ...NO_FILTER, label: wanted });
	}
	const [tile, setTile] = useState(200);
	const [dialog, setDialog] = useState<'export' | 'fork' | 'hold out' | 'train' | 'pre-label' | null>(null);
	const [importing, setImporting] = useState<readonly Found[] | null>(() => {
		const found = taken(id);
		return found.length > 0 ? found : null;
	});
	const over = useDropped((found) => setImporting(found), !version.locked && importing === null);
	const labels = useLoad(`dataset labels ${id} ${version.revision}`, (signal) => learn.labels(id, signal));
	// While the labels of a new revision come, the old ones colour.
	const lastLabels = useRef<readonly Label[]>([]);
	if (labels.data) lastLabels.current = labels.data.items;
	const items = lastLabels.current;
	const names = useMemo(() => items.map((l) => l.name), [items]);
	const q = useDelayed(assetQuery(filter));
	const fetchItems = useCallback((page: { limit: number; offset: number }, signal: AbortSignal) => learn.assets(id, { ...page, q }, signal), [id, q]);
	const list = usePaged<Asset>(`${id} ${q ?? ''}`, fetchItems);
	const changed = (): void => {
		reload();
		labels.reload();
		list.reload();
	};
	const index = opened ? list.indexOf(opened) : -1;
	const home = `/dataset/version/${id}`;
	return (
		<>
			<Head version={version} onImport={() => setImporting([])} onExport={() => setDialog('export')} onFork={() => setDialog('fork')} onHoldOut={() => setDialog('hold out')}
				onTrain={() => setDialog('train')} onPreLabel={() => setDialog('pre-label')} onChanged={reload} />
			<nav class="tabs" aria-label="Of this version">
				<a href={home} aria-current={view === '' ? 'page' : undefined}>Images</a>
				<a href={`${home}?view=statistics`} aria-current={view === 'statistics' ? 'page' : undefined}>Statistics</a>
			</nav>
			{view === 'statistics'
				? <Statistics version={version} labels={items} />
				: <Images version={version} labels={names} list={list} filter={filter} tile={tile} onFilter={setFilter} onTile={setTile} onImport={() => setImporting([])} />}
			<DropCover over={over}>Drop pictures and annotations to import them</DropCover>
			{importing && <ImportDialog version={version} found={importing} onDone={changed} onClose={() => setImporting(null)} />}
			{dialog === 'export' && <ExportDialog version={version} onClose={() => setDialog(null)} />}
			{dialog === 'hold out' && <HoldOutDialog version={version} onClose={() => setDialog(null)} onDone={changed} />}
			{dialog === 'train' && <FirstModelDialog version={version} onClose={() => setDialog(null)} />}
			{dialog === 'pre-label' && <PreLabelDialog version={version} labels={names} onDone={changed} onClose={() => setDialog(null)} />}
			{dialog === 'fork' && <ForkDialog version={version} suggested={nextVersionName([version.version], version.version)} onClose={() => setDialog(null)} onForked={(made) => navigate(`/dataset/version/${made}`)} />}
			{opened && (
				<AssetDetail id={opened} known={index >= 0 ? list.at(index) : undefined} version={version} labels={names} newer={list.at(index - 1)?.id ?? null} older={index >= 0 ? list.at(index + 1)?.id ?? null : null}
					onChanged={changed} onMove={(next) => navigate(withParameter('asset', next), 'replace')} onClose={() => navigate(withParameter('asset', null), 'replace')} />
			)}
		</>
	);
}

export function DatasetVersionPage({ id }: { id: string }): JSX.Element {
	const version = useLoad(`dataset version ${id}`, (signal) => learn.version(id, signal));
	useTitle(version.data ? `${version.data.origin_name} ${version.data.version}` : 'Dataset version');
	if (version.error instanceof ApiError && version.error.status === 404) return <NotFoundPage what="This dataset version" />;
	return (
		<>
			{version.error !== null && <Failure error={version.error} what="The dataset version could not be read" onRetry={version.reload} />}
			{version.data ? <Loaded version={version.data} reload={version.reload} /> : version.loading && (
				<div aria-busy="true"><header class="page-head"><h1><Skeleton width={200} height={26} /></h1></header><Skeleton width="100%" height={320} /></div>
			)}
		</>
	);
}
