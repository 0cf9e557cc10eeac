// SPDX-License-Identifier: Apache-2.0
// The small pieces every page is made of.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { DeploymentStatus } from '../api/types';
import { labelColour } from '../lib/colour';
import { explain } from '../lib/explain';
import { exact, relative } from '../lib/format';
import type { Connection } from '../lib/live';
import { useNow } from './hooks';
import { Icon, type IconName } from './icons';
import { say } from './toasts';

/** Styles take text; a plain number means pixels. */
export const px = (n: number | string): string => (typeof n === 'number' ? `${n}px` : n);

export function Time({ at }: { at: string | number | null }): JSX.Element {
	const now = useNow();
	if (at === null) return <span class="muted">never</span>;
	return <time dateTime={new Date(at).toISOString()} title={exact(at)}>{relative(at, now)}</time>;
}

export function Button({ icon, children, kind = 'plain', busy = false, ...rest }: {
	icon?: IconName | undefined;
	children?: ComponentChildren;
	kind?: 'plain' | 'primary' | 'danger' | 'quiet';
	busy?: boolean;
	disabled?: boolean;
	title?: string;
	onClick?: () => void;
	type?: 'button' | 'submit';
	'aria-label'?: string;
	'aria-expanded'?: boolean;
	'aria-describedby'?: string;
}): JSX.Element {
	return (
		<button {...rest} type={rest.type ?? 'button'} class={`button ${kind}`} disabled={rest.disabled || busy} aria-busy={busy}>
			{busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
			{children !== undefined && <span>{children}</span>}
		</button>
	);
}

/** Either-or, as radio buttons that look like one control. */
export function Segments<Value extends string>({ name, legend, value, choices, disabled = false, onChoose }: {
	/** Unique on the page. */
	name: string;
	legend: string;
	value: Value | null;
	choices: readonly (readonly [value: Value, label: ComponentChildren])[];
	disabled?: boolean;
	onChoose: (value: Value) => void;
}): JSX.Element {
	return (
		<fieldset class="segments" disabled={disabled}>
			<legend class="unseen">{legend}</legend>
			{choices.map(([choice, label]) => (
				<label key={choice} class={choice === value ? 'segment is-on' : 'segment'}>
					<input class="unseen" type="radio" name={name} value={choice} checked={choice === value} onChange={() => onChoose(choice)} />{label}
				</label>
			))}
		</fieldset>
	);
}

/** Copies text, and says so where the eye is. */
export function Copy({ text, what, children }: { text: string; what: string; children?: ComponentChildren }): JSX.Element {
	const [done, setDone] = useState(false);
	const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
	useEffect(() => () => clearTimeout(timer.current), []);
	const copy = async (): Promise<void> => {
		try {
			await navigator.clipboard.writeText(text);
			setDone(true);
			clearTimeout(timer.current);
			timer.current = setTimeout(() => setDone(false), 1500);
		} catch {
			say('bad', 'The browser did not allow copying. Select the text and copy it by hand.');
		}
	};
	return (
		<button type="button" class="copy" onClick={copy} title={done ? 'Copied' : `Copy ${what}`}>
			{children}
			<Icon name={done ? 'check' : 'copy'} size={13} />
			<span class="unseen" aria-live="polite">{done ? 'copied' : `copy ${what}`}</span>
		</button>
	);
}

/** A command to run, as it is, with a button that copies it. */
export function Command({ children }: { children: string }): JSX.Element {
	return (
		<div class="command">
			<pre tabIndex={0}><code>{children}</code></pre>
			<Copy text={children} what="command" />
		</div>
	);
}

export function Failure({ error, what, onRetry }: { error: unknown; what: string; onRetry?: () => void }): JSX.Element {
	const told = explain(error, what);
	return (
		<div class="notice bad" role="alert">
			<Icon name="warning" />
			<div>
				<strong>{told.what}</strong>
				<p>{told.why} <span class="todo">{told.todo}</span></p>
			</div>
			{onRetry && <Button onClick={onRetry}>Try again</Button>}
		</div>
	);
}

const STATUS: Record<DeploymentStatus, { word: string; tone: string }> = {
	SERVING: { word: 'Serving', tone: 'ok' },
	PAUSED: { word: 'Paused', tone: 'warn' },
	HELD: { word: 'Held', tone: 'bad' },
	LOADING: { word: 'Loading', tone: 'busy' },
	EXTERNAL: { word: 'External', tone: 'plain' },
};

export function StatusPill({ status, title }: { status: DeploymentStatus; title?: string | null }): JSX.Element {
	const { word, tone } = STATUS[status] ?? { word: status, tone: 'plain' };
	return <span class={`pill ${tone}`} title={title ?? undefined}>{word}</span>;
}

const CONNECTION: Record<Connection, { word: string; tone: string; title: string }> = {
	connecting: { word: 'Connecting', tone: 'plain', title: '' },
	live: { word: 'Live', tone: 'ok', title: 'New predictions appear by themselves.' },
	reconnecting: { word: 'Reconnecting', tone: 'warn', title: 'What is shown may be old; it catches up by itself.' },
	resting: { word: 'Resting', tone: 'plain', title: 'It catches up when you look.' },
};

export function LiveBadge({ connection }: { connection: Connection }): JSX.Element {
	const { word, tone, title } = CONNECTION[connection];
	return <span class={`live ${tone}`} role="status" title={title}><i aria-hidden="true" />{word}</span>;
}

export function LabelDot({ labelId }: { labelId: number }): JSX.Element {
	return <i class="label-dot" style={{ background: labelColour(labelId) }} aria-hidden="true" />;
}

export function Skeleton({ width, height = 14 }: { width: string | number; height?: number }): JSX.Element {
	return <span class="skeleton" style={{ width: px(width), height: px(height) }} aria-hidden="true" />;
}

/** `alone`: there is no other heading on the page. */
export function Empty({ title, children, alone = false }: { title: string; children: ComponentChildren; alone?: boolean }): JSX.Element {
	return <section class="empty">{alone ? <h1>{title}</h1> : <h2>{title}</h2>}{children}</section>;
}
