// SPDX-License-Identifier: Apache-2.0
// Send a picture from here: drop it anywhere on the page, paste it, or choose it.
import type { JSX } from 'preact';
import { useEffect, useReducer, useRef } from 'preact/hooks';
import { api } from '../api/client';
import type { Deployment } from '../api/types';
import { sentence } from '../lib/explain';
import { isPicture, type Found } from '../lib/folder';
import { milliseconds, plural } from '../lib/format';
import { nextUpload, uploadReducer, type Upload } from '../lib/upload';
import { withParameter } from '../router';
import { Button } from './basics';
import { DropCover, DropField } from './files';
import { Icon } from './icons';
import { say } from './toasts';
import { useDropped } from './use_dropped';

const AT_ONCE = 2;

function Sent({ upload, retry }: { upload: Upload; retry: () => void }): JSX.Element {
	const { state, file } = upload;
	switch (state.kind) {
	case 'answered':
		return (
			<li class="sent">
				<Icon name="check" size={14} />
				<a href={withParameter('prediction', state.answer.predicted_asset_id)}>{file.name}</a>
				<span class="muted">{plural(state.answer.shapes.length, 'shape')}, {milliseconds(state.answer.latency_ms.total)}</span>
			</li>
		);
	case 'failed':
		return (
			<li class="sent bad">
				<Icon name="warning" size={14} />
				<span class="sent-name">{file.name}</span>
				<span class="sent-why">{sentence(state.error)}</span>
				<Button kind="quiet" onClick={retry}>Again</Button>
			</li>
		);
	default:
		return <li class="sent"><span class="spinner" aria-hidden="true" /><span class="sent-name">{file.name}</span><span class="muted">{state.kind}</span></li>;
	}
}

export function SendCard({ deployment }: { deployment: Deployment }): JSX.Element {
	const [uploads, dispatch] = useReducer(uploadReducer, []);
	const add = (found: readonly Found[]): void => {
		const good = found.filter(({ path, file }) => isPicture(path, file.type));
		const left = found.length - good.length;
		if (left > 0) say('bad', `${plural(left, 'file is', 'files are')} no JPEG, PNG or WebP picture and ${left === 1 ? 'was' : 'were'} left out.`);
		dispatch({ kind: 'added', uploads: good.map(({ file }) => ({ key: crypto.randomUUID(), file, state: { kind: 'waiting' } })) });
	};
	const over = useDropped(add);

	const started = useRef(new Set<string>());
	useEffect(() => {
		const next = nextUpload(uploads, AT_ONCE);
		if (!next || started.current.has(next.key)) return;
		started.current.add(next.key);
		dispatch({ kind: 'changed', key: next.key, state: { kind: 'sending' } });
		api.predict(deployment.id, next.file, next.key).then(
			(answer) => dispatch({ kind: 'changed', key: next.key, state: { kind: 'answered', answer } }),
			(error: unknown) => dispatch({ kind: 'changed', key: next.key, state: { kind: 'failed', error } }),
		).finally(() => started.current.delete(next.key));
	}, [uploads, deployment.id]);

	return (
		<section class="panel card send" aria-label="Send a picture">
			<header class="card-head">
				<h2>Send a picture</h2>
				{uploads.length > 0 && <Button kind="quiet" onClick={() => dispatch({ kind: 'cleared' })}>Clear</Button>}
			</header>
			<DropField multiple onFound={add}>Drop pictures or a folder anywhere, paste, or <u>choose</u></DropField>
			{uploads.length > 0 && (
				<ul class="sent-list" aria-live="polite">
					{uploads.map((u) => (
						<Sent key={u.key} upload={u} retry={() => dispatch({ kind: 'changed', key: u.key, state: { kind: 'waiting' } })} />
					))}
				</ul>
			)}
			<DropCover over={over}>Drop to predict with {deployment.name}</DropCover>
		</section>
	);
}
