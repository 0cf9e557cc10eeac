// SPDX-License-Identifier: Apache-2.0
// What the mock knows: models, deployments, and for each deployment a long list of predictions made on demand.
import { digits, labels, photos, random } from './pictures.mjs';

export const ORGANIZATION = '018f2b6a-0000-7000-8000-000000000001';

export const uuid = (kind, n) => `018f2b6a-${kind.toString(16).padStart(4, '0')}-7000-8000-${n.toString(16).padStart(12, '0')}`;

const KIND = { asset: 1, prediction: 2, data: 3, deployment: 4, model: 5, version: 6, file: 7 };
const DAY = 86400;

function boxesOf(photo, next, asPolygons) {
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

function classesOf(photo, next) {
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
			}],
			reviews: [],
		};
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
			id: this.id, oracle_host: '', serving_host: '', review_campaign_id: null, shadow_model_version_id: null, tags: [], status_text: null,
			paused_by: null, paused_at: null, model_version_id: fields.champion.version_id, labels, ...fields, stats: this.stats(),
		};
	}

	/** How often each point is kept so that at most `max` come out. */
	latencySeries(from, to, max) {
		const inRange = this.times.flatMap((t, i) => (t >= from && t <= to ? [i] : []));
		const values = inRange.map((i) => this.latency(i)).sort((a, b) => a - b);
		const rank = (q) => (values.length ? values[Math.max(0, Math.ceil(q * values.length) - 1)] : null);
		const every = Math.ceil(inRange.length / max) || 1;
		return {
			points: inRange.filter((_, k) => k % every === 0).map((i) => [this.times[i], this.latency(i), this.idOf(i)]),
			count: inRange.length, mean_s: values.length ? values.reduce((a, b) => a + b, 0) / values.length : null,
			p50_s: rank(0.5), p90_s: rank(0.9), p99_s: rank(0.99), sampled: every > 1,
		};
	}
}

const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();

const RECIPE = {
	task: 'OBJECT_DETECTION', width: 416, height: 416, fit: 'letterbox', pad: 'top_left', pad_value: 114, colour: 'bgr', layout: 'nchw', sample: 'float32', scale: 1,
	mean: [0, 0, 0], std: [1, 1, 1], output: 'yolox_raw_grid', class_count: 80, background_first: false, probabilities: true, nms_iou: 0.45, features_output: '',
	from: {
		task: 'given', width: 'read', height: 'read', fit: 'guessed', pad: 'guessed', pad_value: 'guessed', colour: 'guessed', layout: 'read', sample: 'read', scale: 'guessed',
		mean: 'guessed', std: 'guessed', output: 'read', class_count: 'read', background_first: 'guessed', probabilities: 'read', nms_iou: 'guessed', features_output: 'guessed',
	},
};

export function makeModels() {
	const named = Object.fromEntries(labels.map((l, i) => [i, l]));
	const version = (n, model, fields) => ({
		id: uuid(KIND.version, n), name: null, type: model.type, framework: 'ONNX', labels: named, parameters: {}, origin: model, state: 'READY', state_text: null,
		recipe: RECIPE, created_at: ago(DAY * (30 - n)), ...fields,
	});
	const make = (n, name, type, description, versions) => {
		const model = { id: uuid(KIND.model, n), name, description, private: true, type, created_at: ago(DAY * (31 - n)), versions: versions.length };
		return { model, versions: versions.map((v, i) => version(n * 16 + i, model, { version: i, ...v })) };
	};
	return [
		make(1, 'yolox-nano', 'OBJECT_DETECTION', 'Small detector for street scenes, 80 classes', [{}, { name: 'retrained', created_at: ago(DAY * 2) }, {
			state: 'REFUSED', recipe: null, created_at: ago(3600),
			state_text: 'The output "features" has shape 1x512x7x7, and no known layout of object detection fits it: 1x(4+C)xN, YOLOX raw grid, or logits with boxes.',
		}]),
		make(2, 'mnist', 'CLASSIFICATION', 'Handwritten digits', [{ labels: Object.fromEntries([...'0123456789'].map((d) => [d, d])), recipe: { ...RECIPE, task: 'CLASSIFICATION', width: 28, height: 28, fit: 'stretch', class_count: 10 } }]),
		make(3, 'yard-segments', 'SEGMENTATION', null, [{}]),
		make(4, 'press-crack', 'OBJECT_DETECTION', 'Cracks on pressed parts', []),
	];
}

export function makeDeployments(models, predictions) {
	const champion = (m, v, since) => {
		const version = models[m].versions[v];
		return { model_id: models[m].model.id, model_name: models[m].model.name, version_id: version.id, version: version.version, version_name: version.name, since };
	};
	const base = { min_threshold: 0.1, status: 'SERVING', created_at: ago(30 * DAY) };
	return [
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
	];
}
