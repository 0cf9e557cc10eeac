// SPDX-License-Identifier: Apache-2.0
// The recipe, a control for each field: where it came from, what it is now, and how to change it.
import { Fragment, type JSX } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import type { Recipe, RecipeField, RecipeOrigin } from '../api/types';
import { fieldName, fieldValue, ORIGINS, parseField, PRESET_FIELDS, PRESETS, presetOf, sameValue } from '../lib/recipe';
import type { Changes } from '../lib/trial';
import { Button, Segments } from './basics';

type Change = (field: string, value: unknown) => void;

interface ControlProps {
	id: string;
	field: RecipeField;
	value: unknown;
	disabled: boolean;
	onChange: (value: unknown) => void;
}

/** Text is the person's own until it is a value: it is not turned over while they type. */
function TypedControl({ id, field, value, disabled, onChange }: ControlProps): JSX.Element {
	const shown = value === '' || value === null || value === undefined ? '' : fieldValue(value);
	const [draft, setDraft] = useState<string | null>(null);
	useEffect(() => setDraft(null), [shown]);
	const parsed = draft === null ? null : parseField(field, draft);
	const problem = parsed && 'problem' in parsed ? parsed.problem : null;
	return (
		<>
			<input id={id} class="input" disabled={disabled} value={draft ?? shown} spellcheck={false} autoComplete="off" aria-invalid={problem !== null}
				inputMode={field.kind === 'text' ? 'text' : 'decimal'} onBlur={() => setDraft(null)}
				onInput={(event) => {
					const text = event.currentTarget.value;
					setDraft(text);
					const typed = parseField(field, text);
					if ('value' in typed) onChange(typed.value);
				}} />
			{problem && <p class="form-error" role="alert">{problem}</p>}
		</>
	);
}

/** Few and short enough to be seen side by side. */
const isSegmented = ({ kind, choices }: RecipeField): boolean => kind === 'choice' && (choices ?? []).join('').length <= 18;

function Control(props: ControlProps): JSX.Element {
	const { id, field, value, disabled, onChange } = props;
	const choices = field.choices ?? [];
	if (field.kind === 'flag') {
		return <label class="check"><input id={id} type="checkbox" checked={value === true} disabled={disabled} onChange={() => onChange(value !== true)} />{value === true ? 'yes' : 'no'}</label>;
	}
	if (isSegmented(field)) {
		return <Segments name={id} legend={fieldName(field.name)} value={String(value)} disabled={disabled} choices={choices.map((c) => [c, c.replaceAll('_', ' ')])} onChoose={onChange} />;
	}
	if (field.kind === 'choice') {
		return (
			<select id={id} class="input" value={String(value)} disabled={disabled} onChange={(event) => onChange(event.currentTarget.value)}>
				{choices.map((c) => <option key={c} value={c}>{c.replaceAll('_', ' ')}</option>)}
			</select>
		);
	}
	return <TypedControl {...props} />;
}

function Origin({ origin, changed }: { origin: RecipeOrigin | undefined; changed: boolean }): JSX.Element | null {
	if (changed) return <span class="badge changed" title="Changed here, and not saved.">changed</span>;
	return origin ? <span class={`badge ${origin}`} title={ORIGINS[origin]}>{origin}</span> : null;
}

/** Scale, mean and standard deviation are one question to people: which numbers does the model expect? */
function PresetControl({ recipe, changes, disabled, onChange }: { recipe: Recipe; changes: Changes; disabled: boolean; onChange: Change }): JSX.Element {
	const id = useId();
	const preset = presetOf(recipe);
	const changed = PRESET_FIELDS.some((field) => field in changes);
	return (
		<div class={changed ? 'control is-changed' : 'control'}>
			<label for={id}>pixel values</label>
			<div>
				<select id={id} class="input" value={preset?.name ?? ''} disabled={disabled} onChange={(event) => {
					const chosen = PRESETS.find((p) => p.name === event.currentTarget.value);
					if (chosen) for (const field of PRESET_FIELDS) onChange(field, chosen[field]);
				}}>
					{!preset && <option value="">as set below</option>}
					{PRESETS.map((p) => <option key={p.name} value={p.name}>{p.name}</option>)}
				</select>
			</div>
			<Origin origin={recipe.from?.scale} changed={changed} />
			<small class="muted">the range it was trained on: scale, mean and std</small>
		</div>
	);
}

/** `recipe` is the version's own; `changes` lie over it. */
export function RecipeControls({ fields, recipe, changes, disabled = false, onChange }: {
	fields: readonly RecipeField[];
	recipe: Recipe;
	changes: Changes;
	disabled?: boolean;
	/** `same`: it is the version's own value again. */
	onChange: (field: string, value: unknown, same: boolean) => void;
}): JSX.Element {
	const [all, setAll] = useState(false);
	const base = useId();
	const whole: Recipe = { ...recipe, ...changes };
	// The task is the version's type: another one is another version.
	const present = fields.filter((field) => field.name in recipe && field.name !== 'task');
	// One choice stands for the three fields of a known range; they are there when it is not known, or when asked for.
	const inPreset = (name: string): boolean => (PRESET_FIELDS as readonly string[]).includes(name);
	const hasPreset = PRESET_FIELDS.every((name) => present.some((field) => field.name === name && field.matters));
	const folded = hasPreset && presetOf(whole) !== null;
	// What the graph says itself is beyond doubt: it is there when asked for.
	const isShown = (field: RecipeField): boolean =>
		(field.name in changes || (field.matters && recipe.from?.[field.name] !== 'read')) && !(folded && inPreset(field.name));
	const shown = present.filter((field) => all || isShown(field));
	const hidden = present.length - present.filter(isShown).length;
	const presetBefore = hasPreset ? (shown.find((field) => inPreset(field.name)) ?? null) : null;
	const change: Change = (field, value) => onChange(field, value, sameValue(recipe[field], value));
	const preset = <PresetControl recipe={whole} changes={changes} disabled={disabled} onChange={change} />;
	return (
		<div class="controls">
			{shown.map((field) => {
				const id = `${base}-${field.name}`;
				return (
					<Fragment key={field.name}>
						{field === presetBefore && preset}
						<div class={field.name in changes ? 'control is-changed' : 'control'}>
							{isSegmented(field) ? <span class="control-name">{fieldName(field.name)}</span> : <label for={id}>{fieldName(field.name)}</label>}
							<div><Control id={id} field={field} value={whole[field.name]} disabled={disabled} onChange={(value) => change(field.name, value)} /></div>
							<Origin origin={recipe.from?.[field.name]} changed={field.name in changes} />
							<small class="muted">{field.help}</small>
						</div>
					</Fragment>
				);
			})}
			{hasPreset && !presetBefore && preset}
			{hidden > 0 && <Button kind="quiet" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Fewer fields' : `All ${present.length} fields`}</Button>}
		</div>
	);
}
