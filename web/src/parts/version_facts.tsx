// SPDX-License-Identifier: Apache-2.0
// What there is to know of a model version beside its recipe: labels, files, where it came from, where it answers.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import { loopApi } from '../api/loop';
import type { ModelVersion } from '../api/types';
import { bytes, milliseconds } from '../lib/format';
import { changeChips, recipeDiff } from '../lib/recipe';
import { Failure, LabelDot, Skeleton } from './basics';
import { Chips } from './chips';
import { Filter } from './filter';
import { useLoad } from './hooks';

const SEARCH_FROM = 13;

export function Labels({ version }: { version: ModelVersion }): JSX.Element {
	const [wanted, setWanted] = useState('');
	const labels = Object.entries(version.labels ?? {}).sort((a, b) => Number(a[0]) - Number(b[0]));
	const found = labels.filter(([index, name]) => !wanted || name.toLowerCase().includes(wanted.toLowerCase()) || index === wanted);
	return (
		<section class="panel padded">
			<header class="row-head">
				<h2>Labels{labels.length > 0 && <span class="count">{labels.length}</span>}</h2>
				{labels.length >= SEARCH_FROM && <Filter value={wanted} what="labels" onInput={setWanted} />}
			</header>
			{labels.length === 0 && <p class="muted">None were given: shapes are named by their number.</p>}
			{labels.length > 0 && found.length === 0 && <p class="muted">No label has “{wanted}” in it.</p>}
			<ol class="label-list" tabIndex={found.length > 40 ? 0 : undefined} aria-label="Labels">
				{found.map(([index, name]) => <li key={index}><LabelDot labelId={Number(index)} /><span class="muted">{index}</span> {name}</li>)}
			</ol>
		</section>
	);
}

export function Files({ version }: { version: ModelVersion }): JSX.Element {
	const files = useLoad(`files ${version.id} ${version.state}`, (signal) => api.modelFiles(version.id, signal));
	const size = (name: string): number | undefined => version.files.find((file) => file.name === name)?.size_bytes;
	return (
		<section class="panel padded">
			<h2>Files</h2>
			{files.error !== null && <Failure error={files.error} what="The files could not be read" onRetry={files.reload} />}
			{!files.data && files.loading && <Skeleton width="60%" />}
			{files.data?.items.length === 0 && <p class="muted">No file was stored yet.</p>}
			<ul class="file-list">
				{files.data?.items.map((file) => {
					const large = size(file.name);
					return (
						<li key={file.id}>
							<span class="muted">{file.name}</span>
							{file.presigned_url ? <a href={file.presigned_url} download={file.filename}>{file.filename}</a> : <span>{file.filename}</span>}
							{large !== undefined && <span class="muted">{bytes(large)}</span>}
						</li>
					);
				})}
			</ul>
		</section>
	);
}

/** The experiment that a version came from, by its name where it is still there. */
function FromExperiment({ id }: { id: string }): JSX.Element {
	const experiment = useLoad(`experiment of a version ${id}`, (signal) => loopApi.experiment(id, signal));
	const name = experiment.data?.name;
	return <p>Trained by experiment {name ? <a href={`/experiment/${id}`}>{name}</a> : <code>{id.slice(0, 8)}</code>}{experiment.error !== null && ', which is no longer there'}</p>;
}

/** What the graph said of itself, and what the version was made from. */
export function Origins({ version, versions }: { version: ModelVersion; versions: readonly ModelVersion[] }): JSX.Element {
	const { graph, recipe } = version;
	const base = versions.find((v) => v.id === version.lineage.based_on_version_id);
	const chips = base?.recipe && recipe ? changeChips(recipeDiff(base.recipe, recipe), recipe) : [];
	const facts: readonly [string, string | null][] = [
		['Made by', graph?.producer || null],
		['Operator set', graph?.opset ? String(graph.opset) : null],
		['Weights', graph?.weights_bytes ? bytes(graph.weights_bytes) : null],
		['First run', graph?.probe_us ? milliseconds(graph.probe_us / 1000) : null],
	];
	return (
		<section class="panel padded">
			<h2>Lineage</h2>
			{version.lineage.experiment_id ? <FromExperiment id={version.lineage.experiment_id} />
				: base ? <p>The file of <a href={`/model/${base.origin.id}?version=${base.version}`}>version {base.version}</a> with another recipe: {chips.length > 0 ? <Chips chips={chips} /> : 'the same values'}</p>
					: <p>Uploaded{version.files.length === 0 && ', without a file so far'}.</p>}
			<dl class="facts">{facts.map(([name, value]) => value && <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
		</section>
	);
}

export function UsedBy({ version }: { version: ModelVersion }): JSX.Element {
	return (
		<section class="panel padded">
			<h2>In service{version.deployments.length > 0 && <span class="count">{version.deployments.length}</span>}</h2>
			{version.deployments.length === 0 && <p class="muted">No deployment uses this version.</p>}
			<ul class="file-list">
				{version.deployments.map((d) => <li key={d.id + d.role}><a href={`/deployment/${d.id}`}>{d.name}</a><span class={`badge ${d.role === 'champion' ? 'given' : 'read'}`}>{d.role}</span></li>)}
			</ul>
		</section>
	);
}
