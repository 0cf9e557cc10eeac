#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Does a server say what the pages read? Every field they use, by type, against a running server: the mock in the
// unit tests, the real one by hand or in the browser checks.
//   node test/web/contract.mjs http://127.0.0.1:8090 TOKEN
import { fileURLToPath } from 'node:url';

const text = (v) => typeof v === 'string';
const number = (v) => typeof v === 'number' && Number.isFinite(v);
const count = (v) => Number.isInteger(v) && v >= 0;
const flag = (v) => typeof v === 'boolean';
const time = (v) => text(v) && Number.isFinite(Date.parse(v));
const share = (v) => number(v) && v >= 0 && v <= 1;
const anything = () => true;
const one = (...words) => Object.assign((v) => words.includes(v), { want: words.join(' | ') });
const maybe = (check) => Object.assign((v) => v === null || matches(v, check).length === 0, { want: 'null or the like' });
const list = (check) => ({ list: check });
const dictionary = (check) => ({ dictionary: check });

/** What does not fit, as sentences. */
export function matches(value, check, at = '') {
	if (typeof check === 'function') return check(value) ? [] : [`${at || 'it'} is ${JSON.stringify(value)?.slice(0, 80)}, wanted ${check.want ?? check.name}`];
	if (check.list) return Array.isArray(value) ? value.flatMap((v, i) => matches(v, check.list, `${at}[${i}]`)).slice(0, 5) : [`${at} is no list`];
	if (typeof value !== 'object' || value === null) return [`${at || 'it'} is no object`];
	if (check.dictionary) return Object.entries(value).flatMap(([k, v]) => matches(v, check.dictionary, `${at}.${k}`)).slice(0, 5);
	return Object.entries(check).flatMap(([key, want]) => (key in value ? matches(value[key], want, `${at}.${key}`) : [`${at}.${key} is missing`]));
}

