// SPDX-License-Identifier: Apache-2.0
// What the pages about trainings ask beside loop.ts: an experiment's parts, the pictures of a verdict, versions to answer with.
import { api, request, withQuery } from './client';
import { learn, type Asset, type DatasetVersion } from './learn';
import { loopApi, type Experiment, type Hyperparameters, type Training } from './loop';
import type { ModelVersion, Page } from './types';

export interface ExperimentDataset {
	/** train, val, test, or any other name, which counts as training data too. */
	name: string;
	revision: number;
	dataset_version: DatasetVersion;
}

export interface Artifact {
	id: string;
	name: string;
	filename: string;
	presigned_url: string | null;
}

/** A line of an experiment's console. */
export interface ConsoleLine {
	line_nb: number;
	log: string | string[];
}

export interface NewExperiment {
	name: string;
	base_model_version_id?: string;
	parameters?: Hyperparameters;
}

const experimentPath = (id: string): string => `/api/experiment/${encodeURIComponent(id)}`;
const projectPath = (id: string): string => `/api/project/${encodeURIComponent(id)}`;
const ALL = { limit: 1000, offset: 0 };
const IDS_AT_ONCE = 60;

export const trainingApi = {
	experimentsOf: (project: string, limit: number, offset: number, signal?: AbortSignal) =>
		request<Page<Experiment>>(withQuery(`${projectPath(project)}/experiments`, { limit, offset, order_by: '-created_at' }), { signal }),
	createExperiment: (project: string, wish: NewExperiment) => request<Experiment>(`${projectPath(project)}/experiments`, { method: 'POST', body: wish }),
	updateExperiment: (id: string, change: { name?: string; description?: string }) => request<Experiment>(experimentPath(id), { method: 'PATCH', body: change }),
	deleteExperiment: (id: string) => request<void>(experimentPath(id), { method: 'DELETE' }),
	datasets: (experiment: string, signal?: AbortSignal) => request<Page<ExperimentDataset>>(`${experimentPath(experiment)}/datasets`, { signal }),
	attach: (experiment: string, name: string, dataset_version_id: string) =>
		request<unknown>(`${experimentPath(experiment)}/datasets`, { method: 'POST', body: { name, dataset_version_id } }),
	artifacts: (experiment: string, signal?: AbortSignal) => request<Page<Artifact>>(withQuery(`${experimentPath(experiment)}/artifacts`, ALL), { signal }),
	console: (experiment: string, from: number, signal?: AbortSignal) =>
		request<Page<ConsoleLine>>(withQuery(`${experimentPath(experiment)}/logging/lines`, { from }), { signal }),

	/** Trainings of a project's experiments, the newest first: of all that are listed. */
	trainingsOf: async (organization: string, project: string, signal?: AbortSignal): Promise<Map<string, Training>> => {
		const { items } = await loopApi.trainings(organization, ALL, signal);
		return new Map(items.filter((t) => t.project.id === project).map((t) => [t.experiment.id, t]));
	},

	/** These assets, wherever among the versions they are. */
	pictures: async (versions: readonly string[], ids: readonly string[], signal?: AbortSignal): Promise<Map<string, Asset>> => {
		const found = new Map<string, Asset>();
		for (const version of versions) {
			const left = ids.filter((id) => !found.has(id));
			for (let i = 0; i < left.length; i += IDS_AT_ONCE) {
				const { items } = await learn.assets(version, { ...ALL, ids: left.slice(i, i + IDS_AT_ONCE) }, signal);
				for (const asset of items) found.set(asset.id, asset);
			}
		}
		return found;
	},

	/** All versions that can answer a picture of this kind, the newest of each model first. */
	versionsThatAnswer: async (organization: string, type: string, signal?: AbortSignal): Promise<ModelVersion[]> => {
		const models = await api.models(organization, 1000, 0, signal);
		const lists = await Promise.all(models.items.filter((m) => m.type === type && m.versions > 0).map((m) => api.modelVersions(m.id, signal)));
		return lists.flatMap((l) => l.items.filter((v) => v.state === 'READY' && v.type === type).sort((a, b) => b.version - a.version));
	},
};
