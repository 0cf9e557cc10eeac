// SPDX-License-Identifier: Apache-2.0
// Client-side places over the history API. Plain links work: one listener turns clicks into navigation.
import { Store } from './lib/store';

export interface Place {
	path: string;
	query: URLSearchParams;
}

const read = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });

export const place = new Store<Place>(read());

export function navigate(to: string, how: 'push' | 'replace' = 'push'): void {
	const before = location.pathname;
	history[how === 'push' ? 'pushState' : 'replaceState'](null, '', to);
	place.set(read());
	if (how === 'push' && location.pathname !== before) scrollTo(0, 0);
}

/** The same page with one parameter changed; null takes it away. */
export function withParameter(key: string, value: string | null): string {
	const query = new URLSearchParams(location.search);
	if (value === null) query.delete(key);
	else query.set(key, value);
	const text = query.toString();
	return location.pathname + (text ? `?${text}` : '');
}

export function startRouter(): void {
	addEventListener('popstate', () => place.set(read()));
	document.addEventListener('click', (event) => {
		if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
		const anchor = event.target instanceof Element ? event.target.closest('a') : null;
		if (!anchor || anchor.origin !== location.origin || anchor.target || anchor.hasAttribute('download')) return;
		if (anchor.pathname.startsWith('/api/') || anchor.dataset.native !== undefined) return;
		event.preventDefault();
		navigate(anchor.pathname + anchor.search);
	});
}
