/* SPDX-License-Identifier: Apache-2.0 */
#include "store/detectors_rows.h"

enum status detectors_rows_put(struct db_conn *c, const struct detectors_row *row, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO detectors (deployment_id, reference_id, threshold, position, state)"
			    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (deployment_id) DO UPDATE SET"
			    " reference_id = excluded.reference_id, threshold = excluded.threshold,"
			    " position = excluded.position, state = excluded.state");
	db_bind_uuid(&q, row->deployment_id);
	db_bind_uuid(&q, row->reference_id);
	db_bind_real(&q, row->threshold);
	db_bind_integer(&q, row->position);
	db_bind_blob(&q, row->state);
	return db_done(&q, err);
}

enum status detectors_rows_get(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct detectors_row *out, bool *found, struct err *err)
{
	struct db_query q = db_query(
		c, "SELECT reference_id, threshold, position, state FROM detectors WHERE deployment_id = $1");
	db_bind_uuid(&q, deployment_id);
	*found = db_next(&q);
	if (*found)
		*out = (struct detectors_row){
			.deployment_id = deployment_id,
			.reference_id = db_uuid(&q, 0),
			.threshold = db_real(&q, 1),
			.position = db_integer(&q, 2),
			.state = db_blob(&q, 3, a),
		};
	return db_done(&q, err);
}
