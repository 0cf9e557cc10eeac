// SPDX-License-Identifier: Apache-2.0
// The frame of every page: where one can go, who one is, and how it looks.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Session } from '../api/types';
import { sentence } from '../lib/explain';
import { place } from '../router';
import { DemoStrip } from './demo_strip';
import { useStore } from './hooks';
import { Icon, Mark, type IconName } from './icons';
import { ThemeSwitch } from './theme';
import { say } from './toasts';

const PLACES: readonly { to: string; label: string; icon: IconName; also: string }[] = [
	{ to: '/', label: 'Deployments', icon: 'deployments', also: '/deployment' },
	{ to: '/models', label: 'Models', icon: 'models', also: '/model' },
	{ to: '/datasets', label: 'Datasets', icon: 'datasets', also: '/dataset' },
	{ to: '/projects', label: 'Projects', icon: 'projects', also: '/project' },
	{ to: '/jobs', label: 'Jobs', icon: 'jobs', also: '/jobs' },
];

/** What a reviewer sees of it. */
const REVIEWER: typeof PLACES = [{ to: '/', label: 'Review', icon: 'review', also: '/deployment' }];

function UserMenu({ session, onSignedOut }: { session: Session; onSignedOut: () => void }): JSX.Element {
	const [open, setOpen] = useState(false);
	const box = useRef<HTMLDivElement>(null);
	useEffect(() => {
		if (!open) return undefined;
		const close = (event: Event): void => {
			if (event.target instanceof Node && box.current?.contains(event.target)) return;
			setOpen(false);
		};
		const until = new AbortController();
		document.addEventListener('pointerdown', close, until);
		document.addEventListener('focusin', close, until);
		return () => until.abort();
	}, [open]);
	const signOut = async (): Promise<void> => {
		try {
			await api.signOut();
			onSignedOut();
		} catch (error) {
			say('bad', `Not signed out. ${sentence(error)}`);
		}
	};
	return (
		<div class="user" ref={box} onKeyDown={(event) => {
			if (event.key !== 'Escape' || !open) return;
			setOpen(false);
			box.current?.querySelector('button')?.focus();
		}}>
			<button type="button" class="user-button" aria-expanded={open} onClick={() => setOpen(!open)}>
				<Icon name="user" />
				<span class="user-name">{session.user.name}<small>{session.organization.name}</small></span>
			</button>
			{open && (
				<div class="user-menu">
					<p>Signed in as <strong>{session.user.name}</strong><br />in <strong>{session.organization.name}</strong></p>
					<ThemeSwitch />
					<button type="button" class="menu-item" onClick={signOut}>Sign out</button>
					<p class="muted">gyre {session.version}</p>
				</div>
			)}
		</div>
	);
}

export function Shell({ session, onSignedOut, children }: {
	session: Session;
	onSignedOut: () => void;
	children: ComponentChildren;
}): JSX.Element {
	const { path } = useStore(place);
	const main = useRef<HTMLElement>(null);
	const home = session.role === 'REVIEWER' ? 'gyre, to your queues' : 'gyre, to the deployments';
	const first = useRef(true);
	useEffect(() => {
		// A new page begins at its beginning, for the keyboard and for readers of screens too.
		if (!first.current) main.current?.focus({ preventScroll: true });
		first.current = false;
	}, [path]);
	return (
		<div class="shell">
			<a class="skip" href="#main" data-native onClick={(event) => {
				event.preventDefault();
				main.current?.focus();
			}}>Skip to content</a>
			<header class="side">
				<a class="brand" href="/" aria-label={home}><Mark /><span>gyre</span></a>
				<nav aria-label="Main">
					{(session.role === 'REVIEWER' ? REVIEWER : PLACES).map(({ to, label, icon, also }) => {
						const here = path === to || path.startsWith(also) || (to === '/projects' && path.startsWith('/experiment/'));
						return (
							<a key={to} href={to} class="nav-item" aria-current={here ? 'page' : undefined}>
								<Icon name={icon} /><span>{label}</span>
							</a>
						);
					})}
				</nav>
				<UserMenu session={session} onSignedOut={onSignedOut} />
			</header>
			<main id="main" ref={main} tabIndex={-1}>
				{session.role !== 'REVIEWER' && <DemoStrip mayRemove={session.role === 'ADMIN'} />}
				{children}
			</main>
		</div>
	);
}
