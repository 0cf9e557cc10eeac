// SPDX-License-Identifier: Apache-2.0
// A picture, large, with its shapes and the way to its neighbours.
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ImageData, Shape } from '../api/types';
import { px } from './basics';
import { BoxNames, Boxes } from './boxes';
import { Icon } from './icons';

export function StagePicture({ data, shapes, shadows, chosen, scored, onHover, children }: {
	data: ImageData;
	shapes: readonly Shape[];
	shadows?: ReadonlySet<Shape>;
	chosen: Shape | null;
	scored: boolean;
	onHover: (shape: Shape | null) => void;
	children?: ComponentChildren;
}): JSX.Element {
	const [broken, setBroken] = useState(false);
	const { width, height } = data.meta;
	const drawn = { shapes, width, height, chosen, ...(shadows ? { shadows } : {}) };
	return (
		<div class={width < 100 ? 'stage-picture is-tiny' : 'stage-picture'} style={{ aspectRatio: `${width} / ${height}`, '--ratio': width / height, '--most': px(Math.max(width, height) * 16) }}>
			{broken
				? <p class="stage-broken">The picture could not be shown. It may have been deleted, or its link has expired: open it again.</p>
				: <img key={data.id} src={data.presigned_url} width={width} height={height} alt={data.filename} onError={() => setBroken(true)} />}
			<Boxes {...drawn} onHover={onHover} thick />
			<BoxNames {...drawn} scored={scored} />
			{children}
		</div>
	);
}

export function StageMoves({ newer, older, onMove }: { newer: string | null; older: string | null; onMove: (id: string) => void }): JSX.Element {
	return (
		<>
			<button type="button" class="stage-move newer" disabled={!newer} aria-label="Previous (left arrow)" onClick={() => newer && onMove(newer)}><Icon name="left" size={20} /></button>
			<button type="button" class="stage-move older" disabled={!older} aria-label="Next (right arrow)" onClick={() => older && onMove(older)}><Icon name="right" size={20} /></button>
		</>
	);
}
