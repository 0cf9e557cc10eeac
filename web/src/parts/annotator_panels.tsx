// SPDX-License-Identifier: Apache-2.0
// What stands beside the picture: tools, labels, the shapes by label, and what is only looked at.
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { helpOf, keyText, type KeyLine } from '../annotator/keys';
import { MODES, TASK_MODES } from '../annotator/modes';
import { visibleGhosts, type State, type Whose } from '../annotator/state';
import type { Mark } from '../annotator/types';
import { plural, score } from '../lib/format';
import { Segments } from './basics';
import { Dialog } from './dialog';
import type { Tool } from './annotator_hook';
import { Icon } from './icons';

export const Key = ({ children }: { children: string }): JSX.Element => <kbd>{keyText(children)}</kbd>;

const SHAPES = {
	select: 'M4 2.5l8 6-3.6.5 2 4-1.8.9-2-4L4 12z', box: 'M2.5 4h11v8h-11z', polygon: 'M8 2.5l5.5 4-2 6.5h-7l-2-6.5z', class: 'M3 4h10M3 8h10M3 12h6',
} as const;

export function ToolButtons({ tool, task }: { tool: Tool; task: string }): JSX.Element | null {
	const names = TASK_MODES[task] ?? [];
	if (names.length < 2) return null;
	return (
		<div class="tool-buttons" role="group" aria-label="Tools">
			{names.map((name) => (
				<button key={name} type="button" class="tool-button" aria-pressed={tool.state?.mode === name} title={MODES[name].hint}
					onClick={() => tool.annotator?.dispatch({ do: 'mode', mode: name })}>
					<svg width="18" height="18" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round" aria-hidden="true"><path d={SHAPES[name]} /></svg>
					<span>{MODES[name].text}</span><Key>{name === 'select' ? 'v' : name === 'box' ? 'b' : 'p'}</Key>
				</button>
			))}
		</div>
	);
}

/** At once: the next key already belongs to the name. */
export const findLabel = (): void => document.querySelector<HTMLInputElement>('.find input')?.focus();

/** A few labels are all shown; many are looked for by name. */
const FIND_FROM = 9;

export function Labels({ tool, labels, scores, shadow = null, onNew }: {
	tool: Tool;
	labels: readonly string[];
	/** What the model said of each class. */
	scores?: ReadonlyMap<string, number> | undefined;
	/** The class that a shadow would have answered. */
	shadow?: string | null;
	/** Null: no new ones are made here. */
	onNew: ((name: string) => void) | null;
}): JSX.Element {
	const [text, setText] = useState('');
	const wanted = text.trim().toLowerCase();
	const found = useMemo(() => labels.map((label, i) => ({ label, i })).filter(({ label }) => label.toLowerCase().includes(wanted)), [labels, wanted]);
	const exact = labels.some((label) => label.toLowerCase() === wanted);
	const state = tool.state;
	const chosen = state && (state.mode === 'class' ? state.marks.find((m) => m.geometry.type === 'classification')?.label : state.marks.find((m) => m.id === state.selected)?.label ?? state.label);
	const leave = (): void => {
		setText('');
		tool.focus();
	};
	const take = (label: string): void => {
		tool.annotator?.dispatch({ do: 'label', label });
		leave();
	};
	const onKey = (event: KeyboardEvent): void => {
		event.stopPropagation();
		if (event.key === 'Escape') leave();
		if (event.key !== 'Enter') return;
		event.preventDefault();
		const name = text.trim();
		const first = found[0];
		if (first && (exact || !onNew || wanted !== '')) take(exact ? labels.find((l) => l.toLowerCase() === wanted) ?? first.label : first.label);
		else if (name && onNew) {
			onNew(name);
			leave();
		}
	};
	return (
		<section class="tool-labels" aria-label="Labels">
			<h2>Labels</h2>
			{(labels.length >= FIND_FROM || onNew) && (
				<label class="find">
					<Icon name="search" size={14} /><span class="unseen">Find a label{onNew ? ', or name a new one' : ''}</span>
					<input class="input" placeholder={onNew ? 'Find or add' : 'Find'} value={text} maxLength={200} onInput={(event) => setText(event.currentTarget.value)} onKeyDown={onKey} />
					<Key>l</Key>
				</label>
			)}
			<ul class="key-labels">
				{found.map(({ label, i }) => (
					<li key={label}>
						<button type="button" class="label-row" aria-pressed={label === chosen} onClick={() => take(label)}>
							<i class="label-dot" style={{ background: tool.colourOf(label) }} aria-hidden="true" />
							<span class="label-name">{label}</span>
							{label === shadow && <span class="badge read">shadow</span>}
							{scores?.has(label) && <span class="muted">{score(scores.get(label) ?? 0)}</span>}
							{i < 10 && <Key>{String((i + 1) % 10)}</Key>}
						</button>
					</li>
				))}
				{wanted !== '' && !exact && onNew && (
					<li><button type="button" class="label-row is-new" onClick={() => {
						onNew(text.trim());
						leave();
					}}><Icon name="edit" size={13} /><span class="label-name">Add “{text.trim()}”</span></button></li>
				)}
				{labels.length === 0 && wanted === '' && onNew && <li class="muted">No label yet. Write the first one above, then press Enter.</li>}
				{found.length === 0 && !onNew && <li class="muted">No label has this in its name.</li>}
			</ul>
		</section>
	);
}

