// SPDX-License-Identifier: Apache-2.0
// What was done, in a line at the edge; read aloud, gone by itself.
import type { JSX } from 'preact';
import { Store } from '../lib/store';
import { useStore } from './hooks';
import { Icon } from './icons';

interface Toast {
	id: number;
	tone: 'ok' | 'bad';
	text: string;
}

const toasts = new Store<readonly Toast[]>([]);
let serial = 0;

const drop = (id: number): void => toasts.set(toasts.get().filter((t) => t.id !== id));

export function say(tone: Toast['tone'], text: string): void {
	const id = ++serial;
	toasts.set([...toasts.get().slice(-2), { id, tone, text }]);
	setTimeout(() => drop(id), tone === 'bad' ? 12_000 : 4_000);
}

export function Toasts(): JSX.Element {
	return (
		<div class="toasts" role="status" aria-live="polite">
			{useStore(toasts).map((t) => (
				<div key={t.id} class={`toast ${t.tone}`}>
					<Icon name={t.tone === 'ok' ? 'check' : 'warning'} />
					<span>{t.text}</span>
					<button type="button" class="bare" aria-label="Dismiss" onClick={() => drop(t.id)}><Icon name="close" size={12} /></button>
				</div>
			))}
		</div>
	);
}
