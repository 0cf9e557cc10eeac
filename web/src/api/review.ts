// SPDX-License-Identifier: Apache-2.0
// Calls and types of reviews, the queue, and annotations of dataset assets.
import type { LooseShape } from '../annotator/wire';
import type { Operation, Sent, Theirs } from '../lib/outbox';
import { api, ApiError, request, sessionLost, withQuery } from './client';
import { organization } from './session';
import type { Deployment, ImageData, Page, PredictedAsset } from './types';

export type ReviewKind = 'CORRECTED' | 'ACCEPTED' | 'NOTHING' | 'SKIPPED' | 'UNDONE';

export interface ReviewRecord {
	id: string;
	created_at: string;
	who: string;
	kind: ReviewKind;
	reason: string | null;
	shapes: LooseShape[];
	seconds: number | null;
}

export interface Draft {
	revision: number;
	shapes: LooseShape[];
	who: string | null;
	updated_at?: string;
}

export interface ReviewAsset extends PredictedAsset {
	reviews: ReviewRecord[] | null;
	draft: Draft | null;
	chosen: { why: string; at: string; chance: number | null } | null;
	lease: { who: string; until: string; mine: boolean } | null;
	/** The deployment's, now. */
	threshold?: number;
	source: string | null;
	/** Of the draft, or of the review that counts; 0: neither. */
	revision?: number;
}

export interface Lease {
	items: ReviewAsset[];
	left: number;
	mine_today: number;
	/** Of those held: somebody else has them, or they are reviewed. */
	lost?: string[];
}

export interface QueueSettings {
	queue_order: 'newest' | 'unsure' | 'outlier';
	/** 0…1 */
	random_share: number;
	guide: string;
	labels_shown: string[] | null;
}

export interface Queue {
	to_review: number;
	chosen_left: number;
	reviewed: number;
	submitted: number;
	skipped: number;
	mine_today: number;
	settings: QueueSettings;
}

export interface Annotation {
	id: string;
	status: string;
	revision: number;
	who: string | null;
	updated_at: string;
	shapes: LooseShape[];
}

/** 0…1, with the 95 % interval. */
export interface Interval {
	value: number;
	low: number;
	high: number;
}

export interface DatasetAsset {
	id: string;
	data: ImageData;
	evaluation?: boolean;
	annotation?: Annotation | null;
}

export interface DatasetVersionFacts {
	id: string;
	origin_id: string;
	origin_name: string;
	version: string;
	type: string;
	locked: boolean;
}

export interface DatasetLabel {
	id: string;
	name: string;
}

const deployment = (id: string): string => `/api/deployment/${encodeURIComponent(id)}`;
const predicted = (id: string): string => `/api/predicted/asset/${encodeURIComponent(id)}`;
const version = (id: string): string => `/api/dataset/version/${encodeURIComponent(id)}`;

export const reviewApi = {
	queue: (id: string, signal?: AbortSignal) => request<Queue>(`${deployment(id)}/queue`, { signal }),
	saveQueue: (id: string, settings: Partial<QueueSettings>) => request<Queue>(`${deployment(id)}/queue/settings`, { method: 'PUT', body: settings }),
	/** sample: of what champion and this shadow disagree on, instead of what the queue chose. */
	lease: (id: string, client: string, count: number, held: readonly string[], sample: string | null = null) =>
		request<Lease>(`${deployment(id)}/queue/lease`, { method: 'POST', body: { client, count, held, ...(sample !== null ? { queue: 'disagreements', ...(sample ? { version: sample } : {}) } : {}) } }),
	/** Sent also while the page closes. */
	release: async (id: string, client: string, ids: readonly string[]): Promise<void> => {
		const headers = { 'Content-Type': 'application/json', 'X-Gyre-Csrf': '1' };
		await fetch(`${deployment(id)}/queue/release`, { method: 'POST', headers, body: JSON.stringify({ client, ids }), credentials: 'same-origin', keepalive: true });
	},
	asset: (id: string, signal?: AbortSignal) => request<ReviewAsset>(withQuery(predicted(id), { threshold: 0.01 }), { signal }),

	datasetVersion: (id: string, signal?: AbortSignal) => request<DatasetVersionFacts>(version(id), { signal }),
	labels: (id: string, signal?: AbortSignal) => request<Page<DatasetLabel>>(withQuery(`${version(id)}/labels`, { limit: 1000, offset: 0 }), { signal }),
	assets: (id: string, query: { limit: number; offset: number; q?: string }, signal?: AbortSignal) =>
		request<Page<DatasetAsset>>(withQuery(`${version(id)}/assets`, { ...query, with_annotations: 1 }), { signal }),
};

