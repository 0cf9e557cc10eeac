// SPDX-License-Identifier: Apache-2.0
// What the mock's deployments are compared with and told by: Training Data, drift, outliers, alerts, webhooks. Invented
// numbers that hang together.
import { photos, random } from './pictures.mjs';
import { ORGANIZATION, uuid } from './world.mjs';

const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const KINDS = [
	['latency', 'Latency (p99)', 'ms', '>', 1000, 900], ['failed', 'Failed requests', '%', '>', 1, 900], ['is_drift', 'Drift', '', '=', 1, 0], ['data_quality', 'Image quality', '%', '>', 5, 3600],
	['avg_latency', 'Mean latency', 'ms', '>', 500, 900], ['is_outlier', 'Outliers', '%', '>', 5, 3600], ['stats.ap_50_95', 'AP of reviewed images', '', '<', 0.3, 604800], ['distribution', 'Label distribution', '', '<', 0.001, 86400],
];
const FEATURES = [
	['brightness', 'Brightness', '', 'image', -2.2], ['entropy', 'Detail', 'bits', 'image', -1.1], ['score_max', 'Highest score', '', 'model', -0.7], ['contrast', 'Contrast', '', 'image', -0.4],
	['objects', 'Objects in an image', '', 'model', -0.35], ['outlier', 'How unusual the image is to the model', '', 'model', 0.3], ['sharpness', 'Sharpness', 'log', 'image', 0.15], ['box_size', 'Size of an object', 'of the image', 'model', 0.1],
	['red_share', 'Share of red', '', 'image', 0.08], ['box_x', 'Place of an object, across', 'of the image', 'model', 0], ['label', 'Label', '', 'model', 0],
];

/** 65 quantiles of a bell, shifted by so many standard deviations. */
function quantiles(next, shift, whole) {
	const values = Array.from({ length: 520 }, () => shift + Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())).sort((a, b) => a - b);
	const picked = Array.from({ length: 65 }, (_, i) => values[Math.round((i / 64) * (values.length - 1))]);
	return picked.map((v) => (whole ? Math.max(0, Math.round(3 + 1.5 * v)) : 0.5 + 0.12 * v));
}

function distance(a, b) {
	const below = (list, x) => list.filter((v) => v <= x).length / list.length;
	return Math.max(...[...a, ...b].map((x) => Math.abs(below(a, x) - below(b, x))));
}

const datasetVersion = (n) => ({
	id: uuid(14, 16 + n), origin_id: uuid(14, 1), origin_name: 'street', version: `v${n}`, type: 'OBJECT_DETECTION', description: '', revision: 3, locked: n === 1, hash: null,
	created_at: ago(86400 * (5 - n)), forked_from_id: null, assets: photos.length, annotated: photos.length, labels: 4, tags: [],
});
/** The newest predictions, a few apart. */
const some = (d, n) => Array.from({ length: Math.min(n, d.times.length) }, (_, k) => d.asset(Math.max(0, d.times.length - 1 - 7 * k)));

/** Training Data of each deployment: the busiest has it, the others not yet. */
class Trainings {
	constructor(weather) {
		this.weather = weather;
		this.known = new Map();
	}

	reference(d, fields) {
		return {
			id: uuid(20, d.n), status: 'READY', progress: 1, message: null, error: null, images: 420, held_out: true, small: true, predicted: true, features: true, features_reason: null, note: null,
			ready_at: ago(86400), revision: 3, model_version_id: d.fields.champion?.version_id ?? '', tolerance: 0.066, sees: FEATURES.map(([feature], i) => ({ feature, d: 0.12 + 0.01 * i })), job_id: uuid(16, 9), ...fields,
		};
	}

	of(d) {
		if (!this.known.has(d.id)) {
			const none = { set: false, active: false, kind: null, dataset_version: null, source: null, from: null, images_max: null, reference: null, suggestion: null };
			const suggestion = d.fields.type === 'OBJECT_DETECTION' ? { dataset_version_id: datasetVersion(1).id, why: 'Most of its labels are this model’s.' } : null;
			this.known.set(d.id, d.n === 1
				? { ...none, set: true, active: true, kind: 'DATASET', dataset_version: datasetVersion(1), images_max: 5000, reference: this.reference(d, {}) }
				: { ...none, suggestion });
		}
		return this.known.get(d.id);
	}

	begin(d, fields) {
		const reference = this.reference(d, { status: 'RUNNING', progress: 0, images: 0, ready_at: null, sees: null, message: 'Looking at image 0 of 50' });
		this.known.set(d.id, { ...this.of(d), ...fields, set: true, active: true, suggestion: null, reference });
		return {};
	}

	/** Made in front of one's eyes: a step further with each look. */
	look(d) {
		const training = this.of(d);
		const { reference: r } = training;
		if (r?.status === 'RUNNING' && !this.weather.slow_jobs) {
			r.progress = Math.min(1, r.progress + 0.34);
			r.message = `Looking at image ${Math.round(50 * r.progress)} of 50`;
			if (r.progress >= 1) training.reference = this.reference(d, {});
		}
		return training;
	}

