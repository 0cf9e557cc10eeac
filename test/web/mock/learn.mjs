// SPDX-License-Identifier: Apache-2.0
// What the mock's deployments learn: datasets, the Feedback Loop, quality, jobs. Invented numbers that hang together.
import { photos } from './pictures.mjs';
import { ORGANIZATION, uuid } from './world.mjs';

const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const LABELS = ['person', 'car', 'dog', 'chair'];

function versionQuality(d, version, role, ap) {
	const curve = Array.from({ length: 101 }, (_, i) => [i / 100, Math.max(0, Math.min(1, ap + 0.45 - 0.5 * (i / 100) ** 4))]);
	const row = (label, i) => ({ label, ap: ap - 0.03 * i, ap50: ap + 0.2, truths: 120 >> (2 * i), found: 90 >> (2 * i), wrong: 8, missed: 30 >> (2 * i), precision: 0.9 - 0.05 * i, recall: 0.8 - 0.04 * i, f1: 0.85 - 0.05 * i });
	const labels = LABELS.map(row);
	const estimate = (value, half, images) => ({ value, low: value - half, high: value + half, images, method: 'bootstrap' });
	return {
		model_version_id: version.version_id, name: 'v', model_name: version.model_name, version: version.version, role, images: 84,
		coco: Object.fromEntries(['AP', 'AP50', 'AP75', 'AP_small', 'AP_medium', 'AP_large', 'AR_1', 'AR_10', 'AR_100', 'AR_small', 'AR_medium', 'AR_large'].map((name, i) => [name, ap + 0.02 * i])),
		ap: estimate(ap, 0.06, 84), weighted: estimate(ap + 0.05, 0.05, 84), random_only: estimate(ap + 0.06, 0.1, 26),
		difference: role === 'shadow' ? estimate(0.04, 0.03, 84) : null,
		at_threshold: { precision: 0.86, recall: 0.74, f1: 0.795, found: 214, wrong: 35, missed: 75 }, labels, curve, best_threshold: 0.22,
		confusion: { labels: [...LABELS, 'background'], cells: LABELS.map((_, i) => [...LABELS.map((__, j) => (i === j ? 90 >> (2 * i) : (i + j) % 3)), 30 >> (2 * i)]).concat([[6, 4, 2, 1, 0]]) },
	};
}

export function learnRoutes({ Refused, deployments, weather }) {
	const loops = new Map();
	const find = (id) => {
		const found = deployments().find((d) => d.id === id);
		if (!found) throw new Refused(404, `There is no deployment ${id}.`);
		return found;
	};
	const datasetVersion = (n, fields) => ({
		id: uuid(14, 16 + n), origin_id: uuid(14, 1), origin_name: 'street', version: `v${n}`, type: 'OBJECT_DETECTION', description: '', revision: 3, locked: false, hash: null,
		created_at: ago(86400 * (5 - n)), forked_from_id: null, assets: photos.length, annotated: photos.length - 4, labels: LABELS.length, tags: [], ...fields,
	});
	const versions = [datasetVersion(1, { locked: true, hash: '5f'.repeat(32) }), datasetVersion(2, { forked_from_id: uuid(14, 17) })];
	const dataset = { id: uuid(14, 1), name: 'street', description: 'Corrected street scenes', versions: versions.length, assets: photos.length, cover: `/files/${encodeURIComponent(photos[0].name)}`, created_at: ago(86400 * 6), tags: [] };
	const loop = (id) => {
		find(id);
		if (!loops.has(id)) {
			loops.set(id, {
				set_up: true, active: true, submit_by_itself: true, submit_after_s: 600, evaluation_share: 0.2, targets: [{ dataset_version: versions[1], since: ago(86400) }],
				labels: LABELS.map((label, i) => ({ label, action: i < 3 ? 'keep' : null, to_name: i < 3 ? label : null, waits: i === 3 })),
				counts: { reviewed: 12, submitted: 72, waiting: 2, waiting_labels: { chair: 2 }, next_submission_at: new Date(Date.now() + 240_000).toISOString() },
			});
		}
		return loops.get(id);
	};
	const jobs = () => [
		{ id: uuid(16, 1), kind: 'dataset_import', status: 'RUNNING', object_id: versions[1].id, by: 'admin', progress: 0.42, message: 'stored 84 of 200 pictures', created_at: ago(9), finished_at: null, result: null, error: null },
		{ id: uuid(16, 2), kind: 'dataset_import', status: 'FAILED', object_id: versions[0].id, by: 'admin', progress: 0.1, message: null, created_at: ago(4000), finished_at: ago(3990), result: null, error: 'The disk has less than 1 GB left: free some, then import again.' },
	];
	const list = (items) => ({ items, count: items.length });
	return [
		['GET', `/api/organization/${ORGANIZATION}/datasources`, () => list(['gate-north', 'gate-south'].map((name, i) => ({ id: uuid(17, i), name })))],
		['GET', `/api/organization/${ORGANIZATION}/datasets`, () => list(weather.empty ? [] : [dataset])],
		['GET', `/api/organization/${ORGANIZATION}/jobs`, () => list(weather.empty ? [] : jobs())],
		['GET', '/api/dataset/:id', () => dataset],
		['GET', '/api/dataset/:id/versions', () => list(versions)],
		['GET', '/api/dataset/version/:id/stats', () => ({
			label_repartition: { person: 61, car: 30, dog: 12, chair: 5 }, nb_objects: 108, nb_annotations: 46, nb_assets: 50, nb_annotated: 46, sizes: { small: 9, medium: 40, large: 59 }, objects_per_image: [2, 14, 16, 8, 4, 2],
		})],
		['GET', '/api/deployment/:id/pipeline/fl', ({ id }) => loop(id)],
		['PUT', '/api/deployment/:id/pipeline/fl', ({ id }, { body }) => Object.assign(loop(id), JSON.parse(body))],
		['PATCH', '/api/deployment/:id/pipeline/fl', ({ id }, { body }) => Object.assign(loop(id), JSON.parse(body))],
		['PUT', '/api/deployment/:id/pipeline/fl/labels', ({ id }, { body }) => Object.assign(loop(id), JSON.parse(body))],
		['GET', '/api/deployment/:id/quality', ({ id }, { query }) => {
			const d = find(id);
			const threshold = Number(query.get('threshold') ?? d.fields.min_threshold);
			const none = d.times.length < 300 || d.fields.type !== 'OBJECT_DETECTION';
			const shadows = d.shadows.map((s) => ({ version_id: s.version.id, model_name: s.version.origin.name, version: s.version.version }));
			const made = none ? [] : [versionQuality(d, d.fields.champion, 'champion', 0.41), ...shadows.map((s) => versionQuality(d, s, 'shadow', 0.45))];
			return {
				task: d.fields.type, reviewed: none ? 0 : 84, with_chance: none ? 0 : 84, threshold, versions: made,
				over_time: none ? [] : Array.from({ length: 6 }, (_, i) => ({ from: ago(86400 * (6 - i)), to: ago(86400 * (5 - i)), images: 6 + 4 * i, values: Object.fromEntries(made.map((v, k) => [v.model_version_id, k > 0 && i < 2 ? null : v.ap.value + 0.03 * Math.sin(i)])) })),
			};
		}],
	];
}
