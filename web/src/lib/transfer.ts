// SPDX-License-Identifier: Apache-2.0
// How an upload gets on: speed over the last seconds, and the time that is left at that speed.

const WINDOW_MS = 4000;

export interface Transfer {
	sent: number;
	total: number;
	/** Bytes a second; null before it can be told. */
	speed: number | null;
	secondsLeft: number | null;
	samples: readonly (readonly [atMs: number, sent: number])[];
}

export const noTransfer = (total: number, nowMs: number): Transfer => ({ sent: 0, total, speed: null, secondsLeft: null, samples: [[nowMs, 0]] });

export function transferred(state: Transfer, sent: number, total: number, nowMs: number): Transfer {
	const recent = state.samples.filter(([at], i) => nowMs - at <= WINDOW_MS || i === state.samples.length - 1);
	const [firstAt, firstSent] = recent[0] ?? [nowMs, sent];
	const seconds = (nowMs - firstAt) / 1000;
	const speed = seconds >= 0.25 && sent > firstSent ? (sent - firstSent) / seconds : state.speed;
	return { sent, total, speed, secondsLeft: speed ? Math.max(0, total - sent) / speed : null, samples: [...recent, [nowMs, sent]] };
}
