// SPDX-License-Identifier: Apache-2.0
// The mock's projects and trainings: one runs, one is done, one failed, one came by itself. Invented numbers that hang together.
import { photos } from './pictures.mjs';
import { ORGANIZATION, uuid } from './world.mjs';

const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const STAGES = [
	['snapshot', 'Snapshot', 'The dataset versions are frozen as they are: what is trained on can be looked up for ever'],
	['prepare', 'Prepare', 'Pictures and annotations are laid out for the trainer; what is kept to measure with is not'],
	['train', 'Train', 'The trainer works, in a process of its own'],
	['publish', 'Publish', 'The result is checked by running it and becomes the next version of its model'],
	['evaluate', 'Evaluate', 'Candidate and champion answer the same pictures that neither was trained on'],
	['reference', 'Reference', 'Training Data as the candidate sees it, so that drift goes on when it serves'],
	['deploy', 'Deploy', 'By the policy of Continuous Deployment: shadow, champion, or neither'],
];
const EPOCHS = 30;
const LABELS = ['person', 'car', 'dog', 'chair', 'scooter'];
const ap = (epoch) => 0.41 + 0.11 * (1 - Math.exp(-epoch / 6)) + 0.012 * Math.sin(2.3 * epoch);
const loss = (epoch) => 0.9 + 2.4 * Math.exp(-epoch / 5) + 0.04 * Math.sin(3 * epoch);

function stagesAt(name, state, passed = []) {
	const at = STAGES.findIndex(([n]) => n === name);
	return STAGES.map(([n, title, help], i) => {
		const one = passed.includes(n) && (at < 0 || i < at) ? 'passed' : at < 0 || i < at ? 'done' : i === at ? state : 'waiting';
		return { name: n, title, help, state: one, done_at: one === 'done' ? ago(600 - 60 * i) : null };
	});
}

function evaluation(better) {
	const picture = (i, sign) => ({ asset_id: uuid(12, i), data_id: uuid(13, i), filename: photos[i % photos.length].name, champion: 0.5 - 0.02 * sign * i, candidate: 0.5 + sign * (0.4 - 0.03 * i) });
	const row = (label, truths, champion, candidate, half) => ({ label, truths, champion, candidate, low: champion === null ? null : candidate - champion - half, high: champion === null ? null : candidate - champion + half });
	return {
		images: 84, metric: 'AP', champion: 0.412, candidate: better ? 0.463 : 0.418, champion50: 0.655, candidate50: better ? 0.702 : 0.66,
		difference: better ? { value: 0.051, low: 0.018, high: 0.083 } : { value: 0.006, low: -0.02, high: 0.031 }, few: !better,
		sentence: better ? 'yolox-nano:4 is better than yolox-nano:1: 46.3 against 41.2 on 84 test images.' : 'Too close to tell: 41.8 against 41.2 on 84 test images.',
		classes: [row('person', 121, 0.48, 0.55, 0.04), row('car', 60, 0.44, 0.47, 0.06), row('dog', 22, 0.41, 0.33, 0.12), row('chair', 9, 0.3, 0.35, 0.2), row('scooter', 14, null, 0.39, null)],
		better: Array.from({ length: 7 }, (_, i) => picture(i, 1)), worse: Array.from({ length: 3 }, (_, i) => picture(10 + i, -1)),
		forgetting: { images: 60, champion: 0.447, candidate: 0.441, sentence: 'What it knew it still knows: 44.1 against 44.7 on pictures of earlier trainings.' },
	};
}

