// SPDX-License-Identifier: Apache-2.0
// What was dropped or chosen: files and folders, walked to the bottom, and told apart into pictures and annotations.

export interface Found {
	file: File;
	/** Inside what was dropped: "cats/1.jpg". */
	path: string;
}

/** As FileSystemEntry; its own, so that tests need no browser. */
export interface Entry {
	isFile: boolean;
	isDirectory: boolean;
	name: string;
	file?: (take: (file: File) => void, fail: (error: unknown) => void) => void;
	createReader?: () => { readEntries: (take: (entries: Entry[]) => void, fail: (error: unknown) => void) => void };
}

export const FILES_MAX = 5000;

const hidden = (name: string): boolean => name.startsWith('.') || name === '__MACOSX' || name === 'Thumbs.db';

/** A directory gives its entries in portions, until an empty one. */
async function entriesOf(directory: Entry): Promise<Entry[]> {
	const reader = directory.createReader?.();
	const all: Entry[] = [];
	for (;;) {
		const portion = await new Promise<Entry[]>((take, fail) => (reader ? reader.readEntries(take, fail) : take([])));
		if (portion.length === 0) return all;
		all.push(...portion);
	}
}

/** All files below, by path; stops at FILES_MAX. What cannot be read is left out. */
export async function walk(entries: readonly Entry[], above = '', found: Found[] = []): Promise<Found[]> {
	for (const entry of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) {
		if (found.length >= FILES_MAX || hidden(entry.name)) continue;
		const path = above + entry.name;
		try {
			if (entry.isDirectory) await walk(await entriesOf(entry), `${path}/`, found);
			else found.push({ path, file: await new Promise<File>((take, fail) => (entry.file ? entry.file(take, fail) : fail(null))) });
		} catch {
			// A file that went away, or that the browser may not read.
		}
	}
	return found;
}

/** From an <input>, where a folder's files know their path. */
export const fromInput = (files: Iterable<File>): Found[] =>
	[...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })).filter(({ path }) => !path.split('/').some(hidden));

/** The entries must be taken before the event ends: afterwards the browser has forgotten them. */
export function fromDrop(transfer: DataTransfer | null): Promise<Found[]> {
	const items = [...(transfer?.items ?? [])].filter((item) => item.kind === 'file');
	const entries = items.map((item) => item.webkitGetAsEntry?.() as Entry | null);
	if (items.length === 0 || entries.some((entry) => !entry)) return Promise.resolve(fromInput(transfer?.files ?? []));
	return walk(entries as Entry[]);
}

const ending = (path: string): string => /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';

/** By the ending, as the server will see it; a pasted picture may have a type alone. */
export const isPicture = (path: string, type = ''): boolean =>
	['jpg', 'jpeg', 'png', 'webp'].includes(ending(path)) || /^image\/(jpeg|png|webp)$/.test(type);
export const isModel = (path: string): boolean => ending(path) === 'onnx';
const isAnnotation = (path: string): boolean => ['json', 'xml', 'txt', 'yaml', 'yml'].includes(ending(path));
/** What people leave beside their pictures. */
const isProse = (path: string): boolean => /(^|\/)(readme|licen[cs]e|source|changelog|requirements|notes?)[^/]*$/i.test(path);

export interface Labelled {
	pictures: Found[];
	annotations: Found[];
	left: Found[];
	bytes: number;
}

export function sortLabelled(found: readonly Found[]): Labelled {
	const pictures = found.filter(({ path }) => isPicture(path));
	const annotations = found.filter(({ path }) => isAnnotation(path) && !isProse(path));
	const left = found.filter((f) => !pictures.includes(f) && !annotations.includes(f));
	return { pictures, annotations, left, bytes: [...pictures, ...annotations].reduce((sum, { file }) => sum + file.size, 0) };
}

export const PICTURES_MIN = 20;
export const PICTURES_MAX = 500;
export const CHECK_BYTES_MAX = 512 * 1024 * 1024;

/** Why these cannot be checked, or null. Whether they are labelled the server says. */
export function whyNotCheck({ pictures, annotations, bytes }: Labelled): string | null {
	const folders = new Set(pictures.map(({ path }) => path.split('/').slice(0, -1).join('/')));
	if (pictures.length === 0) return 'There are no JPEG, PNG or WebP pictures among them.';
	if (pictures.length < PICTURES_MIN) return `At least ${PICTURES_MIN} labelled pictures are needed, so that the ranking means something.`;
	if (pictures.length > PICTURES_MAX) return `At most ${PICTURES_MAX} pictures are taken: leave some out.`;
	if (bytes > CHECK_BYTES_MAX) return 'Together they are larger than 512 MB: leave some out.';
	if (annotations.length === 0 && folders.size < 2) return 'There are no annotations: add the COCO, VOC or YOLO files, or sort the pictures into a folder for each class.';
	return null;
}
