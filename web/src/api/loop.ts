// SPDX-License-Identifier: Apache-2.0
// How a deployment learns by itself: trainings, Continuous Training and Deployment, what reviews say of a shadow. Types and calls.
import { request, withQuery } from './client';
import type { AnyJob, DatasetVersion } from './learn';
import type { Page, TaskType } from './types';

export interface Named {
	id: string;
	name: string;
}

export interface VersionName {
	model_id: string;
	model: string;
	model_version_id: string;
	version: number;
}

// ---- trainings

/** A name of src/learn/stages.def, or "done". */
export interface TrainingStage {
	name: string;
	title: string;
	help: string;
	state: 'done' | 'running' | 'waiting' | 'passed' | 'failed';
	done_at: string | null;
}

export type TrainingStatus = 'WAITING' | 'RUNNING' | 'SUCCESS' | 'FAILED' | 'CANCELED';

export interface TrainingDataset {
	alias: string;
	dataset_version_id: string;
	dataset: string;
	version: string;
	revision: number;
	images: number;
	/** Kept to measure with: they reach no trainer. */
	evaluation: number;
}

/** A picture that candidate and champion answered, with what each of them is worth on it, 0…1. */
export interface ComparedPicture {
	asset_id: string;
	data_id: string;
	filename: string;
	champion: number | null;
	candidate: number;
}

export interface Difference {
	value: number;
	/** Of 95 %. */
	low: number;
	high: number;
}

export interface Evaluation {
	images: number;
	metric: 'AP' | 'accuracy' | 'IoU';
	/** null: there is none to compare with. */
	champion: number | null;
	candidate: number;
	champion50?: number | null;
	candidate50?: number | null;
	difference: Difference | null;
	/** Too few images for the interval to say anything. */
	few: boolean;
	sentence: string;
	classes: { label: string; truths: number; champion: number | null; candidate: number | null; low: number | null; high: number | null }[];
	better: ComparedPicture[];
	worse: ComparedPicture[];
	forgetting: { images: number; champion: number; candidate: number; sentence: string } | null;
}

export interface Decision {
	what: 'SHADOW' | 'CHAMPION' | 'MANUAL' | 'HELD' | 'NONE';
	sentence: string;
	at: string;
}

export type Trigger = 'FEEDBACK_LOOP' | 'HAND' | 'SCHEDULE' | 'DRIFT' | 'LAUNCH' | 'FIRST';

export interface Training {
	id: string;
	experiment: Named;
	project: Named;
	deployment: Named | null;
	/** Of the deployment, from 1. */
	epoch: number | null;
	trigger: Trigger;
	why: string;
	who: string;
	status: TrainingStatus;
	/** The one that runs, is next, or failed; "done". */
	stage: string;
	stages: TrainingStage[];
	/** Of stage train, 0…1. */
	progress: number;
	message: string | null;
	left_s: number | null;
	attempt: number;
	error: string | null;
	exit_code: number | null;
	trainer: string;
	base: VersionName | null;
	arch: string | null;
	datasets: TrainingDataset[];
	candidate: VersionName | null;
	evaluation: Evaluation | null;
	decision: Decision | null;
	cpu_s: number;
	memory_mb: number;
	created_at: string;
	started_at: string | null;
	finished_at: string | null;
}

export interface Trainer {
	available: boolean;
	name: string | null;
	version: string | null;
	/** Why there is none, and what to install. */
	reason: string | null;
	memory_mb: number | null;
	threads: number | null;
}

/** What the trainer says of a model version's graph; on the model version as `trainable`. */
export interface Trainable {
	trainable: boolean;
	reason: string | null;
	task?: string | null;
	layout?: string | null;
	classes?: number | null;
	resizable?: boolean;
	fixed_size?: boolean;
	weights?: number | null;
	trainable_weights?: number | null;
	operators?: string[];
}

// ---- a first model

export interface FirstModelChoice {
	arch: string;
	/** Fast, Accurate. */
	title: string;
	minutes: number | null;
	input: [number, number] | null;
}

export interface FirstModel {
	can: boolean;
	reason: string | null;
	task: TaskType | 'NOT_CONFIGURED';
	classes: { label: string; objects: number }[] | string[];
	images: number;
	labelled: number;
	objects: number;
	split: { train: number; val: number; test: number };
	warnings: string[];
	choices: FirstModelChoice[];
}

// ---- Continuous Training

export type Hyperparameters = Record<string, unknown>;

export interface AttachedDataset {
	/** Alias: train, val, test, or any other, which counts as training data too. */
	name: string;
	dataset_version: DatasetVersion;
	images: number;
	evaluation: number;
}

