// SPDX-License-Identifier: Apache-2.0
// Shapes over a picture, in the picture's own pixels: they scale with it and stay sharp. A dark rim keeps every
// colour visible on every photo.
import type { JSX } from 'preact';
import type { Shape } from '../api/types';
import { LABEL_TEXT, labelColour } from '../lib/colour';
import { score } from '../lib/format';
import { boundsOf } from '../lib/shapes';

function outline(shape: Shape): JSX.Element | null {
	if (shape.type === 'rectangle') return <rect x={shape.x} y={shape.y} width={shape.w} height={shape.h} rx="1" />;
	if (shape.type === 'polygon') return <polygon points={shape.polygon.map(([x, y]) => `${x},${y}`).join(' ')} />;
	return null;
}

const ownColour = (shape: Shape): string => labelColour(shape.label_id);

/** Big ones first, so that small ones on top of them stay reachable. */
function drawingOrder(shapes: readonly Shape[]): Shape[] {
	const area = (shape: Shape): number => {
		const b = boundsOf(shape);
		return b ? b.w * b.h : 0;
	};
	return shapes.filter((shape) => shape.type !== 'classification').sort((a, b) => area(b) - area(a));
}

export function Boxes({ shapes, width, height, ghosts, gone, shadows, chosen, onHover, colour = ownColour, thick = false }: {
	shapes: readonly Shape[];
	width: number;
	height: number;
	/** Below the threshold: dotted. */
	ghosts?: ReadonlySet<Shape>;
	/** Not shown, but there: they fade in and out. */
	gone?: ReadonlySet<Shape>;
	/** A shadow's: dashed. */
	shadows?: ReadonlySet<Shape>;
	chosen?: Shape | null;
	onHover?: (shape: Shape | null) => void;
	/** By label, unless something else is to be told apart. */
	colour?: (shape: Shape) => string;
	thick?: boolean;
}): JSX.Element {
	return (
		<svg class={thick ? 'boxes thick' : 'boxes'} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="xMidYMid meet" aria-hidden="true">
			{drawingOrder(shapes).map((shape, i) => {
				const state = (shape === chosen ? ' is-chosen' : chosen ? ' is-dimmed' : '') + (gone?.has(shape) ? ' is-gone' : '') + (shadows?.has(shape) ? ' shadow' : '');
				return (
					<g key={i} class={`box${ghosts?.has(shape) ? ' ghost' : ''}${state}`} style={{ color: colour(shape) }}
						onMouseEnter={onHover && (() => onHover(shape))} onMouseLeave={onHover && (() => onHover(null))}>
						<g class="rim">{outline(shape)}</g>
						<g class="line">{outline(shape)}</g>
					</g>
				);
			})}
		</svg>
	);
}

/** Names at the boxes, as text of a fixed size; above the box, or inside it where there is no room above. */
export function BoxNames({ shapes, width, height, ghosts, shadows, chosen, colour = ownColour, scored = true }: {
	shapes: readonly Shape[];
	width: number;
	height: number;
	ghosts?: ReadonlySet<Shape>;
	/** Named below their box, where the champion's name does not lie. */
	shadows?: ReadonlySet<Shape>;
	chosen?: Shape | null;
	colour?: (shape: Shape) => string;
	/** Drawn by a person, a shape has no score. */
	scored?: boolean;
}): JSX.Element {
	return (
		<div class="box-names" aria-hidden="true">
			{shapes.map((shape, i) => {
				const bounds = boundsOf(shape);
				if (!bounds || (chosen && chosen !== shape)) return null;
				const under = shadows?.has(shape) ?? false;
				const inside = !under && bounds.y < height * 0.05;
				const right = bounds.x > width * 0.82;
				const place = right
					? { right: `${100 - ((bounds.x + bounds.w) / width) * 100}%` } : { left: `${(Math.max(0, bounds.x) / width) * 100}%` };
				return (
					<span key={i} class={`box-name${inside ? ' inside' : ''}${under ? ' under' : ''}${ghosts?.has(shape) ? ' ghost' : ''}`}
						style={{ ...place, top: `${(Math.max(0, under ? Math.min(height, bounds.y + bounds.h) : bounds.y) / height) * 100}%`, background: colour(shape), color: LABEL_TEXT }}>
						{shape.label}{scored && ` ${score(shape.score)}`}
					</span>
				);
			})}
		</div>
	);
}