function group(marks: readonly Mark[]): [string, Mark[]][] {
	const groups = new Map<string, Mark[]>();
	for (const mark of marks) groups.set(mark.label, [...(groups.get(mark.label) ?? []), mark]);
	return [...groups].sort(([a], [b]) => a.localeCompare(b));
}

const sizeText = (mark: Mark): string => {
	const g = mark.geometry;
	if (g.type === 'rectangle') return `${Math.round(g.w)} × ${Math.round(g.h)}`;
	return g.type === 'polygon' ? plural(g.rings.reduce((sum, ring) => sum + ring.length, 0), 'point') : '';
};

export function ShapeRows({ tool, state }: { tool: Tool; state: State }): JSX.Element {
	const shapes = state.marks.filter((m) => m.geometry.type !== 'classification');
	const ghosts = visibleGhosts(state);
	const row = (mark: Mark, ghost: boolean): JSX.Element => (
		<li key={mark.id} class={`mark-row${mark.id === state.selected ? ' is-chosen' : ''}${ghost ? ' ghost' : ''}`} onMouseEnter={() => tool.hover(mark.id)} onMouseLeave={() => tool.hover(null)}>
			<button type="button" class="mark-name" aria-pressed={mark.id === state.selected} onClick={() => (ghost ? tool.annotator?.dispatch({ do: 'promote', id: mark.id }) : tool.choose(mark))}>
				<i class="label-dot" style={{ background: tool.colourOf(mark.label) }} aria-hidden="true" />
				<span>{ghost ? mark.label : sizeText(mark)}</span>
				<span class="muted">{mark.score === null ? 'by hand' : score(mark.score)}</span>
			</button>
			{ghost
				? <button type="button" class="bare" title="Make it real" aria-label={`Make ${mark.label} real`} onClick={() => tool.annotator?.dispatch({ do: 'promote', id: mark.id })}><Icon name="check" size={13} /></button>
				: <button type="button" class="bare" title="Delete (X)" aria-label={`Delete ${mark.label}`} onClick={() => tool.annotator?.dispatch({ do: 'delete', id: mark.id })}><Icon name="close" size={12} /></button>}
		</li>
	);
	return (
		<div class="mark-lists">
			{shapes.length === 0 && <p class="muted">No shapes. <Key>b</Key> draws a box; <Key>n</Key> says that nothing is here.</p>}
			{group(shapes).map(([label, marks]) => (
				<section key={label} aria-label={label}>
					<h3><i class="label-dot" style={{ background: tool.colourOf(label) }} aria-hidden="true" />{label}<span class="count">{marks.length}</span></h3>
					<ul>{marks.map((m) => row(m, false))}</ul>
				</section>
			))}
			{ghosts.length > 0 && (
				<section aria-label="Ghosts">
					<h3>{state.whose === 'champion' ? 'Below the threshold' : state.whose === 'shadow' ? 'By the shadow' : 'Not answered'}<span class="count">{ghosts.length}</span></h3>
					<ul>{[...ghosts].sort((a, b) => b.score - a.score).slice(0, 60).map((g) => row(g, true))}</ul>
				</section>
			)}
		</div>
	);
}

