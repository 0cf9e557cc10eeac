// SPDX-License-Identifier: Apache-2.0
// The review tool and the annotator against the mock: what browser.mjs does, for the screens of reviewing.

export async function reviewChecks({ page, address, check, accessible, api, control, picture, assert }) {
	const organization = (await api('/api/session')).organization.id;
	const { items } = await api(`/api/organization/${organization}/deployments?limit=50&offset=0`);
	const named = (name) => items.find((d) => d.name === name);
	const shown = () => page.waitForSelector('.annotator[data-picture="shown"]');
	const key = () => page.getAttribute('.annotator', 'data-key');
	const saved = () => page.waitForSelector('.saved.ok');
	const rows = () => page.locator('.mark-row:not(.ghost)').count();
	const reviews = async (id) => (await api(`/api/predicted/asset/${id}?threshold=0`)).reviews;
	const next = async (press) => {
		const before = await key();
		await page.keyboard.press(press);
		await page.waitForFunction((k) => document.querySelector('.annotator').dataset.key !== k, before);
		await shown();
		return before;
	};
	const stroke = async (x0, y0, x1, y1) => {
		const box = await page.locator('.annotator').boundingBox();
		await page.mouse.move(box.x + x0, box.y + y0);
		await page.mouse.down();
		await page.mouse.move(box.x + x1, box.y + y1, { steps: 3 });
		await page.mouse.up();
	};

	await check('review: one key accepts, and the next picture is there', async () => {
		await page.goto(`${address}/deployment/${named('amber-falcon').id}/review`);
		await shown();
		await accessible('the review tool');
		await picture('review');
		const before = await next('Space');
		await saved();
		assert.deepEqual((await reviews(before)).map((r) => r.kind), ['CORRECTED']);
	});

	await check('review: a box is drawn, renamed, deleted, brought back; all of it is in the draft', async () => {
		const had = await rows();
		await page.keyboard.press('b');
		await stroke(200, 200, 320, 330);
		await page.keyboard.press('3');
		assert.equal(await rows(), had + 1);
		await saved();
		const id = await key();
		const { draft } = await api(`/api/predicted/asset/${id}`);
		assert.equal(draft.shapes.length, had + 1);
		assert.equal(draft.shapes.at(-1).label, 'car');
		await page.keyboard.press('x');
		assert.equal(await rows(), had);
		await page.keyboard.press('z');
		assert.equal(await rows(), had + 1);
		await accessible('a corrected picture');
		await next('Space');
	});

	await check('review: undo goes back across pictures and takes the review back', async () => {
		const before = await next('n');
		await saved();
		assert.equal((await reviews(before)).at(-1).kind, 'NOTHING');
		await page.keyboard.press('Control+z');
		await page.waitForFunction((k) => document.querySelector('.annotator').dataset.key === k, before);
		await saved();
		assert.equal((await reviews(before)).at(-1).kind, 'UNDONE');
		await next('Space');
	});

	await check('review: a skip has a reason; keys and guide are explained', async () => {
		await page.keyboard.press('s');
		await page.waitForSelector('.reasons');
		await accessible('skip dialog');
		const before = await key();
		await page.keyboard.press('1');
		await page.waitForFunction((k) => document.querySelector('.annotator').dataset.key !== k, before);
		await saved();
		assert.match((await reviews(before)).at(-1).reason, /Blurred/);
		await page.keyboard.press('?');
		await page.waitForSelector('.guide-keys');
		await accessible('guide');
		await picture('review-guide');
		await page.keyboard.press('Escape');
	});

	await check('review: a label is found by name, and a new one is made', async () => {
		await page.keyboard.press('v');
		await page.locator('.mark-name').first().click();
		await page.keyboard.press('l');
		await page.keyboard.type('widget');
		await page.waitForSelector('.label-row.is-new');
		await page.keyboard.press('Enter');
		await page.waitForSelector('.mark-lists section[aria-label="widget"]');
		await saved();
	});

	await check('review: while the server is away all is kept, and a conflict shows both', async () => {
		await control({ fail: 503 });
		await page.keyboard.press('ArrowRight');
		await page.waitForSelector('.saved.warn:has-text("kept in this browser")');
		await accessible('a server that is away');
		await picture('review-away');
		await control({ fail: 0 });
		await saved();
		await page.evaluate(() => fetch('/api/mock/other', { method: 'POST', headers: { 'X-Gyre-Csrf': '1' } }));
		await page.keyboard.press('ArrowRight');
		await page.waitForSelector('.saved.bad');
		await page.click('.saved.bad');
		await page.waitForSelector('.conflict');
		await page.waitForTimeout(200);
		await accessible('a conflict');
		await picture('review-conflict');
		await page.click('text="Keep mine"');
		await saved();
	});

	await check('review: champion, shadow, both; brightness; ghosts under the slider', async () => {
		await page.goto(`${address}/deployment/${named('twin-bridge').id}/review`);
		await shown();
		await page.keyboard.press('w');
		await page.keyboard.press('w');
		await page.waitForSelector('.segment.is-on:has-text("Both")');
		const ghosts = () => page.locator('.mark-row.ghost').count();
		const few = await ghosts();
		for (let i = 0; i < 3; i++) await page.keyboard.press('[');
		await page.waitForFunction((n) => document.querySelectorAll('.mark-row.ghost').length >= n, few);
		const had = await rows();
		if (await ghosts() > 0) {
			await page.locator('.mark-row.ghost .mark-name').first().click();
			assert.equal(await rows(), had + 1);
		}
		await page.keyboard.press('i');
		await page.waitForSelector('.light-panel');
		await page.locator('.light-panel input').first().fill('1.6');
		assert.match(await page.evaluate(() => getComputedStyle(document.querySelector('.annotator-picture')).filter), /brightness\(1\.6\)/);
		await accessible('brightness and contrast');
		await page.keyboard.press('i');
	});

	await check('review: classes by keys alone, to the end of the queue', async () => {
		await page.goto(`${address}/deployment/${named('digits').id}/review`);
		await shown();
		await accessible('classes');
		await picture('review-classes');
		const before = await key();
		await page.keyboard.press('8');
		const eighth = named('digits').labels[7];
		await page.waitForSelector(`.class-now:text-is("${eighth}")`);
		await next('Space');
		await saved();
		assert.deepEqual((await reviews(before)).at(-1).shapes, [{ type: 'classification', label: eighth }]);
		for (let i = 0; i < 30 && !(await page.locator('.review-end').count()); i++) {
			await page.keyboard.press('Space');
			await page.waitForTimeout(60);
		}
		await page.waitForSelector('.review-end .end-kinds');
		await page.waitForTimeout(200);
		await accessible('the end of the queue');
		await picture('review-end');
	});

	await check('review: given pictures, dark and on a phone', async () => {
		const id = named('yard-survey').id;
		const { items: assets } = await api(`/api/deployment/${id}/predictedassets?limit=3&offset=0`);
		await page.emulateMedia({ colorScheme: 'dark' });
		await page.setViewportSize({ width: 390, height: 844 });
		await page.goto(`${address}/deployment/${id}/review?ids=${assets.map((a) => a.id).join()}`);
		await shown();
		await page.waitForTimeout(200);
		await accessible('segments on a phone in the dark');
		await picture('review-phone');
		assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
		await page.setViewportSize({ width: 1280, height: 900 });
		await page.emulateMedia({ colorScheme: 'light' });
		for (const a of assets) {
			assert.equal(await key(), a.id);
			await page.keyboard.press('Space');
			await page.waitForFunction((k) => document.querySelector('.annotator').dataset.key !== k || document.querySelector('.review-end'), a.id);
		}
		await page.waitForSelector('.review-end');
		await saved();
	});

	await check('annotate: pictures without a label first; labels are made as they are needed', async () => {
		const version = '018f2b6a-0017-7000-8000-000000000001';
		await page.goto(`${address}/dataset/version/${version}/annotate`);
		await shown();
		await accessible('the annotator');
		const first = await key();
		await stroke(200, 200, 330, 330);
		await page.keyboard.press('l');
		await page.keyboard.type('window');
		await page.keyboard.press('Enter');
		await page.keyboard.press('p');
		const box = await page.locator('.annotator').boundingBox();
		for (const [x, y] of [[420, 300], [520, 300], [500, 420]]) await page.mouse.click(box.x + x, box.y + y);
		await page.keyboard.press('Enter');
		assert.equal(await rows(), 2);
		await picture('annotate');
		await next('Space');
		await saved();
		const { annotation } = await api(`/api/asset/${first}`);
		assert.deepEqual(annotation.shapes.map((s) => [s.type, s.label]), [['rectangle', 'window'], ['polygon', 'window']]);
		assert.equal(annotation.status, 'ACCEPTED');
		await page.goto(`${address}/dataset/version/${version}/annotate`);
		await shown();
		assert.notEqual(await key(), first);
	});
}
