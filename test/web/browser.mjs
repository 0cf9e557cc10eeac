#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The pages in headless Chromium: what a person does, step by step, by mouse and by keyboard, and axe on every page.
// Against the mock by itself; against a running server with GYRE_URL and GYRE_TOKEN (it needs one deployment that
// serves and has predictions, and a picture to send in GYRE_PICTURE).
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import assert from 'node:assert/strict';
import { axeSource, openBrowser } from './browser_tools.mjs';
import { checkContract } from './contract.mjs';
import { startMock } from './mock.mjs';

const real = process.env.GYRE_URL;
const mock = real ? null : await startMock({ predictions: 5000, rate: 0 });
const address = (real ?? mock.address).replace(/\/$/, '');
const token = real ? process.env.GYRE_TOKEN : mock.token;
const shots = process.env.GYRE_SHOTS;
const control = (wish) => fetch(`${address}/mock/control`, { method: 'POST', body: JSON.stringify(wish) });
const api = async (path) => (await fetch(address + path, { headers: { Authorization: `Bearer ${token}` } })).json();

let failures = 0;
const browser = await openBrowser();
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
context.setDefaultTimeout(15_000);
const page = await context.newPage();
const complaints = [];
page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`));
page.on('console', (message) => {
	if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complaints.push(`console: ${message.text()}`);
});

async function check(name, run) {
	const begin = performance.now();
	try {
		await run();
		assert.deepEqual(complaints.splice(0), []);
		console.log(`ok    ${name} (${Math.round(performance.now() - begin)} ms)`);
	} catch (error) {
		failures += 1;
		console.log(`FAIL  ${name}\n      ${String(error.message ?? error).split('\n').slice(0, 12).join('\n      ')}`);
		if (shots) await page.screenshot({ path: join(shots, `failed-${failures}.png`) }).catch(() => undefined);
	}
}

async function accessible(where) {
	// Half faded in, text has no contrast: let what moves come to rest.
	await page.evaluate(() => Promise.race([
		Promise.all(document.getAnimations().filter((a) => a.effect?.getComputedTiming().iterations !== Infinity).map((a) => a.finished.catch(() => undefined))),
		new Promise((done) => setTimeout(done, 2000)),
	]));
	await page.evaluate(axeSource);
	const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
	const serious = found.violations.filter((v) => ['serious', 'critical', 'moderate'].includes(v.impact));
	assert.deepEqual(serious.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')}`), [], `axe on ${where}`);
}

const picture = async (name) => {
	if (!shots) return;
	mkdirSync(shots, { recursive: true });
	await page.screenshot({ path: join(shots, `${name}.png`) });
};
const cells = () => page.locator('.grid .cell').count();
const shapesShown = async () => Number((await page.locator('.effect').textContent()).replace(/\D*([\d,]+).*/s, '$1').replace(',', ''));

await check('the server says what the pages read', async () => assert.deepEqual(await checkContract(address, token), []));

await check('signing in: a place asked for first is where one lands', async () => {
	await page.goto(`${address}/models`);
	await page.waitForSelector('.login-card');
	await accessible('sign-in');
	await page.fill('input', 'no such token');
	await page.keyboard.press('Enter');
	await page.waitForSelector('text=This token is not known here');
	await page.fill('input', token);
	await page.keyboard.press('Enter');
	await page.waitForSelector('h1:has-text("Models")');
	assert.equal(new URL(page.url()).pathname, '/models');
});

const organization = (await api('/api/session')).organization.id;
const list = await api(`/api/organization/${organization}/deployments?limit=50&offset=0`);
const serving = list.items.filter((d) => d.status === 'SERVING' && d.stats.inferences > 0);
const target = serving.find((d) => d.type === 'OBJECT_DETECTION') ?? serving[0];
assert.ok(target, 'No deployment serves and has predictions.');

await check('the list leads to the deployment', async () => {
	await page.goto(`${address}/`);
	await page.waitForSelector('tbody .row-link');
	await page.waitForSelector('.live.ok');
	await accessible('deployments');
	await picture('deployments');
	await page.click(`.row-link:text-is("${target.name}")`);
	await page.waitForSelector(`h1:has-text("${target.name}")`);
	await page.waitForSelector('.tile img');
	await page.waitForSelector('.live.ok');
	await page.waitForTimeout(400);
	await accessible('deployment');
	await picture('deployment');
});

