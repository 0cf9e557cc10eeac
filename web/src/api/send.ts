// SPDX-License-Identifier: Apache-2.0
// Large forms: fetch does not tell how far an upload is, XMLHttpRequest does.
import { ApiError, refusal, sessionLost } from './client';

export interface SendOptions {
	/** Bytes sent and bytes in all, the form's own included. */
	onProgress: (sent: number, total: number) => void;
	signal: AbortSignal;
}

/** POSTs a form; the answer's JSON, or null where there is none. */
export function sendForm<T>(path: string, form: FormData, { onProgress, signal }: SendOptions): Promise<T> {
	return new Promise((resolve, reject) => {
		const request = new XMLHttpRequest();
		request.open('POST', path);
		request.setRequestHeader('Accept', 'application/json');
		request.setRequestHeader('X-Gyre-Csrf', '1');
		request.upload.onprogress = (event) => onProgress(event.loaded, event.total);
		request.onload = () => {
			const answer = new Response(request.status === 204 ? null : request.responseText, {
				status: request.status, headers: { 'Retry-After': request.getResponseHeader('Retry-After') ?? '' },
			});
			if (request.status === 401) sessionLost();
			if (!answer.ok) void refusal(answer).then(reject);
			else if (request.status === 204 || !request.responseText) resolve(null as T);
			else answer.json().then(resolve, () => reject(new ApiError(request.status, 'The server’s answer could not be read.')));
		};
		request.onerror = () => reject(new ApiError(0, 'The connection to the server broke off.'));
		request.onabort = () => reject(new DOMException('Cancelled.', 'AbortError'));
		signal.addEventListener('abort', () => request.abort());
		if (signal.aborted) return reject(new DOMException('Cancelled.', 'AbortError'));
		return request.send(form);
	});
}

export const wasCancelled = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';
