// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Demo } from '../src/api/demo';
import { demoWords } from '../src/lib/demo_words';

const playing: Demo = { state: 'running', step: 8, steps: 13, title: 'The lamp fails', text: 'It is dark.', link: '/deployment/1', remove: [] };

describe('the demo’s strip', () => {
	it('says the step and what is seen', () => {
		expect(demoWords(playing)).toEqual({ head: 'Demo, 8 of 13: The lamp fails.', text: 'It is dark.' });
	});
	it('says how a demo that stands still goes on', () => {
		expect(demoWords({ ...playing, state: 'paused' }).text).toContain('make run');
	});
	it('hands over at the end', () => {
		expect(demoWords({ ...playing, state: 'done', title: 'Now yours', text: 'Drop a file.' })).toEqual(
			{ head: 'Now yours.', text: 'Drop a file.' });
	});
});
