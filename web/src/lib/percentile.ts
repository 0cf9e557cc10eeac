// SPDX-License-Identifier: Apache-2.0

/** Nearest rank: the smallest value that at least `share` of all values do not exceed. `sorted` ascends; null when empty. */
export function percentile(sorted: ArrayLike<number>, share: number): number | null {
	if (sorted.length === 0) return null;
	const rank = Math.ceil(Math.min(1, Math.max(0, share)) * sorted.length - 1e-9);
	return sorted[Math.max(0, rank - 1)] ?? null;
}

export function mean(values: ArrayLike<number>): number | null {
	if (values.length === 0) return null;
	let sum = 0;
	for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
	return sum / values.length;
}
