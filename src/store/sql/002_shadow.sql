-- SPDX-License-Identifier: Apache-2.0
-- Shadows: model versions that follow a deployment's log and predict again what its champion predicted.

CREATE TABLE deployment_shadow (
	id BLOB PRIMARY KEY,                 -- of this following: a version that is removed and set again gets another
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	model_version_id BLOB NOT NULL REFERENCES model_version(id),
	since_us INTEGER NOT NULL,
	position INTEGER NOT NULL,           -- in the log, up to which it has predicted or skipped
	predictions INTEGER NOT NULL,        -- stored by it
	compared INTEGER NOT NULL,           -- those of images that the present champion predicted
	cpu_us INTEGER NOT NULL,             -- of its runs on these
	champion_cpu_us INTEGER NOT NULL,    -- of the champion's runs on these
	skipped INTEGER NOT NULL,            -- images that were gone, could not be read, or made the model fail
	skipped_text TEXT,                   -- why the last one was
	UNIQUE (deployment_id, model_version_id)
) STRICT;
CREATE INDEX deployment_shadow_version ON deployment_shadow(model_version_id);

-- 1: a shadow's prediction that a client asked for and was given; asked for again it is a conflict.
ALTER TABLE prediction ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;

-- Champions' predictions alone: by time for pages and charts, by position for who follows the log. With is_shadow, counting reads
-- nothing but the index.
DROP INDEX prediction_deployment;
CREATE INDEX prediction_champion ON prediction(deployment_id, created_us, is_shadow) WHERE is_shadow = 0;
CREATE INDEX prediction_followed ON prediction(deployment_id, position, is_shadow) WHERE is_shadow = 0;
