-- SPDX-License-Identifier: Apache-2.0
-- The Feedback Loop: reviews become assets of dataset versions.

CREATE TABLE feedback (
	deployment_id BLOB PRIMARY KEY REFERENCES deployment(id) ON DELETE CASCADE,
	active INTEGER NOT NULL,
	submit_by_itself INTEGER NOT NULL DEFAULT 1,
	submit_after_s INTEGER NOT NULL DEFAULT 600,
	evaluation_share REAL NOT NULL DEFAULT 0.2, -- of bursts, kept to measure with
	created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE feedback_target (
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	dataset_version_id BLOB NOT NULL REFERENCES dataset_version(id) ON DELETE CASCADE,
	since_us INTEGER NOT NULL,
	PRIMARY KEY (deployment_id, dataset_version_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX feedback_target_version ON feedback_target(dataset_version_id);

-- What a label of the deployment is called in its dataset versions.
CREATE TABLE feedback_label (
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	label TEXT NOT NULL,
	action TEXT NOT NULL,                -- keep, rename, drop, new
	to_name TEXT,                        -- rename, new
	PRIMARY KEY (deployment_id, label)
) STRICT, WITHOUT ROWID;

-- What was submitted where, so that it is there once and can be taken back.
CREATE TABLE feedback_asset (
	predicted_asset_id BLOB NOT NULL REFERENCES predicted_asset(id) ON DELETE CASCADE,
	dataset_version_id BLOB NOT NULL REFERENCES dataset_version(id) ON DELETE CASCADE,
	asset_id BLOB NOT NULL REFERENCES asset(id) ON DELETE CASCADE,
	review_id BLOB NOT NULL,
	created_asset INTEGER NOT NULL,      -- 1: the submission put the image there, and withdrawing takes it away
	annotation_id BLOB NOT NULL,         -- that the submission made; those from before stay below it
	PRIMARY KEY (predicted_asset_id, dataset_version_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX feedback_asset_asset ON feedback_asset(asset_id);

-- A picture whose submission was taken back goes again when it was reviewed again, or by hand.
ALTER TABLE predicted_asset ADD COLUMN withdrawn_review_id BLOB;

-- The looks of a picture, of its champion's prediction: docs/internals/bursts.md. NULL: not known.
ALTER TABLE prediction ADD COLUMN image_sign BLOB;

-- The side of a burst, decided when its first picture was submitted, and for good.
CREATE TABLE burst_side (
	burst_id BLOB PRIMARY KEY,
	evaluation INTEGER NOT NULL          -- 1: to measure with only
) STRICT, WITHOUT ROWID;

-- Pictures that are in no burst yet.
CREATE INDEX predicted_asset_alone ON predicted_asset(deployment_id, created_us, id) WHERE burst_id IS NULL;
