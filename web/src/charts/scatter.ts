// SPDX-License-Identifier: Apache-2.0
// The latency chart's uPlot: one dot a prediction, shadows in grey under them, lines at the percentiles, a vertical
// where the champion changed. No framework in here.
import uPlot from 'uplot';
import { seconds } from '../lib/format';
import { ceiling, type Points } from '../lib/points';
import { tickLabel } from '../lib/ticks';
import { resolveColour } from '../parts/theme';

export interface ScatterSpan {
	from: number;
	to: number;
}

/** The champion changed. */
export interface Marker {
	at: number;
	name: string;
}

const HEIGHT = 230;

export class Scatter {
	readonly plot: uPlot;
	/** The click that ends a drag is no click on a dot. */
	dragged = false;
	private span: ScatterSpan;
	private state: Points;
	private top: number;
	private textColour = '';
	private shadowColour = '';

	constructor(host: HTMLElement, state: Points, span: ScatterSpan, private markers: readonly Marker[], onPick: (span: ScatterSpan) => void) {
		this.state = state;
		this.span = span;
		this.top = ceiling(state).top;
		this.plot = new uPlot(this.options(host, onPick), this.columns(), host);
	}

	update(state: Points, span: ScatterSpan, markers: readonly Marker[]): void {
		this.state = state;
		this.span = span;
		this.markers = markers;
		this.top = ceiling(state).top;
		this.plot.setData(this.columns());
	}

	resize(width: number): void {
		if (width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
	}

	close(): void {
		this.plot.destroy();
	}

	private columns(): uPlot.AlignedData {
		return [this.state.points.map((p) => p[0]), this.state.points.map((p) => Math.min(p[1], this.top))];
	}

	private options(host: HTMLElement, onPick: (span: ScatterSpan) => void): uPlot.Options {
		const muted = resolveColour('--text-3');
		const line = resolveColour('--line-soft');
		const dot = resolveColour('--accent');
		this.textColour = resolveColour('--text-2');
		this.shadowColour = withAlpha(muted, 0.5);
		const axis = { stroke: muted, font: '11px system-ui, sans-serif', grid: { stroke: line, width: 1 }, ticks: { show: false } };
		return {
			width: host.clientWidth, height: HEIGHT, legend: { show: false }, padding: [18, 44, 0, 0],
			cursor: { points: { show: false }, y: false, drag: { x: true, y: false, setScale: false, dist: 6, click: () => undefined } },
			scales: {
				x: { time: true, range: () => [this.span.from, this.span.to] },
				y: { range: () => [0, this.top] },
			},
			axes: [
				{ ...axis, space: 70, size: 28, values: (_, splits, __, ___, step) => splits.map((at) => tickLabel(at, step)) },
				{ ...axis, space: 36, size: 58, gap: 6, values: (_, splits) => splits.map((s) => (s === 0 ? '0' : seconds(s).replace(/\.0+ /, ' '))) },
			],
			series: [{}, {
				paths: () => null,
				points: { show: true, size: 5, width: 0, fill: withAlpha(dot, 0.65), stroke: 'transparent' },
			}],
			hooks: {
				drawAxes: [(u) => this.drawShadows(u)],
				draw: [(u) => this.drawMarkers(u), (u) => this.drawPercentiles(u)],
				setSelect: [(u) => {
					if (u.select.width < 6) return;
					this.dragged = true;
					const from = u.posToVal(u.select.left, 'x');
					const to = u.posToVal(u.select.left + u.select.width, 'x');
					u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
					onPick({ from, to });
				}],
			},
		};
	}

	private drawShadows(u: uPlot): void {
		const { ctx } = u;
		const radius = 2.2 * (devicePixelRatio || 1);
		ctx.save();
		ctx.fillStyle = this.shadowColour;
		for (const [at, seconds] of this.state.shadows) {
			if (at < this.span.from || at > this.span.to) continue;
			ctx.beginPath();
			ctx.arc(u.valToPos(at, 'x', true), u.valToPos(Math.min(seconds, this.top), 'y', true), radius, 0, 7);
			ctx.fill();
		}
		ctx.restore();
	}

	private drawMarkers(u: uPlot): void {
		const { ctx, bbox } = u;
		const ratio = devicePixelRatio || 1;
		ctx.save();
		ctx.strokeStyle = this.textColour;
		ctx.fillStyle = this.textColour;
		ctx.lineWidth = ratio;
		ctx.font = `${11 * ratio}px system-ui, sans-serif`;
		ctx.textBaseline = 'alphabetic';
		ctx.textAlign = 'left';
		let free = bbox.left;
		for (const { at, name } of this.markers) {
			if (at < this.span.from || at > this.span.to) continue;
			const x = Math.round(u.valToPos(at, 'x', true)) + 0.5;
			ctx.globalAlpha = 0.55;
			ctx.beginPath();
			ctx.moveTo(x, bbox.top - 4 * ratio);
			ctx.lineTo(x, bbox.top + bbox.height);
			ctx.stroke();
			// A name that would lie on its neighbour's is left out: the line stays, History tells.
			const width = ctx.measureText(name).width;
			const left = x + 4 * ratio + width > bbox.left + bbox.width ? x - 4 * ratio - width : x + 4 * ratio;
			if (left < free) continue;
			ctx.globalAlpha = 1;
			ctx.fillText(name, left, bbox.top - 5 * ratio);
			free = left + width + 10 * ratio;
		}
		ctx.restore();
	}

	private drawPercentiles(u: uPlot): void {
		const { p50, p90, p99 } = this.state;
		const ratio = devicePixelRatio || 1;
		const { ctx, bbox } = u;
		ctx.save();
		ctx.strokeStyle = this.textColour;
		ctx.fillStyle = this.textColour;
		ctx.lineWidth = ratio;
		ctx.font = `${11 * ratio}px system-ui, sans-serif`;
		ctx.textBaseline = 'middle';
		ctx.textAlign = 'left';
		let floor = Infinity;
		// From the lowest up: a name that would touch the one below it moves up a little.
		for (const [name, value] of [['p50', p50], ['p90', p90], ['p99', p99]] as const) {
			if (value === null) continue;
			const y = u.valToPos(value, 'y', true);
			ctx.globalAlpha = 0.75;
			ctx.setLineDash([4 * ratio, 4 * ratio]);
			ctx.beginPath();
			ctx.moveTo(bbox.left, y);
			ctx.lineTo(bbox.left + bbox.width, y);
			ctx.stroke();
			ctx.globalAlpha = 1;
			const textY = Math.min(y, floor - 12 * ratio);
			ctx.fillText(name, bbox.left + bbox.width + 6 * ratio, textY);
			floor = textY;
		}
		ctx.restore();
	}
}

function withAlpha(rgb: string, alpha: number): string {
	const parts = rgb.match(/[\d.]+/g) ?? ['0', '0', '0'];
	return `rgba(${parts.slice(0, 3).join(', ')}, ${alpha})`;
}
