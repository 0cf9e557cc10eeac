// SPDX-License-Identifier: Apache-2.0
// One prediction, large: the picture with its shapes, each shape by name, the steps' time, the ids.
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { api } from '../api/client';
import type { PredictedAsset, Prediction, Shadow, Shape } from '../api/types';
import { exact, milliseconds, plural, score } from '../lib/format';
import type { VersionNames } from '../lib/history';
import { championPrediction, SCORE_FLOOR, shadowPredictions, shapesAt, type ThresholdView } from '../lib/shapes';
import { orderedSteps } from '../lib/steps';
import { Copy, Failure, LabelDot, px, Segments, Skeleton, Time } from './basics';
import { BoxNames, Boxes } from './boxes';
import { Dialog } from './dialog';
import { useLoad } from './hooks';
import { ReviewFacts } from './reviewed';
import { Icon } from './icons';

/** Drawn and listed: at the threshold, below it, and by whom. */
interface Drawn {
	shapes: readonly Shape[];
	ghosts: ReadonlySet<Shape>;
	shadows: ReadonlySet<Shape>;
	hidden: number;
}

interface Chosen {
	shape: Shape | null;
	choose: (shape: Shape | null) => void;
}

function ShapeList({ drawn: { shapes, ghosts, shadows }, chosen }: { drawn: Drawn; chosen: Chosen }): JSX.Element {
	if (shapes.length === 0) return <p class="muted">Nothing was found above this threshold.</p>;
	return (
		<ul class="shape-list">
			{shapes.map((shape, i) => (
				<li key={i}>
					<button type="button" class={`shape-row${ghosts.has(shape) ? ' ghost' : ''}${chosen.shape === shape ? ' is-chosen' : ''}`}
						onMouseEnter={() => chosen.choose(shape)} onMouseLeave={() => chosen.choose(null)}
						onFocus={() => chosen.choose(shape)} onBlur={() => chosen.choose(null)}>
						<LabelDot labelId={shape.label_id} />
						<span class="shape-label">{shape.label}{shadows.has(shape) && <span class="badge read">shadow</span>}</span>
						<span class="score-bar" aria-hidden="true"><i style={{ width: `${shape.score * 100}%` }} /></span>
						<span class="shape-score">{score(shape.score)}</span>
					</button>
				</li>
			))}
		</ul>
	);
}

function Steps({ prediction }: { prediction: Prediction }): JSX.Element {
	const steps = orderedSteps(prediction.steps_ms);
	const longest = Math.max(...steps.map((s) => s.ms), 1e-6);
	const sum = steps.reduce((total, s) => total + s.ms, 0);
	return (
		<section>
			<h3>Time <span class="muted">{milliseconds(sum)} in {plural(steps.length, 'step')}</span></h3>
			<dl class="step-bars">
				{steps.map((s) => (
					<div key={s.name} title={s.help}>
						<dt>{s.name}</dt>
						<dd><span class="step-bar" aria-hidden="true"><i style={{ width: `${(s.ms / longest) * 100}%` }} /></span><span>{milliseconds(s.ms)}</span></dd>
					</div>
				))}
			</dl>
		</section>
	);
}

function Facts({ asset, prediction, version }: { asset: PredictedAsset; prediction: Prediction; version: string | null }): JSX.Element {
	const ids: readonly [string, string][] = [
		['Predicted asset', asset.id], ['Prediction', prediction.id], ['Data', asset.data.id], ['Model version', prediction.model_version_id],
	];
	return (
		<section>
			<h3>About</h3>
			<dl class="facts">
				{version && <div><dt>{prediction.is_shadow ? 'Shadow' : 'By'}</dt><dd>{version}</dd></div>}
				<div><dt>Answered</dt><dd title={exact(asset.created_at)}>{exact(asset.created_at).slice(0, 23)}</dd></div>
				<div><dt>Threshold then</dt><dd>{score(prediction.threshold)}</dd></div>
				<div><dt>Picture</dt><dd>{asset.data.meta.width} × {asset.data.meta.height} px, {asset.data.content_type.toLowerCase()}</dd></div>
				{ids.map(([what, id]) => (
					<div key={what}><dt>{what}</dt><dd><Copy text={id} what={`${what.toLowerCase()} id`}><code title={id}>{id.slice(0, 8)}…{id.slice(-4)}</code></Copy></dd></div>
				))}
			</dl>
			<a class="button" href={asset.data.presigned_url} target="_blank" rel="noopener"><Icon name="external" /><span>Open the picture alone</span></a>
		</section>
	);
}

