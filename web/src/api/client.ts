// SPDX-License-Identifier: Apache-2.0
// Every call the pages make, in one place. A refusal is an ApiError with the server's own sentence.
import type {
	Answer, Deployment, HistoryItem, LatencySeries, Model, ModelFile, ModelVersion, Page, PredictedAsset, Session,
} from './types';

export class ApiError extends Error {
	/** HTTP status; 0 when no answer came. */
	readonly status: number;
	readonly retryAfter: number | null;

	constructor(status: number, message: string, retryAfter: number | null = null) {
		super(message);
		this.name = 'ApiError';
		this.status = status;
		this.retryAfter = retryAfter;
	}
}

export const SESSION_LOST = 'gyre-session-lost';

interface RequestOptions {
	method?: string;
	/** Sent as JSON, unless it is a form. */
	body?: unknown;
	headers?: Record<string, string>;
	signal?: AbortSignal;
}

/** The server's sentence, or our own when something between us answered. */
export async function refusal(response: Response): Promise<ApiError> {
	let message = `The server answered ${response.status}${response.statusText ? ` (${response.statusText})` : ''}.`;
	try {
		const body: unknown = await response.json();
		if (typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string')
			message = body.message;
	} catch {
		// No JSON: a proxy's page. The status says enough.
	}
	const retry = Number(response.headers.get('Retry-After') ?? NaN);
	return new ApiError(response.status, message, Number.isFinite(retry) ? retry : null);
}

export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
	const method = options.method ?? 'GET';
	const headers: Record<string, string> = { Accept: 'application/json', ...options.headers };
	let body: BodyInit | null = null;
	if (options.body instanceof FormData) {
		body = options.body;
	} else if (options.body !== undefined) {
		headers['Content-Type'] = 'application/json';
		body = JSON.stringify(options.body);
	}
	// The cookie alone is not enough to change anything: a foreign page cannot set this header.
	if (method !== 'GET') headers['X-Gyre-Csrf'] = '1';

	let response: Response;
	try {
		response = await fetch(path, { method, headers, body, signal: options.signal ?? null, credentials: 'same-origin' });
	} catch (error) {
		if (error instanceof DOMException && error.name === 'AbortError') throw error;
		throw new ApiError(0, 'No answer came from the server.');
	}
	if (!response.ok) {
		const error = await refusal(response);
		if (response.status === 401 && typeof window !== 'undefined') window.dispatchEvent(new Event(SESSION_LOST));
		throw error;
	}
	if (response.status === 204) return undefined as T;
	try {
		return (await response.json()) as T;
	} catch {
		throw new ApiError(response.status, 'The server’s answer could not be read.');
	}
}

type Query = Record<string, string | number | undefined>;

export function withQuery(path: string, query: Query): string {
	const search = new URLSearchParams();
	for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
	const text = search.toString();
	return text ? `${path}?${text}` : path;
}

const deploymentPath = (id: string): string => `/api/deployment/${encodeURIComponent(id)}`;

export const api = {
	session: (signal?: AbortSignal) => request<Session>('/api/session', { signal }),
	signIn: (token: string) => request<unknown>('/api/session', { method: 'POST', body: { token } }),
	signOut: () => request<void>('/api/session', { method: 'DELETE' }),

	deployments: (organization: string, limit: number, offset: number, signal?: AbortSignal) =>
		request<Page<Deployment>>(
			withQuery(`/api/organization/${organization}/deployments`, { limit, offset }), { signal }),
	deployment: (id: string, signal?: AbortSignal) => request<Deployment>(deploymentPath(id), { signal }),
	updateDeployment: (id: string, change: { name?: string; min_threshold?: number }) =>
		request<Deployment>(deploymentPath(id), { method: 'PATCH', body: change }),
	deleteDeployment: (id: string) => request<void>(deploymentPath(id), { method: 'DELETE' }),
	pause: (id: string) => request<Deployment>(`${deploymentPath(id)}/pause`, { method: 'POST', body: {} }),
	resume: (id: string) => request<Deployment>(`${deploymentPath(id)}/resume`, { method: 'POST', body: {} }),
	rollback: (id: string) => request<Deployment>(`${deploymentPath(id)}/rollback`, { method: 'POST', body: {} }),
	history: (id: string, signal?: AbortSignal) =>
		request<Page<HistoryItem>>(`${deploymentPath(id)}/history`, { signal }),
	latency: (id: string, from: number, to: number, pointsMax: number, signal?: AbortSignal) =>
		request<LatencySeries>(
			withQuery(`${deploymentPath(id)}/latency`, { from, to, points_max: pointsMax }), { signal }),
	predictedAssets: (id: string, query: { limit: number; offset: number; threshold?: number }, signal?: AbortSignal) =>
		request<Page<PredictedAsset>>(
			withQuery(`${deploymentPath(id)}/predictedassets`, { ...query, order_by: '-created_at' }), { signal }),
	predictedAsset: (id: string, threshold: number | undefined, signal?: AbortSignal) =>
		request<PredictedAsset>(withQuery(`/api/predicted/asset/${encodeURIComponent(id)}`, { threshold }), { signal }),
	predict: (id: string, file: File, key: string, signal?: AbortSignal) => {
		const form = new FormData();
		form.set('source', 'browser');
		form.set('media', file, file.name);
		return request<Answer>(`/api/deployments/${encodeURIComponent(id)}/predict`,
			{ method: 'POST', body: form, headers: { 'Idempotency-Key': key }, signal });
	},

	models: (organization: string, limit: number, offset: number, signal?: AbortSignal) =>
		request<Page<Model>>(withQuery(`/api/organization/${organization}/models`, { limit, offset }), { signal }),
	model: (id: string, signal?: AbortSignal) => request<Model>(`/api/model/${encodeURIComponent(id)}`, { signal }),
	modelVersions: (id: string, signal?: AbortSignal) =>
		request<Page<ModelVersion>>(`/api/model/${encodeURIComponent(id)}/versions`, { signal }),
	modelVersion: (id: string, signal?: AbortSignal) =>
		request<ModelVersion>(`/api/model/version/${encodeURIComponent(id)}`, { signal }),
	modelFiles: (versionId: string, signal?: AbortSignal) =>
		request<Page<ModelFile>>(`/api/model/version/${encodeURIComponent(versionId)}/modelfiles`, { signal }),
};
