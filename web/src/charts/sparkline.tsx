// SPDX-License-Identifier: Apache-2.0
// The last latencies as a line a word high. From nought, so that a steady line looks steady.
import type { JSX } from 'preact';
import { milliseconds } from '../lib/format';
import { sparkPath } from '../lib/spark';

const WIDTH = 120;
const HEIGHT = 26;

export function Sparkline({ values }: { values: readonly number[] }): JSX.Element {
	if (values.length < 2) return <span class="muted">–</span>;
	const words = `Last ${values.length} latencies, ${milliseconds(Math.min(...values))} to ${milliseconds(Math.max(...values))}`;
	const { line, area, end } = sparkPath(values, WIDTH, HEIGHT);
	return (
		<svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={words}>
			<title>{words}</title>
			<path class="spark-area" d={area} />
			<path class="spark-line" d={line} />
			<circle class="spark-end" cx={end[0]} cy={end[1]} r="1.9" />
		</svg>
	);
}
