// SPDX-License-Identifier: Apache-2.0
// The mock must say what the pages read, or tests against it mean nothing.
import { expect, it } from 'vitest';
// @ts-expect-error The browser checks are plain JavaScript.
import { checkContract, matches } from '../../test/web/contract.mjs';
// @ts-expect-error As above.
import { startMock } from '../../test/web/mock.mjs';

it('the mock speaks the contract', async () => {
	const mock = await startMock({ predictions: 120, rate: 0 });
	try {
		expect(await checkContract(mock.address, mock.token)).toEqual([]);
	} finally {
		await mock.close();
	}
}, 60_000);

it('the check sees what is wrong', () => {
	const text = (v: unknown): boolean => typeof v === 'string';
	expect(matches({ a: 1 }, { a: text, b: text })).toHaveLength(2);
	expect(matches({ a: ['x', 2] }, { a: { list: text } })).toHaveLength(1);
	expect(matches(null, { a: text })).toHaveLength(1);
	expect(matches({ a: 'x' }, { a: text })).toEqual([]);
});
