// SPDX-License-Identifier: Apache-2.0
// What the mock knows: models, deployments, and for each deployment a long list of predictions made on demand.
import { digits, labels, photos, random } from './pictures.mjs';

export const ORGANIZATION = '018f2b6a-0000-7000-8000-000000000001';

export const uuid = (kind, n) => `018f2b6a-${kind.toString(16).padStart(4, '0')}-7000-8000-${n.toString(16).padStart(12, '0')}`;

const KIND = { asset: 1, prediction: 2, data: 3, deployment: 4, model: 5, version: 6, file: 7 };
const DAY = 86400;

export function boxesOf(photo, next, asPolygons) {
	const shape = (o, score) => {
		const wobble = (n) => (next() - 0.5) * 0.06 * n;
		const x = Math.max(0, o.x + wobble(o.w));
		const y = Math.max(0, o.y + wobble(o.h));
		const w = Math.min(photo.width - x, o.w * (1 + (next() - 0.5) * 0.08));
		const h = Math.min(photo.height - y, o.h * (1 + (next() - 0.5) * 0.08));
		const named = { label: o.label, label_id: Math.max(0, labels.indexOf(o.label)), score: Number(score.toFixed(4)) };
		if (!asPolygons) return { type: 'rectangle', x, y, w, h, ...named };
		const polygon = Array.from({ length: 28 }, (_, i) => {
			const a = (i / 28) * 2 * Math.PI;
			const r = 0.46 * (0.86 + 0.14 * Math.cos(3 * a + o.x));
			return [x + w * (0.5 + r * Math.cos(a)), y + h * (0.5 + r * Math.sin(a))];
		});
		return { type: 'polygon', polygon, ...named };
	};
	const shapes = photo.objects.map((o) => shape(o, Math.min(0.97, 0.42 + 0.5 * Math.sqrt((o.w * o.h) / (photo.width * photo.height)) + next() * 0.3)));
	for (let i = Math.floor(next() * 6); i > 0; i--) {
		const w = 20 + next() * photo.width * 0.4;
		const h = 20 + next() * photo.height * 0.4;
		const label = labels[Math.floor(next() ** 2 * labels.length)];
		shapes.push(shape({ label, x: next() * (photo.width - w), y: next() * (photo.height - h), w, h }, 0.01 + 0.33 * next() ** 3));
	}
	return shapes.sort((a, b) => b.score - a.score);
}

export function classesOf(photo, next) {
	const sure = 0.75 + 0.25 * next();
	const right = Number(photo.objects[0].label);
	const rest = Array.from({ length: 3 }, (_, i) => ({ id: (right + 3 * (i + 1)) % 10, score: ((1 - sure) * (3 - i)) / 6 }));
	return [{ id: right, score: sure }, ...rest].filter((c) => c.score >= 0.01)
		.map((c) => ({ type: 'classification', label: String(c.id), label_id: c.id, score: Number(c.score.toFixed(4)) }));
}

export class Deployment {
	constructor(n, fields, predictions, baseMs) {
		this.n = n;
		this.id = uuid(KIND.deployment, n);
		this.baseMs = baseMs;
		this.failed = fields.failed ?? 0;
		this.fields = fields;
		this.history = [{ at: fields.created_at, what: 'created', by: 'admin', from: null, to: fields.first ?? fields.champion.version_id }, ...(fields.history ?? [])];
		this.times = [];
		this.extra = new Map();
		/** { version, since, from: first index it answers, lag, state, state_text, ms } */
		this.shadows = [];
		const next = random(n * 7919);
		const now = Date.now() / 1000;
		for (let i = 0; i < predictions; i++) {
			// A third in the last hour, the rest over a month, busier by day.
			const recent = i % 3 === 0;
			let at = now - (recent ? 3600 * next() : 30 * DAY * next() ** 1.6);
			const hour = new Date(at * 1000).getHours();
			if (!recent && (hour < 6 || hour > 21) && next() < 0.8) at -= 8 * 3600;
			this.times.push(at);
		}
		this.times.sort((a, b) => a - b);
	}

