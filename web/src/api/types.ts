// SPDX-License-Identifier: Apache-2.0
// What the server says, as the pages read it. Times are RFC 3339 text; `latency` is in seconds, `…_ms` in milliseconds.

export type TaskType = 'OBJECT_DETECTION' | 'CLASSIFICATION' | 'SEGMENTATION';
export type DeploymentStatus = 'SERVING' | 'PAUSED' | 'HELD' | 'LOADING' | 'EXTERNAL';

export interface Page<Item> {
	items: Item[];
	/** How many there are in all, not on this page. */
	count: number;
}

export interface Session {
	user: { id: string; name: string };
	organization: { id: string; name: string };
	version: string;
}

export interface Champion {
	model_id: string;
	model_name: string;
	version_id: string;
	version: number;
	version_name: string | null;
	since: string;
}

export interface DeploymentStats {
	inferences: number;
	failed: number;
	mean_latency_ms: number | null;
	p99_latency_ms: number | null;
	/** At most 60, oldest first. */
	recent_latency_ms: number[];
	last_at: string | null;
}

export interface Deployment {
	id: string;
	name: string;
	type: TaskType;
	serving_host: string | null;
	model_version_id: string;
	min_threshold: number;
	created_at: string;
	status: DeploymentStatus;
	status_text: string | null;
	paused_by: string | null;
	paused_at: string | null;
	champion: Champion | null;
	labels: string[];
	stats: DeploymentStats;
}

export type DeploymentChange = 'created' | 'deployed' | 'rolled_back' | 'threshold' | 'renamed' | 'paused' | 'resumed';

export interface HistoryItem {
	at: string;
	what: DeploymentChange | string;
	by: string | null;
	/** As text: a name, a number, or a model version's id. */
	from: string | null;
	to: string | null;
}

interface Scored {
	label: string;
	label_id: number;
	/** 0…1 */
	score: number;
}

/** Coordinates are image pixels, origin top left. */
export interface Rectangle extends Scored {
	type: 'rectangle';
	x: number;
	y: number;
	w: number;
	h: number;
}
export interface Polygon extends Scored {
	type: 'polygon';
	polygon: [number, number][];
}
export interface Classification extends Scored {
	type: 'classification';
}
export type Shape = Rectangle | Polygon | Classification;

export interface Prediction {
	id: string;
	is_shadow: boolean;
	model_version_id: string;
	created_at: string;
	/** The threshold in force when it was answered. */
	threshold: number;
	latency: number;
	steps_ms: Record<string, number>;
	shapes: Shape[];
	/** Stored shapes below the threshold asked for. */
	hidden: number;
}

export interface ImageData {
	id: string;
	filename: string;
	object_name: string;
	content_type: string;
	presigned_url: string;
	meta: { width: number; height: number };
}

export interface PredictedAsset {
	id: string;
	status: string;
	created_at: string;
	data: ImageData;
	predictions: Prediction[];
}

/** What POST …/predict answers. */
export interface Answer {
	id: string;
	predicted_asset_id: string;
	threshold: number;
	latency_ms: Record<string, number>;
	shapes: Shape[];
	hidden: number;
}

/** Unix seconds, seconds, predicted asset. */
export type LatencyPoint = [at: number, latency: number, id: string];

export interface LatencySeries {
	/** Oldest first. */
	points: LatencyPoint[];
	/** In the range, also where `points` is a sample. */
	count: number;
	mean_s: number | null;
	p50_s: number | null;
	p90_s: number | null;
	p99_s: number | null;
	sampled: boolean;
}

export interface PredictionEvent {
	predicted_asset_id: string;
	created_at: string;
	at: number;
	latency: number;
	shapes: number;
}

export interface Model {
	id: string;
	name: string;
	description: string | null;
	type: TaskType | 'NOT_CONFIGURED';
	versions: number;
	created_at: string;
}

export type RecipeOrigin = 'read' | 'given' | 'guessed';

/** Flat, with the origin of each field beside it. */
export type Recipe = { from?: Record<string, RecipeOrigin> } & Record<string, unknown>;

export interface ModelVersion {
	id: string;
	/** The model it belongs to. */
	origin: { id: string; name: string };
	name: string | null;
	version: number;
	type: TaskType | 'NOT_CONFIGURED';
	framework: string;
	labels: Record<string, string> | null;
	state: 'EMPTY' | 'READY' | 'REFUSED';
	state_text: string | null;
	recipe: Recipe | null;
	created_at: string;
}

export interface ModelFile {
	id: string;
	name: string;
	filename: string;
	large: boolean;
	presigned_url: string | null;
}
