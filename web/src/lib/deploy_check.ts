// SPDX-License-Identifier: Apache-2.0
import type { ModelVersion } from '../api/types';

export type Where = 'here' | 'external';

export interface Obstacle {
	kind: 'name' | 'empty' | 'refused' | 'recipe';
	text: string;
}

/** Why this cannot be deployed yet, most fundamental first; null when it can. */
export function whyNotDeploy(version: Pick<ModelVersion, 'state' | 'state_text' | 'confirmed' | 'guessed' | 'type'>, where: Where, name: string, taken: ReadonlySet<string>): Obstacle | null {
	if (version.type === 'NOT_CONFIGURED') return { kind: 'refused', text: 'This version has no type yet.' };
	if (where === 'here' && version.state === 'EMPTY') return { kind: 'empty', text: 'This version has no file yet, so nothing can answer here.' };
	if (where === 'here' && version.state === 'REFUSED') return { kind: 'refused', text: version.state_text ?? 'This version was refused.' };
	if (where === 'here' && !version.confirmed)
		return { kind: 'recipe', text: `The recipe has ${version.guessed.length === 1 ? 'a guess' : `${version.guessed.length} guesses`} that nobody confirmed.` };
	if (!name.trim()) return { kind: 'name', text: 'A deployment needs a name.' };
	if (taken.has(name.trim())) return { kind: 'name', text: `There already is a deployment named ${name.trim()}.` };
	return null;
}
