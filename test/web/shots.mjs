#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Pictures of every page and state, at three widths, light and dark, into a folder: for looking at.
//   node test/web/shots.mjs FOLDER [name-pattern]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openBrowser } from './browser_tools.mjs';
import { photos } from './mock/pictures.mjs';
import { startMock } from './mock.mjs';

const folder = process.argv[2] ?? 'build/web-shots';
const only = new RegExp(process.argv[3] ?? '.');
mkdirSync(folder, { recursive: true });
const mock = await startMock({ predictions: 3000, rate: 0 });
const browser = await openBrowser();
const deployment = (n) => `/deployment/018f2b6a-0004-7000-8000-${n.toString(16).padStart(12, '0')}`;
const model = (n) => `/model/018f2b6a-0005-7000-8000-${n.toString(16).padStart(12, '0')}`;
const experiment = (n) => `/experiment/018f2b6a-001f-7000-8000-${n.toString(16).padStart(12, '0')}`;
const control = (wish) => fetch(`${mock.address}/mock/control`, { method: 'POST', body: JSON.stringify(wish) });
const calm = { few: false, empty: false, delay_ms: 0, fail: 0, refuse_streams: false, expire: false, slow_jobs: false };

const upload = (name, bytes = 'onnx') => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });
const photo = (i) => ({ name: photos[i].name, mimeType: photos[i].type, buffer: photos[i].bytes });
const labels = ['person', 'bicycle', 'car', 'motorbike', 'aeroplane', 'bus', 'train', 'truck', 'boat', 'traffic light', 'fire hydrant', 'stop sign'].join('\n');
const tryPicture = async (page, i = 1) => {
	await page.setInputFiles('.try-stage input[type=file]', photo(i));
	await page.waitForSelector('.try-views:not(.is-stale) .boxes');
};
const check = async (page, n = 24, more = [upload('instances.json', '{}'), upload('b.xml', '<a/>'), upload('README.txt', 'x')]) => {
	await page.setInputFiles('#check input[type=file][multiple]', [...photos.slice(0, n).map((_, i) => photo(i)), ...more]);
	await page.locator('#check').scrollIntoViewIfNeeded();
};
const runCheck = async (page) => {
	await check(page);
	await page.click('text=/Check with/');
};
const openDeploy = async (page) => {
	await page.click('text="Deploy…"');
	await page.waitForSelector('.deploy');
};

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
		await page.locator('.watch-threshold .slider input').fill('0.55');
		await page.waitForTimeout(700);
	} },
	'deployment-save': { path: deployment(1), act: async (page) => {
		await page.locator('.watch-threshold .slider input').fill('0.55');
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
	'deployment-shadow-detail': { path: deployment(1), act: async (page) => {
		await page.locator('.tile').nth(1).click();
		await page.click('.detail label:has-text("Both")');
	} },
	'deployment-cpu': { path: deployment(1), act: (page) => page.click('text="Champion in CPU time"') },
	'deployment-shadows': { path: deployment(9) },
	'deployment-set-shadow': { path: deployment(2), act: async (page) => {
		await page.click('text="Set a shadow…"');
		await page.locator('.version-choices .choice').first().click();
	} },
	'deployment-swap': { path: deployment(1), act: (page) => page.click('text="Swap…"') },
	'deployment-promote': { path: deployment(1), act: (page) => page.click('text="Promote"') },
	'deployment-external': { path: deployment(8) },
	'settings': { path: `${deployment(1)}/settings`, act: async (page) => {
		await page.waitForSelector('.preview-picture');
		await page.locator('.threshold-field input').fill('0.45');
	} },
	'settings-paused': { path: `${deployment(2)}/settings`, full: true },
	'settings-new': { path: `${deployment(7)}/settings` },
	'settings-external': { path: `${deployment(8)}/settings` },
	'settings-delete': { path: `${deployment(1)}/settings`, act: (page) => page.click('text=/Delete this deployment/') },
	history: { path: `${deployment(1)}/history` },
	'history-back': { path: `${deployment(1)}/history`, act: (page) => page.locator('.history-action .button').first().click() },
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
	'models-filter': { path: '/models', act: (page) => page.fill('.filter input', 'o') },
	'models-no-match': { path: '/models', act: (page) => page.fill('.filter input', 'zzz') },
	upload: { path: '/models', act: async (page) => {
		await page.click('text="Upload a model"');
		await page.setInputFiles('.upload input[type=file]', [upload('yolox_nano.onnx', 'x'.repeat(3_658_000)), upload('classes.txt', labels)]);
	} },
	'upload-empty': { path: '/models', act: (page) => page.click('text="Upload a model"') },
	'upload-sending': { path: '/models', act: async (page) => {
		const network = await page.context().newCDPSession(page);
		await page.click('text="Upload a model"');
		await page.setInputFiles('.upload input[type=file]', [upload('yolox_nano.onnx', 'x'.repeat(20_000_000))]);
		await network.send('Network.emulateNetworkConditions', { offline: false, latency: 5, downloadThroughput: 1e7, uploadThroughput: 3e6 });
		await page.click('.upload .button.primary');
		await page.waitForSelector('text=/left/');
		await page.waitForTimeout(800);
	} },
	'upload-opening': { path: '/models', weather: { slow_jobs: true }, act: async (page) => {
		await page.click('text="Upload a model"');
		await page.setInputFiles('.upload input[type=file]', upload('yolox_nano.onnx'));
		await page.click('.upload .button.primary');
		await page.waitForSelector('.opening');
	} },
	'upload-refused': { path: '/models', act: async (page) => {
		await page.click('text="Upload a model"');
		await page.setInputFiles('.upload input[type=file]', [upload('refused.onnx'), upload('classes.txt', labels)]);
		await page.click('.upload .button.primary');
		await page.waitForSelector('.upload .notice.bad');
	} },
	model: { path: `${model(1)}?version=3` },
	'model-full': { path: `${model(1)}?version=3`, full: true },
	'model-confirmed': { path: `${model(1)}?version=1` },
	'model-try': { path: `${model(1)}?version=3`, act: (page) => tryPicture(page) },
	'model-try-changed': { path: `${model(1)}?version=3`, act: async (page) => {
		await tryPicture(page, 3);
		await page.click('.control:has-text("colour") label:has-text("rgb")');
		await page.selectOption('.control:has-text("pixel values") select', '0…1');
	} },
	'model-try-error': { path: `${model(1)}?version=3`, act: async (page) => {
		await tryPicture(page, 3);
		await page.click('text=/All \\d+ fields/');
		await page.fill('.control:has(label:text-is("width")) input', '640');
		await page.waitForSelector('.try-stage .form-error');
	} },
	'model-try-class': { path: `${model(2)}`, act: async (page) => {
		await page.locator('.last-pictures button').first().click();
		await page.waitForSelector('.class-bars');
	} },
	'model-try-polygons': { path: `${model(3)}`, act: (page) => tryPicture(page, 2) },
	'check-chosen': { path: `${model(1)}?version=3`, act: (page) => check(page) },
	'check-few': { path: `${model(1)}?version=3`, act: (page) => check(page, 12, []) },
	'check-running': { path: `${model(1)}?version=3`, weather: { slow_jobs: true }, act: async (page) => {
		await runCheck(page);
		await page.waitForTimeout(1500);
	} },
	'check-done': { path: `${model(1)}?version=3`, act: async (page) => {
		await page.evaluate(() => sessionStorage.clear());
		await runCheck(page);
		await page.waitForSelector('.ranking', { timeout: 15_000 });
		await page.locator('.check-result details').first().click();
		await page.locator('#check').scrollIntoViewIfNeeded();
	} },
	'deploy-dialog': { path: `${model(1)}?version=1`, act: async (page) => {
		await tryPicture(page, 4);
		await openDeploy(page);
		await page.setInputFiles('.deploy input[type=file]', [1, 2, 3].map(photo));
		await page.waitForTimeout(900);
	} },
	'deploy-empty': { path: `${model(1)}?version=1`, act: openDeploy },
	'deploy-unconfirmed': { path: `${model(1)}?version=3`, act: async (page) => {
		await tryPicture(page, 5);
		await openDeploy(page);
	} },
	'deploy-taken': { path: `${model(1)}?version=1`, act: async (page) => {
		await openDeploy(page);
		await page.fill('.deploy input:not([type])', 'digits');
		await page.click('.deploy .button.primary');
		await page.waitForSelector('.form-error');
	} },
	'deploy-external': { path: model(5), act: openDeploy },
	'model-refused': { path: `${model(1)}?version=2` },
	'model-no-file': { path: model(5) },
	'model-empty': { path: model(4) },
	datasets: { path: '/datasets' },
	'datasets-empty': { path: '/datasets', weather: { empty: true } },
	dataset: { path: '/dataset/018f2b6a-000e-7000-8000-000000000001' },
	'dataset-version': { path: '/dataset/version/018f2b6a-000e-7000-8000-000000000012', settle: 1200 },
	'dataset-statistics': { path: '/dataset/version/018f2b6a-000e-7000-8000-000000000012?view=statistics', settle: 1200 },
	predictions: { path: `${deployment(1)}/predictions`, settle: 1200 },
	'predictions-both': { path: `${deployment(1)}/predictions`, settle: 1200, act: (page) => page.click('text="Both"') },
	'predictions-table': { path: `${deployment(1)}/predictions?view=table`, settle: 1200 },
	'predictions-details': { path: `${deployment(1)}/predictions?view=details`, settle: 1200 },
	quality: { path: deployment(1), settle: 1500, act: (page) => page.locator('#quality').evaluate((panel) => panel.scrollIntoView()) },
	drift: { path: deployment(1), settle: 1500, act: (page) => page.locator('#drift').evaluate((panel) => panel.scrollIntoView()) },
	outliers: { path: deployment(1), settle: 1500, act: (page) => page.locator('#outliers').evaluate((panel) => panel.scrollIntoView()) },
	'drift-none': { path: deployment(2), settle: 1500, act: (page) => page.locator('#drift').evaluate((panel) => panel.scrollIntoView()) },
	'settings-training': { path: `${deployment(1)}/settings/training-data`, settle: 1200, full: true },
	'settings-training-making': { path: `${deployment(2)}/settings/training-data`, weather: { slow_jobs: true }, act: async (page) => {
		const suggested = page.locator('text="Use what is suggested"');
		if (await suggested.count()) await suggested.click();
		await page.waitForSelector('progress');
	} },
	'settings-training-choose': { path: `${deployment(3)}/settings/training-data`, act: (page) => page.click('text="Choose Training Data"') },
	'settings-alerts': { path: `${deployment(1)}/settings/alerts`, full: true, act: async (page) => {
		await page.click('text="Add an alert"');
		await page.click('text="Add a webhook"');
	} },
	'settings-feedback': { path: `${deployment(1)}/settings/feedback`, settle: 1200, full: true },
	projects: { path: '/projects' },
	'projects-empty': { path: '/projects', weather: { empty: true } },
	project: { path: '/project/018f2b6a-001e-7000-8000-000000000001' },
	'project-empty': { path: '/project/018f2b6a-001e-7000-8000-000000000002' },
	'project-new': { path: '/project/018f2b6a-001e-7000-8000-000000000001', act: (page) => page.click('text="New experiment"') },
	'experiment-running': { path: experiment(1), full: true, settle: 2500 },
	'experiment-done': { path: experiment(2), full: true, settle: 1500 },
	'experiment-failed': { path: experiment(3), full: true, settle: 1200 },
	'experiment-first': { path: experiment(4), full: true, settle: 1200 },
	'experiment-picture': { path: experiment(2), settle: 1200, act: async (page) => {
		await page.locator('.compared-tile').first().click();
		await page.waitForTimeout(1200);
	} },
	'experiment-cancel': { path: experiment(1), act: (page) => page.click('text="Cancel"') },
	'first-model': { path: '/dataset/version/018f2b6a-000e-7000-8000-000000000012', act: (page) => page.click('text="Train a first model"') },
	'first-model-none': { path: '/dataset/version/018f2b6a-000e-7000-8000-000000000012', weather: { few: true }, act: (page) => page.click('text="Train a first model"') },
	'pre-label': { path: '/dataset/version/018f2b6a-000e-7000-8000-000000000012', act: (page) => page.click('text="Pre-label"') },
	jobs: { path: '/jobs' },
	'jobs-empty': { path: '/jobs', weather: { empty: true } },
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