function Stage({ asset, drawn: { shapes, ghosts, shadows }, chosen }: { asset: PredictedAsset; drawn: Drawn; chosen: Chosen }): JSX.Element {
	const [broken, setBroken] = useState(false);
	const { width, height } = asset.data.meta;
	const classes = shapes.filter((s) => s.type === 'classification' && !ghosts.has(s));
	return (
		<div class={width < 100 ? 'stage-picture is-tiny' : 'stage-picture'} style={{ aspectRatio: `${width} / ${height}`, '--ratio': width / height, '--most': px(Math.max(width, height) * 16) }}>
			{broken
				? <p class="stage-broken">The picture could not be shown. It may have been deleted, or its link has expired: open it again.</p>
				: <img key={asset.id} src={asset.data.presigned_url} width={width} height={height} alt={asset.data.filename} onError={() => setBroken(true)} />}
			<Boxes shapes={shapes} width={width} height={height} ghosts={ghosts} shadows={shadows} chosen={chosen.shape} onHover={chosen.choose} thick />
			<BoxNames shapes={shapes} width={width} height={height} ghosts={ghosts} shadows={shadows} chosen={chosen.shape} />
			{classes[0] && <span class="class-name"><LabelDot labelId={classes[0].label_id} />{classes[0].label} {score(classes[0].score)}</span>}
		</div>
	);
}

const VIEWS = [['answered', 'As answered'], ['threshold', 'At threshold']] as const;

/** Whose shapes: the champion's, a shadow's, or both over one another. */
type Whose = 'champion' | 'both' | string;

function draw(predictions: readonly Prediction[], threshold: number, below: boolean): Drawn {
	const byScore = (a: Shape, b: Shape): number => b.score - a.score;
	const all = predictions.flatMap((p) => p.shapes).sort(byScore);
	const shown = shapesAt(all, threshold);
	const ghosts = new Set(all.filter((s) => s.score < threshold));
	return { shapes: below ? all : shown, ghosts, hidden: ghosts.size, shadows: new Set(predictions.filter((p) => p.is_shadow).flatMap((p) => p.shapes)) };
}

