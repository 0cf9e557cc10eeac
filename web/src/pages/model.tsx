// SPDX-License-Identifier: Apache-2.0
// One model: its versions; the chosen one is tried, checked, confirmed and deployed from here.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, ApiError } from '../api/client';
import type { Model, ModelVersion } from '../api/types';
import { isModel, isPicture, type Found } from '../lib/folder';
import { shellWord, taskName, taskWord } from '../lib/format';
import { Button, Command, Copy, Empty, Failure, Skeleton, Time } from '../parts/basics';
import { CheckPanel } from '../parts/check_panel';
import { DropCover } from '../parts/files';
import { useLoad, useStore, useTitle } from '../parts/hooks';
import { Icon } from '../parts/icons';
import { lazy } from '../parts/lazy';
import { say } from '../parts/toasts';
import { TryPanel } from '../parts/try_panel';
import { useDropped } from '../parts/use_dropped';
import { useTrial } from '../parts/use_trial';
import { Files, Labels, Origins, UsedBy } from '../parts/version_facts';
import { Trainable } from '../parts/version_trainable';
import { navigate, place, withParameter } from '../router';
import { NotFoundPage } from './not_found';

const DeployDialog = lazy(() => import('../parts/deploy_dialog').then((m) => m.DeployDialog));
const UploadDialog = lazy(() => import('../parts/upload_dialog').then((m) => m.UploadDialog));

const STATES = {
	READY: { word: 'Ready', tone: 'ok' },
	REFUSED: { word: 'Refused', tone: 'bad' },
	EMPTY: { word: 'No file yet', tone: 'plain' },
} as const;

function State({ version }: { version: ModelVersion }): JSX.Element {
	const { word, tone } = STATES[version.state] ?? { word: version.state, tone: 'plain' };
	return <span class={`pill ${tone}`} title={version.state_text ?? undefined}>{word}</span>;
}

function Problem({ version }: { version: ModelVersion }): JSX.Element | null {
	if (version.state === 'REFUSED') {
		return (
			<div class="notice bad">
				<Icon name="warning" />
				<div>
					<strong>This version cannot answer</strong>
					<p>{version.state_text ?? 'The server gave no reason.'} <span class="todo">Drop a corrected file here; it becomes the next version.</span></p>
				</div>
			</div>
		);
	}
	if (version.state === 'EMPTY') {
		return (
			<div class="notice plain">
				<Icon name="models" />
				<div><strong>No file yet</strong><p>Type and labels are enough to watch predictions that are made elsewhere. To answer here it needs an ONNX file: drop one on this page.</p></div>
			</div>
		);
	}
	return null;
}

/** What was dropped says what is meant: a model is the next version, one picture is tried, many are checked. */
function meaning(found: readonly Found[]): 'model' | 'try' | 'check' {
	if (found.some(({ path }) => isModel(path))) return 'model';
	return found.length === 1 && found[0] && isPicture(found[0].path, found[0].file.type) ? 'try' : 'check';
}

interface VersionProps {
	version: ModelVersion;
	versions: readonly ModelVersion[];
	/** A version was made or changed: this one is shown. */
	onMade: (version: ModelVersion) => void;
	onUpload: (found: readonly Found[]) => void;
}

function Version({ version, versions, onMade, onUpload }: VersionProps): JSX.Element {
	const [deploying, setDeploying] = useState(false);
	const [toCheck, setToCheck] = useState<readonly Found[]>([]);
	const control = useTrial(version.id, version.state === 'READY');
	const ready = version.state === 'READY';
	const next = Math.max(...versions.map((v) => v.version)) + 1;
	const over = useDropped((found) => {
		const meant = meaning(found);
		if (meant === 'model') return onUpload(found);
		if (!ready) return say('bad', 'Pictures can be tried once the version has a file that is ready.');
		if (meant === 'try') return control.setPicture(found[0]?.file ?? null);
		setToCheck(found);
		return document.getElementById('check')?.scrollIntoView({ block: 'start', behavior: 'smooth' });
	});
	const saved = (made: ModelVersion): void => {
		say('ok', `Saved as ${made.origin.name}:${made.version}.`);
		onMade(made);
	};
	return (
		<div class="version">
			<header class="version-head">
				<h2>Version {version.version}{version.name && version.name !== `v${version.version}` && <span class="muted"> {version.name}</span>}</h2>
				<State version={version} />
				<span class="muted">{version.framework} · {taskName(version.type)} · added <Time at={version.created_at} /></span>
				<Copy text={version.id} what="version id"><code>{version.id.slice(0, 8)}</code></Copy>
				<Button kind="primary" icon="deploy" disabled={version.state === 'REFUSED'} onClick={() => setDeploying(true)}>Deploy…</Button>
			</header>
			<Problem version={version} />
			{ready && version.recipe && (
				<>
					<TryPanel version={version} recipe={version.recipe} control={control} next={next} onSaved={saved} onConfirmed={onMade} />
					<CheckPanel key={version.id} version={version} recipe={version.recipe} found={toCheck} onFound={setToCheck} onSaved={saved} onConfirmed={onMade} />
				</>
			)}
			<div class="columns">
				<Labels version={version} />
				<div><UsedBy version={version} /><Trainable version={version} /><Origins version={version} versions={versions} /><Files version={version} /></div>
			</div>
			<DropCover over={over}>{ready ? 'Drop a picture to try it, labelled pictures to check, or an ONNX file as the next version' : 'Drop an ONNX file as the next version'}</DropCover>
			{deploying && <DeployDialog version={version} onConfirmed={onMade} onClose={() => setDeploying(false)} />}
		</div>
	);
}

