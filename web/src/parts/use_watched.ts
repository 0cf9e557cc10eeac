// SPDX-License-Identifier: Apache-2.0
// What the server has counted since one last looked: asked for again every two seconds at most, and only what is on the screen.
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Store } from '../lib/store';
import { throttle } from '../lib/throttle';

const EVERY_MS = 2000;

/** Goes up whenever the server says that there is more to see of the open deployment. */
export const watched = new Store(0);

/**
 * Calls `reload` after the news, at most every two seconds, while `element` is on the screen; news that came while it was
 * not is told when it comes back.
 */
export function useWatched(element: { readonly current: Element | null }, reload: () => void): void {
	const call = useRef(reload);
	call.current = reload;
	const soon = useMemo(() => throttle(() => call.current(), EVERY_MS), []);
	useEffect(() => {
		let visible = false;
		let news = false;
		const tell = (): void => {
			news = !visible;
			if (visible) soon();
		};
		const observer = new IntersectionObserver((entries) => {
			visible = entries.at(-1)?.isIntersecting ?? false;
			if (visible && news) tell();
		}, { rootMargin: '200px' });
		if (element.current) observer.observe(element.current);
		const stop = watched.watch(tell);
		return () => {
			stop();
			observer.disconnect();
			soon.cancel();
		};
	}, [soon]);
}
