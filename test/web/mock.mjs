#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// A stand-in for the server while the pages are written and tested: the same paths and keys, invented numbers, real
// photos where the test data is there. It never ships.
//
//   node test/web/mock.mjs [port]      GYRE_TEST_DATA=…  MOCK_PREDICTIONS=3000  MOCK_RATE=0.5 (a second)
//
// Sign in with the token "mock-token" or open /login?code=welcome. POST /mock/control changes the weather:
// {"empty": true} {"delay_ms": 2000} {"fail": 500} {"drop_streams": true} {"refuse_streams": true} {"rate": 5} {"burst": 20} {"expire": true} {"slow_jobs": true}
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { imageSize, photos, digits } from './mock/pictures.mjs';
import { registryRoutes } from './mock/registry.mjs';
import { learnRoutes } from './mock/learn.mjs';
import { reviewRoutes } from './mock/review.mjs';
import { trainingRoutes } from './mock/training.mjs';
import { watchRoutes } from './mock/watch.mjs';
import { watchingRoutes } from './mock/watching.mjs';
import { Deployment, makeDeployments, makeModels, ORGANIZATION, uuid, versionJson } from './mock/world.mjs';

// MOCK_PAGES: other built pages than those in web/dist.
const pages = resolve(process.env.MOCK_PAGES ?? join(dirname(fileURLToPath(import.meta.url)), '../../web/dist'));
const TOKEN = 'mock-token';
const CSP = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };

class Refused extends Error {
	constructor(status, message, headers = {}) {
		super(message);
		this.status = status;
		this.headers = headers;
	}
}

