// SPDX-License-Identifier: Apache-2.0
// What a deployment learns from: datasets, the Feedback Loop, quality, jobs. Types and calls.
import { request, withQuery } from './client';
import type { ImageData, Job, Page, PredictedAsset, TaskType } from './types';

/** As it is stored and answered, labels by name: coordinates of the picture, a score where a model made it. */
export interface LooseShape {
	type: string;
	label: string;
	score?: number;
	x?: number;
	y?: number;
	w?: number;
	h?: number;
	polygon?: readonly (readonly number[])[];
	/** Several parts of one shape. */
	rings?: readonly (readonly (readonly number[])[])[];
}

export type DatasetType = TaskType | 'NOT_CONFIGURED';

export interface Dataset {
	id: string;
	name: string;
	description: string | null;
	versions: number;
	/** Of the newest version. */
	assets: number;
	cover: string | null;
	created_at: string;
}

export interface DatasetVersion {
	id: string;
	origin_id: string;
	origin_name: string;
	version: string;
	type: DatasetType;
	description: string | null;
	/** One more with each change. */
	revision: number;
	locked: boolean;
	hash: string | null;
	created_at: string;
	forked_from_id: string | null;
	assets: number;
	annotated: number;
	labels: number;
}

export interface Annotation {
	id: string;
	status: string;
	revision: number;
	who: string | null;
	updated_at: string;
	shapes: LooseShape[];
}

export interface Asset {
	id: string;
	data: ImageData;
	evaluation?: boolean;
	annotation?: Annotation | null;
}

export interface Label {
	id: string;
	name: string;
}

export interface DatasetStats {
	label_repartition: Record<string, number>;
	nb_objects: number;
	nb_annotations: number;
	nb_assets: number;
	nb_annotated: number;
	sizes: { small: number; medium: number; large: number };
	/** How many images have 0, 1, 2, … objects. */
	objects_per_image: number[];
}

export interface DatasetDiff {
	only_here: number;
	only_there: number;
	changed: number;
	same: number;
	/** At most 1,000. */
	items: { filename: string; what: 'added' | 'removed' | 'changed'; asset_id: string | null }[];
}

/** What a job of the kind dataset_import says at its end. */
export interface ImportResult {
	images: number;
	assets_new: number;
	annotated: number;
	shapes: number;
	labels_new: number;
	problems: string[];
	problems_left_out: number;
}

export type ImportMode = 'REPLACE' | 'KEEP' | 'CONCATENATE';

export interface AnyJob extends Job {
	object_id?: string | null;
	by?: string | null;
}

export type LabelAction = 'keep' | 'rename' | 'drop' | 'new';

export interface FeedbackLabel {
	label: string;
	/** null: nobody said; reviews with it wait. */
	action: LabelAction | null;
	to_name: string | null;
}

export interface FeedbackTarget {
	dataset_version: DatasetVersion;
	since: string;
}

export interface FeedbackLoop {
	set_up: boolean;
	active: boolean;
	submit_by_itself: boolean;
	submit_after_s: number;
	/** 0…1 */
	evaluation_share: number;
	targets: FeedbackTarget[];
	labels: FeedbackLabel[];
	counts: { reviewed: number; submitted: number; waiting: number; waiting_labels: Record<string, number>; next_submission_at: string | null };
}

export interface Interval {
	value: number | null;
	low: number | null;
	high: number | null;
}

export interface LabelQuality {
	label: string;
	ap?: number | null;
	ap50?: number | null;
	iou?: number | null;
	truths?: number;
	found?: number;
	wrong?: number;
	missed?: number;
	precision: number | null;
	recall: number | null;
	f1: number | null;
}

export interface VersionQuality {
	model_version_id: string;
	/** Of the version alone. */
	name: string;
	model_name?: string;
	version?: number;
	role: 'champion' | 'shadow' | 'past';
	images: number;
	coco?: Record<string, number | null> | null;
	classification?: { accuracy: number | null; precision: number | null; recall: number | null; f1: number | null; labels?: LabelQuality[] } | null;
	segmentation?: ({ mean_iou: number | null } & Record<string, unknown>) | null;
	ap: (Interval & { method?: string }) | null;
	weighted: (Interval & { images: number }) | null;
	random_only: (Interval & { images: number }) | null;
	/** To the champion, on the images that both answered. */
	difference?: (Interval & { images: number }) | null;
	at_threshold: { precision: number | null; recall: number | null; f1: number | null; found: number; wrong: number; missed: number } | null;
	labels: LabelQuality[];
	/** [recall, precision] at IoU .5, or [threshold, precision, recall, f1]. */
	curve: number[][] | null;
	best_threshold: number | null;
	confusion: { labels: string[]; cells: number[][] } | null;
}

