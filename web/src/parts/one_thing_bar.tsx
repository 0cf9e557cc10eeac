// SPDX-License-Identifier: Apache-2.0
// The state in one sentence, with the button that does what it asks for.
import type { JSX } from 'preact';
import { oneThing, type Known } from '../lib/one_thing';
import { Button } from './basics';
import { Icon } from './icons';

/** The part of the page with this id, and its first control for who has no mouse. */
export function showPart(id: string): void {
	document.getElementById(id)?.scrollIntoView({ block: 'start', behavior: 'smooth' });
}

export function OneThingBar(known: Known): JSX.Element {
	const { tone, words, action } = oneThing(known);
	return (
		<div class={`one-thing ${tone}`} role="status">
			<Icon name={tone === 'ok' ? 'check' : 'warning'} />
			<p>{words}</p>
			{action && ('href' in action
				? <a class={tone === 'ok' ? 'button' : 'button primary'} href={action.href}>{action.words}</a>
				: <Button kind="primary" onClick={() => showPart(action.part)}>{action.words}</Button>)}
		</div>
	);
}
