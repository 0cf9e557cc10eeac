// SPDX-License-Identifier: Apache-2.0
// A folder into a dataset version: in portions, one after the other, with its progress and what went wrong by name.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { learn, type AnyJob, type DatasetVersion, type ImportMode, type ImportResult } from '../api/learn';
import { sendForm, wasCancelled } from '../api/send';
import { classFolders, importPortions, mergeResults } from '../lib/dataset';
import { sortLabelled, type Found } from '../lib/folder';
import { bytes, count, plural } from '../lib/format';
import { isRunning } from '../lib/jobs';
import { Button, Failure, Segments } from './basics';
import { Dialog } from './dialog';
import { ChooseButton, Progress } from './files';

const MODES: readonly (readonly [ImportMode, string])[] = [['REPLACE', 'Take the new one'], ['KEEP', 'Keep the old one'], ['CONCATENATE', 'Keep both']];

const ASK_EVERY_MS = 250;

interface Progressing {
	portion: number;
	of: number;
	/** 0…1, of this portion. */
	sent: number;
	worked: number;
	message: string;
}

const pause = (ms: number, signal: AbortSignal): Promise<void> => new Promise((done, fail) => {
	const timer = setTimeout(done, ms);
	signal.addEventListener('abort', () => {
		clearTimeout(timer);
		fail(new DOMException('Cancelled.', 'AbortError'));
	});
});

async function ended(job: AnyJob, signal: AbortSignal, tell: (job: AnyJob) => void): Promise<AnyJob> {
	let now = job;
	while (isRunning(now)) {
		await pause(ASK_EVERY_MS, signal);
		now = await learn.job(job.id, signal);
		tell(now);
	}
	return now;
}

function formOf(portion: { pictures: readonly Found[]; annotations: readonly Found[] }, mode: ImportMode, folders: boolean): FormData {
	const form = new FormData();
	form.set('mode', mode);
	if (folders) form.set('format', 'folders');
	for (const { file, path } of portion.pictures) form.append('media', file, path);
	for (const { file, path } of portion.annotations) form.append('annotations', file, path);
	return form;
}

/** What the portions so far did, also when one of them failed. */
interface Ending {
	result: ImportResult;
	error: unknown;
}

async function runImport(version: DatasetVersion, found: readonly Found[], mode: ImportMode, signal: AbortSignal, tell: (p: Progressing) => void): Promise<Ending> {
	const labelled = sortLabelled(found);
	const portions = importPortions(labelled);
	const folders = classFolders(labelled).length > 0;
	const results: ImportResult[] = [];
	for (const [i, portion] of portions.entries()) {
		let at: Progressing = { portion: i, of: portions.length, sent: 0, worked: 0, message: 'sending' };
		tell(at);
		try {
			const { job } = await sendForm<{ job: AnyJob }>(learn.importPath(version.id), formOf(portion, mode, folders), {
				signal, onProgress: (sent, total) => tell(at = { ...at, sent: total > 0 ? sent / total : 0 }),
			});
			const done = await ended(job, signal, (now) => tell(at = { ...at, sent: 1, worked: now.progress, message: now.message ?? 'reading' }));
			if (done.result) results.push(done.result as ImportResult);
			if (done.status !== 'SUCCESS') return { result: mergeResults(results), error: new Error(done.error ?? 'The import was cancelled.') };
		} catch (error) {
			return { result: mergeResults(results), error: wasCancelled(error) ? null : error };
		}
	}
	return { result: mergeResults(results), error: null };
}

const shareOf = ({ portion, of, sent, worked }: Progressing): number => (portion + 0.4 * sent + 0.6 * worked) / of;

function Chosen({ found, version }: { found: readonly Found[]; version: DatasetVersion }): JSX.Element {
	const labelled = sortLabelled(found);
	const { pictures, annotations, left, bytes: size } = labelled;
	const classes = classFolders(labelled);
	return (
		<>
			<p class="check-counts">
				<strong>{plural(pictures.length, 'picture')}</strong> <strong>{plural(annotations.length, 'annotation file')}</strong> <span class="muted">{bytes(size)}</span>
				{left.length > 0 && <span class="muted" title={left.slice(0, 20).map((f) => f.path).join('\n')}>{count(left.length)} left out</span>}
			</p>
			{classes.length > 0 && <p class="muted">Each folder is a class: {classes.slice(0, 8).join(', ')}{classes.length > 8 && ` and ${count(classes.length - 8)} more`}.</p>}
			{annotations.length === 0 && classes.length === 0 && <p class="muted">No annotations among them: the pictures come in bare, to be labelled here. COCO, Pascal VOC and YOLO files are read where they lie beside the pictures.</p>}
			{pictures.length === 0 && annotations.length > 0 && <p class="muted">No pictures among them: the annotations are put on the {plural(version.assets, 'image')} of the same name that {version.version} has.</p>}
		</>
	);
}

