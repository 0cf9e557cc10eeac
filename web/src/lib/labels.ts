// SPDX-License-Identifier: Apache-2.0
// Labels from the files people have: a name a line, JSON lists and dictionaries, COCO's categories, YAML's `names`.

/** A sentence for the person who gave the file. */
export class LabelsError extends Error {}

const LABELS_MAX = 10_000;

function unquoted(text: string): string {
	const trimmed = text.trim();
	const quoted = /^(["'])(.*)\1$/.exec(trimmed);
	return quoted ? quoted[2] ?? '' : trimmed.replace(/\s+#.*$/, '').trim();
}

/** {"0": "a", "1": "b"} in any order; numbers must run from nought without holes. */
function fromPairs(pairs: readonly (readonly [string | number, unknown])[]): string[] {
	const names: string[] = [];
	for (const [key, value] of pairs) {
		const index = Number(key);
		if (!Number.isInteger(index) || index < 0 || index >= pairs.length || names[index] !== undefined)
			throw new LabelsError(`Classes must be numbered from 0 to ${pairs.length - 1}; "${key}" does not fit.`);
		names[index] = String(value);
	}
	return names;
}

function fromJson(value: unknown): string[] {
	if (Array.isArray(value)) {
		if (value.every((v) => typeof v === 'string')) return value;
		if (value.every((v): v is { id: number; name: string } => typeof v === 'object' && v !== null && 'name' in v))
			return [...value].sort((a, b) => Number(a.id ?? 0) - Number(b.id ?? 0)).map((v) => String(v.name));
		throw new LabelsError('The list in this JSON file holds something other than names.');
	}
	if (typeof value === 'object' && value !== null) {
		for (const key of ['names', 'labels', 'id2label', 'categories', 'classes']) {
			const inner = (value as Record<string, unknown>)[key];
			if (typeof inner === 'object' && inner !== null) return fromJson(inner);
		}
		return fromPairs(Object.entries(value));
	}
	throw new LabelsError('This JSON file holds no list of names.');
}

/** Only `names`: a block list, a block of "0: name", or [a, b] on its line. */
function fromYaml(text: string): string[] {
	const lines = text.split(/\r?\n/);
	const start = lines.findIndex((line) => /^names\s*:/.test(line));
	if (start < 0) throw new LabelsError('This YAML file has no "names".');
	const rest = (lines[start] ?? '').replace(/^names\s*:/, '').trim();
	if (/^[[{]/.test(rest)) {
		const flow = (rest + lines.slice(start + 1).join(' ')).replace(/^([[{])([^\]}]*)[\]}].*$/, '$2');
		const parts = flow.split(',').filter((p) => p.trim());
		return rest.startsWith('[') ? parts.map(unquoted)
			: fromPairs(parts.map((p) => [unquoted(p.slice(0, p.indexOf(':'))), unquoted(p.slice(p.indexOf(':') + 1))]));
	}
	const pairs: [string, string][] = [];
	const items: string[] = [];
	for (const line of lines.slice(start + 1)) {
		if (/^\s*(#.*)?$/.test(line)) continue;
		const item = /^\s*-\s+(.*)$/.exec(line);
		const pair = /^\s+["']?(\d+)["']?\s*:\s*(.*)$/.exec(line);
		if (item) items.push(unquoted(item[1] ?? ''));
		else if (pair) pairs.push([pair[1] ?? '', unquoted(pair[2] ?? '')]);
		else break;
	}
	return items.length > 0 ? items : fromPairs(pairs);
}

function fromLines(text: string): string[] {
	const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/).map((line) => line.trim());
	while (lines.length > 0 && lines[lines.length - 1] === '') lines.pop();
	const empty = lines.indexOf('');
	if (empty >= 0) throw new LabelsError(`Line ${empty + 1} is empty: there must be one name a line.`);
	// "0: person" or "0 person" on every line, in order.
	const numbered = lines.map((line, i) => new RegExp(`^${i}\\s*[:,\\s]\\s*(.+)$`).exec(line)?.[1]);
	return lines.length > 1 && numbered.every((name) => name !== undefined) ? numbered as string[] : lines;
}

/** Throws LabelsError. */
export function parseLabels(filename: string, text: string): string[] {
	let labels: string[];
	if (/\.json$/i.test(filename)) {
		let value: unknown;
		try {
			value = JSON.parse(text);
		} catch {
			throw new LabelsError('This file is not JSON.');
		}
		labels = fromJson(value);
	} else {
		labels = /\.ya?ml$/i.test(filename) ? fromYaml(text) : fromLines(text);
	}
	labels = labels.map((label) => label.trim());
	if (labels.length === 0) throw new LabelsError('No names were found in it.');
	if (labels.length > LABELS_MAX) throw new LabelsError(`It has ${labels.length} lines; at most ${LABELS_MAX} labels are taken. Is it the right file?`);
	const blank = labels.findIndex((label) => !label || label.length > 200);
	if (blank >= 0) throw new LabelsError(`The label of class ${blank} is ${labels[blank] ? 'too long' : 'empty'}.`);
	return labels;
}

export const numbered = (labels: readonly string[]): Record<string, string> => Object.fromEntries(labels.map((label, i) => [String(i), label]));
