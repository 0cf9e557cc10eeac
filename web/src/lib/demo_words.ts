// SPDX-License-Identifier: Apache-2.0
// What the demo's strip says.
import type { Demo } from '../api/demo';

export function demoWords({ state, step, steps, title, text }: Demo): { head: string; text: string } {
	if (state === 'done') return { head: `${title ?? 'Now yours'}.`, text: text ?? '' };
	const head = `Demo, ${step} of ${steps}: ${title ?? ''}.`;
	if (state === 'paused') return { head, text: 'It stands still. make run, or gyre demo, goes on with it.' };
	return { head, text: text ?? '' };
}
