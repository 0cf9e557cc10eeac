// SPDX-License-Identifier: Apache-2.0

/** "/deployment/:id" against a path: the named parts, or null. A slash at the end does not matter. */
export function match(pattern: string, path: string): Record<string, string> | null {
	const want = pattern.split('/').filter(Boolean);
	const have = path.split('/').filter(Boolean);
	if (want.length !== have.length) return null;
	const found: Record<string, string> = {};
	for (const [i, part] of want.entries()) {
		const value = have[i] ?? '';
		if (part.startsWith(':')) {
			try {
				found[part.slice(1)] = decodeURIComponent(value);
			} catch {
				return null;
			}
		} else if (part !== value) {
			return null;
		}
	}
	return found;
}
