-- SPDX-License-Identifier: Apache-2.0
-- Ids are UUIDv7 in 16 bytes; times are Unix microseconds; JSON is text.

CREATE TABLE organization (
	id BLOB PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	connector_id BLOB NOT NULL,          -- the one object storage: gyre itself
	signing_key BLOB NOT NULL,           -- 32 random bytes: presigned URLs and JWTs
	created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE user_account (
	id BLOB PRIMARY KEY,
	organization_id BLOB NOT NULL REFERENCES organization(id),
	name TEXT NOT NULL UNIQUE,
	created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE api_token (
	id BLOB PRIMARY KEY,
	user_id BLOB NOT NULL REFERENCES user_account(id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	hash BLOB NOT NULL UNIQUE,           -- SHA-256 of the token (256 random bits: no salt needed)
	created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE browser_session (
	hash BLOB PRIMARY KEY,               -- SHA-256 of the cookie
	user_id BLOB NOT NULL REFERENCES user_account(id) ON DELETE CASCADE,
	created_us INTEGER NOT NULL,
	expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	at_us INTEGER NOT NULL,
	user_id BLOB,
	action TEXT NOT NULL,                -- "deployment.pause"
	object_id BLOB,
	detail TEXT                          -- JSON
) STRICT;

-- Object names are not content hashes: a name is pending until its bytes arrive.
CREATE TABLE object (
	name TEXT PRIMARY KEY,
	sha256 TEXT,                         -- NULL: pending
	content_type TEXT,
	size_bytes INTEGER,
	created_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX object_sha256 ON object(sha256);

CREATE TABLE datalake (
	id BLOB PRIMARY KEY,
	organization_id BLOB NOT NULL REFERENCES organization(id),
	name TEXT NOT NULL UNIQUE,
	created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE data_source (
	id BLOB PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE data (
	id BLOB PRIMARY KEY,
	datalake_id BLOB NOT NULL REFERENCES datalake(id),
	source_id BLOB REFERENCES data_source(id),
	object_name TEXT NOT NULL UNIQUE REFERENCES object(name),
	filename TEXT NOT NULL,
	content_type TEXT NOT NULL,
	width INTEGER NOT NULL,              -- pixels as shown
	height INTEGER NOT NULL,
	metadata TEXT,
	custom_metadata TEXT,
	created_us INTEGER NOT NULL
) STRICT;

CREATE INDEX data_datalake ON data(datalake_id, created_us, id);
CREATE INDEX data_filename ON data(datalake_id, filename);

CREATE TABLE model (
	id BLOB PRIMARY KEY,
	organization_id BLOB NOT NULL REFERENCES organization(id),
	name TEXT NOT NULL UNIQUE,
	description TEXT NOT NULL DEFAULT '',
	created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE model_version (
	id BLOB PRIMARY KEY,
	model_id BLOB NOT NULL REFERENCES model(id) ON DELETE CASCADE,
	version INTEGER NOT NULL,            -- from 0, by the server
	name TEXT NOT NULL,
	description TEXT NOT NULL DEFAULT '',
	type TEXT NOT NULL,                  -- wire name of the inference type
	framework TEXT NOT NULL,
	labels TEXT,                         -- {"0": "person", …}
	parameters TEXT,
	docker TEXT,                         -- {"docker_image", "docker_tag", "docker_flags", "docker_env_variables"}
	notebook_link TEXT,
	thumbnail_object_name TEXT,
	state TEXT NOT NULL DEFAULT 'EMPTY', -- EMPTY: no ONNX file yet; READY; REFUSED: inspected and not usable
	state_text TEXT,
	onnx_sha256 TEXT,
	recipe TEXT,                         -- task/recipe.h; given by a person before the file, or found from it
	graph TEXT,                          -- what inspection said, JSON
	created_us INTEGER NOT NULL,
	UNIQUE (model_id, version)
) STRICT;

CREATE TABLE model_file (
	id BLOB PRIMARY KEY,
	model_version_id BLOB NOT NULL REFERENCES model_version(id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	filename TEXT NOT NULL,
	object_name TEXT NOT NULL REFERENCES object(name),
	large INTEGER NOT NULL,
	created_us INTEGER NOT NULL,
	UNIQUE (model_version_id, name)
) STRICT;

CREATE INDEX model_file_object ON model_file(object_name);

CREATE TABLE tag (
	id BLOB PRIMARY KEY,
	name TEXT NOT NULL,
	target_type TEXT NOT NULL,
	scope_id BLOB NOT NULL,              -- datalake, dataset version or organization
	created_us INTEGER NOT NULL,
	UNIQUE (target_type, scope_id, name)
) STRICT;

CREATE TABLE tag_target (
	tag_id BLOB NOT NULL REFERENCES tag(id) ON DELETE CASCADE,
	target_id BLOB NOT NULL,
	PRIMARY KEY (tag_id, target_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_target_target ON tag_target(target_id);

CREATE TABLE deployment (
	id BLOB PRIMARY KEY,
	organization_id BLOB NOT NULL REFERENCES organization(id),
	name TEXT NOT NULL UNIQUE,
	type TEXT NOT NULL,
	champion_id BLOB NOT NULL REFERENCES model_version(id),
	champion_since_us INTEGER NOT NULL,
	serving INTEGER NOT NULL,            -- 0: predicted elsewhere, watched here
	threshold REAL NOT NULL,             -- 0…1
	sample_rate REAL NOT NULL DEFAULT 1,
	datalake_id BLOB NOT NULL REFERENCES datalake(id),
	paused_us INTEGER,                   -- NULL: serving
	paused_by TEXT,
	created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE deployment_event (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	at_us INTEGER NOT NULL,
	what TEXT NOT NULL,                  -- created, deployed, rolled_back, threshold, renamed, paused, resumed
	who TEXT NOT NULL,
	from_text TEXT,                      -- for a champion: the version's id as text
	to_text TEXT
) STRICT;
CREATE INDEX deployment_event_deployment ON deployment_event(deployment_id, position);

-- An image that a deployment saw.
CREATE TABLE predicted_asset (
	id BLOB PRIMARY KEY,
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	data_id BLOB NOT NULL REFERENCES data(id),
	status TEXT NOT NULL DEFAULT 'TO REVIEW',
	created_us INTEGER NOT NULL
) STRICT;
CREATE INDEX predicted_asset_deployment ON predicted_asset(deployment_id, created_us);
CREATE INDEX predicted_asset_data ON predicted_asset(data_id, deployment_id);

-- The log: append-only, followed by position.
CREATE TABLE prediction (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	id BLOB NOT NULL UNIQUE,
	deployment_id BLOB NOT NULL,
	predicted_asset_id BLOB NOT NULL REFERENCES predicted_asset(id) ON DELETE CASCADE,
	model_version_id BLOB NOT NULL,
	is_shadow INTEGER NOT NULL,
	created_us INTEGER NOT NULL,
	threshold REAL NOT NULL,             -- in force when it was answered
	latency_us INTEGER NOT NULL,         -- of the infer step
	cpu_us INTEGER NOT NULL,             -- of the run in the model's process
	steps_us TEXT NOT NULL,              -- {"decode": 5000, …}
	shape_count INTEGER NOT NULL,        -- above the floor
	score_max REAL,
	shapes BLOB NOT NULL,                -- packed: docs/internals/shapes.md
	features BLOB,                       -- half floats, little-endian
	image_stats TEXT NOT NULL,           -- {"brightness": …, "contrast": …, "blur": …}
	UNIQUE (predicted_asset_id, model_version_id)
) STRICT;
CREATE INDEX prediction_deployment ON prediction(deployment_id, created_us);

CREATE TABLE idempotency (
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	key TEXT NOT NULL,
	body_sha256 BLOB NOT NULL,
	prediction_id BLOB NOT NULL,
	created_us INTEGER NOT NULL,
	PRIMARY KEY (deployment_id, key)
) STRICT, WITHOUT ROWID;
