// SPDX-License-Identifier: Apache-2.0
// Skipping with a reason, and what to do when somebody else has changed the same picture.
import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { geometryOf, type LooseShape } from '../annotator/wire';
import { ownPath } from '../api/client';
import type { ImageData, Shape } from '../api/types';
import { plural } from '../lib/format';
import type { Problem } from '../lib/outbox';
import { Button } from './basics';
import { Boxes } from './boxes';
import { Dialog } from './dialog';
import { Key } from './annotator_panels';

const REASONS = ['Blurred, dark or broken', 'Not what this deployment should see', 'I cannot tell what it shows'] as const;

export function SkipDialog({ onSkip, onClose }: { onSkip: (reason: string) => void; onClose: () => void }): JSX.Element {
	const [other, setOther] = useState('');
	const list = useRef<HTMLDivElement>(null);
	// Before the next key, which may be a reason's.
	useLayoutEffect(() => list.current?.querySelector('button')?.focus(), []);
	const onKey = (event: KeyboardEvent): void => {
		const reason = REASONS[Number(event.key) - 1];
		if (event.target instanceof HTMLInputElement || !reason) return;
		event.preventDefault();
		onSkip(reason);
	};
	return (
		<Dialog title="Skip this picture" onClose={onClose}>
			<div class="dialog-text" onKeyDown={onKey}>
				<p>A skipped picture is never trained on and counts in no metric. Why?</p>
				<div class="reasons" ref={list}>
					{REASONS.map((reason, i) => <button key={reason} type="button" class="button" onClick={() => onSkip(reason)}><span>{reason}</span><Key>{String(i + 1)}</Key></button>)}
				</div>
				<form class="field-row" onSubmit={(event) => {
					event.preventDefault();
					if (other.trim()) onSkip(other.trim());
				}}>
					<input class="input" aria-label="Another reason" placeholder="Another reason" maxLength={200} value={other} onInput={(event) => setOther(event.currentTarget.value)} />
					<Button type="submit" disabled={!other.trim()}>Skip</Button>
				</form>
			</div>
			<footer class="dialog-foot"><Button onClick={onClose}>Cancel</Button></footer>
		</Dialog>
	);
}

function drawable(shapes: readonly LooseShape[], labels: readonly string[]): Shape[] {
	return shapes.flatMap((shape): Shape[] => {
		const geometry = geometryOf(shape);
		const named = { label: shape.label, label_id: Math.max(0, labels.indexOf(shape.label)), score: shape.score ?? 1 };
		if (geometry?.type === 'rectangle') return [{ ...geometry, ...named }];
		if (geometry?.type === 'polygon') return geometry.rings.map((ring) => ({ type: 'polygon' as const, polygon: ring.map(([x, y]): [number, number] => [x, y]), ...named }));
		return [];
	});
}

function Version({ title, shapes, picture, labels }: { title: string; shapes: readonly LooseShape[]; picture: ImageData | null; labels: readonly string[] }): JSX.Element {
	const counts = new Map<string, number>();
	for (const { label } of shapes) counts.set(label, (counts.get(label) ?? 0) + 1);
	return (
		<figure class="conflict-version">
			<figcaption><strong>{title}</strong> <span class="muted">{shapes.length === 0 ? 'nothing' : [...counts].map(([label, n]) => `${n} ${label}`).join(', ')}</span></figcaption>
			{picture && (
				<div class="conflict-picture" style={{ aspectRatio: `${picture.meta.width} / ${picture.meta.height}` }}>
					<img src={ownPath(picture.presigned_url)} alt="" />
					<Boxes shapes={drawable(shapes, labels)} width={picture.meta.width} height={picture.meta.height} />
				</div>
			)}
		</figure>
	);
}

/** Nothing is overwritten before somebody has seen both. */
export function ProblemDialog({ problem, more, picture, labels, onChoose, onClose }: {
	problem: Problem;
	/** Others after this one. */
	more: number;
	picture: ImageData | null;
	labels: readonly string[];
	onChoose: (choice: 'mine' | 'theirs') => void;
	onClose: () => void;
}): JSX.Element {
	const mine = (problem.operation.body.shapes ?? []) as LooseShape[];
	const { theirs } = problem;
	const name = picture?.filename ?? 'a picture';
	return (
		<Dialog title={theirs ? `Two versions of ${name}` : `${name} could not be saved`} onClose={onClose}>
			<div class="dialog-text">
				<p>{problem.message}</p>
				{theirs && <p>Nothing is lost: both are below. Which one holds?</p>}
				{theirs && (
					<div class="conflict">
						<Version title="Yours" shapes={mine} picture={picture} labels={labels} />
						<Version title={theirs.who ? `By ${theirs.who}` : 'Stored meanwhile'} shapes={theirs.shapes as LooseShape[]} picture={picture} labels={labels} />
					</div>
				)}
				{!theirs && <p class="muted">What was done: {problem.operation.what}{mine.length > 0 ? ` with ${plural(mine.length, 'shape')}` : ''}.</p>}
				{more > 0 && <p class="muted">{plural(more, 'more', 'more')} after this one.</p>}
			</div>
			<footer class="dialog-foot">
				<Button onClick={() => onChoose('theirs')}>{theirs ? 'Take theirs' : 'Drop it'}</Button>
				<Button kind="primary" onClick={() => onChoose('mine')}>{theirs ? 'Keep mine' : 'Try again'}</Button>
			</footer>
		</Dialog>
	);
}
