// SPDX-License-Identifier: Apache-2.0
// Where a training is: its stages as a line of steps, what happens now, how far it is and how long it takes yet.
import type { JSX } from 'preact';
import type { Training, TrainingStage } from '../api/loop';
import { duration, exact } from '../lib/format';
import { isOpen, stageNow, tookSeconds } from '../lib/training';
import { Progress } from './files';
import { useNow } from './hooks';
import { Icon } from './icons';

const WORDS: Record<TrainingStage['state'], string> = { done: 'done', running: 'happens now', waiting: 'to come', passed: 'not needed here', failed: 'failed' };

function Step({ stage, index }: { stage: TrainingStage; index: number }): JSX.Element {
	return (
		<li class={`stage-step is-${stage.state}`} title={stage.help} aria-current={stage.state === 'running' ? 'step' : undefined}>
			<span class="stage-mark" aria-hidden="true">
				{stage.state === 'done' ? <Icon name="check" size={13} /> : stage.state === 'failed' ? <Icon name="close" size={12} /> : stage.state === 'running' ? <span class="spinner" /> : stage.state === 'passed' ? '–' : index + 1}
			</span>
			<span class="stage-name">{stage.title}<span class="unseen">, {WORDS[stage.state]}{stage.done_at && ` at ${exact(stage.done_at).slice(11, 19)}`}</span></span>
		</li>
	);
}

/** CPU as "1.9 of 2 cores" would be: over the time it ran. */
function Usage({ training }: { training: Training }): JSX.Element {
	const now = useNow();
	const took = tookSeconds(training, now);
	const cores = took !== null && took > 2 && training.cpu_s > 0 ? training.cpu_s / took : null;
	return (
		<dl class="numbers stage-usage">
			<div><dt>{isOpen(training) ? 'Runs for' : 'Took'}</dt><dd>{took === null ? '–' : duration(took)}</dd></div>
			<div><dt>CPU time</dt><dd>{training.cpu_s > 0 ? duration(training.cpu_s) : '–'}{cores !== null && isOpen(training) && <small class="muted"> {cores.toFixed(1)} cores</small>}</dd></div>
			<div><dt>Memory, at most</dt><dd>{training.memory_mb > 0 ? `${Math.round(training.memory_mb)} MB` : '–'}</dd></div>
			{training.attempt > 1 && <div><dt>Attempt</dt><dd>{training.attempt}</dd></div>}
		</dl>
	);
}

export function Stages({ training }: { training: Training }): JSX.Element {
	const now = stageNow(training);
	const open = isOpen(training);
	const trains = now?.name === 'train' && training.status === 'RUNNING';
	return (
		<section class="panel padded stages-panel" aria-label="Stages">
			<ol class="stages">{training.stages.map((stage, i) => <Step key={stage.name} stage={stage} index={i} />)}</ol>
			{open && (
				<div class="stage-now" aria-live="polite">
					<p><strong>{training.status === 'WAITING' ? 'Waits for its turn' : now?.title}</strong> <span class="muted">{training.status === 'WAITING' ? 'One training runs at a time.' : now?.help}</span></p>
					{training.status === 'RUNNING' && (
						<>
							<Progress share={trains && training.progress > 0 ? training.progress : null} label={`${now?.title ?? 'Training'}, progress`} />
							<p class="stage-words">
								{trains && training.progress > 0 && <strong>{Math.round(100 * training.progress)} %</strong>}
								<span class="muted">{training.message}</span>
								{training.left_s !== null && training.left_s > 0 && <span class="stage-left">about {duration(training.left_s)} left</span>}
							</p>
						</>
					)}
				</div>
			)}
			<Usage training={training} />
		</section>
	);
}
