// SPDX-License-Identifier: Apache-2.0
// The way in: the one-time link needs no page, so this one is for the token, and for links that no longer work.
import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { api, ApiError } from '../api/client';
import { explain } from '../lib/explain';
import { Button } from '../parts/basics';
import { useTitle } from '../parts/hooks';
import { Icon, Mark } from '../parts/icons';
import { ThemeSwitch } from '../parts/theme';

export function LoginPage({ expired, onSignedIn }: { expired: boolean; onSignedIn: () => void }): JSX.Element {
	const [token, setToken] = useState('');
	const [shown, setShown] = useState(false);
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<string | null>(null);
	const field = useId();
	const problem = useId();
	useTitle('Sign in');

	const submit = async (event: Event): Promise<void> => {
		event.preventDefault();
		if (!token.trim()) {
			setError('Paste the API token first.');
			return;
		}
		setBusy(true);
		setError(null);
		try {
			await api.signIn(token.trim());
			onSignedIn();
		} catch (failure) {
			const { why, todo } = explain(failure, '');
			setError(failure instanceof ApiError && failure.status === 401
				? 'This token is not known here. Check that it was copied whole.' : `${why} ${todo}`);
			setBusy(false);
		}
	};

	const input = {
		id: field, class: 'input mono', autoComplete: 'current-password', spellcheck: false, autoFocus: true, value: token,
		'aria-invalid': error !== null, 'aria-describedby': error !== null ? problem : undefined,
		onInput: (event: { currentTarget: HTMLInputElement }) => setToken(event.currentTarget.value),
	} as const;
	return (
		<main class="login" id="main">
			<div class="login-card">
				<h1 class="login-brand"><Mark size={34} />gyre</h1>
				{expired && (
					<div class="notice warn" role="alert">
						<Icon name="warning" />
						<div>
							<strong>That link no longer works</strong>
							<p>A sign-in link works once, and only for a while. Sign in with the token below, or start the server again for a new link.</p>
						</div>
					</div>
				)}
				<form onSubmit={submit} noValidate>
					<label for={field}>API token</label>
					<div class="field-row">
						{shown ? <input {...input} type="text" /> : <input {...input} type="password" />}
						<Button onClick={() => setShown(!shown)} aria-label={shown ? 'Hide the token' : 'Show the token'}>{shown ? 'Hide' : 'Show'}</Button>
					</div>
					{error !== null && <p class="form-error" id={problem} role="alert">{error}</p>}
					<Button type="submit" kind="primary" busy={busy}>Sign in</Button>
				</form>
				<div class="login-help">
					<p><strong>No token at hand?</strong> When gyre starts it prints a link that signs this browser in, once, without a token: open that.</p>
					<p>The first administrator’s token is in the file <code>admin-token</code> of the server’s data folder, <code>var/admin-token</code> after <code>make run</code>.</p>
				</div>
				<ThemeSwitch />
			</div>
		</main>
	);
}
