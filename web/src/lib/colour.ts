// SPDX-License-Identifier: Apache-2.0
// A label keeps its colour for ever: it depends on the label's index alone, never on which labels are in view.

/** Told apart on photos and from each other, neighbours most of all. */
const PALETTE = [
	'#3fa7ff', '#ff9a3d', '#3ddc84', '#ff6b81', '#b68cff', '#ffd23f', '#2ed3d0', '#ff7ad9', '#a4d65e', '#8ea6ff',
	'#ff8266', '#5fe0a8', '#d9a066', '#6cd0ff', '#e28cff', '#c8c83c', '#ff9fb5', '#7fd4c1', '#f0b04a', '#9fb8d9',
] as const;

function channel(value: number): number {
	const c = value / 255;
	return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

/** WCAG 2 relative luminance of #rrggbb. */
export function luminance(hex: string): number {
	const n = parseInt(hex.slice(1), 16);
	return 0.2126 * channel((n >> 16) & 255) + 0.7152 * channel((n >> 8) & 255) + 0.0722 * channel(n & 255);
}

/** WCAG 2 contrast ratio, 1…21. */
export function contrast(a: string, b: string): number {
	const [x, y] = [luminance(a), luminance(b)];
	return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function fromHsl(hue: number, saturation: number, lightness: number): string {
	const a = saturation * Math.min(lightness, 1 - lightness);
	const part = (n: number): string => {
		const k = (n + hue / 30) % 12;
		const value = lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1));
		return Math.round(255 * value).toString(16).padStart(2, '0');
	};
	return `#${part(0)}${part(8)}${part(4)}`;
}

/** All light enough for dark text and for a dark rim around boxes. Past the palette: golden angle, two lightnesses. */
export function labelColour(index: number): string {
	const i = Math.max(0, Math.trunc(index));
	const fixed = PALETTE[i];
	if (fixed !== undefined) return fixed;
	return fromHsl((i * 137.508 + 110) % 360, 0.78, i % 2 ? 0.68 : 0.76);
}

/** Text on a label's colour. */
export const LABEL_TEXT = '#0b0f14';
