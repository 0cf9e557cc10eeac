-- SPDX-License-Identifier: Apache-2.0
-- Where a model version comes from: the version whose file it runs by another recipe.

ALTER TABLE model_version ADD COLUMN based_on_id BLOB REFERENCES model_version(id) ON DELETE SET NULL;
CREATE INDEX model_version_based_on ON model_version(based_on_id) WHERE based_on_id IS NOT NULL;
