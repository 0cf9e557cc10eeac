/* SPDX-License-Identifier: Apache-2.0 */
#include "store/feedback_rows.h"

#include "store/rows.h"

/* ---- settings ---- */

enum status feedback_rows_get(
	struct db_conn *c, struct uuid deployment_id, struct feedback_row *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c, "SELECT active, submit_by_itself, submit_after_s, evaluation_share,"
					" created_us FROM feedback WHERE deployment_id = $1");
	db_bind_uuid(&q, deployment_id);
	*found = db_next(&q);
	if (*found)
		*out = (struct feedback_row){
			.deployment_id = deployment_id,
			.active = db_integer(&q, 0) != 0,
			.submit_by_itself = db_integer(&q, 1) != 0,
			.submit_after_s = db_integer(&q, 2),
			.evaluation_share = db_real(&q, 3),
			.created_us = db_integer(&q, 4),
		};
	return db_done(&q, err);
}

/* In the order of their columns, the deployment last but one. */
static void bind_settings(struct db_query *q, const struct feedback_row *row)
{
	db_bind_integer(q, row->active);
	db_bind_integer(q, row->submit_by_itself);
	db_bind_integer(q, row->submit_after_s);
	db_bind_real(q, row->evaluation_share);
	db_bind_uuid(q, row->deployment_id);
}

enum status feedback_rows_insert(struct db_conn *c, const struct feedback_row *row, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO feedback (active, submit_by_itself, submit_after_s, evaluation_share,"
		" deployment_id, created_us) VALUES ($1, $2, $3, $4, $5, $6)"
		" ON CONFLICT (deployment_id) DO NOTHING");
	bind_settings(&q, row);
	db_bind_integer(&q, row->created_us);
	return db_done(&q, err);
}

enum status feedback_rows_update(struct db_conn *c, const struct feedback_row *row, struct err *err)
{
	struct db_query q =
		db_query(c, "UPDATE feedback SET active = $1, submit_by_itself = $2, submit_after_s = $3,"
			    " evaluation_share = $4 WHERE deployment_id = $5");
	bind_settings(&q, row);
	return db_done(&q, err);
}

enum status feedback_rows_by_themselves(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT deployment_id FROM feedback f WHERE active = 1 AND "
					"submit_by_itself = 1 AND EXISTS (SELECT 1 FROM feedback_target t "
					"WHERE t.deployment_id = f.deployment_id) ORDER BY deployment_id");
	return rows_ids(&q, a, ids, count, err);
}

/* ---- where it goes ---- */

enum status feedback_target_rows_list(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct feedback_target_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT dataset_version_id, since_us FROM feedback_target"
					" WHERE deployment_id = $1 ORDER BY since_us, dataset_version_id");
	db_bind_uuid(&q, deployment_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct feedback_target_row){db_uuid(&q, 0), db_integer(&q, 1)};
	}
	return db_done(&q, err);
}

enum status feedback_target_rows_insert(
	struct db_conn *c, struct uuid deployment_id, const struct feedback_target_row *row, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO feedback_target (deployment_id, dataset_version_id, since_us)"
			    " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
	db_bind_uuid(&q, deployment_id);
	db_bind_uuid(&q, row->dataset_version_id);
	db_bind_integer(&q, row->since_us);
	return db_done(&q, err);
}

enum status feedback_target_rows_delete(struct db_conn *c, struct uuid deployment_id,
	struct uuid dataset_version_id, bool *existed, struct err *err)
{
	struct db_query q = db_query(
		c, "DELETE FROM feedback_target WHERE deployment_id = $1 AND dataset_version_id = $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_uuid(&q, dataset_version_id);
	TRY(db_done(&q, err));
	*existed = db_changes(c) > 0;
	return ST_OK;
}

/* ---- labels ---- */

enum status feedback_label_rows_list(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct feedback_label_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT label, action, to_name FROM feedback_label"
					" WHERE deployment_id = $1 ORDER BY label");
	db_bind_uuid(&q, deployment_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] =
			(struct feedback_label_row){db_text(&q, 0, a), db_text(&q, 1, a), db_text(&q, 2, a)};
	}
	return db_done(&q, err);
}

enum status feedback_label_rows_put(
	struct db_conn *c, struct uuid deployment_id, const struct feedback_label_row *row, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO feedback_label (deployment_id, label, action, to_name) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (deployment_id, label) DO UPDATE SET action = excluded.action,"
		" to_name = excluded.to_name");
	db_bind_uuid(&q, deployment_id);
	db_bind_text(&q, row->label);
	db_bind_text(&q, row->action);
	db_bind_text(&q, row->to_name);
	return db_done(&q, err);
}

enum status feedback_label_rows_delete(
	struct db_conn *c, struct uuid deployment_id, const char *label, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM feedback_label WHERE deployment_id = $1 AND label = $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_text(&q, label);
	return db_done(&q, err);
}

/* ---- pictures ---- */

#define IMAGE                                                                                                \
	"SELECT a.id, a.deployment_id, a.data_id, a.burst_id, d.filename, a.status, a.created_us,"           \
	" a.reviewed_us, r.id, a.withdrawn_review_id, r.shapes, r.who, r.seconds FROM predicted_asset a"     \
	" JOIN data d ON d.id = a.data_id LEFT JOIN review r ON r.id = a.review_id "

