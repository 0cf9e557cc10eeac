// SPDX-License-Identifier: Apache-2.0
// The console of a training: it follows its end until one scrolls up to read.
import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { count } from '../lib/format';
import { Button, Copy, Failure } from './basics';
import type { Console } from './live_training';

const NEAR_END = 24;

export function TrainingLog({ console, open }: { console: Console; open: boolean }): JSX.Element {
	const box = useRef<HTMLPreElement>(null);
	const [follows, setFollows] = useState(true);
	const { lines, cut, error } = console;
	useLayoutEffect(() => {
		if (follows && box.current) box.current.scrollTop = box.current.scrollHeight;
	}, [lines, follows]);
	return (
		<section class="panel log-panel" aria-label="Log">
			<header class="panel-head">
				<h2>Log{lines.length > 0 && <span class="count">{count(lines.length + cut)}</span>}</h2>
				<span class="row-actions">
					{!follows && <Button kind="quiet" onClick={() => setFollows(true)}>{open ? 'Follow' : 'To its end'}</Button>}
					{lines.length > 0 && <Copy text={lines.join('\n')} what="log" />}
				</span>
			</header>
			{error !== null && <Failure error={error} what="The log could not be read" onRetry={console.more} />}
			{lines.length === 0 && error === null
				? <p class="muted log-nothing">{open ? 'The trainer has said nothing yet.' : 'Nothing was written.'}</p>
				: (
					<pre ref={box} class="log" tabIndex={0} aria-label="Lines of the log" onScroll={(event) => {
						const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
						setFollows(scrollHeight - scrollTop - clientHeight < NEAR_END);
					}}>{cut > 0 && `… ${count(cut)} lines before\n`}{lines.join('\n')}</pre>
				)}
		</section>
	);
}
