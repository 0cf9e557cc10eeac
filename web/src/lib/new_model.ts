// SPDX-License-Identifier: Apache-2.0
// What the upload dialog knows before it sends: which files, which model, which type.
import type { Model, TaskType } from '../api/types';
import type { Found } from './folder';
import { isModel } from './folder';

/** "weights/yolox_nano.onnx" → "yolox_nano" */
export const nameOf = (path: string): string => (path.split('/').pop() ?? path).replace(/\.[^.]+$/, '').trim();

const isLabels = (path: string): boolean => /\.(txt|json|ya?ml|names)$/i.test(path);

/** A model and its labels among what was dropped, and a sentence on what cannot be taken. */
export function sortModelFiles(found: readonly Found[]): { model: Found | null; labels: Found | null; problem: string | null } {
	const models = found.filter(({ path }) => isModel(path));
	const labels = found.find(({ path }) => isLabels(path)) ?? null;
	const [model = null] = models;
	const problem = models.length > 1 ? `${models.length} ONNX files were given; one is taken at a time: ${model?.path}.`
		: !model && !labels ? `gyre takes ONNX files (.onnx)${found[0] ? `; ${found[0].file.name} is none. Export the model to ONNX first` : ''}.` : null;
	return { model, labels, problem };
}

const NAMES: readonly (readonly [TaskType, RegExp])[] = [
	['SEGMENTATION', /seg|mask|deeplab|u-?net/i],
	['OBJECT_DETECTION', /yolo|det|ssd|rcnn|nanodet|centernet|ultraface|face|box/i],
	['CLASSIFICATION', /class|cls|mnist|resnet|shufflenet|squeezenet|mobilenet|efficientnet|convnext|vgg|sort/i],
];

/** What a file of this name mostly does; null: the name says nothing. The server checks it on the graph. */
export const typeOfName = (path: string): TaskType | null => NAMES.find(([, pattern]) => pattern.test(nameOf(path)))?.[0] ?? null;

export interface Target {
	existing: Model | null;
	/** "becomes version 2 of yolox-nano" */
	words: string;
	/** An existing model keeps its type. */
	type: TaskType | null;
}

export function targetOf(name: string, models: readonly Model[]): Target {
	const existing = models.find((m) => m.name === name.trim()) ?? null;
	const type = existing && existing.type !== 'NOT_CONFIGURED' && existing.versions > 0 ? existing.type : null;
	return {
		existing, type,
		words: !name.trim() ? 'A model needs a name.' : !existing ? 'A new model, version 0.' : `The next version of ${existing.name}.`,
	};
}
