// SPDX-License-Identifier: Apache-2.0
// The browser's own modal dialog: it holds the focus and closes on Escape; the focus goes back to where it was.
import type { ComponentChildren, JSX } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { sentence } from '../lib/explain';
import { Button } from './basics';
import { Icon } from './icons';

export function Dialog({ title, onClose, children, wide = false, bare = false }: {
	title: string;
	onClose: () => void;
	children: ComponentChildren;
	wide?: boolean;
	/** Without the head: the content brings its own title and close button. */
	bare?: boolean;
}): JSX.Element {
	const element = useRef<HTMLDialogElement>(null);
	const heading = useId();
	useLayoutEffect(() => {
		const dialog = element.current;
		const before = document.activeElement;
		dialog?.showModal();
		return () => {
			dialog?.close();
			if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
		};
	}, []);
	return (
		<dialog ref={element} class={`dialog${wide ? ' wide' : ''}`} aria-labelledby={bare ? undefined : heading}
			aria-label={bare ? title : undefined}
			onCancel={(event) => {
				event.preventDefault();
				onClose();
			}}
			onMouseDown={(event) => {
				if (event.target === element.current) onClose();
			}}>
			<div class="dialog-body">
				{!bare && (
					<header class="dialog-head">
						<h2 id={heading}>{title}</h2>
						<button type="button" class="bare" aria-label="Close" onClick={onClose}><Icon name="close" /></button>
					</header>
				)}
				{children}
			</div>
		</dialog>
	);
}

/** Asks before something that others will feel. */
export function Confirm({ title, children, action, danger = false, disabled = false, run, onClose }: {
	title: string;
	children: ComponentChildren;
	action: string;
	danger?: boolean;
	disabled?: boolean;
	run: () => Promise<void>;
	onClose: () => void;
}): JSX.Element {
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>(null);
	const submit = async (event: Event): Promise<void> => {
		event.preventDefault();
		setBusy(true);
		setError(null);
		try {
			await run();
		} catch (failure) {
			setError(failure);
			setBusy(false);
		}
	};
	return (
		<Dialog title={title} onClose={onClose}>
			<form onSubmit={submit}>
				<div class="dialog-text">{children}</div>
				{error !== null && <p class="form-error" role="alert">{sentence(error)}</p>}
				<footer class="dialog-foot">
					<Button onClick={onClose}>Cancel</Button>
					<Button type="submit" kind={danger ? 'danger' : 'primary'} busy={busy} disabled={disabled}>{action}</Button>
				</footer>
			</form>
		</Dialog>
	);
}
