// SPDX-License-Identifier: Apache-2.0
// All that is known of a shadow beside the champion: per class, where they differ, what speaks for and against.
import type { JSX } from 'preact';
import type { Verdict } from '../api/loop';
import { count, milliseconds, plural } from '../lib/format';
import { evidenceShare, percent, VERDICTS, verdictWords } from '../lib/loop';
import { Dialog } from './dialog';
import { Icon } from './icons';
import { agreementWords, Evidence } from './verdict';

const signed = (x: number): string => `${x >= 0 ? '+' : '−'}${(100 * Math.abs(x)).toFixed(1)}`;
const of100 = (x: number | null): string => (x === null ? '–' : (100 * x).toFixed(1));

function Classes({ verdict }: { verdict: Verdict }): JSX.Element | null {
	if (verdict.classes.length === 0) return null;
	return (
		<div class="table-scroll">
			<table class="table quality-table">
				<thead><tr><th scope="col">Class</th><th scope="col" class="number">Truths</th><th scope="col" class="number">Champion</th><th scope="col" class="number">Shadow</th><th scope="col" class="number">Difference</th></tr></thead>
				<tbody>
					{verdict.classes.map((c) => {
						const difference = c.champion !== null && c.shadow !== null ? c.shadow - c.champion : null;
						const sure = c.low !== null && c.high !== null && (c.low > 0 || c.high < 0);
						return (
							<tr key={c.label}>
								<th scope="row">{c.label}</th><td class="number">{count(c.truths)}</td><td class="number">{of100(c.champion)}</td><td class="number">{of100(c.shadow)}</td>
								<td class={`number${sure ? (difference ?? 0) > 0 ? ' ok-text' : ' bad-text' : ''}`}>{difference === null ? '–' : signed(difference)}{c.low !== null && c.high !== null && <small class="muted"> {signed(c.low)} to {signed(c.high)}</small>}</td>
							</tr>
						);
					})}
				</tbody>
			</table>
		</div>
	);
}

function Guards({ verdict }: { verdict: Verdict }): JSX.Element | null {
	if (verdict.guards.length === 0) return null;
	return (
		<section>
			<h3>Before it is promoted by itself</h3>
			<ul class="guards">{verdict.guards.map((g) => <li key={g.name}><Icon name={g.ok ? 'check' : 'close'} size={13} /><span class="unseen">{g.ok ? 'holds: ' : 'does not hold: '}</span>{g.sentence}</li>)}</ul>
		</section>
	);
}

/** The evidence after each review. */
function Path({ verdict }: { verdict: Verdict }): JSX.Element | null {
	if (verdict.history.length < 2) return null;
	const last = verdict.history.length - 1;
	const line = verdict.history.map((h, i) => `${i > 0 ? 'L' : 'M'}${((520 * i) / last).toFixed(1)} ${(68 - 66 * evidenceShare(h.e, verdict.e_needed)).toFixed(1)}`).join('');
	return (
		<figure class="evidence-path">
			<figcaption>Evidence after each of {plural(verdict.history.length, 'review')}; the line at the top decides</figcaption>
			<svg viewBox="0 0 520 70" width="100%" height="70" preserveAspectRatio="none" role="img" aria-label="Evidence after each review">
				<line class="plot-now" x1="0" x2="520" y1="2" y2="2" />
				<path class="spark-line" d={line} />
			</svg>
		</figure>
	);
}

export function VerdictDialog({ verdict, onClose }: { verdict: Verdict; onClose: () => void }): JSX.Element {
	const { difference, latency } = verdict;
	const { flips } = verdict.agreement;
	const agreement = agreementWords(verdict);
	const { word, tone } = VERDICTS[verdict.state];
	return (
		<Dialog title={`${verdict.version.model}:${verdict.version.version} beside ${verdict.champion.model}:${verdict.champion.version}`} wide onClose={onClose}>
			<div class="dialog-text verdict-dialog">
				<p><span class={`pill ${tone}`}>{word}</span> {verdictWords(verdict)}</p>
				<Evidence verdict={verdict} />
				{agreement && <p>{agreement}</p>}
				{difference && <p>{difference.metric.charAt(0).toUpperCase() + difference.metric.slice(1)} {signed(difference.value)} points, between {signed(difference.low)} and {signed(difference.high)} with 95 % confidence, on {plural(verdict.compared, 'reviewed image')}.</p>}
				<Path verdict={verdict} />
				<Classes verdict={verdict} />
				{flips.length > 0 && (
					<section>
						<h3>Where they say something else</h3>
						<ul class="flips">{flips.map((f) => <li key={`${f.from} ${f.to}`}><span>{f.from || 'nothing'} → {f.to || 'nothing'}</span> <span class="muted">{plural(f.images, 'image')}</span></li>)}</ul>
					</section>
				)}
				{latency.shadow_ms !== null && latency.champion_ms !== null && <p>It takes {milliseconds(latency.shadow_ms)} a picture; the champion {milliseconds(latency.champion_ms)}{latency.ratio !== null && ` (${percent(latency.ratio)} of it)`}.</p>}
				<Guards verdict={verdict} />
			</div>
		</Dialog>
	);
}
