// SPDX-License-Identifier: Apache-2.0
// What happened to a deployment, in words, and the way back to every former champion.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Deployment, HistoryItem } from '../api/types';
import { exact } from '../lib/format';
import { championBefore, goBackTo, historyLine, newestFirst } from '../lib/history';
import { Button, Failure, Skeleton, Time } from '../parts/basics';
import { Confirm } from '../parts/dialog';
import { Icon, type IconName } from '../parts/icons';
import { say } from '../parts/toasts';
import type { History } from '../parts/use_history';

const ICONS: Record<string, IconName> = {
	created: 'deploy', deployed: 'swap', promoted: 'swap', rolled_back: 'back', shadow_set: 'shadow', shadow_removed: 'shadow', threshold: 'settings', renamed: 'edit',
	paused: 'pause', resumed: 'play',
};

function Line({ item, words, back, onBack }: { item: HistoryItem; words: string; back: string | null; onBack: () => void }): JSX.Element {
	return (
		<li class="history-line">
			<Icon name={ICONS[item.what] ?? 'history'} />
			<span class="history-words">{words}{item.why && <small class="muted">{item.why}</small>}</span>
			<span class="muted history-when">{item.by && `${item.by}, `}<Time at={item.at} /><small>{exact(item.at).slice(0, 19)}</small></span>
			<span class="history-action">{back && <Button icon="back" onClick={onBack} title={`Let ${back} answer again.`} aria-label={`Go back to ${back}: ${words}`}>Go back</Button>}</span>
		</li>
	);
}

export function HistoryTab({ deployment, history, onChanged }: { deployment: Deployment; history: History; onChanged: (deployment: Deployment) => void }): JSX.Element {
	const [back, setBack] = useState<string | null>(null);
	const { champion } = deployment;
	const nameOf = (version: string): string => history.names.get(version) ?? `version ${version.slice(0, 8)}`;
	return (
		<section class="panel history-panel" aria-label="History">
			{history.error !== null && <div class="padded"><Failure error={history.error} what="The history could not be read" onRetry={history.reload} /></div>}
			{history.loading && history.items.length === 0 && <div class="padded"><Skeleton width="60%" /><br /><Skeleton width="45%" /></div>}
			<ol class="history">
				{newestFirst(history.items).map((item, i) => {
					const target = goBackTo(item, history.items, champion?.version_id);
					return <Line key={`${item.at} ${i}`} item={item} words={historyLine(item, history.names)} back={target && nameOf(target)} onBack={() => setBack(target)} />;
				})}
			</ol>
			{back && (
				<Confirm title={`Go back to ${nameOf(back)}?`} action="Go back" onClose={() => setBack(null)} run={async () => {
					// To what was before it is rolled back: what answers now does not come again by itself.
					const after = await (back === championBefore(history.items) ? api.rollback(deployment.id) : api.setChampion(deployment.id, back));
					onChanged(after);
					say('ok', `${nameOf(back)} answers again.`);
					setBack(null);
				}}>
					<p>{champion && <><strong>{champion.model_name}:{champion.version}</strong> stops answering and </>}<strong>{nameOf(back)}</strong> takes over. It is loaded and warmed first; no request fails.</p>
					<p class="muted">This is a line in the history too, so you can come back.</p>
				</Confirm>
			)}
		</section>
	);
}