export interface ContinuousTraining {
	set: boolean;
	active: boolean;
	project: Named | null;
	base: { champion: boolean; model_version_id: string | null; model: string | null; version: number | null };
	trigger: 'FEEDBACK_LOOP' | 'NONE';
	/** Submitted reviews. */
	threshold: number;
	/** Also so long after the last one; null: no. */
	every_s: number | null;
	on_drift: boolean;
	/** Of a schedule and of drift: with at least so many new reviews. */
	drift_images_min: number;
	parameters: Hyperparameters;
	trainer: string;
	datasets: AttachedDataset[];
	counts: {
		submitted: number;
		threshold: number;
		evaluation_only: number;
		pace_per_day: number | null;
		expected_at: string | null;
		/** What counts, as a sentence. */
		rule: string;
	};
	state: 'off' | 'unready' | 'counting' | 'running' | 'paused';
	state_text: string;
	/** Why it could not be saved or cannot run, as sentences. */
	problems: string[];
	/** In a row; two pause it. */
	failures: number;
	open: Training | null;
	last: Training | null;
	suggestion: {
		parameters: Hyperparameters;
		/** Of one training, estimated. */
		minutes: number | null;
		project_id: string | null;
		datasets: { name: string; dataset_version: DatasetVersion; images: number; evaluation: number }[];
	};
}

export interface ContinuousTrainingSetting {
	project_id: string;
	training_type: 'EXPERIMENT';
	experiment_parameters: Hyperparameters;
	trigger: 'FEEDBACK_LOOP' | 'NONE';
	threshold: number;
	/** null: the champion at that time. */
	base: string | null;
	every_s: number | null;
	on_drift: boolean;
	drift_images_min: number;
	trainer?: string;
}

// ---- Continuous Deployment

export type Policy = 'DEPLOY_SHADOW' | 'DEPLOY_CHAMPION' | 'DEPLOY_MANUAL';

export interface ContinuousDeployment {
	set: boolean;
	active: boolean;
	policy: Policy;
	gate: boolean;
	/** How far a class may fall, 0…1. */
	tolerance: number;
	promote_by_itself: boolean;
	keep_days: number;
	state: 'off' | 'on' | 'problem';
	state_text: string;
	test_images: number | null;
	/** The smallest drop of a class that the test images can tell, 0…1. */
	sees: number | null;
	note: string | null;
	last: { training_id: string; what: Decision['what']; sentence: string; at: string; model_version_id: string; version: number } | null;
}

export type ContinuousDeploymentSetting = Pick<ContinuousDeployment, 'policy' | 'gate' | 'tolerance' | 'promote_by_itself' | 'keep_days'>;

// ---- what reviews say of a shadow

export interface Verdict {
	version: { id: string; model: string; version: number };
	champion: { id: string; model: string; version: number };
	role: ShadowRole;
	reason: string | null;
	until_at: string | null;
	/** Images that both answered; of those that compared are reviewed. */
	seen: number;
	compared: number;
	agreement: { share: number | null; kappa: number | null; f1: number | null; flips: { from: string; to: string; images: number }[] };
	disagreements: { images: number; sampled: number; reviewed: number; to_review: number };
	wins: number;
	losses: number;
	ties: number;
	/** The evidence that it is better, and how much decides. */
	e: number;
	e_needed: number;
	state: 'better' | 'unsure' | 'worse';
	sentence: string;
	more_reviews: number | null;
	difference: (Difference & { metric: string }) | null;
	classes: { label: string; truths: number; champion: number | null; shadow: number | null; low: number | null; high: number | null }[];
	latency: { champion_ms: number | null; shadow_ms: number | null; ratio: number | null };
	guards: { name: string; ok: boolean; sentence: string }[];
	may_promote: boolean;
	history: { reviewed: number; e: number }[];
}

/** HAND: a person made it one; HELD: the gate held it back; FORMER: the champion before. */
export type ShadowRole = 'HAND' | 'CANDIDATE' | 'HELD' | 'FORMER';

// ---- projects and experiments

export interface Project {
	id: string;
	name: string;
	description: string | null;
	experiments?: number;
	created_at: string;
}

export interface Experiment {
	id: string;
	name: string;
	description: string | null;
	status: 'WAITING' | 'RUNNING' | 'SUCCESS' | 'FAILED' | 'CANCELED' | 'TERMINATED';
	project_id?: string;
	created_at: string;
	[key: string]: unknown;
}

export interface ExperimentLog {
	id: string;
	name: string;
	type: 'LINE' | 'VALUE' | 'TABLE' | 'BAR' | 'IMAGE' | 'HEATMAP' | 'LABELMAP' | 'EVALUATION' | string;
	data: unknown;
}

const deploymentPath = (id: string): string => `/api/deployment/${encodeURIComponent(id)}`;
const ct = (id: string): string => `${deploymentPath(id)}/pipeline/ct`;
const cd = (id: string): string => `${deploymentPath(id)}/pipeline/cd`;
const trainingPath = (id: string): string => `/api/training/${encodeURIComponent(id)}`;
const experimentPath = (id: string): string => `/api/experiment/${encodeURIComponent(id)}`;
const projectPath = (id: string): string => `/api/project/${encodeURIComponent(id)}`;
const datasetVersionPath = (id: string): string => `/api/dataset/version/${encodeURIComponent(id)}`;
const send = <T>(method: string, path: string, body: unknown = {}): Promise<T> => request<T>(path, { method, body });

