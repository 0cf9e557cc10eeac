// SPDX-License-Identifier: Apache-2.0
// The annotator on the assets of a dataset version: a folder of bare pictures gets its labels here.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PageCommand } from '../annotator/keys';
import { Pictures } from '../annotator/picture';
import { TASK_MODES } from '../annotator/modes';
import type { State } from '../annotator/state';
import type { LooseShape } from '../annotator/wire';
import { ownPath } from '../api/client';
import { reviewApi, type DatasetVersionFacts } from '../api/review';
import { session as signedIn } from '../api/session';
import { count } from '../lib/format';
import { AssetSession, type AssetItem } from '../parts/annotator_assets';
import { Frame, SavedState, Strip, useWatch } from '../parts/annotator_frame';
import { fetchShown, useAnnotator } from '../parts/annotator_hook';
import { outboxOf, outboxReady } from '../parts/annotator_outbox';
import { findLabel, GuideDialog, Key, Labels, LightPanel, PLAIN, ShapeRows, ToolButtons, type Light } from '../parts/annotator_panels';
import { Button, Failure } from '../parts/basics';
import { useLoad, useStore, useTitle } from '../parts/hooks';
import { Icon } from '../parts/icons';
import { ProblemDialog } from '../parts/review_dialogs';
import { say } from '../parts/toasts';
import { place } from '../router';
import '../style/annotator.css';