	ready(d) {
		const { set, active, reference } = this.of(d);
		return set && active && reference?.status === 'READY' && d.times.length > 0;
	}
}

function drift(d, training, on, images) {
	const next = random(77);
	const features = (on ? FEATURES : []).map(([name, title, unit, kind, shift]) => {
		const whole = name === 'objects' || name === 'label';
		const [a, b] = [quantiles(next, 0, whole), quantiles(next, shift, whole)];
		const far = distance(a, b);
		const drifted = far >= 0.15;
		return {
			name, title, unit, kind, d: far, low: Math.max(0, far - 0.07), high: Math.min(1, far + 0.07), p: drifted ? 1e-9 : 0.3, p_adjusted: drifted ? 1e-8 : 1, drifted, critical_d: 0.13, may_alarm: true,
			reference: { quantiles: a }, window: { quantiles: b }, strength: Math.min(1, 2 * far * far), moved: far < 0.1 ? null : shift < 0 ? 'lower' : 'higher',
		};
	}).sort((a, b) => b.d - a.d);
	return {
		reference: on ? { id: training.reference.id, images: 420, held_out: true, small: true, sentence: 'With 420 images, shifts below D 0.13 cannot be seen.' } : null,
		window: { images, effective: 0.7 * images, from: ago(7200), to: ago(0), basis: null }, alpha: 0.01, features,
		detectors: { seen: d.times.length, effective: d.times.length / 3, thinning: 3, tolerance: 0.066, budget_images: 100000, state: on ? 'watching' : 'off', sentence: 'The detectors watch since Training Data is ready.' },
		where: (on ? [['tag', 'night', 0.88], ['source', 'gate-south', 0.71], ['label', 'person', 0.42], ['source', 'gate-north', 0.12]] : []).map(([by, name, far]) => ({ by, name, images: 80, feature: 'brightness', d: far, p: 1e-6 })),
		examples: on ? some(d, 12).map((a, i) => ({ predicted_asset_id: a.id, value: 0.08 + 0.01 * i, created_at: a.created_at })) : [], missing: [],
	};
}

function outliers(d, on) {
	const next = random(78);
	const points = (on ? some(d, 400) : []).map((a) => {
		const score = next() < 0.04 ? 1 + 2.5 * next() : 0.15 + 0.7 * next();
		return { predicted_asset_id: a.id, at: a.created_at, score, rank: score >= 1 ? 0.004 : 0.4 };
	});
	const out = points.filter((p) => p.score >= 1).length;
	const counts = points.length > 0 ? { images: points.length, outliers: out, share: out / points.length, low: 0.022, high: 0.06 } : { images: 0, outliers: 0, share: null, low: null, high: null };
	return { limit: 1, rank: 0.01, points, worst: [...points].sort((a, b) => b.score - a.score).slice(0, 12), counts, reference: null, missing: [] };
}

function beginAlerts(d) {
	const items = KINDS.slice(0, 4).map(([kind, title, unit, operator, value, window_s], i) => ({
		id: uuid(21, d.n * 16 + i), kind, title, unit, help: `${title} of the champion.`, operator, value, window_s, images_min: window_s ? 20 : 0, label: null, active: true, supervised: false,
		budget: kind === 'is_drift' ? 'At most one false alarm in 100,000 images, on average.' : null, last_fired_at: null, open: null,
	}));
	if (d.n !== 1) return { items, events: [] };
	const event = (i, n, opened, closed, sentence) => ({ id: uuid(22, d.n * 16 + n), alert_id: items[i].id, kind: items[i].kind, title: items[i].title, opened_at: ago(opened), closed_at: closed === null ? null : ago(closed), closed_by: closed === null ? null : 'gyre', sentence, detail: {} });
	const events = [event(2, 0, 900, null, 'Drift: brightness is lower than in Training Data since about 14:02, found after 41 images.'), event(0, 1, 86400, 86000, 'Latency (p99) was 1,240 ms over 15 minutes, above 1,000 ms.')];
	Object.assign(items[2], { open: events[0], last_fired_at: ago(900) });
	items[0].last_fired_at = ago(86400);
	return { items, events };
}

