// SPDX-License-Identifier: Apache-2.0
// Whether this server can train, with what; or what to install.
import type { JSX } from 'preact';
import { loopApi } from '../api/loop';
import { plural } from '../lib/format';
import { Failure } from './basics';
import { useLoad } from './hooks';
import { Icon } from './icons';

export function TrainerState(): JSX.Element | null {
	const trainer = useLoad('trainer', loopApi.trainer);
	if (trainer.error !== null) return <Failure error={trainer.error} what="The trainer could not be asked" onRetry={trainer.reload} />;
	const { data } = trainer;
	if (!data) return null;
	if (!data.available) {
		return (
			<section class="notice warn" aria-label="Trainer">
				<Icon name="warning" />
				<div><strong>This server has no trainer</strong><p>{data.reason} <span class="todo">All else works: models are served, watched, reviewed and measured; trained versions can come from elsewhere.</span></p></div>
			</section>
		);
	}
	const may = [data.threads ? plural(data.threads, 'thread') : '', data.memory_mb ? `at most ${Math.round(data.memory_mb)} MB of memory` : ''].filter(Boolean).join(', ');
	return (
		<section class="trainer-state" aria-label="Trainer">
			<Icon name="check" />
			<p><strong>Trainer</strong> {[data.name, data.version].filter(Boolean).join(' ')}{may && <span class="muted">, {may}. Trainings stand back behind what serves.</span>}</p>
		</section>
	);
}
