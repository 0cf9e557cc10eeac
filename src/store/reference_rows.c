/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reference_rows.h"

#define COLUMNS                                                                                              \
	"r.id, r.deployment_id, r.model_version_id, r.kind, r.dataset_version_id, r.revision, r.source,"     \
	" r.status, r.job_id, r.images, r.held_out, r.predicted, r.note, r.position, r.from_us, r.to_us,"    \
	" r.created_us, r.ready_us, r.error"

static void read_row(struct db_query *q, struct arena *a, struct reference_row *out)
{
	*out = (struct reference_row){
		.id = db_uuid(q, 0),
		.deployment_id = db_uuid(q, 1),
		.model_version_id = db_uuid(q, 2),
		.kind = db_text(q, 3, a),
		.dataset_version_id = db_uuid(q, 4),
		.revision = db_integer(q, 5),
		.source = db_text(q, 6, a),
		.status = db_text(q, 7, a),
		.job_id = db_uuid(q, 8),
		.images = db_integer(q, 9),
		.held_out = db_integer(q, 10) != 0,
		.predicted = db_integer(q, 11) != 0,
		.note = db_text(q, 12, a),
		.position = db_integer(q, 13),
		.from_us = db_integer(q, 14),
		.to_us = db_integer(q, 15),
		.created_us = db_integer(q, 16),
		.ready_us = db_integer(q, 17),
		.error = db_text(q, 18, a),
	};
}

enum status reference_rows_insert(struct db_conn *c, const struct reference_row *row, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO reference (id, deployment_id, model_version_id, kind, "
					"dataset_version_id, source,"
					" status, images, held_out, predicted, created_us)"
					" VALUES ($1, $2, $3, $4, $5, $6, 'RUNNING', 0, 0, 0, $7)");
	db_bind_uuid(&q, row->id);
	db_bind_uuid(&q, row->deployment_id);
	db_bind_uuid(&q, row->model_version_id);
	db_bind_text(&q, row->kind);
	db_bind_uuid(&q, row->dataset_version_id);
	db_bind_text(&q, row->source);
	db_bind_integer(&q, row->created_us);
	return db_done(&q, err);
}

enum status reference_rows_set_job(struct db_conn *c, struct uuid id, struct uuid job_id, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE reference SET job_id = $1 WHERE id = $2");
	db_bind_uuid(&q, job_id);
	db_bind_uuid(&q, id);
	return db_done(&q, err);
}

static void bind_positive(struct db_query *q, int64_t value)
{
	if (value > 0)
		db_bind_integer(q, value);
	else
		db_bind_null(q);
}

