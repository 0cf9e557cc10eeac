// SPDX-License-Identifier: Apache-2.0
// A deployment's history in sentences. Model versions come as ids; their names are looked up beside.
import type { Deployment, HistoryItem } from '../api/types';
import { score } from './format';

/** Version id → "yolox-nano:1". */
export type VersionNames = ReadonlyMap<string, string>;

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i;
/** The champion changed. */
const SWAPS = ['deployed', 'rolled_back', 'promoted'];
const NAMES_A_VERSION = [...SWAPS, 'created', 'shadow_set', 'shadow_removed', 'held', 'kept'];

export function versionIds(items: readonly HistoryItem[]): string[] {
	const values = items.filter((item) => NAMES_A_VERSION.includes(item.what)).flatMap((item) => [item.from, item.to]);
	return [...new Set(values.filter((v): v is string => v !== null && UUID.test(v)))];
}

function valueText(value: string | null, names: VersionNames): string {
	if (value === null) return '';
	return names.get(value) ?? (UUID.test(value) ? `version ${value.slice(0, 8)}` : value);
}

const VERBS: Record<string, string> = {
	created: 'Created', deployed: 'Deployed', rolled_back: 'Went back to', promoted: 'Promoted', threshold: 'Threshold', renamed: 'Renamed',
	paused: 'Paused', resumed: 'Resumed', shadow_set: 'Shadow set:', shadow_removed: 'Shadow removed:',
	held: 'Held back, a shadow:', kept: 'Published, and not deployed:', training_failed: 'A training failed', training_paused: 'Continuous Training paused',
};

export function historyLine(item: HistoryItem, names: VersionNames): string {
	const verb = VERBS[item.what] ?? item.what;
	const from = valueText(item.from, names);
	const to = valueText(item.to, names);
	if (item.what === 'threshold') return `${verb} from ${score(Number(from))} to ${score(Number(to))}`;
	if (item.what === 'renamed') return `${verb} from ${from} to ${to}`;
	if (item.what.startsWith('training_')) return verb; // which one says its reason
	if (item.what === 'created') return to ? `${verb} with ${to}` : verb;
	if (item.what === 'shadow_set' || item.what === 'shadow_removed') return `${verb} ${to || from}`;
	if (!to) return verb;
	return from ? `${verb} ${to} in place of ${from}` : `${verb} ${to}`;
}

export const newestFirst = (items: readonly HistoryItem[]): HistoryItem[] =>
	[...items].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));

const swaps = (items: readonly HistoryItem[]): HistoryItem[] => newestFirst(items).filter((item) => SWAPS.includes(item.what));

/** The version that would answer again; null while the first champion answers. */
export function championBefore(items: readonly HistoryItem[]): string | null {
	return swaps(items).find((item) => item.from)?.from ?? null;
}

/** The line that made what answers now the champion. */
export const championLine = (items: readonly HistoryItem[]): HistoryItem | null =>
	newestFirst(items).find((item) => SWAPS.includes(item.what) || item.what === 'created') ?? null;

/** The version that one may go back to by this line: what it made the champion; of the last one, what was before it. */
export function goBackTo(item: HistoryItem, items: readonly HistoryItem[], champion: string | undefined): string | null {
	const makes = (i: HistoryItem): boolean => SWAPS.includes(i.what) || i.what === 'created';
	if (!makes(item)) return null;
	const gone = (version: string): boolean => items.some((i) => makes(i) && i.to === version && i.can_go_back === false);
	const target = item.to === champion ? item.from : item.to;
	if (!target || !UUID.test(target) || target === champion || gone(target)) return null;
	// A champion that answered twice: only its last line undoes what made it.
	return item.to !== champion || item === newestFirst(items).find((i) => SWAPS.includes(i.what)) ? target : null;
}

export interface ChampionChange {
	/** Unix seconds. */
	at: number;
	version: string;
}

/** When which version began to answer, oldest first. */
export function championChanges(items: readonly HistoryItem[]): ChampionChange[] {
	return swaps(items).flatMap((item) => (item.to ? [{ at: Date.parse(item.at) / 1000, version: item.to }] : [])).reverse();
}

/** The versions that a deployment's predictions may be of: what answers, what follows, what did. */
export function versionChoices(deployment: Deployment, names: VersionNames): [string, string][] {
	const found = new Map<string, string>();
	const { champion, shadows } = deployment;
	if (champion) found.set(champion.version_id, `${champion.model_name}:${champion.version}`);
	for (const s of shadows) found.set(s.model_version_id, `${s.model_name}:${s.version} (shadow)`);
	for (const [id, name] of names) if (!found.has(id)) found.set(id, name);
	return [...found];
}
