// SPDX-License-Identifier: Apache-2.0
// Quality in numbers that mean what they say: which line stands first, how it is written, where curves run.
import type { Interval, Quality, VersionQuality } from '../api/learn';

/** 0…1 in percent with one digit; – where there is nothing to say. */
export const points = (value: number | null | undefined): string =>
	(value === null || value === undefined || !Number.isFinite(value) ? '–' : (100 * value).toFixed(1));

export function interval(i: Interval | null): string {
	return i === null || i.low === null || i.high === null ? '' : `${points(i.low)} to ${points(i.high)}`;
}

export interface Line {
	/** What the images stand for. */
	name: string;
	help: string;
	value: number | null;
	range: Interval;
	images: number;
	trusted: boolean;
}

/** The estimate that stands for all images first, then the one of the reviewed alone. */
export function lines(version: VersionQuality): Line[] {
	const made: Line[] = [];
	if (version.weighted && version.weighted.value !== null) {
		made.push({
			name: 'All images', help: 'Weighted by the chance with which each image was chosen: an estimate for all that the deployment saw.',
			value: version.weighted.value, range: version.weighted, images: version.weighted.images, trusted: true,
		});
	}
	if (version.random_only && version.random_only.value !== null) {
		made.push({
			name: 'Random sample', help: 'Only images that were drawn at random.', value: version.random_only.value, range: version.random_only,
			images: version.random_only.images, trusted: true,
		});
	}
	if (version.ap) {
		made.push({
			name: 'Reviewed images', help: 'All that were reviewed. Where reviews went to the hard ones first, this is lower than the truth.',
			value: version.ap.value, range: version.ap, images: version.images, trusted: made.length === 0,
		});
	}
	return made;
}

export const METRICS: Record<string, { name: string; long: string }> = {
	OBJECT_DETECTION: { name: 'mAP', long: 'Mean average precision over IoU 0.50 to 0.95, in percent' },
	SEGMENTATION: { name: 'mask mAP', long: 'Mean average precision of masks over IoU 0.50 to 0.95, in percent' },
	CLASSIFICATION: { name: 'accuracy', long: 'Share of images whose first class is right, in percent' },
};

export const metricOf = (task: string): { name: string; long: string } => METRICS[task.toUpperCase()] ?? METRICS[`OBJECT_${task.toUpperCase()}`] ?? { name: 'mAP', long: 'Mean average precision' };

/** As everywhere else: model:version. */
export const versionName = (v: VersionQuality): string => (v.model_name === undefined ? v.name : `${v.model_name}:${v.version ?? 0}`);

/** Champion first, then the shadows, then who answered before. */
export const inOrder = (versions: readonly VersionQuality[]): VersionQuality[] => {
	const rank = { champion: 0, shadow: 1, past: 2 };
	return versions.map((v) => ({ ...v, name: versionName(v) })).sort((a, b) => rank[a.role] - rank[b.role]);
};

/** Whether the difference can be chance: by the interval of the difference on the images of both; without one, by whether the two intervals overlap. */
export function compare(champion: VersionQuality | undefined, other: VersionQuality | undefined): 'better' | 'worse' | 'unsure' | null {
	const paired = other?.difference;
	if (paired && paired.low !== null && paired.high !== null) return paired.low > 0 ? 'better' : paired.high < 0 ? 'worse' : 'unsure';
	const [a] = champion ? lines(champion) : [];
	const [b] = other ? lines(other) : [];
	if (!a || !b || a.value === null || b.value === null) return null;
	if (b.range.low !== null && a.range.high !== null && b.range.low > a.range.high) return 'better';
	if (b.range.high !== null && a.range.low !== null && b.range.high < a.range.low) return 'worse';
	return 'unsure';
}

/** 0…1 points as a path in a box, y upwards; holes where a value is missing. */
export function path(values: readonly (readonly [x: number, y: number] | null)[], width: number, height: number): string {
	let open = false;
	return values.map((p) => {
		if (!p || !Number.isFinite(p[0]) || !Number.isFinite(p[1]) || p[1] < 0) {
			open = false;
			return '';
		}
		const text = `${open ? 'L' : 'M'}${(p[0] * width).toFixed(1)} ${((1 - p[1]) * height).toFixed(1)}`;
		open = true;
		return text;
	}).join('');
}

/** How strongly a cell is filled: by its share of its row, so that rare labels are seen too. */
export function cellShares(cells: readonly (readonly number[])[]): number[][] {
	return cells.map((row) => {
		const sum = row.reduce((a, b) => a + b, 0);
		return row.map((n) => (sum > 0 ? n / sum : 0));
	});
}

/** The labels that take part, so that a model of 80 classes has a table one can read; the background stays last. */
export function busyLabels(confusion: { labels: string[]; cells: number[][] }, max: number): { labels: string[]; cells: number[][]; left: number } {
	const { labels, cells } = confusion;
	const background = labels.length - 1;
	const weight = (i: number): number => labels.reduce((sum, _, j) => sum + (cells[i]?.[j] ?? 0) + (cells[j]?.[i] ?? 0), 0);
	const used = labels.map((_, i) => i).filter((i) => i !== background && weight(i) > 0).sort((a, b) => weight(b) - weight(a));
	const shown = [...used.slice(0, max).sort((a, b) => a - b), ...(background >= 0 ? [background] : [])];
	return { labels: shown.map((i) => labels[i] ?? ''), cells: shown.map((i) => shown.map((j) => cells[i]?.[j] ?? 0)), left: Math.max(0, used.length - max) };
}

export const isEmpty = (quality: Quality): boolean => quality.reviewed === 0 || quality.versions.every((v) => v.images === 0);
