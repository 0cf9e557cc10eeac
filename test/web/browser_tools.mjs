// SPDX-License-Identifier: Apache-2.0
// What the browser checks share: finding Chromium, opening it without reaching out, one folder for pictures.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const fromWeb = createRequire(new URL('../../web/package.json', import.meta.url));

export const axeSource = fromWeb('axe-core').source;

export function chromiumPath() {
	const found = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => p && existsSync(p));
	if (!found) throw new Error('No Chromium was found. Install the package chromium, or name one in CHROMIUM.');
	return found;
}

export function openBrowser() {
	return fromWeb('playwright-core').chromium.launch({
		executablePath: chromiumPath(),
		args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--hide-scrollbars'],
	});
}
