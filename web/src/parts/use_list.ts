// SPDX-License-Identifier: Apache-2.0
// A list by pages; while a name is looked for, all of it.
import { useRef, useState } from 'preact/hooks';
import type { Page } from '../api/types';
import { place } from '../router';
import { useLoad, useStore } from './hooks';
import { PER_PAGE, pageOf } from './pager';

/** The server's most in one answer. */
const ALL = 1000;
/** Fewer are seen at a glance. */
const FILTER_FROM = 6;

export interface List<Item> {
	/** Those of the page, or those whose name fits; undefined while they load. */
	items: readonly Item[] | undefined;
	total: number;
	empty: boolean;
	page: number;
	error: unknown;
	loading: boolean;
	reload: () => void;
	wanted: string;
	filterable: boolean;
	setWanted: (wanted: string) => void;
}

export function useList<Item extends { name: string }>(what: string, load: (limit: number, offset: number, signal: AbortSignal) => Promise<Page<Item>>): List<Item> {
	const page = pageOf(useStore(place).query);
	const [wanted, setWanted] = useState('');
	const searching = wanted !== '';
	const list = useLoad(`${what} ${searching ? 'all' : page}`, (signal) => load(searching ? ALL : PER_PAGE, searching ? 0 : page * PER_PAGE, signal));
	// While the whole list comes, the page at hand is filtered already.
	const last = useRef<Page<Item> | undefined>(undefined);
	if (list.data) last.current = list.data;
	const data = list.data ?? (searching ? last.current : undefined);
	const text = wanted.trim().toLowerCase();
	return {
		items: data && (text ? data.items.filter((item) => item.name.toLowerCase().includes(text)) : data.items),
		total: data?.count ?? 0, empty: data?.count === 0, page, error: list.error, loading: list.loading, reload: list.reload,
		wanted, filterable: (data?.count ?? 0) >= FILTER_FROM || searching, setWanted,
	};
}
