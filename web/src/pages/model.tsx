// SPDX-License-Identifier: Apache-2.0
// One model: its versions; of the chosen one the state, the recipe with where each field came from, labels, files.
import type { JSX } from 'preact';
import { api, ApiError } from '../api/client';
import type { Model, ModelVersion } from '../api/types';
import { plural, shellWord, taskName, taskWord } from '../lib/format';
import { guessedCount, ORIGINS, recipeRows } from '../lib/recipe';
import { Command, Copy, Empty, Failure, LabelDot, Skeleton, Time } from '../parts/basics';
import { useLoad, useStore, useTitle } from '../parts/hooks';
import { Icon } from '../parts/icons';
import { place, withParameter } from '../router';
import { NotFoundPage } from './not_found';

const STATES = {
	READY: { word: 'Ready', tone: 'ok' },
	REFUSED: { word: 'Refused', tone: 'bad' },
	EMPTY: { word: 'No file yet', tone: 'plain' },
} as const;

function State({ version }: { version: ModelVersion }): JSX.Element {
	const { word, tone } = STATES[version.state] ?? { word: version.state, tone: 'plain' };
	return <span class={`pill ${tone}`} title={version.state_text ?? undefined}>{word}</span>;
}

function RecipePanel({ version }: { version: ModelVersion }): JSX.Element {
	const recipe = version.recipe;
	if (!recipe) {
		return (
			<section class="panel padded">
				<h2>Recipe</h2>
				<p class="muted">How a picture becomes the model’s tensor and its outputs become shapes. Known once the file was looked at.</p>
			</section>
		);
	}
	const guesses = guessedCount(recipe);
	return (
		<section class="panel padded">
			<h2>Recipe</h2>
			<p class="muted">
				How a picture becomes the model’s tensor, and its outputs become shapes.
				{guesses > 0 && <> <strong class="warn-text">{plural(guesses, 'field is a guess', 'fields are guesses')}</strong>: check them on pictures you know.</>}
			</p>
			<table class="table recipe">
				<thead class="unseen"><tr><th scope="col">Field</th><th scope="col">Value</th><th scope="col">From</th></tr></thead>
				<tbody>
					{recipeRows(recipe).map((row) => (
						<tr key={row.field}>
							<th scope="row">{row.field}</th>
							<td class="mono">{row.value}</td>
							<td>{row.origin && <span class={`badge ${row.origin}`} title={ORIGINS[row.origin]}>{row.origin}</span>}</td>
						</tr>
					))}
				</tbody>
			</table>
		</section>
	);
}

function Labels({ version }: { version: ModelVersion }): JSX.Element {
	const labels = Object.entries(version.labels ?? {}).sort((a, b) => Number(a[0]) - Number(b[0]));
	return (
		<section class="panel padded">
			<h2>Labels{labels.length > 0 && <span class="count">{labels.length}</span>}</h2>
			{labels.length === 0 && <p class="muted">None were given: shapes are named by their number.</p>}
			<ol class="label-list" tabIndex={labels.length > 40 ? 0 : undefined} aria-label="Labels">
				{labels.map(([index, name]) => <li key={index}><LabelDot labelId={Number(index)} /><span class="muted">{index}</span> {name}</li>)}
			</ol>
		</section>
	);
}

function Files({ version }: { version: ModelVersion }): JSX.Element {
	const files = useLoad(`files ${version.id}`, (signal) => api.modelFiles(version.id, signal));
	return (
		<section class="panel padded">
			<h2>Files</h2>
			{files.error !== null && <Failure error={files.error} what="The files could not be read" onRetry={files.reload} />}
			{!files.data && files.loading && <Skeleton width="60%" />}
			{files.data?.items.length === 0 && <p class="muted">No file was stored yet.</p>}
			<ul class="file-list">
				{files.data?.items.map((file) => (
					<li key={file.id}>
						<span class="muted">{file.name}</span>{' '}
						{file.presigned_url ? <a href={file.presigned_url} download={file.filename}>{file.filename}</a> : file.filename}
					</li>
				))}
			</ul>
		</section>
	);
}

function Version({ model, version }: { model: Model; version: ModelVersion }): JSX.Element {
	return (
		<div class="version">
			<header class="version-head">
				<h2>Version {version.version}{version.name && version.name !== `v${version.version}` && <span class="muted"> {version.name}</span>}</h2>
				<State version={version} />
				<span class="muted">{version.framework} · {taskName(version.type)} · added <Time at={version.created_at} /></span>
				<Copy text={version.id} what="version id"><code>{version.id.slice(0, 8)}</code></Copy>
			</header>
			{version.state === 'REFUSED' && (
				<div class="notice bad">
					<Icon name="warning" />
					<div>
						<strong>This version cannot be deployed</strong>
						<p>{version.state_text ?? 'The server gave no reason.'} <span class="todo">Push a corrected file; it becomes the next version.</span></p>
					</div>
				</div>
			)}
			{version.state === 'READY' && (
				<section class="panel padded">
					<h2>Deploy</h2>
					<Command>{`gyre deploy ${shellWord(model.name)}:${version.version} --name my-camera --threshold 0.10`}</Command>
				</section>
			)}
			<div class="columns">
				<RecipePanel version={version} />
				<div><Labels version={version} /><Files version={version} /></div>
			</div>
		</div>
	);
}

export function ModelPage({ id }: { id: string }): JSX.Element {
	const model = useLoad(`model ${id}`, (signal) => api.model(id, signal));
	const versions = useLoad(`versions ${id}`, (signal) => api.modelVersions(id, signal));
	const wanted = useStore(place).query.get('version');
	useTitle(model.data?.name ?? 'Model');

	if (model.error instanceof ApiError && model.error.status === 404) return <NotFoundPage what="This model" />;
	const error = model.error ?? versions.error;
	const items = [...(versions.data?.items ?? [])].sort((a, b) => b.version - a.version);
	const chosen = items.find((v) => String(v.version) === wanted) ?? items[0];
	return (
		<>
			<nav class="trail" aria-label="Trail"><a href="/models">Models</a></nav>
			<header class="page-head">
				<h1>{model.data ? model.data.name : <Skeleton width={180} height={24} />}</h1>
			</header>
			{model.data && <p class="lead">{[taskName(model.data.type), model.data.description].filter(Boolean).join(' · ')}</p>}
			{error !== null && (
				<Failure error={error} what="The model could not be read" onRetry={() => {
					model.reload();
					versions.reload();
				}} />
			)}
			{!versions.data && versions.loading && <div class="panel padded"><Skeleton width="40%" /><br /><Skeleton width="70%" /></div>}
			{versions.data && model.data && items.length === 0 && (
				<Empty title="No versions yet">
					<p>Push a file and it becomes version 0.</p>
					<Command>{`gyre model push model.onnx --name ${shellWord(model.data.name)} --type ${model.data.type === 'NOT_CONFIGURED' ? 'detection' : taskWord(model.data.type)}`}</Command>
				</Empty>
			)}
			{chosen && model.data && (
				<>
					<nav class="version-tabs" aria-label="Versions">
						{items.map((v) => (
							<a key={v.id} href={withParameter('version', String(v.version))} aria-current={v.id === chosen.id ? 'true' : undefined}>
								{v.version}{v.state !== 'READY' && <span class={`tiny-dot ${STATES[v.state]?.tone ?? 'plain'}`} title={STATES[v.state]?.word} />}
							</a>
						))}
					</nav>
					<Version model={model.data} version={chosen} />
				</>
			)}
		</>
	);
}
