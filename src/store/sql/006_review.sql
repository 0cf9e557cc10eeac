-- SPDX-License-Identifier: Apache-2.0
-- Reviews: what people say of what deployments saw. Rows are never changed; the last of a picture counts.

CREATE TABLE review (
	position INTEGER PRIMARY KEY AUTOINCREMENT, -- the log of reviews, followed by position
	id BLOB NOT NULL UNIQUE,
	predicted_asset_id BLOB NOT NULL REFERENCES predicted_asset(id) ON DELETE CASCADE,
	deployment_id BLOB NOT NULL,
	kind TEXT NOT NULL,                  -- CORRECTED, ACCEPTED, NOTHING (there is nothing on it), SKIPPED, UNDONE
	reason TEXT,                         -- SKIPPED
	shapes TEXT NOT NULL,                -- JSON: [{"type": "rectangle", "x", "y", "w", "h", "label"}, …], labels by name
	prediction_id BLOB,                  -- what was shown; NULL: unknown, or gone
	client_id TEXT,                      -- of the operation, so that a repeated save is the same review
	who TEXT NOT NULL,
	user_id BLOB,
	seconds REAL,                        -- that it took
	keys INTEGER,                        -- key strokes and clicks
	created_us INTEGER NOT NULL,
	UNIQUE (predicted_asset_id, client_id)
) STRICT;
CREATE INDEX review_asset ON review(predicted_asset_id, position);
CREATE INDEX review_deployment ON review(deployment_id, position);
CREATE INDEX review_who ON review(user_id, created_us);

-- predicted_asset.status: TO REVIEW, REVIEWED, SUBMITTED, SKIPPED.
ALTER TABLE predicted_asset ADD COLUMN review_id BLOB;      -- the one that counts; NULL: none
ALTER TABLE predicted_asset ADD COLUMN reviewed_us INTEGER;
ALTER TABLE predicted_asset ADD COLUMN submitted_us INTEGER;
ALTER TABLE predicted_asset ADD COLUMN revision INTEGER NOT NULL DEFAULT 0; -- counts drafts and reviews: what a save builds on
-- What the queue and the filters know of the champion's answer: docs/internals/queue.md. NULL until the log was read that far.
ALTER TABLE predicted_asset ADD COLUMN position INTEGER;    -- of the answer in the log
ALTER TABLE predicted_asset ADD COLUMN version_id BLOB;     -- that answered
ALTER TABLE predicted_asset ADD COLUMN score REAL;          -- its best one
ALTER TABLE predicted_asset ADD COLUMN shape_count INTEGER; -- above the floor
ALTER TABLE predicted_asset ADD COLUMN unsure REAL;         -- 0…1
ALTER TABLE predicted_asset ADD COLUMN outlier REAL;        -- 0…1
ALTER TABLE predicted_asset ADD COLUMN considered_from INTEGER; -- first batch that it could be in
ALTER TABLE predicted_asset ADD COLUMN chosen_us INTEGER;   -- for review, by the queue; NULL: not
ALTER TABLE predicted_asset ADD COLUMN chosen_why TEXT;     -- random, unsure, outlier, newest
ALTER TABLE predicted_asset ADD COLUMN chosen_batch INTEGER;
ALTER TABLE predicted_asset ADD COLUMN chosen_order INTEGER; -- in which they are shown: a hash
ALTER TABLE predicted_asset ADD COLUMN chance REAL;         -- of being chosen by then; NULL: not by the queue
ALTER TABLE predicted_asset ADD COLUMN burst_id BLOB;       -- pictures of one scene: the first of them
-- With the id, pages are cut on the index alone.
DROP INDEX predicted_asset_deployment;
CREATE INDEX predicted_asset_deployment ON predicted_asset(deployment_id, created_us, id);
CREATE INDEX predicted_asset_status ON predicted_asset(deployment_id, status, created_us, id);
CREATE INDEX predicted_asset_score ON predicted_asset(deployment_id, score) WHERE score IS NOT NULL;
CREATE INDEX predicted_asset_shapes ON predicted_asset(deployment_id, shape_count) WHERE shape_count IS NOT NULL;
CREATE INDEX predicted_asset_chosen ON predicted_asset(deployment_id, chosen_us) WHERE chosen_us IS NOT NULL;
CREATE INDEX predicted_asset_queue ON predicted_asset(deployment_id, chosen_order) WHERE chosen_us IS NOT NULL AND status = 'TO REVIEW';
CREATE INDEX predicted_asset_burst ON predicted_asset(burst_id) WHERE burst_id IS NOT NULL;

-- How far a deployment's log was read for the above, and how its images look on the whole.
CREATE TABLE review_digest (
	deployment_id BLOB PRIMARY KEY REFERENCES deployment(id) ON DELETE CASCADE,
	position INTEGER NOT NULL,
	stats TEXT NOT NULL                  -- JSON: of brightness, contrast and blur, [n, mean, sum of squares about it] each
) STRICT;

-- Which labels an answer has, and up to which threshold.
CREATE TABLE predicted_label_name (
	id INTEGER PRIMARY KEY,
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	UNIQUE (deployment_id, name)
) STRICT;
CREATE TABLE predicted_label (
	label_id INTEGER NOT NULL REFERENCES predicted_label_name(id) ON DELETE CASCADE,
	position INTEGER NOT NULL,           -- of the answer in the log
	score REAL NOT NULL,                 -- the best one; of the class that is always answered 1
	PRIMARY KEY (label_id, position)
) STRICT, WITHOUT ROWID;

-- The work on a picture that is not saved as a review yet.
CREATE TABLE review_draft (
	predicted_asset_id BLOB PRIMARY KEY REFERENCES predicted_asset(id) ON DELETE CASCADE,
	revision INTEGER NOT NULL,
	shapes TEXT NOT NULL,
	client_id TEXT NOT NULL,             -- of the last operation
	who TEXT NOT NULL,
	updated_us INTEGER NOT NULL
) STRICT;

-- A picture is before one person at a time.
CREATE TABLE review_lease (
	predicted_asset_id BLOB PRIMARY KEY REFERENCES predicted_asset(id) ON DELETE CASCADE,
	deployment_id BLOB NOT NULL,
	client TEXT NOT NULL,                -- of the browser's tab
	user_id BLOB NOT NULL,
	who TEXT NOT NULL,
	until_us INTEGER NOT NULL
) STRICT;
CREATE INDEX review_lease_until ON review_lease(deployment_id, until_us);

-- A draw of pictures for review: chances follow from these rows and a picture's weight.
CREATE TABLE review_batch (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	at_us INTEGER NOT NULL,
	queue_order TEXT NOT NULL,           -- newest, unsure, outlier: which weight counts
	budget REAL NOT NULL,                -- pictures wanted
	pool INTEGER NOT NULL,               -- pictures that could be drawn
	weight_sum REAL NOT NULL,
	random_share REAL NOT NULL           -- 0…1
) STRICT;
CREATE INDEX review_batch_deployment ON review_batch(deployment_id, position);

CREATE TABLE review_settings (
	deployment_id BLOB PRIMARY KEY REFERENCES deployment(id) ON DELETE CASCADE,
	queue_order TEXT NOT NULL DEFAULT 'unsure', -- newest, unsure, outlier
	random_share REAL NOT NULL DEFAULT 0.3,
	guide TEXT NOT NULL DEFAULT '',
	labels_shown TEXT                    -- JSON list of names; NULL: all
) STRICT;
