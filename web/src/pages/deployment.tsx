// SPDX-License-Identifier: Apache-2.0
// One deployment: its head, its tabs, and one event stream for whichever is open.
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { api, ApiError } from '../api/client';
import { learn } from '../api/learn';
import type { Deployment, PredictionEvent } from '../api/types';
import { tell } from '../api/watch';
import { exact } from '../lib/format';
import { throttle } from '../lib/throttle';
import { Failure, Skeleton, Time } from '../parts/basics';
import { ResumeButton } from '../parts/champion';
import type { Listener } from '../parts/dashboard';
import { DeploymentHead } from '../parts/deployment_head';
import { useLive, useLoad, useTitle } from '../parts/hooks';
import { Icon } from '../parts/icons';
import { lazy } from '../parts/lazy';
import { useHistory } from '../parts/use_history';
import { useLoop } from '../parts/use_loop';
import { useTraining } from '../parts/use_training';
import { watched } from '../parts/use_watched';
import { NotFoundPage } from './not_found';

const Dashboard = lazy(() => import('../parts/dashboard').then((m) => m.Dashboard));
const SettingsTab = lazy(() => import('./deployment_settings').then((m) => m.SettingsTab));
const PredictionsTab = lazy(() => import('./deployment_predictions').then((m) => m.PredictionsTab));
const HistoryTab = lazy(() => import('./deployment_history').then((m) => m.HistoryTab));

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

function Loading(): JSX.Element {
	return (
		<div aria-busy="true">
			<header class="page-head"><h1><Skeleton width={220} height={26} /></h1></header>
			<div class="cards">{[0, 1, 2, 3].map((i) => <section key={i} class="panel card"><Skeleton width="40%" /><Skeleton width="70%" height={22} /><Skeleton width="55%" /></section>)}</div>
			<section class="panel padded"><Skeleton width="100%" height={260} /></section>
		</div>
	);
}

function Loaded({ deployment, tab, onChanged, reload }: {
	deployment: Deployment;
	tab: string;
	onChanged: (deployment: Deployment) => void;
	reload: () => void;
}): JSX.Element {
	const { id } = deployment;
	const history = useHistory(id);
	const listener = useRef<Listener | null>(null);
	// A burst of predictions is one request in two seconds for the totals.
	const refreshTotals = useMemo(() => throttle(reload, 2000), [reload]);
	useEffect(() => refreshTotals.cancel, [refreshTotals]);
	const loop = useLoad(`feedback ${id}`, (signal) => learn.feedback(id, signal));
	const training = useTraining(id);
	const slow = useLoop(id, loop.data);
	const refreshLoop = useMemo(() => throttle(() => {
		loop.reload();
		tell('loop');
	}, 2000), [loop.reload]);
	useEffect(() => refreshLoop.cancel, [refreshLoop]);
	const connection = useLive(`/api/deployment/${id}/events`, {
		events: {
			prediction: (data) => {
				listener.current?.prediction(data as PredictionEvent);
				refreshTotals();
			},
			review: () => {
				listener.current?.review();
				refreshLoop();
			},
			deployment: () => {
				listener.current?.changed();
				refreshLoop();
				refreshTotals();
				history.reload();
				// Somebody closed an alert, or set Training Data, elsewhere.
				tell('alerts');
				tell('training');
			},
			// Counted by whoever watches the log, a moment after the predictions themselves.
			watch: () => watched.set(watched.get() + 1),
			training: refreshLoop,
			// With the deployment, the verdicts on its shadows are read anew.
			verdict: refreshTotals,
			alert: () => {
				tell('alerts');
				refreshTotals();
			},
		},
		onMissed: () => {
			listener.current?.missed();
			watched.set(watched.get() + 1);
			tell('alerts');
			tell('training');
			refreshLoop();
			refreshTotals();
			history.reload();
		},
	});
	const changed = (next: Deployment): void => {
		onChanged(next);
		history.reload();
	};
	return (
		<>
			<DeploymentHead deployment={deployment} tab={tab} connection={connection} parts={{ loop: loop.data, training: training.data, ct: slow.ct.data, cd: slow.cd.data }} onChanged={changed} />
			<Banner deployment={deployment} onChanged={changed} />
			{tab === '' && <Dashboard deployment={deployment} history={history} listener={listener} loop={loop.data} training={training.data} slow={slow} onChanged={changed} />}
			{tab === 'predictions' && <PredictionsTab deployment={deployment} history={history} listener={listener} />}
			{tab.startsWith('settings') && <SettingsTab deployment={deployment} tab={tab.slice('settings/'.length)} loop={loop} slow={slow} onChanged={changed} />}
			{tab === 'history' && <HistoryTab deployment={deployment} history={history} onChanged={changed} />}
		</>
	);
}

const TITLES: Record<string, string> = { predictions: 'Predictions', settings: 'Settings', 'settings/feedback': 'Feedback Loop', 'settings/training-data': 'Training Data', 'settings/continuous-training': 'Continuous Training', 'settings/continuous-deployment': 'Continuous Deployment', 'settings/alerts': 'Alerts', history: 'History' };

export function DeploymentPage({ id, tab }: { id: string; tab: string }): JSX.Element {
	const deployment = useLoad(`deployment ${id}`, (signal) => api.deployment(id, signal));
	useTitle([deployment.data?.name ?? 'Deployment', TITLES[tab]].filter(Boolean).join(', '));
	if (tab !== '' && !(tab in TITLES)) return <NotFoundPage />;
	if (deployment.error instanceof ApiError && deployment.error.status === 404) return <NotFoundPage what="This deployment" />;
	return (
		<>
			{deployment.error !== null && <Failure error={deployment.error} what="The deployment could not be read" onRetry={deployment.reload} />}
			{deployment.data
				? <Loaded deployment={deployment.data} tab={tab} onChanged={deployment.set} reload={deployment.reload} />
				: deployment.loading && <Loading />}
		</>
	);
}
