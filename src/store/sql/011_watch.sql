-- SPDX-License-Identifier: Apache-2.0
-- Watching: predictions whose image is gone, what failed, Training Data and its references, alerts, webhooks. What is worked out
-- of the log (roll-ups, scores) is in a file of its own, watch.db, that can be made again from here.

-- A prediction whose image was deleted, replaced or never kept: its numbers stay in the log, at its position.
CREATE TABLE gone_prediction (
	position INTEGER PRIMARY KEY,        -- the one it has, or had, in prediction
	id BLOB NOT NULL UNIQUE,
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	predicted_asset_id BLOB NOT NULL,    -- of an image that is no more
	model_version_id BLOB NOT NULL,
	is_shadow INTEGER NOT NULL,
	created_us INTEGER NOT NULL,
	threshold REAL NOT NULL,
	latency_us INTEGER NOT NULL,
	cpu_us INTEGER NOT NULL,
	steps_us TEXT NOT NULL,
	shape_count INTEGER NOT NULL,
	score_max REAL,
	shapes BLOB NOT NULL,
	features BLOB,
	image_stats TEXT NOT NULL,
	image_sign BLOB,
	source TEXT NOT NULL,
	width INTEGER NOT NULL,
	height INTEGER NOT NULL,
	gone_us INTEGER NOT NULL
) STRICT;
CREATE INDEX gone_prediction_champion ON gone_prediction(deployment_id, created_us, is_shadow, latency_us) WHERE is_shadow = 0;
CREATE INDEX gone_prediction_followed ON gone_prediction(deployment_id, position);
CREATE INDEX gone_prediction_asset ON gone_prediction(predicted_asset_id);

-- With the latency, so that a server that starts on a million predictions adds theirs up without reading the rows.
DROP INDEX prediction_champion;
CREATE INDEX prediction_champion ON prediction(deployment_id, created_us, is_shadow, latency_us) WHERE is_shadow = 0;

-- Requests that got no prediction, by minute: kept in memory for some seconds, then added here.
CREATE TABLE failure (
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	minute_us INTEGER NOT NULL,          -- Unix, the minute's beginning
	http_status INTEGER NOT NULL,        -- what was answered: 4xx refused, 5xx failed
	step TEXT NOT NULL,                  -- of serve/steps.def where it ended: "decode"
	count INTEGER NOT NULL,
	last_us INTEGER NOT NULL,
	last_text TEXT NOT NULL,             -- the sentence of the last one
	PRIMARY KEY (deployment_id, minute_us, http_status, step)
) STRICT, WITHOUT ROWID;

-- What drift and outliers of a deployment are measured against.
CREATE TABLE training_data (
	deployment_id BLOB PRIMARY KEY REFERENCES deployment(id) ON DELETE CASCADE,
	active INTEGER NOT NULL,             -- 0: disabled, and kept
	kind TEXT NOT NULL,                  -- DATASET: a dataset version; PRODUCTION: images the deployment saw
	dataset_version_id BLOB REFERENCES dataset_version(id) ON DELETE SET NULL,
	source TEXT,                         -- PRODUCTION: of this source alone; NULL: of all
	from_us INTEGER,                     -- PRODUCTION: from then on; NULL: from the first
	images_max INTEGER NOT NULL,
	set_us INTEGER NOT NULL,
	set_by TEXT NOT NULL
) STRICT;

-- Training Data as one model version sees it: made by a job, never changed. The newest READY one of (deployment, champion) counts.
CREATE TABLE reference (
	id BLOB PRIMARY KEY,
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	model_version_id BLOB NOT NULL,
	kind TEXT NOT NULL,
	dataset_version_id BLOB,
	revision INTEGER,                    -- of the dataset version
	source TEXT,
	status TEXT NOT NULL,                -- RUNNING, READY, FAILED
	job_id BLOB,
	images INTEGER NOT NULL,             -- rows of reference_image
	held_out INTEGER NOT NULL,           -- 1: none of them was trained on, as far as is known
	predicted INTEGER NOT NULL,          -- 1: with what the model says of them; 0: image statistics alone
	note TEXT,                           -- what is missing, as sentences
	outlier BLOB,                        -- the outlier model, packed (docs/internals/drift.md); NULL: none
	position INTEGER,                    -- READY: the log's end at that time
	from_us INTEGER,                     -- PRODUCTION: of its images
	to_us INTEGER,
	created_us INTEGER NOT NULL,
	ready_us INTEGER,
	error TEXT
) STRICT;
CREATE INDEX reference_deployment ON reference(deployment_id, model_version_id, created_us);