enum status reference_rows_ready(
	struct db_conn *c, const struct reference_row *row, struct span outlier, struct err *err)
{
	struct db_query q = db_query(c,
		"UPDATE reference SET status = 'READY', revision = $1, images = $2, held_out = $3,"
		" predicted = $4, note = $5, outlier = $6, from_us = $7, to_us = $8, ready_us = $9,"
		" position = max((SELECT coalesce(max(position), 0) FROM prediction),"
		" (SELECT coalesce(max(position), 0) FROM gone_prediction))"
		" WHERE id = $10 AND status = 'RUNNING'");
	bind_positive(&q, row->revision);
	db_bind_integer(&q, row->images);
	db_bind_integer(&q, row->held_out);
	db_bind_integer(&q, row->predicted);
	db_bind_text(&q, row->note);
	db_bind_blob(&q, outlier);
	bind_positive(&q, row->from_us);
	bind_positive(&q, row->to_us);
	db_bind_integer(&q, row->ready_us);
	db_bind_uuid(&q, row->id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1
		       ? ST_OK
		       : err_set(err, ST_MISSING,
				 "Training Data was changed, or the deployment deleted, in the meantime.");
}

enum status reference_rows_fail(struct db_conn *c, struct uuid id, const char *error, struct err *err)
{
	struct db_query q = db_query(
		c, "UPDATE reference SET status = 'FAILED', error = $1 WHERE id = $2 AND status = 'RUNNING'");
	db_bind_text(&q, error);
	db_bind_uuid(&q, id);
	return db_done(&q, err);
}

#define CURRENT                                                                                              \
	" FROM reference r JOIN deployment d ON d.id = r.deployment_id AND d.champion_id = "                 \
	"r.model_version_id"                                                                                 \
	" JOIN training_data t ON t.deployment_id = r.deployment_id AND t.active = 1"                        \
	" WHERE r.deployment_id = $1 AND r.created_us >= t.set_us"

enum status reference_rows_current(struct db_conn *c, struct uuid deployment_id, bool any, struct arena *a,
	struct reference_row *out, bool *found, struct err *err)
{
	const char *sql = any ? "SELECT " COLUMNS CURRENT " ORDER BY r.created_us DESC, r.id DESC LIMIT 1"
			      : "SELECT " COLUMNS CURRENT " AND r.status = 'READY'"
				" ORDER BY r.created_us DESC, r.id DESC LIMIT 1";
	struct db_query q = db_query(c, sql);
	db_bind_uuid(&q, deployment_id);
	*found = db_next(&q);
	if (*found)
		read_row(&q, a, out);
	return db_done(&q, err);
}

#define OF_VERSION                                                                                           \
	" FROM reference r JOIN training_data t ON t.deployment_id = r.deployment_id AND t.active = 1"       \
	" WHERE r.deployment_id = $1 AND r.model_version_id = $2 AND r.created_us >= t.set_us"

enum status reference_rows_of_version(struct db_conn *c, struct uuid deployment_id, struct uuid version_id,
	bool any, struct arena *a, struct reference_row *out, bool *found, struct err *err)
{
	const char *sql = any ? "SELECT " COLUMNS OF_VERSION " ORDER BY r.created_us DESC, r.id DESC LIMIT 1"
			      : "SELECT " COLUMNS OF_VERSION " AND r.status = 'READY'"
				" ORDER BY r.created_us DESC, r.id DESC LIMIT 1";
	struct db_query q = db_query(c, sql);
	db_bind_uuid(&q, deployment_id);
	db_bind_uuid(&q, version_id);
	*found = db_next(&q);
	if (*found)
		read_row(&q, a, out);
	return db_done(&q, err);
}

enum status reference_rows_running(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct reference_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT " COLUMNS " FROM reference r WHERE r.status = 'RUNNING'"
					" AND ($1 IS NULL OR r.deployment_id = $1) ORDER BY r.created_us");
	db_bind_uuid(&q, deployment_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status reference_rows_delete(
	struct db_conn *c, struct uuid id, int64_t limit, bool *done, struct err *err)
{
	struct db_query q =
		db_query(c, "DELETE FROM reference_image WHERE reference_id = $1 AND ordinal IN"
			    " (SELECT ordinal FROM reference_image WHERE reference_id = $1 LIMIT $2)");
	db_bind_uuid(&q, id);
	db_bind_integer(&q, limit);
	TRY(db_done(&q, err));
	*done = db_changes(c) < limit;
	if (!*done)
		return ST_OK;
	q = db_query(c, "DELETE FROM reference WHERE id = $1");
	db_bind_uuid(&q, id);
	return db_done(&q, err);
}

enum status reference_rows_older(struct db_conn *c, const struct reference_row *row, struct arena *a,
	struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT id FROM reference WHERE deployment_id = $1 AND model_version_id = $2"
			    " AND created_us <= $3 AND id <> $4 AND status <> 'RUNNING'");
	db_bind_uuid(&q, row->deployment_id);
	db_bind_uuid(&q, row->model_version_id);
	db_bind_integer(&q, row->created_us);
	db_bind_uuid(&q, row->id);
	size_t room = 0;
	*ids = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*ids = rows_grow(a, *ids, *count, &room, sizeof(**ids));
		(*ids)[*count] = db_uuid(&q, 0);
	}
	return db_done(&q, err);
}

