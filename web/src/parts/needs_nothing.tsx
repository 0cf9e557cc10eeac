// SPDX-License-Identifier: Apache-2.0
// What is known without anybody's help: from the images, the answers and the clock. Classes get other charts than shapes.
import type { JSX } from 'preact';
import { secondsOf, type DashboardData, type Histogram, type SeriesPoint } from '../api/dashboard';
import type { Deployment } from '../api/types';
import { Bars } from '../charts/bars';
import { HistogramChart } from '../charts/histogram';
import type { Marker } from '../charts/markers';
import { Legend, TimeSeries, type Series } from '../charts/time_series';
import { labelColour } from '../lib/colour';
import { count, plural } from '../lib/format';
import { quantile, total } from '../lib/plot';
import { isNarrowed, type WatchFilter } from '../lib/watch_filter';
import { Time } from './basics';
import { ChartPanel } from './chart_panel';
import type { Span } from './use_latency';

export interface Drawn {
	deployment: Deployment;
	data: DashboardData;
	markers: readonly Marker[];
	filter: WatchFilter;
	onFilter: (change: Partial<WatchFilter>) => void;
}

const NO_SHAPES = 'No shape was found on these images at this threshold. A lower one in the bar above may show what was just under it.';

const picker = (onFilter: Drawn['onFilter']) => ({ from, to }: Span): void => onFilter({ range: 'custom', from, to });
const timesOf = (data: DashboardData): { at: number[]; step: number; from: number; to: number } => ({ at: data.series.map((p) => secondsOf(p.at)), step: data.step_s, from: secondsOf(data.from), to: secondsOf(data.to) });

function stepWords(seconds: number): string {
	if (seconds % 86400 === 0) return seconds === 86400 ? 'day' : `${seconds / 86400} days`;
	if (seconds % 3600 === 0) return seconds === 3600 ? 'hour' : `${seconds / 3600} hours`;
	return seconds <= 60 ? 'minute' : `${Math.round(seconds / 60)} minutes`;
}

/** From what, in words: of shapes, or of images. */
const drawn = ({ basis }: DashboardData): string => (basis.kind === 'all' ? '' : `, drawn from ${count(basis.images)}`);
const ofImages = (data: DashboardData): string => `Of ${plural(data.totals.predictions, 'image')}${drawn(data)}.`;
const ofShapes = (data: DashboardData): string => `Of ${plural(data.totals.shapes, 'shape')} on ${plural(data.totals.predictions, 'image')}${drawn(data)}.`;

function Inferences({ data, markers, onFilter }: Drawn): JSX.Element {
	const { totals } = data;
	const column = (key: 'predictions' | 'failed' | 'refused'): number[] => data.series.map((p) => p[key]);
	const series: Series[] = [
		{ name: 'answered', kind: 'bars', tone: 'main', values: column('predictions') },
		...(totals.refused > 0 ? [{ name: 'refused', kind: 'bars', tone: 'warn', values: column('refused') } as const] : []),
		...(totals.failed > 0 ? [{ name: 'failed', kind: 'bars', tone: 'bad', values: column('failed') } as const] : []),
	];
	return (
		<ChartPanel title="Inferences" value={count(totals.predictions)} of={`Requests every ${stepWords(data.step_s)}.`} basis={{ ...data.basis, kind: 'all' }} empty={totals.predictions + totals.failed + totals.refused === 0 ? 'No prediction in this stretch of time.' : null}>
			<TimeSeries times={timesOf(data)} series={series} format={count} markers={markers} onPick={picker(onFilter)} label={`Inferences over time: ${count(totals.predictions)} answered, ${count(totals.refused)} refused, ${count(totals.failed)} failed.`} />
			{series.length > 1 && <Legend series={series} />}
		</ChartPanel>
	);
}

/** Where the server worked when it went wrong. */
const STEPS: Record<string, string> = { receive: 'receiving', decode: 'decoding the image', seat: 'waiting for the model', preprocess: 'preparing the image', infer: 'running the model', postprocess: 'reading the outputs', record: 'storing' };

