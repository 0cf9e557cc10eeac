// SPDX-License-Identifier: Apache-2.0
// What lies between two versions, in numbers and by name.
import type { JSX } from 'preact';
import { learn, type DatasetDiff, type DatasetVersion } from '../api/learn';
import { count, plural } from '../lib/format';
import { Button, Failure, Skeleton } from './basics';
import { Dialog } from './dialog';
import { useLoad } from './hooks';

const WORDS = { added: 'added', removed: 'removed', changed: 'redrawn' } as const;

function Found({ diff, newer }: { diff: DatasetDiff; newer: DatasetVersion }): JSX.Element {
	const different = diff.only_here + diff.only_there + diff.changed;
	return (
		<>
			<dl class="numbers diff-numbers">
				<div><dt>Added</dt><dd class={diff.only_here > 0 ? 'ok-text' : undefined}>{count(diff.only_here)}</dd></div>
				<div><dt>Removed</dt><dd class={diff.only_there > 0 ? 'bad-text' : undefined}>{count(diff.only_there)}</dd></div>
				<div><dt>Redrawn</dt><dd>{count(diff.changed)}</dd></div>
				<div><dt>The same</dt><dd>{count(diff.same)}</dd></div>
			</dl>
			{different === 0 && <p>Both hold the same images, with the same annotations.</p>}
			<ul class="diff-list">
				{diff.items.map((item, i) => (
					<li key={i}>
						<span class={`badge ${item.what === 'added' ? 'given' : item.what === 'removed' ? 'guessed' : 'read'}`}>{WORDS[item.what]}</span>
						{item.asset_id && item.what !== 'removed' ? <a href={`/dataset/version/${newer.id}?asset=${item.asset_id}`}>{item.filename}</a> : <span>{item.filename}</span>}
					</li>
				))}
			</ul>
			{different > diff.items.length && <p class="muted">and {plural(different - diff.items.length, 'more', 'more')}</p>}
		</>
	);
}

export function DatasetDiffDialog({ newer, older, onClose }: { newer: DatasetVersion; older: DatasetVersion; onClose: () => void }): JSX.Element {
	const diff = useLoad(`diff ${newer.id} ${older.id}`, (signal) => learn.diff(newer.id, older.id, signal));
	return (
		<Dialog title={`From ${older.version} to ${newer.version}`} onClose={onClose}>
			<div class="dialog-text">
				{diff.error !== null && <Failure error={diff.error} what="The versions could not be compared" onRetry={diff.reload} />}
				{!diff.data && diff.loading && <Skeleton width="100%" height={60} />}
				{diff.data && <Found diff={diff.data} newer={newer} />}
			</div>
			<footer class="dialog-foot"><Button onClick={onClose}>Close</Button></footer>
		</Dialog>
	);
}
