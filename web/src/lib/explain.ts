// SPDX-License-Identifier: Apache-2.0
// An error in three parts: what happened, why, what to do. The server's sentence is the why.
import { ApiError } from '../api/client';

export interface Explanation {
	what: string;
	why: string;
	todo: string;
	/** Trying the same again may help. */
	retry: boolean;
}

interface Rule {
	todo: string;
	retry: boolean;
}

const OTHER: Rule = { todo: 'Change what was sent; the same again will be refused again.', retry: false };
const LATER: Rule = { todo: 'Wait a moment, then try again.', retry: true };

const RULES: Record<number, Rule> = {
	0: { todo: 'Check that gyre is running and that this machine reaches it, then try again.', retry: true },
	400: OTHER,
	403: { todo: 'Ask an administrator for the right to do this.', retry: false },
	404: { todo: 'It may have been deleted. Go back to the list.', retry: false },
	409: { todo: 'Someone or something changed it meanwhile. Reload, look, and decide again.', retry: true },
	413: { todo: 'Send less, or raise the limit in the server’s settings.', retry: false },
	415: OTHER,
	422: OTHER,
	429: LATER,
	503: LATER,
	504: { todo: 'The model took too long. Try again; if it stays so, look at the model.', retry: true },
};

const OURS: Rule = { todo: 'Try again. If it happens again, the server’s log names the request.', retry: true };

export function explain(error: unknown, what: string): Explanation {
	if (!(error instanceof ApiError)) {
		const why = error instanceof Error ? `The page failed: ${error.message}.` : 'The page failed.';
		return { what, why, todo: 'Reload the page.', retry: true };
	}
	const rule = RULES[error.status] ?? (error.status >= 500 ? OURS : { todo: 'Reload the page and try again.', retry: true });
	const todo = error.retryAfter !== null && error.retryAfter > 0 && rule.retry
		? `Try again in ${error.retryAfter} s.` : rule.todo;
	return { what, why: error.message, todo, retry: rule.retry };
}

/** One line, for a place too small for three. */
export const sentence = (error: unknown): string =>
	error instanceof Error && error.message ? error.message : 'Something failed.';