await check('the detail opens by keyboard, walks by arrow keys, closes to where it was', async () => {
	const tile = page.locator('.cell[data-index="0"] a');
	await tile.focus();
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.detail .shape-list, .detail .muted');
	await page.waitForSelector('.step-bars');
	const first = new URL(page.url()).searchParams.get('prediction');
	await accessible('detail');
	await picture('detail');
	await page.keyboard.press('ArrowRight');
	await page.waitForFunction((id) => !location.search.includes(id), first);
	await page.keyboard.press('ArrowLeft');
	await page.waitForFunction((id) => location.search.includes(id), first);
	await page.keyboard.press('Escape');
	await page.waitForFunction(() => !document.querySelector('dialog') && location.search === '');
	assert.equal(await page.evaluate(() => document.activeElement?.closest('.cell')?.getAttribute('data-index')), '1');
});

await check('boxes lie where the answer says, at any size', async () => {
	const answered = await api(`/api/deployment/${target.id}/predictedassets?limit=20&offset=0&order_by=-created_at`);
	const asset = answered.items.find((a) => a.predictions[0].shapes.some((s) => s.type === 'rectangle'));
	if (!asset) return;
	await page.goto(`${address}/deployment/${target.id}?prediction=${asset.id}`);
	await page.waitForSelector('.stage-picture .boxes rect');
	const shapes = asset.predictions[0].shapes;
	for (const size of [{ width: 1280, height: 900 }, { width: 390, height: 844 }]) {
		await page.setViewportSize(size);
		await page.waitForTimeout(200);
		const drawn = await page.evaluate(() => {
			const frame = document.querySelector('.stage-picture img').getBoundingClientRect();
			return [...document.querySelectorAll('.stage-picture .line rect')].map((r) => {
				const b = r.getBoundingClientRect();
				return [(b.x - frame.x) / frame.width, (b.y - frame.y) / frame.height, b.width / frame.width, b.height / frame.height];
			});
		});
		assert.equal(drawn.length, shapes.filter((s) => s.type === 'rectangle').length);
		const { width, height } = asset.data.meta;
		for (const s of shapes) {
			const want = [s.x / width, s.y / height, s.w / width, s.h / height];
			assert.ok(drawn.some((d) => d.every((v, i) => Math.abs(v - want[i]) < 0.012)), `no box at ${want} among ${JSON.stringify(drawn)}`);
		}
	}
	await page.setViewportSize({ width: 1280, height: 900 });
	await page.keyboard.press('Escape');
	await page.waitForFunction(() => !document.querySelector('dialog') && location.search === '');
});

await check('the threshold shows what it would do, and is saved only when confirmed', async () => {
	await page.goto(`${address}/deployment/${target.id}`);
	await page.waitForSelector('.tile img');
	const answered = await shapesShown();
	const slider = page.locator('.watch-threshold .slider input');
	await slider.fill('0.6');
	await page.waitForFunction(() => document.querySelector('.effect')?.textContent?.includes('answered, on'));
	const fewer = await shapesShown();
	assert.ok(fewer <= answered, `${fewer} of ${answered}`);
	await slider.fill('0.01');
	await page.waitForFunction((n) => Number(document.querySelector('.effect').textContent.replace(/\D*([\d,]+).*/s, '$1').replace(',', '')) >= n, answered);
	await slider.fill('0.6');
	await page.click('text="Set as threshold…"');
	await page.waitForSelector('dialog');
	await accessible('threshold dialog');
	await page.click('dialog >> text="Cancel"');
	assert.equal((await api(`/api/deployment/${target.id}`)).min_threshold, target.min_threshold);
	await page.click('text="Set as threshold…"');
	await page.click('dialog >> text="Set the threshold to 0.60"');
	await page.waitForSelector('.head-facts strong:text-is("0.60")');
	assert.equal((await api(`/api/deployment/${target.id}`)).min_threshold, 0.6);
	await slider.fill(String(target.min_threshold));
	await page.click('text="Set as threshold…"');
	await page.click('dialog .button.primary');
	await page.waitForSelector(`.head-facts strong:text-is("${target.min_threshold.toFixed(2)}")`);
	await page.click('text="As answered"');
});

