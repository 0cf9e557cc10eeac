// SPDX-License-Identifier: Apache-2.0
// Precision against recall, a line a version; or, for classes, both against the threshold.
import type { JSX } from 'preact';
import type { VersionQuality } from '../api/learn';
import { path, points } from '../lib/quality';

const W = 420;
const H = 230;
const PAD = { left: 40, bottom: 36, top: 8, right: 10 };
const TICKS = [0, 0.25, 0.5, 0.75, 1];

export function Frame({ x, y, children, label, xs = TICKS.map((t): [number, string] => [t, String(100 * t)]), top = 1 }: {
	x: string;
	y: string;
	label: string;
	xs?: readonly (readonly [at: number, text: string])[];
	/** Value at the upper edge. */
	top?: number;
	children: (width: number, height: number) => JSX.Element;
}): JSX.Element {
	const width = W - PAD.left - PAD.right;
	const height = H - PAD.top - PAD.bottom;
	return (
		<svg class="plot" viewBox={`0 0 ${W} ${H}`} role="img" aria-label={label}>
			<g transform={`translate(${PAD.left} ${PAD.top})`}>
				{TICKS.map((t) => (
					<g key={t}>
						<line class="plot-line" x1={0} x2={width} y1={height * (1 - t)} y2={height * (1 - t)} />
						<text class="plot-text" x={-7} y={height * (1 - t) + 3.5} text-anchor="end">{Math.round(100 * t * top)}</text>
					</g>
				))}
				{xs.map(([at, text]) => <text key={`${at} ${text}`} class="plot-text" x={at * width} y={height + 15} text-anchor="middle">{text}</text>)}
				<text class="plot-name" x={width / 2} y={height + 32} text-anchor="middle">{x}</text>
				<text class="plot-name" transform={`translate(-30 ${height / 2}) rotate(-90)`} text-anchor="middle">{y}</text>
				{children(width, height)}
			</g>
		</svg>
	);
}

/** COCO's curve: 101 precisions; where recall was not reached precision is nought. */
function curvePath(curve: readonly (readonly number[])[], width: number, height: number): string {
	const reached = curve.filter((p, i) => (p[1] ?? 0) > 0 || i === 0);
	return path(reached.map((p) => [p[0] ?? 0, p[1] ?? 0] as const), width, height);
}

/** COCO's: the mean over the labels, at IoU 0.5. */
export function PrCurve({ versions }: { versions: readonly VersionQuality[] }): JSX.Element {
	const words = versions.map((v) => `${v.name}: precision ${points(v.at_threshold?.precision)}, recall ${points(v.at_threshold?.recall)} at the threshold`).join('; ');
	return (
		<Frame x="Recall, %" y="Precision, %" label={`Precision against recall at IoU 0.5. ${words}`}>
			{(width, height) => (
				<>{[...versions].reverse().map((v) => v.curve && <path key={v.model_version_id} class={`curve ${v.role}`} d={curvePath(v.curve, width, height)} />)}</>
			)}
		</Frame>
	);
}

/** [threshold, precision, recall, f1]. */
export function ThresholdCurve({ version, threshold }: { version: VersionQuality; threshold: number }): JSX.Element {
	const curve = version.curve ?? [];
	const lines = [['precision', 1], ['recall', 2], ['f1', 3]] as const;
	return (
		<Frame x="Threshold" y="%" xs={TICKS.map((t) => [t, t.toFixed(2)] as const)} label="Precision, recall and F1 by threshold">
			{(width, height) => (
				<>
					{lines.map(([name, i]) => <path key={name} class={`curve ${name}`} d={path(curve.map((p) => [p[0] ?? 0, p[i] ?? 0] as const), width, height)} />)}
					<line class="curve-now" x1={threshold * width} x2={threshold * width} y1={0} y2={height} />
				</>
			)}
		</Frame>
	);
}
