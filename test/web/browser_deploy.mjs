// SPDX-License-Identifier: Apache-2.0
// From a file to a deployment and back, against the mock: what browser.mjs does, for the screens of deploying.
import { photos } from './mock/pictures.mjs';

const file = (name, bytes) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });
const photo = (i) => ({ name: photos[i].name, mimeType: photos[i].type, buffer: photos[i].bytes });

/** Drops files on the window as a person does. */
async function drop(page, files) {
	const transfer = await page.evaluateHandle((list) => {
		const made = new DataTransfer();
		for (const [name, type, base64] of list) made.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type }));
		return made;
	}, files.map((f) => [f.name, f.mimeType, f.buffer.toString('base64')]));
	await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
	await page.waitForSelector('.drop-cover, .is-over');
	await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer });
	await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}

export async function deployChecks({ page, address, check, accessible, api, control, assert }) {
	const labels = Array.from({ length: 80 }, (_, i) => `label ${i}`).join('\n');

	await check('lists are filtered by name', async () => {
		await page.goto(`${address}/models`);
		await page.fill('.filter input', 'ULTRA');
		await page.waitForFunction(() => document.querySelectorAll('tbody .row-link').length === 1);
		await page.fill('.filter input', 'nothing like it');
		await page.waitForSelector('.no-match');
		await accessible('no match');
		await page.goto(`${address}/`);
		await page.fill('.filter input', 'dock');
		await page.waitForFunction(() => document.querySelectorAll('tbody .row-link').length === 1);
	});

	await check('a dropped model is uploaded; the wrong type is refused, and looked at again', async () => {
		await page.goto(`${address}/models`);
		await page.waitForSelector('tbody .row-link');
		await drop(page, [file('mnist-12.onnx', 'x'.repeat(300_000)), file('digits.txt', '0\n1\n2\n3\n4\n5\n6\n7\n8\n9')]);
		await page.waitForSelector('.upload');
		assert.equal(await page.inputValue('.upload input.input'), 'mnist-12');
		await page.waitForSelector('.upload :text("10 labels")');
		await accessible('upload dialog');
		await page.click('.upload .button.primary');
		await page.waitForSelector('.upload .notice.bad:has-text("no known layout")');
		await accessible('a refused upload');
		await page.click('.upload label:has-text("Classification")');
		await page.click('text="Look again"');
		await page.waitForURL('**/model/**');
		await page.waitForSelector('.version-head .pill.ok');
	});

	await check('an existing model offers its type; labels that do not fit say so', async () => {
		await page.goto(`${address}/models`);
		await page.click('text="Upload a model"');
		await page.waitForSelector('.upload .drop');
		assert.equal(await page.locator('.upload .form-error').count(), 0);
		await accessible('the empty upload dialog');
		await page.setInputFiles('.upload input[type=file]', [file('model.pt', 'x')]);
		await page.waitForSelector('.upload .form-error:has-text("model.pt is none")');
		await page.setInputFiles('.upload input[type=file]', [file('night.onnx', 'x')]);
		await page.fill('.upload input.input', 'yolox-nano');
		await page.waitForSelector('.upload :text("next version of yolox-nano")');
		assert.equal(await page.locator('.upload .segments input').first().isDisabled(), true);
		await page.setInputFiles('.upload .field input[type=file]', [file('labels.json', '{"0":"a","7":"b"}')]);
		await page.waitForSelector('.upload .form-error:has-text("from 0 to 1")');
		assert.equal(await page.locator('.upload .button.primary').isDisabled(), true);
		await page.keyboard.press('Escape');
		await page.waitForSelector('dialog', { state: 'detached' });
	});

	await check('an upload shows its speed and can be cancelled, leaving nothing', async () => {
		const organization = (await api('/api/session')).organization.id;
		const before = (await api(`/api/organization/${organization}/models`)).count;
		const network = await page.context().newCDPSession(page);
		await page.click('text="Upload a model"');
		await page.setInputFiles('.upload input[type=file]', [file('large.onnx', 'x'.repeat(8_000_000))]);
		await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 2e6 });
		await page.click('.upload .button.primary');
		await page.waitForSelector('.transfer :text("left")');
		assert.match(await page.locator('.transfer p').textContent(), /MB of 8\.0 MB.*MB\/s.*s left/);
		await page.click('.upload >> text="Cancel"');
		await page.waitForSelector('.upload .field');
		await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
		await network.detach();
		await page.keyboard.press('Escape');
		assert.equal((await api(`/api/organization/${organization}/models`)).count, before);
	});

	await check('a model of 200 MB goes up from the page', async () => {
		await page.click('text="Upload a model"');
		// Made in the page: the test's own wire takes 50 MB at most.
		await page.evaluate(() => {
			const made = new DataTransfer();
			made.items.add(new File([new Uint8Array(200_000_000)], 'huge.onnx'));
			const input = document.querySelector('.upload input[type=file]');
			input.files = made.files;
			input.dispatchEvent(new Event('change', { bubbles: true }));
		});
		await page.waitForSelector('.upload :text("200 MB")');
		await page.click('.upload .button.primary');
		await page.waitForURL('**/model/**', { timeout: 60_000 });
		await page.waitForSelector('.file-list :text("200 MB")');
	});

	await check('Try it: a picture, a change, the way back; the newest answer stands', async () => {
		await page.goto(`${address}/models`);
		await page.click('text="Upload a model"');
		await page.setInputFiles('.upload input[type=file]', [file('yolox_nano.onnx', 'x'.repeat(40_000)), file('coco.txt', labels)]);
		await page.click('.upload .button.primary');
		await page.waitForURL('**/model/**');
		await page.waitForSelector('.control');
		await drop(page, [photo(1)]);
		await page.waitForSelector('.try-views:not(.is-stale) .boxes .line rect');
		await accessible('Try it');
		const boxes = () => page.locator('.try-views .boxes .line rect').count();
		const before = await boxes();
		assert.ok(before > 0);
		await page.selectOption('.control:has-text("pixel values") select', 'ImageNet');
		await page.waitForSelector('.recipe-changes .chip:has-text("pixels")');
		await page.waitForFunction((n) => document.querySelectorAll('.try-views:not(.is-stale) .boxes .line rect').length < n, before);
		await page.click('text="Undo"');
		await page.waitForFunction((n) => document.querySelectorAll('.try-views:not(.is-stale) .boxes .line rect').length === n, before);
		await page.click('text=/All \\d+ fields/');
		await page.fill('.control:has(label:text-is("width")) input', '640');
		await page.waitForSelector('.try-stage .form-error:has-text("cannot be 640")');
		await page.waitForSelector('.try-views.is-stale');
		await accessible('a refused recipe');
		await page.fill('.control:has(label:text-is("width")) input', 'wide');
		await page.waitForSelector('.control .form-error:has-text("whole number")');
		await page.fill('.control:has(label:text-is("width")) input', '416');
		await page.waitForSelector('.try-views:not(.is-stale)');
	});

	await check('a changed recipe becomes a version', async () => {
		await page.click('.control:has-text("colour") label:has-text("rgb")');
		await page.click('text="Save as version 1"');
		await page.waitForURL('**version=1');
		await page.waitForSelector('.control:has-text("colour") .badge.given');
		await page.waitForSelector('section:has-text("Lineage") .chip:has-text("rgb")');
	});

	await check('Check: too few say so; enough are ranked; the best is used', async () => {
		await drop(page, Array.from({ length: 5 }, (_, i) => photo(i)));
		await page.waitForSelector('#check .form-error:has-text("At least 20")');
		await page.click('#check >> text="Clear"');
		await page.setInputFiles('#check input[type=file][multiple]', [...Array.from({ length: 20 }, (_, i) => photo(i)), file('instances.json', '{}'), file('a.xml', '<a/>'), file('README.txt', 'x')]);
		await page.waitForSelector('#check .check-counts:has-text("20 pictures")');
		assert.match(await page.locator('.check-counts').textContent(), /2 annotation files.*1 left out/);
		await accessible('pictures to check');
		await page.click('text="Check with 20 pictures"');
		await page.waitForSelector('#check progress');
		await page.waitForSelector('.ranking');
		await page.locator('#check summary').first().click();
		await accessible('a ranking');
		assert.equal(await page.locator('.ranking .is-current').count(), 1);
		assert.match(await page.locator('.ranking tbody tr').first().textContent(), /colour bgr/);
		await page.reload();
		await page.waitForSelector('.ranking');
		await page.locator('.ranking .button.primary').click();
		await page.waitForURL('**version=2');
		await page.waitForSelector('.control:has-text("colour") label.is-on:has-text("bgr")');
	});

	await check('a check is cancelled', async () => {
		await control({ slow_jobs: true });
		await page.setInputFiles('#check input[type=file][multiple]', [...Array.from({ length: 20 }, (_, i) => photo(i)), file('instances.json', '{}')]);
		await page.click('text="Check with 20 pictures"');
		await page.waitForSelector('#check .transfer :text("recipe")');
		await page.click('#check >> text="Cancel"');
		await page.waitForSelector('#check .form-error:has-text("was cancelled")');
		await control({ slow_jobs: false });
	});

	await check('Deploy waits for the recipe to be confirmed, shows what a threshold does, refuses a name that is taken', async () => {
		await page.locator('.last-pictures button').first().click();
		await page.waitForSelector('.try-views:not(.is-stale) .boxes');
		await page.click('text="Deploy…"');
		await page.waitForSelector('.deploy .preview-picture .boxes');
		await page.waitForSelector('.why-not:has-text("nobody confirmed")');
		assert.equal(await page.locator('.deploy .dialog-foot .button.primary').isDisabled(), true);
		await accessible('Deploy, recipe not confirmed');
		await page.click('text="Confirm the recipe"');
		await page.waitForFunction(() => document.querySelector('.why-not')?.textContent === '');
		assert.match(await page.inputValue('.deploy .field .input'), /^[a-z]+-[a-z]+$/);
		const shown = () => page.locator('.preview-picture .box:not(.is-gone)').count();
		await page.locator('.threshold-field input').fill('0.01');
		const all = await shown();
		await page.locator('.threshold-field input').fill('0.95');
		await page.waitForFunction((n) => document.querySelectorAll('.preview-picture .box:not(.is-gone)').length < n, all);
		await page.fill('.deploy .field .input', 'digits');
		await page.click('.deploy .dialog-foot .button.primary');
		await page.waitForSelector('.deploy .form-error:has-text("already is a deployment")');
		await accessible('Deploy, name taken');
		await page.fill('.deploy .field .input', 'by-screen');
		await page.locator('.threshold-field input').fill('0.2');
		await page.click('.deploy .dialog-foot .button.primary');
		await page.waitForURL('**/deployment/**');
	});

	await check('the empty dashboard leads to the first picture, which appears by itself', async () => {
		await page.waitForSelector('.checklist');
		await page.waitForSelector('.checklist :text("loaded and warm")');
		await accessible('first steps');
		const id = new URL(page.url()).pathname.split('/').pop();
		assert.ok((await page.locator('.checklist pre').textContent()).includes(id));
		await page.click('.checklist label:has-text("Python")');
		assert.match(await page.locator('.checklist pre').textContent(), /get_deployment\("by-screen"\)/);
		await drop(page, [photo(0)]);
		await page.waitForSelector('.tile .boxes');
		assert.equal(await page.locator('.checklist').count(), 0);
	});

	await check('Settings: name, threshold on the last predictions, pause and resume', async () => {
		await page.click('.tabs >> text="Settings"');
		await page.waitForSelector('.preview-picture .boxes');
		await accessible('settings');
		await page.fill('.setting input.input', 'by-screen-2');
		await page.click('.setting >> text="Rename"');
		await page.waitForSelector('h1:has-text("by-screen-2")');
		await page.locator('.threshold-field input').fill('0.35');
		await page.click('text="Set to 0.35"');
		await page.waitForSelector('.head-facts strong:text-is("0.35")');
		await page.click('.setting button:has-text("Pause")');
		await page.click('dialog .button.primary');
		await page.waitForSelector('.notice.warn:has-text("Paused by")');
		await accessible('settings, paused');
		await page.click('.setting button:has-text("Resume")');
		await page.waitForSelector('.pill.ok:text-is("Serving")');
	});

	await check('a shadow is set, seen beside the champion, promoted, and the way back is in History', async () => {
		await page.click('.tabs >> text="Dashboard"');
		await page.click('text="Set a shadow…"');
		await page.waitForSelector('.version-choices .choice');
		await accessible('set a shadow');
		await page.click('.choice:has-text("yolox_nano:1")');
		const confirm = page.locator('dialog >> text="Confirm its recipe"');
		if (await confirm.isVisible()) await confirm.click();
		await page.click('dialog >> text="Also the 1 so far"');
		await page.click('dialog >> text="Set as shadow"');
		await page.waitForSelector('section[aria-label^="Shadow yolox_nano:1"] .pill.ok');
		await accessible('a shadow');
		await page.locator('.tile').first().click();
		await page.click('.detail label:has-text("Both")');
		await page.waitForSelector('.detail .box.shadow');
		await page.click('.detail label:has-text("At threshold")');
		await page.locator('.detail-view input[type=range]').fill('0.01');
		await accessible('champion and shadow');
		await page.keyboard.press('Escape');
		await page.waitForSelector('dialog', { state: 'detached' });
		await page.click('section[aria-label^="Shadow"] >> text="Promote"');
		await accessible('promote');
		await page.click('dialog .button.primary');
		await page.waitForSelector('section[aria-label="Champion"]:has-text("yolox_nano:1")');
		await page.waitForSelector('section[aria-label^="Shadow yolox_nano:2"]');
		await page.click('.tabs >> text="History"');
		await page.waitForSelector('.history-line:has-text("Promoted yolox_nano:1 in place of yolox_nano:2")');
		await page.click('.history-line:has-text("Promoted") >> text="Go back"');
		await page.click('dialog .button.primary');
		await page.waitForSelector('.history-line:has-text("Deployed yolox_nano:2 in place of yolox_nano:1")');
	});

	await check('the champion is swapped for a version of a fitting type; several shadows; a deployment elsewhere', async () => {
		await page.click('.tabs >> text="Dashboard"');
		await page.click('text="Swap…"');
		await page.click('.choice:has-text("yolox_nano:0")');
		await page.click('text="Confirm its recipe"');
		await page.click('dialog >> text="Let it answer"');
		await page.waitForSelector('section[aria-label="Champion"]:has-text("yolox_nano:0")');
		const list = (await api(`/api/organization/${(await api('/api/session')).organization.id}/deployments`)).items;
		for (const name of ['twin-bridge', 'gate-watch']) {
			await page.goto(`${address}/deployment/${list.find((d) => d.name === name).id}`);
			await page.waitForSelector('section[aria-label="Champion"]');
			await page.waitForTimeout(400);
			await accessible(name);
		}
		await page.click('.tabs >> text="Settings"');
		await page.waitForSelector('.setting:has-text("monitor")');
	});
}
