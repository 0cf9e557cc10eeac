// SPDX-License-Identifier: Apache-2.0
// The frame of a settings tab: a part with its note, a switch, what is next, and the bar that saves.
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { sentence } from '../lib/explain';
import type { Next } from '../lib/loop';
import { Button } from './basics';
import { say } from './toasts';

export function SettingSection({ title, note, danger = false, children }: { title: string; note: ComponentChildren; danger?: boolean; children: ComponentChildren }): JSX.Element {
	return (
		<section class={danger ? 'panel setting is-danger' : 'panel setting'} aria-label={title}>
			<div><h2>{title}</h2><p class="muted">{note}</p></div>
			<div>{children}</div>
		</section>
	);
}

/** On or off, at once. */
export function SwitchNow({ what, on, run, said }: { what: string; on: boolean; run: (on: boolean) => Promise<unknown>; said: (on: boolean) => string }): JSX.Element {
	const [busy, setBusy] = useState(false);
	const change = async (): Promise<void> => {
		setBusy(true);
		try {
			await run(!on);
			say('ok', said(!on));
		} catch (error) {
			say('bad', sentence(error));
		}
		setBusy(false);
	};
	return <label class="switch"><input type="checkbox" role="switch" aria-label={what} checked={on} disabled={busy} onChange={change} /><span>{on ? 'On' : 'Off'}</span></label>;
}

export const NextLine = ({ next }: { next: Next }): JSX.Element => <p class="loop-next">Next: {next.href ? <a href={next.href}>{next.words}</a> : <strong>{next.words}</strong>}.</p>;

/** A form's end: what was refused stands beside the button that asked. */
export function SaveBar({ first, changed, problem, save, onUndo }: {
	/** What its button says before it was ever saved; null: it was. */
	first: string | null;
	changed: boolean;
	/** Why it cannot be saved as it is; null: it can. */
	problem: string | null;
	save: () => Promise<void>;
	onUndo: () => void;
}): JSX.Element {
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>(null);
	const submit = async (): Promise<void> => {
		setBusy(true);
		setError(null);
		try {
			await save();
		} catch (failure) {
			setError(failure);
		}
		setBusy(false);
	};
	const open = first !== null || changed;
	return (
		<div class={open ? 'save-bar panel is-open' : 'save-bar panel'} aria-label="Save" role="group">
			{error !== null
				? <p class="form-error" role="alert">{sentence(error)}</p>
				: <p class={problem ? 'warn-text' : 'muted'}>{problem ?? (first !== null ? 'All of it can be changed later.' : changed ? 'Not saved yet.' : 'Saved.')}</p>}
			{changed && first === null && <Button kind="quiet" disabled={busy} onClick={() => {
				setError(null);
				onUndo();
			}}>Undo</Button>}
			<Button kind={open ? 'primary' : 'plain'} busy={busy} disabled={!open || problem !== null} onClick={submit}>{first ?? 'Save'}</Button>
		</div>
	);
}