static void read_image(struct db_query *q, struct arena *a, struct feedback_image *out)
{
	*out = (struct feedback_image){
		.id = db_uuid(q, 0),
		.deployment_id = db_uuid(q, 1),
		.data_id = db_uuid(q, 2),
		.burst_id = db_uuid(q, 3),
		.filename = db_text(q, 4, a),
		.status = db_text(q, 5, a),
		.created_us = db_integer(q, 6),
		.reviewed_us = db_integer(q, 7),
		.review_id = db_uuid(q, 8),
		.withdrawn_id = db_uuid(q, 9),
		.shapes = db_text(q, 10, a),
		.who = db_text(q, 11, a),
		.seconds = db_is_null(q, 12) ? -1 : db_real(q, 12),
	};
}

enum status feedback_image_rows_get(struct db_conn *c, struct uuid id, struct arena *a,
	struct feedback_image *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c, IMAGE "WHERE a.id = $1");
	db_bind_uuid(&q, id);
	*found = db_next(&q);
	if (*found)
		read_image(&q, a, out);
	return db_done(&q, err);
}

enum status feedback_image_rows_reviewed(struct db_conn *c, struct uuid deployment_id, int64_t created_us,
	struct uuid id, int64_t limit, struct arena *a, struct feedback_image **items, size_t *count,
	struct err *err)
{
	struct db_query q = db_query(c,
		IMAGE "WHERE a.deployment_id = $1 AND a.status = 'REVIEWED' AND a.created_us >= $2"
		      " AND (a.created_us > $2 OR $3 IS NULL OR a.id > $3)"
		      " ORDER BY a.created_us, a.id LIMIT $4");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, created_us);
	db_bind_uuid(&q, id);
	db_bind_integer(&q, limit);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_image(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status feedback_image_rows_count(
	struct db_conn *c, struct uuid deployment_id, int64_t *reviewed, int64_t *submitted, struct err *err)
{
	struct db_query q = db_query(c, "SELECT count(*) FROM predicted_asset WHERE deployment_id = $1"
					" AND status = 'REVIEWED'");
	db_bind_uuid(&q, deployment_id);
	TRY(rows_number(&q, reviewed, err));
	q = db_query(c, "SELECT count(*) FROM predicted_asset WHERE deployment_id = $1"
			" AND status = 'SUBMITTED'");
	db_bind_uuid(&q, deployment_id);
	return rows_number(&q, submitted, err);
}

enum status feedback_image_rows_set_submitted(struct db_conn *c, struct uuid id, struct uuid review_id,
	int64_t now_us, bool *changed, struct err *err)
{
	struct db_query q = db_query(c,
		"UPDATE predicted_asset SET status = 'SUBMITTED', submitted_us = $1,"
		" withdrawn_review_id = NULL WHERE id = $2 AND status = 'REVIEWED' AND review_id = $3");
	db_bind_integer(&q, now_us);
	db_bind_uuid(&q, id);
	db_bind_uuid(&q, review_id);
	TRY(db_done(&q, err));
	*changed = db_changes(c) == 1;
	return ST_OK;
}

enum status feedback_image_rows_set_withdrawn(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE predicted_asset SET status = 'REVIEWED', submitted_us = NULL,"
					" withdrawn_review_id = review_id WHERE id = $1");
	db_bind_uuid(&q, id);
	return db_done(&q, err);
}

enum status feedback_image_rows_hold(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q =
		db_query(c, "UPDATE predicted_asset SET withdrawn_review_id = review_id WHERE id = $1");
	db_bind_uuid(&q, id);
	return db_done(&q, err);
}

/* ---- what went where ---- */

enum status feedback_asset_rows_insert(
	struct db_conn *c, const struct feedback_asset_row *row, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO feedback_asset (predicted_asset_id, dataset_version_id, asset_id, review_id,"
		" created_asset, annotation_id) VALUES ($1, $2, $3, $4, $5, $6)");
	db_bind_uuid(&q, row->predicted_asset_id);
	db_bind_uuid(&q, row->dataset_version_id);
	db_bind_uuid(&q, row->asset_id);
	db_bind_uuid(&q, row->review_id);
	db_bind_integer(&q, row->created_asset);
	db_bind_uuid(&q, row->annotation_id);
	return db_done(&q, err);
}

enum status feedback_asset_rows_of_image(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct feedback_asset_row **items, size_t *count, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT dataset_version_id, asset_id, review_id, created_asset, annotation_id"
			    " FROM feedback_asset WHERE predicted_asset_id = $1 ORDER BY dataset_version_id");
	db_bind_uuid(&q, predicted_asset_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct feedback_asset_row){
			.predicted_asset_id = predicted_asset_id,
			.dataset_version_id = db_uuid(&q, 0),
			.asset_id = db_uuid(&q, 1),
			.review_id = db_uuid(&q, 2),
			.created_asset = db_integer(&q, 3) != 0,
			.annotation_id = db_uuid(&q, 4),
		};
	}
	return db_done(&q, err);
}

enum status feedback_asset_rows_delete_of_image(
	struct db_conn *c, struct uuid predicted_asset_id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM feedback_asset WHERE predicted_asset_id = $1");
	db_bind_uuid(&q, predicted_asset_id);
	return db_done(&q, err);
}
