// SPDX-License-Identifier: Apache-2.0
// Check: labelled pictures in, every plausible recipe run on them, the ranking out.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, type CheckJob } from '../api/client';
import { sendForm, wasCancelled } from '../api/send';
import type { CheckResult, CheckRow, ModelVersion, Recipe } from '../api/types';
import { sentence } from '../lib/explain';
import { sortLabelled, whyNotCheck, type Found, type Labelled } from '../lib/folder';
import { bytes, count, plural } from '../lib/format';
import { changeChips } from '../lib/recipe';
import { noTransfer, transferred, type Transfer } from '../lib/transfer';
import { Button, Failure } from './basics';
import { Chips } from './chips';
import { ConfirmRecipe } from './confirm_recipe';
import { ChooseButton, Progress, TransferLine } from './files';
import { useLive, useLoad } from './hooks';
import { say } from './toasts';

const SHOWN = 8;

/** A result outlives the visit to another page: by version, for this tab. */
const remembered = {
	key: (versionId: string): string => `gyre-check-${versionId}`,
	get: (versionId: string): string | null => sessionStorage.getItem(remembered.key(versionId)),
	set: (versionId: string, job: string | null): void =>
		job ? sessionStorage.setItem(remembered.key(versionId), job) : sessionStorage.removeItem(remembered.key(versionId)),
};

interface Acting {
	version: ModelVersion;
	recipe: Recipe;
	onSaved: (version: ModelVersion) => void;
	onConfirmed: (version: ModelVersion) => void;
}

const points = (value: number): string => (100 * value).toFixed(1);

const METRICS: Record<CheckResult['metric'], { name: string; column: string; help: string; counted: string }> = {
	AP: { name: 'AP', column: 'AP', help: 'Average precision over IoU 0.50 to 0.95, in percent.', counted: 'labelled shape' },
	accuracy: { name: 'accuracy', column: 'Accuracy', help: 'Share of pictures whose best class is right, in percent.', counted: 'label' },
	IoU: { name: 'IoU', column: 'IoU', help: 'Overlap of the regions with the labelled ones, in percent.', counted: 'labelled shape' },
};

function Verdict({ result, recipe }: { result: CheckResult; recipe: Recipe }): JSX.Element | null {
	const [best] = result.rows;
	const now = result.rows.find((row) => row.current);
	if (!best) return null;
	const { name } = METRICS[result.metric];
	if (best.current) return <p><strong class="ok-text">The recipe of now ranks first</strong>, with {name} {points(best.value)}.</p>;
	return (
		<p>
			<strong class="warn-text">{now?.value === best.value ? 'Another recipe is as often right, and surer:' : 'Another recipe does better:'}</strong>{' '}
			<Chips chips={changeChips(best.changed, recipe)} /> {name} {points(best.value)}{now && `, ${points(now.value)} now`}.
		</p>
	);
}

function Row({ row, rank, top, result, acting, busy, use }: {
	row: CheckRow;
	rank: number;
	top: number;
	result: CheckResult;
	acting: Acting;
	busy: boolean;
	use: () => void;
}): JSX.Element {
	const chips = changeChips(row.changed, acting.recipe);
	return (
		<tr class={row.current ? 'is-current' : undefined}>
			<td class="number muted">{rank}</td>
			<th scope="row">{row.current && <span class="badge given">now</span>} {chips.length > 0 ? <Chips chips={chips} /> : <span class="muted">{row.current ? 'as it is' : 'the same'}</span>}</th>
			<td class="number" title={row.pictures < result.pictures ? `Given up after ${plural(row.pictures, 'picture')}.` : undefined}><span class="rank-value">{points(row.value)}</span><span class="score-bar" aria-hidden="true"><i style={{ width: `${top > 0 ? (row.value / top) * 100 : 0}%` }} /></span></td>
			{result.metric === 'AP' && <td class="number">{row.value50 === null ? '–' : points(row.value50)}</td>}
			<td class="action">{!row.current && <Button kind={rank === 1 ? 'primary' : 'plain'} busy={busy} onClick={use}>Use this recipe</Button>}</td>
		</tr>
	);
}

