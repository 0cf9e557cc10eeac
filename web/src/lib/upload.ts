// SPDX-License-Identifier: Apache-2.0
// Pictures sent from the page: what became of each. A pure reducer; parts/send.tsx drives it.
import type { Answer } from '../api/types';

export type UploadState =
	| { kind: 'waiting' }
	| { kind: 'sending' }
	| { kind: 'answered'; answer: Answer }
	| { kind: 'failed'; error: unknown };

export interface Upload {
	/** Also the idempotency key: trying again never makes a second prediction. */
	key: string;
	file: File;
	state: UploadState;
}

export type UploadEvent =
	| { kind: 'added'; uploads: readonly Upload[] }
	| { kind: 'changed'; key: string; state: UploadState }
	| { kind: 'cleared' };

const finished = (u: Upload): boolean => u.state.kind === 'answered' || u.state.kind === 'failed';

export function uploadReducer(uploads: readonly Upload[], event: UploadEvent): readonly Upload[] {
	switch (event.kind) {
	case 'added':
		return [...event.uploads, ...uploads];
	case 'changed':
		return uploads.map((u) => (u.key === event.key ? { ...u, state: event.state } : u));
	case 'cleared':
		return uploads.filter((u) => !finished(u));
	}
}

/** The next to send, while fewer than `atOnce` are under way. */
export function nextUpload(uploads: readonly Upload[], atOnce: number): Upload | null {
	if (uploads.filter((u) => u.state.kind === 'sending').length >= atOnce) return null;
	// The newest stands first, the oldest goes first.
	return [...uploads].reverse().find((u) => u.state.kind === 'waiting') ?? null;
}
