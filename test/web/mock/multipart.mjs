// SPDX-License-Identifier: Apache-2.0

/** The parts of a form: { name, filename, bytes }. Good enough for what a browser sends. */
export function parseForm(body, type) {
	const boundary = /boundary=([^;]+)/.exec(type)?.[1];
	if (!boundary) return [];
	const mark = Buffer.from(`--${boundary}`);
	const parts = [];
	for (let at = body.indexOf(mark); at >= 0;) {
		const head = at + mark.length + 2;
		const end = body.indexOf(mark, head);
		if (end < 0) break;
		const gap = body.indexOf('\r\n\r\n', head);
		const headers = body.subarray(head, gap).toString('utf8');
		parts.push({
			name: /[; ]name="([^"]*)"/.exec(headers)?.[1] ?? '', filename: /filename="([^"]*)"/.exec(headers)?.[1] ?? null, bytes: body.subarray(gap + 4, end - 2),
		});
		at = end;
	}
	return parts;
}
