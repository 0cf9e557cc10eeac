-- SPDX-License-Identifier: Apache-2.0
-- Datasets: versions of labelled selections of data.

CREATE TABLE dataset (
	id BLOB PRIMARY KEY,
	organization_id BLOB NOT NULL REFERENCES organization(id),
	name TEXT NOT NULL UNIQUE,
	description TEXT NOT NULL DEFAULT '',
	created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE dataset_version (
	id BLOB PRIMARY KEY,
	dataset_id BLOB NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
	version TEXT NOT NULL,               -- its name
	description TEXT NOT NULL DEFAULT '',
	type TEXT NOT NULL,                  -- wire name of the inference type
	forked_from_id BLOB REFERENCES dataset_version(id) ON DELETE SET NULL,
	revision INTEGER NOT NULL DEFAULT 0, -- one more with each change of its labels, assets or annotations
	locked_us INTEGER,                   -- NULL: it may be changed
	locked_hash TEXT,                    -- of its manifest, when it was locked
	created_us INTEGER NOT NULL,
	UNIQUE (dataset_id, version)
) STRICT;

CREATE TABLE label_group (
	id BLOB PRIMARY KEY,
	dataset_version_id BLOB NOT NULL REFERENCES dataset_version(id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	parent_id BLOB REFERENCES label_group(id) ON DELETE CASCADE,
	created_us INTEGER NOT NULL,
	UNIQUE (dataset_version_id, name)
) STRICT;

CREATE TABLE label (
	id BLOB PRIMARY KEY,
	dataset_version_id BLOB NOT NULL REFERENCES dataset_version(id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	group_id BLOB REFERENCES label_group(id) ON DELETE SET NULL,
	position INTEGER NOT NULL,           -- in order of creation, from 0: the class index of exports
	skeleton TEXT,                       -- JSON {"vertices": [name, …], "edges": [[from, to], …]}, or NULL
	created_us INTEGER NOT NULL,
	UNIQUE (dataset_version_id, name)
) STRICT;

CREATE TABLE asset (
	id BLOB PRIMARY KEY,
	dataset_version_id BLOB NOT NULL REFERENCES dataset_version(id) ON DELETE CASCADE,
	data_id BLOB NOT NULL REFERENCES data(id),
	evaluation INTEGER NOT NULL DEFAULT 0, -- 1: to measure with only; in no export for training
	created_us INTEGER NOT NULL,
	UNIQUE (dataset_version_id, data_id)
) STRICT;
CREATE INDEX asset_version ON asset(dataset_version_id, created_us, id);
CREATE INDEX asset_data ON asset(data_id);

CREATE TABLE annotation (
	id BLOB PRIMARY KEY,
	asset_id BLOB NOT NULL REFERENCES asset(id) ON DELETE CASCADE,
	status TEXT NOT NULL DEFAULT 'PENDING', -- PENDING, SKIPPED, ACCEPTED, REFUSED
	duration REAL NOT NULL DEFAULT 0,    -- seconds that a person took
	who TEXT NOT NULL,
	client_id TEXT,                      -- of the operation that saved it last, so that a repeated one is known
	revision INTEGER NOT NULL DEFAULT 1, -- one more with each save of its shapes
	created_us INTEGER NOT NULL,
	updated_us INTEGER NOT NULL
) STRICT;
CREATE INDEX annotation_asset ON annotation(asset_id, created_us);

CREATE TABLE annotation_shape (
	id BLOB PRIMARY KEY,
	annotation_id BLOB NOT NULL REFERENCES annotation(id) ON DELETE CASCADE,
	position INTEGER NOT NULL,           -- in its annotation, from 0
	kind TEXT NOT NULL,                  -- RECTANGLE, POLYGON, CLASSIFICATION, LINE, POINT, KEYPOINTS
	label_id BLOB NOT NULL REFERENCES label(id) ON DELETE CASCADE,
	x REAL, y REAL, w REAL, h REAL,      -- RECTANGLE: pixels of the image as shown; POLYGON: its bounds
	points TEXT,                         -- JSON: POLYGON, LINE [[x, y], …]; POINT [x, y]; KEYPOINTS [[x, y, v], …]; a
	                                     -- polygon of several parts is {"rings": [[[x, y], …], …]}
	area REAL,                           -- square pixels as annotated; NULL: that of the shape
	flags INTEGER NOT NULL DEFAULT 0,    -- 1: COCO's crowd, 2: VOC's difficult, 4: the box of a polygon is as annotated
	text TEXT
) STRICT;
CREATE INDEX annotation_shape_annotation ON annotation_shape(annotation_id, position);
CREATE INDEX annotation_shape_label ON annotation_shape(label_id);
