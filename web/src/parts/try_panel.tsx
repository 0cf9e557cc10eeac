// SPDX-License-Identifier: Apache-2.0
// Try it: a picture as the model sees it, beside the picture with what the model says; the recipe's fields at hand.
import type { JSX } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { api } from '../api/client';
import type { ModelVersion, Recipe, Shape, TryAnswer } from '../api/types';
import { sentence } from '../lib/explain';
import { milliseconds, plural, score } from '../lib/format';
import { changeChips } from '../lib/recipe';
import { SCORE_FLOOR, shapesAt, summarize } from '../lib/shapes';
import { orderedSteps } from '../lib/steps';
import { Button, Failure, LabelDot, Skeleton } from './basics';
import { BoxNames, Boxes } from './boxes';
import { Chips } from './chips';
import { ConfirmRecipe } from './confirm_recipe';
import { ChooseButton, DropField } from './files';
import { useLoad } from './hooks';
import { LastPictures } from './pictures';
import { RecipeControls } from './recipe_controls';
import { say } from './toasts';
import type { TrialControl } from './use_trial';

/** What was found, in a line; for a class, the best five as bars. */
function Findings({ shapes, all }: { shapes: readonly Shape[]; all: readonly Shape[] }): JSX.Element {
	if (all[0]?.type === 'classification') {
		return (
			<ul class="class-bars">
				{all.slice(0, 5).map((s) => (
					<li key={s.label_id} class={shapes.includes(s) ? undefined : 'ghost'}>
						<LabelDot labelId={s.label_id} /><span class="shape-label">{s.label}</span>
						<span class="score-bar" aria-hidden="true"><i style={{ width: `${s.score * 100}%` }} /></span><span class="shape-score">{score(s.score)}</span>
					</li>
				))}
			</ul>
		);
	}
	const labels = summarize(shapes);
	if (labels.length === 0) return <p class="muted">Nothing above this threshold{all.length > 0 && `; ${plural(all.length, 'shape')} below it`}.</p>;
	return (
		<p class="found-labels">
			{labels.slice(0, 8).map((l) => <span key={l.labelId}><LabelDot labelId={l.labelId} />{l.count > 1 && `${l.count} × `}{l.label} <span class="muted">{score(l.best)}</span></span>)}
			{labels.length > 8 && <span class="muted">and {labels.length - 8} more labels</span>}
		</p>
	);
}

function Views({ url, result, shapes, stale }: { url: string; result: TryAnswer | null; shapes: readonly Shape[]; stale: boolean }): JSX.Element {
	const size = result?.image;
	const seen = result?.seen;
	const best = shapes[0];
	return (
		<div class={stale ? 'try-views is-stale' : 'try-views'} aria-busy={stale}>
			<figure>
				<div class={size && size.width < 100 ? 'try-picture is-tiny' : 'try-picture'}>
					<div class="try-fit" style={size ? { aspectRatio: `${size.width} / ${size.height}`, '--ratio': size.width / size.height } : undefined}>
						<img src={url} alt="The picture as it was given" />
						{size && <Boxes shapes={shapes} width={size.width} height={size.height} thick />}
						{size && <BoxNames shapes={shapes} width={size.width} height={size.height} />}
						{best?.type === 'classification' && <span class="class-name"><LabelDot labelId={best.label_id} />{best.label} {score(best.score)}</span>}
					</div>
				</div>
				<figcaption>What it says{size && <span class="muted">{size.width} × {size.height}</span>}</figcaption>
			</figure>
			<figure>
				<div class={seen && seen.width < 100 ? 'try-picture is-tiny' : 'try-picture'}>
					<div class="try-fit" style={seen ? { aspectRatio: `${seen.width} / ${seen.height}`, '--ratio': seen.width / seen.height } : undefined}>
						{seen && <img src={`data:image/png;base64,${seen.png}`} alt="What the model sees" />}
					</div>
				</div>
				<figcaption>What it sees{seen && <span class="muted">{seen.width} × {seen.height}</span>}</figcaption>
			</figure>
		</div>
	);
}

function Times({ result }: { result: TryAnswer }): JSX.Element {
	const steps = orderedSteps(result.latency_ms);
	return <p class="muted try-times">{steps.map((s) => <span key={s.name} title={s.help}>{s.name} {milliseconds(s.ms)}</span>)}</p>;
}

