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
	champion: maybe({ model_id: text, model_name: text, version_id: text, version: count, since: time }), labels: list(text),
	stats: { inferences: count, failed: count, mean_latency_ms: maybe(number), p99_latency_ms: maybe(number), recent_latency_ms: list(number), last_at: maybe(time) },
};
const version = {
	id: text, origin: { id: text, name: text }, version: count, type: taskType, framework: text, labels: maybe(dictionary(text)), state: one('EMPTY', 'READY', 'REFUSED'), state_text: maybe(text),
	recipe: maybe(dictionary(anything)), created_at: time,
};
const latency = { points: list((p) => Array.isArray(p) && number(p[0]) && number(p[1]) && text(p[2])), count, mean_s: maybe(number), p50_s: maybe(number), p90_s: maybe(number), p99_s: maybe(number), sampled: flag };

export async function checkContract(address, token) {
	const problems = [];
	const get = async (path, check) => {
		const response = await fetch(address + path, { headers: { Authorization: `Bearer ${token}` } });
		const body = await response.json();
		if (response.status !== 200) problems.push(`GET ${path}: ${response.status} ${body.message}`);
		else problems.push(...matches(body, check).map((p) => `GET ${path}: ${p}`));
		return body;
	};
	const session = await get('/api/session', { user: { id: text, name: text }, organization: { id: text, name: text }, version: text });
	const organization = `/api/organization/${session.organization?.id}`;
	const deployments = await get(`${organization}/deployments?limit=50&offset=0`, page(deployment));
	for (const d of (deployments.items ?? []).slice(0, 5)) {
		const own = `/api/deployment/${d.id}`;
		await get(own, deployment);
		await get(`${own}/history`, page({ at: time, what: text, by: maybe(text), from: maybe(text), to: maybe(text) }));
		const now = Math.ceil(Date.now() / 1000);
		await get(`${own}/latency?from=${now - 30 * 86400}&to=${now + 1}&points_max=2000`, latency);
		const answered = await get(`${own}/predictedassets?limit=48&offset=0&order_by=-created_at`, page(asset));
		const all = await get(`${own}/predictedassets?limit=48&offset=0&threshold=0.01&order_by=-created_at`, page(asset));
		const times = (answered.items ?? []).map((a) => Date.parse(a.created_at));
		if (times.some((t, i) => i > 0 && t > times[i - 1])) problems.push(`${own}/predictedassets is not newest first`);
		for (const a of answered.items ?? []) {
			const p = a.predictions.find((x) => !x.is_shadow);
			const full = all.items.find((x) => x.id === a.id)?.predictions.find((x) => !x.is_shadow);
			if (p && full && full.shapes.filter((s) => s.score >= full.threshold).length !== p.shapes.length)
				problems.push(`predicted asset ${a.id}: with threshold=0.01, its shapes above its own threshold are not those answered`);
		}
		if (answered.items?.[0]) await get(`/api/predicted/asset/${answered.items[0].id}?threshold=0.01`, asset);
		const past = await get(`${own}/predictedassets?limit=48&offset=${(answered.count ?? 0) + 100}&order_by=-created_at`, page(asset));
		if (past.items?.length) problems.push(`${own}/predictedassets past the end is not empty`);
	}
	const models = await get(`${organization}/models?limit=50&offset=0`, page({ id: text, name: text, type: taskType, versions: count, created_at: time }));
	for (const m of (models.items ?? []).slice(0, 5)) {
		await get(`/api/model/${m.id}`, { id: text, name: text, type: taskType, created_at: time });
		const versions = await get(`/api/model/${m.id}/versions`, page(version));
		for (const v of (versions.items ?? []).slice(0, 2)) {
			await get(`/api/model/version/${v.id}`, version);
			await get(`/api/model/version/${v.id}/modelfiles`, page({ id: text, name: text, filename: text }));
		}
	}
	return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const problems = await checkContract((process.argv[2] ?? '').replace(/\/$/, ''), process.argv[3] ?? '');
	for (const problem of problems) console.log(problem);
	console.log(problems.length ? `${problems.length} problems` : 'The server says what the pages read.');
	process.exitCode = problems.length ? 1 : 0;
}