export interface Quality {
	task: TaskType | string;
	reviewed: number;
	with_chance: number;
	threshold: number;
	versions: VersionQuality[];
	over_time: { from: string | number; to: string | number; images: number; values: Record<string, number | null> }[];
}

export interface ReviewMark {
	id: string;
	created_at: string;
	who: string | null;
	kind: 'CORRECTED' | 'ACCEPTED' | 'NOTHING' | 'SKIPPED' | 'UNDONE';
	reason: string | null;
	shapes: LooseShape[];
}

/** A predicted asset with what people did to it. */
export interface ReviewedAsset extends PredictedAsset {
	reviews?: ReviewMark[] | null;
	chosen?: { why: string; at: string; chance: number | null } | null;
	lease?: { who: string; until: string; mine: boolean } | null;
	tags?: { id: string; name: string }[];
}

export interface QueueCounts {
	to_review: number;
	chosen_left: number;
	reviewed: number;
	submitted: number;
	skipped: number;
	mine_today: number;
}

export interface Outcome {
	problems: { id: string; message: string }[];
}

/** Values are repeated where a key has several. */
export type ListQuery = Record<string, string | number | undefined | readonly string[]>;

export function withList(path: string, query: ListQuery): string {
	const search = new URLSearchParams();
	for (const [key, value] of Object.entries(query)) {
		if (value === undefined) continue;
		if (typeof value === 'object') for (const one of value) search.append(key, one);
		else search.set(key, String(value));
	}
	const text = search.toString();
	return text ? `${path}?${text}` : path;
}

const post = <T>(path: string, body: unknown = {}): Promise<T> => request<T>(path, { method: 'POST', body });
const datasetPath = (id: string): string => `/api/dataset/${encodeURIComponent(id)}`;
const versionPath = (id: string): string => `/api/dataset/version/${encodeURIComponent(id)}`;
const deploymentPath = (id: string): string => `/api/deployment/${encodeURIComponent(id)}`;
const feedbackPath = (id: string): string => `${deploymentPath(id)}/pipeline/fl`;
const ALL = { limit: 1000, offset: 0 };