function Annotate({ version, known, first }: { version: DatasetVersionFacts; known: readonly string[]; first: string | null }): JSX.Element {
	const outbox = outboxOf(signedIn.get()?.user.id ?? '');
	const [labelling] = useState(() => new AssetSession({ version: version.id, outbox, first }));
	const [, drawThumbs] = useState({});
	const [pictures] = useState(() => new Pictures(() => drawThumbs({})));
	const [added, setAdded] = useState<readonly string[]>([]);
	const view = useStore(labelling.view);
	const saved = useStore(outbox.status);
	const item = view.items[view.at];
	const asset = item?.asset;
	const [light, setLight] = useState<Light>(PLAIN);
	const [open, setOpen] = useState<'guide' | 'light' | 'problem' | null>(null);
	const [broken, setBroken] = useState<string | null>(null);
	const [loading, setLoading] = useState(false);
	const watch = useWatch(() => undefined);
	const shown = useRef<string | null>(null);
	const task = TASK_MODES[version.type] ? version.type : 'OBJECT_DETECTION';
	const labels = useMemo(() => [...known, ...added.filter((label) => !known.includes(label))], [known, added]);

	const command = (what: PageCommand | 'undo' | 'cancel'): boolean => {
		const { annotator } = tool;
		if (what === 'help') setOpen('guide');
		if (what === 'back' || what === 'undo') labelling.move(-1);
		if (!annotator || !item) return true;
		if (what === 'cancel') document.querySelector<HTMLButtonElement>('.tool-foot .button:not(:disabled)')?.focus();
		if (what === 'nothing' && annotator.state.marks.length > 0) annotator.dispatch({ do: 'replace', marks: [] });
		if ((what === 'accept' && annotator.state.gesture === null) || what === 'nothing') {
			if (version.locked) labelling.move(1);
			else labelling.accept(annotator.state, watch.seconds());
		}
		if (what === 'forward' && view.at + 1 < view.items.length) labelling.move(1);
		if (what === 'copy') {
			const before = view.items[view.at - 1]?.state.marks ?? [];
			if (before.length === 0) say('bad', 'There are no shapes on the picture before.');
			else annotator.dispatch({ do: 'paste', marks: before });
		}
		if (what === 'find') findLabel();
		if (what === 'look') setOpen(open === 'light' ? null : 'light');
		return true;
	};
	const onMarks = (state: State): void => {
		if (!asset || shown.current !== asset.id) return;
		if (version.locked) {
			say('bad', 'This version is locked: its pictures and labels stay as they are. Fork it to go on.');
			shown.current = null;
			tool.annotator?.dispatch({ do: 'undo' });
			shown.current = asset.id;
		} else if (task !== 'CLASSIFICATION' && labels.length === 0 && state.marks.some((m) => m.label === '')) {
			say('bad', 'Name a label first: type it into the field at the left (L).');
			shown.current = null;
			tool.annotator?.dispatch({ do: 'undo' });
			shown.current = asset.id;
			findLabel();
		} else {
			labelling.changed(asset.id, state);
		}
	};
	const tool = useAnnotator({ labels, from: 0, onMarks, onPage: command });

	useEffect(() => {
		void outboxReady().then(() => labelling.start());
		return () => pictures.close();
	}, []);
	useLayoutEffect(() => {
		const { annotator } = tool;
		if (!annotator || !item || !asset) {
			shown.current = null;
			return undefined;
		}
		const wanted = (i: AssetItem): { key: string; url: string; pixels: number } =>
			({ key: i.asset.id, url: ownPath(i.asset.data.presigned_url), pixels: i.asset.data.meta.width * i.asset.data.meta.height });
		pictures.want([...view.items.slice(view.at, view.at + 9), ...view.items.slice(Math.max(0, view.at - 1), view.at)].map(wanted));
		if (shown.current === asset.id) return undefined;
		shown.current = asset.id;
		const before = annotator.state;
		const mode = task === 'CLASSIFICATION' ? 'class' : before.picture.width === 1 ? 'box' : before.mode;
		annotator.show(asset.id, pictures.peek(asset.id), { ...item.state, mode, label: before.label || labels[0] || '', gesture: null, pointer: before.pointer, selected: null });
		annotator.dispatch({ do: 'select', id: null });
		watch.restart();
		setBroken(null);
		if (pictures.peek(asset.id)) return setLoading(false);
		setLoading(true);
		const { key, url } = wanted(item);
		return fetchShown(annotator, key, () => pictures.get(key, url), shown, (why) => {
			setLoading(false);
			setBroken(why);
		});
	}, [tool.annotator, asset?.id, view.items.length, view.at]);
	useTitle(`Annotate ${version.origin_name}`);

	const state = tool.state;
	const problem = saved.problems[0];
	const resolve = (choice: 'mine' | 'theirs'): void => {
		if (!problem) return;
		outbox.resolve(problem, choice);
		setOpen(null);
		const { theirs, operation } = problem;
		if (choice === 'mine' || !theirs) return;
		labelling.replace(operation.asset, theirs.shapes as LooseShape[]);
		const again = labelling.view.get().items.find((i) => i.asset.id === operation.asset);
		if (again && shown.current === operation.asset && tool.annotator) {
			tool.annotator.show(operation.asset, pictures.peek(operation.asset), { ...again.state, mode: tool.annotator.state.mode, label: tool.annotator.state.label });
			tool.annotator.dispatch({ do: 'select', id: null });
		}
	};
	const ended = !item && view.ended && view.error === null;
	const back = `/dataset/version/${version.id}`;
	const button = (what: PageCommand, text: ComponentChildren, key: string, kind = '', disabled = false): JSX.Element => (
		<button type="button" class={`button ${kind}`} disabled={disabled} onClick={() => command(what)}><span>{text}</span><Key>{key}</Key></button>
	);
	return (
		<div class={`review${ended ? ' has-ended' : ''}${task === 'CLASSIFICATION' ? ' of-classes' : ''}`}>
			<Frame tool={tool} label={asset ? `The picture ${asset.data.filename}` : 'No picture'} light={light} broken={item ? broken : null} loading={(item !== undefined && loading) || (!item && !ended && view.error === null)}
				bar={(
					<>
						<a class="tool-back" href={back}><Icon name="left" /><span>{version.origin_name} · {version.version}</span></a>
						<h1 class="unseen">Annotate {version.origin_name}, {version.version}</h1>
						{item && (
							<>
								<p class="tool-position"><strong>Picture {count(view.at + 1)}{view.total > 0 ? ` of ${count(view.total)}` : ''}</strong><span>{count(Math.max(0, view.unlabelled - view.done))} without a label</span></p>
								<p class="tool-facts">
									<span class="tool-file" title={item.asset.data.filename}>{item.asset.data.filename}</span>
									{item.asset.evaluation && <span class="badge given" title="It is never trained on">evaluation only</span>}
									{item.status !== 'waiting' && <span class={`badge is-${item.status}`}>{item.status === 'accepted' ? 'done' : 'begun'}</span>}
								</p>
							</>
						)}
						<div class="tool-state">
							<SavedState status={saved} onProblems={() => setOpen('problem')} />
							<button type="button" class="bare" aria-label="Brightness and contrast" aria-expanded={open === 'light'} title="Brightness and contrast (I)" onClick={() => command('look')}><Icon name="sun" /></button>
							<button type="button" class="bare" aria-label="Guide and keys" title="Guide and keys (?)" onClick={() => setOpen('guide')}><strong aria-hidden="true">?</strong></button>
						</div>
					</>
				)}
				left={(
					<>
						<ToolButtons tool={tool} task={task} />
						<Labels tool={tool} labels={labels} onNew={version.locked ? null : (name) => {
							setAdded([...added, name]);
							tool.annotator?.dispatch({ do: 'label', label: name });
						}} />
					</>
				)}
				right={item && state && task !== 'CLASSIFICATION' && <ShapeRows tool={tool} state={state} />}
				foot={<div class="decisions">{button('back', 'Back', ',', '', view.at === 0)}{button('forward', 'Later', '.')}{button('nothing', 'Nothing here', 'n', '', version.locked)}{button('accept', version.locked ? 'Next' : <>Done<span class="wide"> and next</span></>, 'Space', 'primary')}</div>}
				strip={<Strip items={view.items.map((i) => ({ id: i.asset.id, name: i.asset.data.filename, status: i.status }))} at={view.at} pictures={pictures} onGo={(at) => labelling.go(at)} />}>
				{version.locked && <p class="tool-note">This version is locked. Fork it to change its labels.</p>}
				{state?.mode === 'class' && <p class="class-now">{state.marks.map((m) => m.label).join(', ') || 'No class chosen'}</p>}
				{open === 'light' && <LightPanel light={light} onChange={setLight} />}
				{!item && view.error !== null && <div class="tool-over"><Failure error={view.error} what="No more pictures could be fetched" onRetry={() => labelling.start()} /></div>}
			</Frame>
			{ended && (
				<section class="review-end" role="status">
					<h2>{view.items.length === 0 ? 'This version has no pictures yet.' : `That was the last picture: ${count(view.done)} done now.`}</h2>
					<p class="row-actions">
						<a class="button primary" href={back}>Back to {version.origin_name} · {version.version}</a>
						{view.items.length > 0 && <Button kind="quiet" onClick={() => labelling.move(-1)}>The last picture again</Button>}
					</p>
				</section>
			)}
			{open === 'guide' && <GuideDialog guide={null} onClose={() => setOpen(null)} />}
			{open === 'problem' && problem && (
				<ProblemDialog key={problem.operation.id} problem={problem} more={saved.problems.length - 1} labels={labels}
					picture={view.items.find((i) => i.asset.id === problem.operation.asset)?.asset.data ?? null} onChoose={resolve} onClose={() => setOpen(null)} />
			)}
		</div>
	);
}

export function AnnotatePage({ id }: { id: string }): JSX.Element {
	const first = useStore(place).query.get('asset');
	const version = useLoad(`annotate version ${id}`, (signal) => reviewApi.datasetVersion(id, signal));
	const labels = useLoad(`annotate labels ${id}`, (signal) => reviewApi.labels(id, signal));
	const error = version.error ?? labels.error;
	if (error !== null) return <Failure error={error} what="This dataset version could not be read" onRetry={() => {
		version.reload();
		labels.reload();
	}} />;
	if (!version.data || !labels.data) return <div class="alone" aria-busy="true"><span class="spinner large" role="status" aria-label="Loading" /></div>;
	return <Annotate key={first ?? ''} version={version.data} known={labels.data.items.map((l) => l.name)} first={first} />;
}
