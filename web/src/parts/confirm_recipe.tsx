// SPDX-License-Identifier: Apache-2.0
// A recipe with guesses is confirmed by a person who saw that it is right. One place for the question.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import type { ModelVersion } from '../api/types';
import { sentence } from '../lib/explain';
import { changeChips } from '../lib/recipe';
import { Button } from './basics';
import { Chips } from './chips';
import { say } from './toasts';

export function ConfirmRecipe({ version, action = 'Looks right: confirm', onConfirmed }: {
	version: ModelVersion;
	action?: string;
	onConfirmed: (version: ModelVersion) => void;
}): JSX.Element | null {
	const [busy, setBusy] = useState(false);
	const { recipe } = version;
	if (version.confirmed || !recipe) return null;
	const confirm = async (): Promise<void> => {
		setBusy(true);
		try {
			onConfirmed(await api.confirmRecipe(version.id));
			say('ok', `The recipe of ${version.origin.name}:${version.version} is confirmed.`);
		} catch (error) {
			say('bad', `Not confirmed. ${sentence(error)}`);
		}
		setBusy(false);
	};
	const guesses = Object.fromEntries(version.guessed.map((field) => [field, recipe[field]]));
	return (
		<div class="recipe-foot">
			<p class="recipe-changes"><strong class="warn-text">Guessed:</strong> <Chips chips={changeChips(guesses, recipe)} /></p>
			<Button kind="primary" icon="check" busy={busy} onClick={confirm}>{action}</Button>
		</div>
	);
}
