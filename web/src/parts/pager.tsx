// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { count as number } from '../lib/format';
import { navigate, withParameter } from '../router';
import { Button } from './basics';

export const PER_PAGE = 50;

/** ?page=2 → 1 (from nought); anything odd is the first page. */
export function pageOf(query: URLSearchParams): number {
	const page = Number(query.get('page') ?? '1');
	return Number.isInteger(page) && page > 0 ? page - 1 : 0;
}

export function Pager({ page, count }: { page: number; count: number }): JSX.Element | null {
	if (count <= PER_PAGE && page === 0) return null;
	const last = Math.max(0, Math.ceil(count / PER_PAGE) - 1);
	const go = (to: number): void => navigate(withParameter('page', to === 0 ? null : String(to + 1)));
	return (
		<nav class="pager" aria-label="Pages">
			<Button icon="left" disabled={page === 0} onClick={() => go(Math.min(page, last + 1) - 1)} aria-label="Previous page" />
			<span>{number(Math.min(count, page * PER_PAGE + 1))}–{number(Math.min(count, (page + 1) * PER_PAGE))} of {number(count)}</span>
			<Button icon="right" disabled={page >= last} onClick={() => go(page + 1)} aria-label="Next page" />
		</nav>
	);
}
