// SPDX-License-Identifier: Apache-2.0
// What a reviewer sees first: whose predictions wait for them, and how many they did today.
import type { JSX } from 'preact';
import { api } from '../api/client';
import { learn } from '../api/learn';
import type { Deployment, Session } from '../api/types';
import { count, plural } from '../lib/format';
import { Empty, Failure, Skeleton } from '../parts/basics';
import { useLoad, useTitle } from '../parts/hooks';
import { Icon } from '../parts/icons';

function Queue({ deployment }: { deployment: Deployment }): JSX.Element {
	const queue = useLoad(`queue ${deployment.id}`, (signal) => learn.queue(deployment.id, signal));
	const left = queue.data?.to_review ?? 0;
	return (
		<li class="panel padded my-queue">
			<div>
				<h2>{deployment.name}</h2>
				{queue.error !== null && <Failure error={queue.error} what="Its queue could not be read" onRetry={queue.reload} />}
				{queue.data ? <p class="muted">{left > 0 ? `${plural(left, 'image')} to review` : 'nothing to review now'}, {count(queue.data.mine_today)} done by you today</p> : queue.loading && <Skeleton width={180} />}
			</div>
			<a class={left > 0 ? 'button primary' : 'button'} href={`/deployment/${deployment.id}/review`}><Icon name="review" /><span>Review</span></a>
		</li>
	);
}

export function MyQueuesPage({ session }: { session: Session }): JSX.Element {
	const list = useLoad('my queues', (signal) => api.deployments(session.organization.id, 100, 0, signal));
	useTitle('Review');
	return (
		<>
			<header class="page-head"><h1>Review</h1></header>
			{list.error !== null && <Failure error={list.error} what="The queues could not be read" onRetry={list.reload} />}
			{list.data?.count === 0 && <Empty title="Nothing to review"><p>There is no deployment yet. As soon as one answers pictures, they wait here.</p></Empty>}
			<ul class="my-queues">{list.data?.items.map((d) => <Queue key={d.id} deployment={d} />)}</ul>
		</>
	);
}
