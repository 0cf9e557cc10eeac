// SPDX-License-Identifier: Apache-2.0
// Quality over time: a dot a span for each version, as large as the number of its images allows one to believe it.
import type { JSX } from 'preact';
import type { Quality, VersionQuality } from '../api/learn';
import { path, points } from '../lib/quality';
import { tickLabel } from '../lib/ticks';
import { plural } from '../lib/format';
import { Frame } from './pr_curve';

const seconds = (at: string | number): number => (typeof at === 'number' ? at : Date.parse(at) / 1000);

export function QualityTime({ over, versions, metric }: { over: Quality['over_time']; versions: readonly VersionQuality[]; metric: string }): JSX.Element {
	const spans = over.map((s) => ({ ...s, middle: (seconds(s.from) + seconds(s.to)) / 2 }));
	const first = Math.min(...spans.map((s) => seconds(s.from)));
	const last = Math.max(...spans.map((s) => seconds(s.to)), first + 1);
	const most = Math.max(1, ...spans.map((s) => s.images));
	const x = (at: number): number => (at - first) / (last - first);
	const ticks = [0.08, 0.36, 0.64, 0.92].map((t) => [t, tickLabel(Math.round((first + t * (last - first)) / 60) * 60, Math.max(60, (last - first) / 4))] as const);
	const shown = ticks.filter(([, text], i) => ticks.findIndex(([, other]) => other === text) === i);
	return (
		<Frame x="" y={`${metric}, %`} xs={shown} label={`${metric} over time, in ${plural(spans.length, 'span')}`}>
			{(width, height) => (
				<>
					{[...versions].reverse().map((v) => {
						const values = spans.map((s) => ({ at: x(s.middle), value: s.values[v.model_version_id] ?? null, images: s.images }));
						return (
							<g key={v.model_version_id} class={v.role}>
								<path class={`curve ${v.role}`} d={path(values.map((p) => (p.value === null ? null : [p.at, p.value] as const)), width, height)} />
								{values.map((p, i) => p.value !== null && (
									<circle key={i} class={`curve-dot ${v.role}`} cx={p.at * width} cy={(1 - p.value) * height} r={2.2 + 3 * Math.sqrt(p.images / most)}><title>{`${v.name}: ${points(p.value)} on ${plural(p.images, 'image')}`}</title></circle>
								))}
							</g>
						);
					})}
				</>
			)}
		</Frame>
	);
}
