// SPDX-License-Identifier: Apache-2.0
// Latency over time: every dot is a prediction and opens its picture, by the mouse or by the arrow keys and Enter.
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { count, exact, milliseconds, plural, seconds } from '../lib/format';
import { ceiling, nearest, type Points } from '../lib/points';
import { px } from '../parts/basics';
import { useStore } from '../parts/hooks';
import { palette } from '../parts/theme';
import { Scatter, type Marker, type ScatterSpan } from './scatter';

const REACH = 16;

interface Marked {
	/** Among the champion's points, or the shadows'. */
	index: number;
	shadow: boolean;
	left: number;
	top: number;
}

function summary(points: Points): string {
	if (points.count === 0) return 'Latency over time: no predictions in this range.';
	return `Latency over time: ${plural(points.count, 'prediction')}, mean ${seconds(points.mean)}, median ${seconds(points.p50)}, ` +
		`99th percentile ${seconds(points.p99)}. Left and right arrow keys walk through the predictions, Enter opens one.`;
}

export function LatencyChart({ points, span, markers, onOpen, onPick }: {
	points: Points;
	span: ScatterSpan;
	markers: readonly Marker[];
	onOpen: (asset: string) => void;
	onPick: (span: ScatterSpan) => void;
}): JSX.Element {
	const host = useRef<HTMLDivElement>(null);
	const scatter = useRef<Scatter | null>(null);
	const [marked, setMarked] = useState<Marked | null>(null);
	const colours = useStore(palette);
	const pick = useRef(onPick);
	pick.current = onPick;

	useEffect(() => {
		const element = host.current;
		if (!element) return undefined;
		const made = new Scatter(element, points, span, markers, (picked) => pick.current(picked));
		scatter.current = made;
		const observer = new ResizeObserver(() => made.resize(element.clientWidth));
		observer.observe(element);
		return () => {
			observer.disconnect();
			made.close();
			scatter.current = null;
		};
	}, [colours]);
	useEffect(() => {
		scatter.current?.update(points, span, markers);
		setMarked(null);
	}, [points, span.from, span.to, markers]);

	const listOf = (shadow: boolean): Points['points'] => (shadow ? points.shadows : points.points);
	const mark = (index: number, shadow = false): void => {
		const plot = scatter.current?.plot;
		const point = listOf(shadow)[index];
		if (!plot || !point) return setMarked(null);
		const left = plot.valToPos(point[0], 'x') + plot.bbox.left / devicePixelRatio;
		const top = plot.valToPos(Math.min(point[1], plot.scales.y?.max ?? point[1]), 'y') + plot.bbox.top / devicePixelRatio;
		return setMarked({ index, shadow, left, top });
	};
	/** The champion's dots lie on top. */
	const find = (event: MouseEvent): { index: number; shadow: boolean } | null => {
		const plot = scatter.current?.plot;
		if (!plot) return null;
		const box = plot.over.getBoundingClientRect();
		const x = plot.posToVal(event.clientX - box.left, 'x');
		const y = plot.posToVal(event.clientY - box.top, 'y');
		const yMax = plot.scales.y?.max ?? 1;
		const scale = { xPixels: box.width / (span.to - span.from), yPixels: box.height / yMax, top: yMax };
		for (const shadow of [false, true]) {
			const index = nearest(listOf(shadow), x, y, scale, shadow ? REACH / 2 : REACH);
			if (index >= 0) return { index, shadow };
		}
		return null;
	};
	const open = (at: { index: number; shadow: boolean } | null): void => {
		const point = at && listOf(at.shadow)[at.index];
		if (point) onOpen(point[2]);
	};
	const onKey = (event: KeyboardEvent): void => {
		const last = points.points.length - 1;
		const at = marked && !marked.shadow ? marked.index : null;
		if (event.key === 'ArrowLeft') mark(at === null ? last : Math.max(0, at - 1));
		else if (event.key === 'ArrowRight') mark(at === null ? last : Math.min(last, at + 1));
		else if (event.key === 'Enter' && marked) open(marked);
		else if (event.key === 'Escape' && marked) setMarked(null);
		else return;
		event.preventDefault();
	};

	const point = marked ? listOf(marked.shadow)[marked.index] : undefined;
	const { top, above } = useMemo(() => ceiling(points), [points]);
	const notes = [
		above > 0 && `${count(above)} above ${seconds(top)}, drawn at the edge`,
		points.sampled && `${count(points.points.length)} of ${count(points.count)} predictions drawn`,
	].filter(Boolean).join(' · ');
	return (
		<div class={marked ? 'chart is-pointing' : 'chart'} tabIndex={0} role="application" aria-label={summary(points)} onKeyDown={onKey}
			onMouseMove={(event) => {
				const found = event.buttons === 0 ? find(event) : null;
				if (found) mark(found.index, found.shadow);
				else setMarked(null);
			}}
			onMouseLeave={() => setMarked(null)}
			onMouseDown={() => {
				if (scatter.current) scatter.current.dragged = false;
			}}
			onClick={(event) => {
				if (!scatter.current?.dragged) open(find(event));
			}}>
			<div class="chart-host" ref={host} />
			{marked && point && (
				<>
					<i class="chart-ring" style={{ left: px(marked.left), top: px(marked.top) }} />
					<div class={`chart-tip${marked.left > (host.current?.clientWidth ?? 0) / 2 ? ' to-left' : ''}`}
						style={{ left: px(marked.left), top: px(marked.top) }} role="status">
						<strong>{milliseconds(point[1] * 1000)}{marked.shadow && <span class="muted"> CPU, shadow</span>}</strong>
						<span>{exact(point[0] * 1000).slice(0, 23)}</span>
						<span class="muted">Click or Enter opens it</span>
					</div>
				</>
			)}
			{notes && <p class="chart-note">{notes}</p>}
		</div>
	);
}
