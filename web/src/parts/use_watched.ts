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
	const state = useRef({ visible: false, news: false, observer: null as IntersectionObserver | null, seen: null as Element | null });
	useEffect(() => {
		const now = state.current;
		const tell = (): void => {
			now.news = !now.visible;
			if (now.visible) soon();
		};
		now.observer = new IntersectionObserver((entries) => {
			now.visible = entries.at(-1)?.isIntersecting ?? false;
			if (now.visible && now.news) tell();
		}, { rootMargin: '200px' });
		const stop = watched.watch(tell);
		return () => {
			stop();
			now.observer?.disconnect();
			now.seen = null;
			soon.cancel();
		};
	}, [soon]);
	// The element may come later than whoever asks for it, or be another one.
	useEffect(() => {
		const now = state.current;
		if (now.seen === element.current) return;
		if (now.seen) now.observer?.unobserve(now.seen);
		now.seen = element.current;
		if (now.seen) now.observer?.observe(now.seen);
		else now.visible = false;
	});
}