function isTheirs(value: unknown): value is Theirs {
	return typeof value === 'object' && value !== null && 'revision' in value && 'shapes' in value && Array.isArray(value.shapes);
}

/** The refusal's body; client.ts keeps only its sentence. */
async function refused(response: Response): Promise<Sent> {
	const body: unknown = await response.json().catch(() => null);
	const has = (key: string): unknown => (typeof body === 'object' && body !== null && key in body ? (body as Record<string, unknown>)[key] : undefined);
	const message = typeof has('message') === 'string' ? String(has('message')) : `The server answered ${response.status}.`;
	const detail = has('detail');
	const theirs: unknown = Array.isArray(detail) ? detail[0] : undefined;
	if (response.status === 409 && isTheirs(theirs)) return { as: 'conflict', message, theirs: { revision: theirs.revision, who: theirs.who ?? null, shapes: theirs.shapes } };
	return { as: 'refused', message };
}

function wireCall({ what, asset, body, base, id }: Operation): { method: string; path: string; body: Record<string, unknown> } {
	const known = { ...body, client_id: id };
	switch (what) {
		case 'draft': return { method: 'PUT', path: `${predicted(asset)}/draft`, body: { ...known, base_revision: base } };
		case 'review': return { method: 'POST', path: `${predicted(asset)}/reviews`, body: { ...known, base_revision: base } };
		case 'skip': return { method: 'POST', path: `${predicted(asset)}/skip`, body: known };
		case 'unreview': return { method: 'POST', path: `${predicted(asset)}/unreview`, body: known };
		case 'annotation': return { method: 'PUT', path: `/api/asset/${encodeURIComponent(asset)}/annotation`, body: { ...known, base_revision: base } };
	}
}

/** A hung connection must not hold up what comes after it for ever. */
const SEND_TIMEOUT_MS = 20_000;

function revisionIn(what: Operation['what'], body: unknown): number {
	const has = (value: unknown, key: string): unknown => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined);
	const revision = what === 'annotation' ? has(has(body, 'annotation'), 'revision') : what === 'draft' ? has(body, 'revision') : 0;
	return typeof revision === 'number' ? revision : 0;
}

export async function sendOperation(operation: Operation): Promise<Sent> {
	const { method, path, body } = wireCall(operation);
	const response = await fetch(path, {
		method, body: JSON.stringify(body), credentials: 'same-origin', signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
		headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'X-Gyre-Csrf': '1' },
	});
	if (response.ok) {
		const answer: unknown = await response.json().catch(() => null);
		return { as: 'done', revision: revisionIn(operation.what, answer) };
	}
	if (response.status === 401) sessionLost();
	const wait = Number(response.headers.get('Retry-After') || NaN);
	// Signed out, too many, out of order: what was done is as good later.
	if (response.status === 401 || response.status === 408 || response.status === 429 || response.status >= 500)
		return { as: 'later', after_s: Number.isFinite(wait) ? wait : null };
	return refused(response);
}

/** A reviewer sees deployments only in the list of those whose pictures wait. */
export async function deploymentToReview(id: string, signal: AbortSignal): Promise<Deployment> {
	try {
		return await api.deployment(id, signal);
	} catch (error) {
		if (!(error instanceof ApiError && error.status === 403)) throw error;
		const { items } = await api.deployments(organization(), 1000, 0, signal);
		const found = items.find((d) => d.id === id);
		if (!found) throw error;
		return found;
	}
}

/** The champion's number and how sure it is; null where it cannot be said, or not to this person. */
export async function qualityOf(id: string, signal?: AbortSignal): Promise<Interval | null> {
	try {
		const { versions } = await request<{ versions: { role: string; images: number; ap: Interval | null }[] }>(`${deployment(id)}/quality`, { signal });
		const { ap } = versions.find((v) => v.role === 'champion') ?? {};
		return ap && typeof ap.low === 'number' && typeof ap.high === 'number' && typeof ap.value === 'number' ? ap : null;
	} catch (error) {
		if (error instanceof ApiError) return null;
		throw error;
	}
}