const page = (item) => ({ items: list(item), count });
const taskType = one('OBJECT_DETECTION', 'CLASSIFICATION', 'SEGMENTATION', 'NOT_CONFIGURED');
const shape = (v) => {
	const base = { type: one('rectangle', 'polygon', 'classification'), label: text, label_id: count, score: share };
	const place = { rectangle: { x: number, y: number, w: number, h: number }, polygon: { polygon: list(list(number)) }, classification: {} }[v?.type];
	return matches(v, { ...base, ...place }).length === 0;
};
const prediction = { id: text, is_shadow: flag, model_version_id: text, created_at: time, threshold: share, latency: number, steps_ms: dictionary(number), shapes: list(shape), hidden: count };
const asset = {
	id: text, status: text, created_at: time,
	data: { id: text, filename: text, content_type: text, presigned_url: text, meta: { width: count, height: count } },
	predictions: list(prediction),
};
const deployment = {
	id: text, name: text, type: taskType, model_version_id: text, min_threshold: share, created_at: time,
	status: one('SERVING', 'PAUSED', 'HELD', 'LOADING', 'EXTERNAL'), status_text: maybe(text), paused_by: maybe(text), paused_at: maybe(time),
	champion: maybe({ model_id: text, model_name: text, version_id: text, version: count, since: time }), labels: list(text), alerts_open: count,
	shadows: list({
		model_version_id: text, model_id: text, model_name: text, version: count, since: time, lag: count, predictions: count, mean_cpu_ms: maybe(number),
		champion_mean_cpu_ms: maybe(number), skipped: count, skipped_text: maybe(text), state: one('FOLLOWING', 'HELD', 'PAUSED'), state_text: maybe(text),
	}),
	stats: { inferences: count, failed: count, mean_latency_ms: maybe(number), p99_latency_ms: maybe(number), recent_latency_ms: list(number), last_at: maybe(time) },
};
const datasetVersion = {
	id: text, origin_id: text, origin_name: text, version: text, type: taskType, revision: count, locked: flag, hash: maybe(text), created_at: time, forked_from_id: maybe(text),
	assets: count, annotated: count, labels: count,
};
const dataset = { id: text, name: text, versions: count, assets: count, cover: maybe(text), created_at: time };
const statistics = {
	label_repartition: dictionary(count), nb_objects: count, nb_assets: count, nb_annotated: count, sizes: { small: count, medium: count, large: count }, objects_per_image: list(count),
};
const queue = { to_review: count, reviewed: count, submitted: count, skipped: count, mine_today: count };
const feedback = {
	set_up: flag, active: flag, submit_by_itself: flag, submit_after_s: count, evaluation_share: share, targets: list({ dataset_version: datasetVersion, since: time }),
	labels: list({ label: text, action: maybe(one('keep', 'rename', 'drop', 'new')), to_name: maybe(text) }),
	counts: { reviewed: count, submitted: count, waiting: count, waiting_labels: dictionary(count), next_submission_at: maybe(time) },
};
const estimate = maybe({ value: number, low: number, high: number, images: count });
const quality = {
	task: taskType, reviewed: count, with_chance: count, threshold: share, over_time: list({ images: count, values: dictionary(maybe(number)) }),
	versions: list({
		model_version_id: text, model_name: text, version: count, role: one('champion', 'shadow', 'past'), images: count, weighted: estimate, random_only: estimate, difference: estimate,
		labels: list({ label: text, truths: count, precision: maybe(share), recall: maybe(share), f1: maybe(share) }), curve: maybe(list(list(number))), best_threshold: maybe(number),
	}),
};
const training = {
	set: flag, active: flag, kind: maybe(one('DATASET', 'PRODUCTION')), dataset_version: maybe(datasetVersion), source: maybe(text), images_max: maybe(count), suggestion: maybe({ dataset_version_id: text, why: text }),
	reference: maybe({
		id: maybe(text), status: one('RUNNING', 'READY', 'FAILED'), progress: maybe(share), message: maybe(text), error: maybe(text), images: count, held_out: flag, small: flag, predicted: flag, features: flag,
		features_reason: maybe(text), note: maybe(text), ready_at: maybe(time), model_version_id: maybe(text), tolerance: maybe(number), job_id: maybe(text),
	}),
};
const moment = (v) => number(v) || time(v);
const feature = {
	name: text, title: text, unit: text, kind: one('image', 'model'), d: maybe(share), low: maybe(share), high: maybe(share), p: maybe(share), p_adjusted: maybe(share), drifted: flag, critical_d: maybe(number),
	may_alarm: flag, reference: maybe({ quantiles: list(number) }), window: maybe({ quantiles: list(number) }), strength: maybe(number), moved: maybe(one('higher', 'lower', 'wider', 'narrower')),
};
const drift = {
	reference: maybe({ id: text, images: count, held_out: flag, small: flag, sentence: maybe(text) }), window: { images: count, effective: maybe(number) }, alpha: number, features: list(feature),
	detectors: maybe({ seen: count, effective: maybe(number), thinning: maybe(number), tolerance: maybe(number), budget_images: number, state: one('watching', 'waiting', 'off'), sentence: maybe(text) }),
	where: list({ by: one('source', 'label', 'tag'), name: text, images: count, feature: text, d: maybe(share), p: maybe(share) }), examples: list({ predicted_asset_id: text, value: maybe(number), created_at: moment }),
	missing: list(text),
};
const outlier = { predicted_asset_id: text, at: moment, score: number, rank: maybe(share) };
const outliers = { limit: number, rank: share, points: list(outlier), worst: list(outlier), counts: { images: count, outliers: count, share: maybe(share), low: maybe(share), high: maybe(share) }, missing: list(text) };
const event = { id: text, alert_id: text, kind: text, title: text, opened_at: time, closed_at: maybe(time), closed_by: maybe(text), sentence: text };
const alerts = {
	items: list({
		id: text, kind: text, title: text, unit: text, help: text, operator: one('<', '<=', '=', '>=', '>'), value: number, window_s: count, images_min: count, label: maybe(text), active: flag, supervised: flag,
		budget: maybe(text), last_fired_at: maybe(time), open: maybe(event),
	}),
	events: list(event),
};
const basis = { kind: one('all', 'sample'), images: count, of: count, sentence: maybe(text) };
const histogram = maybe({ edges: list(number), counts: list(count) });
const step = { at: moment, predictions: count, mean_latency_ms: maybe(number), p50_ms: maybe(number), p99_ms: maybe(number) };
const dashboard = {
	from: moment, to: moment, step_s: number, task: text, threshold: { mode: one('answered', 'setting', 'value'), value: maybe(share), floor: maybe(share) }, basis,
	versions: list({ id: text, name: maybe(text), model_name: maybe(text), version: count, role: one('champion', 'shadow', 'past'), predictions: count }), sources: list(text), labels: list(text),
	totals: { predictions: count, failed: count, refused: count, mean_latency_ms: maybe(number), p50_ms: maybe(number), p90_ms: maybe(number), p99_ms: maybe(number), shapes: count, without_shapes: count },
	series: list({ ...step, failed: count, refused: count, brightness: maybe(number), contrast: maybe(number), blur: maybe(number), objects: maybe(number), no_answer: maybe(count) }),
	shadows: list({ model_version_id: text, series: list(step) }),
	distributions: {
		labels: list({ label: text, shapes: count, images: count }), objects: histogram, scores: histogram, sizes: histogram, ratios: histogram, image_areas: histogram, image_ratios: maybe(list({ name: text, images: count })),
		brightness: histogram, contrast: histogram, blur: histogram,
	},
	failed: list({ http_status: count, step: maybe(text), count, last_at: maybe(moment), text: maybe(text) }),
};
const heatmap = { side: count, centres: list(count), coverage: list(count), images: count, shapes: count, label: maybe(text), basis };
const webhook = { id: text, name: text, url: text, active: flag, last_at: maybe(time), last_status: maybe(count), last_error: maybe(text) };
const version = {
	id: text, origin: { id: text, name: text }, version: count, type: taskType, framework: text, labels: maybe(dictionary(text)), state: one('EMPTY', 'READY', 'REFUSED'), state_text: maybe(text),
	recipe: maybe(dictionary(anything)), created_at: time, graph: maybe(dictionary(anything)), guessed: list(text), confirmed: flag,
	deployments: list({ id: text, name: text, role: one('champion', 'shadow') }), files: list({ name: text, filename: text, size_bytes: count }),
	lineage: { experiment_id: maybe(text), based_on_version_id: maybe(text) },
};
const fields = { items: list({ name: text, help: text, kind: one('choice', 'number', 'integer', 'flag', 'numbers', 'integers', 'text'), choices: maybe(list(text)), min: maybe(number), max: maybe(number), matters: flag }) };
const tried = {
	image: { width: count, height: count }, shapes: list(shape), recipe: dictionary(anything), latency_ms: dictionary(number),
	seen: { width: count, height: count, png: (v) => text(v) && v.length > 50 },
};
const latency = { points: list((p) => Array.isArray(p) && number(p[0]) && number(p[1]) && text(p[2])), count, mean_s: maybe(number), p50_s: maybe(number), p90_s: maybe(number), p99_s: maybe(number), sampled: flag, shadow_points: list((p) => Array.isArray(p) && number(p[0]) && number(p[1]) && text(p[2])) };

