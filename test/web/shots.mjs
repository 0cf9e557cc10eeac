#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Pictures of every page and state, at three widths, light and dark, into a folder: for looking at.
//   node test/web/shots.mjs FOLDER [name-pattern]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openBrowser } from './browser_tools.mjs';
import { startMock } from './mock.mjs';

const folder = process.argv[2] ?? 'build/web-shots';
const only = new RegExp(process.argv[3] ?? '.');
mkdirSync(folder, { recursive: true });
const mock = await startMock({ predictions: 3000, rate: 0 });
const browser = await openBrowser();
const deployment = (n) => `/deployment/018f2b6a-0004-7000-8000-${n.toString(16).padStart(12, '0')}`;
const model = (n) => `/model/018f2b6a-0005-7000-8000-${n.toString(16).padStart(12, '0')}`;
const control = (wish) => fetch(`${mock.address}/mock/control`, { method: 'POST', body: JSON.stringify(wish) });
const calm = { empty: false, delay_ms: 0, fail: 0, refuse_streams: false, expire: false };

const states = {
	login: { path: '/login', signedOut: true },
	'login-expired': { path: '/login?expired=1', signedOut: true, act: async (page) => {
		await page.fill('input', 'wrong');
		await page.click('text="Sign in"');
		await page.waitForSelector('.form-error');
	} },
	deployments: { path: '/' },
	'deployments-empty': { path: '/', weather: { empty: true } },
	'deployments-loading': { path: '/', weather: { delay_ms: 4000 }, wait: '.loading-row', settle: 300 },
	'deployments-error': { path: '/', weather: { fail: 500 }, wait: '.notice' },
	deployment: { path: deployment(1) },
	'deployment-full': { path: deployment(1), full: true },
	'deployment-loading': { path: deployment(1), weather: { delay_ms: 2500 }, wait: '.skeleton', settle: 3500 },
	'deployment-scrolled': { path: deployment(1), act: async (page) => {
		await page.evaluate(() => scrollTo(0, 5200));
		await page.waitForTimeout(900);
		await control({ burst: 7 });
		await page.waitForSelector('.waiting .button');
	} },
	'deployment-threshold': { path: deployment(1), act: async (page) => {
		await page.locator('.predictions').scrollIntoViewIfNeeded();
		await page.evaluate(() => document.querySelector('.predictions').scrollIntoView());
		await page.locator('.slider input').fill('0.55');
		await page.waitForTimeout(700);
	} },
	'deployment-save': { path: deployment(1), act: async (page) => {
		await page.locator('.slider input').fill('0.55');
		await page.waitForTimeout(600);
		await page.click('text=/Set as threshold/');
	} },
	'deployment-pause': { path: deployment(1), act: (page) => page.click('text="Pause"') },
	'deployment-paused': { path: deployment(2) },
	'deployment-held': { path: deployment(6) },
	'deployment-new': { path: deployment(7) },
	'deployment-loading-model': { path: deployment(5) },
	'deployment-digits': { path: deployment(3) },
	'deployment-segments': { path: deployment(4), act: (page) => page.evaluate(() => document.querySelector('.predictions').scrollIntoView()) },
	'deployment-reconnecting': { path: deployment(1), act: async (page) => {
		await control({ refuse_streams: true, drop_streams: true });
		await page.waitForSelector('.live.warn');
	} },
	'deployment-history': { path: deployment(1), act: (page) => page.click('text="History"') },
	'deployment-error': { path: deployment(1), weather: { fail: 503 }, wait: '.notice' },
	'deployment-rename': { path: deployment(1), act: (page) => page.click('[title="Rename"]') },
	'deployment-7d': { path: deployment(1), act: async (page) => {
		await page.click('text="7 days"');
		await page.waitForTimeout(500);
		await page.hover('.chart', { position: { x: 500, y: 150 } }).catch(() => undefined);
	} },
	detail: { path: deployment(1), act: (page) => page.locator('.tile').nth(1).click() },
	'detail-below': { path: deployment(1), act: async (page) => {
		await page.locator('.tile').nth(1).click();
		await page.locator('.check input').click({ timeout: 3000 }).catch(() => undefined);
		await page.locator('.shape-row').first().hover();
	} },
	'detail-class': { path: deployment(3), act: (page) => page.locator('.tile').first().click() },
	'detail-polygons': { path: deployment(4), act: (page) => page.locator('.tile').first().click() },
	models: { path: '/models' },
	'models-empty': { path: '/models', weather: { empty: true } },
	model: { path: `${model(1)}?version=1` },
	'model-refused': { path: model(1) },
	'model-empty': { path: model(4) },
	'not-found': { path: '/nowhere' },
	'user-menu': { path: '/', act: (page) => page.click('.user-button') },
};
const sizes = { 1440: 900, 900: 1100, 390: 844 };

for (const scheme of ['light', 'dark']) {
	for (const [width, height] of Object.entries(sizes)) {
		const context = await browser.newContext({ viewport: { width: Number(width), height }, colorScheme: scheme });
		for (const [name, state] of Object.entries(states)) {
			const file = `${name}-${width}-${scheme}`;
			if (!only.test(file)) continue;
			const page = await context.newPage();
			page.setDefaultTimeout(8000);
			page.on('console', (message) => ['error', 'warning'].includes(message.type()) && !/status of (4|5)\d\d/.test(message.text()) && console.log(file, message.text()));
			page.on('pageerror', (error) => console.log(file, 'page error', error.message));
			await control(calm);
			if (state.signedOut) await context.clearCookies();
			else await page.goto(`${mock.address}/login?code=welcome`, { waitUntil: 'commit' });
			await control({ ...calm, ...state.weather });
			await page.goto(mock.address + state.path, { waitUntil: 'load' });
			if (state.wait) await page.waitForSelector(state.wait);
			else await page.waitForSelector('h1, h2');
			await page.waitForTimeout(state.settle ?? 700);
			if (state.act) {
				await state.act(page).catch((error) => console.log(file, String(error).slice(0, 200)));
				await page.waitForTimeout(500);
			}
			const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
			if (sideways > 0) console.log(file, `is ${sideways} px too wide`);
			await page.screenshot({ path: join(folder, `${file}.png`), fullPage: state.full ?? false, timeout: 60_000 });
			await page.close();
		}
		await context.close();
	}
}
await browser.close();
await mock.close();
