// SPDX-License-Identifier: Apache-2.0
// Light, dark, or what the system says. public/theme.js applies the choice before the first paint.
import type { JSX } from 'preact';
import { Store } from '../lib/store';
import { useStore } from './hooks';
import { Icon, type IconName } from './icons';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'gyre-theme';

function stored(): Theme {
	const set = document.documentElement.dataset.theme;
	return set === 'light' || set === 'dark' ? set : 'system';
}

const theme = new Store<Theme>(stored());

/** Changes whenever the colours on the screen do: for what is drawn on a canvas. */
export const palette = new Store(0);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => palette.set(palette.get() + 1));

function choose(next: Theme): void {
	if (next === 'system') delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = next;
	try {
		if (next === 'system') localStorage.removeItem(KEY);
		else localStorage.setItem(KEY, next);
	} catch {
		// Storage may be forbidden; the choice then holds for this visit.
	}
	theme.set(next);
	palette.set(palette.get() + 1);
}

const CHOICES: readonly { value: Theme; label: string; icon: IconName }[] = [
	{ value: 'light', label: 'Light', icon: 'sun' },
	{ value: 'dark', label: 'Dark', icon: 'moon' },
	{ value: 'system', label: 'System', icon: 'system' },
];

export function ThemeSwitch(): JSX.Element {
	const chosen = useStore(theme);
	return (
		<fieldset class="segments theme-switch">
			<legend class="unseen">Theme</legend>
			{CHOICES.map(({ value, label, icon }) => (
				<label key={value} class={chosen === value ? 'segment is-on' : 'segment'} title={label}>
					<input class="unseen" type="radio" name="theme" checked={chosen === value} onChange={() => choose(value)} />
					<Icon name={icon} size={14} />
					<span class="unseen">{label}</span>
				</label>
			))}
		</fieldset>
	);
}

/** What a colour of the style sheet is right now, as text a canvas takes. */
export function resolveColour(variable: string): string {
	const probe = document.createElement('span');
	probe.style.color = `var(${variable})`;
	document.body.append(probe);
	const colour = getComputedStyle(probe).color;
	probe.remove();
	return colour;
}
