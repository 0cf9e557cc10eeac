// SPDX-License-Identifier: Apache-2.0
// Files that were dropped on one page and are imported on the next.
import type { Found } from '../lib/folder';

let waiting: { version: string; found: readonly Found[] } | null = null;

export function hand(version: string, found: readonly Found[]): void {
	waiting = found.length > 0 ? { version, found } : null;
}

/** Once. */
export function taken(version: string): readonly Found[] {
	const found = waiting?.version === version ? waiting.found : [];
	if (found.length > 0) waiting = null;
	return found;
}
