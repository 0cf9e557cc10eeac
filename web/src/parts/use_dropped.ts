// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from 'preact/hooks';
import { fromDrop, fromInput, type Found } from '../lib/folder';

type Take = (found: readonly Found[]) => void;

const withFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;

/** Who asked last takes: a dialog before the page under it. */
const takers: { current: Take }[] = [];

/** Calls back with files and folders dropped anywhere on the window, or pasted; answers whether any hang over it. */
export function useDropped(onFound: Take, active = true): boolean {
	const [over, setOver] = useState(false);
	const take = useRef(onFound);
	take.current = onFound;
	useEffect(() => {
		if (!active) return undefined;
		takers.push(take);
		const mine = (): boolean => takers[takers.length - 1] === take;
		let depth = 0;
		const enter = (event: DragEvent): void => {
			if (!withFiles(event) || !mine()) return;
			depth += 1;
			setOver(true);
		};
		const leave = (event: DragEvent): void => {
			if (!withFiles(event)) return;
			depth = Math.max(0, depth - 1);
			if (depth === 0) setOver(false);
		};
		const hold = (event: DragEvent): void => {
			if (withFiles(event)) event.preventDefault();
		};
		const drop = (event: DragEvent): void => {
			depth = 0;
			setOver(false);
			if (!withFiles(event) || !mine()) return;
			event.preventDefault();
			void fromDrop(event.dataTransfer).then((found) => take.current(found));
		};
		const paste = (event: ClipboardEvent): void => {
			const files = event.clipboardData?.files;
			if (files && files.length > 0 && mine()) take.current(fromInput(files));
		};
		const until = new AbortController();
		addEventListener('dragenter', enter, until);
		addEventListener('dragleave', leave, until);
		addEventListener('dragover', hold, until);
		addEventListener('drop', drop, until);
		addEventListener('paste', paste, until);
		return () => {
			until.abort();
			takers.splice(takers.indexOf(take), 1);
		};
	}, [active]);
	return over;
}
