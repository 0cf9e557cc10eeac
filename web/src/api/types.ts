// SPDX-License-Identifier: Apache-2.0
// What the server says, as the pages read it. Times are RFC 3339 text; `latency` is in seconds, `…_ms` in milliseconds.
import type { ShadowRole, Trainable } from './loop';

export type TaskType = 'OBJECT_DETECTION' | 'CLASSIFICATION' | 'SEGMENTATION';
export type DeploymentStatus = 'SERVING' | 'PAUSED' | 'HELD' | 'LOADING' | 'EXTERNAL';

export interface Page<Item> {
	items: Item[];
	/** How many there are in all, not on this page. */
	count: number;
}

export interface Session {
	user: { id: string; name: string };
	organization: { id: string; name: string; default_connector_id: string };
	version: string;
	/** A reviewer sees the queue, its guide and the own count, nothing else. */
	role?: 'ADMIN' | 'MEMBER' | 'REVIEWER';
}

export interface Champion {
	model_id: string;
	model_name: string;
	version_id: string;
	version: number;
	version_name: string | null;
	since: string;
}

/** A version that answers the same pictures, unseen: it follows the log of predictions. */
export interface Shadow {
	model_version_id: string;
	model_id: string;
	model_name: string;
	version: number;
	since: string;
	/** Predictions that it has still to make. */
	lag: number;
	predictions: number;
	/** CPU time of a run, over the pictures that both answered. */
	mean_cpu_ms: number | null;
	champion_mean_cpu_ms: number | null;
	/** Pictures that it could not answer, and why the last of them. */
	skipped: number;
	skipped_text: string | null;
	state: 'FOLLOWING' | 'HELD' | 'PAUSED';
	state_text: string | null;
	/** Why it is one, in a sentence where a rule made it one; until when, where it leaves by itself. */
	role?: ShadowRole;
	reason?: string | null;
	until_at?: string | null;
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
	/** Of images reported by monitor: the share that is kept; their numbers are in any case. */
	sample_rate?: number;
	created_at: string;
	status: DeploymentStatus;
	status_text: string | null;
	paused_by: string | null;
	paused_at: string | null;
	champion: Champion | null;
	shadows: Shadow[];
	labels: string[];
	stats: DeploymentStats;
	alerts_open?: number;
	pipeline?: Record<'training_data' | 'feedback_loop' | 'continuous_training' | 'continuous_deployment', PipelineWord>;
}

export type PipelineWord = 'off' | 'on' | 'working' | 'problem';

export interface HistoryItem {
	at: string;
	/** created, deployed, rolled_back, promoted, shadow_set, shadow_removed, held, kept, training_failed, training_paused, threshold, renamed, paused, resumed */
	what: string;
	by: string | null;
	/** As text: a name, a number, or a model version's id. */
	from: string | null;
	to: string | null;
	/** By which rule, in a sentence; null: a person wished it. */
	why?: string | null;
	/** The champion that it put out of service can answer again. */
	can_go_back?: boolean;
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
	/** CPU seconds of the shadows' runs. */
	shadow_points: LatencyPoint[];
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
	/** Of its file, once it was opened. */
	graph: { probe_us?: number; weights_bytes?: number; producer?: string; opset?: number } | null;
	/** Fields of the recipe that matter and that nobody gave or could read. */
	guessed: string[];
	/** Nothing is guessed, or a person said that it is right. */
	confirmed: boolean;
	deployments: { id: string; name: string; role: 'champion' | 'shadow' }[];
	/** Whether the trainer can go on from it; null: it was not asked yet, or there is none. */
	trainable?: Trainable | null;
	files: { name: string; filename: string; size_bytes: number }[];
	lineage: { experiment_id: string | null; based_on_version_id: string | null };
	created_at: string;
}

export interface ModelFile {
	id: string;
	name: string;
	filename: string;
	large: boolean;
	presigned_url: string | null;
}

/** How one field of a recipe is asked for. */
export interface RecipeField {
	name: string;
	help: string;
	kind: 'choice' | 'number' | 'integer' | 'flag' | 'numbers' | 'integers' | 'text';
	choices: string[] | null;
	min: number | null;
	max: number | null;
	/** For this version's layout. */
	matters: boolean;
}

/** What POST …/try answers. */
export interface TryAnswer {
	image: { width: number; height: number };
	/** All above the floor. */
	shapes: Shape[];
	recipe: Recipe;
	/** The model's tensor as a picture: base64 of a PNG. */
	seen: { width: number; height: number; png: string };
	latency_ms: Record<string, number>;
}

export interface CheckRow {
	recipe: Recipe;
	/** Against the version's own recipe. */
	changed: Record<string, unknown>;
	value: number;
	value50: number | null;
	/** That it was tried on: what is clearly worse is given up early. */
	pictures: number;
	current: boolean;
}

export interface CheckResult {
	metric: 'AP' | 'accuracy' | 'IoU';
	pictures: number;
	labelled_shapes: number;
	problems: string[];
	matched_labels: string[];
	unmatched_labels: string[];
	/** Best first. */
	rows: CheckRow[];
}

export interface Job<Result = unknown> {
	id: string;
	kind: string;
	status: 'RUNNING' | 'SUCCESS' | 'FAILED' | 'TERMINATED';
	/** 0…1 */
	progress: number;
	message: string | null;
	created_at: string;
	finished_at: string | null;
	result: Result | null;
	error: string | null;
}
