// SPDX-License-Identifier: Apache-2.0
// The whole window for one picture: a bar above, tools to the left, shapes to the right, decisions and the strip below.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Pictures } from '../annotator/picture';
import type { OutboxStatus } from '../lib/outbox';
import { plural } from '../lib/format';
import { Icon } from './icons';
import { filterOf, type Light } from './annotator_panels';
import type { Tool } from './annotator_hook';

export function Frame({ tool, label, bar, left, right, foot, strip, light, broken, loading, children }: {
	tool: Tool;
	/** What the picture is, for those who do not see it. */
	label: string;
	bar: ComponentChildren;
	left: ComponentChildren;
	right: ComponentChildren;
	foot: ComponentChildren;
	strip: ComponentChildren;
	light: Light;
	/** Why there is no picture. */
	broken: string | null;
	loading: boolean;
	/** Over the picture. */
	children?: ComponentChildren;
}): JSX.Element {
	return (
		<div class="tool" onMouseDown={(event) => {
			// A click on a button leaves the keys with the picture.
			if (event.target instanceof Element && event.target.closest('button') && !event.target.closest('dialog')) event.preventDefault();
		}}>
			<header class="annotate-bar">{bar}</header>
			<aside class="tool-left" aria-label="Tools and labels">{left}</aside>
			<div class="tool-middle">
				<div ref={tool.host} class="annotator" role="application" tabIndex={0} aria-label={`${label}. Press the question mark for the keys.`} style={{ '--light': filterOf(light) }} />
				{loading && <span class="spinner large" role="status" aria-label="Loading the picture" />}
				{broken !== null && <p class="stage-broken" role="alert">{broken}</p>}
				{children}
			</div>
			<aside class="tool-right" aria-label="Shapes">{right}</aside>
			<footer class="tool-foot">{foot}{strip}</footer>
		</div>
	);
}

/** What is saved and what is not, in words. */
export function SavedState({ status, onProblems }: { status: OutboxStatus; onProblems: () => void }): JSX.Element {
	if (status.problems.length > 0) {
		return (
			<button type="button" class="saved bad" onClick={onProblems}>
				<Icon name="warning" size={14} /><span role="status">{plural(status.problems.length, 'change')} to decide on</span>
			</button>
		);
	}
	const kept = status.unkept ? 'in this tab: keep it open' : 'in this browser';
	const [tone, text] = status.waiting === 0 ? ['ok', 'All saved']
		: status.away ? ['warn', `Server away: ${plural(status.waiting, 'change')} kept ${kept}`] : ['busy', 'Saving…'];
	return <span class={`saved ${tone}`} role="status"><Icon name={tone === 'ok' ? 'check' : tone === 'warn' ? 'warning' : 'upload'} size={14} />{text}</span>;
}

export interface StripItem {
	id: string;
	name: string;
	/** A style and a word. */
	status: string;
}

function Thumb({ bitmap }: { bitmap: ImageBitmap | undefined }): JSX.Element {
	const canvas = useRef<HTMLCanvasElement>(null);
	useEffect(() => {
		if (!bitmap || !canvas.current) return;
		canvas.current.width = bitmap.width;
		canvas.current.height = bitmap.height;
		canvas.current.getContext('2d')?.drawImage(bitmap, 0, 0);
	}, [bitmap]);
	return <canvas ref={canvas} width={60} height={44} aria-hidden="true" />;
}

/** Pictures to either side of the one before the eyes. */
const STRIP_BEHIND = 6;
const STRIP_AHEAD = 9;

export function Strip({ items, at, pictures, onGo }: { items: readonly StripItem[]; at: number; pictures: Pictures; onGo: (at: number) => void }): JSX.Element {
	const from = Math.max(0, at - STRIP_BEHIND);
	return (
		<ol class="strip" aria-label="Pictures">
			{items.slice(from, at + STRIP_AHEAD + 1).map((item, k) => (
				<li key={item.id}>
					<button type="button" class={`strip-item is-${item.status}${pictures.thumbs.has(item.id) ? ' is-ready' : ''}`} aria-current={from + k === at ? 'true' : undefined} title={`${item.name}: ${item.status}`} onClick={() => onGo(from + k)}>
						<Thumb bitmap={pictures.thumbs.get(item.id)} />
						<span class="unseen">{item.name}, {item.status}</span>
					</button>
				</li>
			))}
		</ol>
	);
}

/** Seconds in which something was done: who fetches coffee is not slow. */
const PAUSE_MS = 20_000;

export interface Watch {
	restart: () => void;
	seconds: () => number;
}

/** `onActive`: somebody is there. */
export function useWatch(onActive: () => void): Watch {
	const [watch] = useState(() => {
		let last = performance.now();
		let sum = 0;
		const tick = (): void => {
			const now = performance.now();
			sum += Math.min(now - last, PAUSE_MS);
			last = now;
		};
		return {
			tick,
			restart: (): void => {
				last = performance.now();
				sum = 0;
			},
			seconds: (): number => {
				tick();
				return sum / 1000;
			},
		};
	});
	useEffect(() => {
		const until = new AbortController();
		for (const name of ['keydown', 'pointerdown', 'pointermove', 'wheel']) addEventListener(name, () => {
			watch.tick();
			onActive();
		}, { signal: until.signal, passive: true });
		return () => until.abort();
	}, []);
	return watch;
}
