// SPDX-License-Identifier: Apache-2.0
// Where files are dropped or chosen, and how an upload gets on.
import type { ComponentChildren, JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { fromInput, type Found } from '../lib/folder';
import { bytes, duration } from '../lib/format';
import type { Transfer } from '../lib/transfer';
import { Button } from './basics';
import { Icon, type IconName } from './icons';

const PICTURES = 'image/jpeg,image/png,image/webp';

/** The whole field is a button; what is dropped on the window is the page's to take. */
export function DropField({ accept = PICTURES, icon = 'upload', multiple = false, children, onFound }: {
	accept?: string;
	icon?: IconName;
	multiple?: boolean;
	children: ComponentChildren;
	onFound: (found: readonly Found[]) => void;
}): JSX.Element {
	const input = useRef<HTMLInputElement>(null);
	return (
		<>
			<button type="button" class="drop" onClick={() => input.current?.click()}>
				<Icon name={icon} size={20} />
				<span>{children}</span>
			</button>
			<Chooser input={input} accept={accept} multiple={multiple} onFound={onFound} />
		</>
	);
}

function Chooser({ input, onFound, ...rest }: {
	input: { current: HTMLInputElement | null };
	accept?: string;
	multiple?: boolean;
	folder?: boolean;
	onFound: (found: readonly Found[]) => void;
}): JSX.Element {
	const { folder, ...plain } = rest;
	return (
		<input ref={input} type="file" hidden {...plain} {...(folder ? { webkitdirectory: true } : {})} onChange={(event) => {
			onFound(fromInput(event.currentTarget.files ?? []));
			event.currentTarget.value = '';
		}} />
	);
}

export function ChooseButton({ children, icon, kind = 'plain', ...rest }: {
	children: string;
	icon?: IconName;
	kind?: 'plain' | 'primary' | 'quiet';
	accept?: string;
	multiple?: boolean;
	folder?: boolean;
	disabled?: boolean;
	onFound: (found: readonly Found[]) => void;
}): JSX.Element {
	const input = useRef<HTMLInputElement>(null);
	const { disabled, ...chooser } = rest;
	return (
		<>
			<Button icon={icon} kind={kind} disabled={disabled} onClick={() => input.current?.click()}>{children}</Button>
			<Chooser input={input} {...chooser} />
		</>
	);
}

export function DropCover({ over, children }: { over: boolean; children: ComponentChildren }): JSX.Element | null {
	return over ? <div class="drop-cover" aria-hidden="true"><div><Icon name="upload" size={28} />{children}</div></div> : null;
}

/** 0…1, or null: it works, for how long nobody knows. */
export function Progress({ share, label }: { share: number | null; label: string }): JSX.Element {
	return share === null
		? <progress class="progress" aria-label={label} />
		: <progress class="progress" aria-label={label} max={1} value={share} />;
}

export function TransferLine({ transfer, what }: { transfer: Transfer; what: string }): JSX.Element {
	const { sent, total, speed, secondsLeft } = transfer;
	return (
		<div class="transfer">
			<Progress share={total > 0 ? sent / total : null} label={`${what} is uploaded`} />
			<p class="muted">
				<span>{bytes(sent)} of {bytes(total)}</span>
				{speed !== null && <span>{bytes(speed)}/s</span>}
				{secondsLeft !== null && sent < total && <span>{duration(secondsLeft)} left</span>}
			</p>
		</div>
	);
}
