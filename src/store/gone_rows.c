/* SPDX-License-Identifier: Apache-2.0 */
/* Predictions without an image. */
#include "store/gone_rows.h"

/* The log's positions are those that SQLite gives to rows of prediction; a row that never is one takes its
 * turn with them. */
static enum status next_position(struct db_conn *c, int64_t *out, struct err *err)
{
	struct db_query q = db_query(
		c, "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'prediction' RETURNING seq");
	*out = db_next(&q) ? db_integer(&q, 0) : 0;
	TRY(db_done(&q, err));
	if (*out)
		return ST_OK;
	*out = 1;
	q = db_query(c, "INSERT INTO sqlite_sequence (name, seq) VALUES ('prediction', 1)");
	return db_done(&q, err);
}

enum status gone_rows_insert(struct db_conn *c, const struct prediction_row *p, const char *source,
	uint32_t width, uint32_t height, int64_t gone_us, struct err *err)
{
	int64_t position;
	TRY(next_position(c, &position, err));
	struct db_query q =
		db_query(c, "INSERT INTO gone_prediction (position, id, deployment_id, predicted_asset_id, "
			    "model_version_id,"
			    " is_shadow, created_us, threshold, latency_us, cpu_us, steps_us, shape_count, "
			    "score_max, shapes,"
			    " features, image_stats, image_sign, source, width, height, gone_us) VALUES ($1, "
			    "$2, $3, $4, $5,"
			    " $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)");
	db_bind_integer(&q, position);
	prediction_rows_bind(&q, p);
	db_bind_blob(&q, p->image_sign.size ? p->image_sign : (struct span){0});
	db_bind_text(&q, source);
	db_bind_integer(&q, width);
	db_bind_integer(&q, height);
	db_bind_integer(&q, gone_us);
	return db_done(&q, err);
}

enum status gone_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct predicted_row *out, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT position, id, deployment_id, predicted_asset_id, model_version_id, is_shadow,"
		" created_us, threshold, latency_us, cpu_us, steps_us, shape_count, score_max, shapes, "
		"features,"
		" image_stats, 0, source, width, height FROM gone_prediction WHERE id = $1");
	db_bind_uuid(&q, id);
	bool found = db_next(&q);
	if (found)
		*out = (struct predicted_row){
			.prediction = prediction_rows_read(&q, a),
			.source = db_text(&q, 17, a),
			.width = db_integer(&q, 18),
			.height = db_integer(&q, 19),
		};
	TRY(db_done(&q, err));
	return found ? ST_OK : err_set(err, ST_MISSING, "There is no prediction with that id.");
}

enum status gone_rows_has_version(struct db_conn *c, struct uuid predicted_asset_id, struct uuid version_id,
	bool *found, struct err *err)
{
	struct db_query q = db_query(
		c, "SELECT 1 FROM gone_prediction WHERE predicted_asset_id = $1 AND model_version_id = $2");
	db_bind_uuid(&q, predicted_asset_id);
	db_bind_uuid(&q, version_id);
	*found = db_next(&q);
	return db_done(&q, err);
}