function NoVersions({ model, onUpload }: { model: Model; onUpload: (found: readonly Found[]) => void }): JSX.Element {
	const over = useDropped(onUpload);
	return (
		<Empty title="No versions yet">
			<p>Drop an ONNX file on this page and it becomes version 0.</p>
			<p><Button kind="primary" icon="upload" onClick={() => onUpload([])}>Upload a file</Button></p>
			<p class="muted">Or push it from the command line:</p>
			<Command>{`gyre model push model.onnx --name ${shellWord(model.name)} --type ${model.type === 'NOT_CONFIGURED' ? 'detection' : taskWord(model.type)}`}</Command>
			<DropCover over={over}>Drop an ONNX file as version 0</DropCover>
		</Empty>
	);
}

export function ModelPage({ id }: { id: string }): JSX.Element {
	const model = useLoad(`model ${id}`, (signal) => api.model(id, signal));
	const versions = useLoad(`versions ${id}`, (signal) => api.modelVersions(id, signal));
	const [uploading, setUploading] = useState<readonly Found[] | null>(null);
	const wanted = useStore(place).query.get('version');
	useTitle(model.data?.name ?? 'Model');

	if (model.error instanceof ApiError && model.error.status === 404) return <NotFoundPage what="This model" />;
	const error = model.error ?? versions.error;
	const items = [...(versions.data?.items ?? [])].sort((a, b) => b.version - a.version);
	const chosen = items.find((v) => String(v.version) === wanted) ?? items[0];
	const reload = (): void => {
		model.reload();
		versions.reload();
	};
	const made = (version: ModelVersion): void => {
		const others = items.filter((v) => v.id !== version.id);
		versions.set({ items: [version, ...others], count: others.length + 1 });
		navigate(withParameter('version', String(version.version)), version.version === chosen?.version ? 'replace' : 'push');
	};
	return (
		<>
			<nav class="trail" aria-label="Trail"><a href="/models">Models</a></nav>
			<header class="page-head">
				<h1>{model.data ? model.data.name : <Skeleton width={180} height={24} />}</h1>
				<Button icon="upload" onClick={() => setUploading([])}>Upload a version</Button>
			</header>
			{model.data && <p class="lead">{[taskName(model.data.type), model.data.description].filter(Boolean).join(' · ')}</p>}
			{error !== null && <Failure error={error} what="The model could not be read" onRetry={reload} />}
			{!versions.data && versions.loading && <div class="panel padded"><Skeleton width="40%" /><br /><Skeleton width="70%" /></div>}
			{versions.data && model.data && items.length === 0 && <NoVersions model={model.data} onUpload={setUploading} />}
			{chosen && model.data && (
				<>
					<nav class="version-tabs" aria-label="Versions">
						{items.map((v) => (
							<a key={v.id} href={withParameter('version', String(v.version))} aria-current={v.id === chosen.id ? 'true' : undefined}>
								{v.version}{v.state !== 'READY' && <span class={`tiny-dot ${STATES[v.state]?.tone ?? 'plain'}`} title={STATES[v.state]?.word} />}
							</a>
						))}
					</nav>
					<Version version={chosen} versions={items} onMade={made} onUpload={setUploading} />
				</>
			)}
			{uploading && model.data && <UploadDialog found={uploading} name={model.data.name} onClose={() => setUploading(null)} onMade={reload} />}
		</>
	);
}
