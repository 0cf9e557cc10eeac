// SPDX-License-Identifier: Apache-2.0
// Pictures that a training got better and worse at. Opened, both versions answer the picture anew, side by side with what people drew.
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Asset } from '../api/learn';
import type { ComparedPicture, Evaluation, Training, VersionName } from '../api/loop';
import { trainingApi } from '../api/training';
import type { Shape, TaskType } from '../api/types';
import { drawable } from '../lib/dataset_shapes';
import { plural, score } from '../lib/format';
import { points } from '../lib/quality';
import { SCORE_FLOOR, shapesAt, summarize } from '../lib/shapes';
import { signedPoints } from '../lib/training';
import { Failure, LabelDot, Segments, Skeleton } from './basics';
import { Boxes } from './boxes';
import { Dialog } from './dialog';
import { useLoad } from './hooks';
import { Icon } from './icons';

const WHITE = (): string => '#ffffff';

function Tile({ picture, asset, labels, onOpen }: { picture: ComparedPicture; asset: Asset | undefined; labels: readonly string[]; onOpen: () => void }): JSX.Element {
	const moved = picture.champion === null ? null : picture.candidate - picture.champion;
	const { width, height } = asset?.data.meta ?? { width: 4, height: 3 };
	return (
		<li>
			<button type="button" class="tile compared-tile" onClick={onOpen} title={picture.filename} disabled={!asset}>
				<span class="tile-picture">
					{asset && <><img src={asset.data.presigned_url} alt={picture.filename} loading="lazy" decoding="async" width={width} height={height} /><Boxes shapes={drawable(asset.annotation?.shapes ?? [], labels)} width={width} height={height} /></>}
				</span>
				<span class="tile-caption">
					<span class="tile-labels">{moved !== null && <span class={moved < 0 ? 'bad-text' : 'ok-text'}>{signedPoints(moved)}</span>}<span class="muted">{picture.champion === null ? points(picture.candidate) : `${points(picture.champion)} → ${points(picture.candidate)}`}</span></span>
					<span class="tile-facts muted"><span class="tile-name">{picture.filename}</span></span>
				</span>
			</button>
		</li>
	);
}

interface Answered {
	shapes: readonly Shape[] | null;
	error: unknown;
}

/** What a version answers to a picture, run now. */
function useAnswer(version: string | null, asset: Asset): Answered {
	const answer = useLoad(`answer of ${version} to ${asset.id}`, async (signal) => {
		if (version === null) return null;
		const response = await fetch(asset.data.presigned_url, { signal });
		const blob = await response.blob();
		return api.tryRecipe(version, new File([blob], asset.data.filename, { type: blob.type }), {}, signal);
	});
	return { shapes: answer.data?.shapes ?? null, error: answer.error };
}

function Side({ title, version, asset, answer, truth, threshold, task }: {
	title: string;
	version: VersionName | null;
	asset: Asset;
	answer: Answered;
	truth: readonly Shape[];
	threshold: number;
	task: TaskType | null;
}): JSX.Element {
	const { width, height } = asset.data.meta;
	const shapes = answer.shapes ? shapesAt(answer.shapes, task === 'CLASSIFICATION' ? 0 : threshold) : [];
	const found = summarize(shapes);
	return (
		<figure>
			<div class="try-picture"><div class="try-fit" style={{ '--ratio': width / height, aspectRatio: `${width} / ${height}` }}>
				<img src={asset.data.presigned_url} alt={asset.data.filename} width={width} height={height} />
				<Boxes shapes={truth} width={width} height={height} colour={WHITE} shadows={new Set(truth)} />
				<Boxes shapes={shapes} width={width} height={height} />
			</div></div>
			<figcaption>
				<span>{title}{version && ` ${version.model}:${version.version}`}</span>
				<span class="muted">
					{answer.error !== null ? 'does not answer' : !answer.shapes ? 'answers…' : found.length === 0 ? 'nothing found'
						: found.slice(0, 3).map((l) => `${l.label} ${task === 'CLASSIFICATION' ? score(l.best) : `×${l.count}`}`).join(', ')}
				</span>
			</figcaption>
		</figure>
	);
}

