// SPDX-License-Identifier: Apache-2.0
import { useEffect, useReducer, useRef } from 'preact/hooks';
import { api } from '../api/client';
import { PREVIEW_MAX, previewReducer, type PreviewPicture } from '../lib/preview';
import { remember, tried } from './pictures';

const keyOf = (file: File): string => `${file.name} ${file.size}`;

/** Pictures run through a version, each once; two at a time. */
export function usePreview(versionId: string, active: boolean): { pictures: readonly PreviewPicture[]; add: (files: readonly File[]) => void; remove: (key: string) => void; inferMs: number | null } {
	const [pictures, dispatch] = useReducer(previewReducer, []);
	const files = useRef(new Map<string, File>());
	const urls = useRef<string[]>([]);
	const asked = useRef(new Set<string>());
	const infer = useRef<number | null>(null);
	const closed = useRef(new AbortController());

	const add = (added: readonly File[]): void => {
		for (const file of added) remember(file);
		dispatch({
			kind: 'added',
			pictures: added.slice(0, PREVIEW_MAX).map((file): PreviewPicture => {
				files.current.set(keyOf(file), file);
				const url = URL.createObjectURL(file);
				urls.current.push(url);
				return { key: keyOf(file), name: file.name, url, width: 4, height: 3, shapes: null, error: null };
			}),
		});
	};
	useEffect(() => {
		if (active) add(tried.get().slice(0, PREVIEW_MAX));
		return () => {
			closed.current.abort();
			for (const url of urls.current) URL.revokeObjectURL(url);
		};
	}, []);
	useEffect(() => {
		const waiting = pictures.filter((p) => !p.shapes && p.error === null);
		const running = waiting.filter((p) => asked.current.has(p.key)).length;
		for (const { key } of waiting.filter((p) => !asked.current.has(p.key)).slice(0, Math.max(0, 2 - running))) {
			const file = files.current.get(key);
			if (!file) continue;
			asked.current.add(key);
			api.tryRecipe(versionId, file, {}, closed.current.signal).then(
				(answer) => {
					// Two run at a time, and get in each other's way: the quickest is nearest to the truth.
					infer.current = Math.min(answer.latency_ms.infer ?? Infinity, infer.current ?? Infinity);
					dispatch({ kind: 'answered', key, width: answer.image.width, height: answer.image.height, shapes: answer.shapes });
				},
				(error: unknown) => {
					if (!closed.current.signal.aborted) dispatch({ kind: 'failed', key, error });
				});
		}
	}, [pictures, versionId]);
	return { pictures, add, remove: (key) => dispatch({ kind: 'removed', key }), inferMs: infer.current !== null && Number.isFinite(infer.current) ? infer.current : null };
}
