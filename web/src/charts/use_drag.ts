// SPDX-License-Identifier: Apache-2.0
// A stretch of a chart that is dragged over with the mouse. The click that ends a drag is none.
import { useRef, useState } from 'preact/hooks';

const LEAST = 6;

export interface Drag {
	handlers: { onPointerDown: (event: PointerEvent) => void; onPointerMove: (event: PointerEvent) => void; onPointerUp: () => void; onPointerLeave: () => void };
	/** Within the plot, in pixels, while it is dragged. */
	rect: { left: number; width: number } | null;
	wasDrag: () => boolean;
}

/** The plot begins at `left` of the host and is `width` wide; shares of it, 0…1, go to `onPick`. */
export function useDrag(host: { readonly current: Element | null }, left: number, width: number, onPick: ((from: number, to: number) => void) | undefined): Drag {
	const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
	const dragged = useRef(false);
	const place = (event: PointerEvent): number => Math.min(width, Math.max(0, event.clientX - (host.current?.getBoundingClientRect().left ?? 0) - left));
	const far = drag !== null && Math.abs(drag.to - drag.from) >= LEAST;
	return {
		handlers: {
			onPointerDown: (event) => {
				dragged.current = false;
				if (event.pointerType === 'mouse' && event.button === 0 && onPick) setDrag({ from: place(event), to: place(event) });
			},
			onPointerMove: (event) => drag && setDrag({ ...drag, to: place(event) }),
			onPointerUp: () => {
				dragged.current = far;
				if (drag && far && width > 0) onPick?.(Math.min(drag.from, drag.to) / width, Math.max(drag.from, drag.to) / width);
				setDrag(null);
			},
			onPointerLeave: () => setDrag(null),
		},
		rect: drag && far ? { left: Math.min(drag.from, drag.to), width: Math.abs(drag.to - drag.from) } : null,
		wasDrag: () => dragged.current,
	};
}
