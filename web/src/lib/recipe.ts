// SPDX-License-Identifier: Apache-2.0
// A recipe for people: its fields' names and values, what differs between two, and what was typed.
import type { Recipe, RecipeField, RecipeOrigin } from '../api/types';

export const ORIGINS: Record<RecipeOrigin, string> = {
	read: 'Read from the model’s graph or its metadata.',
	given: 'Given by a person.',
	guessed: 'Guessed: a convention of this kind of model. Check it before you trust the answers.',
};

export function fieldValue(value: unknown): string {
	if (value === null || value === undefined || value === '') return 'none';
	if (typeof value === 'boolean') return value ? 'yes' : 'no';
	if (typeof value === 'number') return String(Number(value.toPrecision(6)));
	if (Array.isArray(value)) return value.map(fieldValue).join(', ');
	if (typeof value === 'object') return JSON.stringify(value);
	return String(value);
}

export const fieldName = (key: string): string => key.replaceAll('_', ' ').replace(/\b(nms|iou)\b/gi, (w) => w.toUpperCase());

/** Numbers as the server keeps them, in 32 bits; one number stands for three. */
export function sameValue(a: unknown, b: unknown): boolean {
	if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b));
	if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, i) => sameValue(value, b[i]));
	return a === b;
}

/** What differs in `to`, by field. */
export function recipeDiff(from: Recipe, to: Recipe): Record<string, unknown> {
	return Object.fromEntries(Object.entries(to).filter(([key, value]) => key !== 'from' && !sameValue(from[key], value)));
}

/** The usual ranges of a model's numbers: what people call normalisation is three fields of the recipe. */
export interface Preset {
	name: string;
	scale: number;
	mean: readonly [number, number, number];
	std: readonly [number, number, number];
}

export const PRESETS: readonly Preset[] = [
	{ name: '0…255', scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
	{ name: '0…1', scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] },
	{ name: '−1…1', scale: 1 / 127.5, mean: [1, 1, 1], std: [1, 1, 1] },
	{ name: 'ImageNet', scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
];

export const PRESET_FIELDS = ['scale', 'mean', 'std'] as const;

/** Where black and white end up, for each channel: two recipes with the same are the same. */
function ends(scale: unknown, mean: unknown, std: unknown): number[] {
	const at = (value: unknown, channel: number): number => Number(Array.isArray(value) ? value[channel] ?? value[0] : value);
	return [0, 1, 2].flatMap((c) => [(0 - at(mean, c)) / at(std, c), (255 * Number(scale) - at(mean, c)) / at(std, c)]);
}

export function presetOf(recipe: Recipe): Preset | null {
	const mine = ends(recipe.scale, recipe.mean, recipe.std);
	const turned = (p: Preset): Preset => ({ ...p, mean: [p.mean[2], p.mean[1], p.mean[0]], std: [p.std[2], p.std[1], p.std[0]] });
	const fits = (p: Preset): boolean => {
		const theirs = ends(p.scale, p.mean, p.std);
		const range = Math.max(...theirs) - Math.min(...theirs);
		return theirs.every((value, i) => Math.abs(value - (mine[i] ?? NaN)) < range * 0.005);
	};
	return PRESETS.find((p) => fits(p) || fits(turned(p))) ?? null;
}

export interface Chip {
	field: string;
	value: string;
}

/** Changes in few words: the three fields of a known range are one. `whole` is the recipe they lead to. */
export function changeChips(changed: Readonly<Record<string, unknown>>, whole: Recipe): Chip[] {
	const preset = PRESET_FIELDS.some((field) => field in changed) ? presetOf({ ...whole, ...changed }) : null;
	const chips = Object.entries(changed)
		.filter(([key]) => !(preset && (PRESET_FIELDS as readonly string[]).includes(key)))
		.map(([key, value]) => ({ field: fieldName(key), value: fieldValue(value) }));
	return preset ? [...chips, { field: 'pixels', value: preset.name }] : chips;
}

/** What was typed, as the field's value; or a sentence. */
export function parseField(field: RecipeField, text: string): { value: unknown } | { problem: string } {
	const numbers = text.split(/[\s,;]+/).filter(Boolean).map(Number);
	const within = (n: number): boolean => n >= (field.min ?? -Infinity) && n <= (field.max ?? Infinity);
	const range = field.min !== null && field.max !== null ? ` from ${fieldValue(field.min)} to ${fieldValue(field.max)}` : '';
	const whole = field.kind === 'integer' || field.kind === 'integers';
	const many = field.kind === 'numbers' || field.kind === 'integers';
	if (field.kind === 'text') return { value: text };
	const good = numbers.length > 0 && (many || numbers.length === 1) && numbers.every((n) => within(n) && (!whole || Number.isInteger(n)));
	if (good) return { value: many ? numbers : numbers[0] };
	return { problem: `${many ? '' : 'A '}${whole ? 'whole ' : ''}number${many ? 's' : ''}${range}${many ? ', with commas between' : ''}.`.replace(/^./, (c) => c.toUpperCase()) };
}
