// SPDX-License-Identifier: Apache-2.0
// Who is here, and which page they asked for.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { api, ApiError, SESSION_LOST } from './api/client';
import { session as current } from './api/session';
import type { Session } from './api/types';
import { match } from './lib/match';
import { DeploymentPage } from './pages/deployment';
import { DeploymentsPage } from './pages/deployments';
import { LoginPage } from './pages/login';
import { ModelsPage } from './pages/models';
import { NotFoundPage } from './pages/not_found';
import { Failure } from './parts/basics';
import { useStore } from './parts/hooks';
import { lazy } from './parts/lazy';
import { Shell } from './parts/shell';
import { Toasts } from './parts/toasts';
import { navigate, place } from './router';

const DatasetPage = lazy(() => import('./pages/dataset').then((m) => m.DatasetPage));
const DatasetVersionPage = lazy(() => import('./pages/dataset_version').then((m) => m.DatasetVersionPage));
const DatasetsPage = lazy(() => import('./pages/datasets').then((m) => m.DatasetsPage));
const ExperimentPage = lazy(() => import('./pages/experiment').then((m) => m.ExperimentPage));
const JobsPage = lazy(() => import('./pages/jobs').then((m) => m.JobsPage));
const MyQueuesPage = lazy(() => import('./pages/my_queues').then((m) => m.MyQueuesPage));
const ModelPage = lazy(() => import('./pages/model').then((m) => m.ModelPage));
const ProjectPage = lazy(() => import('./pages/project').then((m) => m.ProjectPage));
const ProjectsPage = lazy(() => import('./pages/projects').then((m) => m.ProjectsPage));
const AnnotatePage = lazy(() => import('./pages/annotate').then((m) => m.AnnotatePage));
const ReviewPage = lazy(() => import('./pages/review').then((m) => m.ReviewPage));

type Routes = readonly { pattern: string; page: (p: Record<string, string>, session: Session) => JSX.Element }[];

/** All that a reviewer has. */
const REVIEWER: Routes = [
	{ pattern: '/', page: (_, session) => <MyQueuesPage session={session} /> },
	{ pattern: '/deployment/:id/review', page: ({ id }) => <ReviewPage key={id} id={id ?? ''} /> },
];

const ROUTES: Routes = [
	{ pattern: '/', page: (_, session) => <DeploymentsPage session={session} /> },
	{ pattern: '/deployment/:id', page: ({ id }) => <DeploymentPage key={id} id={id ?? ''} tab="" /> },
	{ pattern: '/dataset/version/:id/annotate', page: ({ id }) => <AnnotatePage key={id} id={id ?? ''} /> },
	{ pattern: '/deployment/:id/review', page: ({ id }) => <ReviewPage key={id} id={id ?? ''} /> },
	{ pattern: '/deployment/:id/:tab', page: ({ id, tab }) => <DeploymentPage key={id} id={id ?? ''} tab={tab ?? ''} /> },
	{ pattern: '/deployment/:id/settings/:tab', page: ({ id, tab }) => <DeploymentPage key={id} id={id ?? ''} tab={`settings/${tab ?? ''}`} /> },
	{ pattern: '/datasets', page: (_, session) => <DatasetsPage session={session} /> },
	{ pattern: '/dataset/version/:id', page: ({ id }) => <DatasetVersionPage key={id} id={id ?? ''} /> },
	{ pattern: '/dataset/:id', page: ({ id }) => <DatasetPage key={id} id={id ?? ''} /> },
	{ pattern: '/projects', page: (_, session) => <ProjectsPage session={session} /> },
	{ pattern: '/project/:id', page: ({ id }, session) => <ProjectPage key={id} id={id ?? ''} session={session} /> },
	{ pattern: '/experiment/:id', page: ({ id }) => <ExperimentPage key={id} id={id ?? ''} /> },
	{ pattern: '/jobs', page: (_, session) => <JobsPage session={session} /> },
	{ pattern: '/models', page: (_, session) => <ModelsPage session={session} /> },
	{ pattern: '/model/:id', page: ({ id }) => <ModelPage key={id} id={id ?? ''} /> },
];

function routed(path: string, session: Session): JSX.Element {
	for (const { pattern, page } of session.role === 'REVIEWER' ? REVIEWER : ROUTES) {
		const found = match(pattern, path);
		if (found) return page(found, session);
	}
	return <NotFoundPage />;
}

/** Where to go after signing in: only a place of ours. */
function nextPlace(query: URLSearchParams): string {
	const next = query.get('next') ?? '/';
	return next.startsWith('/') && !next.startsWith('//') && !next.startsWith('/login') ? next : '/';
}

export function App(): JSX.Element {
	const session = useStore(current);
	const setSession = (next: Session | null): void => current.set(next);
	const [error, setError] = useState<unknown>(null);
	const here = useStore(place);

	const toLogin = (): void => {
		setSession(null);
		if (location.pathname === '/login') return;
		const from = location.pathname + location.search;
		navigate(from === '/' ? '/login' : `/login?next=${encodeURIComponent(from)}`, 'replace');
	};
	const begin = (): void => {
		setError(null);
		api.session().then(
			(found) => {
				setSession(found);
				if (location.pathname === '/login') navigate(nextPlace(place.get().query), 'replace');
			},
			(failure: unknown) => {
				if (!(failure instanceof ApiError && failure.status === 401)) setError(failure);
			});
	};
	useEffect(() => {
		addEventListener(SESSION_LOST, toLogin);
		begin();
		return () => removeEventListener(SESSION_LOST, toLogin);
	}, []);

	let content: JSX.Element;
	if (session && here.path !== '/login') {
		content = (
			<Shell session={session} onSignedOut={() => {
				setSession(null);
				navigate('/login');
			}}>{routed(here.path, session)}</Shell>
		);
	} else if (error !== null) {
		content = <div class="alone"><Failure error={error} what="gyre cannot be reached" onRetry={begin} /></div>;
	} else if (here.path === '/login') {
		content = <LoginPage expired={here.query.has('expired')} onSignedIn={begin} />;
	} else {
		content = <div class="alone" aria-busy="true"><span class="spinner large" role="status" aria-label="Loading" /></div>;
	}
	return <>{content}<Toasts /></>;
}
