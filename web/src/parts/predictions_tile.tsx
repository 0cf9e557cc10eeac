// SPDX-License-Identifier: Apache-2.0
// One prediction in the Predictions tab: as a tile, as a line of the table, and in detail; each can be selected.
import type { JSX } from 'preact';
import type { ReviewedAsset } from '../api/learn';
import { exact, score, seconds } from '../lib/format';
import { statusWords } from '../lib/prediction_filter';
import { championPrediction, summarize } from '../lib/shapes';
import { countingReview, drawingOf, type Whose } from '../lib/whose';
import { withParameter } from '../router';
import { LabelDot, Time } from './basics';
import { Boxes } from './boxes';
import { Icon } from './icons';

export interface TileProps {
	asset: ReviewedAsset;
	whose: Whose;
	labels: readonly string[];
	selected: boolean;
	/** Something is: a click then selects too. */
	selecting: boolean;
	onSelect: (how: 'toggle' | 'extend') => void;
}

export function StatusMark({ asset }: { asset: ReviewedAsset }): JSX.Element {
	const { word, tone, help } = statusWords(asset.status);
	const review = countingReview(asset);
	const how = review?.kind === 'ACCEPTED' ? ', accepted as is' : review?.kind === 'NOTHING' ? ', nothing on it' : '';
	return <span class={`pill ${tone}`} title={`${help}${review ? ` By ${review.who ?? 'somebody'}${how}.` : ''}`}>{word}</span>;
}

function Picture({ asset, whose, labels, thick = false }: Pick<TileProps, 'asset' | 'whose' | 'labels'> & { thick?: boolean }): JSX.Element {
	const { width, height } = asset.data.meta;
	const { shapes, shadows, colour } = drawingOf(asset, whose, labels);
	return (
		<span class="tile-picture">
			<img src={asset.data.presigned_url} alt={asset.data.filename} loading="lazy" decoding="async" width={width} height={height} />
			<Boxes shapes={shapes} width={width} height={height} shadows={shadows} thick={thick} {...(colour ? { colour } : {})} />
		</span>
	);
}

/** Opens on a click; with Ctrl, Shift, or while others are selected, selects. */
function Open({ children, className, ...props }: TileProps & { children: preact.ComponentChildren; className: string }): JSX.Element {
	const { asset, selecting, onSelect } = props;
	return (
		<a class={className} href={withParameter('prediction', asset.id)} title={`${asset.data.filename}, ${exact(asset.created_at)}`} onClick={(event) => {
			if (!event.shiftKey && !event.ctrlKey && !event.metaKey && !selecting) return;
			event.preventDefault();
			onSelect(event.shiftKey ? 'extend' : 'toggle');
		}}>{children}</a>
	);
}

function Tick({ asset, selected, onSelect }: Pick<TileProps, 'asset' | 'selected' | 'onSelect'>): JSX.Element {
	return (
		<label class="tile-tick">
			<input type="checkbox" aria-label={`Select ${asset.data.filename}`} checked={selected} onClick={(event) => onSelect(event.shiftKey ? 'extend' : 'toggle')} />
		</label>
	);
}

function Labels({ asset, whose, labels, most }: Pick<TileProps, 'asset' | 'whose' | 'labels'> & { most: number }): JSX.Element {
	// Of both, the champion's are counted: they are what was answered.
	const found = summarize(drawingOf(asset, whose === 'both' ? 'champion' : whose, labels).shapes);
	return (
		<span class="tile-labels">
			{found.length === 0 && <span class="muted">{whose === 'review' && !countingReview(asset) ? 'not reviewed' : 'nothing found'}</span>}
			{found.slice(0, most).map((l) => (
				<span key={l.labelId} class="tile-label"><LabelDot labelId={l.labelId} />{l.label} <span class="muted">{l.count > 1 ? `×${l.count}` : whose === 'review' ? '' : score(l.best)}</span></span>
			))}
		</span>
	);
}

export function PredictionTile(props: TileProps): JSX.Element {
	const { asset, whose, labels, selected, selecting } = props;
	return (
		<div class={`tile-frame${selected ? ' is-selected' : ''}${selecting ? ' is-selecting' : ''}`}>
			<Open {...props} className="tile">
				<Picture asset={asset} whose={whose} labels={labels} />
				<span class="tile-caption">
					<Labels asset={asset} whose={whose} labels={labels} most={3} />
					<span class="tile-facts muted"><span>{seconds(championPrediction(asset)?.latency)}</span><Time at={asset.created_at} /></span>
				</span>
			</Open>
			{asset.status !== 'TO REVIEW' && <span class="tile-status"><StatusMark asset={asset} /></span>}
			<Tick {...props} />
		</div>
	);
}

export function PredictionRow(props: TileProps): JSX.Element {
	const { asset, whose, labels, selected } = props;
	const prediction = championPrediction(asset);
	const best = prediction?.shapes[0]?.score;
	return (
		<div class={selected ? 'prediction-row is-selected' : 'prediction-row'}>
			<Tick {...props} />
			<Open {...props} className="prediction-open">
				<Picture asset={asset} whose={whose} labels={labels} />
				<span class="prediction-name">{asset.data.filename}</span>
				<Labels asset={asset} whose={whose} labels={labels} most={4} />
				<span class="number">{best === undefined ? '–' : score(Math.max(...(prediction?.shapes.map((s) => s.score) ?? [0])))}</span>
				<span><StatusMark asset={asset} /></span>
				<span class="number muted">{seconds(prediction?.latency)}</span>
				<span class="number muted"><Time at={asset.created_at} /></span>
			</Open>
		</div>
	);
}

export function PredictionDetails(props: TileProps & { deployment: string }): JSX.Element {
	const { asset, whose, labels, selected, deployment } = props;
	const found = summarize(drawingOf(asset, whose === 'both' ? 'champion' : whose, labels).shapes);
	const prediction = championPrediction(asset);
	const review = countingReview(asset);
	return (
		<div class={selected ? 'prediction-details panel is-selected' : 'prediction-details panel'}>
			<Tick {...props} />
			<Open {...props} className="prediction-large"><Picture asset={asset} whose={whose} labels={labels} thick /></Open>
			<div class="prediction-facts">
				<h3>{asset.data.filename}</h3>
				<p><StatusMark asset={asset} /> <span class="muted"><Time at={asset.created_at} />, {seconds(prediction?.latency)}</span></p>
				<ul class="found-list">
					{found.length === 0 && <li class="muted">nothing found</li>}
					{found.slice(0, 7).map((l) => <li key={l.labelId}><LabelDot labelId={l.labelId} />{l.label}<span class="muted">{l.count > 1 ? `×${l.count}, best ` : ''}{score(l.best)}</span></li>)}
				</ul>
				{review && <p class="muted">{review.kind === 'ACCEPTED' ? 'accepted as is' : review.kind === 'NOTHING' ? 'nothing on it' : 'corrected'} by {review.who ?? 'somebody'} <Time at={review.created_at} /></p>}
				{asset.chosen && <p class="muted">chosen as {asset.chosen.why}</p>}
				<a class="button" href={`/deployment/${deployment}/review?ids=${asset.id}`}><Icon name="edit" /><span>Review</span></a>
			</div>
		</div>
	);
}
