// SPDX-License-Identifier: Apache-2.0
// The mock's models: uploads, recipes, Try it, Check and its job. What a model says depends on how far the recipe is
// from the one it was trained with, so that moving a control does something.
import { imageSize, photos, digits, labels, random } from './pictures.mjs';
import { parseForm } from './multipart.mjs';
import { boxesOf, classesOf, makeVersion, ORGANIZATION, RECIPE, uuid, versionJson } from './world.mjs';

const choice = (name, help, choices, matters = true) => ({ name, help, kind: 'choice', choices, min: null, max: null, matters });
const number = (name, help, min, max, matters = true, kind = 'number') => ({ name, help, kind, choices: null, min, max, matters });

const FIELDS = [
	choice('task', 'what the model does', ['classification', 'detection', 'segmentation'], false),
	number('width', 'width of the model’s input, pixels', 1, 4096, false, 'integer'), number('height', 'height of the model’s input, pixels', 1, 4096, false, 'integer'),
	choice('fit', 'how an image of another shape fits the input', ['letterbox', 'stretch', 'center_crop']), choice('pad', 'where a letterboxed image sits', ['center', 'bottom_right']),
	number('pad_value', 'pixel value of the padding', 0, 255, true, 'integer'), choice('colour', 'order of the channels', ['rgb', 'bgr', 'grey']),
	choice('layout', 'order of the input’s axes', ['nchw', 'nhwc'], false), choice('sample', 'type of the input’s numbers', ['float32', 'uint8', 'float16'], false),
	number('scale', 'factor on pixel values of 0…255', 1e-6, 1e3), number('mean', 'subtracted after scaling, by channel', -1e4, 1e4, true, 'numbers'), number('std', 'divided by after that, by channel', 1e-4, 1e4, true, 'numbers'),
	choice('output', 'layout of the outputs', ['classification', 'yolo_v8', 'yolo_v5', 'yolox_raw', 'detr', 'boxes_scores', 'end_to_end', 'semantic'], false),
	number('tensors', 'which outputs of the graph are read', 0, 63, false, 'integers'), number('class_count', 'classes, background too', 1, 65536, false, 'integer'),
	choice('background', 'which class means that nothing is there', ['none', 'first', 'last'], false),
	{ name: 'probabilities', help: 'the scores are 0…1 as they come', kind: 'flag', choices: null, min: null, max: null, matters: false },
	number('nms_iou', 'boxes of a class that overlap more are one; 1: off', 0, 1, false), { name: 'features_output', help: 'tensor pooled to the feature vector', kind: 'text', choices: null, min: null, max: null, matters: false },
];

/** 0…1: how much of the model's skill is left. */
function skill(recipe, truth) {
	const span = (r) => [255 * r.scale - [].concat(r.mean)[0], -[].concat(r.mean)[0]].map((v) => v / [].concat(r.std)[0]);
	const [a, b] = [span(recipe), span(truth)];
	const off = Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]);
	return (recipe.colour === truth.colour ? 1 : 0.86) * (recipe.fit === truth.fit ? 1 : 0.9) * (recipe.pad === truth.pad ? 1 : 0.97) * (off < 0.05 * Math.abs(b[0] - b[1]) ? 1 : 0.12);
}

