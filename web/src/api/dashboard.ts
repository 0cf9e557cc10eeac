// SPDX-License-Identifier: Apache-2.0
// What a deployment was sent and said, counted: types and calls of the part of the dashboard that needs nothing.
import { request } from './client';
import { withList, type ListQuery } from './learn';

/** RFC 3339, or seconds since 1970. */
export type Moment = string | number;

export const secondsOf = (at: Moment): number => (typeof at === 'number' ? at : Date.parse(at) / 1000);

/** Of which images a number is. */
export interface Basis {
	kind: 'all' | 'sample';
	/** Drawn, of so many that are counted. */
	images: number;
	of: number;
	/** Where that is worth a sentence. */
	sentence: string | null;
}

/** One more edge than counts; null where nothing was measured. */
export interface Histogram {
	edges: number[];
	counts: number[];
}

export interface SeriesPoint {
	at: Moment;
	predictions: number;
	failed: number;
	refused: number;
	mean_latency_ms: number | null;
	p50_ms: number | null;
	p99_ms: number | null;
	brightness: number | null;
	contrast: number | null;
	blur: number | null;
	/** Shapes an image. */
	objects: number | null;
	/** Classification: images whose highest score was under the threshold. */
	no_answer: number | null;
}

export interface ShadowSeries {
	model_version_id: string;
	series: Pick<SeriesPoint, 'at' | 'predictions' | 'mean_latency_ms' | 'p50_ms' | 'p99_ms'>[];
}

export interface VersionMarker {
	at: Moment;
	from_version: string | null;
	to_version: string | null;
	what: string;
}

export interface DashboardTotals {
	predictions: number;
	failed: number;
	refused: number;
	mean_latency_ms: number | null;
	p50_ms: number | null;
	p90_ms: number | null;
	p99_ms: number | null;
	shapes: number;
	/** Images with no shape, or no answer, at the threshold. */
	without_shapes: number;
	images_per_s: number | null;
}

export const HISTOGRAMS = ['objects', 'scores', 'sizes', 'ratios', 'image_areas', 'brightness', 'contrast', 'blur'] as const;
export type HistogramName = typeof HISTOGRAMS[number];

export type Distributions = Record<HistogramName, Histogram | null> & {
	labels: { label: string; shapes: number; images: number }[];
	image_ratios: { name: string; images: number }[] | null;
};

export interface FailedReason {
	http_status: number;
	step: string | null;
	count: number;
	last_at: Moment | null;
	text: string | null;
}

export interface DashboardData {
	from: Moment;
	to: Moment;
	step_s: number;
	task: string;
	/** `floor`: nothing was sent below it. */
	threshold: { mode: 'answered' | 'setting' | 'value'; value: number | null; floor: number | null };
	basis: Basis;
	/** The newest predictions are not counted yet. */
	behind?: boolean;
	/** `model_name` is null where the version was deleted. */
	versions: { id: string; name: string | null; model_name: string | null; version: number; role: 'champion' | 'shadow' | 'past'; predictions: number }[];
	sources: string[];
	labels: string[];
	markers: VersionMarker[];
	totals: DashboardTotals;
	series: SeriesPoint[];
	shadows: ShadowSeries[];
	distributions: Distributions;
	failed: FailedReason[];
}

export interface Heatmap {
	side: number;
	/** Row by row. */
	centres: number[];
	coverage: number[];
	images: number;
	shapes: number;
	label: string | null;
	basis: Basis;
}

const deploymentPath = (id: string): string => `/api/deployment/${encodeURIComponent(id)}`;

export const dashboard = {
	read: (id: string, query: ListQuery, signal?: AbortSignal) => request<DashboardData>(withList(`${deploymentPath(id)}/dashboard`, query), { signal }),
	heatmap: (id: string, query: ListQuery, signal?: AbortSignal) => request<Heatmap>(withList(`${deploymentPath(id)}/heatmap`, query), { signal }),
};