export async function checkContract(address, token) {
	const problems = [];
	const get = async (path, check) => {
		const response = await fetch(address + path, { headers: { Authorization: `Bearer ${token}` } });
		const body = await response.json();
		if (response.status !== 200) problems.push(`GET ${path}: ${response.status} ${body.message}`);
		else problems.push(...matches(body, check).map((p) => `GET ${path}: ${p}`));
		return body;
	};
	const session = await get('/api/session', { user: { id: text, name: text }, organization: { id: text, name: text, default_connector_id: text }, role: text, version: text });
	const organization = `/api/organization/${session.organization?.id}`;
	const datasets = await get(`${organization}/datasets?limit=50&offset=0`, page(dataset));
	for (const d of (datasets.items ?? []).slice(0, 3)) {
		const { items = [] } = await get(`/api/dataset/${d.id}/versions?limit=50&offset=0`, page(datasetVersion));
		for (const v of items.slice(0, 3)) await get(`/api/dataset/version/${v.id}/stats`, statistics);
	}
	const deployments = await get(`${organization}/deployments?limit=50&offset=0`, page(deployment));
	for (const d of (deployments.items ?? []).slice(0, 5)) {
		await get(`/api/deployment/${d.id}/queue`, queue);
		await get(`/api/deployment/${d.id}/pipeline/fl`, feedback);
		await get(`/api/deployment/${d.id}/quality`, quality);
		await get(`/api/deployment/${d.id}/dashboard`, dashboard);
		await get(`/api/deployment/${d.id}/dashboard?from=0&threshold=0.5`, dashboard);
		if (d.type !== 'CLASSIFICATION') await get(`/api/deployment/${d.id}/heatmap`, heatmap);
		await get(`/api/deployment/${d.id}/pipeline/td`, training);
		await get(`/api/deployment/${d.id}/drift?images=200`, drift);
		await get(`/api/deployment/${d.id}/outliers`, outliers);
		await get(`/api/deployment/${d.id}/alerts`, alerts);
		const own = `/api/deployment/${d.id}`;
		await get(own, deployment);
		await get(`${own}/history`, page({ at: time, what: text, by: maybe(text), from: maybe(text), to: maybe(text) }));
		const now = Math.ceil(Date.now() / 1000);
		await get(`${own}/latency?from=${now - 30 * 86400}&to=${now + 1}&points_max=2000`, latency);
		await get(`${own}/latency?from=${now - 30 * 86400}&to=${now + 1}&points_max=2000&cpu=1`, latency);
		const answered = await get(`${own}/predictedassets?limit=48&offset=0&order_by=-created_at`, page(asset));
		const all = await get(`${own}/predictedassets?limit=48&offset=0&threshold=0.01&order_by=-created_at`, page(asset));
		const times = (answered.items ?? []).map((a) => Date.parse(a.created_at));
		if (times.some((t, i) => i > 0 && t > times[i - 1])) problems.push(`${own}/predictedassets is not newest first`);
		for (const a of answered.items ?? []) {
			const p = a.predictions.find((x) => !x.is_shadow);
			const full = all.items.find((x) => x.id === a.id)?.predictions.find((x) => !x.is_shadow);
			if (d.type !== 'CLASSIFICATION' && p && full && full.shapes.filter((s) => s.score >= full.threshold).length !== p.shapes.length)
				problems.push(`predicted asset ${a.id}: with threshold=0.01, its shapes above its own threshold are not those answered`);
		}
		if (answered.items?.[0]) await get(`/api/predicted/asset/${answered.items[0].id}?threshold=0.01`, asset);
		const past = await get(`${own}/predictedassets?limit=48&offset=${(answered.count ?? 0) + 100}&order_by=-created_at`, page(asset));
		if (past.items?.length) problems.push(`${own}/predictedassets past the end is not empty`);
	}
	await get(`${organization}/webhooks`, { items: list(webhook) });
	const models = await get(`${organization}/models?limit=50&offset=0`, page({ id: text, name: text, type: taskType, versions: count, created_at: time }));
	for (const m of (models.items ?? []).slice(0, 5)) {
		await get(`/api/model/${m.id}`, { id: text, name: text, type: taskType, created_at: time });
		const versions = await get(`/api/model/${m.id}/versions`, page(version));
		for (const v of (versions.items ?? []).slice(0, 2)) {
			await get(`/api/model/version/${v.id}`, version);
			await get(`/api/model/version/${v.id}/modelfiles`, page({ id: text, name: text, filename: text }));
			if (v.state !== 'READY') continue;
			const { items: known = [] } = await get(`/api/model/version/${v.id}/recipe/fields`, fields);
			const names = known.map((f) => f.name);
			for (const name of v.guessed) if (!names.includes(name) || v.recipe[name] === undefined) problems.push(`version ${v.id}: the guessed field "${name}" has no value or no control`);
			for (const name of Object.keys(v.recipe)) if (name !== 'from' && !names.includes(name)) problems.push(`version ${v.id}: the field "${name}" of its recipe has no control`);
		}
	}
	await checkTry(address, token, models.items ?? [], get, problems);
	return problems;
}

