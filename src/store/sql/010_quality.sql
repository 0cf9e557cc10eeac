-- SPDX-License-Identifier: Apache-2.0
-- Quality from reviews: shadows' predictions by position, so that those that came after a picture's review are found.

CREATE INDEX prediction_repeated ON prediction(deployment_id, position, is_shadow) WHERE is_shadow = 1;
