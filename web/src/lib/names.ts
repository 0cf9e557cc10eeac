// SPDX-License-Identifier: Apache-2.0
// Two words for a new deployment: easy to say, easy to tell apart, nobody's trademark.

const FIRST = [
	'amber', 'autumn', 'bold', 'brave', 'bright', 'brisk', 'calm', 'clear', 'copper', 'coral', 'crisp', 'dapper', 'early', 'fair', 'gentle', 'golden', 'hazel',
	'honest', 'ivory', 'jolly', 'keen', 'kind', 'late', 'lively', 'lucid', 'mellow', 'misty', 'nimble', 'patient', 'plain', 'polar', 'quick', 'quiet', 'rapid',
	'silver', 'steady', 'sunny', 'swift', 'tidy', 'velvet', 'warm', 'young',
] as const;
const SECOND = [
	'acorn', 'anchor', 'badger', 'beacon', 'birch', 'bridge', 'brook', 'canyon', 'cedar', 'comet', 'dock', 'falcon', 'fern', 'field', 'finch', 'forge', 'fox',
	'garden', 'harbor', 'heron', 'hill', 'island', 'kiln', 'lantern', 'larch', 'lynx', 'maple', 'meadow', 'mill', 'orchard', 'otter', 'owl', 'pebble', 'pine',
	'reef', 'river', 'robin', 'sparrow', 'summit', 'tower', 'valley', 'willow',
] as const;

const pick = (words: readonly string[], random: () => number): string => words[Math.floor(random() * words.length)] ?? '';

/** A name that is not taken; after many tries, one with a number. `random` in 0…1. */
export function suggestName(taken: ReadonlySet<string>, random: () => number): string {
	let name = '';
	for (let i = 0; i < 20; i++) {
		name = `${pick(FIRST, random)}-${pick(SECOND, random)}`;
		if (!taken.has(name)) return name;
	}
	for (let n = 2; ; n++) if (!taken.has(`${name}-${n}`)) return `${name}-${n}`;
}
