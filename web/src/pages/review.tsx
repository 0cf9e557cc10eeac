// SPDX-License-Identifier: Apache-2.0
// The review tool: one picture after the other, what the model said on it, and what a person says.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PageCommand } from '../annotator/keys';
import { Pictures } from '../annotator/picture';
import type { State, Whose } from '../annotator/state';
import { wire } from '../annotator/wire';
import { ownPath } from '../api/client';
import { deploymentToReview, qualityOf, reviewApi, type Interval, type Queue } from '../api/review';
import { session as signedIn } from '../api/session';
import type { Deployment, Shape } from '../api/types';
import { sentence } from '../lib/explain';
import { championPrediction, shadowPredictions } from '../lib/shapes';
import { count } from '../lib/format';
import { fetchShown, useAnnotator } from '../parts/annotator_hook';
import { Frame, SavedState, Strip, useWatch } from '../parts/annotator_frame';
import { outboxOf, outboxReady, tab } from '../parts/annotator_outbox';
import { findLabel, GuideDialog, Key, Labels, LightPanel, PLAIN, ScoreSlider, ShapeRows, ToolButtons, WHOSE, WhoseSwitch, type Light } from '../parts/annotator_panels';
import { Failure, Time } from '../parts/basics';
import { useLoad, useStore, useTitle } from '../parts/hooks';
import { Icon } from '../parts/icons';
import { ProblemDialog, SkipDialog } from '../parts/review_dialogs';
import { ReviewEnd } from '../parts/review_end';
import { itemOf, ReviewSession, thresholdOf, type Item, type Reading } from '../parts/review_session';
import { say } from '../parts/toasts';
import { place } from '../router';
import '../style/annotator.css';

const WHY: Record<string, string> = {
	random: 'Random', unsure: 'Unsure', outlier: 'Outlier', newest: 'Newest', hand: 'Chosen by hand', disagree: 'Versions disagree',
};
const WHY_LONG: Record<string, string> = {
	random: 'Drawn at random: such pictures keep the estimate of quality honest.', unsure: 'The model was not sure of what it saw.',
	outlier: 'It looks unlike the other pictures.', newest: 'It came in last.', hand: 'Somebody chose it.', disagree: 'Champion and shadow answered differently.',
};

function requestedIds(query: URLSearchParams): string[] | null {
	const ids = [...(query.get('ids') ?? '').split(','), query.get('asset') ?? ''].map((id) => id.trim()).filter(Boolean);
	return ids.length > 0 ? ids : null;
}

/** "": of the newest shadow; null: what the queue chose. */
const requestedSample = (query: URLSearchParams): string | null => (query.get('queue') === 'disagreements' ? query.get('version') ?? '' : null);

/** What a shadow is surest of: the one that is asked about, or the newest. */
function shadowClass(asset: Item['asset'], version: string | null): string | null {
	const all = shadowPredictions(asset);
	const shapes = (all.find((p) => p.model_version_id === version) ?? all[0])?.shapes ?? [];
	return shapes.reduce<Shape | null>((best, s) => (best === null || s.score > best.score ? s : best), null)?.label ?? null;
}

function Facts({ item, position, left, mine, sampled }: { item: Item; position: string; left: number; mine: number; sampled: boolean }): JSX.Element {
	const { asset } = item;
	const { source } = asset;
	const why = sampled ? 'disagree' : asset.chosen?.why;
	return (
		<>
			<p class="tool-position"><strong>{position}</strong><span>{count(left)} left</span><span>{count(mine)} today</span></p>
			<p class="tool-facts">
				<span class="tool-file" title={asset.data.filename}>{asset.data.filename}</span>
				{source && <span>{source}</span>}
				<Time at={asset.created_at} />
				{why && <span class="badge given" title={WHY_LONG[why] ?? `Chosen because: ${why}`}>{WHY[why] ?? why}</span>}
				{item.status !== 'waiting' && <span class={`badge is-${item.status}`}>{item.status}</span>}
			</p>
		</>
	);
}

function Foot({ canBack, submitted, changed, onDo }: { canBack: boolean; submitted: boolean; changed: boolean; onDo: (command: PageCommand) => void }): JSX.Element {
	const button = (command: PageCommand, text: ComponentChildren, key: string, kind = '', disabled = false): JSX.Element => (
		<button type="button" class={`button ${kind}`} disabled={disabled} onClick={() => onDo(command)}><span>{text}</span><Key>{key}</Key></button>
	);
	return (
		<div class="decisions">
			{button('back', 'Back', ',', '', !canBack)}
			{button('skip', 'Skip', 's', '', submitted)}
			{button('nothing', 'Nothing here', 'n', '', submitted)}
			{button('accept', submitted ? 'Next' : <>{changed ? 'Save' : 'Accept'}<span class="wide"> and next</span></>, 'Space', 'primary')}
		</div>
	);
}