function Names({ title, names }: { title: string; names: readonly string[] }): JSX.Element | null {
	if (names.length === 0) return null;
	return <details class="fold"><summary>{title}</summary><ul>{names.map((name, i) => <li key={i}>{name}</li>)}</ul></details>;
}

function Result({ result, acting }: { result: CheckResult; acting: Acting }): JSX.Element {
	const [all, setAll] = useState(false);
	const [saving, setSaving] = useState<number | null>(null);
	const { version, recipe, onSaved, onConfirmed } = acting;
	const use = async (row: CheckRow, i: number): Promise<void> => {
		setSaving(i);
		try {
			onSaved(await api.changeRecipe(version.id, row.changed));
		} catch (error) {
			say('bad', `Not saved. ${sentence(error)}`);
		}
		setSaving(null);
	};
	const top = result.rows[0]?.value ?? 0;
	const metric = METRICS[result.metric];
	return (
		<div class="check-result">
			<Verdict result={result} recipe={recipe} />
			{result.rows[0]?.current && <ConfirmRecipe version={version} action="Confirm this recipe" onConfirmed={onConfirmed} />}
			<p class="muted">
				{plural(result.pictures, 'picture')}, {plural(result.labelled_shapes, metric.counted)}, {plural(result.matched_labels.length, 'label')} known to the model
			</p>
			<div class="table-scroll">
				<table class="table ranking">
					<thead>
						<tr>
							<th scope="col" class="number">Rank</th><th scope="col">What differs from now</th>
							<th scope="col" class="number" title={metric.help}>{metric.column}</th>
							{result.metric === 'AP' && <th scope="col" class="number" title="Average precision at IoU 0.50, in percent.">AP50</th>}
							<th scope="col"><span class="unseen">Action</span></th>
						</tr>
					</thead>
					<tbody>
						{(all ? result.rows : result.rows.filter((row, i) => i < SHOWN || row.current)).map((row) => {
							const rank = result.rows.indexOf(row) + 1;
							return <Row key={rank} row={row} rank={rank} top={top} result={result} acting={acting} busy={saving === rank} use={() => use(row, rank)} />;
						})}
					</tbody>
				</table>
			</div>
			{result.rows.length > SHOWN && <Button kind="quiet" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Fewer' : `All ${result.rows.length} recipes`}</Button>}
			<Names title={`${plural(result.problems.length, 'problem')} with the labels`} names={result.problems} />
			<Names title={`${plural(result.unmatched_labels.length, 'label')} that the model does not know`} names={result.unmatched_labels} />
		</div>
	);
}

/** Follows a job that runs; mounted only as long as it does. */
function Following({ job, onJob }: { job: CheckJob; onJob: (job: CheckJob) => void }): JSX.Element {
	const [stopping, setStopping] = useState(false);
	useLive(api.jobEvents(job.id), {
		events: { job: (data) => onJob(data as CheckJob) },
		onMissed: () => void api.job(job.id).then(onJob, () => undefined),
	});
	const cancel = async (): Promise<void> => {
		setStopping(true);
		try {
			onJob(await api.cancelJob(job.id));
		} catch (error) {
			say('bad', `Not cancelled. ${sentence(error)}`);
			setStopping(false);
		}
	};
	return (
		<div class="transfer" role="status">
			<Progress share={job.progress} label="The check" />
			<p class="muted"><span>{job.message || 'The pictures are read.'}</span><Button kind="quiet" busy={stopping} onClick={cancel}>Cancel</Button></p>
		</div>
	);
}

function Chosen({ labelled, onStart, onClear, onMore }: {
	labelled: Labelled;
	onStart: () => void;
	onClear: () => void;
	onMore: (found: readonly Found[]) => void;
}): JSX.Element {
	const why = whyNotCheck(labelled);
	const { pictures, annotations, left } = labelled;
	return (
		<>
			<p class="check-counts">
				<strong>{plural(pictures.length, 'picture')}</strong> <strong>{plural(annotations.length, 'annotation file')}</strong> <span class="muted">{bytes(labelled.bytes)}</span>
				{left.length > 0 && <span class="muted" title={left.slice(0, 20).map((f) => f.path).join('\n')}>{count(left.length)} left out</span>}
			</p>
			{why && <p class="form-error">{why}</p>}
			<div class="row-actions">
				<Button kind="primary" disabled={why !== null} onClick={onStart}>{`Check with ${plural(pictures.length, 'picture')}`}</Button>
				<ChooseButton multiple onFound={onMore}>Add files</ChooseButton>
				<Button kind="quiet" onClick={onClear}>Clear</Button>
			</div>
		</>
	);
}

function formOf({ pictures, annotations }: Labelled): FormData {
	const form = new FormData();
	for (const { file, path } of pictures) form.append('media', file, path);
	for (const { file, path } of annotations) form.append('annotations', file, path);
	return form;
}

export function CheckPanel({ found, onFound, ...acting }: Acting & { found: readonly Found[]; onFound: (found: readonly Found[]) => void }): JSX.Element {
	const { version } = acting;
	const [jobId, setJobId] = useState(() => remembered.get(version.id));
	const [transfer, setTransfer] = useState<Transfer | null>(null);
	const [error, setError] = useState<unknown>(null);
	const sending = useRef<AbortController | null>(null);
	const load = useLoad<CheckJob | null>(`check ${jobId}`, (signal) => (jobId ? api.job(jobId, signal) : Promise.resolve(null)));
	useEffect(() => () => sending.current?.abort(), []);
	const job = load.data ?? null;
	const labelled = sortLabelled(found);

	const follow = (next: CheckJob | null): void => {
		remembered.set(version.id, next?.id ?? null);
		setJobId(next?.id ?? null);
		if (next) load.set(next);
	};
	const start = async (): Promise<void> => {
		const controller = new AbortController();
		sending.current = controller;
		let state = noTransfer(labelled.bytes, performance.now());
		setTransfer(state);
		setError(null);
		try {
			const answer = await sendForm<{ job: CheckJob }>(api.checkPath(version.id), formOf(labelled), {
				signal: controller.signal,
				onProgress: (sent, total) => setTransfer(state = transferred(state, sent, total, performance.now())),
			});
			follow(answer.job);
			onFound([]);
		} catch (failure) {
			if (!wasCancelled(failure)) setError(failure);
		}
		setTransfer(null);
	};

	const failed = job && (job.status === 'FAILED' || job.status === 'TERMINATED');
	return (
		<section class="panel padded check-panel" aria-label="Check" id="check">
			<h2>Check</h2>
			<p class="muted">From 20 or more labelled pictures every plausible recipe is run and ranked. COCO, VOC and YOLO annotations are read, or a folder for each class.</p>
			{error !== null && <Failure error={error} what="The check did not start" />}
			{load.error !== null && jobId && <Failure error={load.error} what="The check could not be read" onRetry={load.reload} />}
			{failed && <p class="form-error" role="alert">{job.status === 'TERMINATED' ? 'The check was cancelled.' : job.error ?? 'The check failed.'}</p>}
			{transfer && (
				<div class="check-sending"><TransferLine transfer={transfer} what="The set of pictures" /><Button kind="quiet" onClick={() => sending.current?.abort()}>Cancel</Button></div>
			)}
			{!transfer && job?.status === 'RUNNING' && <Following key={job.id} job={job} onJob={load.set} />}
			{!transfer && found.length > 0 && <Chosen labelled={labelled} onStart={start} onClear={() => onFound([])} onMore={(more) => onFound([...found, ...more])} />}
			{!transfer && job?.status === 'SUCCESS' && job.result && found.length === 0 && <Result result={job.result} acting={acting} />}
			{!transfer && job?.status !== 'RUNNING' && found.length === 0 && (
				<div class="row-actions">
					<ChooseButton icon="folder" folder onFound={onFound}>{job ? 'Check another folder' : 'Choose a folder'}</ChooseButton>
					<ChooseButton multiple onFound={onFound}>Choose files</ChooseButton>
					<span class="muted">or drop them anywhere on this page</span>
				</div>
			)}
		</section>
	);
}