export function registryRoutes({ Refused, models, deployments, send, uploads, weather }) {
	const jobs = new Map();
	const find = (id) => {
		const found = models.flatMap((m) => m.versions).find((v) => v.id === id);
		if (!found) throw new Refused(404, `There is no model version ${id}.`);
		return found;
	};
	const json = (version) => versionJson(version, deployments());
	const add = (entry, fields) => {
		const version = makeVersion(entry.versions.length + 16 * (models.indexOf(entry) + 1) + 0x4000, entry.model, { version: entry.versions.length, created_at: new Date().toISOString(), ...fields });
		entry.versions.push(version);
		entry.model.versions = entry.versions.length;
		entry.model.type = version.type;
		return version;
	};
	const entryOf = (version) => models.find((m) => m.versions.includes(version));

	/** What the server would say of this file under this type and these labels. */
	const inspect = (version) => {
		const file = version.files[0].filename;
		const digit = /mnist|digit/.test(file);
		const count = Object.keys(version.labels ?? {}).length;
		const refuse = (text) => Object.assign(version, { state: 'REFUSED', state_text: text, recipe: null });
		if (/broken|refuse/.test(file)) return refuse(`${file} is no ONNX model: its first bytes are not those of one.`);
		if (digit !== (version.type === 'CLASSIFICATION')) return refuse(`The output "output" has shape ${digit ? '1x10' : '1x3549x85'}, and no known layout of ${version.type === 'CLASSIFICATION' ? 'classification' : 'object detection'} fits it.`);
		if (count > 0 && count !== (digit ? 10 : 80)) return refuse(`The model has ${digit ? 10 : 80} classes, and ${count} labels were given.`);
		return Object.assign(version, { state: 'READY', state_text: null, recipe: digit ? { ...RECIPE, task: 'classification', colour: 'grey', width: 28, height: 28, fit: 'stretch' } : RECIPE });
	};

	const answer = (version, recipe, media) => {
		const photo = [...photos, ...digits].find((p) => p.name === media.filename) ?? { name: media.filename, ...imageSize(media.bytes), objects: [{ label: version.type === 'CLASSIFICATION' ? '3' : labels[0], x: 40, y: 40, w: 120, h: 160 }] };
		if (!(media.bytes[0] === 0xff && media.bytes[1] === 0xd8) && media.bytes.readUInt32BE(0) !== 0x89504e47) throw new Refused(422, `${media.filename} is no JPEG, PNG or WebP picture.`);
		const next = random(media.bytes.length);
		const left = skill(recipe, version.truth);
		const all = version.type === 'CLASSIFICATION' ? classesOf(photo, next) : boxesOf(photo, next, version.type === 'SEGMENTATION');
		const shapes = all.map((s) => ({ ...s, score: Number((s.score * left).toFixed(4)) })).filter((s) => s.score >= 0.01);
		return {
			image: { width: photo.width, height: photo.height, filename: media.filename }, shapes, recipe,
			// A real server draws the tensor; the mock has the picture alone.
			seen: { width: recipe.width, height: recipe.height, png: media.bytes.toString('base64') },
			latency_ms: { decode: 2.4, preprocess: 1.3, infer: 22 + 2 * Math.random(), postprocess: 0.4 },
		};
	};

	const candidates = (version) => {
		const base = version.recipe;
		const ranges = [{ scale: 1, mean: [0, 0, 0], std: [1, 1, 1] }, { scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] }, { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }];
		const rows = [];
		for (const colour of ['bgr', 'rgb']) for (const fit of ['letterbox', 'stretch']) for (const range of ranges) {
			const recipe = { ...base, colour, fit, ...range };
			const changed = Object.fromEntries(Object.entries(recipe).filter(([k, v]) => k !== 'from' && JSON.stringify(v) !== JSON.stringify(base[k])));
			const value = 0.505 * skill(recipe, version.truth) ** 1.3;
			rows.push({ recipe, changed, value: Number(value.toFixed(4)), value50: Number((value * 1.5).toFixed(4)), current: Object.keys(changed).length === 0, pictures: 20, certainty: value });
		}
		return rows.sort((a, b) => b.value - a.value);
	};

	const runCheck = (version, pictures, annotations) => {
		const job = {
			id: uuid(8, jobs.size + 1), kind: 'check', status: 'RUNNING', progress: 0, message: 'recipe 1 of 12, 0 of 20 pictures', created_at: new Date().toISOString(), finished_at: null, result: null, error: null,
		};
		jobs.set(job.id, job);
		const end = (fields) => {
			clearInterval(timer);
			Object.assign(job, { finished_at: new Date().toISOString(), ...fields });
			send(job.id, 'job', job);
		};
		const timer = setInterval(() => {
			if (job.status !== 'RUNNING') return clearInterval(timer);
			if (weather.slow_jobs && job.progress > 0.4) return undefined;
			job.progress = Math.min(1, job.progress + 0.07);
			job.message = `recipe ${Math.ceil(job.progress * 12)} of 12, ${Math.floor((job.progress * 240) % 20)} of ${pictures} pictures`;
			if (job.progress < 1) return send(job.id, 'job', job);
			return end({
				status: 'SUCCESS', message: null,
				result: {
					metric: version.type === 'CLASSIFICATION' ? 'accuracy' : 'AP', pictures, labelled_shapes: Math.round(pictures * 2.4),
					problems: ['2008_000123.xml names the picture 2008_000123.jpg, which was not sent.', 'labels/street-7.txt, line 3: a box of no height was left out.'].slice(0, annotations > 1 ? 2 : 0),
					matched_labels: ['person', 'car', 'bicycle', 'bus', 'dog', 'cat', 'chair'], unmatched_labels: ['tvmonitor', 'pottedplant'], rows: candidates(version),
				},
			});
		}, 120);
		job.stop = () => end({ status: 'TERMINATED', message: null });
		return job;
	};

	return [
		['POST', `/api/organization/${ORGANIZATION}/connector/:c/generate_object_name`, (_, { body }) => ({ object_name: `model-files/${Date.now()}/${JSON.parse(body).filename}` })],
		['POST', '/api/object-storage/:c/generate_presigned_url', (_, { body }) => ({
			client_type: 'minio', presigned_url_data: { url: `/api/storage/upload?name=${encodeURIComponent(JSON.parse(body).object_name)}`, fields: { key: JSON.parse(body).object_name } },
		})],
		['POST', '/api/storage/upload', (_, { query, body, type }) => {
			const file = parseForm(body, type).find((p) => p.name === 'file');
			if (!file) throw new Refused(400, 'The form has no part "file".');
			uploads.set(`size ${query.get('name')}`, file.bytes.length);
			return null;
		}],
		['POST', `/api/organization/${ORGANIZATION}/models`, (_, { body, created }) => {
			const { name, description = '' } = JSON.parse(body);
			if (models.some((m) => m.model.name === name)) throw new Refused(409, `There already is a model named "${name}".`);
			const entry = { model: { id: uuid(5, 0x100 + models.length), name, description, private: true, type: 'NOT_CONFIGURED', versions: 0, created_at: new Date().toISOString() }, versions: [] };
			models.push(entry);
			return created(entry.model);
		}],
		['GET', '/api/model/:id', ({ id }) => {
			const found = models.find((m) => m.model.id === id);
			if (!found) throw new Refused(404, `There is no model ${id}.`);
			return found.model;
		}],
		['GET', '/api/model/:id/versions', ({ id }) => {
			const items = (models.find((m) => m.model.id === id)?.versions ?? []).map(json);
			return { items, count: items.length };
		}],
		['POST', '/api/model/:id/versions', ({ id }, { body, created }) => {
			const { type, labels: named } = JSON.parse(body);
			return created(json(add(models.find((m) => m.model.id === id), { type, labels: named ?? {}, state: 'EMPTY', recipe: null, graph: null, files: [] })));
		}],
		['GET', '/api/model/version/:id', ({ id }) => json(find(id))],
		['PATCH', '/api/model/version/:id', ({ id }, { body }) => {
			const version = find(id);
			const before = { ...version };
			Object.assign(version, JSON.parse(body));
			inspect(version);
			if (version.state === 'READY') return json(version);
			const why = version.state_text;
			Object.assign(version, before);
			throw new Refused(422, why);
		}],
		['DELETE', '/api/model/version/:id', ({ id }) => {
			const entry = entryOf(find(id));
			entry.versions = entry.versions.filter((v) => v.id !== id);
			entry.model.versions = entry.versions.length;
			return null;
		}],
		['GET', '/api/model/version/:id/modelfiles', ({ id }) => {
			const items = find(id).files.map((f, i) => ({ id: uuid(7, i + 1), name: f.name, filename: f.filename, object_name: `models/${id}/${f.filename}`, large: false, presigned_url: `/files/${f.filename}` }));
			return { items, count: items.length };
		}],
		['POST', '/api/model/version/:id/modelfiles', async ({ id }, { body, created }) => {
			const version = find(id);
			const { name, filename, object_name } = JSON.parse(body);
			await new Promise((done) => setTimeout(done, weather.slow_jobs ? 8000 : 500));
			version.files = [{ name, filename, size_bytes: uploads.get(`size ${object_name}`) ?? 1 }];
			version.graph = { probe_us: 22_900, weights_bytes: 3_640_000, producer: 'pytorch 1.7', opset: 11 };
			inspect(version);
			return created({ id: uuid(7, 9), name, filename, object_name, large: false, presigned_url: null });
		}],
		['GET', '/api/model/version/:id/recipe/fields', ({ id }) => ({ items: FIELDS.map((f) => (find(id).type === 'CLASSIFICATION' && ['pad', 'pad_value'].includes(f.name) ? { ...f, matters: false } : f)) })],
		['POST', '/api/model/version/:id/recipe', ({ id }, { body, created }) => {
			const version = find(id);
			const { recipe } = JSON.parse(body);
			const from = { ...version.recipe.from, ...Object.fromEntries(Object.keys(recipe).map((k) => [k, 'given'])) };
			return created(json(add(entryOf(version), {
				...Object.fromEntries(['type', 'labels', 'graph', 'files', 'truth'].map((k) => [k, version[k]])), recipe: { ...version.recipe, ...recipe, from },
				lineage: { experiment_id: null, based_on_version_id: id },
			})));
		}],
		['POST', '/api/model/version/:id/recipe/confirm', ({ id }) => {
			const version = find(id);
			version.recipe = { ...version.recipe, from: Object.fromEntries(Object.entries(version.recipe.from).map(([k, v]) => [k, v === 'guessed' ? 'given' : v])) };
			return json(version);
		}],
		['POST', '/api/model/version/:id/try', ({ id }, { body, type }) => {
			const version = find(id);
			const parts = parseForm(body, type);
			const changes = JSON.parse(parts.find((p) => p.name === 'recipe')?.bytes.toString() ?? '{}');
			if (changes.width && changes.width !== 416) throw new Refused(422, `The model's input is 416 wide, and cannot be ${changes.width}.`);
			return answer(version, { ...version.recipe, ...changes }, parts.find((p) => p.name === 'media'));
		}],
		['POST', '/api/model/version/:id/check', ({ id }, { body, type, created }) => {
			const parts = parseForm(body, type);
			const pictures = parts.filter((p) => p.name === 'media').length;
			if (pictures < 20) throw new Refused(400, `At least 20 labelled pictures are needed; ${pictures} were sent.`);
			return created({ job: runCheck(find(id), pictures, parts.filter((p) => p.name === 'annotations').length) }, 202);
		}],
		['GET', '/api/job/:id', ({ id }) => {
			if (!jobs.has(id)) throw new Refused(404, `There is no job ${id}.`);
			return jobs.get(id);
		}],
		['POST', '/api/job/:id/cancel', ({ id }) => {
			jobs.get(id)?.stop();
			return jobs.get(id);
		}],
	];
}