function Stage({ version, control }: { version: ModelVersion; control: TrialControl }): JSX.Element {
	const { trial, running, url, setPicture, again } = control;
	const [threshold, setThreshold] = useState(0.1);
	const slider = useId();
	const { result } = trial;
	const all = result ? [...result.shapes].sort((a, b) => b.score - a.score) : [];
	const shapes = shapesAt(all, threshold);
	const classes = all[0]?.type === 'classification';
	if (!trial.picture || !url) {
		return (
			<div class="try-stage">
				<DropField onFound={([first]) => first && setPicture(first.file)}>Drop a picture anywhere, paste, or <u>choose</u> one</DropField>
				<LastPictures version={version} title="or one of the last predictions" onPicture={setPicture} />
			</div>
		);
	}
	return (
		<div class="try-stage">
			<Views url={url} result={result} shapes={classes ? shapes.slice(0, 1) : shapes} stale={running || trial.error !== null} />
			{trial.error !== null && <p class="form-error" role="alert">{sentence(trial.error)} <Button kind="quiet" onClick={again}>Try again</Button></p>}
			<div class="try-bar">
				<div class="slider">
					<label for={slider}>Shown from</label>
					<input id={slider} type="range" min={SCORE_FLOOR} max={0.99} step={0.01} value={threshold} onInput={(event) => setThreshold(Number(event.currentTarget.value))} />
					<output for={slider}>{score(threshold)}</output>
				</div>
				<span class="try-state" role="status">{running && <><span class="spinner" aria-hidden="true" /> running</>}</span>
				<ChooseButton kind="quiet" icon="upload" accept="image/jpeg,image/png,image/webp" onFound={([first]) => first && setPicture(first.file)}>Another picture</ChooseButton>
			</div>
			{result && <Findings shapes={shapes} all={all} />}
			{result && <Times result={result} />}
			<LastPictures version={version} onPicture={setPicture} />
		</div>
	);
}

function Save({ version, recipe, control, next, onSaved, onConfirmed }: {
	version: ModelVersion;
	recipe: Recipe;
	control: TrialControl;
	next: number;
	onSaved: (version: ModelVersion) => void;
	onConfirmed: (version: ModelVersion) => void;
}): JSX.Element {
	const [busy, setBusy] = useState(false);
	const { changes } = control.trial;
	const chips = changeChips(changes, recipe);
	if (chips.length === 0) return <ConfirmRecipe version={version} onConfirmed={onConfirmed} />;
	const save = async (): Promise<void> => {
		setBusy(true);
		try {
			onSaved(await api.changeRecipe(version.id, changes));
		} catch (error) {
			say('bad', `Not saved. ${sentence(error)}`);
		}
		setBusy(false);
	};
	return (
		<div class="recipe-foot">
			<p class="recipe-changes"><Chips chips={chips} /></p>
			<Button kind="primary" busy={busy} onClick={save}>{`Save as version ${next}`}</Button>
			<Button kind="quiet" onClick={() => control.setChanges({})}>Undo</Button>
		</div>
	);
}

export function TryPanel({ version, recipe, control, next, onSaved, onConfirmed }: {
	version: ModelVersion;
	recipe: Recipe;
	control: TrialControl;
	/** Number of the version that a changed recipe would be. */
	next: number;
	onSaved: (version: ModelVersion) => void;
	onConfirmed: (version: ModelVersion) => void;
}): JSX.Element {
	const fields = useLoad(`fields ${version.id}`, (signal) => api.recipeFields(version.id, signal));
	useEffect(() => control.setChanges({}), [version.id]);
	return (
		<section class="panel try" aria-label="Try it">
			<div class="try-main">
				<header class="panel-head"><h2>Try it</h2><span class="muted">Nothing is stored.</span></header>
				<Stage version={version} control={control} />
			</div>
			<div class="try-recipe">
				<header class="panel-head"><h2 title="How a picture becomes the model’s numbers, and its numbers become shapes.">Recipe</h2></header>
				{fields.error !== null && <Failure error={fields.error} what="The recipe’s fields could not be read" onRetry={fields.reload} />}
				{fields.data
					? <RecipeControls fields={fields.data.items} recipe={recipe} changes={control.trial.changes} onChange={control.change} />
					: fields.loading && <div class="controls">{[0, 1, 2, 3, 4].map((i) => <div key={i} class="control"><Skeleton width="70%" /><Skeleton width="90%" height={26} /></div>)}</div>}
				<Save version={version} recipe={recipe} control={control} next={next} onSaved={onSaved} onConfirmed={onConfirmed} />
			</div>
		</section>
	);
}