function Review({ deployment, queue, quality, ids, sample }: { deployment: Deployment; queue: Queue | null; quality: Interval | null; ids: readonly string[] | null; sample: string | null }): JSX.Element {
	const labelsShown = queue?.settings.labels_shown ?? null;
	const reading = useMemo((): Reading => ({ task: deployment.type, threshold: deployment.min_threshold, labels: labelsShown, both: sample !== null }), [deployment]);
	const outbox = outboxOf(signedIn.get()?.user.id ?? '');
	const [sitting] = useState(() => new ReviewSession({
		deployment: deployment.id, reading, outbox, tab, ids, sample,
		onLost: (name) => say('bad', `${name} was given to somebody else: nothing had been done to it for five minutes.`),
	}));
	const [, drawThumbs] = useState({});
	const [pictures] = useState(() => new Pictures(() => drawThumbs({})));
	const [added, setAdded] = useState<readonly string[]>([]);
	const view = useStore(sitting.view);
	const saved = useStore(outbox.status);
	const item = view.items[view.at];
	const asset = item?.asset;
	const threshold = asset ? thresholdOf(asset, deployment.min_threshold) : deployment.min_threshold;
	const [from, setFrom] = useState<number | null>(null);
	const shownFrom = from ?? Math.max(0.01, Math.round(threshold * 50) / 100);
	const [light, setLight] = useState<Light>(PLAIN);
	const [open, setOpen] = useState<'guide' | 'skip' | 'light' | 'problem' | null>(null);
	const [broken, setBroken] = useState<string | null>(null);
	const [loading, setLoading] = useState(false);
	const watch = useWatch(() => sitting.active());
	const shown = useRef<string | null>(null);

	const labels = useMemo(() => {
		const known = labelsShown ?? deployment.labels;
		const more = new Set([...view.items.flatMap((i) => i.state?.marks.map((m) => m.label) ?? []), ...added]);
		return [...known, ...[...more].filter((label) => !known.includes(label))];
	}, [deployment, view.items.length, added]);

	const command = (what: PageCommand | 'undo' | 'cancel'): boolean => {
		const annotator = tool.annotator;
		const state = annotator?.state;
		if (what === 'undo') return sitting.takeBack() || true;
		if (what === 'help') setOpen('guide');
		if (what === 'back') sitting.move(-1);
		if (!annotator || !state || !item) return true;
		const spent = { seconds: watch.seconds(), inputs: annotator.inputs + 1 };
		if (what === 'cancel') document.querySelector<HTMLButtonElement>('.tool-foot .button:not(:disabled)')?.focus();
		if (what === 'accept' && state.gesture === null) {
			if (item.status === 'submitted') sitting.move(1);
			else sitting.accept(state, spent);
		}
		if (what === 'nothing' && item.status !== 'submitted') {
			if (state.marks.length > 0) annotator.dispatch({ do: 'replace', marks: [] });
			sitting.accept(annotator.state, spent);
		}
		if (what === 'skip' && item.status !== 'submitted') setOpen('skip');
		if (what === 'forward' && view.at + 1 < view.items.length) sitting.move(1);
		if (what === 'copy') {
			const before = view.items[view.at - 1]?.state?.marks ?? [];
			if (before.length === 0) say('bad', 'There are no shapes on the picture before.');
			else annotator.dispatch({ do: 'paste', marks: before });
		}
		if (what === 'find') findLabel();
		if (what === 'lower' || what === 'higher') setFrom(Math.min(0.99, Math.max(0.01, Math.round((shownFrom + (what === 'lower' ? -0.05 : 0.05)) * 100) / 100)));
		if (what === 'whose') annotator.dispatch({ do: 'look', whose: WHOSE[(WHOSE.indexOf(state.whose) + 1) % WHOSE.length] ?? 'champion' });
		if (what === 'look') setOpen(open === 'light' ? null : 'light');
		return true;
	};
	const onMarks = (state: State): void => {
		if (!asset || !item) return;
		if (item.status === 'submitted') {
			say('bad', 'This picture was submitted to its datasets. Withdraw it first, then change it.');
			tool.annotator?.dispatch({ do: 'undo' });
		} else if (shown.current === asset.id) {
			sitting.changed(asset.id, state);
		}
	};
	const tool = useAnnotator({ labels, from: shownFrom, onMarks, onPage: command });

	useEffect(() => {
		const giveBack = (): void => sitting.giveBack();
		void outboxReady().then(() => sitting.start());
		addEventListener('pagehide', giveBack);
		return () => {
			removeEventListener('pagehide', giveBack);
			sitting.close();
			pictures.close();
		};
	}, []);
	useLayoutEffect(() => {
		const { annotator } = tool;
		if (!annotator || !item?.state || !asset) return undefined;
		const pixels = (i: Item): number => i.asset.data.meta.width * i.asset.data.meta.height;
		const near = [...view.items.slice(view.at, view.at + 9), ...view.items.slice(Math.max(0, view.at - 1), view.at)];
		pictures.want(near.map((i) => ({ key: i.asset.id, url: ownPath(i.asset.data.presigned_url), pixels: pixels(i) })));
		if (shown.current === asset.id) return undefined;
		shown.current = asset.id;
		const before = annotator.state;
		const mode = deployment.type === 'CLASSIFICATION' ? 'class' : before.mode === 'class' ? 'select' : before.mode;
		const whose: Whose = shadowPredictions(asset).length > 0 ? item.state.whose : 'champion';
		annotator.show(asset.id, pictures.peek(asset.id), { ...item.state, mode, whose, label: before.label || labels[0] || '', from: shownFrom, gesture: null, pointer: before.pointer, selected: null });
		annotator.dispatch({ do: 'select', id: null });
		watch.restart();
		setBroken(null);
		if (pictures.peek(asset.id)) return setLoading(false);
		setLoading(true);
		return fetchShown(annotator, asset.id, () => pictures.get(asset.id, ownPath(asset.data.presigned_url)), shown, (why) => {
			setLoading(false);
			setBroken(why);
		});
	}, [tool.annotator, asset?.id, view.items.length, view.at]);
	useEffect(() => tool.annotator?.dispatch({ do: 'look', from: shownFrom }), [shownFrom]);
	useEffect(() => {
		if (!item) shown.current = null;
	}, [item]);
	useTitle(`Review ${deployment.name}`);

	const state = tool.state;
	const problem = saved.problems[0];
	const resolve = (choice: 'mine' | 'theirs'): void => {
		if (!problem) return;
		outbox.resolve(problem, choice);
		setOpen(null);
		if (choice === 'theirs') {
			// As the server has it now, with nothing of ours.
			reviewApi.asset(problem.operation.asset).then((fresh) => {
				sitting.replace(fresh);
				if (shown.current === fresh.id && tool.annotator) {
					const again = itemOf(fresh, reading, null).state;
					if (again) tool.annotator.show(fresh.id, pictures.peek(fresh.id), { ...again, mode: tool.annotator.state.mode, label: tool.annotator.state.label, from: shownFrom });
					tool.annotator.dispatch({ do: 'select', id: null });
				}
			}, (error: unknown) => say('bad', sentence(error)));
		}
	};
	const conflicted = problem ? view.items.find((i) => i.asset.id === problem.operation.asset)?.asset.data ?? null : null;
	const ended = !item && view.ended && view.error === null;
	const unchanged = !state || !item || JSON.stringify(wire(state.marks)) === JSON.stringify(item.answered);
	const scores = deployment.type === 'CLASSIFICATION' && asset ? new Map((championPrediction(asset)?.shapes ?? []).map((s) => [s.label, s.score])) : undefined;
	// A class is no shape that could be drawn beside another: what the shadow says stands at its label.
	const shadow = deployment.type === 'CLASSIFICATION' && asset && state && state.whose !== 'champion' ? shadowClass(asset, sample) : null;
	const back = signedIn.get()?.role === 'REVIEWER' ? '/' : ids ? `/deployment/${deployment.id}/predictions` : `/deployment/${deployment.id}`;

	return (
		<div class={`review${ended ? ' has-ended' : ''}${deployment.type === 'CLASSIFICATION' ? ' of-classes' : ''}`}>
			<Frame tool={tool} label={asset ? `The picture ${asset.data.filename}` : 'No picture'} light={light} broken={item ? broken : null} loading={(item !== undefined && loading) || (!item && !ended && view.error === null)}
				bar={(
					<>
						<a class="tool-back" href={back}><Icon name="left" /><span>{deployment.name}</span></a>
						<h1 class="unseen">Review of {deployment.name}</h1>
						{item && <Facts item={item} position={ids ? `${view.at + 1} of ${ids.length}` : `Picture ${view.at + 1}`} left={view.left} mine={view.mineToday} sampled={sample !== null} />}
						<div class="tool-state">
							<SavedState status={saved} onProblems={() => setOpen('problem')} />
							<button type="button" class="bare" aria-label="Brightness and contrast" aria-expanded={open === 'light'} title="Brightness and contrast (I)" onClick={() => setOpen(open === 'light' ? null : 'light')}><Icon name="sun" /></button>
							<button type="button" class="bare" aria-label="Guide and keys" title="Guide and keys (?)" onClick={() => setOpen('guide')}><strong aria-hidden="true">?</strong></button>
						</div>
					</>
				)}
				left={(
					<>
						<ToolButtons tool={tool} task={deployment.type} />
						{asset && shadowPredictions(asset).length > 0 && state && <WhoseSwitch value={state.whose} onChange={(whose) => tool.annotator?.dispatch({ do: 'look', whose })} />}
						<Labels tool={tool} labels={labels} scores={scores} shadow={shadow} onNew={(name) => {
							setAdded([...added, name]);
							tool.annotator?.dispatch({ do: 'label', label: name });
						}} />
					</>
				)}
				right={item && state && deployment.type !== 'CLASSIFICATION' && (
					<>
						<ScoreSlider value={shownFrom} onChange={setFrom} />
						<ShapeRows tool={tool} state={state} />
					</>
				)}
				foot={<Foot canBack={view.at > 0} submitted={item?.status === 'submitted'} changed={!unchanged} onDo={command} />}
				strip={<Strip items={view.items.map((i) => ({ id: i.asset.id, name: i.asset.data.filename, status: i.status }))} at={view.at} pictures={pictures} onGo={(at) => sitting.go(at)} />}>
				{item?.status === 'submitted' && <p class="tool-note">Submitted to its datasets. Withdraw it in Predictions to change it.</p>}
				{state?.mode === 'class' && <p class="class-now">{state.marks.map((m) => m.label).join(', ') || 'No class chosen'}</p>}
				{open === 'light' && <LightPanel light={light} onChange={setLight} />}
				{!item && view.error !== null && <div class="tool-over"><Failure error={view.error} what="No more pictures could be fetched" onRetry={() => void sitting.start()} /></div>}
			</Frame>
			{ended && <ReviewEnd deployment={deployment} sitting={view} before={queue} quality={quality} sample={sample} back={back} onMore={() => void sitting.start()} onBack={() => sitting.move(-1)} />}
			{open === 'guide' && <GuideDialog guide={queue?.settings.guide ?? null} onClose={() => setOpen(null)} />}
			{open === 'skip' && <SkipDialog onClose={() => setOpen(null)} onSkip={(reason) => {
				setOpen(null);
				if (tool.annotator) sitting.skip(reason, tool.annotator.state, { seconds: watch.seconds(), inputs: tool.annotator.inputs + 1 });
				tool.focus();
			}} />}
			{open === 'problem' && problem && <ProblemDialog key={problem.operation.id} problem={problem} more={saved.problems.length - 1} picture={conflicted} labels={labels} onChoose={resolve} onClose={() => setOpen(null)} />}
		</div>
	);
}

export function ReviewPage({ id }: { id: string }): JSX.Element {
	const { query } = useStore(place);
	const ids = requestedIds(query);
	const sample = ids ? null : requestedSample(query);
	const deployment = useLoad(`review deployment ${id}`, (signal) => deploymentToReview(id, signal));
	const queue = useLoad(`review queue ${id}`, (signal) => reviewApi.queue(id, signal));
	// As it was before: the end says what the reviews changed.
	const quality = useLoad(`review quality ${id}`, (signal) => qualityOf(id, signal));
	if (deployment.error !== null) return <Failure error={deployment.error} what="This deployment could not be read" onRetry={deployment.reload} />;
	// Given pictures can be reviewed without the queue.
	if (queue.error !== null && !ids) return <Failure error={queue.error} what="The queue could not be read" onRetry={queue.reload} />;
	if (!deployment.data || (!queue.data && queue.error === null)) return <div class="alone" aria-busy="true"><span class="spinner large" role="status" aria-label="Loading" /></div>;
	return <Review key={ids?.join() ?? sample ?? ''} deployment={deployment.data} queue={queue.data ?? null} quality={quality.data ?? null} ids={ids} sample={sample} />;
}