export const loopApi = {
	trainer: (signal?: AbortSignal) => request<Trainer>('/api/trainer', { signal }),

	trainings: (organization: string, query: { limit: number; offset: number; deployment?: string }, signal?: AbortSignal) =>
		request<Page<Training>>(withQuery(`/api/organization/${organization}/trainings`, query), { signal }),
	training: (id: string, signal?: AbortSignal) => request<Training>(trainingPath(id), { signal }),
	trainingOf: (experiment: string, signal?: AbortSignal) => request<Training>(`${experimentPath(experiment)}/training`, { signal }),
	cancelTraining: (id: string) => send<Training>('POST', `${trainingPath(id)}/cancel`),
	retryTraining: (id: string) => send<Training>('POST', `${trainingPath(id)}/retry`),
	/** SSE: "training" is the whole of it, "log" lines of its console. */
	trainingEvents: (id: string): string => `${trainingPath(id)}/events`,
	launch: (experiment: string) => send<{ id: string; status: string; training?: Training }>('POST', `${experimentPath(experiment)}/launch`, { gpus: 0 }),

	firstModel: (datasetVersion: string, signal?: AbortSignal) => request<FirstModel>(`${datasetVersionPath(datasetVersion)}/train`, { signal }),
	trainFirstModel: (datasetVersion: string, wish: { arch: string; name: string; project_id?: string; parameters?: Hyperparameters }) =>
		send<Training>('POST', `${datasetVersionPath(datasetVersion)}/train`, wish),
	preLabel: (datasetVersion: string, wish: { model_version_id: string; threshold: number; only_unlabelled: boolean; label_map?: Record<string, string>; make_labels?: boolean }) =>
		send<AnyJob>('POST', `${datasetVersionPath(datasetVersion)}/pre-label`, wish),

	continuousTraining: (id: string, signal?: AbortSignal) => request<ContinuousTraining>(ct(id), { signal }),
	setContinuousTraining: (id: string, setting: ContinuousTrainingSetting) => send<ContinuousTraining>('POST', ct(id), setting),
	/** Also ends a pause. */
	switchContinuousTraining: (id: string, active: boolean) => send<unknown>('PUT', ct(id), { active }),
	attachToTraining: (id: string, name: string, dataset_version_id: string) => send<unknown>('POST', `${ct(id)}/datasets`, { name, dataset_version_id }),
	detachFromTraining: (id: string, ids: readonly string[]) => send<unknown>('DELETE', `${ct(id)}/datasets`, { ids }),
	trainNow: (id: string) => send<Training>('POST', `${ct(id)}/run`),

	continuousDeployment: (id: string, signal?: AbortSignal) => request<ContinuousDeployment>(cd(id), { signal }),
	setContinuousDeployment: (id: string, setting: ContinuousDeploymentSetting) => send<ContinuousDeployment>('POST', cd(id), setting),
	switchContinuousDeployment: (id: string, active: boolean) => send<unknown>('PUT', cd(id), { active }),

	verdict: (id: string, version: string, signal?: AbortSignal) => request<Verdict>(withQuery(`${deploymentPath(id)}/shadow/verdict`, { version }), { signal }),

	projects: (organization: string, limit: number, offset: number, signal?: AbortSignal) =>
		request<Page<Project>>(withQuery(`/api/organization/${organization}/projects`, { limit, offset }), { signal }),
	project: (id: string, signal?: AbortSignal) => request<Project>(projectPath(id), { signal }),
	createProject: (organization: string, name: string, description = '') =>
		send<Project>('POST', `/api/organization/${organization}/projects`, { name, description }),
	updateProject: (id: string, change: { name?: string; description?: string }) => send<Project>('PATCH', projectPath(id), change),
	deleteProject: (id: string) => request<void>(projectPath(id), { method: 'DELETE' }),
	experiments: (project: string, limit: number, offset: number, signal?: AbortSignal) =>
		request<Page<Experiment>>(withQuery(`${projectPath(project)}/experiments`, { limit, offset }), { signal }),
	experiment: (id: string, signal?: AbortSignal) => request<Experiment>(experimentPath(id), { signal }),
	logs: (experiment: string, signal?: AbortSignal) =>
		request<Page<ExperimentLog>>(withQuery(`${experimentPath(experiment)}/logs/extended`, { limit: 1000, offset: 0 }), { signal }),
	console: (experiment: string, from: number, signal?: AbortSignal) =>
		request<Page<{ line_nb: number; log: string }>>(withQuery(`${experimentPath(experiment)}/logging/lines`, { from }), { signal }),
};
