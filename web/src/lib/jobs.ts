// SPDX-License-Identifier: Apache-2.0
// Jobs in words: what they are, what they are about, how long they took.
import type { AnyJob } from '../api/learn';

/** What a job may be about. */
export type JobObject = 'dataset version' | 'model version' | 'deployment';

const KINDS: Record<string, { name: string; about: JobObject }> = {
	check: { name: 'Check of recipes', about: 'model version' },
	dataset_import: { name: 'Import into a dataset', about: 'dataset version' },
	dataset_export: { name: 'Export of a dataset', about: 'dataset version' },
	pre_label: { name: 'Pre-labelling', about: 'dataset version' },
	dataset_fork: { name: 'Fork of a dataset version', about: 'dataset version' },
	dataset_copy: { name: 'Copy of assets', about: 'dataset version' },
	reference: { name: 'Training Data', about: 'deployment' },
	recount: { name: 'Count at another threshold', about: 'deployment' },
	dataset_add: { name: 'Data into a dataset', about: 'dataset version' },
};

/** "dataset_import" → its name; what comes later is its own word, spaced. */
export function jobName(kind: string): string {
	const known = KINDS[kind]?.name;
	if (known) return known;
	const words = kind.replace(/[_-]+/g, ' ').trim();
	return words ? words[0]?.toUpperCase() + words.slice(1) : 'Job';
}

/** null: nothing, or nothing that has a page. */
export function jobObject(job: AnyJob): JobObject | null {
	if (!job.object_id) return null;
	return KINDS[job.kind]?.about ?? (job.kind.startsWith('dataset') ? 'dataset version' : null);
}

const STATUS: Record<string, { word: string; tone: string }> = {
	PENDING: { word: 'Waiting', tone: 'plain' },
	RUNNING: { word: 'Running', tone: 'busy' },
	SUCCESS: { word: 'Done', tone: 'ok' },
	FAILED: { word: 'Failed', tone: 'bad' },
	TERMINATED: { word: 'Cancelled', tone: 'warn' },
};

export const jobStatus = (status: string): { word: string; tone: string } => STATUS[status] ?? { word: status.toLowerCase(), tone: 'plain' };

export const isRunning = (job: AnyJob): boolean => job.finished_at === null && (job.status === 'RUNNING' || !(job.status in STATUS) || (job.status as string) === 'PENDING');

/** Seconds from its start to its end, or to now. */
export function jobSeconds(job: AnyJob, nowMs: number): number {
	const end = job.finished_at === null ? nowMs : Date.parse(job.finished_at);
	return Math.max(0, (end - Date.parse(job.created_at)) / 1000);
}
