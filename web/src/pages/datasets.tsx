// SPDX-License-Identifier: Apache-2.0
// All datasets, each with a picture of its newest version. A folder dropped here becomes one.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { learn, type Dataset, type DatasetType } from '../api/learn';
import type { Session } from '../api/types';
import { sentence } from '../lib/explain';
import { sortLabelled, type Found } from '../lib/folder';
import { count, plural } from '../lib/format';
import { Button, Empty, Failure, Segments, Skeleton, Time } from '../parts/basics';
import { Dialog } from '../parts/dialog';
import { hand } from '../parts/dataset_handover';
import { ChooseButton, DropCover } from '../parts/files';
import { Filter } from '../parts/filter';
import { useTitle } from '../parts/hooks';
import { Icon } from '../parts/icons';
import { Pager } from '../parts/pager';
import { useDropped } from '../parts/use_dropped';
import { useList } from '../parts/use_list';
import { navigate } from '../router';

const TYPES: readonly (readonly [DatasetType, string])[] = [['OBJECT_DETECTION', 'Boxes'], ['SEGMENTATION', 'Regions'], ['CLASSIFICATION', 'Classes']];

const MEANS: Partial<Record<DatasetType, string>> = {
	OBJECT_DETECTION: 'A box around each object, for detection.',
	SEGMENTATION: 'The outline of each object, for segmentation.',
	CLASSIFICATION: 'Nothing: each picture as a whole gets one label.',
};

/** The first folder of a path: what people call their data. */
const folderName = (found: readonly Found[]): string => {
	const [top] = found[0]?.path.split('/') ?? [];
	return found[0]?.path.includes('/') && top ? top : '';
};

function NewDataset({ session, found, onClose }: { session: Session; found: readonly Found[]; onClose: () => void }): JSX.Element {
	const [name, setName] = useState(folderName(found));
	const [type, setType] = useState<DatasetType>('OBJECT_DETECTION');
	const [error, setError] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const { pictures, annotations } = sortLabelled(found);
	const create = async (event: Event): Promise<void> => {
		event.preventDefault();
		if (!name.trim()) return setError('A dataset needs a name.');
		setBusy(true);
		try {
			const dataset = await learn.createDataset(session.organization.id, name.trim(), '');
			const version = await learn.createVersion(dataset.id, { version: 'v1', type });
			hand(version.id, found);
			navigate(`/dataset/version/${version.id}`);
		} catch (failure) {
			setError(sentence(failure));
			setBusy(false);
		}
		return undefined;
	};
	return (
		<Dialog title="New dataset" onClose={onClose}>
			<form onSubmit={create}>
				<div class="dialog-text">
					{pictures.length > 0 && <p>{plural(pictures.length, 'picture')} and {plural(annotations.length, 'annotation file')} will be imported into its first version.</p>}
					<label class="field">Name
						<input class="input" autoFocus value={name} maxLength={100} autoComplete="off" spellcheck={false} aria-invalid={error !== null} onInput={(event) => setName(event.currentTarget.value)} />
					</label>
					<div class="field"><span class="field-name">What is drawn on its pictures</span>
						<Segments name="dataset-type" legend="What is drawn on its pictures" value={type} choices={TYPES} onChoose={setType} />
						<small class="muted">{MEANS[type]}</small>
					</div>
					{error && <p class="form-error" role="alert">{error}</p>}
				</div>
				<footer class="dialog-foot"><Button onClick={onClose}>Cancel</Button><Button type="submit" kind="primary" busy={busy}>Create</Button></footer>
			</form>
		</Dialog>
	);
}

function Card({ dataset }: { dataset: Dataset }): JSX.Element {
	return (
		<li>
			<a class="dataset-card panel" href={`/dataset/${dataset.id}`}>
				<span class="dataset-cover">{dataset.cover ? <img src={dataset.cover} alt="" loading="lazy" decoding="async" /> : <Icon name="picture" size={26} />}</span>
				<span class="dataset-words">
					<strong>{dataset.name}</strong>
					<span class="muted">{plural(dataset.assets, 'image')} · {plural(dataset.versions, 'version')}</span>
					<span class="muted">created <Time at={dataset.created_at} /></span>
				</span>
			</a>
		</li>
	);
}

function NoDatasets({ onCreate, onFound }: { onCreate: () => void; onFound: (found: readonly Found[]) => void }): JSX.Element {
	return (
		<Empty title="No datasets yet">
			<p>A dataset is pictures with what people drew on them. A deployment’s corrected predictions go into one, and models are trained and measured on one.</p>
			<ol class="steps">
				<li>
					<h3>Drop a folder anywhere on this page</h3>
					<p class="muted">Pictures with their COCO, Pascal VOC or YOLO annotations, or bare pictures, to be labelled here.</p>
					<p><ChooseButton folder icon="upload" onFound={onFound}>Choose a folder</ChooseButton></p>
				</li>
				<li>
					<h3>Or begin with an empty one</h3>
					<p class="muted">The Feedback Loop of a deployment can fill it.</p>
					<p><Button kind="primary" icon="plus" onClick={onCreate}>New dataset</Button></p>
				</li>
			</ol>
		</Empty>
	);
}

export function DatasetsPage({ session }: { session: Session }): JSX.Element {
	const list = useList('datasets', (limit, offset, signal) => learn.datasets(session.organization.id, limit, offset, signal));
	const [making, setMaking] = useState<readonly Found[] | null>(null);
	const over = useDropped(setMaking);
	useTitle('Datasets');
	return (
		<>
			<header class="page-head">
				<h1>Datasets{list.total > 0 && <span class="count">{count(list.total)}</span>}</h1>
				<div class="page-tools">
					{list.filterable && <Filter value={list.wanted} what="datasets" onInput={list.setWanted} />}
					<Button kind="primary" icon="plus" onClick={() => setMaking([])}>New dataset</Button>
				</div>
			</header>
			{list.error !== null && <Failure error={list.error} what="The datasets could not be read" onRetry={list.reload} />}
			{list.empty ? <NoDatasets onCreate={() => setMaking([])} onFound={setMaking} /> : (list.items || list.loading) && (
				<>
					<ul class="dataset-cards" aria-busy={!list.items}>
						{list.items ? list.items.map((d) => <Card key={d.id} dataset={d} />) : [0, 1, 2].map((i) => (
							<li key={i}><div class="dataset-card panel"><span class="dataset-cover" /><span class="dataset-words"><Skeleton width="60%" /><Skeleton width="80%" height={10} /></span></div></li>
						))}
					</ul>
					{list.items?.length === 0 && <p class="no-match">No dataset has “{list.wanted}” in its name.</p>}
					{list.items && !list.wanted && <Pager page={list.page} count={list.total} />}
				</>
			)}
			<DropCover over={over}>Drop a folder to make a dataset of it</DropCover>
			{making && <NewDataset session={session} found={making} onClose={() => setMaking(null)} />}
		</>
	);
}