	latency(i) {
		const next = random(this.n * 104729 + i);
		const slow = next() < 0.012 ? 2 + 3 * next() : 1;
		return (this.baseMs * (0.9 + 0.16 * next() + 0.25 * next() ** 6) * slow) / 1000;
	}

	idOf(i) {
		return uuid(KIND.asset, this.n * 0x1000000 + i);
	}

	indexOf(id) {
		const n = parseInt(id.slice(-12), 16);
		const i = n - this.n * 0x1000000;
		return id.slice(9, 13) === '0001' && i >= 0 && i < this.times.length ? i : -1;
	}

	picture(i) {
		const own = this.extra.get(i);
		if (own) return own;
		const set = this.fields.type === 'CLASSIFICATION' ? digits : photos;
		return set[Math.floor(random(this.n * 31 + i)() * set.length)];
	}

	asset(i, threshold) {
		const photo = this.picture(i);
		const next = random(this.n * 1299709 + i);
		const latency = this.latency(i);
		const created_at = new Date(this.times[i] * 1000).toISOString();
		const all = this.fields.type === 'CLASSIFICATION' ? classesOf(photo, next) : boxesOf(photo, next, this.fields.type === 'SEGMENTATION');
		const answered = this.extra.has(i) ? this.fields.min_threshold : 0.1;
		const shapes = all.filter((s) => s.score >= (threshold ?? answered));
		const at = (file) => (photo.name ? `/files/${encodeURIComponent(file)}` : '');
		return {
			id: this.idOf(i), oracle_prediction_id: uuid(KIND.prediction, this.n * 0x1000000 + i), status: 'TO REVIEW', created_at,
			data: {
				id: uuid(KIND.data, this.n * 0x1000000 + i), filename: photo.name, object_name: `images/${photo.name}`, type: 'IMAGE',
				content_type: photo.type.toUpperCase(), presigned_url: at(photo.name), upload_status: 'DONE', metadata: {}, custom_metadata: {},
				meta: { width: photo.width, height: photo.height },
			},
			predictions: [{
				id: uuid(KIND.prediction, this.n * 0x1000000 + i), is_shadow: false, model_version_id: this.fields.champion.version_id, created_at,
				threshold: answered, latency,
				steps_ms: { decode: 2 + 3 * next(), preprocess: 1.2 + next(), infer: latency * 1000, postprocess: 0.3 + 0.4 * next() },
				shapes, hidden: all.length - shapes.length,
			}, ...this.shadows.filter((s) => i >= s.from && i < this.times.length - s.lag).map((s) => this.shadowPrediction(s, i, all, created_at, threshold ?? answered))],
			reviews: [],
		};
	}

	/** Nearly the champion's, with a will of its own. */
	shadowPrediction(shadow, i, all, created_at, threshold) {
		const next = random(this.n * 433 + i * 17 + shadow.version.version);
		const moved = all.filter(() => next() > 0.12).map((s) => {
			const score = Number(Math.max(0.01, Math.min(0.99, s.score + (next() - 0.45) * 0.2)).toFixed(4));
			if (s.type !== 'rectangle') return { ...s, score };
			return { ...s, score, x: Math.max(0, s.x - s.w * 0.06 * next()), y: Math.max(0, s.y + s.h * 0.05 * next()), w: s.w * (1 + 0.08 * next()) };
		}).sort((a, b) => b.score - a.score);
		const shapes = moved.filter((s) => s.score >= threshold);
		const cpu = this.cpu(i) * (shadow.ms / this.baseMs);
		return {
			id: uuid(KIND.prediction, this.n * 0x1000000 + 0x800000 + i), is_shadow: true, model_version_id: shadow.version.id, created_at, threshold, latency: cpu,
			steps_ms: { decode: 2.2, preprocess: 1.4, infer: cpu * 1000, postprocess: 0.4 }, shapes, hidden: moved.length - shapes.length,
		};
	}

