// SPDX-License-Identifier: Apache-2.0
// A recipe as rows for people: its fields in the server's order, each with where it came from.
import type { Recipe, RecipeOrigin } from '../api/types';
import { taskName } from './format';

export interface RecipeRow {
	field: string;
	value: string;
	origin: RecipeOrigin | null;
}

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

export function recipeRows(recipe: Recipe): RecipeRow[] {
	const origins = recipe.from ?? {};
	return Object.entries(recipe)
		.filter(([key]) => key !== 'from')
		.map(([key, value]) => ({ field: fieldName(key), value: key === 'task' ? taskName(String(value)) : fieldValue(value), origin: origins[key] ?? null }));
}

export const guessedCount = (recipe: Recipe): number => recipeRows(recipe).filter((row) => row.origin === 'guessed').length;
