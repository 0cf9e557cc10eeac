// SPDX-License-Identifier: Apache-2.0
// A deployment's first page: what answers and what follows, how fast, and what was said last.
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { learn, type FeedbackLoop } from '../api/learn';
import type { Deployment, PredictionEvent } from '../api/types';
import { indexOf, itemAt } from '../lib/feed';
import { count, milliseconds } from '../lib/format';
import { championChanges } from '../lib/history';
import { fittingRange, type Range } from '../lib/points';
import { compareThresholds, type ThresholdView } from '../lib/shapes';
import { throttle } from '../lib/throttle';
import { navigate, place, withParameter } from '../router';
import { Time } from './basics';
import { ChampionCard } from './champion';
import { Detail } from './detail';
import { Checklist } from './first_picture';
import { Grid } from './grid';
import { useLoad, useStore } from './hooks';
import { LatencyPanel } from './latency_panel';
import { lazy } from './lazy';
import { LoopStrip } from './loop_strip';
import { SendCard } from './send';
import { ShadowCards } from './shadows';
import { EffectLine, ThresholdBar } from './threshold';
import { useFeed } from './use_feed';
import type { History } from './use_history';
import { useLatency, type Span } from './use_latency';

const QualityPanel = lazy(() => import('./quality_panel').then((m) => m.QualityPanel));

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

export function Dashboard({ deployment, history, listener, loop, onChanged }: {
	deployment: Deployment;
	history: History;
	listener: { current: Listener | null };
	loop: FeedbackLoop | undefined;
	onChanged: (deployment: Deployment) => void;
}): JSX.Element {
	const { id, shadows } = deployment;
	const [view, setView] = useState<ThresholdView>(null);
	const [range, setRange] = useState<Range>(() => fittingRange(deployment.stats.last_at, Date.now()));
	const [picked, setPicked] = useState<Span | null>(null);
	const [cpu, setCpu] = useState(false);
	const opened = useStore(place).query.get('prediction');
	const loader = useFeed(id, view);
	const latency = useLatency(id, range, picked, cpu);
	const { feed } = loader;
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

	// Opened from the grid one walks the grid; opened from the chart, where the grid may not reach, one walks the dots.
	const neighbours = useMemo((): [newer: string | null, older: string | null] => {
		if (!opened) return [null, null];
		const index = indexOf(feed, opened);
		if (index >= 0) return [itemAt(feed, index - 1)?.id ?? null, itemAt(feed, index + 1)?.id ?? null];
		const { points } = latency.points;
		const dot = points.findIndex((p) => p[2] === opened);
		return dot < 0 ? [null, null] : [points[dot + 1]?.[2] ?? null, points[dot - 1]?.[2] ?? null];
	}, [opened, feed, latency.points]);
	const arrived = useRef(opened !== null);
	const close = (): void => {
		// Back to where it was opened from; a page that began with it open has no such place.
		if (arrived.current) navigate(withParameter('prediction', null), 'replace');
		else window.history.back();
		arrived.current = false;
	};
	const openAsset = (asset: string): void => navigate(withParameter('prediction', asset));
	const none = feed.loaded && feed.count === 0;
	const external = deployment.status === 'EXTERNAL';
	const known = opened ? itemAt(feed, indexOf(feed, opened)) : undefined;

	return (
		<>
			<div class={shadows.length > 1 ? 'card-rows many' : 'card-rows'}>
				<div class="cards">
					<ChampionCard deployment={deployment} history={history} onChanged={onChanged} />
					{!external && <ShadowCards deployment={deployment} onChanged={onChanged} />}
				</div>
				<div class="cards">
					<OverviewCard deployment={deployment} />
					{!external && <SendCard deployment={deployment} />}
				</div>
			</div>
			{queue.data && !none && <LoopStrip deployment={deployment} queue={queue.data} loop={loop} />}
			{none ? <Checklist deployment={deployment} loop={loop} /> : (
				<>
					<LatencyPanel latency={latency} range={range} picked={picked} markers={markers} cpu={cpu} onCpu={shadows.length > 0 || cpu ? setCpu : null}
						onOpen={openAsset} onPick={setPicked} onRange={(next) => {
							setPicked(null);
							setRange(next);
						}} />
					<QualityPanel deployment={deployment} names={history.names} told={refreshQuality} />
					<section class="predictions" aria-label="Last predictions">
						<header class="predictions-head">
							<div>
								<h2>Last predictions{feed.loaded && <span class="count">{count(feed.count)}</span>}</h2>
								<EffectLine view={view} effect={effect} />
							</div>
							<ThresholdBar deployment={deployment} view={view} effect={effect} onView={setView} onSaved={onChanged} />
						</header>
						<Grid loader={loader} view={view} />
					</section>
				</>
			)}
			{opened && (
				<Detail id={opened} known={known} view={view} standing={deployment.min_threshold} names={history.names} shadows={shadows} deployment={id} newer={neighbours[0]} older={neighbours[1]}
					onView={setView} onMove={(next) => navigate(withParameter('prediction', next), 'replace')} onClose={close} />
			)}
		</>
	);
}