export function trainingRoutes({ Refused, deployments, models, send, weather }) {
	const project = { id: uuid(30, 1), name: 'street', description: 'Detectors of the gate cameras', experiments: 4, created_at: ago(86400 * 9) };
	const version = (m, v) => {
		const found = models[m].versions[v];
		return { model_id: found.origin.id, model: found.origin.name, model_version_id: found.id, version: found.version };
	};
	const deployment = () => ({ id: deployments()[0].id, name: deployments()[0].fields.name });
	const datasets = [
		{ alias: 'train', dataset_version_id: uuid(14, 18), dataset: 'street', version: 'v2', revision: 31, images: 412, evaluation: 0 },
		{ alias: 'test', dataset_version_id: uuid(14, 17), dataset: 'street', version: 'v1', revision: 3, images: 84, evaluation: 84 },
	];
	const make = (n, name, fields) => ({
		id: uuid(32, n), experiment: { id: uuid(31, n), name }, project: { id: project.id, name: project.name }, deployment: deployment(), epoch: n, trigger: 'FEEDBACK_LOOP', why: '50 reviewed pictures were submitted since version 1.', who: 'gyre',
		status: 'SUCCESS', stage: 'done', stages: stagesAt('', 'done'), progress: 1, message: '', left_s: null, attempt: 1, error: null, exit_code: 0, trainer: 'gyre-train', base: version(0, 1), arch: null, datasets,
		candidate: null, evaluation: null, decision: null, cpu_s: 512, memory_mb: 1240, created_at: ago(7200 * n), started_at: ago(7190 * n), finished_at: ago(7190 * n - 400), ...fields,
	});
	const running = make(1, 'v2 · 1 March', { status: 'RUNNING', stage: 'train', stages: stagesAt('train', 'running'), progress: 0.34, message: 'epoch 10 of 30, AP50 50.1', left_s: 140, cpu_s: 96, created_at: ago(80), started_at: ago(75), finished_at: null });
	const all = [
		running,
		make(2, 'v4 · 28 February', { candidate: version(0, 3), evaluation: evaluation(true), decision: { what: 'SHADOW', sentence: 'It is the shadow since 14:02: the verdict comes with the reviews.', at: ago(5000) } }),
		make(3, 'v3 · 26 February', { status: 'FAILED', stage: 'train', stages: stagesAt('train', 'failed'), progress: 0.4, error: 'The loss became infinite in epoch 12.', exit_code: 5, trigger: 'HAND', who: 'ann', why: 'Train now, by ann.' }),
		make(4, 'a first model', { deployment: null, epoch: null, trigger: 'FIRST', who: 'ann', why: 'A first model, by ann.', base: null, arch: 'det-t', stages: stagesAt('', 'done', ['snapshot', 'reference', 'deploy']), candidate: version(5, 0), evaluation: { ...evaluation(false), champion: null, champion50: null, difference: null, forgetting: null, sentence: 'It finds 66.0 % of … on 84 test images (AP50).', classes: evaluation(false).classes.map((c) => ({ ...c, champion: null, low: null, high: null })) } }),
	];
	const find = (id) => {
		const found = weather.empty ? undefined : all.find((t) => t.id === id);
		if (!found) throw new Refused(404, `There is no training ${id}.`);
		return found;
	};
	const byExperiment = (id) => {
		const found = all.find((t) => t.experiment.id === id);
		if (!found) throw new Refused(404, 'This experiment was never launched here.');
		return found;
	};
	const epochsOf = (t) => (t.status === 'RUNNING' ? Math.floor(EPOCHS * t.progress) : t.status === 'FAILED' ? 12 : EPOCHS);
	const line = (name, value, n) => ({ id: uuid(33, n), name, type: 'LINE', data: { x: Array.from({ length: n }, (_, i) => i + 1), y: Array.from({ length: n }, (_, i) => value(i + 1)) } });
	const logs = (t) => {
		const n = epochsOf(t);
		return [
			{ id: uuid(33, 900), name: 'parameters', type: 'TABLE', data: { epochs: EPOCHS, learning_rate: 0.0008, batch: 8, seed: 1 } },
			{ id: uuid(33, 901), name: 'labelmap', type: 'LABELMAP', data: Object.fromEntries(LABELS.map((l, i) => [i, l])) },
			...(t.base ? [{ id: uuid(33, 902), name: 'val/AP50/start', type: 'VALUE', data: 0.43 }] : []),
			line('train/loss', loss, n), line('train/box', (e) => 0.4 * loss(e), n), line('train/class', (e) => 0.6 * loss(e) - 0.1, n), line('val/AP50', ap, n), line('val/AP', (e) => ap(e) - 0.19, n), line('learning_rate', (e) => 0.001 / e, n),
		];
	};
	const consoleOf = (t) => Array.from({ length: 4 + epochsOf(t) }, (_, i) => ({
		line_nb: i, log: i < 4 ? ['412 pictures to train on, 103 to validate', '3,640,112 weights, all of them can be trained', 'input 416 x 416, batch 8', 'the head grows from 80 to 81 labels'][i] : `epoch ${i - 3}/${EPOCHS}  loss ${loss(i - 3).toFixed(3)}  AP50 ${ap(i - 3).toFixed(3)}  4.6 s`,
	}));
	const tick = setInterval(() => {
		if (running.status !== 'RUNNING' || weather.still) return;
		running.progress = Math.min(1, running.progress + 0.02);
		Object.assign(running, { left_s: Math.round(210 * (1 - running.progress)), cpu_s: running.cpu_s + 1.8 });
		send(running.id, 'training', running);
		send(running.id, 'log', {});
	}, 1000);
	tick.unref();
	const list = (items) => ({ items, count: items.length });
	const change = (t, fields) => {
		Object.assign(t, fields);
		send(t.id, 'training', t);
		return t;
	};
	const experiment = (t) => ({ id: t.experiment.id, name: t.experiment.name, description: '', project_id: project.id, status: t.status, base_model_version_id: t.base?.model_version_id ?? null, base_experiment_id: null, created_at: t.created_at });
	return [
		['GET', '/api/trainer', () => (weather.empty ? { available: false, name: null, version: null, reason: 'gyre-train was not found: run tools/setup.sh trainer, then tools/build.sh trainer.', memory_mb: null, threads: null } : { available: true, name: 'gyre-train', version: '0.1', reason: null, memory_mb: 4096, threads: 2 })],
		['GET', `/api/organization/${ORGANIZATION}/projects`, () => list(weather.empty ? [] : [project, { ...project, id: uuid(30, 2), name: 'First models', description: '', experiments: 0 }])],
		['GET', '/api/project/:id', ({ id }) => (id === project.id ? project : { ...project, id, name: 'First models', description: '', experiments: 0 })],
		['GET', '/api/project/:id/experiments', ({ id }) => list(id === project.id ? all.map(experiment) : [])],
		['GET', `/api/organization/${ORGANIZATION}/trainings`, () => list(weather.empty ? [] : all)],
		['GET', '/api/experiment/:id', ({ id }) => experiment(byExperiment(id))],
		['GET', '/api/experiment/:id/training', ({ id }) => byExperiment(id)],
		['GET', '/api/experiment/:id/logs/extended', ({ id }) => list(logs(byExperiment(id)))],
		['GET', '/api/experiment/:id/logging/lines', ({ id }, { query }) => list(consoleOf(byExperiment(id)).slice(Number(query.get('from') ?? 0)))],
		['GET', '/api/training/:id', ({ id }) => find(id)],
		['POST', '/api/training/:id/cancel', ({ id }) => change(find(id), { status: 'CANCELED', stages: stagesAt('train', 'waiting'), finished_at: ago(0) })],
		['POST', '/api/training/:id/retry', ({ id }) => change(find(id), { status: 'RUNNING', attempt: 2, error: null, exit_code: null, stages: stagesAt('train', 'running'), started_at: ago(0), finished_at: null })],
		['GET', '/api/dataset/version/:id/train', () => (weather.few
			? { can: false, reason: 'No image of this version has an annotation: label some first.', task: 'OBJECT_DETECTION', classes: [], images: 12, labelled: 0, objects: 0, split: { train: 0, val: 0, test: 0 }, warnings: [], choices: [] }
			: {
				can: true, reason: null, task: 'OBJECT_DETECTION', classes: [{ label: 'person', objects: 61 }, { label: 'car', objects: 30 }, { label: 'dog', objects: 12 }, { label: 'chair', objects: 5 }], images: 50, labelled: 46, objects: 108, split: { train: 30, val: 7, test: 9 },
				warnings: ['Fewer than 10 objects of chair (5): such a class is hardly learned, and cannot be measured.'], choices: [{ arch: 'det-t', title: 'Fast', minutes: 2.5, input: [320, 320] }, { arch: 'det-p', title: 'Accurate', minutes: 11, input: [416, 416] }],
			})],
		['POST', '/api/dataset/version/:id/train', (_, { created }) => created(running)],
		['POST', '/api/dataset/version/:id/pre-label', (_, { created }) => created({ id: uuid(16, 1), kind: 'pre_label', status: 'RUNNING', progress: 0.2, message: null, created_at: ago(0), finished_at: null, result: null, error: null })],
	];
}
