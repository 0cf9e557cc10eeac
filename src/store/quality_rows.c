/* SPDX-License-Identifier: Apache-2.0 */
#include "store/quality_rows.h"

enum status quality_rows_positions(
	struct db_conn *c, struct uuid deployment_id, int64_t *review, int64_t *prediction, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT coalesce(max(position), 0) FROM review WHERE deployment_id = $1");
	db_bind_uuid(&q, deployment_id);
	TRY(rows_number(&q, review, err));
	q = db_query(c, "SELECT coalesce(max(position), 0) FROM prediction");
	return rows_number(&q, prediction, err);
}

enum status quality_rows_count(struct db_conn *c, struct uuid deployment_id, int64_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT count(*) FROM predicted_asset"
					" WHERE deployment_id = $1 AND status IN ('REVIEWED', 'SUBMITTED')");
	db_bind_uuid(&q, deployment_id);
	return rows_number(&q, count, err);
}

enum status quality_rows_reviewed(struct db_conn *c, struct uuid deployment_id, int64_t limit,
	struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT id FROM predicted_asset"
					" WHERE deployment_id = $1 AND status IN ('REVIEWED', 'SUBMITTED')"
					" ORDER BY created_us DESC, id DESC LIMIT $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, limit);
	return rows_ids(&q, a, ids, count, err);
}

enum status quality_rows_changed(struct db_conn *c, struct uuid deployment_id, int64_t after, int64_t to,
	struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT predicted_asset_id FROM review"
					" WHERE deployment_id = $1 AND position > $2 AND position <= $3");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, after);
	db_bind_integer(&q, to);
	return rows_ids(&q, a, ids, count, err);
}

enum status quality_rows_repeated(struct db_conn *c, struct uuid deployment_id, int64_t after, int64_t to,
	struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT p.predicted_asset_id FROM prediction p"
		" JOIN predicted_asset a ON a.id = p.predicted_asset_id"
		" WHERE p.deployment_id = $1 AND p.position > $2 AND p.position <= $3 AND p.is_shadow = 1"
		" AND a.review_id IS NOT NULL");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, after);
	db_bind_integer(&q, to);
	return rows_ids(&q, a, ids, count, err);
}

enum status quality_rows_drawn(struct db_conn *c, struct uuid deployment_id, int64_t after, struct arena *a,
	struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT DISTINCT s.predicted_asset_id FROM shadow_sample s"
					" CROSS JOIN predicted_asset p ON p.id = s.predicted_asset_id"
					" WHERE p.deployment_id = $1 AND p.chosen_batch > $2 AND p.status IN "
					"('REVIEWED', 'SUBMITTED')");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, after);
	return rows_ids(&q, a, ids, count, err);
}

enum status quality_rows_image(struct db_conn *c, struct uuid id, struct arena *a,
	struct quality_image_row *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT a.data_id, a.created_us, d.width, d.height, s.name, r.kind, r.shapes, a.chosen_why"
		" FROM predicted_asset a JOIN review r ON r.id = a.review_id"
		" JOIN data d ON d.id = a.data_id LEFT JOIN data_source s ON s.id = d.source_id"
		" WHERE a.id = $1 AND a.status IN ('REVIEWED', 'SUBMITTED')");
	db_bind_uuid(&q, id);
	*found = db_next(&q);
	if (*found)
		*out = (struct quality_image_row){
			.id = id,
			.data_id = db_uuid(&q, 0),
			.created_us = db_integer(&q, 1),
			.width = db_integer(&q, 2),
			.height = db_integer(&q, 3),
			.source = db_text(&q, 4, a),
			.kind = db_text(&q, 5, a),
			.shapes = db_text(&q, 6, a),
			.chosen_why = db_text(&q, 7, a),
		};
	return db_done(&q, err);
}

enum status quality_rows_answers(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct quality_answer_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT position, id, model_version_id, is_shadow, shapes"
					" FROM prediction WHERE predicted_asset_id = $1 ORDER BY position");
	db_bind_uuid(&q, predicted_asset_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct quality_answer_row){
			.position = db_integer(&q, 0),
			.id = db_uuid(&q, 1),
			.model_version_id = db_uuid(&q, 2),
			.is_shadow = db_integer(&q, 3) != 0,
			.shapes = db_blob(&q, 4, a),
		};
	}
	return db_done(&q, err);
}

enum status quality_rows_tagged(struct db_conn *c, struct uuid deployment_id, const char *tag,
	struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT a.id FROM predicted_asset a"
			    " WHERE a.deployment_id = $1 AND a.status IN ('REVIEWED', 'SUBMITTED') AND EXISTS"
			    " (SELECT 1 FROM tag_target x JOIN tag t ON t.id = x.tag_id"
			    " WHERE x.target_id IN (a.id, a.data_id) AND t.name = $2)");
	db_bind_uuid(&q, deployment_id);
	db_bind_text(&q, tag);
	return rows_ids(&q, a, ids, count, err);
}
