// SPDX-License-Identifier: Apache-2.0
// A deployment's first page: the state in one sentence, what answers and what follows, and every metric, by what it needs.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { dashboard, type DashboardData } from '../api/dashboard';
import { learn, type FeedbackLoop } from '../api/learn';
import type { Deployment, PredictionEvent } from '../api/types';
import type { TrainingData } from '../api/watch';
import { openEvents } from '../lib/alerts';
import { indexOf, itemAt } from '../lib/feed';
import { count, milliseconds } from '../lib/format';
import { championChanges } from '../lib/history';
import { compareThresholds, type ThresholdView } from '../lib/shapes';
import { throttle } from '../lib/throttle';
import { isNarrowed, latencyWindow, NO_WATCH_FILTER, predictionsLink, rangeWords, readWatchFilter, watchKey, watchQuery, withRecent, writeWatchFilter, type WatchFilter } from '../lib/watch_filter';
import { navigate, place, withParameter } from '../router';
import { AlertsCard, useAlerts } from './alerts_card';
import { Button, Failure, Skeleton, Time } from './basics';
import { ChampionCard } from './champion';
import { DashboardFilter } from './dashboard_filter';
import { Detail } from './detail';
import { DriftPanel } from './drift_panel';
import { Checklist } from './first_picture';
import { Grid } from './grid';
import { useLoad, useStore } from './hooks';
import { LatencyPanel } from './latency_panel';
import { lazy } from './lazy';
import { LoopStrip } from './loop_strip';
import { NeedsNothing } from './needs_nothing';
import { HeatmapPanel } from './needs_nothing_heatmap';
import { OneThingBar } from './one_thing_bar';
import { OutlierPanel } from './outlier_panel';
import { SendCard } from './send';
import { ShadowCards } from './shadows';
import { EffectLine } from './threshold';
import { useDelayed } from './use_delayed';
import { useFeed } from './use_feed';
import type { History } from './use_history';
import { useLatency } from './use_latency';
import { useVerdicts, type Loop } from './use_loop';
import { useStanding } from './use_standing';

const QualityPanel = lazy(() => import('./quality_panel').then((m) => m.QualityPanel));

const QUIET_MS = 30_000;
/** The tiles beside the heat map. */
const TILES = 6;

/** What the page's event stream tells whoever draws. */
export interface Listener {
	prediction: (event: PredictionEvent) => void;
	changed: () => void;
	missed: () => void;
	/** Somebody reviewed a picture, or it was submitted. */
	review: () => void;
}

function OverviewCard({ deployment }: { deployment: Deployment }): JSX.Element {
	const { stats } = deployment;
	const latency = (ms: number | null): string => milliseconds(stats.inferences > 0 ? ms : null);
	return (
		<section class="panel card" aria-label="Overview">
			<header class="card-head"><h2>Overview</h2></header>
			<dl class="overview">
				<div><dt>Inferences</dt><dd>{count(stats.inferences)}</dd></div>
				<div><dt>Mean latency</dt><dd>{latency(stats.mean_latency_ms)}</dd></div>
				<div title="99 of 100 predictions took no longer."><dt>p99 latency</dt><dd>{latency(stats.p99_latency_ms)}</dd></div>
				<div><dt>Failed</dt><dd class={stats.failed > 0 ? 'bad-text' : undefined}>{count(stats.failed)}</dd></div>
			</dl>
			<p class="muted card-note">Last prediction: <Time at={stats.last_at} /></p>
		</section>
	);
}

function Group({ title, note, children }: { title: string; note: ComponentChildren; children: ComponentChildren }): JSX.Element {
	return (
		<section class="watch-group" aria-label={title}>
			<header><h2>{title}</h2><p class="muted">{note}</p></header>
			{children}
		</section>
	);
}

/** From which images the numbers are. */
function basisNote(data: DashboardData | undefined): string {
	if (!data) return 'From the images, the answers and the clock.';
	const { basis, totals } = data;
	const behind = data.behind ? ' The newest are being counted.' : '';
	return (basis.sentence ?? (basis.kind === 'all' ? `Counted from all ${count(totals.predictions)} predictions.` : `Drawn from ${count(basis.images)} of ${count(basis.of)} images.`)) + behind;
}

function useWatchFilter(): [WatchFilter, (filter: WatchFilter) => void] {
	const { path, query } = useStore(place);
	const filter = useMemo(() => readWatchFilter(query), [query]);
	const set = (next: WatchFilter): void => {
		const text = writeWatchFilter(next, query).toString();
		navigate(text ? `${path}?${text}` : path, 'replace');
	};
	return [filter, set];
}

/** About the shape of the images that came: the frame of the heat map. */
function frameRatio(data: DashboardData | undefined): number {
	const names = data?.distributions.image_ratios ?? [];
	const most = names.reduce((best, r) => (r.images > best.images ? r : best), { name: '', images: 0 });
	const ratios: Record<string, number> = { square: 1, tall: 3 / 4, 'very tall': 9 / 16, wide: 4 / 3, 'very wide': 16 / 9, 'extremely wide': 2.2 };
	return ratios[most.name] ?? 4 / 3;
}

