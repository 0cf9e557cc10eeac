// SPDX-License-Identifier: Apache-2.0
// Two distributions over each other: as densities (bars, where values are whole numbers), and as cumulative shares,
// where D is the widest gap.
import type { JSX } from 'preact';
import type { DriftFeature, Quantiles } from '../api/watch';
import { commonRange, cumulative, density, dWords, isWhole, nameShares, short, wholeShares, widestGap, type Curve } from '../lib/drift';
import { axisBetween } from '../lib/plot';

const W = 330;
const H = 196;
const PAD = { left: 32, right: 8, top: 10, bottom: 36 };
const INNER_W = W - PAD.left - PAD.right;
const INNER_H = H - PAD.top - PAD.bottom;

function line(points: Curve, [low, high]: readonly [number, number], top: number): string {
	return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${(((x - low) / (high - low)) * INNER_W).toFixed(1)} ${(INNER_H * (1 - y / top)).toFixed(1)}`).join('');
}

/** A stair for whole numbers: the share jumps at each. */
function stairs(quantiles: readonly number[], low: number, high: number): Curve {
	let sum = 0;
	return wholeShares(quantiles, low, high).flatMap((share, i): Curve => {
		const before = sum;
		sum += share;
		return [[low + i, before], [low + i, sum]];
	});
}

function Axes({ range, title, ticks, shares, label, children }: {
	range: readonly [number, number];
	title: string;
	ticks: readonly (readonly [number, string])[];
	/** The upright axis says percent. */
	shares: boolean;
	label: string;
	children: JSX.Element;
}): JSX.Element {
	const [low, high] = range;
	return (
		<svg class="plot" viewBox={`0 0 ${W} ${H}`} role="img" aria-label={label}>
			<g transform={`translate(${PAD.left} ${PAD.top})`}>
				{[0, 0.25, 0.5, 0.75, 1].map((t) => (
					<g key={t}>
						{(shares || t === 0) && <line class="plot-line" x1={0} x2={INNER_W} y1={INNER_H * (1 - t)} y2={INNER_H * (1 - t)} />}
						{shares && <text class="plot-text" x={-7} y={INNER_H * (1 - t) + 3.5} text-anchor="end">{100 * t}</text>}
					</g>
				))}
				{ticks.map(([at, text]) => <text key={text} class="plot-text" x={((at - low) / (high - low)) * INNER_W} y={INNER_H + 15} text-anchor="middle">{text}</text>)}
				<text class="plot-name" x={INNER_W} y={INNER_H + 31} text-anchor="end">{title}</text>
				{shares && <text class="plot-name" x={INNER_W} y={INNER_H - 7} text-anchor="end">% of images at or below</text>}
				{children}
			</g>
		</svg>
	);
}

interface Both {
	reference: readonly number[];
	window: readonly number[];
	range: readonly [number, number];
	ticks: readonly (readonly [number, string])[];
	title: string;
}

function Densities({ reference, window, range, ticks, title, images }: Both & { images: { reference: number; window: number } }): JSX.Element {
	const a = density(reference, images.reference, range);
	const b = density(window, images.window, range);
	const top = 1.06 * Math.max(...a.map((p) => p[1]), ...b.map((p) => p[1]), 1e-12);
	const area = (points: Curve): string => (points.length > 0 ? `${line(points, range, top)}L${INNER_W} ${INNER_H}L0 ${INNER_H}Z` : '');
	return (
		<Axes range={range} title={title} ticks={ticks} shares={false} label={`${title}: how often each value is, Training Data behind, now before`}>
			<>
				<path class="area reference" d={area(a)} />
				<path class="area window" d={area(b)} />
				<path class="curve past" d={line(a, range, top)} />
				<path class="curve" d={line(b, range, top)} />
			</>
		</Axes>
	);
}

function Bars({ reference, window, range, ticks, title }: Both): JSX.Element {
	const low = Math.ceil(range[0]);
	const high = Math.floor(range[1]);
	const a = wholeShares(reference, low, high);
	const b = wholeShares(window, low, high);
	const top = 1.06 * Math.max(...a, ...b, 1e-12);
	const step = INNER_W / (range[1] - range[0]);
	const bar = Math.min(18, 0.4 * step);
	const rect = (name: string, shares: readonly number[], offset: number): JSX.Element[] => shares.map((share, i) => share > 0 ? (
		<rect key={`${name}${i}`} class={`area ${name}`} x={(low + i - range[0]) * step + offset} width={bar} y={INNER_H * (1 - share / top)} height={(INNER_H * share) / top} />
	) : <g key={`${name}${i}`} />);
	return (
		<Axes range={range} title={title} ticks={ticks} shares={false} label={`${title}: how often each value is, Training Data left, now right`}>
			<>{rect('reference', a, -bar)}{rect('window solid', b, 0)}</>
		</Axes>
	);
}

function Cumulative({ reference, window, range, ticks, title, whole, d }: Both & { whole: boolean; d: number | null }): JSX.Element {
	const [low, high] = [Math.ceil(range[0]), Math.floor(range[1])];
	const curve = (quantiles: readonly number[]): Curve => (whole ? [[range[0], 0], ...stairs(quantiles, low, high), [range[1], 1]] : [[range[0], 0], ...cumulative(quantiles).map(([x, y]): [number, number] => [x, y]), [range[1], 1]]);
	const gap = whole ? null : widestGap(reference, window);
	const x = gap ? ((gap.x - range[0]) / (range[1] - range[0])) * INNER_W : 0;
	const right = x > INNER_W - 60;
	return (
		<Axes range={range} title={title} ticks={ticks} shares label={`${title}: share of images at or below each value, Training Data and now; they differ by at most ${dWords(d)}`}>
			<>
				<path class="curve past" d={line(curve(reference), range, 1)} />
				<path class="curve" d={line(curve(window), range, 1)} />
				{gap && d !== null && d >= 0.05 && (
					<g class="gap">
						<line x1={x} x2={x} y1={INNER_H * (1 - gap.a)} y2={INNER_H * (1 - gap.b)} />
						<text x={right ? x - 6 : x + 6} y={INNER_H * (1 - (gap.a + gap.b) / 2) + 4} text-anchor={right ? 'end' : 'start'}>{`D ${dWords(d)}`}</text>
					</g>
				)}
			</>
		</Axes>
	);
}

const NAMES_SHOWN = 8;

/** Labels: two bars each, and no order among them. */
function Names({ reference, window, names }: { reference: readonly number[]; window: readonly number[]; names: readonly string[] }): JSX.Element {
	const shares = nameShares(reference, window, NAMES_SHOWN);
	const top = Math.max(...shares.flatMap((s) => [s.reference, s.window]), 1e-9);
	const bar = (name: string, share: number): JSX.Element => <i class={`name-bar ${name}`} style={{ width: `${(100 * share) / top}%` }} />;
	return (
		<ul class="name-shares">
			{shares.map((s) => (
				<li key={s.value}>
					<span>{s.value < 0 ? 'no answer' : names[s.value] ?? s.value}</span>
					<span aria-hidden="true">{bar('reference', s.reference)}{bar('window', s.window)}</span>
					<span class="muted">{Math.round(100 * s.reference)} → {Math.round(100 * s.window)} %</span>
				</li>
			))}
		</ul>
	);
}

/** names: what a value is called, where it is a label. */
export function Distributions({ feature, images, names }: { feature: DriftFeature; images: { reference: number; window: number }; names: readonly string[] | null }): JSX.Element {
	// Counts are whole; a quantile between two of them is the nearer one.
	const values = (side: Quantiles | null): number[] => (feature.name === 'objects' ? side?.quantiles.map(Math.round) : side?.quantiles) ?? [];
	const [reference, window] = [values(feature.reference), values(feature.window)];
	if (reference.length < 2 || window.length < 2) return <p class="muted">{reference.length < 2 ? 'Training Data has no value of it.' : 'No image of this window has a value of it.'}</p>;
	if (names) return <Names reference={reference} window={window} names={names} />;
	const whole = isWhole(reference, window);
	const [low, high] = [Math.min(reference[0] ?? 0, window[0] ?? 0), Math.max(reference.at(-1) ?? 0, window.at(-1) ?? 0)];
	const range = whole ? ([low - 0.6, high + 0.6] as const) : commonRange(reference, window);
	const ticks = (whole && high - low <= 8 ? Array.from({ length: high - low + 1 }, (_, i) => low + i) : axisBetween(range[0], range[1], 6))
		.filter((t) => t >= range[0] && t <= range[1] && (!whole || Number.isInteger(t))).map((t) => [t, short(t)] as const);
	const both = { reference, window, range, ticks, title: feature.unit ? `${feature.title}, ${feature.unit}` : feature.title };
	return (
		<div class="distributions">
			{whole ? <Bars {...both} /> : <Densities {...both} images={images} />}
			<Cumulative {...both} whole={whole} d={feature.d} />
		</div>
	);
}
