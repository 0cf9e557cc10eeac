// SPDX-License-Identifier: Apache-2.0
// Our own icons on a 16-pixel grid, drawn with the text's colour.
import type { JSX } from 'preact';

const PATHS = {
	deployments: 'M2.5 4.5 8 1.75l5.5 2.75v7L8 14.25 2.5 11.5zM2.5 4.5 8 7.25l5.5-2.75M8 7.25v7',
	models: 'M8 2.25 14 5 8 7.75 2 5zM2 8l6 2.75L14 8M2 11l6 2.75L14 11',
	copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
	check: 'M3 8.5l3.25 3.25L13 5',
	edit: 'M3 13l.6-2.8L10.9 2.9l2.2 2.2-7.3 7.3zM9.4 4.4l2.2 2.2',
	pause: 'M5.25 3v10M10.75 3v10',
	play: 'M4.75 3l8 5-8 5z',
	back: 'M6 4 2.5 7.5 6 11M2.75 7.5H10a3.5 3.5 0 0 1 0 7H7',
	left: 'M10 3 5 8l5 5',
	right: 'M6 3l5 5-5 5',
	close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
	upload: 'M8 10.5v-8M4.75 5.5 8 2.25l3.25 3.25M2.5 10.5v3h11v-3',
	user: 'M8 8a2.75 2.75 0 1 0 0-5.5A2.75 2.75 0 0 0 8 8zM2.75 14c.5-2.6 2.6-4 5.25-4s4.75 1.4 5.25 4',
	sun: 'M8 10.75a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M3 13l1.1-1.1M11.9 4.1 13 3',
	moon: 'M13.5 9.6A5.75 5.75 0 0 1 6.4 2.5a5.75 5.75 0 1 0 7.1 7.1z',
	system: 'M2 2.75h12v8.5H2zM5.5 13.75h5M8 11.25v2.5',
	warning: 'M8 2 14.5 13.5h-13zM8 6.5v3.25M8 11.6v.01',
	history: 'M2.5 8a5.5 5.5 0 1 0 1.8-4.1L2.5 5.5M2.5 2.25V5.5h3.25M8 5v3.25l2.25 1.5',
	trash: 'M2.75 4.25h10.5M6 4.25V2.5h4v1.75M4.25 4.25l.6 9.25h6.3l.6-9.25M6.75 7v3.75M9.25 7v3.75',
	folder: 'M1.75 12.75v-9.5h4.5l1.5 2h6.5v7.5z',
	deploy: 'M8 10.5V2M4.75 5.25 8 2l3.25 3.25M3 8.5v5h10v-5',
	shadow: 'M6 11.5a4.75 4.75 0 1 1 0-9.5 4.75 4.75 0 0 1 0 9.5zM9.5 3.6a5.2 5.2 0 1 1-6 7.2',
	swap: 'M3 5.5h9.5L10 3M13 10.5H3.5L6 13',
	settings: 'M2.5 4.5h6M12 4.5h1.5M2.5 11.5H4M7.5 11.5h6M10.25 6.25a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5zM5.75 13.25a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5z',
	search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.4 10.4l3.1 3.1',
	picture: 'M2 3h12v10H2zM2 11l3.5-3.5 3 3L10.5 8.5 14 12M10.5 6.5v.01',
	datasets: 'M8 5.5c3 0 5.25-.9 5.25-2S11 1.5 8 1.5s-5.25.9-5.25 2 2.25 2 5.25 2zM2.75 3.5v9c0 1.1 2.25 2 5.25 2s5.25-.9 5.25-2v-9M2.75 8c0 1.1 2.25 2 5.25 2s5.25-.9 5.25-2',
	projects: 'M2.5 2.5v11h11M5 10.5l2.5-3.5 2 2 4-5.5',
	train: 'M2.5 13.5h11M4 11V8M8 11V5.5M12 11V2.5',
	jobs: 'M2.5 3.5h11v3h-11zM2.5 9.5h11v3h-11zM5 5h.01M5 11h.01',
	plus: 'M8 3v10M3 8h10',
	lock: 'M3.5 7.25h9v6.5h-9zM5.25 7.25V5a2.75 2.75 0 0 1 5.5 0v2.25',
	unlock: 'M3.5 7.25h9v6.5h-9zM5.25 7.25V4.5a2.75 2.75 0 0 1 5.3-1',
	fork: 'M4 5.75v4.5M4 5.75a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5zM4 13.75a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5zM12 5.75a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5zM12 5.75c0 3-3.5 2.25-6.5 4.75',
	compare: 'M6.5 2.5h-4v11h4M9.5 2.5h4v11h-4M8 1v14',
	download: 'M8 2.25v8M4.75 7.5 8 10.75 11.25 7.5M2.5 10.5v3h11v-3',
	grid: 'M2.5 2.5h4.5V7H2.5zM9 2.5h4.5V7H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z',
	rows: 'M2 3.5h12M2 8h12M2 12.5h12',
	review: 'M2 8s2.25-4 6-4 6 4 6 4-2.25 4-6 4-6-4-6-4zM8 9.75a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5z',
	loop: 'M13.5 7.5a5.5 5.5 0 0 0-10-2.6M2.5 8.5a5.5 5.5 0 0 0 10 2.6M3.25 2v3h3M12.75 14v-3h-3',
	filter: 'M2 3h12L9.5 8.5v4.75l-3-1.5V8.5z',
	external: 'M6.5 3h-4v10.5H13v-4M9 2.5h4.5V7M13.5 2.5 7.5 8.5',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }): JSX.Element {
	return (
		<svg class="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor"
			stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
			<path d={PATHS[name]} />
		</svg>
	);
}

/** The mark: a current that turns inward. */
export function Mark({ size = 22 }: { size?: number }): JSX.Element {
	return (
		<svg class="mark" width={size} height={size} viewBox="0 0 32 32" fill="none" stroke="currentColor"
			stroke-width="3.2" stroke-linecap="round" aria-hidden="true">
			<path d="M28 16a12 12 0 1 1-6-10.4" />
			<path d="M22.5 16a6.5 6.5 0 1 1-3.25-5.63" />
			<circle cx="16" cy="16" r="1.9" fill="currentColor" stroke="none" />
		</svg>
	);
}