export function Dashboard({ deployment, history, listener, loop, training, slow, onChanged }: {
	deployment: Deployment;
	history: History;
	listener: { current: Listener | null };
	loop: FeedbackLoop | undefined;
	training: TrainingData | undefined;
	slow: Loop;
	onChanged: (deployment: Deployment) => void;
}): JSX.Element {
	const { id, shadows } = deployment;
	const [filter, setFilter] = useWatchFilter();
	const wanted = withRecent(filter, deployment.created_at, deployment.stats.last_at, Date.now());
	const late = useDelayed(useMemo(() => wanted, [watchKey(wanted)]), 150);
	const change = (part: Partial<WatchFilter>): void => setFilter({ ...filter, ...part });
	const view: ThresholdView = filter.threshold === 'answered' ? null : filter.threshold === 'setting' ? deployment.min_threshold : filter.threshold;
	const lateKey = watchKey(late);
	const counted = useStanding(`dashboard ${id} ${lateKey} ${deployment.min_threshold} ${deployment.model_version_id}`, (signal) => dashboard.read(id, watchQuery(late, Date.now()), signal));
	const data = counted.shown;
	// What fails makes no event, and "the last hour" goes on.
	useEffect(() => {
		const timer = setInterval(() => document.hidden || counted.reload(), QUIET_MS);
		return () => clearInterval(timer);
	}, [counted.reload]);

	const [cpu, setCpu] = useState(false);
	// Later predictions do not move a stretch that begins with the last one, but the first of a new day does.
	const lastDay = deployment.stats.last_at?.slice(0, 10) ?? '';
	const window = useMemo(() => latencyWindow(late, Date.parse(deployment.created_at) / 1000, deployment.stats.last_at, Date.now()), [lateKey, lastDay]);
	const latency = useLatency(id, window, cpu);

	const opened = useStore(place).query.get('prediction');
	const lateView: ThresholdView = late.label && typeof late.threshold === 'number' ? late.threshold : view;
	const loader = useFeed(id, lateView, {
		source: late.source || undefined, tag: late.tags[0], label: late.label || undefined, version: late.version || undefined,
		from: late.range === 'custom' ? Math.floor(late.from ?? 0) : undefined, to: late.range === 'custom' ? Math.ceil(late.to ?? 0) : undefined,
	});
	const { feed } = loader;
	const alerts = useAlerts(id);
	const queue = useLoad(`queue ${id}`, (signal) => learn.queue(id, signal));
	const refreshQueue = useMemo(() => throttle(queue.reload, 2000), [queue.reload]);
	useEffect(() => refreshQueue.cancel, [refreshQueue]);
	const refreshQuality = useRef<(() => void) | null>(null);

	// A burst of predictions becomes one request a second for the pictures.
	const refreshFeed = useMemo(() => throttle(() => loader.refresh(), 1000), [loader]);
	useEffect(() => refreshFeed.cancel, [refreshFeed]);
	useEffect(() => {
		listener.current = {
			prediction: (event) => {
				latency.add([event.at, event.latency, event.predicted_asset_id]);
				refreshFeed();
				refreshQueue();
			},
			changed: () => {
				latency.reload();
				refreshQueue();
			},
			missed: () => {
				refreshFeed();
				latency.reload();
				refreshQueue();
				counted.reload();
				refreshQuality.current?.();
			},
			review: () => {
				refreshFeed();
				refreshQueue();
				refreshQuality.current?.();
			},
		};
		return () => {
			listener.current = null;
		};
	});

	const markers = useMemo(() => championChanges(history.items).map(({ at, version }) => ({ at, name: history.names.get(version) ?? '' })), [history.items, history.names]);
	const effect = useMemo(() => {
		const assets = [...feed.slots.values()].flatMap((slot) => (slot.item && slot.epoch === feed.epoch ? [slot.item] : []));
		return compareThresholds(assets, view);
	}, [feed, view]);

	// Opened from the tiles one walks on through the predictions; opened from the chart, where they may not reach, one walks the dots.
	const openedAt = opened ? indexOf(feed, opened) : -1;
	useEffect(() => {
		if (openedAt >= 0) loader.look(Math.max(0, openedAt - 8), openedAt + 8, true);
	}, [loader, openedAt]);
	const neighbours = useMemo((): [newer: string | null, older: string | null] => {
		if (!opened) return [null, null];
		if (openedAt >= 0) return [itemAt(feed, openedAt - 1)?.id ?? null, itemAt(feed, openedAt + 1)?.id ?? null];
		const { points } = latency.points;
		const dot = points.findIndex((p) => p[2] === opened);
		return dot < 0 ? [null, null] : [points[dot + 1]?.[2] ?? null, points[dot - 1]?.[2] ?? null];
	}, [opened, openedAt, feed, latency.points]);
	const arrived = useRef(opened !== null);
	const close = (): void => {
		// Back to where it was opened from; a page that began with it open has no such place.
		if (arrived.current) navigate(withParameter('prediction', null), 'replace');
		else globalThis.history.back();
		arrived.current = false;
	};
	const none = deployment.stats.inferences === 0 && feed.count === 0;
	const external = deployment.status === 'EXTERNAL';
	const narrowed = isNarrowed(late);
	const verdicts = useVerdicts(deployment);
	const ct = slow.ct.data;
	const cd = slow.cd.data;
	const nothing = data !== undefined && data.totals.predictions === 0;

	return (
		<>
			{alerts.data && !none && ['SERVING', 'EXTERNAL'].includes(deployment.status) && <OneThingBar deployment={deployment} queue={queue.data} loop={loop} training={training} ct={ct} cd={cd} verdicts={verdicts} alerts={openEvents(alerts.data.events)} />}
			<div class={shadows.length > 1 ? 'cards many' : 'cards'} id="cards">
				<ChampionCard deployment={deployment} history={history} onChanged={onChanged} />
				{(!external || shadows.length > 0) && <ShadowCards deployment={deployment} verdicts={verdicts} onChanged={onChanged} />}
				<OverviewCard deployment={deployment} />
				<AlertsCard deployment={deployment} />
			</div>
			{queue.data && !none && <LoopStrip deployment={deployment} queue={queue.data} loop={loop} ct={ct} verdicts={verdicts} />}
			{!external && <SendCard key="send" deployment={deployment} />}
			{none ? <Checklist deployment={deployment} loop={loop} training={training} ct={ct} cd={cd} /> : (
				<>
					<DashboardFilter deployment={deployment} names={history.names} filter={filter} data={data} effect={effect} onFilter={setFilter} onSaved={onChanged} />
					<Group title="Needs nothing" note={basisNote(data)}>
						<div ref={counted.element} class="watch-stack" aria-busy={counted.loading}>
							{counted.error !== null && <Failure error={counted.error} what="What was counted could not be read" onRetry={counted.reload} />}
							{nothing && (
								<div class="notice plain"><div><strong>No predictions {rangeWords(late)}{narrowed && ' that fit'}</strong><p>The charts below have nothing to show{external && ': report predictions with monitor, and they appear'}.</p></div>
									<Button onClick={() => setFilter({ ...NO_WATCH_FILTER, range: 'all' })}>Show all</Button>
								</div>
							)}
							<LatencyPanel latency={latency} data={data} markers={markers} names={history.names} narrowed={narrowed} cpu={cpu} external={external} onCpu={shadows.length > 0 || cpu ? setCpu : null}
								onOpen={(asset) => navigate(withParameter('prediction', asset))} onPick={({ from, to }) => change({ range: 'custom', from, to })} />
							<div class={deployment.type === 'CLASSIFICATION' ? 'beside is-one' : 'beside'}>
								{deployment.type !== 'CLASSIFICATION' && <HeatmapPanel deployment={deployment} filter={late} ratio={frameRatio(data)} />}
								<section class="panel predictions" aria-label="Last predictions">
									<header class="panel-head">
										<h2>Last predictions{feed.loaded && <span class="count">{count(feed.count)}</span>}</h2>
										<a class="button quiet" href={predictionsLink(id, filter)}>All</a>
									</header>
									<EffectLine view={view} effect={effect} />
									<Grid loader={loader} view={view} most={TILES} />
									{feed.loaded && feed.count === 0 && <p class="chart-nothing">No prediction fits.</p>}
								</section>
							</div>
							{!data && counted.loading && <Skeleton width="100%" height={320} />}
							{data && !nothing && <NeedsNothing deployment={deployment} data={data} markers={markers} filter={filter} onFilter={change} />}
						</div>
					</Group>
					<Group title="Needs Training Data" note="Compared with the images the model was trained on.">
						<DriftPanel deployment={deployment} filter={late} />
						<OutlierPanel deployment={deployment} filter={late} markers={markers} />
					</Group>
					<Group title="Needs reviews" note="Compared with what people said.">
						<QualityPanel deployment={deployment} filter={filter.range === '' ? { ...late, range: '' } : late} told={refreshQuality} />
					</Group>
				</>
			)}
			{opened && (
				<Detail id={opened} known={openedAt >= 0 ? itemAt(feed, openedAt) : undefined} view={view} standing={deployment.min_threshold} names={history.names} shadows={shadows} deployment={id} newer={neighbours[0]} older={neighbours[1]}
					onView={(next) => change({ threshold: next === null ? 'answered' : next })} onMove={(next) => navigate(withParameter('prediction', next), 'replace')} onClose={close} />
			)}
		</>
	);
}
