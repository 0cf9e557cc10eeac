// SPDX-License-Identifier: Apache-2.0
// Parts that are rarely opened come when they are.
import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Failure } from './basics';

/** `load` is asked once; after a failure (the server was replaced by a newer one) the page must be read anew. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): (props: Props) => JSX.Element | null {
	let ready: ComponentType<Props> | null = null;
	return function Lazy(props: Props): JSX.Element | null {
		const [, render] = useState({});
		const [error, setError] = useState<unknown>(null);
		useEffect(() => {
			if (ready) return;
			load().then(
				(part) => {
					ready = part;
					render({});
				},
				setError);
		}, []);
		const Part = ready;
		if (Part) return <Part {...props} />;
		return error === null ? null : <Failure error={error} what="This part of the page could not be loaded" onRetry={() => location.reload()} />;
	};
}