CREATE TABLE reference_image (
	reference_id BLOB NOT NULL REFERENCES reference(id) ON DELETE CASCADE,
	ordinal INTEGER NOT NULL,
	asset_id BLOB,                       -- DATASET: the asset; PRODUCTION: the predicted asset
	width INTEGER NOT NULL,
	height INTEGER NOT NULL,
	calibration INTEGER NOT NULL,        -- 1: not used for the outlier model's means, but for its ranks
	image_stats TEXT NOT NULL,           -- as in prediction
	shapes BLOB,                         -- as in prediction; NULL: not predicted
	features BLOB,
	PRIMARY KEY (reference_id, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert (
	id BLOB PRIMARY KEY,
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	kind TEXT NOT NULL,                  -- src/watch/alerts.def
	operator TEXT NOT NULL,              -- < <= = >= >; of a kind that is true or false: =
	value REAL NOT NULL,                 -- in the unit of the kind
	window_s INTEGER NOT NULL,           -- of the predictions it looks at; 0: not by window
	images_min INTEGER NOT NULL,         -- fewer in the window: no verdict
	label TEXT,                          -- of this label alone; NULL: all
	active INTEGER NOT NULL,
	created_us INTEGER NOT NULL,
	created_by TEXT NOT NULL
) STRICT;
CREATE INDEX alert_deployment ON alert(deployment_id, created_us);

-- That an alert fired. The key makes telling it twice one event: what is worked out again after a crash says the same.
CREATE TABLE alert_event (
	id BLOB PRIMARY KEY,
	alert_id BLOB NOT NULL REFERENCES alert(id) ON DELETE CASCADE,
	deployment_id BLOB NOT NULL,
	key TEXT NOT NULL,
	opened_us INTEGER NOT NULL,
	closed_us INTEGER,                   -- NULL: it still holds
	closed_by TEXT,                      -- a person, or "gyre": it holds no more
	sentence TEXT NOT NULL,
	detail TEXT NOT NULL,                -- JSON
	UNIQUE (alert_id, key)
) STRICT;
CREATE INDEX alert_event_deployment ON alert_event(deployment_id, opened_us);
CREATE INDEX alert_event_open ON alert_event(alert_id) WHERE closed_us IS NULL;
CREATE INDEX alert_event_alert ON alert_event(alert_id, opened_us);

CREATE TABLE webhook (
	id BLOB PRIMARY KEY,
	organization_id BLOB NOT NULL REFERENCES organization(id),
	name TEXT NOT NULL,
	url TEXT NOT NULL,
	secret TEXT NOT NULL,                -- signs what is sent, so it is kept as it is
	active INTEGER NOT NULL,
	created_us INTEGER NOT NULL,
	created_by TEXT NOT NULL,
	last_us INTEGER,
	last_status INTEGER,                 -- HTTP; 0: no answer
	last_error TEXT
) STRICT;

-- What is to be sent: written with the event, in one transaction.
CREATE TABLE webhook_delivery (
	id BLOB PRIMARY KEY,
	webhook_id BLOB NOT NULL REFERENCES webhook(id) ON DELETE CASCADE,
	event_id BLOB,                       -- NULL: a test
	body TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	next_us INTEGER,                     -- NULL: done, or given up
	http_status INTEGER,
	error TEXT,
	created_us INTEGER NOT NULL,
	done_us INTEGER
) STRICT;
CREATE INDEX webhook_delivery_due ON webhook_delivery(next_us) WHERE next_us IS NOT NULL;
CREATE INDEX webhook_delivery_webhook ON webhook_delivery(webhook_id, created_us);
