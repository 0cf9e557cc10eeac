// SPDX-License-Identifier: Apache-2.0
// What reviews say of a shadow beside the champion: one word, one sentence, and how far the evidence is.
import type { JSX } from 'preact';
import type { Verdict } from '../api/loop';
import { count } from '../lib/format';
import { evidenceSentence, evidenceShare, percent, VERDICTS } from '../lib/loop';

/** From even odds to those that decide. */
export function Evidence({ verdict }: { verdict: Verdict }): JSX.Element {
	const share = verdict.state === 'unsure' ? evidenceShare(verdict.e, verdict.e_needed) : 1;
	const words = evidenceSentence(verdict);
	return (
		<div class={`evidence ${VERDICTS[verdict.state].tone}`}>
			<div class="evidence-bar" role="progressbar" aria-label="Evidence" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(100 * share)} aria-valuetext={words}><i style={{ width: `${100 * share}%` }} /></div>
			<p class="muted" title={`Each reviewed disagreement that one of the two won moves the odds. At ${verdict.e_needed} to 1 it is decided, with a risk of at most one in ${verdict.e_needed} of being wrong, however often one looks.`}>{words}</p>
		</div>
	);
}

/** "agree on 93 % of 1,204 images"; without a single label. */
export function agreementWords({ agreement, seen }: Verdict): string | null {
	const share = agreement.share;
	if (share === null || seen === 0) return null;
	return `They agree on ${percent(share)} of ${count(seen)} images.`;
}
