// SPDX-License-Identifier: Apache-2.0
// What a deployment is watched against and by: Training Data, drift, outliers, alerts, webhooks. Types and calls.
import { Store } from '../lib/store';
import { request } from './client';
import { withList, type DatasetVersion, type ListQuery } from './learn';

/** Goes up when an alert opened or closed, Training Data changed, or the slow loop moved: whoever shows it reads anew. */
export const told = { alerts: new Store(0), training: new Store(0), loop: new Store(0) };
export const tell = (what: keyof typeof told): void => told[what].set(told[what].get() + 1);

export interface Reference {
	/** null: it waits for images. */
	id: string | null;
	status: 'RUNNING' | 'READY' | 'FAILED';
	/** 0…1 */
	progress: number | null;
	message: string | null;
	error: string | null;
	images: number;
	/** None of its images was trained on, as far as is known. */
	held_out: boolean;
	small: boolean;
	/** With what the model says of them, not image statistics alone. */
	predicted: boolean;
	features: boolean;
	features_reason: string | null;
	/** What is missing, in sentences. */
	note: string | null;
	ready_at: string | null;
	revision: number | null;
	model_version_id: string | null;
	tolerance: number | null;
	/** The smallest shift of each feature that a window can show. */
	sees?: { feature: string; title?: string; d: number | null }[] | null;
	job_id: string | null;
	/** One that was made before counts until this one is ready. */
	in_use?: boolean;
}

export interface TrainingData {
	set: boolean;
	active: boolean;
	kind: 'DATASET' | 'PRODUCTION' | null;
	dataset_version: DatasetVersion | null;
	source: string | null;
	from?: string | number | null;
	/** The dataset version has changed since. */
	changed_since?: boolean;
	images_max: number | null;
	reference: Reference | null;
	suggestion: { dataset_version_id: string; why: string } | null;
}

export type TrainingSource =
	| { dataset_version_id: string }
	| { kind: 'PRODUCTION'; images: number; source?: string; from?: number };

/** Values at evenly spaced shares, from the smallest to the largest. */
export interface Quantiles {
	quantiles: number[];
}

export interface DriftFeature {
	name: string;
	title: string;
	unit: string;
	kind: 'image' | 'model';
	d: number | null;
	low: number | null;
	high: number | null;
	p: number | null;
	p_adjusted: number | null;
	drifted: boolean;
	/** From here on a difference is more than chance. */
	critical_d: number | null;
	may_alarm: boolean;
	reference: Quantiles | null;
	window: Quantiles | null;
	/** Of the evidence that makes an alarm, 0…1. */
	strength: number | null;
	moved: 'higher' | 'lower' | 'wider' | 'narrower' | null;
}

export interface Drift {
	reference: { id: string; images: number; held_out: boolean; small: boolean; sentence: string | null } | null;
	window: { images: number; effective: number | null; from: string | number | null; to: string | number | null; basis: string | { sentence: string | null } | null };
	alpha: number;
	features: DriftFeature[];
	detectors: {
		seen: number;
		effective: number | null;
		thinning: number | null;
		tolerance: number | null;
		budget_images: number;
		state: 'watching' | 'waiting' | 'off';
		sentence: string | null;
	} | null;
	where: { by: 'source' | 'label' | 'tag'; name: string; images: number; feature: string; d: number | null; p: number | null }[];
	examples: { predicted_asset_id: string; value: number | null; created_at: string | number }[];
	missing: string[];
}

export interface OutlierPoint {
	predicted_asset_id: string;
	at: string | number;
	/** 1 is the limit. */
	score: number;
	rank: number | null;
}

export interface Outliers {
	limit: number;
	rank: number;
	points: OutlierPoint[];
	worst: OutlierPoint[];
	counts: { images: number; outliers: number; share: number | null; low: number | null; high: number | null };
	reference: Drift['reference'];
	missing: string[];
}

