// SPDX-License-Identifier: Apache-2.0
// A dataset version as files: which format, with or without the pictures, for what.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { learn, type DatasetVersion } from '../api/learn';
import { plural } from '../lib/format';
import { Button, Segments } from './basics';
import { Dialog } from './dialog';
import { Icon } from './icons';

const FORMATS = [['coco', 'COCO'], ['voc', 'Pascal VOC'], ['yolo', 'YOLO']] as const;
const HELP: Record<typeof FORMATS[number][0], string> = {
	coco: 'One JSON file for all images.', voc: 'An XML file for each image.', yolo: 'A text file for each image, and data.yaml with the labels.',
};
const PURPOSES = [['all', 'All'], ['training', 'Training'], ['evaluation', 'Evaluation']] as const;
const WHICH: Record<typeof PURPOSES[number][0], string> = {
	all: 'Every image, those for evaluation too.', training: 'Without the images that are kept for evaluation: what is measured with is never trained on.', evaluation: 'Only the images that are kept to measure with.',
};

export function ExportDialog({ version, onClose }: { version: DatasetVersion; onClose: () => void }): JSX.Element {
	const [format, setFormat] = useState<typeof FORMATS[number][0]>('coco');
	const [purpose, setPurpose] = useState<typeof PURPOSES[number][0]>('all');
	const [images, setImages] = useState(false);
	return (
		<Dialog title={`Export ${version.origin_name} ${version.version}`} onClose={onClose}>
			<div class="dialog-text">
				<p class="muted">{plural(version.assets, 'image')}, {plural(version.annotated, 'annotation')}, {plural(version.labels, 'label')}, as a zip file.</p>
				<div class="field"><span class="field-name">Format</span><Segments name="export-format" legend="Format" value={format} choices={FORMATS} onChoose={setFormat} /><p class="muted">{HELP[format]}</p></div>
				<div class="field"><span class="field-name">Which images</span><Segments name="export-for" legend="Which images" value={purpose} choices={PURPOSES} onChoose={setPurpose} /><p class="muted">{WHICH[purpose]}</p></div>
				<label class="check"><input type="checkbox" checked={images} onChange={() => setImages(!images)} />With the pictures themselves</label>
			</div>
			<footer class="dialog-foot">
				<Button onClick={onClose}>Cancel</Button>
				<a class="button primary" href={learn.exportPath(version.id, format, images, purpose)} download><Icon name="download" /><span>Download</span></a>
			</footer>
		</Dialog>
	);
}
