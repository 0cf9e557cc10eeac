// SPDX-License-Identifier: Apache-2.0
// Datasets as the pages show them: which assets one looks at, what the statistics warn of, an import in portions.
import type { DatasetStats, ImportResult } from '../api/learn';
import type { Found, Labelled } from './folder';
import { plural } from './format';
import { portions } from './selection';

export interface AssetFilter {
	label: string;
	annotated: '' | 'yes' | 'no';
	evaluation: '' | 'yes' | 'no';
	q: string;
}

export const NO_FILTER: AssetFilter = { label: '', annotated: '', evaluation: '', q: '' };

/** A text of the query language. */
export const quoted = (text: string): string => `"${text.replace(/\\/g, '\\\\').replace(/"/g, '\\"')}"`;

/** One question for the server; undefined: all. */
export function assetQuery({ label, annotated, evaluation, q }: AssetFilter): string | undefined {
	const parts: string[] = [];
	if (label) parts.push(`annotations.label.name = ${quoted(label)}`);
	if (annotated) parts.push(annotated === 'yes' ? 'annotations.count > 0' : 'annotations.count = 0');
	if (evaluation) parts.push(`evaluation = ${evaluation === 'yes'}`);
	const own = q.trim();
	if (own) parts.push(parts.length > 0 ? `(${own})` : own);
	return parts.length > 0 ? parts.join(' and ') : undefined;
}

/** Fewer objects than this, and a class is hardly learned, or measured. */
export const OBJECTS_MIN = 10;
export const IMAGES_MIN = 30;

export interface LabelBar {
	label: string;
	count: number;
	/** Of the most frequent, 0…1. */
	share: number;
	few: boolean;
}

/** The most frequent first. Labels that are on no image count too. */
export function labelBars(stats: DatasetStats, labels: readonly string[]): LabelBar[] {
	const counts = new Map(labels.map((label) => [label, 0]));
	for (const [label, n] of Object.entries(stats.label_repartition)) counts.set(label, n);
	const most = Math.max(1, ...counts.values());
	return [...counts].map(([label, count]) => ({ label, count, share: count / most, few: count < OBJECTS_MIN }))
		.sort((a, b) => b.count - a.count || (a.label < b.label ? -1 : 1));
}

/** What would make a training poor, a sentence each. */
export function datasetWarnings(stats: DatasetStats, bars: readonly LabelBar[]): string[] {
	const warnings: string[] = [];
	if (stats.nb_assets === 0) return warnings;
	if (stats.nb_annotated < IMAGES_MIN) warnings.push(`Only ${plural(stats.nb_annotated, 'image has', 'images have')} an annotation. A first model wants ${IMAGES_MIN} or more.`);
	const few = bars.filter((bar) => bar.few);
	if (few.length > 0) {
		const named = few.slice(0, 3).map((bar) => `${bar.label} (${bar.count})`).join(', ');
		const more = few.length > 3 ? ` and ${few.length - 3} more` : '';
		warnings.push(`Fewer than ${OBJECTS_MIN} objects of ${named}${more}: such a class is hardly learned, and cannot be measured.`);
	}
	return warnings;
}

export const IMPORT_PICTURES_MAX = 200;
/** Half of what the server takes in one request. */
export const IMPORT_BYTES_MAX = 1024 * 1024 * 1024;

const stem = (path: string): string => (path.split('/').pop() ?? '').replace(/\.[^.]+$/, '');

/**
 * Portions of a folder. A file that goes with one picture (VOC, YOLO: the same name) travels with it; what may speak of
 * every picture (COCO, lists of names) travels with each portion.
 */
export function importPortions({ pictures, annotations }: Labelled): { pictures: Found[]; annotations: Found[] }[] {
	const stems = new Set(pictures.map(({ path }) => stem(path)));
	const common = annotations.filter(({ path }) => /\.(json|ya?ml)$/i.test(path) || !stems.has(stem(path)));
	const single = annotations.filter((found) => !common.includes(found));
	if (pictures.length === 0) return annotations.length > 0 ? [{ pictures: [], annotations: [...annotations] }] : [];
	return byBytes(pictures).map((portion) => {
		const wanted = new Set(portion.map(({ path }) => stem(path)));
		return { pictures: portion, annotations: [...common, ...single.filter(({ path }) => wanted.has(stem(path)))] };
	});
}

/**
 * The classes that the folders of bare pictures name: each picture's own folder, when there are several and no picture is
 * outside of one. One portion may hold a single class, so the whole folder decides.
 */
export function classFolders({ pictures, annotations }: Labelled): string[] {
	const folders = new Set(pictures.map(({ path }) => path.split('/').slice(-2, -1)[0] ?? ''));
	return annotations.length === 0 && folders.size > 1 && !folders.has('') ? [...folders].sort() : [];
}

function byBytes(pictures: readonly Found[]): Found[][] {
	return portions(pictures, IMPORT_PICTURES_MAX).flatMap((portion) => {
		const made: Found[][] = [[]];
		let bytes = 0;
		for (const found of portion) {
			if (bytes + found.file.size > IMPORT_BYTES_MAX && bytes > 0) {
				made.push([]);
				bytes = 0;
			}
			made[made.length - 1]?.push(found);
			bytes += found.file.size;
		}
		return made;
	});
}

const NOTHING_IMPORTED: ImportResult = { images: 0, assets_new: 0, annotated: 0, shapes: 0, labels_new: 0, problems: [], problems_left_out: 0 };
const PROBLEMS_KEPT = 500;

/** What all portions together did; the same complaint of each portion is one. */
export function mergeResults(results: readonly ImportResult[]): ImportResult {
	return results.reduce((sum, next) => {
		const problems = [...new Set([...sum.problems, ...next.problems])];
		return {
			images: sum.images + next.images, assets_new: sum.assets_new + next.assets_new, annotated: sum.annotated + next.annotated,
			shapes: sum.shapes + next.shapes, labels_new: sum.labels_new + next.labels_new, problems: problems.slice(0, PROBLEMS_KEPT),
			problems_left_out: sum.problems_left_out + next.problems_left_out + Math.max(0, problems.length - PROBLEMS_KEPT),
		};
	}, NOTHING_IMPORTED);
}

/** v1, v2, …: the first that is free. */
export function nextVersionName(taken: readonly string[], from = ''): string {
	const numbered = /^(.*?)(\d+)$/.exec(from || taken[taken.length - 1] || 'v0');
	const stemOf = numbered ? numbered[1] ?? 'v' : `${from || 'v'}-`;
	for (let n = numbered ? Number(numbered[2]) + 1 : 2; ; n++) if (!taken.includes(`${stemOf}${n}`)) return `${stemOf}${n}`;
}
