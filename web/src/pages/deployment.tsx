// SPDX-License-Identifier: Apache-2.0
// One deployment: what answers, how fast, and what it said last. Alive through one event stream.
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { api, ApiError } from '../api/client';
import type { Deployment, PredictionEvent } from '../api/types';
import { indexOf, itemAt } from '../lib/feed';
import { count, exact, milliseconds } from '../lib/format';
import { fittingRange, type Range } from '../lib/points';
import { compareThresholds, type ThresholdView } from '../lib/shapes';
import { throttle } from '../lib/throttle';
import { Failure, Skeleton, Time } from '../parts/basics';
import { ChampionCard, ResumeButton } from '../parts/champion';
import { DeploymentHead } from '../parts/deployment_head';
import { Detail } from '../parts/detail';
import { FirstPicture } from '../parts/first_picture';
import { Grid } from '../parts/grid';
import { useLive, useLoad, useStore, useTitle } from '../parts/hooks';
import { Icon } from '../parts/icons';
import { LatencyPanel } from '../parts/latency_panel';
import { SendCard } from '../parts/send';
import { EffectLine, ThresholdBar } from '../parts/threshold';
import { useFeed } from '../parts/use_feed';
import { useHistory } from '../parts/use_history';
import { useLatency, type Span } from '../parts/use_latency';
import { navigate, place, withParameter } from '../router';
import { NotFoundPage } from './not_found';

function Banner({ deployment, onChanged }: { deployment: Deployment; onChanged: (d: Deployment) => void }): JSX.Element | null {
	if (deployment.status === 'PAUSED') {
		return (
			<div class="notice warn">
				<Icon name="pause" />
				<div>
					<strong>Paused{deployment.paused_by && ` by ${deployment.paused_by}`}{deployment.paused_at && <>, <Time at={deployment.paused_at} /></>}</strong>
					<p>{deployment.paused_at && `Since ${exact(deployment.paused_at).slice(0, 19)} every`}{!deployment.paused_at && 'Every'} picture sent to it is refused with status 503.</p>
				</div>
				<ResumeButton deployment={deployment} onChanged={onChanged} kind="primary" />
			</div>
		);
	}
	if (deployment.status === 'HELD') {
		return (
			<div class="notice bad" role="alert">
				<Icon name="warning" />
				<div><strong>Held: it does not answer</strong><p>{deployment.status_text ?? 'The server gave no reason.'}</p></div>
			</div>
		);
	}
	if (deployment.status === 'LOADING') {
		return (
			<div class="notice plain">
				<span class="spinner" aria-hidden="true" />
				<div><strong>Loading the model</strong><p>{deployment.status_text ?? 'It answers as soon as it is loaded and warm.'}</p></div>
			</div>
		);
	}
	return null;
}

function OverviewCard({ deployment }: { deployment: Deployment }): JSX.Element {
	const { stats } = deployment;
	return (
		<section class="panel card" aria-label="Overview">
			<header class="card-head"><h2>Overview</h2></header>
			<dl class="overview">
				<div><dt>Inferences</dt><dd>{count(stats.inferences)}</dd></div>
				<div><dt>Mean latency</dt><dd>{milliseconds(stats.mean_latency_ms)}</dd></div>
				<div title="99 of 100 predictions took no longer."><dt>p99 latency</dt><dd>{milliseconds(stats.p99_latency_ms)}</dd></div>
				<div><dt>Failed</dt><dd class={stats.failed > 0 ? 'bad-text' : undefined}>{count(stats.failed)}</dd></div>
			</dl>
			<p class="muted card-note">Last prediction: <Time at={stats.last_at} /></p>
		</section>
	);
}

function Loading(): JSX.Element {
	return (
		<div aria-busy="true">
			<header class="page-head"><h1><Skeleton width={220} height={26} /></h1></header>
			<div class="cards">{[0, 1, 2].map((i) => <section key={i} class="panel card"><Skeleton width="40%" /><Skeleton width="70%" height={22} /><Skeleton width="55%" /></section>)}</div>
			<section class="panel padded"><Skeleton width="100%" height={260} /></section>
		</div>
	);
}

