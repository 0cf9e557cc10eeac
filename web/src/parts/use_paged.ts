// SPDX-License-Identifier: Apache-2.0
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Paged, type FetchItems } from '../lib/paged';

/** A long list by what is looked for; another question is another list. */
export function usePaged<Item extends { id: string }>(key: string, fetchItems: FetchItems<Item>): Paged<Item> {
	const [, render] = useState({});
	const list = useMemo(() => {
		let queued = false;
		return new Paged<Item>(fetchItems, () => {
			if (queued) return;
			queued = true;
			queueMicrotask(() => {
				queued = false;
				render({});
			});
		});
	}, [key]);
	useEffect(() => {
		list.look(0, 47);
		return () => list.close();
	}, [list]);
	return list;
}
