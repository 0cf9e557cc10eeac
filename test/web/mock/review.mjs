// SPDX-License-Identifier: Apache-2.0
// Reviews, drafts, leases and annotations as the server's contract has them, on the mock's invented predictions.
import { photos } from './pictures.mjs';
import { uuid } from './world.mjs';

const now = () => new Date().toISOString();
const WHYS = ['unsure', 'random', 'newest', 'outlier', 'unsure'];
const QUEUE = 14;

export function reviewRoutes({ Refused, deployments, weather }) {
	/** asset id → { reviews, draft, status } */
	const known = new Map();
	/** deployment id → { settings, leases: Map(asset id → client), chosen: [asset ids] } */
	const queues = new Map();
	const annotations = new Map();
	const of = (id) => {
		if (!known.has(id)) known.set(id, { reviews: [], draft: null, status: 'TO REVIEW', last: null });
		return known.get(id);
	};
	const deployment = (id) => {
		const found = deployments().find((d) => d.id === id);
		if (!found) throw new Refused(404, `There is no deployment ${id}.`);
		return found;
	};
	const queue = (d) => {
		if (!queues.has(d.id)) {
			const chosen = Array.from({ length: Math.min(weather.queue ?? QUEUE, d.times.length) }, (_, i) => d.idOf(d.times.length - 1 - i));
			queues.set(d.id, {
				chosen, leases: new Map(),
				settings: { queue_order: 'unsure', random_share: 0.3, guide: 'Draw each object tightly, also where it is partly hidden.\nReflections and pictures of things are not things.', labels_shown: null },
			});
		}
		return queues.get(d.id);
	};
	const withReviews = (d, asset) => {
		const { reviews, draft, status } = of(asset.id);
		const i = d.indexOf(asset.id);
		return { ...asset, status, reviews, draft, threshold: d.fields.min_threshold, source: ['gate-north', 'gate-south'][i % 2], revision: draft?.revision ?? 0, chosen: { why: WHYS[i % WHYS.length], at: now(), chance: 0.4 }, lease: null, tags: [] };
	};
	const assetOf = (id) => {
		for (const d of deployments()) if (d.indexOf(id) >= 0) return withReviews(d, d.asset(d.indexOf(id), 0));
		throw new Refused(404, `There is no predicted asset ${id}.`);
	};
	const left = (q) => q.chosen.filter((id) => of(id).status === 'TO REVIEW').length;
	const today = () => [...known.values()].filter((k) => ['REVIEWED', 'SKIPPED'].includes(k.status)).length;
	const answer = (d) => {
		const q = queue(d);
		return { to_review: d.times.length - today(), chosen_left: left(q), reviewed: today(), submitted: 0, skipped: 0, mine_today: today(), settings: q.settings };
	};
	const foreign = (k, body) => k.draft && k.draft.client_id !== body.client_id && k.draft.revision !== body.base_revision;
	const conflict = (current) => Object.assign(new Refused(409, 'Somebody else has changed this picture meanwhile.'), { detail: [current] });
	const add = (id, kind, body, status) => {
		const k = of(id);
		const again = k.reviews.find((r) => body.client_id && r.client_id === body.client_id);
		if (again) return again;
		const review = { id: uuid(11, known.size * 64 + k.reviews.length), created_at: now(), who: 'admin', kind, reason: body.reason ?? null, shapes: body.shapes ?? [], seconds: body.seconds ?? null, client_id: body.client_id };
		k.reviews.push(review);
		Object.assign(k, { draft: null, status });
		return review;
	};
	const asset = (i) => {
		const photo = photos[i];
		const id = uuid(12, i);
		return {
			id, evaluation: false, annotation: annotations.get(id) ?? null, tags: [],
			data: { id: uuid(13, i), filename: photo.name, object_name: photo.name, content_type: photo.type, presigned_url: `/files/${encodeURIComponent(photo.name)}`, meta: { width: photo.width, height: photo.height } },
		};
	};
	return [
		['GET', '/api/predicted/asset/:id', ({ id }, { query }) => {
			const found = assetOf(id);
			const d = deployments().find((one) => one.indexOf(id) >= 0);
			return { ...found, predictions: d.asset(d.indexOf(id), query.has('threshold') ? Number(query.get('threshold')) : undefined).predictions };
		}],
		['GET', '/api/deployment/:id/queue', ({ id }) => answer(deployment(id))],
		['PUT', '/api/deployment/:id/queue/settings', ({ id }, { body }) => {
			Object.assign(queue(deployment(id)).settings, JSON.parse(body));
			return answer(deployment(id));
		}],
		['POST', '/api/deployment/:id/queue/lease', ({ id }, { body }) => {
			const d = deployment(id);
			const q = queue(d);
			const { client, count } = JSON.parse(body);
			const free = q.chosen.filter((a) => of(a).status === 'TO REVIEW' && !q.leases.has(a)).slice(0, count);
			for (const a of free) q.leases.set(a, client);
			return { items: free.map((a) => withReviews(d, d.asset(d.indexOf(a), 0))), left: left(q), mine_today: today(), lost: [] };
		}],
		['POST', '/api/deployment/:id/queue/release', ({ id }, { body }) => {
			for (const a of JSON.parse(body).ids) queue(deployment(id)).leases.delete(a);
			return null;
		}],
		['PUT', '/api/predicted/asset/:id/draft', ({ id }, { body: text }) => {
			const k = of(id);
			const body = JSON.parse(text);
			if (k.draft?.client_id === body.client_id) return { revision: k.draft.revision };
			if ((k.draft?.revision ?? 0) !== body.base_revision) throw conflict(k.draft ?? { revision: 0, shapes: [], who: null });
			k.draft = { revision: body.base_revision + 1, shapes: body.shapes, who: 'admin', client_id: body.client_id, updated_at: now() };
			return { revision: k.draft.revision };
		}],
		['POST', '/api/predicted/asset/:id/reviews', ({ id }, { body: text, created }) => {
			const body = JSON.parse(text);
			if (foreign(of(id), body)) throw conflict(of(id).draft);
			return created(add(id, body.kind ?? (body.shapes.length === 0 ? 'NOTHING' : 'CORRECTED'), body, 'REVIEWED'));
		}],
		['POST', '/api/predicted/asset/:id/skip', ({ id }, { body, created }) => created(add(id, 'SKIPPED', JSON.parse(body), 'SKIPPED'))],
		['POST', '/api/predicted/asset/:id/unreview', ({ id }, { body, created }) => created(add(id, 'UNDONE', JSON.parse(body), 'TO REVIEW'))],
		// Somebody else at work, for the tests: a draft on each picture that has one.
		['POST', '/api/mock/other', () => {
			for (const k of known.values()) if (k.draft) k.draft = { ...k.draft, revision: k.draft.revision + 1, who: 'mira', client_id: 'other', shapes: k.draft.shapes.slice(1) };
			return {};
		}],

		['GET', '/api/dataset/version/:id', ({ id }) => ({ id, origin_id: uuid(14, 1), origin_name: 'street', version: 'first', type: 'OBJECT_DETECTION', locked: false, revision: 3, assets: photos.length, annotated: annotations.size, labels: 4, tags: [] })],
		['GET', '/api/dataset/version/:id/labels', () => ({ items: ['person', 'car', 'dog', 'chair'].map((name, i) => ({ id: uuid(15, i), name })), count: 4 })],
		['GET', '/api/dataset/version/:id/assets', (_, { query }) => {
			const q = query.get('q') ?? '';
			const all = photos.map((_p, i) => asset(i)).filter((a) => (q.startsWith('id') ? q.includes(a.id) : q.includes('= 0') ? !a.annotation : q.includes('> 0') ? a.annotation : true));
			const offset = Number(query.get('offset') ?? 0);
			return { items: all.slice(offset, offset + Number(query.get('limit') ?? 100)), count: all.length };
		}],
		['GET', '/api/asset/:id', ({ id }) => asset(parseInt(id.slice(-12), 16))],
		['PUT', '/api/asset/:id/annotation', ({ id }, { body: text }) => {
			const body = JSON.parse(text);
			const now_ = annotations.get(id);
			if (now_?.client_id === body.client_id) return { annotation: now_ };
			if ((now_?.revision ?? 0) !== body.base_revision) throw conflict(now_);
			annotations.set(id, { id: uuid(16, annotations.size), status: body.status ?? now_?.status ?? 'PENDING', revision: body.base_revision + 1, who: 'admin', updated_at: now(), shapes: body.shapes, client_id: body.client_id });
			return { annotation: annotations.get(id) };
		}],
	];
}
