// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { fromInput, isPicture, PICTURES_MAX, sortLabelled, walk, whyNotCheck, type Entry, type Found } from '../src/lib/folder';

const file = (name: string, size = 10, webkitRelativePath = ''): File => ({ name, size, webkitRelativePath }) as File;
const fileEntry = (name: string): Entry => ({ isFile: true, isDirectory: false, name, file: (take) => take(file(name)) });

/** As browsers do it: a hundred at a time, then none. */
function directory(name: string, entries: Entry[], portion = 100): Entry {
	return {
		isFile: false, isDirectory: true, name,
		createReader: () => {
			let at = 0;
			return { readEntries: (take) => take(entries.slice(at, at += portion)) };
		},
	};
}

describe('a dropped folder', () => {
	it('is walked to the bottom, with paths, in order', async () => {
		const found = await walk([directory('set', [fileEntry('b.jpg'), directory('cats', [fileEntry('1.jpg')]), fileEntry('a.jpg')])]);
		expect(found.map((f) => f.path)).toEqual(['set/a.jpg', 'set/b.jpg', 'set/cats/1.jpg']);
	});

	it('gives all its files, though the browser gives them in portions', async () => {
		const many = Array.from({ length: 250 }, (_, i) => fileEntry(`${i}.jpg`));
		expect(await walk([directory('set', many)])).toHaveLength(250);
	});

	it('is walked without what systems hide in it, and stops at a limit', async () => {
		expect(await walk([directory('set', [fileEntry('.DS_Store'), directory('__MACOSX', [fileEntry('x.jpg')]), fileEntry('a.jpg')])])).toHaveLength(1);
		const huge = Array.from({ length: 6000 }, (_, i) => fileEntry(`${i}.jpg`));
		expect(await walk([directory('set', huge)])).toHaveLength(5000);
	});

	it('leaves out what cannot be read', async () => {
		const gone: Entry = { isFile: true, isDirectory: false, name: 'gone.jpg', file: (_, fail) => fail(new Error('gone')) };
		const closed: Entry = { isFile: false, isDirectory: true, name: 'closed', createReader: () => ({ readEntries: (_, fail) => fail(new Error('no')) }) };
		expect((await walk([gone, closed, fileEntry('a.jpg')])).map((f) => f.path)).toEqual(['a.jpg']);
	});

	it('may also come from an input, by its files’ own paths', () => {
		expect(fromInput([file('1.jpg', 1, 'set/cats/1.jpg'), file('.hidden', 1, 'set/.hidden'), file('2.jpg')]).map((f) => f.path)).toEqual(['set/cats/1.jpg', '2.jpg']);
	});
});

describe('labelled pictures', () => {
	const found = (...paths: string[]): Found[] => paths.map((path) => ({ path, file: file(path, 1000) }));
	const many = (n: number, path = (i: number): string => `p/${i}.jpg`): Found[] => found(...Array.from({ length: n }, (_, i) => path(i)));

	it('are told from their annotations, and both from what lies beside them', () => {
		const sorted = sortLabelled(found('a.JPG', 'a.xml', 'labels/a.txt', 'data.yaml', 'i.json', 'README.txt', 'LICENSE', 'SOURCE.txt', 'movie.mp4', 'b.webp'));
		expect(sorted.pictures.map((f) => f.path)).toEqual(['a.JPG', 'b.webp']);
		expect(sorted.annotations.map((f) => f.path)).toEqual(['a.xml', 'labels/a.txt', 'data.yaml', 'i.json']);
		expect(sorted.left).toHaveLength(4);
		expect(sorted.bytes).toBe(6000);
	});

	it('must be enough, and not too many', () => {
		const why = (files: Found[]): string | null => whyNotCheck(sortLabelled(files));
		expect(why([...many(20), ...found('i.json')])).toBeNull();
		expect(why([...many(19), ...found('i.json')])).toContain('At least 20');
		expect(why([...many(PICTURES_MAX + 1), ...found('i.json')])).toContain('At most 500');
		expect(why(found('i.json'))).toContain('no JPEG');
		expect(why([...many(20), { path: 'i.json', file: file('i.json', 600 * 1024 * 1024) }])).toContain('512 MB');
	});

	it('are labelled by annotations, or by their folders', () => {
		expect(whyNotCheck(sortLabelled(many(20)))).toContain('no annotations');
		expect(whyNotCheck(sortLabelled(many(20, (i) => `set/${i % 2 ? 'cat' : 'dog'}/${i}.png`)))).toBeNull();
	});

	it('are what the server reads', () => {
		expect(['a.jpeg', 'b.PNG', 'c.gif', 'd'].map((p) => isPicture(p))).toEqual([true, true, false, false]);
		expect(isPicture('pasted', 'image/png')).toBe(true);
		expect(isPicture('pasted', 'image/gif')).toBe(false);
	});
});
