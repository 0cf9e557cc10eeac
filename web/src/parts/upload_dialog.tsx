// SPDX-License-Identifier: Apache-2.0
// A model by screen: file, name, type and labels; the upload with its speed; what gyre says of it.
import type { JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { api, ownPath } from '../api/client';
import { sendForm, wasCancelled } from '../api/send';
import { organization, session } from '../api/session';
import type { Model, ModelVersion, TaskType } from '../api/types';
import { explain, sentence } from '../lib/explain';
import type { Found } from '../lib/folder';
import { bytes, plural } from '../lib/format';
import { LabelsError, numbered, parseLabels } from '../lib/labels';
import { nameOf, sortModelFiles, targetOf, typeOfName } from '../lib/new_model';
import { noTransfer, transferred, type Transfer } from '../lib/transfer';
import { navigate } from '../router';
import { Button, LabelDot, Segments } from './basics';
import { Dialog } from './dialog';
import { ChooseButton, DropField, Progress, TransferLine } from './files';
import { useLoad } from './hooks';
import { Icon } from './icons';
import { say } from './toasts';
import { useDropped } from './use_dropped';

const TYPES: readonly (readonly [TaskType, string])[] = [['OBJECT_DETECTION', 'Detection'], ['CLASSIFICATION', 'Classification'], ['SEGMENTATION', 'Segmentation']];

interface Labels {
	filename: string;
	names: readonly string[];
	problem: string | null;
}

type Stage =
	| { kind: 'form'; error: unknown }
	| { kind: 'sending'; transfer: Transfer }
	| { kind: 'opening' }
	| { kind: 'refused'; version: ModelVersion };

async function readLabels({ file }: Found): Promise<Labels> {
	try {
		return { filename: file.name, names: parseLabels(file.name, await file.text()), problem: null };
	} catch (error) {
		return { filename: file.name, names: [], problem: error instanceof LabelsError ? error.message : 'This file could not be read.' };
	}
}

function FileRow({ icon, name, note, action }: { icon: 'models' | 'check' | 'warning'; name: string; note: string; action?: JSX.Element }): JSX.Element {
	return <div class="file-row"><Icon name={icon} /><span class="file-name">{name}</span><span class="muted">{note}</span>{action}</div>;
}

function LabelsField({ labels, onFound, onClear }: { labels: Labels | null; onFound: (found: readonly Found[]) => void; onClear: () => void }): JSX.Element {
	return (
		<div class="field">
			<span class="field-name">Labels <span class="muted">optional: .txt, .json, or YAML with names</span></span>
			{!labels && <div class="row-actions"><ChooseButton accept=".txt,.json,.yaml,.yml,.names" onFound={onFound}>Choose a file</ChooseButton><span class="muted">Without them shapes are named by their number.</span></div>}
			{labels && <FileRow icon={labels.problem ? 'warning' : 'check'} name={labels.filename} note={labels.problem ? '' : plural(labels.names.length, 'label')}
				action={<button type="button" class="bare" aria-label="Without labels" onClick={onClear}><Icon name="close" size={13} /></button>} />}
			{labels?.problem && <p class="form-error" role="alert">{labels.problem}</p>}
			{labels && labels.names.length > 0 && (
				<p class="found-labels">
					{labels.names.slice(0, 10).map((name, i) => <span key={i}><LabelDot labelId={i} />{name}</span>)}
					{labels.names.length > 10 && <span class="muted">… {labels.names[labels.names.length - 1]}</span>}
				</p>
			)}
		</div>
	);
}

/** Uploads the bytes, then makes the entry: a cancelled upload leaves no empty version behind. */
async function upload(file: File, name: string, type: TaskType, labels: readonly string[], models: readonly Model[],
	signal: AbortSignal, say: (stage: Stage) => void): Promise<ModelVersion> {
	const connector = session.get()?.organization.default_connector_id ?? '';
	let transfer = noTransfer(file.size, performance.now());
	say({ kind: 'sending', transfer });
	const { object_name } = await api.objectName(organization(), connector, file.name);
	const { presigned_url_data: link } = await api.uploadLink(connector, object_name);
	const form = new FormData();
	for (const [key, value] of Object.entries(link.fields)) form.set(key, value);
	form.set('Content-Type', 'application/octet-stream');
	form.set('file', file, file.name);
	await sendForm(ownPath(link.url), form, {
		signal, onProgress: (sent, total) => say({ kind: 'sending', transfer: transfer = transferred(transfer, sent, total, performance.now()) }),
	});
	signal.throwIfAborted();
	say({ kind: 'opening' });
	const model = targetOf(name, models).existing ?? await api.createModel(organization(), name.trim());
	const version = await api.createVersion(model.id, { type, framework: 'ONNX', ...(labels.length > 0 ? { labels: numbered(labels) } : {}) });
	await api.attachFile(version.id, { name: 'model-latest', filename: file.name, object_name });
	return api.modelVersion(version.id);
}

export interface UploadProps {
	found: readonly Found[];
	/** The name that is suggested; else the file's own. */
	name?: string;
	onClose: () => void;
	/** A version was made, whatever its state. */
	onMade: () => void;
}

export function UploadDialog({ found, name: given, onClose, onMade }: UploadProps): JSX.Element {
	const [file, setFile] = useState<File | null>(null);
	const [labels, setLabels] = useState<Labels | null>(null);
	const [name, setName] = useState(given ?? '');
	const [chosenType, setType] = useState<TaskType>('OBJECT_DETECTION');
	const [guessed, setGuessed] = useState(false);
	const [problem, setProblem] = useState<string | null>(null);
	const [stage, setStage] = useState<Stage>({ kind: 'form', error: null });
	const running = useRef<AbortController | null>(null);
	const models = useLoad('all models', (signal) => api.models(organization(), 1000, 0, signal));
	const ids = useId();

	const take = (next: readonly Found[]): void => {
		if (stage.kind === 'sending' || stage.kind === 'opening') return;
		const sorted = sortModelFiles(next);
		setProblem(sorted.problem);
		if (sorted.model) {
			setFile(sorted.model.file);
			if (!name) setName(nameOf(sorted.model.path));
			const guess = typeOfName(sorted.model.path);
			setGuessed(guess !== null);
			if (guess) setType(guess);
			setStage({ kind: 'form', error: null });
		}
		if (sorted.labels) void readLabels(sorted.labels).then(setLabels);
	};
	useEffect(() => {
		if (found.length > 0) take(found);
	}, []);
	useEffect(() => () => running.current?.abort(), []);
	const over = useDropped(take);

	const target = targetOf(name, models.data?.items ?? []);
	const type = target.type ?? chosenType;
	const arrived = (version: ModelVersion): void => {
		onMade();
		if (version.state !== 'READY') return setStage({ kind: 'refused', version });
		say('ok', `${version.origin.name}:${version.version} is ready: its recipe was found.`);
		onClose();
		return navigate(`/model/${version.origin.id}?version=${version.version}`);
	};
	const start = async (event: Event): Promise<void> => {
		event.preventDefault();
		if (!file) return setProblem('Choose an ONNX file first.');
		const controller = new AbortController();
		running.current = controller;
		try {
			arrived(await upload(file, name, type, labels?.names ?? [], models.data?.items ?? [], controller.signal, setStage));
		} catch (error) {
			setStage({ kind: 'form', error: wasCancelled(error) ? null : error });
		}
		return undefined;
	};
	/** The file is there already: only what is said of it changes. */
	const again = async (version: ModelVersion): Promise<void> => {
		setStage({ kind: 'opening' });
		const fields = labels && labels.names.length > 0 ? { labels: numbered(labels.names) } : {};
		try {
			arrived(await api.updateVersion(version.id, { type: chosenType, ...fields }));
		} catch (error) {
			setStage({ kind: 'refused', version: { ...version, state_text: sentence(error) } });
		}
	};
	const remove = async (version: ModelVersion): Promise<void> => {
		try {
			await api.deleteVersion(version.id);
			onMade();
			onClose();
		} catch (error) {
			say('bad', `Not removed. ${sentence(error)}`);
		}
	};
	const close = (): void => {
		// Escape during an upload would lose it without a word.
		if (stage.kind === 'form' || stage.kind === 'refused') onClose();
	};

	const typeField = (locked: boolean): JSX.Element => (
		<div class="field">
			<span class="field-name">Type {locked ? <span class="muted">of this model</span> : guessed && <span class="muted">guessed from the file’s name</span>}</span>
			<Segments name={`${ids}-type`} legend="Type" value={locked ? type : chosenType} choices={TYPES} disabled={locked} onChoose={(chosen) => {
				setType(chosen);
				setGuessed(false);
			}} />
		</div>
	);
	const labelsField = <LabelsField labels={labels} onFound={take} onClear={() => setLabels(null)} />;
	let body: JSX.Element;
	if (stage.kind === 'sending') {
		body = (
			<>
				<div class="dialog-text"><FileRow icon="models" name={file?.name ?? ''} note={bytes(file?.size ?? 0)} /><TransferLine transfer={stage.transfer} what={file?.name ?? 'The file'} /></div>
				<footer class="dialog-foot"><Button onClick={() => running.current?.abort()}>Cancel</Button></footer>
			</>
		);
	} else if (stage.kind === 'opening') {
		body = (
			<div class="dialog-text opening" role="status">
				<Progress share={null} label="The model is opened" />
				<p><strong>gyre opens the model</strong></p>
				<p class="muted">It reads the graph, runs it once in a process of its own, and finds the recipe. Large models take a while.</p>
			</div>
		);
	} else if (stage.kind === 'refused') {
		const { version } = stage;
		body = (
			<>
				<div class="dialog-text">
					<div class="notice bad" role="alert"><Icon name="warning" /><div><strong>Refused</strong><p>{version.state_text ?? 'The server gave no reason.'}</p></div></div>
					<p class="muted">The file is on the server. If its type or its labels were wrong, change them and let it be looked at again.</p>
					{typeField(false)}
					{labelsField}
				</div>
				<footer class="dialog-foot">
					<Button kind="quiet" icon="trash" onClick={() => remove(version)}>Remove it</Button>
					<Button onClick={onClose}>Leave it</Button>
					<Button kind="primary" onClick={() => again(version)}>Look again</Button>
				</footer>
			</>
		);
	} else {
		const told = stage.error === null ? null : explain(stage.error, '');
		body = (
			<form onSubmit={start}>
				<div class="dialog-text">
					{file
						? <FileRow icon="models" name={file.name} note={bytes(file.size)} action={<button type="button" class="bare" aria-label="Another file" onClick={() => setFile(null)}><Icon name="close" size={13} /></button>} />
						: <DropField accept=".onnx" multiple onFound={take}>Drop an ONNX file here, or <u>choose</u> it. Its labels may come along.</DropField>}
					{problem && <p class="form-error" role="alert">{problem}</p>}
					<label class="field">Model
						<input class="input" autoFocus value={name} list={`${ids}-models`} maxLength={100} autoComplete="off" placeholder="Name" onInput={(event) => setName(event.currentTarget.value)} />
						<datalist id={`${ids}-models`}>{models.data?.items.map((m) => <option key={m.id} value={m.name} />)}</datalist>
						<small class="muted">{target.words}</small>
					</label>
					{typeField(target.type !== null)}
					{labelsField}
					{told && <p class="form-error" role="alert">{told.why} {told.todo}</p>}
				</div>
				<footer class="dialog-foot">
					<Button onClick={onClose}>Cancel</Button>
					<Button type="submit" kind="primary" icon="upload" disabled={!file || !name.trim() || Boolean(labels?.problem)}>Upload</Button>
				</footer>
			</form>
		);
	}
	return <Dialog title="Upload a model" onClose={close}><div class={over ? 'upload is-over' : 'upload'}>{body}</div></Dialog>;
}