function Compared({ picture, asset, training, labels, task, move, onClose }: {
	picture: ComparedPicture;
	asset: Asset;
	training: Training;
	labels: readonly string[];
	task: TaskType | null;
	move: (by: 1 | -1) => void;
	onClose: () => void;
}): JSX.Element {
	const [threshold, setThreshold] = useState(0.3);
	const [drawn, setDrawn] = useState(true);
	const base = useAnswer(training.base?.model_version_id ?? null, asset);
	const candidate = useAnswer(training.candidate?.model_version_id ?? null, asset);
	const truth = useMemo(() => drawable(asset.annotation?.shapes ?? [], labels), [asset, labels]);
	const kinds = summarize(truth);
	useEffect(() => {
		const onKey = (event: KeyboardEvent): void => {
			if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
			if (event.target instanceof HTMLInputElement) return;
			event.preventDefault();
			move(event.key === 'ArrowLeft' ? -1 : 1);
		};
		document.addEventListener('keydown', onKey);
		return () => document.removeEventListener('keydown', onKey);
	}, [move]);
	return (
		<Dialog title={picture.filename} onClose={onClose} wide>
			<div class="compared">
				<div class={`try-views${training.base ? '' : ' is-one'}`}>
					{training.base && <Side title="Champion" version={training.base} asset={asset} answer={base} truth={drawn ? truth : []} threshold={threshold} task={task} />}
					<Side title="Candidate" version={training.candidate} asset={asset} answer={candidate} truth={drawn ? truth : []} threshold={threshold} task={task} />
				</div>
				<div class="compared-bar">
					<span class="row-actions"><button type="button" class="button" aria-label="Previous (left arrow)" onClick={() => move(-1)}><Icon name="left" /></button><button type="button" class="button" aria-label="Next (right arrow)" onClick={() => move(1)}><Icon name="right" /></button></span>
					<span>{picture.champion !== null && <>{points(picture.champion)} → </>}<strong>{points(picture.candidate)}</strong> <span class="muted">on this picture</span></span>
					<span class="muted">People drew {kinds.length === 0 ? 'nothing' : kinds.slice(0, 4).map((l) => <span key={l.labelId} class="tile-label"><LabelDot labelId={l.labelId} />{l.label}{l.count > 1 && ` ×${l.count}`} </span>)}</span>
					{task !== 'CLASSIFICATION' && <label class="check"><input type="checkbox" checked={drawn} onChange={(event) => setDrawn(event.currentTarget.checked)} />Show it, in white</label>}
					{task !== 'CLASSIFICATION' && <label class="slider"><span class="muted">From</span><input type="range" min={SCORE_FLOOR} max={0.99} step={0.01} value={threshold} aria-label="Show shapes from this confidence on" onInput={(event) => setThreshold(Number(event.currentTarget.value))} /><output>{score(threshold)}</output></label>}
				</div>
				{(base.error ?? candidate.error) !== null && <Failure error={base.error ?? candidate.error} what="A version could not answer the picture" />}
			</div>
		</Dialog>
	);
}

export function ComparedPictures({ training, evaluation, labels, task }: { training: Training; evaluation: Evaluation; labels: readonly string[]; task: TaskType | null }): JSX.Element | null {
	const { better, worse } = evaluation;
	const [which, setWhich] = useState<'worse' | 'better'>(worse.length > 0 ? 'worse' : 'better');
	const [opened, setOpened] = useState<number | null>(null);
	const order = ['test', 'val'];
	const versions = [...training.datasets].sort((a, b) => Number(order.includes(b.alias)) - Number(order.includes(a.alias))).map((d) => d.dataset_version_id);
	const assets = useLoad(`compared of ${training.id} ${better.length} ${worse.length}`, (signal) => trainingApi.pictures(versions, [...better, ...worse].map((p) => p.asset_id), signal));
	const alone = evaluation.champion === null;
	if (better.length + worse.length === 0) return null;
	const shown = which === 'worse' ? worse : better;
	const picture = opened === null ? undefined : shown[opened];
	const asset = picture && assets.data?.get(picture.asset_id);
	const move = (by: 1 | -1): void => setOpened((i) => (i === null ? null : (i + by + shown.length) % shown.length));
	return (
		<section class="panel padded" aria-label="Pictures of the verdict">
			<header class="row-head">
				<h2>{alone ? 'How it answers pictures' : 'Pictures that changed'}</h2>
				<Segments name="compared" legend="Which pictures" value={which} onChoose={setWhich} choices={alone ? [['worse', `Worst ${worse.length}`], ['better', `Best ${better.length}`]] : [['worse', `Worse ${worse.length}`], ['better', `Better ${better.length}`]]} />
			</header>
			<p class="muted">{alone ? 'Those that it answers worst and best. Open one: it answers it anew.' : 'Those where the candidate lost or won most against the champion. Open one: both answer it, side by side.'}</p>
			{assets.error !== null && <Failure error={assets.error} what="The pictures could not be read" onRetry={assets.reload} />}
			{!assets.data && assets.loading && <Skeleton width="100%" height={150} />}
			{shown.length === 0 && <p class="no-match">{alone ? 'None.' : which === 'worse' ? 'No picture got worse.' : 'No picture got better.'}</p>}
			{assets.data && <ul class="compared-tiles" aria-label={plural(shown.length, 'picture')}>{shown.map((p, i) => <Tile key={p.asset_id} picture={p} asset={assets.data?.get(p.asset_id)} labels={labels} onOpen={() => setOpened(i)} />)}</ul>}
			{picture && asset && <Compared key={picture.asset_id} picture={picture} asset={asset} training={training} labels={labels} task={task} move={move} onClose={() => setOpened(null)} />}
		</section>
	);
}
