/* SPDX-License-Identifier: Apache-2.0 */
#include "store/review_draft_rows.h"

enum status review_draft_rows_read(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct review_draft_row *out, bool *found, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT revision, shapes, client_id, who, updated_us FROM review_draft"
			    " WHERE predicted_asset_id = $1");
	db_bind_uuid(&q, predicted_asset_id);
	*found = db_next(&q);
	if (*found)
		*out = (struct review_draft_row){
			.predicted_asset_id = predicted_asset_id,
			.revision = db_integer(&q, 0),
			.shapes = db_text(&q, 1, a),
			.client_id = db_text(&q, 2, a),
			.who = db_text(&q, 3, a),
			.updated_us = db_integer(&q, 4),
		};
	return db_done(&q, err);
}

enum status review_draft_rows_save(struct db_conn *c, struct review_draft_row *row, struct err *err)
{
	struct db_query q = db_query(
		c, "UPDATE predicted_asset SET revision = revision + 1 WHERE id = $1 RETURNING revision");
	db_bind_uuid(&q, row->predicted_asset_id);
	TRY(rows_number(&q, &row->revision, err));
	q = db_query(c,
		"INSERT INTO review_draft (predicted_asset_id, revision, shapes, client_id, who, updated_us)"
		" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (predicted_asset_id) DO UPDATE SET"
		" revision = $2, shapes = $3, client_id = $4, who = $5, updated_us = $6");
	db_bind_uuid(&q, row->predicted_asset_id);
	db_bind_integer(&q, row->revision);
	db_bind_text(&q, row->shapes);
	db_bind_text(&q, row->client_id);
	db_bind_text(&q, row->who);
	db_bind_integer(&q, row->updated_us);
	return db_done(&q, err);
}

enum status review_draft_rows_delete(struct db_conn *c, struct uuid predicted_asset_id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM review_draft WHERE predicted_asset_id = $1");
	db_bind_uuid(&q, predicted_asset_id);
	return db_done(&q, err);
}

enum status review_draft_rows_ground(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct review_ground *out, struct err *err)
{
	struct db_query q = db_query(c, "SELECT a.deployment_id, a.data_id, a.status, a.revision, d.width, "
					"d.height FROM predicted_asset a"
					" JOIN data d ON d.id = a.data_id WHERE a.id = $1");
	db_bind_uuid(&q, predicted_asset_id);
	bool found = db_next(&q);
	if (found)
		*out = (struct review_ground){
			.deployment_id = db_uuid(&q, 0),
			.data_id = db_uuid(&q, 1),
			.status = db_text(&q, 2, a),
			.revision = db_integer(&q, 3),
			.width = db_integer(&q, 4),
			.height = db_integer(&q, 5),
		};
	TRY(db_done(&q, err));
	return found ? ST_OK
		     : err_set(err, ST_MISSING,
			       "The predicted image is not there any more: it, or its deployment, was "
			       "deleted.");
}
