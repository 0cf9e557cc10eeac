// SPDX-License-Identifier: Apache-2.0
// What a dataset version holds: objects of each class, their sizes, how many on an image; what a training would miss.
import type { JSX } from 'preact';
import type { DatasetStats, Label } from '../api/learn';
import { datasetWarnings, labelBars, OBJECTS_MIN } from '../lib/dataset';
import { labelNumber } from '../lib/dataset_shapes';
import { labelColour } from '../lib/colour';
import { count, plural } from '../lib/format';
import { navigate } from '../router';
import { Icon } from './icons';

function Histogram({ values }: { values: readonly number[] }): JSX.Element {
	const most = Math.max(1, ...values);
	const words = values.map((n, i) => `${i}: ${n}`).join(', ');
	return (
		<div class="histogram" role="img" aria-label={`Images by their number of objects: ${words}`}>
			{values.map((n, i) => (
				<span key={i} title={`${plural(n, 'image')} with ${plural(i, 'object')}`}>
					<i style={{ height: `${(n / most) * 100}%` }} />
					<small>{values.length <= 16 || i % Math.ceil(values.length / 12) === 0 ? i : ''}</small>
				</span>
			))}
		</div>
	);
}

/** Beyond so many objects an image goes into the last bar. */
const BARS_MAX = 40;

function folded(values: readonly number[]): number[] {
	if (values.length <= BARS_MAX) return [...values];
	return [...values.slice(0, BARS_MAX - 1), values.slice(BARS_MAX - 1).reduce((a, b) => a + b, 0)];
}

const SIZES = [['small', 'below 32 × 32 px'], ['medium', 'to 96 × 96 px'], ['large', 'above']] as const;

export function StatisticsPanel({ stats, labels }: { stats: DatasetStats; labels: readonly Label[] }): JSX.Element {
	const names = labels.map((l) => l.name);
	const bars = labelBars(stats, names);
	const warnings = datasetWarnings(stats, bars);
	const sizes = stats.sizes.small + stats.sizes.medium + stats.sizes.large;
	const onLabel = (label: string): void => navigate(`${location.pathname}?label=${encodeURIComponent(label)}`);
	return (
		<div class="statistics">
			{warnings.map((w) => <div key={w} class="notice warn"><Icon name="warning" /><div><p>{w}</p></div></div>)}
			<dl class="numbers panel stat-numbers">
				<div><dt>Images</dt><dd>{count(stats.nb_assets)}</dd></div>
				<div><dt>Annotated</dt><dd>{count(stats.nb_annotated)}</dd></div>
				<div><dt>Objects</dt><dd>{count(stats.nb_objects)}</dd></div>
				<div><dt>Labels</dt><dd>{count(bars.length)}</dd></div>
				<div><dt>Objects an image</dt><dd>{stats.nb_annotated > 0 ? (stats.nb_objects / stats.nb_annotated).toFixed(1) : '–'}</dd></div>
			</dl>
			<section class="panel padded" aria-label="Objects of each label">
				<h2>Objects of each label</h2>
				{bars.length === 0 ? <p class="muted">No labels yet.</p> : (
					<ul class="label-bars">
						{bars.map((bar) => (
							<li key={bar.label} class={bar.few ? 'is-few' : undefined}>
								<button type="button" title={`Show images with ${bar.label}`} onClick={() => onLabel(bar.label)}>
									<span class="bar-name">{bar.label}</span>
									<span class="bar-track"><i style={{ width: `${bar.share * 100}%`, background: labelColour(labelNumber(names, bar.label)) }} /></span>
									<span class="bar-count">{count(bar.count)}{bar.few && <span class="badge guessed" title={`Fewer than ${OBJECTS_MIN}: hardly learned, not measured.`}>few</span>}</span>
								</button>
							</li>
						))}
					</ul>
				)}
			</section>
			<div class="columns even">
				<section class="panel padded" aria-label="Sizes of objects">
					<h2>Sizes <span class="muted">as COCO counts them</span></h2>
					<ul class="label-bars">
						{SIZES.map(([size, help]) => (
							<li key={size}>
								<span class="bar-row">
									<span class="bar-name">{size} <small class="muted">{help}</small></span>
									<span class="bar-track"><i style={{ width: `${sizes > 0 ? (stats.sizes[size] / sizes) * 100 : 0}%` }} /></span>
									<span class="bar-count">{count(stats.sizes[size])}</span>
								</span>
							</li>
						))}
					</ul>
				</section>
				<section class="panel padded" aria-label="Objects an image">
					<h2>Objects an image</h2>
					{stats.objects_per_image.length > 0 ? <Histogram values={folded(stats.objects_per_image)} /> : <p class="muted">No annotations yet.</p>}
				</section>
			</div>
		</div>
	);
}
