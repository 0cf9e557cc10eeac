// SPDX-License-Identifier: Apache-2.0
// The curves of a training: the loss falls, the metric on the validation images rises above the model it began with.
import type { JSX } from 'preact';
import { EpochChart, type EpochLine } from '../charts/epochs';
import { Legend } from '../charts/time_series';
import type { ExperimentLog, Training } from '../api/loop';
import { points } from '../lib/quality';
import { curvesOf, isOpen, parameterRows, shortName, type Curve } from '../lib/training';

const TONES = ['main', 'second', 'shadow', 'warn', 'bad'] as const;
const LOSSES_MAX = 4;

const asLines = (curves: readonly Curve[], title: (curve: Curve) => string): EpochLine[] =>
	curves.map((c, i) => ({ ...c, title: title(c), tone: TONES[i % TONES.length] ?? 'main' }));

const lossTitle = ({ name }: Curve): string => (name === 'train/loss' || name === 'loss' ? 'Loss' : shortName(name).replace(/^loss[/_]/, '').replace(/[/_]?loss$/, '') || 'Loss');

/** As many epochs as were planned, so that one sees how far it is. */
function planned(logs: readonly ExperimentLog[]): number {
	const said = parameterRows(logs).find(([key]) => key === 'epochs');
	return said ? Number(said[1]) || 0 : 0;
}

function Panel({ title, value, lines, flat, children, empty }: {
	title: string;
	value?: string | undefined;
	lines: readonly EpochLine[];
	flat?: string | null;
	children: JSX.Element;
	empty: string | null;
}): JSX.Element {
	return (
		<section class="panel chart-panel" aria-label={title}>
			<header><h2>{title}</h2>{value && empty === null && <strong>{value}</strong>}</header>
			{empty === null ? children : <p class="chart-nothing">{empty}</p>}
			{empty === null && (lines.length > 1 || flat) && <Legend series={[...lines.map((l) => ({ name: l.title, tone: l.tone })), ...(flat ? [{ name: flat, tone: 'shadow' as const }] : [])]} />}
		</section>
	);
}

export function TrainingCurves({ logs, training }: { logs: readonly ExperimentLog[]; training: Training | null }): JSX.Element | null {
	const curves = curvesOf(logs);
	const open = training !== null && isOpen(training);
	if (curves.length === 0 && !open) return null;
	const last = curves.first + Math.max(curves.length, open ? planned(logs) : 0, 2) - 1;
	const losses = asLines(curves.loss.slice(0, LOSSES_MAX), lossTitle);
	const metrics = asLines(curves.metric.slice(0, 3), (c) => shortName(c.name));
	const [leading] = curves.metric;
	const best = curves.best === null ? null : leading?.values[curves.best] ?? null;
	const name = leading ? shortName(leading.name) : 'metric';
	const waits = open ? 'It is drawn from the first epoch on.' : 'Nothing was logged.';
	const baseTitle = training?.base ? `${training.base.model}:${training.base.version}, where it began` : 'where it began';
	const lowest = Math.min(...(curves.loss[0]?.values.filter((v): v is number => v !== null) ?? []));
	return (
		<div class="curves">
			<Panel title={`Validation ${name}`} value={best === null ? undefined : `best ${points(best)} at epoch ${curves.first + (curves.best ?? 0)}`} lines={metrics} flat={curves.base === null ? null : baseTitle} empty={curves.metric.length > 0 ? null : waits}>
				<EpochChart first={curves.first} last={last} lines={metrics} flat={curves.base === null ? null : { value: curves.base, title: 'where it began' }} best={curves.best} format={points}
					label={`Validation ${name} by epoch, in percent.${best === null ? '' : ` The best is ${points(best)}.`}${curves.base === null ? '' : ` The model it began with has ${points(curves.base)}.`}`} />
			</Panel>
			<Panel title="Loss" value={Number.isFinite(lowest) ? `lowest ${lowest.toPrecision(3)}` : undefined} lines={losses} empty={curves.loss.length > 0 ? null : waits}>
				<EpochChart first={curves.first} last={last} lines={losses} flat={null} best={null} format={(v) => String(Number(v.toPrecision(3)))} fromNought label={`Loss by epoch. ${losses.length > 1 ? 'The whole and its parts.' : ''}`} />
			</Panel>
		</div>
	);
}