function Loaded({ deployment, onChanged, reload }: {
	deployment: Deployment;
	onChanged: (deployment: Deployment) => void;
	reload: () => void;
}): JSX.Element {
	const { id } = deployment;
	const [view, setView] = useState<ThresholdView>(null);
	const [range, setRange] = useState<Range>(() => fittingRange(deployment.stats.last_at, Date.now()));
	const [picked, setPicked] = useState<Span | null>(null);
	const opened = useStore(place).query.get('prediction');
	const history = useHistory(id);
	const loader = useFeed(id, view);
	const latency = useLatency(id, range, picked);
	const { feed } = loader;

	// A burst of predictions becomes one request a second for the pictures, one in two for the totals.
	const refreshFeed = useMemo(() => throttle(() => loader.refresh(), 1000), [loader]);
	const refreshTotals = useMemo(() => throttle(reload, 2000), [reload]);
	useEffect(() => () => {
		refreshFeed.cancel();
		refreshTotals.cancel();
	}, [refreshFeed, refreshTotals]);
	const connection = useLive(`/api/deployment/${id}/events`, {
		events: {
			prediction: (data) => {
				const event = data as PredictionEvent;
				latency.add([event.at, event.latency, event.predicted_asset_id]);
				refreshFeed();
				refreshTotals();
			},
			deployment: () => {
				refreshTotals();
				history.reload();
			},
		},
		onMissed: () => {
			refreshFeed();
			refreshTotals();
			latency.reload();
			history.reload();
		},
	});
	const changed = (next: Deployment): void => {
		onChanged(next);
		history.reload();
	};

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

	return (
		<>
			<DeploymentHead deployment={deployment} connection={connection} history={history} onChanged={changed} />
			<Banner deployment={deployment} onChanged={changed} />
			<div class="cards">
				<ChampionCard deployment={deployment} history={history} onChanged={changed} />
				<OverviewCard deployment={deployment} />
				<SendCard deployment={deployment} />
			</div>
			{none ? <FirstPicture deployment={deployment} /> : (
				<>
					<LatencyPanel latency={latency} range={range} picked={picked} onOpen={openAsset} onPick={setPicked} onRange={(next) => {
						setPicked(null);
						setRange(next);
					}} />
					<section class="predictions" aria-label="Last predictions">
						<header class="predictions-head">
							<div>
								<h2>Last predictions{feed.loaded && <span class="count">{count(feed.count)}</span>}</h2>
								<EffectLine view={view} effect={effect} />
							</div>
							<ThresholdBar deployment={deployment} view={view} effect={effect} onView={setView} onSaved={changed} />
						</header>
						<Grid loader={loader} view={view} />
					</section>
				</>
			)}
			{opened && (
				<Detail id={opened} known={itemAt(feed, indexOf(feed, opened))} view={view} newer={neighbours[0]} older={neighbours[1]}
					onMove={(next) => navigate(withParameter('prediction', next), 'replace')} onClose={close} />
			)}
		</>
	);
}

export function DeploymentPage({ id }: { id: string }): JSX.Element {
	const deployment = useLoad(`deployment ${id}`, (signal) => api.deployment(id, signal));
	useTitle(deployment.data?.name ?? 'Deployment');
	if (deployment.error instanceof ApiError && deployment.error.status === 404) return <NotFoundPage what="This deployment" />;
	return (
		<>
			{deployment.error !== null && <Failure error={deployment.error} what="The deployment could not be read" onRetry={deployment.reload} />}
			{deployment.data
				? <Loaded deployment={deployment.data} onChanged={deployment.set} reload={deployment.reload} />
				: deployment.loading && <Loading />}
		</>
	);
}
