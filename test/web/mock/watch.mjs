// SPDX-License-Identifier: Apache-2.0
// What the mock counts of its predictions: drawn from at most 2,000 of them. Invented numbers that hang together.
import { random } from './pictures.mjs';

const SIDE = 64;
const bins = (first, last, count) => ({ edges: Array.from({ length: count + 1 }, (_, i) => first + ((last - first) * i) / count), counts: new Array(count).fill(0) });
const add = ({ edges, counts }, value) => {
	const i = Math.floor(((value - edges[0]) / (edges.at(-1) - edges[0])) * counts.length);
	counts[Math.min(counts.length - 1, Math.max(0, i))] += 1;
};
const mean = (list) => (list.length ? list.reduce((a, b) => a + b, 0) / list.length : null);
const rank = (list, share) => (list.length ? [...list].sort((a, b) => a - b)[Math.ceil(list.length * share) - 1] : null);

export function watchRoutes({ Refused, deployments, weather }) {
	const find = (id) => {
		const found = weather.empty ? undefined : deployments().find((d) => d.id === id);
		if (!found) throw new Refused(404, `There is no deployment ${id}.`);
		return found;
	};
	const chosen = (d, query) => {
		const last = d.times.at(-1) ?? Date.now() / 1000;
		const to = Number(query.get('to') ?? (query.has('from') ? Date.now() / 1000 : last + 1));
		const from = Math.max(Number(query.get('from') ?? last - 86400), d.times[0] ?? to - 3600);
		const all = d.times.map((at, i) => ({ at, i })).filter(({ at }) => at >= from && at < to);
		const every = Math.max(1, Math.ceil(all.length / 2000));
		const text = query.get('threshold');
		const threshold = text === null || text === 'answered' ? undefined : text === 'setting' ? d.fields.min_threshold : Number(text);
		const label = query.get('label');
		const images = all.filter((_, k) => k % every === 0).map(({ at, i }) => {
			const asset = d.asset(i, threshold);
			const [p] = asset.predictions;
			const shapes = p.shapes.filter((s) => !label || s.label === label).slice(0, d.fields.type === 'CLASSIFICATION' ? 1 : undefined);
			const next = random(d.n * 97 + i);
			return { at, latency: 1000 * p.latency, shapes, ...asset.data.meta, brightness: 90 + 60 * next() + 20 * Math.sin(at / 14000), contrast: 40 + 30 * next(), blur: Math.log2(1 + 300 + 1500 * next() ** 2) };
		});
		const sampled = every > 1;
		const basis = { kind: sampled ? 'sample' : 'all', images: images.length, of: all.length, sentence: sampled ? `Drawn from ${images.length} of ${all.length} images.` : null };
		return { from, to, all, images, basis };
	};
	return [
		['GET', '/api/deployment/:id/dashboard', ({ id }, { query }) => {
			const d = find(id);
			const { from, to, all, images, basis } = chosen(d, query);
			const step = [60, 300, 900, 3600, 3 * 3600, 86400].find((s) => (to - from) / s <= 200) ?? 7 * 86400;
			const first = Math.floor(from / step) * step;
			const latencies = images.map((i) => i.latency);
			const classes = d.fields.type === 'CLASSIFICATION';
			const series = Array.from({ length: Math.ceil((to - first) / step) }, (_, k) => {
				const at = first + k * step;
				const here = images.filter((i) => i.at >= at && i.at < at + step);
				const times = here.map((i) => i.latency);
				return {
					at, predictions: all.filter((i) => i.at >= at && i.at < at + step).length, failed: k % 37 === 5 ? 2 : 0, refused: k % 29 === 7 ? 3 : 0, mean_latency_ms: mean(times), p50_ms: rank(times, 0.5), p99_ms: rank(times, 0.99),
					brightness: mean(here.map((i) => i.brightness)), contrast: mean(here.map((i) => i.contrast)), blur: mean(here.map((i) => 2 ** i.blur - 1)), objects: mean(here.map((i) => i.shapes.length)), no_answer: classes ? here.filter((i) => i.shapes.length === 0).length : null,
				};
			});
			const spread = (first, last, count, values) => {
				const histogram = bins(first, last, count);
				for (const value of values) add(histogram, value);
				return values.length ? histogram : null;
			};
			const shapes = images.flatMap((i) => i.shapes.map((s) => ({ ...s, image: i }))).filter((s) => s.type !== 'polygon');
			const boxes = shapes.filter((s) => s.type === 'rectangle');
			const names = [...new Set(shapes.map((s) => s.label))];
			const labels = names.map((label) => ({ label, shapes: shapes.filter((s) => s.label === label).length, images: images.filter((i) => i.shapes.some((s) => s.label === label)).length })).sort((a, b) => b.shapes - a.shapes);
			const ratio = (i) => ['square', 'tall', 'wide', 'very wide'][i.width === i.height ? 0 : i.width < i.height ? 1 : i.width / i.height < 1.6 ? 2 : 3];
			const failed = series.reduce((sum, p) => sum + p.failed, 0);
			const refused = series.reduce((sum, p) => sum + p.refused, 0);
			const { champion } = d.fields;
			return {
				from, to, step_s: step, task: d.fields.type, threshold: { mode: 'answered', value: null, floor: null }, basis,
				versions: [{ id: champion.version_id, name: 'v', model_name: champion.model_name, version: champion.version, role: 'champion', predictions: all.length }], sources: ['gate-north', 'gate-south'], labels: d.json().labels,
				markers: [], totals: { predictions: all.length, failed, refused, mean_latency_ms: mean(latencies), p50_ms: rank(latencies, 0.5), p90_ms: rank(latencies, 0.9), p99_ms: rank(latencies, 0.99), shapes: shapes.length, without_shapes: images.filter((i) => i.shapes.length === 0).length, images_per_s: all.length / (to - from) },
				series, shadows: d.shadows.map((s) => ({ model_version_id: s.version.id, series: series.map((p) => ({ at: p.at, predictions: p.predictions, mean_latency_ms: p.mean_latency_ms, p50_ms: p.p50_ms && p.p50_ms * (s.ms / d.baseMs), p99_ms: p.p99_ms })) })),
				distributions: {
					labels, objects: spread(0, 33, 33, images.map((i) => i.shapes.length)), scores: spread(0, 1, 50, shapes.map((s) => s.score)),
					sizes: spread(0, 1, 40, boxes.map((s) => Math.sqrt((s.w * s.h) / (s.image.width * s.image.height)))), ratios: spread(-4, 4, 32, boxes.map((s) => Math.log2(s.w / s.h))),
					image_areas: spread(0, 32, 64, images.map((i) => Math.log2(i.width * i.height))), image_ratios: ['square', 'tall', 'very tall', 'wide', 'very wide', 'extremely wide'].map((name) => ({ name, images: images.filter((i) => ratio(i) === name).length })),
					brightness: spread(0, 256, 64, images.map((i) => i.brightness)), contrast: spread(0, 128, 64, images.map((i) => i.contrast)), blur: spread(0, 16, 64, images.map((i) => i.blur)),
				},
				failed: [
					...(failed ? [{ http_status: 500, step: 'infer', count: failed, last_at: to - 500, text: 'The model’s process ended while it ran.' }] : []),
					...(refused ? [{ http_status: 422, step: 'decode', count: refused, last_at: to - 90, text: 'The picture is cut short after 41,213 bytes.' }] : []),
				],
			};
		}],
		['GET', '/api/deployment/:id/heatmap', ({ id }, { query }) => {
			const { images, basis } = chosen(find(id), query);
			const centres = new Array(SIDE * SIDE).fill(0);
			const coverage = new Array(SIDE * SIDE).fill(0);
			let shapes = 0;
			for (const image of images) {
				for (const s of image.shapes.filter((shape) => shape.type === 'rectangle')) {
					const cell = (x, y) => Math.min(SIDE - 1, Math.max(0, Math.floor((y / image.height) * SIDE))) * SIDE + Math.min(SIDE - 1, Math.max(0, Math.floor((x / image.width) * SIDE)));
					shapes += 1;
					centres[cell(s.x + s.w / 2, s.y + s.h / 2)] += 1;
					const [a, b] = [cell(s.x, s.y), cell(s.x + s.w, s.y + s.h)];
					for (let y = Math.floor(a / SIDE); y <= Math.floor(b / SIDE); y++) for (let x = a % SIDE; x <= b % SIDE; x++) coverage[y * SIDE + x] += 1;
				}
			}
			return { side: SIDE, centres, coverage, images: images.filter((i) => i.shapes.length > 0).length, shapes, label: query.get('label'), basis };
		}],
	];
}
