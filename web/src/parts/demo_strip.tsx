// SPDX-License-Identifier: Apache-2.0
// While the demo plays, a strip on top of every page says what one sees, and why.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { demo, type Demo } from '../api/demo';
import { demoWords } from '../lib/demo_words';
import { place } from '../router';
import { Button } from './basics';
import { Confirm } from './dialog';
import { useStore } from './hooks';
import { Icon } from './icons';

const LOOK_MS = 3000;

/** Asked once; again as long as it plays. A server that does not answer is asked again: the demo may have killed it. */
function useDemo(): [Demo | null, (demo: Demo | null) => void] {
	const [now, setNow] = useState<Demo | null>(null);
	const running = now?.state === 'running';
	useEffect(() => {
		const until = new AbortController();
		const look = (): void => {
			demo.get(until.signal).then(setNow, () => undefined);
		};
		look();
		const timer = running ? setInterval(look, LOOK_MS) : undefined;
		return () => {
			until.abort();
			clearInterval(timer);
		};
	}, [running]);
	return [now, setNow];
}

export function DemoStrip({ mayRemove }: { mayRemove: boolean }): JSX.Element | null {
	const [now, setNow] = useDemo();
	const [asks, setAsks] = useState(false);
	const { path } = useStore(place);
	if (now === null || now.state === 'none') return null;
	const { head, text } = demoWords(now);
	const elsewhere = now.state === 'running' && now.link !== null && now.link.split(/[#?]/)[0] !== path;
	return (
		<section class="demo-strip" aria-label="Demo">
			<Icon name="play" />
			<p><strong>{head}</strong> {text}</p>
			{elsewhere && <a class="button" href={now.link ?? '/'}>Show me</a>}
			{mayRemove && now.state !== 'running' && <Button onClick={() => setAsks(true)}>Remove demo</Button>}
			{asks && (
				<Confirm title="Remove the demo" action="Remove demo" danger onClose={() => setAsks(false)} run={async () => {
					await demo.remove(now.remove);
					setAsks(false);
					setNow(null);
				}}>
					<p>Its deployment, project, model, dataset and reviewer are deleted. What you made yourself stays.</p>
				</Confirm>
			)}
		</section>
	);
}
