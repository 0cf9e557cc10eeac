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
ALTER TABLE predicted_asset ADD COLUMN chosen_us INTEGER;   -- for review, by the queue; NULL: not
ALTER TABLE predicted_asset ADD COLUMN chosen_why TEXT;     -- random, unsure, outlier, newest, hand
ALTER TABLE predicted_asset ADD COLUMN chosen_weight REAL;  -- q of docs/internals/queue.md, from its first batch on
ALTER TABLE predicted_asset ADD COLUMN considered_from INTEGER; -- first batch that it was in
ALTER TABLE predicted_asset ADD COLUMN chance REAL;         -- with which it was chosen; NULL: by hand
ALTER TABLE predicted_asset ADD COLUMN burst_id BLOB;       -- pictures of one scene: the first of them
CREATE INDEX predicted_asset_status ON predicted_asset(deployment_id, status, created_us);
CREATE INDEX predicted_asset_chosen ON predicted_asset(deployment_id, chosen_us) WHERE chosen_us IS NOT NULL;
CREATE INDEX predicted_asset_burst ON predicted_asset(burst_id) WHERE burst_id IS NOT NULL;

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
	budget REAL NOT NULL,                -- pictures wanted
	pool INTEGER NOT NULL,               -- pictures that could be drawn
	weight_sum REAL NOT NULL,
	random_share REAL NOT NULL           -- 0…1
) STRICT;

CREATE TABLE review_settings (
	deployment_id BLOB PRIMARY KEY REFERENCES deployment(id) ON DELETE CASCADE,
	queue_order TEXT NOT NULL DEFAULT 'unsure', -- newest, unsure, outlier
	random_share REAL NOT NULL DEFAULT 0.3,
	guide TEXT NOT NULL DEFAULT '',
	labels_shown TEXT                    -- JSON list of names; NULL: all
) STRICT;