export function ScoreSlider({ value, onChange }: { value: number; onChange: (value: number) => void }): JSX.Element {
	return (
		<label class="tool-slider">
			<span>Shown from score <output>{score(value)}</output></span>
			<input type="range" min={0.01} max={0.99} step={0.01} value={value} onInput={(event) => onChange(Number(event.currentTarget.value))} />
			<small class="muted">Display only: what is saved stays as it is.</small>
		</label>
	);
}

export const WHOSE: readonly Whose[] = ['champion', 'shadow', 'both'];

export function WhoseSwitch({ value, onChange }: { value: Whose; onChange: (whose: Whose) => void }): JSX.Element {
	return <Segments name="whose-ghosts" legend="Whose candidates are shown" value={value} choices={[['champion', 'Champion'], ['shadow', 'Shadow'], ['both', 'Both']]} onChoose={onChange} />;
}

export interface Light {
	brightness: number;
	contrast: number;
}

export const PLAIN: Light = { brightness: 1, contrast: 1 };

export const filterOf = ({ brightness, contrast }: Light): string => (brightness === 1 && contrast === 1 ? 'none' : `brightness(${brightness}) contrast(${contrast})`);

export function LightPanel({ light, onChange }: { light: Light; onChange: (light: Light) => void }): JSX.Element {
	const slider = (name: keyof Light, text: string): JSX.Element => (
		<label><span>{text} <output>{Math.round(light[name] * 100)} %</output></span>
			<input type="range" min={0.3} max={3} step={0.05} value={light[name]} onInput={(event) => onChange({ ...light, [name]: Number(event.currentTarget.value) })} />
		</label>
	);
	return (
		<div class="light-panel" role="group" aria-label="Brightness and contrast">
			{slider('brightness', 'Brightness')}
			{slider('contrast', 'Contrast')}
			<p><small class="muted">Display only.</small><button type="button" class="button quiet" onClick={() => onChange(PLAIN)}>Reset</button></p>
		</div>
	);
}

const GROUPS: readonly KeyLine['group'][] = ['Picture', 'Shapes', 'Tools', 'View'];

export function GuideDialog({ guide, onClose }: { guide: string | null; onClose: () => void }): JSX.Element {
	return (
		<Dialog title="Guide and keys" onClose={onClose}>
			<div class="guide">
				{guide !== null && (
					<section class="guide-text">
						<h3>What to label here</h3>
						{guide.trim() ? guide.trim().split(/\n+/).map((line, i) => <p key={i}>{line}</p>) : <p class="muted">Nobody has written a guide for this deployment yet. It is written in Settings → Feedback Loop.</p>}
					</section>
				)}
				<div class="guide-keys">
					{GROUPS.map((name) => (
						<section key={name}>
							<h3>{name}</h3>
							<dl>{helpOf(name).map(({ keys, text }) => <div key={text}><dt>{keys.length > 4 ? <><Key>{keys[0] ?? ''}</Key>…<Key>{keys.at(-1) ?? ''}</Key></> : keys.map((k) => <Key key={k}>{k}</Key>)}</dt><dd>{text}</dd></div>)}</dl>
						</section>
					))}
				</div>
				<p class="muted">Wheel or two fingers: nearer and farther. Middle button: pan. Right button on a point of a polygon: takes it away. Escape lets go; once more, and Tab goes through the buttons.</p>
			</div>
		</Dialog>
	);
}
