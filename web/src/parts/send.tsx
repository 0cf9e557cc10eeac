// SPDX-License-Identifier: Apache-2.0
// Send a picture from here: drop it anywhere on the page, paste it, or choose it.
import type { JSX } from 'preact';
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Deployment } from '../api/types';
import { sentence } from '../lib/explain';
import { milliseconds, plural } from '../lib/format';
import { acceptable, nextUpload, uploadReducer, type Upload } from '../lib/upload';
import { withParameter } from '../router';
import { Button } from './basics';
import { Icon } from './icons';
import { say } from './toasts';

const AT_ONCE = 2;

const withFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;

/** Calls back with files dropped on the window or pasted; answers whether files hang over it. */
function useDropped(onFiles: (files: Iterable<File>) => void): boolean {
	const [over, setOver] = useState(false);
	const take = useRef(onFiles);
	take.current = onFiles;
	useEffect(() => {
		let depth = 0;
		const enter = (event: DragEvent): void => {
			if (!withFiles(event)) return;
			depth += 1;
			setOver(true);
		};
		const leave = (event: DragEvent): void => {
			if (!withFiles(event)) return;
			depth = Math.max(0, depth - 1);
			if (depth === 0) setOver(false);
		};
		const hold = (event: DragEvent): void => {
			if (withFiles(event)) event.preventDefault();
		};
		const drop = (event: DragEvent): void => {
			depth = 0;
			setOver(false);
			if (!withFiles(event)) return;
			event.preventDefault();
			take.current(event.dataTransfer?.files ?? []);
		};
		const paste = (event: ClipboardEvent): void => {
			const files = event.clipboardData?.files;
			if (files && files.length > 0) take.current(files);
		};
		const until = new AbortController();
		addEventListener('dragenter', enter, until);
		addEventListener('dragleave', leave, until);
		addEventListener('dragover', hold, until);
		addEventListener('drop', drop, until);
		addEventListener('paste', paste, until);
		return () => until.abort();
	}, []);
	return over;
}

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
	const input = useRef<HTMLInputElement>(null);
	const add = (files: Iterable<File>): void => {
		const all = [...files];
		const good = all.filter(acceptable);
		if (good.length < all.length) say('bad', `${plural(all.length - good.length, 'file is', 'files are')} no JPEG, PNG or WebP picture and ${all.length - good.length === 1 ? 'was' : 'were'} left out.`);
		dispatch({ kind: 'added', uploads: good.map((file) => ({ key: crypto.randomUUID(), file, state: { kind: 'waiting' } })) });
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
			<button type="button" class="drop" onClick={() => input.current?.click()}>
				<Icon name="upload" size={20} />
				<span>Drop pictures anywhere, paste, or <u>choose</u></span>
			</button>
			<input ref={input} type="file" accept="image/jpeg,image/png,image/webp" multiple hidden onChange={(event) => {
				add(event.currentTarget.files ?? []);
				event.currentTarget.value = '';
			}} />
			{uploads.length > 0 && (
				<ul class="sent-list" aria-live="polite">
					{uploads.map((u) => (
						<Sent key={u.key} upload={u} retry={() => dispatch({ kind: 'changed', key: u.key, state: { kind: 'waiting' } })} />
					))}
				</ul>
			)}
			{over && <div class="drop-cover" aria-hidden="true"><div><Icon name="upload" size={28} />Drop to predict with {deployment.name}</div></div>}
		</section>
	);
}
