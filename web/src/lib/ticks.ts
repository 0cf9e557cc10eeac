// SPDX-License-Identifier: Apache-2.0
// Labels of a time axis: 24 hours, the date only where the day begins.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (n: number): string => String(n).padStart(2, '0');

/** `at` in Unix seconds, `step` the seconds between ticks. */
export function tickLabel(at: number, step: number): string {
	const d = new Date(at * 1000);
	const date = `${d.getDate()} ${MONTHS[d.getMonth()] ?? ''}`;
	if (step >= 86400) return date;
	const clock = `${two(d.getHours())}:${two(d.getMinutes())}`;
	if (step < 60) return `${clock}:${two(d.getSeconds())}`;
	return clock === '00:00' ? date : clock;
}