export interface Alert {
	id: string;
	kind: string;
	title: string;
	unit: string;
	help: string;
	operator: string;
	value: number;
	/** 0: it fires by an event, not by a window. */
	window_s: number;
	images_min: number;
	label: string | null;
	active: boolean;
	/** It needs reviews. */
	supervised: boolean;
	budget: string | null;
	last_fired_at: string | null;
	open: AlertEvent | null;
}

export interface AlertEvent {
	id: string;
	alert_id: string;
	kind: string;
	title: string;
	opened_at: string;
	closed_at: string | null;
	closed_by: string | null;
	sentence: string;
	detail?: unknown;
}

export interface Alerts {
	items: Alert[];
	events: AlertEvent[];
}

export type AlertChange = Partial<Pick<Alert, 'operator' | 'value' | 'window_s' | 'images_min' | 'label' | 'active'>>;

export interface Webhook {
	id: string;
	name: string;
	url: string;
	active: boolean;
	created_at?: string;
	last_at?: string | null;
	last_status?: number | null;
	last_error?: string | null;
	/** Once, when it is made. */
	secret?: string;
}

export interface Delivery {
	id: string;
	event?: string | null;
	event_id?: string | null;
	attempts: number;
	next_at: string | null;
	http_status: number | null;
	error: string | null;
	created_at: string;
	done_at: string | null;
}

const deploymentPath = (id: string): string => `/api/deployment/${encodeURIComponent(id)}`;
const td = (id: string): string => `${deploymentPath(id)}/pipeline/td`;
const webhookPath = (id: string): string => `/api/webhook/${encodeURIComponent(id)}`;
const send = <T>(method: string, path: string, body?: unknown): Promise<T> => request<T>(path, { method, body: body ?? {} });

export const watch = {
	trainingData: (id: string, signal?: AbortSignal) => request<TrainingData>(td(id), { signal }),
	setTrainingData: (id: string, source: TrainingSource) => send<unknown>('POST', `${td(id)}/setup`, source),
	redoTrainingData: (id: string) => send<unknown>('POST', `${td(id)}/redo`),
	switchTrainingData: (id: string, on: boolean) => send<unknown>('PUT', `${td(id)}/${on ? 'enable' : 'disable'}`),

	drift: (id: string, query: ListQuery, signal?: AbortSignal) => request<Drift>(withList(`${deploymentPath(id)}/drift`, query), { signal }),
	outliers: (id: string, query: ListQuery, signal?: AbortSignal) => request<Outliers>(withList(`${deploymentPath(id)}/outliers`, query), { signal }),

	alerts: (id: string, signal?: AbortSignal) => request<Alerts>(`${deploymentPath(id)}/alerts`, { signal }),
	addAlert: (id: string, alert: AlertChange & { kind: string }) => send<Alert>('POST', `${deploymentPath(id)}/alerts`, alert),
	changeAlert: (alert: string, change: AlertChange) => send<Alert>('PATCH', `/api/alert/${encodeURIComponent(alert)}`, change),
	deleteAlert: (alert: string) => request<void>(`/api/alert/${encodeURIComponent(alert)}`, { method: 'DELETE' }),
	closeAlert: (event: string) => send<AlertEvent>('POST', `/api/alert/event/${encodeURIComponent(event)}/close`),

	webhooks: (organization: string, signal?: AbortSignal) => request<{ items: Webhook[] }>(`/api/organization/${organization}/webhooks`, { signal }),
	addWebhook: (organization: string, webhook: { name: string; url: string; active: boolean }) => send<Webhook>('POST', `/api/organization/${organization}/webhooks`, webhook),
	changeWebhook: (id: string, change: { name?: string; url?: string; active?: boolean }) => send<Webhook>('PATCH', webhookPath(id), change),
	deleteWebhook: (id: string) => request<void>(webhookPath(id), { method: 'DELETE' }),
	testWebhook: (id: string) => send<{ delivered: boolean; http_status: number | null; error: string | null }>('POST', `${webhookPath(id)}/test`),
	deliveries: (id: string, signal?: AbortSignal) => request<{ items: Delivery[] }>(`${webhookPath(id)}/deliveries`, { signal }),
};
