// SPDX-License-Identifier: Apache-2.0
// Right after deploying: how pictures get here, as commands that work as they stand.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Deployment } from '../api/types';
import { shellWord } from '../lib/format';
import { Command } from './basics';
import { connectCommand } from './first_steps';

function ways(deployment: Deployment): readonly { name: string; text: string }[] {
	const host = location.origin;
	return [
		{ name: 'gyre', text: `${connectCommand()}\ngyre predict ${shellWord(deployment.name)} photo.jpg --json` },
		{ name: 'curl', text: `curl -H "Authorization: Bearer $(cat var/admin-token)" -F media=@photo.jpg \\\n  ${host}/api/deployments/${deployment.id}/predict` },
		{
			name: 'Python', text: `from picsellia import Client\n\nclient = Client(api_token=open("var/admin-token").read().strip(), host="${host}")\n` +
				`print(client.get_deployment("${deployment.name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}").predict("photo.jpg"))`,
		},
	];
}

export function FirstPicture({ deployment }: { deployment: Deployment }): JSX.Element {
	const all = ways(deployment);
	const [chosen, setChosen] = useState(0);
	const way = all[chosen];
	return (
		<section class="panel padded first-picture" aria-label="Send the first picture">
			<h2>Send the first picture</h2>
			<p class="muted">Drop one anywhere on this page, or send it from where your pictures are. It appears here by itself.</p>
			<fieldset class="segments">
				<legend class="unseen">How to send</legend>
				{all.map(({ name }, i) => (
					<label key={name} class={i === chosen ? 'segment is-on' : 'segment'}>
						<input class="unseen" type="radio" name="way" checked={i === chosen} onChange={() => setChosen(i)} />{name}
					</label>
				))}
			</fieldset>
			{way && <Command>{way.text}</Command>}
		</section>
	);
}
