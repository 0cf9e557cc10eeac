// SPDX-License-Identifier: Apache-2.0
// Pictures for the mock: real photos with their real boxes where the test data is there, drawn scenes where it is not.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const checkout = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const dataFolder = resolve(process.env.GYRE_TEST_DATA ?? join(checkout, '../shared/data'));

export function random(seed) {
	let a = seed >>> 0;
	return () => {
		a = (a + 0x6d2b79f5) >>> 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

const FALLBACK_LABELS = ['person', 'bicycle', 'car', 'motorbike', 'aeroplane', 'bus', 'train', 'truck', 'boat', 'bird', 'cat', 'dog', 'horse', 'sheep', 'cow', 'bottle', 'chair', 'sofa'];

function readLabels() {
	const file = join(dataFolder, 'models/yolox_nano/coco_classes.txt');
	return existsSync(file) ? readFileSync(file, 'utf8').split('\n').map((l) => l.trim()).filter(Boolean) : FALLBACK_LABELS;
}

export const labels = readLabels();

/** { name, type, bytes, width, height, objects: [{ label, x, y, w, h }] } */
function readPhotos() {
	const images = join(dataFolder, 'det_voc50/images');
	const boxes = join(dataFolder, 'det_voc50/gts/coco_format/instances_default.json');
	if (!existsSync(images) || !existsSync(boxes)) return null;
	const coco = JSON.parse(readFileSync(boxes, 'utf8'));
	const names = new Map(coco.categories.map((c) => [c.id, c.name]));
	const present = new Set(readdirSync(images));
	return coco.images.filter((i) => present.has(i.file_name)).map((i) => ({
		name: i.file_name, type: 'image/jpeg', bytes: readFileSync(join(images, i.file_name)), width: i.width, height: i.height,
		objects: coco.annotations.filter((a) => a.image_id === i.id)
			.map((a) => ({ label: names.get(a.category_id), x: a.bbox[0], y: a.bbox[1], w: a.bbox[2], h: a.bbox[3] })),
	}));
}

function drawScene(i) {
	const next = random(i + 1);
	const [width, height] = i % 4 === 3 ? [375, 500] : [500, 375];
	const hue = Math.floor(next() * 360);
	const objects = Array.from({ length: 1 + Math.floor(next() * 4) }, () => {
		const w = 50 + next() * 140;
		const h = 50 + next() * 140;
		return { label: labels[Math.floor(next() * 8)], x: next() * (width - w), y: height * 0.3 + next() * (height * 0.7 - h), w, h };
	});
	const body = objects.map((o, n) => `<rect x="${o.x}" y="${o.y}" width="${o.w}" height="${o.h}" rx="${12 + n * 8}" fill="hsl(${(hue + 80 * n) % 360} 45% 45%)"/>`).join('');
	const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
		`<rect width="100%" height="100%" fill="hsl(${hue} 25% 78%)"/><rect y="55%" width="100%" height="45%" fill="hsl(${hue} 15% 58%)"/>${body}</svg>`;
	return { name: `scene-${i}.svg`, type: 'image/svg+xml', bytes: Buffer.from(svg), width, height, objects };
}

export const photos = readPhotos() ?? Array.from({ length: 24 }, (_, i) => drawScene(i));

function readDigits() {
	const found = ['0', '3', '5', '7'].map((d) => [d, join(dataFolder, `models/mnist/${d}.jpg`)]).filter(([, f]) => existsSync(f));
	if (found.length === 0) return photos.slice(0, 4).map((p) => ({ ...p, objects: [{ label: '3' }] }));
	return found.map(([digit, file]) => {
		const bytes = readFileSync(file);
		return { name: `${digit}.jpg`, type: 'image/jpeg', bytes, ...imageSize(bytes), objects: [{ label: digit }] };
	});
}

/** Width and height of a JPEG or PNG; 640 x 480 where it cannot be told. */
export function imageSize(bytes) {
	if (bytes.length > 24 && bytes.readUInt32BE(0) === 0x89504e47) return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
	for (let at = 2; at + 9 < bytes.length && bytes[0] === 0xff && bytes[1] === 0xd8;) {
		if (bytes[at] !== 0xff) break;
		const marker = bytes[at + 1];
		if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
			return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
		at += 2 + bytes.readUInt16BE(at + 2);
	}
	return { width: 640, height: 480 };
}

export const digits = readDigits();
