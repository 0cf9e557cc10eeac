// SPDX-License-Identifier: Apache-2.0
import { File as NodeFile } from 'node:buffer';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { api, ApiError, request, withQuery } from '../src/api/client';

function answer(status: number, body: unknown, headers: Record<string, string> = {}): ReturnType<typeof vi.fn> {
	const fetched = vi.fn(async () => new Response(body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body), { status, headers }));
	vi.stubGlobal('fetch', fetched);
	return fetched;
}

const caught = (call: Promise<unknown>): Promise<ApiError> => call.then(() => { throw new Error('no error'); }, (error: ApiError) => error);

afterEach(() => vi.unstubAllGlobals());

describe('calls', () => {
	it('carry the CSRF header when they change something, and only then', async () => {
		const fetched = answer(200, {});
		await api.deployment('a b');
		await api.updateDeployment('x', { min_threshold: 0.25 });
		const calls = fetched.mock.calls as unknown as [string, RequestInit & { headers: Record<string, string> }][];
		const [readPath, read] = calls[0] ?? [];
		const change = calls[1]?.[1];
		expect(readPath).toBe('/api/deployment/a%20b');
		expect(read?.headers['X-Gyre-Csrf']).toBeUndefined();
		expect(change?.headers['X-Gyre-Csrf']).toBe('1');
		expect(change?.method).toBe('PATCH');
		expect(change?.body).toBe('{"min_threshold":0.25}');
	});

	it('send a picture as the SDK does, with a key that makes a retry the same prediction', async () => {
		const fetched = answer(200, {});
		// Node 18 has the class, not the global.
		const picture = new NodeFile(['bytes'], 'street 1.jpg', { type: 'image/jpeg' }) as unknown as File;
		await api.predict('d', picture, 'key-1');
		const [path, options] = fetched.mock.calls[0] as unknown as [string, RequestInit & { headers: Record<string, string>; body: FormData }];
		expect(path).toBe('/api/deployments/d/predict');
		expect(options.headers['Idempotency-Key']).toBe('key-1');
		expect(options.headers['Content-Type']).toBeUndefined();
		expect((options.body.get('media') as File).name).toBe('street 1.jpg');
	});

	it('leave out what was not given', () => {
		expect(withQuery('/a', { limit: 5, threshold: undefined })).toBe('/a?limit=5');
		expect(withQuery('/a', {})).toBe('/a');
	});

	it('take 204 for done', async () => {
		answer(204, undefined);
		await expect(api.signOut()).resolves.toBeUndefined();
	});
});

describe('refusals', () => {
	it('are the server’s own sentence', async () => {
		answer(503, { message: 'amber-falcon was paused.', detail: null }, { 'Retry-After': '30' });
		const error = await caught(request('/api/x'));
		expect(error).toBeInstanceOf(ApiError);
		expect([error.status, error.message, error.retryAfter]).toEqual([503, 'amber-falcon was paused.', 30]);
	});

	it('have a sentence even where a proxy answered', async () => {
		answer(502, '<html>Bad gateway</html>');
		const error = await caught(request('/api/x'));
		expect(error.message).toContain('502');
		expect(error.retryAfter).toBeNull();
	});

	it('tell no answer from a bad one', async () => {
		vi.stubGlobal('fetch', vi.fn(async () => { throw new TypeError('Failed to fetch'); }));
		expect((await caught(request('/api/x'))).status).toBe(0);
		answer(200, 'not JSON');
		expect((await caught(request('/api/x'))).message).toContain('could not be read');
	});

	it('let a call that was given up stay given up', async () => {
		vi.stubGlobal('fetch', vi.fn(async () => { throw new DOMException('gone', 'AbortError'); }));
		expect((await caught(request('/api/x'))).name).toBe('AbortError');
	});
});
