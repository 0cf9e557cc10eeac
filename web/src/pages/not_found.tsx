// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { Empty } from '../parts/basics';
import { useTitle } from '../parts/hooks';

export function NotFoundPage({ what = 'This page' }: { what?: string }): JSX.Element {
	useTitle('Not found');
	return (
		<Empty alone title={`${what} does not exist`}>
			<p>It may be mistyped, or deleted.</p>
			<p><a class="button primary" href="/">Go to the deployments</a></p>
		</Empty>
	);
}
