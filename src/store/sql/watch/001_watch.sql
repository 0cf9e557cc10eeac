-- SPDX-License-Identifier: Apache-2.0
-- watch.db: what is worked out of the log of predictions. Nothing here is the truth: another schema than this binary's, or a log that
-- is not the one followed, and the file is made anew.

CREATE TABLE tail (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	position INTEGER NOT NULL            -- of the log: everything up to it is in the roll-ups, once
) STRICT;

-- What this file is made of: watch/watch_file.h.
CREATE TABLE made (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	form TEXT NOT NULL,                  -- a hash of this schema and of the forms of what is packed
	position INTEGER NOT NULL,           -- of a prediction that was counted; 0: none yet
	prediction_id BLOB                   -- its id: another one there means that this is of another log
) STRICT;

-- watch/summary.h, packed. source '': all sources together.
CREATE TABLE rollup (
	deployment_id BLOB NOT NULL,
	view INTEGER NOT NULL,               -- 0: as answered; 1: at the threshold of recut
	level_s INTEGER NOT NULL,            -- 60, 3600, 86400
	source TEXT NOT NULL,
	start_us INTEGER NOT NULL,           -- Unix, a multiple of the level, UTC
	version_id BLOB NOT NULL,
	is_shadow INTEGER NOT NULL,
	summary BLOB NOT NULL,
	PRIMARY KEY (deployment_id, view, level_s, source, start_us, version_id, is_shadow)
) STRICT, WITHOUT ROWID;

-- watch/heat.h, packed: where shapes of a label were, a day. Champions' alone.
CREATE TABLE heat (
	deployment_id BLOB NOT NULL,
	view INTEGER NOT NULL,
	source TEXT NOT NULL,
	start_us INTEGER NOT NULL,           -- of the day
	version_id BLOB NOT NULL,
	label INTEGER NOT NULL,              -- index into the version's labels
	grid BLOB NOT NULL,
	PRIMARY KEY (deployment_id, view, source, start_us, version_id, label)
) STRICT, WITHOUT ROWID;

-- The first 64 sources of a deployment have roll-ups of their own, the rest is "other".
CREATE TABLE source (
	deployment_id BLOB NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY (deployment_id, name)
) STRICT, WITHOUT ROWID;

-- The champions' predictions with the smallest hashes of each day, at most 5,000: a sample of any range of days.
CREATE TABLE sample (
	deployment_id BLOB NOT NULL,
	start_us INTEGER NOT NULL,           -- of the day
	hash INTEGER NOT NULL,               -- of the prediction's id
	position INTEGER NOT NULL,
	created_us INTEGER NOT NULL,
	PRIMARY KEY (deployment_id, start_us, hash)
) STRICT, WITHOUT ROWID;

-- Of each day's sample: how many, and the largest hash. A full one was cut there.
CREATE TABLE sample_day (
	deployment_id BLOB NOT NULL,
	start_us INTEGER NOT NULL,
	kept INTEGER NOT NULL,
	largest INTEGER NOT NULL,
	PRIMARY KEY (deployment_id, start_us)
) STRICT, WITHOUT ROWID;

-- Roll-ups at a threshold that is not the one things were answered with: which, and how far in the log.
CREATE TABLE recut (
	deployment_id BLOB PRIMARY KEY,
	threshold REAL NOT NULL,
	position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The sequential detectors, packed: watch/detectors.h.
CREATE TABLE detectors (
	deployment_id BLOB PRIMARY KEY,
	reference_id BLOB NOT NULL,
	threshold REAL NOT NULL,
	position INTEGER NOT NULL,
	state BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- How unusual each of the champion's images is.
CREATE TABLE outlier (
	deployment_id BLOB NOT NULL,
	position INTEGER NOT NULL,
	reference_id BLOB NOT NULL,
	version_id BLOB NOT NULL,
	prediction_id BLOB NOT NULL,
	predicted_asset_id BLOB NOT NULL,
	source TEXT NOT NULL,
	created_us INTEGER NOT NULL,
	score REAL NOT NULL,                 -- 0: as usual as can be; 1 and more: an outlier
	rank REAL NOT NULL,                  -- the share of reference images that are as unusual: (0, 1]
	PRIMARY KEY (deployment_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX outlier_created ON outlier(deployment_id, created_us);
CREATE INDEX outlier_rank ON outlier(deployment_id, rank, created_us);