await check('pause, refusal, resume', async () => {
	await page.click('text="Pause"');
	await accessible('pause dialog');
	await page.click('dialog .button.primary');
	await page.waitForSelector('.pill.warn:text-is("Paused")');
	await page.waitForSelector('.notice.warn:has-text("Paused by")');
	await accessible('paused deployment');
	await page.click('.notice >> text="Resume"');
	await page.waitForSelector('.pill.ok:text-is("Serving")');
});

await check('history by name, and the way back to the champion before', async () => {
	await page.click('.tabs >> text="History"');
	await page.waitForFunction(() => /(Created with|Deployed) .+:\d/.test(document.querySelector('.history')?.textContent ?? ''));
	await accessible('history');
	await page.click('.tabs >> text="Dashboard"');
	await page.waitForSelector('section[aria-label="Champion"]');
	await page.waitForTimeout(300);
	if (await page.locator('section[aria-label="Champion"] >> text="Go back"').isDisabled()) return;
	const before = (await api(`/api/deployment/${target.id}`)).champion.version_id;
	for (const there of [false, true]) {
		await page.click('section[aria-label="Champion"] >> text="Go back"');
		await page.waitForSelector('dialog h2:has-text(":")');
		await page.click('dialog .button.primary');
		await page.waitForSelector('dialog', { state: 'detached' });
		const now = (await api(`/api/deployment/${target.id}`)).champion.version_id;
		assert.equal(now === before, there);
		await page.waitForTimeout(300);
	}
});

await check('rename, and a name that is taken', async () => {
	const other = list.items.find((d) => d.id !== target.id);
	await page.click('[title="Rename"]');
	if (other) {
		await page.fill('.rename input', other.name);
		await page.keyboard.press('Enter');
		await page.waitForSelector('.rename .form-error');
	}
	await page.fill('.rename input', `${target.name}-2`);
	await page.keyboard.press('Enter');
	await page.waitForSelector(`h1:has-text("${target.name}-2")`);
	await page.click('[title="Rename"]');
	await page.fill('.rename input', target.name);
	await page.keyboard.press('Enter');
	await page.waitForSelector(`h1:text-is("${target.name}")`);
});