export function startMock({ port = 0, predictions = 3000, rate = 0.5 } = {}) {
	const models = makeModels();
	let deployments = makeDeployments(models, predictions);
	const weather = { empty: false, delay_ms: 0, fail: 0, refuse_streams: false, expire: false, slow_jobs: false, few: false, still: false };
	const uploads = new Map();
	const streams = new Map();
	let timer;

	const send = (key, event, data) => {
		for (const response of streams.get(key) ?? []) response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
	};
	const record = (deployment, picture) => {
		const i = deployment.times.length;
		deployment.times.push(Date.now() / 1000);
		if (picture) deployment.extra.set(i, picture);
		const asset = deployment.asset(i);
		send(deployment.id, 'prediction', {
			predicted_asset_id: asset.id, created_at: asset.created_at, at: deployment.times[i], latency: asset.predictions[0].latency, shapes: asset.predictions[0].shapes.length,
		});
		send('all', 'deployments', {});
		return i;
	};
	const setRate = (perSecond) => {
		clearInterval(timer);
		if (perSecond > 0) timer = setInterval(() => deployments[0]?.fields.status === 'SERVING' && record(deployments[0]), 1000 / perSecond);
	};
	setRate(rate);

	const find = (id) => {
		const found = weather.empty ? undefined : deployments.find((d) => d.id === id);
		if (!found) throw new Refused(404, `There is no deployment ${id}.`);
		return found;
	};
	const list = (items, query) => {
		const offset = Number(query.get('offset') ?? 0);
		return { items: items.slice(offset, offset + Number(query.get('limit') ?? 1000)), count: items.length };
	};
	const change = (deployment, what, from, to) => {
		deployment.history.push({ at: new Date().toISOString(), what, by: 'admin', from, to });
		send(deployment.id, 'deployment', {});
		send('all', 'deployments', {});
		return deployment.json();
	};

	const findVersion = (id) => {
		const found = models.flatMap((m) => m.versions).find((v) => v.id === id);
		if (!found) throw new Refused(404, `There is no model version ${id}.`);
		return found;
	};
	const swap = (d, version, what) => {
		const before = d.fields.champion.version_id;
		d.fields.champion = { model_id: version.origin.id, model_name: version.origin.name, version_id: version.id, version: version.version, version_name: version.name, since: new Date().toISOString() };
		return change(d, what, before, version.id);
	};

	const routes = [
		['GET', '/api/session', () => ({ user: { id: uuid(9, 1), name: 'admin' }, organization: { id: ORGANIZATION, name: 'Home', default_connector_id: uuid(9, 2) }, role: 'ADMIN', version: '0.1.0' })],
		['DELETE', '/api/session', (_, { response }) => {
			response.setHeader('Set-Cookie', 'gyre_session=; Path=/; Max-Age=0');
			return null;
		}],
		['GET', `/api/organization/${ORGANIZATION}/deployments`, (_, { query }) => list(weather.empty ? [] : deployments.map((d) => d.json()), query)],
		['GET', `/api/organization/${ORGANIZATION}/models`, (_, { query }) => list(weather.empty ? [] : models.map((m) => m.model), query)],
		['GET', '/api/deployment/:id', ({ id }) => find(id).json()],
		['PATCH', '/api/deployment/:id', ({ id }, { body }) => {
			const d = find(id);
			const { name, min_threshold } = JSON.parse(body);
			if (name !== undefined && deployments.some((o) => o !== d && o.fields.name === name)) throw new Refused(409, `There already is a deployment named "${name}".`);
			if (name !== undefined) [d.fields.name, d.old] = [name, d.fields.name];
			if (name !== undefined) return change(d, 'renamed', d.old, name);
			const before = d.fields.min_threshold;
			d.fields.min_threshold = min_threshold;
			return change(d, 'threshold', String(before), String(min_threshold));
		}],
		['DELETE', '/api/deployment/:id', ({ id }) => {
			const d = find(id);
			deployments = deployments.filter((o) => o !== d);
			send('all', 'deployments', {});
			return null;
		}],
		['POST', '/api/deployment/:id/pause', ({ id }) => {
			const d = find(id);
			Object.assign(d.fields, { status: 'PAUSED', paused_by: 'admin', paused_at: new Date().toISOString() });
			return change(d, 'paused', null, null);
		}],
		['POST', '/api/deployment/:id/resume', ({ id }) => {
			const d = find(id);
			Object.assign(d.fields, { status: 'SERVING', paused_by: null, paused_at: null });
			return change(d, 'resumed', null, null);
		}],
		['POST', '/api/deployment/:id/rollback', ({ id }) => {
			const d = find(id);
			const back = [...d.history].reverse().find((h) => ['deployed', 'rolled_back', 'promoted'].includes(h.what) && h.from);
			if (!back) throw new Refused(409, 'There was no other champion before this one.');
			return swap(d, findVersion(back.from), 'rolled_back');
		}],
		['POST', '/api/deployment/:id/model', ({ id }, { body }) => swap(find(id), findVersion(JSON.parse(body).model_version_id), 'deployed')],
		['POST', '/api/deployment/:id/shadow', ({ id }, { body }) => {
			const d = find(id);
			const { model_version_id, since = 'now' } = JSON.parse(body);
			const version = findVersion(model_version_id);
			const from = since === 'start' ? 0 : d.times.length;
			d.addShadow(version, from, d.times.length - from);
			const shadow = d.shadows[0];
			const timer = setInterval(() => {
				shadow.lag = Math.max(0, shadow.lag - Math.ceil(d.times.length / 12));
				send(d.id, 'deployment', {});
				if (shadow.lag === 0) clearInterval(timer);
			}, 400);
			return change(d, 'shadow_set', null, version.id);
		}],
		['DELETE', '/api/deployment/:id/shadow/:version', ({ id, version }) => {
			const d = find(id);
			d.shadows = d.shadows.filter((s) => s.version.id !== version);
			return change(d, 'shadow_removed', version, null);
		}],
		['POST', '/api/deployment/:id/shadow/:version/promote', ({ id, version }, { body }) => {
			const d = find(id);
			const old = findVersion(d.fields.champion.version_id);
			d.shadows = d.shadows.filter((s) => s.version.id !== version);
			if (JSON.parse(body).keep_old_as_shadow) d.addShadow(old, d.times.length);
			return swap(d, findVersion(version), 'promoted');
		}],
		['POST', '/api/model/version/:id/deploy', ({ id }, { body, created }) => {
			const version = findVersion(id);
			const { name, min_threshold, disable_serving } = JSON.parse(body);
			if (deployments.some((o) => o.fields.name === name)) throw new Refused(409, `There already is a deployment named "${name}".`);
			if (!disable_serving && !versionJson(version, deployments).confirmed) throw new Refused(409, 'The recipe has guessed fields that nobody confirmed.');
			const now = new Date().toISOString();
			const made = new Deployment(32 + deployments.length, {
				name, min_threshold, type: version.type, created_at: now, status: disable_serving ? 'EXTERNAL' : 'LOADING', status_text: null,
				champion: { model_id: version.origin.id, model_name: version.origin.name, version_id: id, version: version.version, version_name: version.name, since: now },
			}, 0, 23);
			deployments.unshift(made);
			setTimeout(() => {
				if (made.fields.status === 'LOADING') made.fields.status = 'SERVING';
				send(made.id, 'deployment', {});
			}, 900);
			return created(made.json());
		}],
		['GET', '/api/deployment/:id/history', ({ id }) => ({ items: [...find(id).history].reverse(), count: find(id).history.length })],
		['GET', '/api/deployment/:id/latency', ({ id }, { query }) =>
			find(id).latencySeries(Number(query.get('from')), Number(query.get('to')), Number(query.get('points_max') ?? 2000), query.has('cpu'))],
		['GET', '/api/deployment/:id/predictedassets', ({ id }, { query }) => {
			const d = find(id);
			const offset = Number(query.get('offset') ?? 0);
			const count = d.times.length;
			const threshold = query.has('threshold') ? Number(query.get('threshold')) : undefined;
			const items = Array.from({ length: Math.max(0, Math.min(Number(query.get('limit') ?? 1000), count - offset)) }, (_, k) => d.asset(count - 1 - offset - k, threshold));
			return { items, count };
		}],
		['POST', '/api/deployments/:id/predict', ({ id }, { body, type }) => {
			const d = find(id);
			if (d.fields.status === 'PAUSED') throw new Refused(503, `${d.fields.name} was paused by admin at ${d.fields.paused_at}.`, { 'Retry-After': '60' });
			const name = /filename="([^"]*)"/.exec(body.toString('latin1'))?.[1] ?? 'picture.jpg';
			const start = body.indexOf('\r\n\r\n', body.indexOf('filename="')) + 4;
			const bytes = type.startsWith('multipart/') ? body.subarray(start, body.lastIndexOf('\r\n--')) : body;
			if (!(bytes[0] === 0xff && bytes[1] === 0xd8) && bytes.readUInt32BE(0) !== 0x89504e47) throw new Refused(422, `${name} is no JPEG, PNG or WebP picture.`);
			const known = photos.find((p) => p.name === name);
			const picture = { name, type: 'image/jpeg', bytes, ...imageSize(bytes), objects: known?.objects ?? [] };
			uploads.set(name, picture);
			const asset = d.asset(record(d, picture));
			const [p] = asset.predictions;
			return {
				id: p.id, predicted_asset_id: asset.id, data_id: asset.data.id, deployment_id: d.id, model_version_id: p.model_version_id,
				model: { name: d.fields.champion.model_name, version: d.fields.champion.version }, image: { ...asset.data.meta, filename: name }, threshold: p.threshold,
				latency: p.latency, latency_ms: { receive: 0.8, ...p.steps_ms, record: 4.2, total: p.latency * 1000 + 12 }, shapes: p.shapes, hidden: p.hidden,
				detection_classes: [], detection_scores: [], detection_boxes: [],
			};
		}],
		...trainingRoutes({ Refused, deployments: () => deployments, models, send, weather }),
		...watchingRoutes({ Refused, deployments: () => deployments, weather }),
		...watchRoutes({ Refused, deployments: () => deployments, weather }),
		...learnRoutes({ Refused, deployments: () => deployments, weather }),
		...reviewRoutes({ Refused, deployments: () => deployments, weather }),
		...registryRoutes({ Refused, models, deployments: () => deployments, send, uploads, weather }),
	];

	const stream = (key, request, response) => {
		if (weather.refuse_streams) throw new Refused(503, 'Too many event streams are open.');
		response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
		response.write(': hello\n\n');
		if (!streams.has(key)) streams.set(key, new Set());
		streams.get(key).add(response);
		request.on('close', () => streams.get(key).delete(response));
	};
	const control = (wish) => {
		for (const key of Object.keys(weather)) if (key in wish) weather[key] = wish[key];
		if ('rate' in wish) setRate(wish.rate);
		for (let i = 0; i < (wish.burst ?? 0); i++) record(deployments[0]);
		if (wish.drop_streams) for (const set of streams.values()) for (const response of set) response.destroy();
		if (wish.reset) deployments = makeDeployments(models, predictions);
		return { ...weather };
	};

	const authorized = (request) => !weather.expire && (request.headers.cookie?.includes('gyre_session=mock') || request.headers.authorization === `Bearer ${TOKEN}`);

	async function answer(request, response) {
		const url = new URL(request.url, 'http://mock');
		const { pathname: path, searchParams: query } = url;
		const chunks = [];
		for await (const chunk of request) chunks.push(chunk);
		const body = Buffer.concat(chunks);
		const json = (status, value) => {
			response.writeHead(status, { 'Content-Type': 'application/json' });
			response.end(value === null ? undefined : JSON.stringify(value));
		};
		if (path === '/mock/control') return json(200, control(JSON.parse(body)));
		if (path.startsWith('/files/')) {
			const name = decodeURIComponent(path.slice(7));
			const picture = uploads.get(name) ?? photos.find((p) => p.name === name) ?? digits.find((p) => p.name === name);
			if (!picture) throw new Refused(404, 'There is no such file.');
			response.writeHead(200, { 'Content-Type': picture.type, 'Content-Length': picture.bytes.length, 'Cache-Control': 'private, max-age=3600' });
			return response.end(picture.bytes);
		}
		if (path === '/login' && query.has('code')) {
			const good = query.get('code') === 'welcome';
			response.writeHead(303, good ? { Location: '/', 'Set-Cookie': 'gyre_session=mock; Path=/; HttpOnly; SameSite=Strict' } : { Location: '/login?expired=1' });
			return response.end();
		}
		if (!path.startsWith('/api/')) return page(path, request, response);
		if (weather.delay_ms) await new Promise((done) => setTimeout(done, weather.delay_ms));
		if (path === '/api/session' && request.method === 'POST') {
			if (JSON.parse(body).token !== TOKEN) throw new Refused(401, 'This token is not known.');
			weather.expire = false;
			response.writeHead(204, { 'Set-Cookie': 'gyre_session=mock; Path=/; HttpOnly; SameSite=Strict' });
			return response.end();
		}
		if (!authorized(request)) throw new Refused(401, 'Sign in first.');
		if (!['GET', 'HEAD'].includes(request.method) && !request.headers.authorization && request.headers['x-gyre-csrf'] !== '1') throw new Refused(403, 'The header X-Gyre-Csrf is missing.');
		if (weather.fail && path !== '/api/session') throw new Refused(weather.fail, 'The database did not answer within 5 s.');
		if (path === '/api/events') return stream('all', request, response);
		const live = /^\/api\/deployment\/([^/]+)\/events$/.exec(path);
		if (live) return stream(find(live[1]).id, request, response);
		const training = /^\/api\/training\/([^/]+)\/events$/.exec(path);
		if (training) return stream(training[1], request, response);
		const job = /^\/api\/job\/([^/]+)\/events$/.exec(path);
		if (job) return stream(job[1], request, response);
		for (const [method, pattern, handle] of routes) {
			const names = [...pattern.matchAll(/:(\w+)/g)].map((m) => m[1]);
			const found = new RegExp(`^${pattern.replace(/:\w+/g, '([^/]+)')}$`).exec(path);
			if (!found || method !== request.method) continue;
			let status = 200;
			const created = (value, code = 201) => {
				status = code;
				return value;
			};
			const result = await handle(Object.fromEntries(names.map((n, i) => [n, found[i + 1]])), { query, body, response, created, type: request.headers['content-type'] ?? '' });
			return json(result === null ? 204 : status, result);
		}
		throw new Refused(404, `There is nothing at ${request.method} ${path}.`);
	}

	function page(path, request, response) {
		const file = extname(path) ? join(pages, path) : join(pages, 'index.html');
		if (!resolve(file).startsWith(pages) || !existsSync(file)) throw new Refused(404, 'There is no such file. Was web/dist built?');
		const packed = (request.headers['accept-encoding'] ?? '').includes('gzip');
		const bytes = readFileSync(file);
		response.writeHead(200, {
			'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff',
			...(packed ? { 'Content-Encoding': 'gzip' } : {}),
		});
		return response.end(packed ? gzipSync(bytes) : bytes);
	}

	const server = createServer((request, response) => {
		answer(request, response).catch((error) => {
			if (response.headersSent) return response.destroy();
			const status = error instanceof Refused ? error.status : 500;
			if (status === 500 && !(error instanceof Refused)) console.error(error);
			response.writeHead(status, { 'Content-Type': 'application/json', ...error.headers });
			return response.end(JSON.stringify({ message: error.message, detail: error.detail ?? null }));
		});
	});
	return new Promise((ready) => {
		server.listen(port, '127.0.0.1', () => ready({
			address: `http://127.0.0.1:${server.address().port}`, token: TOKEN,
			close: () => {
				clearInterval(timer);
				server.closeAllConnections();
				return new Promise((done) => server.close(done));
			},
		}));
	});
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const mock = await startMock({
		port: Number(process.argv[2] ?? 8090), predictions: Number(process.env.MOCK_PREDICTIONS ?? 3000), rate: Number(process.env.MOCK_RATE ?? 0.5),
	});
	console.log(`mock gyre on ${mock.address}/login?code=welcome (${photos.length} pictures)`);
}