	cpu(i) {
		return (this.baseMs * (0.95 + 0.06 * random(this.n * 7907 + i)())) / 1000;
	}

	addShadow(version, from, lag = 0, more = {}) {
		this.shadows.unshift({ version, since: new Date().toISOString(), from, lag, state: 'FOLLOWING', state_text: null, ms: this.baseMs * (version.version === 3 ? 1.22 : 0.98), ...more });
	}

	stats() {
		const n = this.times.length;
		const sample = Array.from({ length: Math.min(n, 500) }, (_, i) => this.latency(n - 1 - i) * 1000);
		const sorted = [...sample].sort((a, b) => a - b);
		return {
			inferences: n, failed: this.failed,
			mean_latency_ms: n ? sample.reduce((a, b) => a + b, 0) / sample.length : null,
			p99_latency_ms: n ? sorted[Math.ceil(0.99 * sorted.length) - 1] : null,
			recent_latency_ms: sample.slice(0, 60).reverse(), last_at: n ? new Date(this.times[n - 1] * 1000).toISOString() : null,
		};
	}

	json() {
		const { history, failed, first, ...fields } = this.fields;
		return {
			id: this.id, oracle_host: '', serving_host: '', review_campaign_id: null, shadow_model_version_id: this.shadows[0]?.version.id ?? null, tags: [], status_text: null,
			paused_by: null, paused_at: null, alerts_open: this.n === 1 ? 1 : 0, model_version_id: fields.champion.version_id, labels, ...fields, stats: this.stats(),
			shadows: this.shadows.map((s) => ({
				model_version_id: s.version.id, model_id: s.version.origin.id, model_name: s.version.origin.name, version: s.version.version, since: s.since, lag: s.lag,
				predictions: Math.max(0, this.times.length - s.from - s.lag), mean_cpu_ms: this.times.length - s.from - s.lag > 0 ? s.ms : null, champion_mean_cpu_ms: this.times.length - s.from - s.lag > 0 ? this.baseMs * 0.97 : null,
				skipped: s.state === 'HELD' ? 2 : 0, skipped_text: s.state === 'HELD' ? 'The model took longer than 30 s.' : null, state: s.state, state_text: s.state_text,
			})),
		};
	}

	/** How often each point is kept so that at most `max` come out. */
	latencySeries(from, to, max, cpu = false) {
		const of = (i) => (cpu ? this.cpu(i) : this.latency(i));
		const inRange = this.times.flatMap((t, i) => (t >= from && t <= to ? [i] : []));
		const values = inRange.map(of).sort((a, b) => a - b);
		const rank = (q) => (values.length ? values[Math.max(0, Math.ceil(q * values.length) - 1)] : null);
		const every = Math.ceil(inRange.length / max) || 1;
		return {
			points: inRange.filter((_, k) => k % every === 0).map((i) => [this.times[i], of(i), this.idOf(i)]),
			shadow_points: this.shadows.flatMap((s) => inRange.filter((i, k) => k % every === 0 && i >= s.from && i < this.times.length - s.lag).map((i) => [this.times[i], this.cpu(i) * (s.ms / this.baseMs), this.idOf(i)])),
			count: inRange.length, mean_s: values.length ? values.reduce((a, b) => a + b, 0) / values.length : null,
			p50_s: rank(0.5), p90_s: rank(0.9), p99_s: rank(0.99), sampled: every > 1,
		};
	}
}

const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();

const guesses = ['fit', 'pad', 'pad_value', 'colour', 'scale', 'mean', 'std', 'nms_iou'];

