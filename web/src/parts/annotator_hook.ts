// SPDX-License-Identifier: Apache-2.0
// The framework-free annotator inside of a page: its element, its state, its keys.
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Annotator } from '../annotator/annotator';
import { bounds } from '../annotator/geometry';
import type { Command, PageCommand } from '../annotator/keys';
import type { Picture } from '../annotator/picture';
import type { State } from '../annotator/state';
import type { Mark } from '../annotator/types';
import { LABEL_TEXT, labelColour } from '../lib/colour';

export interface Tool {
	host: RefObject<HTMLDivElement | null>;
	/** Null until the element is there. */
	annotator: Annotator | null;
	state: State | null;
	colourOf: (label: string) => string;
	hover: (id: number | null) => void;
	choose: (mark: Mark) => void;
	/** Back to the picture, so that the next key is for it. */
	focus: () => void;
}

/** A label that the model does not know keeps a colour too. */
function indexOf(labels: readonly string[], label: string): number {
	const at = labels.indexOf(label);
	if (at >= 0) return at;
	let hash = 7;
	for (const sign of label) hash = (hash * 31 + (sign.codePointAt(0) ?? 0)) % 997;
	return labels.length + hash;
}

const isField = (target: EventTarget | null): boolean =>
	target instanceof HTMLInputElement ? target.type !== 'checkbox' && target.type !== 'radio' : target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;

export function useAnnotator({ labels, from, onMarks, onPage }: {
	/** All, in the order of their keys and colours. */
	labels: readonly string[];
	/** Shapes of lower scores are dimmed. */
	from: number;
	/** What will be saved was changed. */
	onMarks: (state: State) => void;
	/** True: done. */
	onPage: (command: PageCommand | 'undo' | 'cancel') => boolean;
}): Tool {
	const host = useRef<HTMLDivElement>(null);
	const [annotator, setAnnotator] = useState<Annotator | null>(null);
	const [state, setState] = useState<State | null>(null);
	const current = useRef({ labels, onMarks, onPage });
	current.current = { labels, onMarks, onPage };
	const colourOf = (label: string): string => labelColour(indexOf(current.current.labels, label));

	useLayoutEffect(() => {
		if (!host.current) return undefined;
		const made: Annotator = new Annotator(host.current, { colourOf, text: LABEL_TEXT, hovered: null, hidden: false }, {
			onState(next, changed) {
				setState(next);
				if (changed) current.current.onMarks(next);
			},
			onCommand(command: Command): boolean {
				if (command.on === 'mode') {
					made.dispatch({ do: 'mode', mode: command.mode });
					return true;
				}
				if (command.on === 'label') {
					const label = current.current.labels[command.index];
					if (label !== undefined) made.dispatch({ do: 'label', label });
					return label !== undefined;
				}
				if (command.on === 'page') return current.current.onPage(command.do);
				if (command.on === 'shapes' && (command.do === 'undo' || command.do === 'cancel')) return current.current.onPage(command.do);
				return false;
			},
		});
		setAnnotator(made);
		return () => made.close();
	}, []);

	useEffect(() => {
		if (!annotator) return undefined;
		const onKey = (event: KeyboardEvent): void => {
			if (event.defaultPrevented || isField(event.target) || document.querySelector('dialog[open]')) return;
			const target = event.target instanceof Element ? event.target.closest('button, a, summary, label') : null;
			// Buttons keep their own keys, and Tab leads on from them.
			if (target && (event.key === 'Enter' || event.key === ' ' || event.key === 'Tab')) return;
			if (event.key === 'Tab' && event.target !== document.body && event.target !== host.current) return;
			if (annotator.key(event)) event.preventDefault();
		};
		document.addEventListener('keydown', onKey);
		return () => document.removeEventListener('keydown', onKey);
	}, [annotator]);

	useEffect(() => {
		annotator?.setLook({ ...annotator.look, dimmed: (mark) => mark.score !== null && mark.score < from });
	}, [annotator, from]);

	return {
		host, annotator, state, colourOf,
		hover: (id) => annotator?.setLook({ ...annotator.look, hovered: id }),
		choose: (mark) => {
			annotator?.dispatch({ do: 'select', id: mark.id });
			const rect = bounds(mark.geometry);
			if (rect) annotator?.reveal(rect);
		},
		focus: () => host.current?.focus({ preventScroll: true }),
	};
}

const AGAIN_MS = 2_000;

/** Shows the picture once it has come; a server that is away is asked again. `onSettled`: why there is none, or null. */
export function fetchShown(annotator: Annotator, key: string, get: () => Promise<Picture>, shown: { current: string | null }, onSettled: (why: string | null) => void): () => void {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const tell = (then: () => void): void => {
		if (shown.current === key) then();
	};
	const ask = (): void => void get().then(
		(picture) => tell(() => {
			onSettled(null);
			annotator.setPicture(picture);
		}),
		(error: unknown) => tell(() => {
			onSettled(error instanceof Error && error.name !== 'TypeError' ? error.message : 'The picture cannot be fetched while the server is away. It comes by itself.');
			timer = setTimeout(() => tell(ask), AGAIN_MS);
		}));
	ask();
	return () => clearTimeout(timer);
}
