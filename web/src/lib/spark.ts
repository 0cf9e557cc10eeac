// SPDX-License-Identifier: Apache-2.0

export interface SparkPath {
	line: string;
	area: string;
	end: [x: number, y: number];
}

/** A line from nought to the greatest value, oldest on the left, two pixels of air around it. */
export function sparkPath(values: readonly number[], width: number, height: number): SparkPath {
	const top = Math.max(...values, 1e-9);
	const x = (i: number): number => 2 + (i / Math.max(1, values.length - 1)) * (width - 5);
	const y = (v: number): number => height - 2 - (Math.max(0, v) / top) * (height - 4);
	const points = values.map((v, i): [number, number] => [round(x(i)), round(y(v))]);
	const line = points.map(([px, py], i) => `${i ? 'L' : 'M'}${px} ${py}`).join('');
	const end = points[points.length - 1] ?? [0, height];
	return { line, area: `${line}L${end[0]} ${height}L2 ${height}Z`, end };
}

const round = (n: number): number => Math.round(n * 10) / 10;
