// SPDX-License-Identifier: Apache-2.0
// One asset of a dataset version, large: what was drawn on it, by whom, and the way to draw on.
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { learn, type Asset, type DatasetVersion } from '../api/learn';
import type { Shape } from '../api/types';
import { drawable } from '../lib/dataset_shapes';
import { exact } from '../lib/format';
import { Button, Copy, Failure, LabelDot, Skeleton, Time } from './basics';
import { Dialog } from './dialog';
import { useLoad } from './hooks';
import { Icon } from './icons';
import { StageMoves, StagePicture } from './stage';
import { say } from './toasts';

const place = (shape: Shape): string => {
	if (shape.type === 'rectangle') return `${Math.round(shape.w)} × ${Math.round(shape.h)} px`;
	return shape.type === 'polygon' ? `${shape.polygon.length} points` : 'class';
};

function Shapes({ shapes, chosen, choose }: { shapes: readonly Shape[]; chosen: Shape | null; choose: (shape: Shape | null) => void }): JSX.Element {
	return (
		<ul class="shape-list">
			{shapes.map((shape, i) => (
				<li key={i}>
					<button type="button" class={chosen === shape ? 'shape-row is-chosen' : 'shape-row'} onMouseEnter={() => choose(shape)} onMouseLeave={() => choose(null)} onFocus={() => choose(shape)} onBlur={() => choose(null)}>
						<LabelDot labelId={shape.label_id} /><span class="shape-label">{shape.label}</span><span class="muted">{place(shape)}</span>
					</button>
				</li>
			))}
		</ul>
	);
}

/** What an asset is for, and the other use as a button. */
function Use({ asset, version, onChanged }: { asset: Asset; version: DatasetVersion; onChanged: () => void }): JSX.Element {
	const [busy, setBusy] = useState(false);
	const change = async (): Promise<void> => {
		setBusy(true);
		try {
			await learn.holdOut(version.id, { ids: [asset.id], evaluation: !asset.evaluation });
			onChanged();
		} catch (error) {
			say('bad', error instanceof Error ? error.message : String(error));
		} finally {
			setBusy(false);
		}
	};
	return (
		<>
			{asset.evaluation ? 'evaluation only' : 'training'}{' '}
			{!version.locked && <Button kind="quiet" busy={busy} onClick={() => void change()}>{asset.evaluation ? 'Use it for training' : 'Keep it to measure with'}</Button>}
		</>
	);
}

export function AssetDetail({ id, known, version, labels, newer, older, onChanged, onMove, onClose }: {
	id: string;
	known: Asset | undefined;
	version: DatasetVersion;
	labels: readonly string[];
	newer: string | null;
	older: string | null;
	onChanged: () => void;
	onMove: (id: string) => void;
	onClose: () => void;
}): JSX.Element {
	const [chosen, choose] = useState<Shape | null>(null);
	// Opened by its link, it may be on no page that is loaded.
	const one = useLoad(`asset of ${version.id} ${id} ${known !== undefined}`, async (signal) => known ?? (await learn.assets(version.id, { limit: 1, offset: 0, ids: [id], q: `id = "${id}"` }, signal)).items[0]);
	const asset = known ?? one.data;
	const shapes = useMemo(() => drawable(asset?.annotation?.shapes ?? [], labels), [asset, labels]);
	useEffect(() => choose(null), [id]);
	const onKey = (event: KeyboardEvent): void => {
		const target = event.key === 'ArrowLeft' ? newer : event.key === 'ArrowRight' ? older : null;
		if (!target || event.altKey || event.metaKey || event.ctrlKey) return;
		event.preventDefault();
		onMove(target);
	};
	const { annotation } = asset ?? {};
	return (
		<Dialog title={`Asset ${asset?.data.filename ?? ''}`} onClose={onClose} wide bare>
			<div class="detail" onKeyDown={onKey}>
				<div class="stage">
					{asset && <StagePicture key={asset.id} data={asset.data} shapes={shapes} chosen={chosen} scored={false} onHover={choose} />}
					{!asset && one.loading && <span class="spinner large" role="status" aria-label="Loading" />}
					<StageMoves newer={newer} older={older} onMove={onMove} />
				</div>
				<aside class="detail-side">
					<header>
						<div>
							<h2>{asset?.data.filename ?? (one.loading ? <Skeleton width={160} /> : 'No such asset')}</h2>
							<p class="muted">{version.origin_name} {version.version}</p>
						</div>
						<button type="button" class="bare" aria-label="Close" onClick={onClose}><Icon name="close" /></button>
					</header>
					{one.error !== null && <Failure error={one.error} what="This asset could not be read" onRetry={one.reload} />}
					{asset && (
						<>
							<a class={version.locked ? 'button' : 'button primary'} href={`/dataset/version/${version.id}/annotate?asset=${asset.id}`}><Icon name="edit" /><span>{version.locked ? 'Look at it in the annotator' : 'Annotate'}</span></a>
							<section>
								<h3>Shapes <span class="muted">{annotation ? shapes.length : 'not annotated'}</span></h3>
								{annotation && shapes.length === 0 && <p class="muted">Somebody said that there is nothing on it.</p>}
								<Shapes shapes={shapes} chosen={chosen} choose={choose} />
							</section>
							<section>
								<h3>About</h3>
								<dl class="facts">
									{annotation && <div><dt>Drawn</dt><dd title={exact(annotation.updated_at)}>{annotation.who ? `by ${annotation.who}, ` : ''}<Time at={annotation.updated_at} /></dd></div>}
									{annotation && <div><dt>Status</dt><dd>{annotation.status.toLowerCase()}</dd></div>}
									<div><dt>Used for</dt><dd><Use asset={asset} version={version} onChanged={() => { one.reload(); onChanged(); }} /></dd></div>
									<div><dt>Picture</dt><dd>{asset.data.meta.width} × {asset.data.meta.height} px, {asset.data.content_type.toLowerCase()}</dd></div>
									<div><dt>Asset</dt><dd><Copy text={asset.id} what="asset id"><code>{asset.id.slice(0, 8)}…{asset.id.slice(-4)}</code></Copy></dd></div>
									<div><dt>Data</dt><dd><Copy text={asset.data.id} what="data id"><code>{asset.data.id.slice(0, 8)}…{asset.data.id.slice(-4)}</code></Copy></dd></div>
								</dl>
								<a class="button" href={asset.data.presigned_url} target="_blank" rel="noopener"><Icon name="external" /><span>Open the picture alone</span></a>
							</section>
						</>
					)}
				</aside>
			</div>
		</Dialog>
	);
}