export const RECIPE = {
	task: 'detection', width: 416, height: 416, fit: 'letterbox', pad: 'bottom_right', pad_value: 114, colour: 'bgr', layout: 'nchw', sample: 'float32', scale: 1,
	mean: [0, 0, 0], std: [1, 1, 1], output: 'yolox_raw', tensors: [0], class_count: 80, background: 'none', probabilities: true, nms_iou: 0.45, features_output: '',
	from: {
		task: 'given', width: 'read', height: 'read', ...Object.fromEntries(guesses.map((g) => [g, 'guessed'])), layout: 'read', sample: 'read',
		output: 'read', tensors: 'read', class_count: 'read', background: 'guessed', probabilities: 'read', features_output: 'read',
	},
};

const DIGITS_RECIPE = {
	...RECIPE, task: 'classification', width: 28, height: 28, fit: 'stretch', colour: 'grey', class_count: 10, output: 'classification', probabilities: false,
	from: { ...RECIPE.from, fit: 'given', colour: 'read', scale: 'given', mean: 'given', std: 'given' },
};

const confirmedRecipe = (recipe) => ({ ...recipe, from: Object.fromEntries(Object.entries(recipe.from).map(([k, v]) => [k, v === 'guessed' ? 'given' : v])) });

/** What a version says, recomputed after every change. */
export function versionJson(version, deployments) {
	const guessed = version.recipe ? guesses.filter((g) => g !== 'nms_iou' && version.recipe.from[g] === 'guessed') : [];
	const uses = deployments.flatMap((d) => [
		...(d.fields.champion.version_id === version.id ? [{ id: d.id, name: d.fields.name, role: 'champion' }] : []),
		...d.shadows.filter((s) => s.version.id === version.id).map(() => ({ id: d.id, name: d.fields.name, role: 'shadow' })),
	]);
	const { truth, ...fields } = version;
	return { ...fields, guessed, confirmed: version.recipe !== null && guessed.length === 0, deployments: uses };
}

export function makeVersion(n, model, fields) {
	return {
		id: uuid(KIND.version, n), name: null, type: model.type, framework: 'ONNX', labels: Object.fromEntries(labels.map((l, i) => [i, l])), parameters: {},
		origin: model, state: 'READY', state_text: null, recipe: RECIPE, truth: RECIPE,
		graph: { probe_us: 22_400, weights_bytes: 3_640_000, producer: 'pytorch 1.7', opset: 11 },
		files: [{ name: 'model-latest', filename: `${model.name.replace('-', '_')}.onnx`, size_bytes: 3_658_000 }],
		lineage: { experiment_id: null, based_on_version_id: null }, created_at: ago(DAY * Math.max(1, 30 - n)), ...fields,
	};
}

export function makeModels() {
	const make = (n, name, type, description, versions) => {
		const model = { id: uuid(KIND.model, n), name, description, private: true, type, created_at: ago(DAY * (31 - n)), versions: versions.length };
		return { model, versions: versions.map((v, i) => makeVersion(n * 16 + i, model, { version: i, ...v })) };
	};
	const old = { recipe: confirmedRecipe(RECIPE) };
	return [
		make(1, 'yolox-nano', 'OBJECT_DETECTION', 'Small detector for street scenes, 80 classes', [old, { ...old, name: 'retrained', created_at: ago(DAY * 2) }, {
			state: 'REFUSED', recipe: null, graph: null, created_at: ago(3600),
			state_text: 'The output "features" has shape 1x512x7x7, and no known layout of object detection fits it: 1x(4+C)xN, YOLOX raw grid, or logits with boxes.',
		}, { name: 'night', created_at: ago(1800), lineage: { experiment_id: null, based_on_version_id: uuid(KIND.version, 16) } }]),
		make(2, 'mnist', 'CLASSIFICATION', 'Handwritten digits', [{ labels: Object.fromEntries([...'0123456789'].map((d) => [d, d])), recipe: DIGITS_RECIPE, truth: DIGITS_RECIPE }]),
		make(3, 'yard-segments', 'SEGMENTATION', null, [old]),
		make(4, 'press-crack', 'OBJECT_DETECTION', 'Cracks on pressed parts', []),
		make(5, 'gate-people', 'OBJECT_DETECTION', 'Watched only: predicts on the camera itself', [{ state: 'EMPTY', recipe: null, graph: null, files: [] }]),
		make(6, 'ultraface', 'OBJECT_DETECTION', 'Faces', [old]),
	];
}

