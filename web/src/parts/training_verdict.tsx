// SPDX-License-Identifier: Apache-2.0
// What came of a training: candidate beside champion on pictures that neither was trained on, class by class, old data too.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Evaluation, Training, VersionName } from '../api/loop';
import { count, plural } from '../lib/format';
import { points } from '../lib/quality';
import { classesInOrder, METRIC_WORDS, signedPoints, VERDICT_WORD, verdictTone } from '../lib/training';
import { Icon } from './icons';

const CLASSES_SHOWN = 12;
const OBJECTS_FEW = 30;

export const VersionLink = ({ version }: { version: VersionName }): JSX.Element => <a href={`/model/${version.model_id}?version=${version.version}`}>{version.model}:{version.version}</a>;

function Score({ title, version, value, value50, tone }: { title: string; version: VersionName | null; value: number; value50: number | null | undefined; tone: 'champion' | 'candidate' }): JSX.Element {
	return (
		<div class={`verdict-score is-${tone}`}>
			<p class="muted">{title}{version && <>, <VersionLink version={version} /></>}</p>
			<p><strong class="quality-value">{points(value)}</strong>{value50 != null && <span class="muted"> {points(value50)} at IoU 0.50</span>}</p>
		</div>
	);
}

/** The interval of the difference on a line with nought in it. */
function DifferenceLine({ difference }: { difference: NonNullable<Evaluation['difference']> }): JSX.Element {
	const { value, low, high } = difference;
	const most = Math.max(0.01, Math.abs(low), Math.abs(high), Math.abs(value)) * 1.15;
	const at = (v: number): string => `${50 + (50 * v) / most}%`;
	return (
		<div class="difference">
			<p><strong>{signedPoints(value)} points</strong> <span class="muted">between {signedPoints(low)} and {signedPoints(high)}, with 95 % confidence</span></p>
			<span class="difference-line" aria-hidden="true"><i style={{ left: at(low), width: `${(50 * (high - low)) / most}%` }} /><b style={{ left: at(value) }} /><u /></span>
		</div>
	);
}

function ClassTable({ evaluation }: { evaluation: Evaluation }): JSX.Element | null {
	const [all, setAll] = useState(false);
	const classes = classesInOrder(evaluation.classes);
	if (classes.length === 0) return null;
	const shown = all ? classes : classes.slice(0, CLASSES_SHOWN);
	const compared = evaluation.champion !== null;
	return (
		<section class="verdict-classes" aria-label="Per class">
			<h3>Per class</h3>
			<div class="table-scroll">
				<table class="table quality-table">
					<thead><tr><th scope="col">Class</th><th scope="col" class="number">Objects</th>{compared && <th scope="col" class="number">Champion</th>}<th scope="col" class="number">Candidate</th>{compared && <th scope="col" class="number">Difference</th>}</tr></thead>
					<tbody>
						{shown.map((c) => {
							const moved = c.champion === null || c.candidate === null ? null : c.candidate - c.champion;
							const sure = c.low !== null && c.high !== null && (c.low > 0 || c.high < 0);
							const tone = moved === null || !sure ? '' : moved > 0 ? ' ok-text' : ' bad-text';
							return (
								<tr key={c.label}>
									<th scope="row">{c.label}{c.champion === null && compared && c.truths > 0 && <span class="badge given">new</span>}{c.truths > 0 && c.truths < OBJECTS_FEW && <span class="badge" title={`Fewer than ${OBJECTS_FEW} objects: chance alone moves such a class by many points.`}>few</span>}</th>
									<td class="number">{count(c.truths)}</td>
									{compared && <td class="number">{points(c.champion)}</td>}
									<td class="number">{points(c.candidate)}<span class="score-bar" aria-hidden="true"><i style={{ width: `${100 * (c.candidate ?? 0)}%` }} /></span></td>
									{compared && <td class={`number${tone}`}>{moved === null ? '–' : signedPoints(moved)}{c.low !== null && c.high !== null && <small class="muted">{signedPoints(c.low)} to {signedPoints(c.high)}</small>}</td>}
								</tr>
							);
						})}
					</tbody>
				</table>
			</div>
			{classes.length > CLASSES_SHOWN && <button type="button" class="button quiet" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Fewer' : `All ${classes.length} classes`}</button>}
		</section>
	);
}

export function Verdict({ training, evaluation }: { training: Training; evaluation: Evaluation }): JSX.Element {
	const tone = verdictTone(evaluation);
	const { champion, difference, forgetting } = evaluation;
	return (
		<section class="panel padded verdict" aria-label="Verdict" id="verdict">
			<header class="row-head">
				<h2>Verdict <span class={`pill ${tone}`}>{VERDICT_WORD[tone]}</span></h2>
				<span class="muted">{METRIC_WORDS[evaluation.metric]}, in percent, on {plural(evaluation.images, 'test image')} that {champion === null ? 'it was not' : 'neither was'} trained on</span>
			</header>
			<p class="verdict-sentence">{evaluation.sentence}</p>
			{evaluation.few && <p class="verdict-few"><Icon name="warning" /><span>{plural(evaluation.images, 'image is', 'images are')} too few to tell small differences. Keep more images to measure with: on the dataset, <strong>Hold out</strong>.</span></p>}
			<div class="verdict-body">
				<div class="verdict-main">
					<div class="verdict-scores">
						{champion !== null && <Score title="Champion" version={training.base} value={champion} value50={evaluation.champion50} tone="champion" />}
						<Score title="Candidate" version={training.candidate} value={evaluation.candidate} value50={evaluation.candidate50} tone="candidate" />
					</div>
					{difference && <DifferenceLine difference={difference} />}
					{forgetting && (
						<section class="forgetting" aria-label="Old data">
							<h3>On old data</h3>
							<p>{forgetting.sentence}</p>
							<p class="muted">{points(forgetting.champion)} before, {points(forgetting.candidate)} now, on {plural(forgetting.images, 'image')} of earlier trainings.</p>
						</section>
					)}
				</div>
				<ClassTable evaluation={evaluation} />
			</div>
		</section>
	);
}