function Outcome({ ending }: { ending: Ending }): JSX.Element {
	const { result, error } = ending;
	const more = result.problems_left_out;
	return (
		<div class="import-outcome">
			{error !== null && <Failure error={error} what="The import stopped before its end" />}
			<dl class="numbers">
				<div><dt>New images</dt><dd>{count(result.assets_new)}</dd></div>
				<div><dt>Annotated</dt><dd>{count(result.annotated)}</dd></div>
				<div><dt>Shapes</dt><dd>{count(result.shapes)}</dd></div>
				<div><dt>New labels</dt><dd>{count(result.labels_new)}</dd></div>
			</dl>
			{result.assets_new < result.images && <p class="muted">{plural(result.images - result.assets_new, 'picture was', 'pictures were')} there already.</p>}
			{result.problems.length > 0 && (
				<details class="fold" open={result.problems.length <= 12}>
					<summary>{plural(result.problems.length + more, 'problem')}: the rest came in</summary>
					<ul>{result.problems.map((p) => <li key={p}>{p}</li>)}{more > 0 && <li>and {plural(more, 'more', 'more')}</li>}</ul>
				</details>
			)}
		</div>
	);
}

export function ImportDialog({ version, found: first, onDone, onClose }: { version: DatasetVersion; found: readonly Found[]; onDone: () => void; onClose: () => void }): JSX.Element {
	const [found, setFound] = useState(first);
	const [mode, setMode] = useState<ImportMode>('REPLACE');
	const [progress, setProgress] = useState<Progressing | null>(null);
	const [ending, setEnding] = useState<Ending | null>(null);
	const running = useRef<AbortController | null>(null);
	useEffect(() => () => running.current?.abort(), []);
	const { pictures, annotations } = sortLabelled(found);
	const usable = pictures.length + annotations.length > 0;
	const start = async (): Promise<void> => {
		const controller = new AbortController();
		running.current = controller;
		setEnding(null);
		const end = await runImport(version, found, mode, controller.signal, setProgress);
		running.current = null;
		setProgress(null);
		setEnding(end);
		onDone();
	};
	return (
		<Dialog title={`Import into ${version.origin_name} ${version.version}`} onClose={() => (progress ? undefined : onClose())}>
			<div class="dialog-text import-dialog">
				{ending ? <Outcome ending={ending} /> : progress ? (
					<div class="transfer" role="status">
						<Progress share={shareOf(progress)} label="The import" />
						<p class="muted"><span>{progress.of > 1 ? `Portion ${progress.portion + 1} of ${progress.of}: ` : ''}{progress.message}</span><span>{Math.round(100 * shareOf(progress))} %</span></p>
					</div>
				) : (
					<>
						{found.length === 0
							? <p>Choose a folder, or drop it on the page: pictures with COCO, Pascal VOC or YOLO annotations, or bare pictures to be labelled here.</p>
							: <Chosen found={found} version={version} />}
						<div class="row-actions">
							<ChooseButton icon="folder" folder kind={usable ? 'quiet' : 'primary'} onFound={setFound}>{usable ? 'Another folder' : 'Choose a folder'}</ChooseButton>
							<ChooseButton multiple kind="quiet" onFound={(more) => setFound([...found, ...more])}>{usable ? 'Add files' : 'Choose files'}</ChooseButton>
						</div>
						{version.annotated > 0 && annotations.length > 0 && (
							<div class="field"><span class="field-name">Where an image has an annotation already</span><Segments name="import-mode" legend="Where an image has an annotation already" value={mode} choices={MODES} onChoose={setMode} /></div>
						)}
					</>
				)}
			</div>
			<footer class="dialog-foot">
				{ending ? <Button kind="primary" onClick={onClose}>Done</Button> : (
					<>
						<Button onClick={() => (progress ? running.current?.abort() : onClose())}>{progress ? 'Stop' : 'Cancel'}</Button>
						{!progress && <Button kind="primary" icon="upload" disabled={!usable} onClick={start}>{pictures.length > 0 ? `Import ${plural(pictures.length, 'picture')}` : 'Import'}</Button>}
					</>
				)}
			</footer>
		</Dialog>
	);
}
