// SPDX-License-Identifier: Apache-2.0
// The steps of one prediction in the order they happen. A step the server adds later comes at the end.

const KNOWN: readonly [string, string][] = [
	['receive', 'The request’s bytes came in.'],
	['decode', 'The picture’s bytes became pixels.'],
	['seat', 'It waited for a free place at the model.'],
	['preprocess', 'Pixels became the model’s tensor, by the recipe.'],
	['infer', 'The model ran.'],
	['postprocess', 'The model’s outputs became shapes.'],
	['record', 'Picture and answer were stored durably.'],
	['respond', 'The answer went out.'],
];

export interface Step {
	name: string;
	ms: number;
	help: string;
}

export function orderedSteps(stepsMs: Record<string, number>): Step[] {
	const order = KNOWN.map(([name]) => name);
	const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
	return Object.entries(stepsMs)
		.filter(([name, ms]) => name !== 'total' && Number.isFinite(ms))
		.sort((a, b) => rank(a[0]) - rank(b[0]))
		.map(([name, ms]) => ({ name, ms, help: KNOWN.find(([known]) => known === name)?.[1] ?? '' }));
}