function Failures({ deployment, data, filter }: Drawn): JSX.Element {
	const external = deployment.status === 'EXTERNAL';
	const empty = data.failed.length === 0
		? external ? 'None. What happens on your own infrastructure before a prediction is reported is not seen here.' : 'None: every request in this stretch of time was answered.' : null;
	return (
		<ChartPanel id="failed" title="Failed and refused requests" value={count(data.totals.failed + data.totals.refused)} of={`Failed: by a fault of the server or the model. Refused: what was sent could not be answered.${isNarrowed(filter) ? ' Of all versions and sources: a request that fails has no prediction to filter by.' : ''}`} basis={{ ...data.basis, kind: 'all' }} empty={empty}>
			<div class="table-scroll" tabIndex={0} role="region" aria-label="Reasons">
				<table class="table failed-table">
					<thead><tr><th scope="col">Why</th><th scope="col" class="number">Status</th><th scope="col" class="number">Times</th><th scope="col">Last</th></tr></thead>
					<tbody>
						{data.failed.map((f) => (
							<tr key={`${f.http_status} ${f.step} ${f.text}`}>
								<td>{f.text ?? 'No reason was kept.'}{f.step && <small> while {STEPS[f.step] ?? f.step}</small>}</td>
								<td class="number"><span class={f.http_status >= 500 ? 'bad-text' : 'warn-text'}>{f.http_status}</span></td>
								<td class="number">{count(f.count)}</td>
								<td>{f.last_at === null ? '–' : <Time at={secondsOf(f.last_at) * 1000} />}</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
		</ChartPanel>
	);
}

function Labels({ deployment, data, filter, onFilter }: Drawn): JSX.Element {
	const classes = deployment.type === 'CLASSIFICATION';
	const images = Math.max(1, data.totals.predictions);
	const share = (n: number): string => `${((100 * n) / images).toFixed(1)} %`;
	const labels = data.distributions.labels.filter((l) => l.shapes > 0);
	const bars = labels.map((l) => ({
		name: l.label, value: classes ? l.images : l.shapes, note: classes ? share(l.images) : `on ${count(l.images)}`, colour: labelColour(Math.max(0, deployment.labels.indexOf(l.label))),
	}));
	const none = { name: classes ? 'no answer' : 'images without shapes', value: data.totals.without_shapes, note: share(data.totals.without_shapes), muted: true };
	return (
		<ChartPanel id="labels" title={classes ? 'Answers' : 'Labels'} of={classes ? `${ofImages(data)} No answer: the highest score was under the threshold.` : `${ofShapes(data)} The second number: images with it.`} basis={data.basis} empty={bars.length === 0 && !classes ? NO_SHAPES : null}>
			<Bars most={classes ? 8 : 13} bars={classes || none.value > 0 ? [...bars, none] : bars} label={classes ? 'Images of each answer' : 'Shapes of each label'} chosen={filter.label} onChoose={(label) => onFilter({ label: label === filter.label ? '' : label })} />
		</ChartPanel>
	);
}

function Spread({ title, histogram, of, counted, format, data, unit, empty, whole = false }: {
	title: string;
	histogram: Histogram | null;
	of: string;
	/** Of how many, where it is neither all shapes nor all images. */
	counted?: string;
	format: (value: number) => string;
	data: DashboardData;
	unit: 'image' | 'shape';
	empty: string;
	whole?: boolean;
}): JSX.Element {
	const some = histogram !== null && total(histogram) > 0;
	return (
		<ChartPanel title={title} value={some ? medianWords(histogram, format, whole) : undefined} of={`${of} ${counted ?? (unit === 'shape' ? ofShapes(data) : ofImages(data))}`} basis={data.basis} empty={some ? null : empty}>
			{some && <HistogramChart histogram={histogram} format={format} of={unit} label={title} whole={whole} />}
		</ChartPanel>
	);
}

function medianWords(histogram: Histogram, format: (value: number) => string, whole = false): string {
	const median = quantile(histogram, 0.5);
	return median === null ? '' : `median ${format(whole ? Math.floor(median) : median)}`;
}

const percent = (value: number): string => `${Math.round(100 * value)} %`;
const plain = (value: number): string => String(Math.round(value));
/** The last bin has all above. */
const objectsWords = (value: number): string => (value >= 32 ? '32+' : plain(value));
/** Edges of log2(width / height): 1:2, 1:1, 3:1. */
const ratioWords = (log2: number): string => {
	const ratio = 2 ** Math.abs(log2);
	const text = ratio < 9.95 ? String(Math.round(ratio * 10) / 10) : ratio.toFixed(0);
	return log2 < 0 ? `1:${text}` : `${text}:1`;
};
/** Of log2 of the pixels. */
const areaWords = (log2: number): string => {
	const pixels = 2 ** log2;
	return pixels < 1e6 ? `${Math.round(pixels / 1000)} k` : `${(pixels / 1e6).toFixed(1)} M`;
};
/** Of log2(1 + variance). */
const blurWords = (log2: number): string => count(Math.round(2 ** log2 - 1));

function Shapes({ data }: Drawn): JSX.Element {
	const { distributions: d } = data;
	return (
		<>
			<Spread title="Shapes an image" histogram={d.objects} of="How many are found on one." format={objectsWords} whole data={data} unit="image" empty={NO_SHAPES} />
			<Spread title="Scores" histogram={d.scores} of="How sure the model is of what it answers." format={(v) => v.toFixed(2)} data={data} unit="shape" empty={NO_SHAPES} />
			<Spread title="Size of a shape" histogram={d.sizes} of="Square root of its share of the image’s area." format={percent} data={data} unit="shape" empty={NO_SHAPES} />
			<Spread title="Width to height of a shape" histogram={d.ratios} of="1:2 is twice as tall as wide." format={ratioWords} data={data} unit="shape" empty={NO_SHAPES} />
		</>
	);
}

function Classes({ data, markers, onFilter }: Drawn): JSX.Element {
	const { distributions: d, totals } = data;
	const share = data.series.map((p) => (p.no_answer === null || p.predictions === 0 ? null : p.no_answer / p.predictions));
	const images = Math.max(1, totals.predictions);
	const answered = total(d.scores);
	return (
		<>
			<Spread title="Scores" histogram={d.scores} of="How sure the model is of its answer." counted={`Of ${plural(answered, 'answer')}${drawn(data)}.`} format={(v) => v.toFixed(2)} data={data} unit="image" empty="No image has an answer at this threshold." />
			<ChartPanel title="No answer" value={`${((100 * totals.without_shapes) / images).toFixed(1)} %`} of={`Share of images whose highest score was under the threshold. ${ofImages(data)}`} basis={data.basis} empty={share.every((v) => v === null) ? 'No prediction in this stretch of time.' : null}>
				<TimeSeries times={timesOf(data)} series={[{ name: 'no answer', kind: 'line', tone: 'warn', values: share }]} format={(v) => `${(100 * v).toFixed(1)} %`} tick={percent} markers={markers} height={132} onPick={picker(onFilter)} label={`Share of images without an answer over time: ${((100 * totals.without_shapes) / images).toFixed(1)} % in all.`} />
			</ChartPanel>
		</>
	);
}

const NOT_MEASURED = 'Not measured: these predictions came without their images. Send them along, and brightness, contrast and blur are measured.';

function Quality({ name, title, of, format, drawn }: { name: 'brightness' | 'contrast' | 'blur'; title: string; of: string; format: (value: number) => string; drawn: Drawn }): JSX.Element {
	const { data, markers, onFilter } = drawn;
	const histogram = data.distributions[name];
	const some = histogram !== null && total(histogram) > 0;
	const over = data.series.map((p: SeriesPoint) => p[name]);
	return (
		<ChartPanel title={title} value={some ? medianWords(histogram, format) : undefined} of={`${of} ${ofImages(data)}`} basis={data.basis} empty={some ? null : NOT_MEASURED}>
			{some && <HistogramChart histogram={histogram} format={format} of="image" label={title} />}
			{some && over.filter((v) => v !== null).length > 1 && (
				<TimeSeries times={timesOf(data)} series={[{ name: 'mean', kind: 'line', tone: 'main', values: over }]} format={(v) => (v < 9.95 ? v.toFixed(1) : count(v))} fromNought={false} markers={markers} height={104} onPick={picker(onFilter)} label={`Mean ${title.toLowerCase()} over time.`} />
			)}
		</ChartPanel>
	);
}

function Images(drawn: Drawn): JSX.Element {
	const { data } = drawn;
	const ratios = data.distributions.image_ratios ?? [];
	const images = Math.max(1, ratios.reduce((sum, r) => sum + r.images, 0));
	return (
		<div class="chart-grid of-images" id="images">
			<Quality drawn={drawn} name="brightness" title="Brightness" of="Mean luma, 0 to 255." format={plain} />
			<Quality drawn={drawn} name="contrast" title="Contrast" of="Standard deviation of luma." format={plain} />
			<Quality drawn={drawn} name="blur" title="Sharpness" of="Variance of the Laplacian; low is blurred." format={blurWords} />
			<Spread title="Pixels of an image" histogram={data.distributions.image_areas} of="Width times height." format={areaWords} data={data} unit="image" empty="No image in this stretch of time." />
			<ChartPanel title="Shape of images" of={`Width to height. ${ofImages(data)}`} basis={data.basis} empty={ratios.every((r) => r.images === 0) ? 'No image in this stretch of time.' : null}>
				<Bars bars={ratios.map((r) => ({ name: r.name, value: r.images, note: `${((100 * r.images) / images).toFixed(0)} %` }))} label="Images by their shape" />
			</ChartPanel>
		</div>
	);
}

export function NeedsNothing(drawn: Drawn): JSX.Element {
	const classes = drawn.deployment.type === 'CLASSIFICATION';
	return (
		<>
			<div class="chart-grid is-two"><Inferences {...drawn} /><Failures {...drawn} /></div>
			<div class={classes ? 'chart-grid' : 'chart-grid of-shapes'}><Labels {...drawn} />{classes ? <Classes {...drawn} /> : <Shapes {...drawn} />}</div>
			<Images {...drawn} />
		</>
	);
}
