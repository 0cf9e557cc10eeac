// SPDX-License-Identifier: Apache-2.0
// Every call the pages make, in one place. A refusal is an ApiError with the server's own sentence.
import type {
	Answer, CheckResult, Deployment, HistoryItem, Job, LatencySeries, Model, ModelFile, ModelVersion, Page, PredictedAsset, RecipeField,
	Session, TaskType, TryAnswer,
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

export function sessionLost(): void {
	if (typeof window !== 'undefined') window.dispatchEvent(new Event(SESSION_LOST));
}

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
	const retry = Number(response.headers.get('Retry-After') || NaN);
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
		if (response.status === 401) sessionLost();
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

const post = <T>(path: string, body: unknown = {}): Promise<T> => request<T>(path, { method: 'POST', body });

/** Links come with the server's own idea of its address; the page may have reached it by another. */
export function ownPath(link: string): string {
	const url = new URL(link, location.href);
	return url.pathname.startsWith('/api/storage/') ? url.pathname + url.search : link;
}

const deploymentPath = (id: string): string => `/api/deployment/${encodeURIComponent(id)}`;
const modelPath = (id: string): string => `/api/model/${encodeURIComponent(id)}`;
const versionPath = (id: string): string => `/api/model/version/${encodeURIComponent(id)}`;
const jobPath = (id: string): string => `/api/job/${encodeURIComponent(id)}`;

export type CheckJob = Job<CheckResult>;

export const api = {
	session: (signal?: AbortSignal) => request<Session>('/api/session', { signal }),
	signIn: (token: string) => request<unknown>('/api/session', { method: 'POST', body: { token } }),
	signOut: () => request<void>('/api/session', { method: 'DELETE' }),

	deployments: (organization: string, limit: number, offset: number, signal?: AbortSignal) =>
		request<Page<Deployment>>(
			withQuery(`/api/organization/${organization}/deployments`, { limit, offset }), { signal }),
	deployment: (id: string, signal?: AbortSignal) => request<Deployment>(deploymentPath(id), { signal }),
	updateDeployment: (id: string, change: { name?: string; min_threshold?: number; sample_rate?: number }) =>
		request<Deployment>(deploymentPath(id), { method: 'PATCH', body: change }),
	deleteDeployment: (id: string) => request<void>(deploymentPath(id), { method: 'DELETE' }),
	pause: (id: string) => post<Deployment>(`${deploymentPath(id)}/pause`),
	resume: (id: string) => post<Deployment>(`${deploymentPath(id)}/resume`),
	rollback: (id: string) => post<Deployment>(`${deploymentPath(id)}/rollback`),
	setChampion: (id: string, model_version_id: string) => post<Deployment>(`${deploymentPath(id)}/model`, { model_version_id }),
	setShadow: (id: string, model_version_id: string, since: 'now' | 'start') =>
		post<Deployment>(`${deploymentPath(id)}/shadow`, { model_version_id, since }),
	removeShadow: (id: string, versionId: string) =>
		request<Deployment>(`${deploymentPath(id)}/shadow/${encodeURIComponent(versionId)}`, { method: 'DELETE' }),
	promoteShadow: (id: string, versionId: string, keep_old_as_shadow: boolean) =>
		post<Deployment>(`${deploymentPath(id)}/shadow/${encodeURIComponent(versionId)}/promote`, { keep_old_as_shadow }),
	history: (id: string, signal?: AbortSignal) =>
		request<Page<HistoryItem>>(`${deploymentPath(id)}/history`, { signal }),
	latency: (id: string, query: { from: number; to: number; points_max: number; cpu?: 1 }, signal?: AbortSignal) =>
		request<LatencySeries>(withQuery(`${deploymentPath(id)}/latency`, query), { signal }),
	predictedAssets: (id: string, query: { limit: number; offset: number; threshold?: number; source?: string | undefined; tag?: string | undefined; label?: string | undefined; version?: string | undefined; from?: number | undefined; to?: number | undefined }, signal?: AbortSignal) =>
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
	model: (id: string, signal?: AbortSignal) => request<Model>(modelPath(id), { signal }),
	createModel: (organization: string, name: string) => post<Model>(`/api/organization/${organization}/models`, { name }),
	modelVersions: (id: string, signal?: AbortSignal) => request<Page<ModelVersion>>(`${modelPath(id)}/versions`, { signal }),
	createVersion: (model: string, fields: { type: TaskType; framework: 'ONNX'; labels?: Record<string, string> }) =>
		post<ModelVersion>(`${modelPath(model)}/versions`, fields),
	modelVersion: (id: string, signal?: AbortSignal) => request<ModelVersion>(versionPath(id), { signal }),
	/** Its file is looked at anew: 422 with the reason where it does not fit. */
	updateVersion: (id: string, fields: { type: TaskType; labels?: Record<string, string> }) =>
		request<ModelVersion>(versionPath(id), { method: 'PATCH', body: fields }),
	deleteVersion: (id: string) => request<void>(versionPath(id), { method: 'DELETE' }),
	modelFiles: (versionId: string, signal?: AbortSignal) =>
		request<Page<ModelFile>>(`${versionPath(versionId)}/modelfiles`, { signal }),
	/** Answers once the file was opened and run: the version is then ready or refused. */
	attachFile: (versionId: string, file: { name: string; filename: string; object_name: string }) =>
		post<ModelFile>(`${versionPath(versionId)}/modelfiles`, { ...file, large: false }),
	objectName: (organization: string, connector: string, filename: string) =>
		post<{ object_name: string }>(`/api/organization/${organization}/connector/${connector}/generate_object_name`, { filename, type: 'MODEL_FILE' }),
	uploadLink: (connector: string, object_name: string) =>
		post<{ presigned_url_data: { url: string; fields: Record<string, string> } }>(
			`/api/object-storage/${connector}/generate_presigned_url`, { object_name, content_type: 'application/octet-stream' }),

	/** Answers the new version. */
	changeRecipe: (versionId: string, recipe: Record<string, unknown>) => post<ModelVersion>(`${versionPath(versionId)}/recipe`, { recipe }),
	confirmRecipe: (versionId: string) => post<ModelVersion>(`${versionPath(versionId)}/recipe/confirm`),
	recipeFields: (versionId: string, signal?: AbortSignal) =>
		request<{ items: RecipeField[] }>(`${versionPath(versionId)}/recipe/fields`, { signal }),
	tryRecipe: (versionId: string, picture: File, changes: Record<string, unknown>, signal?: AbortSignal) => {
		const form = new FormData();
		form.set('media', picture, picture.name);
		if (Object.keys(changes).length > 0) form.set('recipe', JSON.stringify(changes));
		return request<TryAnswer>(`${versionPath(versionId)}/try`, { method: 'POST', body: form, signal });
	},
	checkPath: (versionId: string): string => `${versionPath(versionId)}/check`,
	job: (id: string, signal?: AbortSignal) => request<CheckJob>(jobPath(id), { signal }),
	cancelJob: (id: string) => post<CheckJob>(`${jobPath(id)}/cancel`),
	jobEvents: (id: string): string => `${jobPath(id)}/events`,
	deploy: (versionId: string, fields: { name: string; min_threshold: number; disable_serving: boolean }) =>
		post<{ id: string; name: string }>(`${versionPath(versionId)}/deploy`, fields),
};
