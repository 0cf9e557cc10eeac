// SPDX-License-Identifier: Apache-2.0
// Each version's number with its interval; the estimate for all images stands first. And precision and recall at the threshold.
import type { JSX } from 'preact';
import type { VersionQuality } from '../api/learn';
import { count, plural, score } from '../lib/format';
import { compare, interval, lines, metricOf, points, type Line } from '../lib/quality';

const ROLE = { champion: 'Champion', shadow: 'Shadow', past: 'Before' } as const;

/** Where between 0 and 100 the interval lies. */
function Range({ line }: { line: Line }): JSX.Element | null {
	const { low, high } = line.range;
	if (low === null || high === null || line.value === null) return null;
	return <span class="range" aria-hidden="true"><i style={{ left: `${100 * low}%`, width: `${Math.max(0.6, 100 * (high - low))}%` }} /><b style={{ left: `${100 * line.value}%` }} /></span>;
}

const signed = (value: number | null): string => (value === null ? '–' : `${value < 0 ? '−' : '+'}${points(Math.abs(value))}`);

const VERDICT = { better: ['ok', 'better than the champion'], worse: ['bad', 'worse than the champion'], unsure: ['plain', 'no difference can be told yet'] } as const;

function Card({ version, champion, task, threshold }: { version: VersionQuality; champion: VersionQuality | undefined; task: string; threshold: number }): JSX.Element {
	const [first, ...rest] = lines(version);
	const at = version.at_threshold;
	const { name, long } = metricOf(task);
	const verdict = version.role === 'shadow' ? compare(champion, version) : null;
	return (
		<section class={`quality-card ${version.role}`} aria-label={`Quality of ${version.name}, ${ROLE[version.role].toLowerCase()}`}>
			<header><i class={`swatch ${version.role}`} aria-hidden="true" /><strong>{version.name}</strong> <span class="muted">{ROLE[version.role].toLowerCase()}</span>{verdict && <span class={`pill ${VERDICT[verdict][0]}`}>{VERDICT[verdict][1]}</span>}</header>
			{first ? (
				<>
					<p class="quality-main" title={long}><span class="quality-value">{points(first.value)}</span> <span class="quality-metric">{name}</span> <span class="quality-range">{interval(first.range)}</span></p>
					<Range line={first} />
					<p class="muted quality-line" title={first.help}>{first.name}, 95 % interval, {plural(first.images, 'image')}</p>
					{rest.map((line) => <p key={line.name} class="muted quality-line" title={line.help}>{line.name}: <strong>{points(line.value)}</strong> {interval(line.range) && `(${interval(line.range)})`}, {plural(line.images, 'image')}</p>)}
				</>
			) : <p class="muted">No reviewed image has an answer of this version.</p>}
			{version.difference && version.difference.value !== null && (
				<p class="quality-line muted" title="On the images that both answered, with its 95 % interval">Against the champion: <strong>{signed(version.difference.value)}</strong> points ({signed(version.difference.low)} to {signed(version.difference.high)}), {plural(version.difference.images, 'image')}</p>
			)}
			{at && (
				<dl class="quality-at">
					<div><dt>Precision at {score(threshold)}</dt><dd>{points(at.precision)}</dd></div>
					<div><dt>Recall</dt><dd>{points(at.recall)}</dd></div>
					<div><dt>F1</dt><dd>{points(at.f1)}</dd></div>
					<div title="Right, wrong, and not found at this threshold."><dt>Right / wrong / missed</dt><dd class="counts-three">{count(at.found)} <span class="muted">/</span> {count(at.wrong)} <span class="muted">/</span> {count(at.missed)}</dd></div>
				</dl>
			)}
			{version.best_threshold !== null && version.best_threshold !== undefined && Math.abs(version.best_threshold - threshold) > 0.02 && <p class="muted quality-line">F1 is best at <strong>{score(version.best_threshold)}</strong>.</p>}
		</section>
	);
}

export function QualityVersions({ versions, task, threshold }: { versions: readonly VersionQuality[]; task: string; threshold: number }): JSX.Element {
	const champion = versions.find((v) => v.role === 'champion');
	return <div class="quality-cards">{versions.map((v) => <Card key={v.model_version_id} version={v} champion={champion} task={task} threshold={threshold} />)}</div>;
}