enum status reference_rows_outlier(
	struct db_conn *c, struct uuid id, struct arena *a, struct span *out, struct err *err)
{
	struct db_query q = db_query(c, "SELECT outlier FROM reference WHERE id = $1");
	db_bind_uuid(&q, id);
	*out = db_next(&q) ? db_blob(&q, 0, a) : (struct span){0};
	return db_done(&q, err);
}

enum status reference_rows_watched(
	struct db_conn *c, struct arena *a, struct reference_watched **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT t.deployment_id, (SELECT r.id FROM reference r WHERE r.deployment_id = "
		"t.deployment_id"
		" AND r.model_version_id = d.champion_id AND r.created_us >= t.set_us AND r.status = 'READY'"
		" ORDER BY r.created_us DESC, r.id DESC LIMIT 1) AS reference_id, d.champion_id, d.threshold"
		" FROM training_data t JOIN deployment d ON d.id = t.deployment_id"
		" WHERE t.active = 1 AND reference_id IS NOT NULL ORDER BY t.deployment_id");
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct reference_watched){
			db_uuid(&q, 0), db_uuid(&q, 1), db_uuid(&q, 2), db_real(&q, 3)};
	}
	return db_done(&q, err);
}

/* ---- its images ---- */

enum status reference_rows_insert_image(
	struct db_conn *c, struct uuid reference_id, const struct reference_image_row *image, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO reference_image (reference_id, ordinal, asset_id, width, height, calibration,"
		" image_stats, shapes, features) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
	db_bind_uuid(&q, reference_id);
	db_bind_integer(&q, image->ordinal);
	db_bind_uuid(&q, image->asset_id);
	db_bind_integer(&q, image->width);
	db_bind_integer(&q, image->height);
	db_bind_integer(&q, image->calibration);
	db_bind_text(&q, image->image_stats);
	db_bind_blob(&q, image->shapes);
	db_bind_blob(&q, image->features.size ? image->features : (struct span){0});
	return db_done(&q, err);
}

enum status reference_rows_images(struct db_conn *c, struct uuid reference_id, struct arena *a,
	struct reference_image_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT ordinal, asset_id, width, height, calibration, image_stats, shapes, features"
		" FROM reference_image WHERE reference_id = $1 ORDER BY ordinal");
	db_bind_uuid(&q, reference_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct reference_image_row){
			.ordinal = db_integer(&q, 0),
			.asset_id = db_uuid(&q, 1),
			.width = db_integer(&q, 2),
			.height = db_integer(&q, 3),
			.calibration = db_integer(&q, 4) != 0,
			.image_stats = db_text(&q, 5, a),
			.shapes = db_blob(&q, 6, a),
			.features = db_blob(&q, 7, a),
		};
	}
	return db_done(&q, err);
}

enum status reference_rows_has_features(
	struct db_conn *c, struct uuid reference_id, bool *features, struct err *err)
{
	struct db_query q = db_query(c, "SELECT EXISTS (SELECT 1 FROM reference_image WHERE reference_id = $1"
					" AND features IS NOT NULL)");
	int64_t found;
	db_bind_uuid(&q, reference_id);
	TRY(rows_number(&q, &found, err));
	*features = found != 0;
	return ST_OK;
}

enum status reference_rows_tags(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	const char ***names, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT DISTINCT t.name FROM predicted_asset a JOIN tag_target x"
					" ON x.target_id IN (a.id, a.data_id) JOIN tag t ON t.id = x.tag_id "
					"WHERE a.id = $1 ORDER BY 1");
	db_bind_uuid(&q, predicted_asset_id);
	size_t room = 0;
	*names = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*names = rows_grow(a, *names, *count, &room, sizeof(**names));
		(*names)[*count] = db_text(&q, 0, a);
	}
	return db_done(&q, err);
}