export function watchingRoutes({ Refused, deployments, weather }) {
	const trainings = new Trainings(weather);
	const alerts = new Map();
	let webhooks = [];
	const find = (id) => {
		const found = deployments().find((d) => d.id === id);
		if (!found) throw new Refused(404, `There is no deployment ${id}.`);
		return found;
	};
	const alertsOf = (id) => {
		if (!alerts.has(id)) alerts.set(id, beginAlerts(find(id)));
		return alerts.get(id);
	};
	const alert = (id) => {
		const all = deployments().map((d) => alertsOf(d.id)).find((a) => a.items.some((item) => item.id === id));
		if (!all) throw new Refused(404, `There is no alert ${id}.`);
		return { all, item: all.items.find((item) => item.id === id) };
	};
	const hook = (id) => {
		const one = webhooks.find((w) => w.id === id);
		if (!one) throw new Refused(404, `There is no webhook ${id}.`);
		return one;
	};
	const shown = ({ deliveries: _, ...webhook }) => webhook;
	return [
		['GET', '/api/deployment/:id/pipeline/td', ({ id }) => trainings.look(find(id))],
		['POST', '/api/deployment/:id/pipeline/td/setup', ({ id }, { body }) => {
			const { dataset_version_id: chosen, images, source = null, from = null } = JSON.parse(body);
			if (!chosen) return trainings.begin(find(id), { kind: 'PRODUCTION', dataset_version: null, images_max: images, source, from });
			return trainings.begin(find(id), { kind: 'DATASET', dataset_version: [1, 2].map(datasetVersion).find((v) => v.id === chosen) ?? datasetVersion(1) });
		}],
		['POST', '/api/deployment/:id/pipeline/td/redo', ({ id }) => trainings.begin(find(id), {})],
		['PUT', '/api/deployment/:id/pipeline/td/disable', ({ id }) => Object.assign(trainings.of(find(id)), { active: false })],
		['PUT', '/api/deployment/:id/pipeline/td/enable', ({ id }) => Object.assign(trainings.of(find(id)), { active: true })],
		['GET', '/api/deployment/:id/drift', ({ id }, { query }) => {
			const d = find(id);
			return drift(d, trainings.of(d), trainings.ready(d), Math.min(Number(query.get('images') ?? 200), d.times.length));
		}],
		['GET', '/api/deployment/:id/outliers', ({ id }) => outliers(find(id), trainings.ready(find(id)))],
		['GET', '/api/deployment/:id/alerts', ({ id }) => alertsOf(id)],
		['POST', '/api/deployment/:id/alerts', ({ id }, { body, created }) => {
			const fields = JSON.parse(body);
			const known = KINDS.find(([kind]) => kind === fields.kind);
			if (!known) throw new Refused(422, `There is no kind of alert "${fields.kind}".`);
			const { items } = alertsOf(id);
			items.push({ id: uuid(23, find(id).n * 64 + items.length), title: known[1], unit: known[2], help: known[1], window_s: 0, images_min: 0, label: null, supervised: fields.kind.startsWith('stats'), budget: null, last_fired_at: null, open: null, ...fields });
			return created(items.at(-1));
		}],
		['PATCH', '/api/alert/:id', ({ id }, { body }) => Object.assign(alert(id).item, JSON.parse(body))],
		['DELETE', '/api/alert/:id', ({ id }) => {
			const { item, all } = alert(id);
			all.items = all.items.filter((a) => a !== item);
			all.events = all.events.filter((e) => e.alert_id !== id);
			return null;
		}],
		['POST', '/api/alert/event/:id/close', ({ id }) => {
			const all = [...alerts.values()].find((a) => a.events.some((e) => e.id === id));
			if (!all) throw new Refused(404, `There is no event ${id}.`);
			for (const item of all.items) if (item.open?.id === id) item.open = null;
			return Object.assign(all.events.find((e) => e.id === id), { closed_at: ago(0), closed_by: 'admin' });
		}],
		['GET', `/api/organization/${ORGANIZATION}/webhooks`, () => ({ items: webhooks.map(shown), count: webhooks.length })],
		['POST', `/api/organization/${ORGANIZATION}/webhooks`, (_, { body, created }) => {
			const made = { id: uuid(24, webhooks.length + 1), last_at: null, last_status: null, last_error: null, created_at: ago(0), deliveries: [], ...JSON.parse(body) };
			webhooks.push(made);
			return created({ ...shown(made), secret: '5d0f7c2b9a6e4c1f8b3a7d2e6f9c0b1a' });
		}],
		['PATCH', '/api/webhook/:id', ({ id }, { body }) => shown(Object.assign(hook(id), JSON.parse(body)))],
		['DELETE', '/api/webhook/:id', ({ id }) => {
			const gone = hook(id);
			webhooks = webhooks.filter((w) => w !== gone);
			return null;
		}],
		['POST', '/api/webhook/:id/test', ({ id }) => {
			const one = hook(id);
			const delivered = !one.url.includes('gone');
			const went = { http_status: delivered ? 204 : 0, error: delivered ? null : 'Nobody answers at this address.' };
			one.deliveries.unshift({ id: uuid(25, one.deliveries.length + 1), event_id: null, attempts: 1, next_at: delivered ? null : ago(-60), ...went, created_at: ago(0), done_at: delivered ? ago(0) : null });
			Object.assign(one, { last_at: ago(0), last_status: went.http_status, last_error: went.error });
			return { delivered, ...went };
		}],
		['GET', '/api/webhook/:id/deliveries', ({ id }) => ({ items: hook(id).deliveries, count: hook(id).deliveries.length })],
	];
}