export function Detail({ id, known, view, standing, names, shadows, deployment, older, newer, onView, onMove, onClose }: {
	id: string;
	/** As it is in the grid, to show at once. */
	known: PredictedAsset | undefined;
	view: ThresholdView;
	/** The deployment's threshold now: where the slider begins. */
	standing: number;
	names: VersionNames;
	shadows: readonly Shadow[];
	/** Whose prediction it is: where it is reviewed. */
	deployment: string;
	older: string | null;
	newer: string | null;
	onView: (view: ThresholdView) => void;
	onMove: (id: string) => void;
	onClose: () => void;
}): JSX.Element {
	const [below, setBelow] = useState(false);
	const [whose, setWhose] = useState<Whose>('champion');
	const [shape, choose] = useState<Shape | null>(null);
	// Everything stored, so that what lies below the threshold can be looked at too.
	const full = useLoad(`asset ${id}`, (signal) => api.predictedAsset(id, SCORE_FLOOR, signal));
	const asset = full.data ?? known;
	const champion = asset && championPrediction(asset);
	const followers = asset ? shadowPredictions(asset) : [];
	const chosenShadow = followers.find((p) => p.model_version_id === whose);
	const threshold = view ?? champion?.threshold ?? 0;
	const prediction = chosenShadow ?? champion;
	const drawn = useMemo(
		() => draw(whose === 'both' && champion ? [champion, ...followers] : prediction ? [prediction] : [], threshold, below),
		[asset, whose, threshold, below]);
	useEffect(() => choose(null), [id, whose]);

	const onKey = (event: KeyboardEvent): void => {
		// On a slider and among radio buttons the arrows are theirs.
		if (event.target instanceof HTMLInputElement) return;
		const target = event.key === 'ArrowLeft' ? newer : event.key === 'ArrowRight' ? older : null;
		if (!target || event.altKey || event.metaKey || event.ctrlKey) return;
		event.preventDefault();
		onMove(target);
	};
	const chosen: Chosen = { shape, choose };
	const shadowName = (p: Prediction): string => {
		const shadow = shadows.find((s) => s.model_version_id === p.model_version_id);
		return shadow ? `${shadow.model_name}:${shadow.version}` : names.get(p.model_version_id) ?? `version ${p.model_version_id.slice(0, 8)}`;
	};
	const choices: [Whose, string][] = [['champion', 'Champion'], ...followers.map((p): [string, string] => [p.model_version_id, followers.length === 1 ? 'Shadow' : shadowName(p)]), ['both', followers.length === 1 ? 'Both' : 'All']];
	return (
		<Dialog title={`Prediction on ${asset?.data.filename ?? 'a picture'}`} onClose={onClose} wide bare>
			<div class="detail" onKeyDown={onKey}>
				<div class="stage">
					{asset && <Stage key={asset.id} asset={asset} drawn={drawn} chosen={chosen} />}
					{!asset && full.loading && <span class="spinner large" role="status" aria-label="Loading" />}
					<button type="button" class="stage-move newer" disabled={!newer} aria-label="Newer (left arrow)" onClick={() => newer && onMove(newer)}><Icon name="left" size={20} /></button>
					<button type="button" class="stage-move older" disabled={!older} aria-label="Older (right arrow)" onClick={() => older && onMove(older)}><Icon name="right" size={20} /></button>
				</div>
				<aside class="detail-side">
					<header>
						<div>
							<h2>{asset ? asset.data.filename : <Skeleton width={160} />}</h2>
							{asset && <p class="muted"><Time at={asset.created_at} /></p>}
						</div>
						<button type="button" class="bare" aria-label="Close" onClick={onClose}><Icon name="close" /></button>
					</header>
					{full.error !== null && <Failure error={full.error} what="This prediction could not be read" onRetry={full.reload} />}
					{asset && <ReviewFacts asset={asset} deployment={deployment} />}
					{prediction && (
						<section class="detail-view">
							{followers.length > 0 && <Segments name="whose" legend="Whose shapes" value={whose} choices={choices} onChoose={setWhose} />}
							<Segments name="detail-view" legend="Shapes shown" value={view === null ? 'answered' : 'threshold'} choices={VIEWS} onChoose={(v) => onView(v === 'answered' ? null : standing)} />
							{view !== null && (
								<div class="slider">
									<input type="range" aria-label="Threshold" min={SCORE_FLOOR} max={0.99} step={0.01} value={view} onInput={(event) => onView(Number(event.currentTarget.value))} />
									<output>{score(view)}</output>
								</div>
							)}
						</section>
					)}
					{prediction && (
						<section>
							<h3>Shapes <span class="muted">{view === null ? `as answered, from ${score(threshold)}` : `from ${score(threshold)}`}</span></h3>
							<ShapeList drawn={drawn} chosen={chosen} />
							{drawn.hidden > 0 && (
								<label class="check">
									<input type="checkbox" checked={below} onChange={() => setBelow(!below)} />
									Show {plural(drawn.hidden, 'more', 'more')} below {score(threshold)}
								</label>
							)}
						</section>
					)}
					{prediction && Object.keys(prediction.steps_ms).length > 0 && <Steps prediction={prediction} />}
					{asset && prediction && <Facts asset={asset} prediction={prediction} version={names.get(prediction.model_version_id) ?? (prediction.is_shadow ? shadowName(prediction) : null)} />}
				</aside>
			</div>
		</Dialog>
	);
}
