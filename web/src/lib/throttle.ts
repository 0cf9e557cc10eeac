// SPDX-License-Identifier: Apache-2.0

export interface Throttled {
	(): void;
	cancel(): void;
}

/** At once, then at most once every `ms`; the last call is never lost. */
export function throttle(call: () => void, ms: number): Throttled {
	let timer: ReturnType<typeof setTimeout> | null = null;
	let again = false;
	const rest = (): void => {
		timer = null;
		if (!again) return;
		again = false;
		timer = setTimeout(rest, ms);
		call();
	};
	const throttled = (): void => {
		if (timer !== null) {
			again = true;
			return;
		}
		timer = setTimeout(rest, ms);
		call();
	};
	throttled.cancel = (): void => {
		if (timer !== null) clearTimeout(timer);
		timer = null;
		again = false;
	};
	return throttled;
}