export function makeDeployments(models, predictions) {
	const champion = (m, v, since) => {
		const version = models[m].versions[v];
		return { model_id: models[m].model.id, model_name: models[m].model.name, version_id: version.id, version: version.version, version_name: version.name, since };
	};
	const base = { min_threshold: 0.1, status: 'SERVING', created_at: ago(30 * DAY) };
	const made = [
		new Deployment(1, {
			...base, name: 'amber-falcon', type: 'OBJECT_DETECTION', champion: champion(0, 1, ago(2 * DAY)), first: models[0].versions[0].id, failed: 3,
			history: [
				{ at: ago(20 * DAY), what: 'threshold', by: 'admin', from: '0.25', to: '0.1' },
				{ at: ago(2 * DAY), what: 'deployed', by: 'admin', from: models[0].versions[0].id, to: models[0].versions[1].id },
			],
		}, predictions, 22.4),
		new Deployment(2, { ...base, name: 'night-dock', type: 'OBJECT_DETECTION', champion: champion(0, 0, ago(12 * DAY)), status: 'PAUSED', paused_by: 'admin', paused_at: ago(5400) }, 640, 23.8),
		new Deployment(3, { ...base, name: 'digits', type: 'CLASSIFICATION', champion: champion(1, 0, ago(6 * DAY)), min_threshold: 0.5 }, 310, 0.42),
		new Deployment(4, { ...base, name: 'yard-survey', type: 'SEGMENTATION', champion: champion(2, 0, ago(3 * DAY)), min_threshold: 0.3 }, 220, 148),
		new Deployment(5, { ...base, name: 'quiet-harbor', type: 'OBJECT_DETECTION', champion: champion(0, 0, ago(40)), status: 'LOADING', status_text: 'Warming yolox-nano:0, 2 of 3 runs done.' }, 0, 23),
		new Deployment(6, { ...base, name: 'brittle-kiln', type: 'OBJECT_DETECTION', champion: champion(0, 0, ago(9 * DAY)), status: 'HELD', failed: 41, status_text: 'yolox-nano:0 crashed three times in 60 s and is held. Last: its process was ended by signal 11 while it ran.' }, 120, 31),
		new Deployment(7, { ...base, name: 'new-orchard', type: 'OBJECT_DETECTION', champion: champion(0, 1, ago(90)), created_at: ago(90) }, 0, 23),
		new Deployment(8, { ...base, name: 'gate-watch', type: 'OBJECT_DETECTION', champion: champion(4, 0, ago(3000)), status: 'EXTERNAL', created_at: ago(3000) }, 0, 23),
		new Deployment(9, { ...base, name: 'twin-bridge', type: 'OBJECT_DETECTION', champion: champion(0, 0, ago(5 * DAY)), created_at: ago(5 * DAY) }, 400, 22.8),
	];
	const [first, , , , , , , , twin] = made;
	first.addShadow(models[0].versions[3], Math.floor(predictions * 0.7), 0, { since: ago(1500) });
	first.history.push({ at: ago(1500), what: 'shadow_set', by: 'admin', from: null, to: models[0].versions[3].id });
	twin.addShadow(models[0].versions[1], 100, 0, { since: ago(2 * DAY) });
	twin.addShadow(models[5].versions[0], 200, 0, { since: ago(DAY), state: 'HELD', state_text: 'ultraface:0 crashed three times in 60 s and is held. The champion is not touched.' });
	twin.addShadow(models[0].versions[3], 0, 212, { since: ago(60) });
	return made;
}
