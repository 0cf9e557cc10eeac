// SPDX-License-Identifier: Apache-2.0
// What one does to many predictions at once, and what could not be done, by name.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { learn, type ListQuery, type Outcome } from '../api/learn';
import { sentence } from '../lib/explain';
import { plural } from '../lib/format';
import { isSelected, portions, selectedCount, type Selection } from '../lib/selection';
import { navigate } from '../router';
import { Button } from './basics';
import { Dialog } from './dialog';
import { say } from './toasts';

/** As many as the server takes at once. */
const AT_ONCE = 500;
const REVIEW_MAX = 200;
const PAGE = 1000;

type Problems = Outcome['problems'];

/** The ids, also of those never loaded. */
async function idsOf(deployment: string, selection: Selection, query: ListQuery, most = Infinity): Promise<string[]> {
	if (!selection.all) return [...selection.ids].slice(0, most);
	const ids: string[] = [];
	for (let offset = 0; ids.length < most; offset += PAGE) {
		const page = await learn.predictions(deployment, { ...query, limit: PAGE, offset });
		ids.push(...page.items.map((item) => item.id).filter((id) => isSelected(selection, id)));
		if (page.items.length === 0 || offset + page.items.length >= page.count) break;
	}
	return ids.slice(0, most);
}

async function withdrawAll(ids: readonly string[]): Promise<{ done: number; problems: Problems }> {
	const problems: Problems = [];
	for (const few of portions(ids, 4)) {
		await Promise.all(few.map((id) => learn.withdraw(id).catch((error: unknown) => problems.push({ id, message: sentence(error) }))));
	}
	return { done: ids.length - problems.length, problems };
}

async function inPortions(ids: readonly string[], run: (some: string[]) => Promise<{ done: number; problems: Problems }>): Promise<{ done: number; problems: Problems }> {
	const sum: { done: number; problems: Problems } = { done: 0, problems: [] };
	for (const some of portions(ids, AT_ONCE)) {
		const { done, problems } = await run(some);
		sum.done += done;
		sum.problems.push(...problems);
	}
	return sum;
}

function ProblemsDialog({ title, problems, nameOf, onClose }: { title: string; problems: Problems; nameOf: (id: string) => string; onClose: () => void }): JSX.Element {
	return (
		<Dialog title={title} onClose={onClose}>
			<div class="dialog-text">
				<ul class="problem-list">{problems.slice(0, 200).map((p) => <li key={p.id}><strong>{nameOf(p.id)}</strong> {p.message}</li>)}</ul>
				{problems.length > 200 && <p class="muted">and {plural(problems.length - 200, 'more', 'more')}</p>}
			</div>
			<footer class="dialog-foot"><Button kind="primary" onClick={onClose}>Close</Button></footer>
		</Dialog>
	);
}

export function BulkBar({ deployment, selection, total, query, nameOf, onAll, onClear, onDone }: {
	deployment: string;
	selection: Selection;
	total: number;
	query: ListQuery;
	nameOf: (id: string) => string;
	onAll: () => void;
	onClear: () => void;
	onDone: () => void;
}): JSX.Element {
	const [busy, setBusy] = useState<string | null>(null);
	const [trouble, setTrouble] = useState<{ title: string; problems: Problems } | null>(null);
	const n = selectedCount(selection, total);
	const act = async (name: string, past: string, run: (ids: string[]) => Promise<{ done: number; problems: Problems }>): Promise<void> => {
		setBusy(name);
		try {
			const { done, problems } = await run(await idsOf(deployment, selection, query));
			if (done > 0) say('ok', `${plural(done, 'prediction')} ${past}.`);
			if (problems.length > 0) setTrouble({ title: `${plural(problems.length, 'prediction was', 'predictions were')} not ${past}`, problems });
			onDone();
		} catch (error) {
			say('bad', `Not ${past}. ${sentence(error)}`);
		}
		setBusy(null);
	};
	const accept = (ids: string[]): Promise<{ done: number; problems: Problems }> =>
		inPortions(ids, async (some) => learn.accept(deployment, some).then(({ accepted, problems }) => ({ done: accepted, problems })));
	const submit = (ids: string[]): Promise<{ done: number; problems: Problems }> =>
		inPortions(ids, async (some) => learn.submit(deployment, { ids: some }).then(({ submitted, waiting, problems }) => {
			if (waiting > 0) say('bad', `${plural(waiting, 'review waits', 'reviews wait')}: a label in ${waiting === 1 ? 'it' : 'them'} is not mapped. Settings, Feedback Loop.`);
			return { done: submitted, problems };
		}));
	const review = async (): Promise<void> => {
		setBusy('review');
		try {
			const ids = await idsOf(deployment, selection, query, REVIEW_MAX);
			navigate(`/deployment/${deployment}/review?ids=${ids.join(',')}`);
		} catch (error) {
			say('bad', sentence(error));
		}
		setBusy(null);
	};
	return (
		<>
			<div class="bulk-bar" role="region" aria-label="Selected predictions">
				<strong role="status">{plural(n, 'selected', 'selected')}</strong>
				{!selection.all && n < total && <Button kind="quiet" onClick={onAll}>{`Select all ${total.toLocaleString('en-US')}`}</Button>}
				<span class="bulk-actions">
					<Button icon="check" busy={busy === 'accept'} disabled={busy !== null} title="What was answered is right as it is" onClick={() => act('accept', 'accepted', accept)}>Accept as is</Button>
					<Button icon="edit" busy={busy === 'review'} disabled={busy !== null} onClick={review}>Review these</Button>
					<Button icon="loop" kind="primary" busy={busy === 'submit'} disabled={busy !== null} title="Into the Feedback Loop’s datasets" onClick={() => act('submit', 'submitted', submit)}>Submit</Button>
					<Button icon="back" busy={busy === 'withdraw'} disabled={busy !== null} title="Out of the Feedback Loop’s datasets again" onClick={() => act('withdraw', 'withdrawn', withdrawAll)}>Withdraw</Button>
					<Button kind="quiet" icon="close" aria-label="Select nothing" onClick={onClear} />
				</span>
			</div>
			{trouble && <ProblemsDialog {...trouble} nameOf={nameOf} onClose={() => setTrouble(null)} />}
		</>
	);
}