export const learn = {
	datasets: (organization: string, limit: number, offset: number, signal?: AbortSignal) =>
		request<Page<Dataset>>(withQuery(`/api/organization/${organization}/datasets`, { limit, offset }), { signal }),
	dataset: (id: string, signal?: AbortSignal) => request<Dataset>(datasetPath(id), { signal }),
	createDataset: (organization: string, name: string, description: string) =>
		post<Dataset>(`/api/organization/${organization}/datasets`, { name, description }),
	deleteDataset: (id: string) => request<void>(datasetPath(id), { method: 'DELETE' }),
	versions: (dataset: string, signal?: AbortSignal) => request<Page<DatasetVersion>>(withQuery(`${datasetPath(dataset)}/versions`, ALL), { signal }),
	createVersion: (dataset: string, fields: { version: string; description?: string; type: DatasetType }) =>
		post<DatasetVersion>(`${datasetPath(dataset)}/versions`, fields),
	fork: (dataset: string, parent: DatasetVersion, version: string) =>
		post<{ dataset_version: DatasetVersion; job?: { id: string; status: string } }>(`${datasetPath(dataset)}/fork`, {
			parent_id: parent.id, version, description: parent.description ?? '', type: parent.type, with_tags: true, with_labels: true, with_annotations: true,
		}),
	version: (id: string, signal?: AbortSignal) => request<DatasetVersion>(versionPath(id), { signal }),
	updateVersion: (id: string, fields: { version?: string; description?: string; type?: DatasetType }) =>
		request<DatasetVersion>(versionPath(id), { method: 'PATCH', body: fields }),
	deleteVersion: (id: string) => request<void>(versionPath(id), { method: 'DELETE' }),
	lock: (id: string) => post<unknown>(`${versionPath(id)}/lock`),
	unlock: (id: string) => post<unknown>(`${versionPath(id)}/unlock`),
	labels: (id: string, signal?: AbortSignal) => request<Page<Label>>(withQuery(`${versionPath(id)}/labels`, ALL), { signal }),
	stats: (id: string, signal?: AbortSignal) => request<DatasetStats>(`${versionPath(id)}/stats`, { signal }),
	diff: (id: string, other: string, signal?: AbortSignal) => request<DatasetDiff>(withQuery(`${versionPath(id)}/diff`, { other }), { signal }),
	assets: (id: string, query: ListQuery, signal?: AbortSignal) =>
		request<Page<Asset>>(withList(`${versionPath(id)}/assets`, { ...query, with_annotations: 1 }), { signal }),
	/** Assets that no training gets: a share of all by their bytes, or these. */
	holdOut: (id: string, what: { share: number } | { ids: readonly string[]; evaluation: boolean }) =>
		request<{ changed: number }>(`${versionPath(id)}/assets/evaluation`, { method: 'POST', body: what }),
	removeAssets: (id: string, ids: readonly string[]) => request<void>(`${versionPath(id)}/assets`, { method: 'DELETE', body: { ids } }),
	importPath: (id: string): string => `${versionPath(id)}/import`,
	exportPath: (id: string, format: string, images: boolean, purpose: string): string =>
		withQuery(`${versionPath(id)}/export`, { format, images: images ? 1 : 0, for: purpose }),

	job: (id: string, signal?: AbortSignal) => request<AnyJob>(`/api/job/${encodeURIComponent(id)}`, { signal }),
	jobs: (organization: string, limit: number, offset: number, signal?: AbortSignal) =>
		request<Page<AnyJob>>(withQuery(`/api/organization/${organization}/jobs`, { limit, offset }), { signal }),
	cancelJob: (id: string) => post<AnyJob>(`/api/job/${encodeURIComponent(id)}/cancel`),

	predictions: (id: string, query: ListQuery, signal?: AbortSignal) =>
		request<Page<ReviewedAsset>>(withList(`${deploymentPath(id)}/predictedassets`, query), { signal }),
	sources: (organization: string, signal?: AbortSignal) => request<Page<{ id: string; name: string }>>(withQuery(`/api/organization/${organization}/datasources`, ALL), { signal }),
	prediction: (id: string, signal?: AbortSignal) => request<ReviewedAsset>(withQuery(`/api/predicted/asset/${encodeURIComponent(id)}`, { threshold: 0.01 }), { signal }),
	accept: (id: string, ids: readonly string[]) => post<Outcome & { accepted: number }>(`${deploymentPath(id)}/reviews/accept`, { ids }),
	submit: (id: string, what: { ids: readonly string[] } | { all: true }) => post<Outcome & { submitted: number; waiting: number }>(`${deploymentPath(id)}/submit`, what),
	withdraw: (asset: string) => post<ReviewedAsset>(`/api/predicted/asset/${encodeURIComponent(asset)}/withdraw`),
	queue: (id: string, signal?: AbortSignal) => request<QueueCounts>(`${deploymentPath(id)}/queue`, { signal }),

	feedback: (id: string, signal?: AbortSignal) => request<FeedbackLoop>(feedbackPath(id), { signal }),
	setUpFeedback: (id: string) => post<unknown>(`${feedbackPath(id)}/setup`),
	switchFeedback: (id: string, active: boolean) => request<unknown>(feedbackPath(id), { method: 'PUT', body: { active } }),
	changeFeedback: (id: string, change: Partial<Pick<FeedbackLoop, 'submit_by_itself' | 'submit_after_s' | 'evaluation_share'>>) =>
		request<FeedbackLoop>(feedbackPath(id), { method: 'PATCH', body: change }),
	mapLabels: (id: string, labels: readonly FeedbackLabel[]) => request<unknown>(`${feedbackPath(id)}/labels`, { method: 'PUT', body: { labels } }),
	attach: (id: string, dataset_version_id: string) => post<unknown>(`${feedbackPath(id)}/datasets`, { dataset_version_id }),
	attachFork: (id: string, dataset_version_id: string, version: string) => post<unknown>(`${feedbackPath(id)}/datasets/fork`, { dataset_version_id, version }),
	detach: (id: string, ids: readonly string[]) => request<unknown>(`${feedbackPath(id)}/datasets`, { method: 'DELETE', body: { ids } }),

	quality: (id: string, query: ListQuery, signal?: AbortSignal) => request<Quality>(withList(`${deploymentPath(id)}/quality`, query), { signal }),
};
