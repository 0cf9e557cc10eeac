// SPDX-License-Identifier: Apache-2.0
// Shapes that people made, in the form the pages draw: a label's place in its version's list gives its colour.
import type { LooseShape } from '../api/learn';
import type { Shape } from '../api/types';

type Ring = readonly (readonly number[])[];

const points = (ring: Ring): [number, number][] => ring.map((p): [number, number] => [p[0] ?? 0, p[1] ?? 0]);

/** A name that is in no list keeps one colour too. */
function fromName(name: string): number {
	let hash = 0;
	for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
	return hash % 20;
}

export const labelNumber = (labels: readonly string[], name: string): number => {
	const index = labels.indexOf(name);
	return index >= 0 ? index : fromName(name);
};

/** Of several rings each is drawn. What has no place in a picture is left out, but for classes. */
export function drawable(shapes: readonly LooseShape[], labels: readonly string[]): Shape[] {
	return shapes.flatMap((shape): Shape[] => {
		const named = { label: shape.label, label_id: labelNumber(labels, shape.label), score: shape.score ?? 1 };
		if (shape.type === 'rectangle') return [{ type: 'rectangle', x: shape.x ?? 0, y: shape.y ?? 0, w: shape.w ?? 0, h: shape.h ?? 0, ...named }];
		if (shape.type === 'classification') return [{ type: 'classification', ...named }];
		if (shape.type !== 'polygon') return [];
		return (shape.rings ?? [shape.polygon ?? []]).filter((ring) => ring.length >= 3).map((ring) => ({ type: 'polygon', polygon: points(ring), ...named }));
	});
}
