// SPDX-License-Identifier: Apache-2.0
// A threshold chosen by what it does: a slider beside pictures whose boxes appear and vanish.
import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import type { Shape } from '../api/types';
import { sentence } from '../lib/explain';
import { plural, score } from '../lib/format';
import { previewCounts, type PreviewPicture } from '../lib/preview';
import { SCORE_FLOOR, shapesAt, summarize } from '../lib/shapes';
import { LabelDot } from './basics';
import { Boxes } from './boxes';
import { Icon } from './icons';

export const KEPT = `Below this nothing is answered or counted. Everything above ${SCORE_FLOOR} is kept, so you can change it later, also for the past.`;

function Caption({ shapes, error }: { shapes: readonly Shape[] | null; error: unknown }): JSX.Element {
	if (error !== null) return <span class="bad-text">{sentence(error)}</span>;
	if (!shapes) return <span class="muted">running</span>;
	const labels = summarize(shapes);
	if (labels.length === 0) return <span class="muted">nothing answered</span>;
	return <>{labels.slice(0, 3).map((l) => <span key={l.labelId} class="tile-label"><LabelDot labelId={l.labelId} />{l.label} <span class="muted">{l.count > 1 ? `×${l.count}` : score(l.best)}</span></span>)}</>;
}

function Picture({ picture, threshold, onRemove }: { picture: PreviewPicture; threshold: number; onRemove?: () => void }): JSX.Element {
	const all = picture.shapes;
	const shown = all && shapesAt(all, threshold);
	const ghosts = new Set(all?.filter((s) => s.score < threshold));
	return (
		<li class="preview-picture">
			<div class="preview-image">
				<img src={picture.url} alt={picture.name} />
				{all && <Boxes shapes={all} width={picture.width} height={picture.height} gone={ghosts} />}
				{!all && picture.error === null && <span class="spinner" aria-hidden="true" />}
				{onRemove && <button type="button" class="bare" aria-label={`Without ${picture.name}`} onClick={onRemove}><Icon name="close" size={12} /></button>}
			</div>
			<p class="tile-labels"><Caption shapes={shown} error={picture.error} /></p>
		</li>
	);
}

export function ThresholdField({ threshold, pictures, onThreshold }: { threshold: number; pictures: readonly PreviewPicture[]; onThreshold: (threshold: number) => void }): JSX.Element {
	const id = useId();
	const { pictures: answered, shown, below } = previewCounts(pictures, threshold);
	return (
		<div class="threshold-field">
			<label for={id}>Confidence threshold</label>
			<div class="slider">
				<input id={id} type="range" min={SCORE_FLOOR} max={0.99} step={0.01} value={threshold} onInput={(event) => onThreshold(Number(event.currentTarget.value))} />
				<output for={id}>{score(threshold)}</output>
			</div>
			<p class="effect" aria-live="polite">{answered > 0 && `${plural(shown, 'shape')} answered on ${plural(answered, 'picture')}, ${below} kept below it`}</p>
		</div>
	);
}

export function PreviewGrid({ pictures, threshold, onRemove, children }: {
	pictures: readonly PreviewPicture[];
	threshold: number;
	onRemove?: (key: string) => void;
	/** Where there is nothing to show. */
	children?: ComponentChildren;
}): JSX.Element {
	if (pictures.length === 0) return <div class="preview-empty">{children}</div>;
	return (
		<ul class="preview-grid">
			{pictures.map((p) => <Picture key={p.key} picture={p} threshold={threshold} onRemove={onRemove && (() => onRemove(p.key))} />)}
		</ul>
	);
}
