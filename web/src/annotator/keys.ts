// SPDX-License-Identifier: Apache-2.0
// What each key does: read by the keyboard and by the help alike.
import type { ModeName } from './state';

export type Command =
	| { on: 'shapes'; do: 'undo' | 'redo' | 'delete' | 'duplicate' | 'finish' | 'cancel' }
	| { on: 'mode'; mode: ModeName }
	| { on: 'label'; index: number }
	| { on: 'cycle'; step: 1 | -1 }
	| { on: 'nudge' | 'grow'; dx: number; dy: number }
	| { on: 'view'; do: 'fit' | 'in' | 'out' | 'hide' }
	| { on: 'page'; do: PageCommand };

/** What the page around the annotator does. */
export type PageCommand = 'accept' | 'back' | 'forward' | 'skip' | 'nothing' | 'copy' | 'find' | 'lower' | 'higher' | 'whose' | 'help' | 'look';

export interface KeyLine {
	keys: readonly string[];
	group: 'Picture' | 'Tools' | 'Shapes' | 'View';
	/** As the help says it; without one it is a second name of the line above. */
	text: string;
	command: Command;
}

const page = (keys: readonly string[], text: string, what: PageCommand, group: KeyLine['group'] = 'Picture'): KeyLine => ({ keys, group, text, command: { on: 'page', do: what } });
const shapes = (keys: readonly string[], text: string, what: 'undo' | 'redo' | 'delete' | 'duplicate' | 'finish' | 'cancel'): KeyLine => ({ keys, group: 'Shapes', text, command: { on: 'shapes', do: what } });
const mode = (key: string, text: string, name: ModeName): KeyLine => ({ keys: [key], group: 'Tools', text, command: { on: 'mode', mode: name } });
const view = (keys: readonly string[], text: string, what: 'fit' | 'in' | 'out' | 'hide'): KeyLine => ({ keys, group: 'View', text, command: { on: 'view', do: what } });

const ARROWS: readonly [string, number, number][] = [['ArrowLeft', -1, 0], ['ArrowRight', 1, 0], ['ArrowUp', 0, -1], ['ArrowDown', 0, 1]];

const arrows = (prefix: string, on: 'nudge' | 'grow', by: number, text: string): KeyLine[] =>
	ARROWS.map(([key, dx, dy], i) => ({ keys: [prefix + key], group: 'Shapes', text: i === 0 ? text : '', command: { on, dx: dx * by, dy: dy * by } }));

export const KEYS: readonly KeyLine[] = [
	page(['Space'], 'Accept and next', 'accept'),
	page(['n'], 'Nothing here', 'nothing'),
	page(['s'], 'Skip, with a reason', 'skip'),
	page(['PageUp', ','], 'Back', 'back'),
	page(['PageDown', '.'], 'On, without saving', 'forward'),
	page(['c'], 'Copy the shapes of the picture before', 'copy'),
	page(['?'], 'Guide and keys', 'help'),

	mode('v', 'Select', 'select'),
	mode('b', 'Box', 'box'),
	mode('p', 'Polygon', 'polygon'),
	...Array.from({ length: 10 }, (_, i): KeyLine => ({
		keys: [String((i + 1) % 10)], group: 'Tools', text: i === 0 ? 'Label: of what is chosen, and of what is drawn next' : '', command: { on: 'label', index: i },
	})),
	page(['l', '/'], 'Find a label by name', 'find', 'Tools'),

	{ keys: ['Tab'], group: 'Shapes', text: 'Next shape; under the pointer first', command: { on: 'cycle', step: 1 } },
	{ keys: ['Shift+Tab'], group: 'Shapes', text: '', command: { on: 'cycle', step: -1 } },
	shapes(['x', 'Delete', 'Backspace'], 'Delete', 'delete'),
	...arrows('', 'nudge', 1, 'Move by a pixel'),
	...arrows('Shift+', 'nudge', 10, 'Move by ten'),
	...arrows('Alt+', 'grow', 1, 'Grow or shrink by a pixel'),
	shapes(['d'], 'Duplicate', 'duplicate'),
	shapes(['Enter'], 'Make a ghost real; close a polygon', 'finish'),
	shapes(['Escape'], 'Let go', 'cancel'),
	shapes(['z', 'Ctrl+z'], 'Undo, also across pictures', 'undo'),
	shapes(['Shift+z', 'Ctrl+Shift+z', 'Ctrl+y'], 'Redo', 'redo'),

	view(['h'], 'Hide all shapes while it is held', 'hide'),
	view(['f'], 'The whole picture', 'fit'),
	view(['+', '='], 'Nearer', 'in'),
	view(['-'], 'Farther', 'out'),
	page(['['], 'Show more ghosts', 'lower', 'View'),
	page([']'], 'Show fewer ghosts', 'higher', 'View'),
	page(['w'], 'Champion, shadow, both', 'whose', 'View'),
	page(['i'], 'Brightness and contrast', 'look', 'View'),
];

interface Pressed {
	key: string;
	ctrlKey: boolean;
	metaKey: boolean;
	altKey: boolean;
	shiftKey: boolean;
}

/** "Ctrl+Shift+z": letters small, Shift only where it does not already change the sign. */
export function keyName(event: Pressed): string {
	const key = event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toLowerCase() : event.key;
	const named = key.length > 1 || /[a-z]/.test(key);
	return (event.ctrlKey || event.metaKey ? 'Ctrl+' : '') + (event.altKey ? 'Alt+' : '') + (event.shiftKey && named ? 'Shift+' : '') + key;
}

const BY_NAME = new Map(KEYS.flatMap((line) => line.keys.map((key) => [key, line.command] as const)));

export const commandOf = (event: Pressed): Command | undefined => BY_NAME.get(keyName(event));

const SIGNS: Record<string, string> = { ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', PageUp: 'Page ↑', PageDown: 'Page ↓', Escape: 'Esc' };

/** As it is printed on the key. */
export const keyText = (name: string): string => name.split(/(?<=.)\+(?=.)/).map((part) => SIGNS[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join(' ');

/** Lines for the help: second names and single arrows are folded into the line that says what they do. */
export function helpOf(group: KeyLine['group']): { keys: string[]; text: string }[] {
	const lines: { keys: string[]; text: string }[] = [];
	for (const line of KEYS.filter((l) => l.group === group)) {
		const before = lines[lines.length - 1];
		if (line.text === '' && before) before.keys.push(...line.keys);
		else lines.push({ keys: [...line.keys], text: line.text });
	}
	return lines;
}
