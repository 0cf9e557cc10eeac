-- SPDX-License-Identifier: Apache-2.0
-- Projects and experiments: where trainings live, and what each had and said.

CREATE TABLE project (
	id BLOB PRIMARY KEY,
	organization_id BLOB NOT NULL REFERENCES organization(id),
	name TEXT NOT NULL UNIQUE,
	description TEXT NOT NULL DEFAULT '',
	created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE project_dataset (
	project_id BLOB NOT NULL REFERENCES project(id) ON DELETE CASCADE,
	dataset_version_id BLOB NOT NULL REFERENCES dataset_version(id) ON DELETE CASCADE,
	PRIMARY KEY (project_id, dataset_version_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX project_dataset_version ON project_dataset(dataset_version_id);

CREATE TABLE experiment (
	id BLOB PRIMARY KEY,
	project_id BLOB NOT NULL REFERENCES project(id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	description TEXT NOT NULL DEFAULT '',
	status TEXT NOT NULL DEFAULT 'WAITING', -- RUNNING, CANCELED, TERMINATED, FAILED, WAITING, SUCCESS
	base_model_version_id BLOB REFERENCES model_version(id) ON DELETE SET NULL,
	base_experiment_id BLOB REFERENCES experiment(id) ON DELETE SET NULL,
	logging_object_name TEXT,            -- the whole console, as a file
	created_us INTEGER NOT NULL,
	UNIQUE (project_id, name)
) STRICT;
CREATE INDEX experiment_logging ON experiment(logging_object_name) WHERE logging_object_name IS NOT NULL;
CREATE INDEX experiment_base ON experiment(base_model_version_id) WHERE base_model_version_id IS NOT NULL;
CREATE INDEX experiment_base_experiment ON experiment(base_experiment_id) WHERE base_experiment_id IS NOT NULL;

-- A dataset version in a role: "train", "test". What it was at that moment stays known.
CREATE TABLE experiment_dataset (
	experiment_id BLOB NOT NULL REFERENCES experiment(id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	dataset_version_id BLOB NOT NULL REFERENCES dataset_version(id) ON DELETE CASCADE,
	revision INTEGER NOT NULL,           -- of the version, when it was attached
	PRIMARY KEY (experiment_id, name),
	UNIQUE (experiment_id, dataset_version_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX experiment_dataset_version ON experiment_dataset(dataset_version_id);

CREATE TABLE experiment_log (
	id BLOB PRIMARY KEY,
	experiment_id BLOB NOT NULL REFERENCES experiment(id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	type TEXT NOT NULL,                  -- VALUE, IMAGE, LINE, TABLE, BAR, HEATMAP, LABELMAP, EVALUATION
	data TEXT NOT NULL,                  -- JSON; a LINE is a list that grows
	created_us INTEGER NOT NULL,
	UNIQUE (experiment_id, name)
) STRICT;

CREATE TABLE artifact (
	id BLOB PRIMARY KEY,
	experiment_id BLOB NOT NULL REFERENCES experiment(id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	filename TEXT NOT NULL,
	object_name TEXT NOT NULL REFERENCES object(name),
	large INTEGER NOT NULL,
	created_us INTEGER NOT NULL,
	UNIQUE (experiment_id, name)
) STRICT;
CREATE INDEX artifact_object ON artifact(object_name);

-- The console of an experiment, line by line.
CREATE TABLE experiment_line (
	experiment_id BLOB NOT NULL REFERENCES experiment(id) ON DELETE CASCADE,
	line INTEGER NOT NULL,
	entry TEXT NOT NULL,                 -- JSON: {"log", "part", "final", "special"}
	PRIMARY KEY (experiment_id, line)
) STRICT, WITHOUT ROWID;

-- What an experiment's model answered on an asset.
CREATE TABLE evaluation (
	id BLOB PRIMARY KEY,
	experiment_id BLOB NOT NULL REFERENCES experiment(id) ON DELETE CASCADE,
	asset_id BLOB NOT NULL REFERENCES asset(id) ON DELETE CASCADE,
	shapes TEXT NOT NULL,                -- JSON: [{"type", …, "label_id", "score"}, …]
	created_us INTEGER NOT NULL,
	UNIQUE (experiment_id, asset_id)
) STRICT;
CREATE INDEX evaluation_asset ON evaluation(asset_id);

ALTER TABLE model_version ADD COLUMN experiment_id BLOB REFERENCES experiment(id) ON DELETE SET NULL;
CREATE INDEX model_version_experiment ON model_version(experiment_id) WHERE experiment_id IS NOT NULL;