/** Try it with the newest picture there is, as it is and with one field changed. */
async function checkTry(address, token, models, get, problems) {
	const headers = { Authorization: `Bearer ${token}` };
	const session = await get('/api/session', {});
	const { items: deployments = [] } = await get(`/api/organization/${session.organization.id}/deployments?limit=50&offset=0`, {});
	for (const d of deployments.filter((x) => x.stats.inferences > 0 && x.champion && x.status !== 'EXTERNAL').slice(0, 3)) {
		const { items } = await get(`/api/deployment/${d.id}/predictedassets?limit=1&offset=0`, {});
		const link = new URL(items[0].data.presigned_url, address);
		const bytes = await (await fetch(link, { headers })).arrayBuffer();
		if (items[0].data.content_type === 'IMAGE/SVG+XML') continue;
		for (const changes of [null, { fit: 'stretch' }]) {
			const form = new FormData();
			form.set('media', new Blob([bytes]), items[0].data.filename);
			if (changes) form.set('recipe', JSON.stringify(changes));
			const path = `/api/model/version/${d.champion.version_id}/try`;
			const response = await fetch(address + path, { method: 'POST', headers, body: form });
			const body = await response.json();
			if (response.status !== 200) problems.push(`POST ${path}: ${response.status} ${body.message}`);
			else problems.push(...matches(body, tried).map((p) => `POST ${path}: ${p}`));
			if (changes && body.recipe?.fit !== 'stretch') problems.push(`POST ${path}: the changed field is not in the recipe used`);
		}
	}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const problems = await checkContract((process.argv[2] ?? '').replace(/\/$/, ''), process.argv[3] ?? '');
	for (const problem of problems) console.log(problem);
	console.log(problems.length ? `${problems.length} problems` : 'The server says what the pages read.');
	process.exitCode = problems.length ? 1 : 0;
}
