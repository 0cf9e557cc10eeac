// SPDX-License-Identifier: Apache-2.0
// A panel's answer: asked anew when the server tells of something new while the panel is on the screen. Until the next
// answer is here, the last one stands.
import { useEffect, useRef, useState } from 'preact/hooks';
import { useLoad } from './hooks';
import { useWatched } from './use_watched';

export interface Standing<T> {
	shown: T | undefined;
	loading: boolean;
	error: unknown;
	reload: () => void;
	/** Of the element that is watched. */
	element: { current: HTMLDivElement | null };
}

export function useStanding<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Standing<T> {
	const { data, loading, error, reload } = useLoad(key, load);
	const element = useRef<HTMLDivElement>(null);
	const [last, setLast] = useState<T | undefined>(undefined);
	useEffect(() => {
		if (data) setLast(data);
	}, [data]);
	useWatched(element, reload);
	return { shown: data ?? last, loading, error, reload, element };
}