const sample = process.env.GYRE_PICTURE;
if (sample || mock) {
	await check('a picture dropped on the page is predicted and slides in by itself', async () => {
		const { count } = await api(`/api/deployment/${target.id}/predictedassets?limit=1&offset=0`);
		const bytes = sample ? readFileSync(sample) : Buffer.from('/9j/2wBDAP/////////////////////////////////////////////////////////////////////////////////////8AACwgAAQABAQERAP/EABQAAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AN//Z', 'base64');
		await page.setInputFiles('.send input[type=file]', { name: sample ? basename(sample) : 'drop.jpg', mimeType: 'image/jpeg', buffer: bytes });
		await page.waitForSelector('.sent a');
		await page.waitForFunction((n) => document.querySelector('.predictions .count')?.textContent?.replace(',', '') === String(n + 1), count);
		await page.setInputFiles('.send input[type=file]', { name: 'broken.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('this is no picture') });
		await page.waitForSelector('.sent.bad .sent-why');
		await accessible('sent pictures');
		await picture('sent');
		await page.click('.sent a');
		await page.waitForSelector('.detail');
		await page.keyboard.press('Escape');
	});
}

if (mock) {
	await check('thousands of predictions: a few of them beside the heat map, all in their tab', async () => {
		await page.goto(`${address}/deployment/${target.id}`);
		await page.waitForSelector('.tile img');
		assert.ok(await cells() < 13, `${await cells()} tiles`);
		await page.waitForSelector('.heatmap canvas');
	});

	await check('a broken stream is said, mended, and nothing is missed', async () => {
		await page.evaluate(() => scrollTo(0, 0));
		const shown = () => page.locator('.predictions .count').textContent();
		const before = Number((await shown()).replace(',', ''));
		await control({ refuse_streams: true, drop_streams: true });
		await page.waitForSelector('.live.warn:has-text("Reconnecting")');
		await control({ burst: 3 });
		await control({ refuse_streams: false });
		await page.waitForSelector('.live.ok');
		await page.waitForFunction((n) => Number(document.querySelector('.predictions .count').textContent.replace(',', '')) === n, before + 3);
	});

	await check('a dot in the chart opens its picture', async () => {
		await page.goto(`${address}/deployment/${target.id}`);
		await page.waitForFunction(() => /\d/.test(document.querySelector('.numbers dd')?.textContent ?? ''));
		await page.locator('#latency .chart').focus();
		await page.keyboard.press('ArrowLeft');
		await page.keyboard.press('ArrowLeft');
		await page.waitForSelector('.chart-tip');
		const box = await page.locator('.chart-ring').boundingBox();
		await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
		await page.waitForSelector('.detail .step-bars');
		await page.goBack();
		await page.waitForFunction(() => !document.querySelector('dialog'));
	});

	await check('errors say what, why and what to do; trying again helps', async () => {
		await control({ fail: 503 });
		await page.goto(`${address}/`);
		await page.waitForSelector('.notice.bad:has-text("could not be read")');
		await accessible('an error');
		await control({ fail: 0 });
		await page.click('text="Try again"');
		await page.waitForSelector('tbody .row-link');
	});

	await check('empty states lead on', async () => {
		await control({ empty: true });
		for (const path of ['/', '/models']) {
			await page.goto(address + path);
			await page.waitForSelector('.empty .button.primary');
			await accessible(`empty ${path}`);
		}
		await control({ empty: false });
	});

	await check('a session that ended leads to sign-in and back', async () => {
		await page.goto(`${address}/models`);
		await page.waitForSelector('tbody .row-link');
		await control({ expire: true });
		await page.click('tbody .row-link');
		await page.waitForSelector('.login-card');
		await page.fill('input', token);
		await page.keyboard.press('Enter');
		await page.waitForSelector('.version-tabs');
	});
}

await check('models, a model, a page that is not there', async () => {
	await page.goto(`${address}/models`);
	await page.waitForSelector('tbody .row-link');
	await accessible('models');
	await page.locator('tbody .row-link').first().click();
	await page.waitForSelector('.version-head');
	await page.waitForSelector('.control, .notice');
	await page.waitForTimeout(300);
	await accessible('model');
	await picture('model');
	await page.goto(`${address}/no/such/page`);
	await page.waitForSelector('text=This page does not exist');
	await accessible('not found');
	await page.goto(`${address}/deployment/00000000-0000-0000-0000-000000000000`);
	await page.waitForSelector('text=This deployment does not exist');
});

if (mock) await import('./browser_deploy.mjs').then(({ deployChecks }) => deployChecks({ page, address, check, accessible, api, control, assert }));
if (mock) await import('./browser_review.mjs').then(({ reviewChecks }) => reviewChecks({ page, address, check, accessible, api, control, picture, assert }));

await check('dark theme, chosen by keyboard, kept over a reload, and readable', async () => {
	await page.goto(`${address}/deployment/${target.id}`);
	await page.waitForSelector('.tile img');
	await page.focus('.user-button');
	await page.keyboard.press('Enter');
	await page.click('.theme-switch label[title="Dark"]');
	await page.reload();
	await page.waitForSelector('.tile img');
	await page.waitForSelector('.live.ok');
	assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'dark');
	await page.waitForTimeout(300);
	await accessible('dark deployment');
	await page.goto(`${address}/models`);
	await page.waitForSelector('tbody .row-link');
	await page.locator('tbody .row-link').first().click();
	await page.waitForSelector('.version-head');
	await page.waitForTimeout(300);
	await accessible('dark model');
});

await check('at 360 pixels nothing sticks out', async () => {
	await page.setViewportSize({ width: 360, height: 740 });
	for (const path of ['/', `/deployment/${target.id}`, `/deployment/${target.id}/settings`, `/deployment/${target.id}/history`, '/models', '/login?expired=1']) {
		await page.goto(address + path);
		await page.waitForSelector('h1');
		await page.waitForTimeout(500);
		assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, path);
	}
	await page.setViewportSize({ width: 1280, height: 900 });
});

await check('signing out', async () => {
	await page.goto(`${address}/`);
	await page.waitForSelector('tbody .row-link');
	await page.click('.user-button');
	await accessible('user menu');
	await page.click('text="Sign out"');
	await page.waitForSelector('.login-card');
	await page.goto(`${address}/`);
	await page.waitForSelector('.login-card');
});

await browser.close();
await mock?.close();
console.log(failures ? `${failures} failed` : 'All passed.');
process.exitCode = failures ? 1 : 0;
