/* SPDX-License-Identifier: Apache-2.0 */
#include "store/prediction_rows.h"

#include "base/check.h"
#include "os/clock.h"

#include <stdlib.h>

#define PREDICTION                                                                                           \
	"p.position, p.id, p.deployment_id, p.predicted_asset_id, p.model_version_id, p.is_shadow, "         \
	"p.created_us, p.threshold, p.latency_us, p.cpu_us, p.steps_us, p.shape_count, p.score_max, "        \
	"p.shapes, p.features, p.image_stats, p.asked"
#define PREDICTED                                                                                            \
	"SELECT " PREDICTION ", a.status, d.id, d.filename, d.object_name, d.content_type, d.width, "        \
	"d.height, d.metadata, d.custom_metadata, s.name "                                                   \
	"FROM prediction p JOIN predicted_asset a ON a.id = p.predicted_asset_id "                           \
	"JOIN data d ON d.id = a.data_id LEFT JOIN data_source s ON s.id = d.source_id "

struct prediction_row prediction_rows_read(struct db_query *q, struct arena *a)
{
	return (struct prediction_row){
		.position = db_integer(q, 0),
		.id = db_uuid(q, 1),
		.deployment_id = db_uuid(q, 2),
		.predicted_asset_id = db_uuid(q, 3),
		.model_version_id = db_uuid(q, 4),
		.is_shadow = db_integer(q, 5) != 0,
		.created_us = db_integer(q, 6),
		.threshold = db_real(q, 7),
		.latency_us = db_integer(q, 8),
		.cpu_us = db_integer(q, 9),
		.steps_us = db_text(q, 10, a),
		.shape_count = db_integer(q, 11),
		.score_max = db_real(q, 12),
		.shapes = db_blob(q, 13, a),
		.features = db_blob(q, 14, a),
		.image_stats = db_text(q, 15, a),
		.asked = db_integer(q, 16) != 0,
	};
}

static void read_row(struct db_query *q, struct arena *a, struct predicted_row *out)
{
	*out = (struct predicted_row){
		.prediction = prediction_rows_read(q, a),
		.asset_status = db_text(q, 17, a),
		.data_id = db_uuid(q, 18),
		.filename = db_text(q, 19, a),
		.object_name = db_text(q, 20, a),
		.content_type = db_text(q, 21, a),
		.width = db_integer(q, 22),
		.height = db_integer(q, 23),
		.metadata = db_text(q, 24, a),
		.custom_metadata = db_text(q, 25, a),
		.source = db_text(q, 26, a),
	};
}

void prediction_rows_bind(struct db_query *q, const struct prediction_row *p)
{
	db_bind_uuid(q, p->id);
	db_bind_uuid(q, p->deployment_id);
	db_bind_uuid(q, p->predicted_asset_id);
	db_bind_uuid(q, p->model_version_id);
	db_bind_integer(q, p->is_shadow);
	db_bind_integer(q, p->created_us);
	db_bind_real(q, p->threshold);
	db_bind_integer(q, p->latency_us);
	db_bind_integer(q, p->cpu_us);
	db_bind_text(q, p->steps_us);
	db_bind_integer(q, p->shape_count);
	db_bind_real(q, p->score_max);
	db_bind_blob(q, p->shapes);
	db_bind_blob(q, p->features);
	db_bind_text(q, p->image_stats);
}

enum status prediction_rows_insert(struct db_conn *c, const struct prediction_row *p, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO prediction (id, deployment_id, predicted_asset_id, model_version_id, is_shadow, "
		"created_us,"
		" threshold, latency_us, cpu_us, steps_us, shape_count, score_max, shapes, features, "
		"image_stats, asked, image_sign)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)");
	prediction_rows_bind(&q, p);
	db_bind_integer(&q, p->asked);
	db_bind_blob(&q, p->image_sign.size ? p->image_sign : (struct span){0});
	db_next(&q);
	return db_done(&q, err);
}

enum status prediction_rows_insert_asset(struct db_conn *c, struct uuid id, struct uuid deployment_id,
	struct uuid data_id, int64_t created_us, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO predicted_asset (id, deployment_id, data_id, "
					"created_us) VALUES ($1, $2, $3, $4)");
	db_bind_uuid(&q, id);
	db_bind_uuid(&q, deployment_id);
	db_bind_uuid(&q, data_id);
	db_bind_integer(&q, created_us);
	db_next(&q);
	return db_done(&q, err);
}

enum status prediction_rows_list(struct db_conn *c, struct uuid deployment_id, bool oldest_first,
	int64_t limit, int64_t offset, struct arena *a, struct predicted_row **items, size_t *count,
	int64_t *total, struct err *err)
{
	struct db_query q = db_query(c, "SELECT count(*) FROM predicted_asset WHERE deployment_id = $1");
	db_bind_uuid(&q, deployment_id);
	if (db_next(&q))
		*total = db_integer(&q, 0);
	TRY(db_done(&q, err));
	*items = ARENA_ARRAY(a, struct predicted_row, (size_t)limit);
	*count = 0;
	/* The page is cut on the narrow index first; only its rows are then read whole. */
	q = db_query(
		c, oldest_first ? PREDICTED
			   "WHERE p.position IN (SELECT position FROM prediction WHERE deployment_id = $1 AND"
			   " is_shadow = 0 ORDER BY created_us, position LIMIT $2 OFFSET $3)"
			   " ORDER BY p.created_us, p.position"
				: PREDICTED
			   "WHERE p.position IN (SELECT position FROM prediction WHERE deployment_id = $1 AND"
			   " is_shadow = 0 ORDER BY created_us DESC, position DESC LIMIT $2 OFFSET $3)"
			   " ORDER BY p.created_us DESC, p.position DESC");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, limit);
	db_bind_integer(&q, offset);
	while (*count < (size_t)limit && db_next(&q))
		read_row(&q, a, &(*items)[(*count)++]);
	return db_done(&q, err);
}

/* Reads the one row of a query that was bound, and finishes it. */
static enum status read_one(struct db_query *q, struct arena *a, struct predicted_row *out, const char *what,
	const char *value, struct err *err)
{
	bool found = db_next(q);
	if (found)
		read_row(q, a, out);
	TRY(db_done(q, err));
	return found ? ST_OK
		     : err_set(err, ST_MISSING, "There is no predicted image with the %s %.200s.", what,
			       value);
}

enum status prediction_rows_by_asset(
	struct db_conn *c, struct uuid asset_id, struct arena *a, struct predicted_row *out, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(asset_id, text);
	struct db_query q = db_query(c, PREDICTED "WHERE a.id = $1 AND p.is_shadow = 0");
	db_bind_uuid(&q, asset_id);
	return read_one(&q, a, out, "id", text, err);
}

enum status prediction_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct predicted_row *out, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	struct db_query q = db_query(c, PREDICTED "WHERE p.id = $1");
	db_bind_uuid(&q, id);
	return read_one(&q, a, out, "prediction id", text, err);
}

enum status prediction_rows_find(struct db_conn *c, struct uuid deployment_id, const char *key,
	const char *value, struct arena *a, struct predicted_row *out, struct err *err)
{
	bool by_filename = strcmp(key, "filename") == 0;
	CHECK(by_filename || strcmp(key, "object_name") == 0);
	struct db_query q =
		db_query(c, by_filename ? PREDICTED "WHERE d.filename = $1 AND p.deployment_id = $2 AND "
						    "p.is_shadow = 0 ORDER BY p.position DESC LIMIT 1"
					: PREDICTED "WHERE d.object_name = $1 AND a.deployment_id = $2 AND "
						    "p.is_shadow = 0 ORDER BY p.position DESC LIMIT 1");
	db_bind_text(&q, value);
	db_bind_uuid(&q, deployment_id);
	return read_one(&q, a, out, key, value, err);
}

enum status prediction_rows_find_data(struct db_conn *c, struct uuid deployment_id, struct uuid data_id,
	struct arena *a, struct predicted_row *out, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(data_id, text);
	struct db_query q =
		db_query(c, PREDICTED "WHERE d.id = $1 AND a.deployment_id = $2 AND p.is_shadow = 0");
	db_bind_uuid(&q, data_id);
	db_bind_uuid(&q, deployment_id);
	return read_one(&q, a, out, "data id", text, err);
}

/* What it and the shadows said of an image stays in the log when the image goes. */
static enum status move_to_gone(struct db_conn *c, struct uuid asset_id, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO gone_prediction (position, id, deployment_id, predicted_asset_id,"
		" model_version_id, is_shadow, created_us, threshold, latency_us, cpu_us, steps_us,"
		" shape_count, score_max, shapes, features, image_stats, image_sign, source, width, height,"
		" gone_us)"
		" SELECT p.position, p.id, p.deployment_id, p.predicted_asset_id, p.model_version_id,"
		" p.is_shadow, p.created_us, p.threshold, p.latency_us, p.cpu_us, p.steps_us, p.shape_count,"
		" p.score_max, p.shapes, p.features, p.image_stats, p.image_sign, coalesce(s.name, ''),"
		" d.width, d.height, $1 FROM prediction p"
		" JOIN predicted_asset a ON a.id = p.predicted_asset_id JOIN data d ON d.id = a.data_id"
		" LEFT JOIN data_source s ON s.id = d.source_id WHERE p.predicted_asset_id = $2");
	db_bind_integer(&q, clock_unix_us());
	db_bind_uuid(&q, asset_id);
	return db_done(&q, err);
}

enum status prediction_rows_delete_asset(
	struct db_conn *c, struct uuid asset_id, bool *existed, struct err *err)
{
	TRY(move_to_gone(c, asset_id, err));
	/* Labels are kept by position, which the cascade does not know. */
	struct db_query q =
		db_query(c, "DELETE FROM predicted_label WHERE position = (SELECT position FROM "
			    "predicted_asset WHERE id = $1)"
			    " AND label_id IN (SELECT n.id FROM predicted_label_name n JOIN predicted_asset a"
			    " ON a.deployment_id = n.deployment_id WHERE a.id = $1)");
	db_bind_uuid(&q, asset_id);
	TRY(db_done(&q, err));
	q = db_query(c, "DELETE FROM predicted_asset WHERE id = $1");
	db_bind_uuid(&q, asset_id);
	db_next(&q);
	TRY(db_done(&q, err));
	*existed = db_changes(c) > 0;
	return ST_OK;
}

enum status prediction_rows_shadows(struct db_conn *c, struct uuid asset_id, struct arena *a,
	struct prediction_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT " PREDICTION " FROM prediction p WHERE p.predicted_asset_id = $1 AND p.is_shadow = 1"
		" ORDER BY p.model_version_id");
	db_bind_uuid(&q, asset_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = prediction_rows_read(&q, a);
	}
	return db_done(&q, err);
}

enum status prediction_rows_of_version(struct db_conn *c, struct uuid asset_id, struct uuid model_version_id,
	struct arena *a, struct prediction_row *out, bool *found, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT " PREDICTION
			    " FROM prediction p WHERE p.predicted_asset_id = $1 AND p.model_version_id = $2");
	db_bind_uuid(&q, asset_id);
	db_bind_uuid(&q, model_version_id);
	*found = db_next(&q);
	if (*found)
		*out = prediction_rows_read(&q, a);
	return db_done(&q, err);
}

enum status prediction_rows_set_asked(struct db_conn *c, struct uuid id, bool *changed, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE prediction SET asked = 1 WHERE id = $1 AND asked = 0");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	*changed = db_changes(c) == 1;
	return ST_OK;
}

/* ---- latency chart ---- */

#define CHAMPION_TIMES                                                                                       \
	"SELECT created_us, latency_us, cpu_us, predicted_asset_id FROM prediction"                          \
	" WHERE deployment_id = $1 AND is_shadow = 0 AND created_us BETWEEN $2 AND $3"                       \
	" ORDER BY created_us, position LIMIT $4"
/* A shadow's stand at the time of the image. */
#define SHADOW_TIMES                                                                                         \
	"SELECT a.created_us, p.latency_us, p.cpu_us, p.predicted_asset_id"                                  \
	" FROM predicted_asset a JOIN prediction p ON p.predicted_asset_id = a.id"                           \
	" WHERE a.deployment_id = $1 AND a.created_us BETWEEN $2 AND $3 AND p.model_version_id = $4"         \
	" AND p.is_shadow = 1 ORDER BY a.created_us, p.position LIMIT $5"

static struct latency_point latency_point_of(struct db_query *q)
{
	return (struct latency_point){db_integer(q, 0), db_integer(q, 1), db_integer(q, 2), db_uuid(q, 3)};
}

enum status prediction_rows_latency(struct db_conn *c, const struct latency_range *range, struct arena *a,
	struct latency_point **points, size_t *count, bool *more, struct err *err)
{
	CHECK(range->points_max > 0);
	const bool shadow = !uuid_is_zero(range->shadow_version_id);
	const size_t room = (size_t)range->points_max;
	struct db_query q = db_query(c, shadow ? SHADOW_TIMES : CHAMPION_TIMES);
	db_bind_uuid(&q, range->deployment_id);
	db_bind_integer(&q, range->from_us);
	db_bind_integer(&q, range->to_us);
	if (shadow)
		db_bind_uuid(&q, range->shadow_version_id);
	db_bind_integer(&q, range->points_max + 1);
	*points = ARENA_ARRAY(a, struct latency_point, room);
	*count = 0;
	*more = false;
	while (db_next(&q)) {
		*more = *count == room;
		if (!*more)
			(*points)[(*count)++] = latency_point_of(&q);
	}
	return db_done(&q, err);
}

static int by_time(const void *a, const void *b)
{
	const struct latency_point *x = a, *y = b;
	return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

enum status prediction_rows_latency_at(struct db_conn *c, struct uuid shadow_version_id,
	const int64_t *positions, size_t position_count, struct arena *a, struct latency_point **points,
	size_t *count, struct err *err)
{
	const bool shadow = !uuid_is_zero(shadow_version_id);
	*points = ARENA_ARRAY(a, struct latency_point, position_count + 1);
	*count = 0;
	for (size_t i = 0; i < position_count; i++) {
		struct db_query q = db_query(c,
			shadow ? "SELECT c.created_us, p.latency_us, p.cpu_us, p.predicted_asset_id"
				 " FROM prediction c JOIN prediction p ON p.predicted_asset_id = "
				 "c.predicted_asset_id"
				 " WHERE c.position = $1 AND p.model_version_id = $2 AND p.is_shadow = 1"
			       : "SELECT created_us, latency_us, cpu_us, predicted_asset_id FROM prediction"
				 " WHERE position = $1");
		db_bind_integer(&q, positions[i]);
		if (shadow)
			db_bind_uuid(&q, shadow_version_id);
		if (db_next(&q))
			(*points)[(*count)++] = latency_point_of(&q);
		TRY(db_done(&q, err));
	}
	if (*count)
		qsort(*points, *count, sizeof(**points), by_time);
	return ST_OK;
}

/* ---- totals ---- */

enum status prediction_rows_totals(
	struct db_conn *c, struct uuid deployment_id, struct prediction_totals *out, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT count(*), coalesce(sum(latency_us), 0), coalesce(max(created_us), 0) FROM"
		" (SELECT latency_us, created_us FROM prediction WHERE deployment_id = $1 AND is_shadow = 0"
		" UNION ALL SELECT latency_us, created_us FROM gone_prediction WHERE deployment_id = $1"
		" AND is_shadow = 0)");
	db_bind_uuid(&q, deployment_id);
	*out = (struct prediction_totals){0};
	if (db_next(&q))
		*out = (struct prediction_totals){db_integer(&q, 0), db_integer(&q, 1), db_integer(&q, 2)};
	return db_done(&q, err);
}

enum status prediction_rows_recent(struct db_conn *c, struct uuid deployment_id, int64_t *latency_us,
	size_t room, size_t *count, struct err *err)
{
	*count = 0;
	struct db_query q =
		db_query(c, "SELECT latency_us, created_us FROM prediction WHERE deployment_id = $1"
			    " AND is_shadow = 0 UNION ALL SELECT latency_us, created_us FROM gone_prediction"
			    " WHERE deployment_id = $1 AND is_shadow = 0 ORDER BY created_us DESC LIMIT $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, (int64_t)room);
	while (*count < room && db_next(&q))
		latency_us[(*count)++] = db_integer(&q, 0);
	return db_done(&q, err);
}

enum status prediction_rows_key(struct db_conn *c, struct uuid deployment_id, const char *key, bool *found,
	uint8_t body_sha256[32], struct uuid *prediction_id, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT body_sha256, prediction_id FROM idempotency WHERE deployment_id = $1 AND key = $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_text(&q, key);
	*found = db_next(&q);
	if (*found) {
		struct arena a;
		arena_init(&a);
		struct span hash = db_blob(&q, 0, &a);
		CHECK(hash.size == 32);
		memcpy(body_sha256, hash.data, 32);
		*prediction_id = db_uuid(&q, 1);
		arena_release(&a);
	}
	return db_done(&q, err);
}

enum status prediction_rows_insert_key(struct db_conn *c, struct uuid deployment_id, const char *key,
	const uint8_t body_sha256[32], struct uuid prediction_id, int64_t created_us, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO idempotency (deployment_id, key, body_sha256, prediction_id, created_us)"
		" VALUES ($1, $2, $3, $4, $5)");
	db_bind_uuid(&q, deployment_id);
	db_bind_text(&q, key);
	db_bind_blob(&q, span_of(body_sha256, 32));
	db_bind_uuid(&q, prediction_id);
	db_bind_integer(&q, created_us);
	db_next(&q);
	return db_done(&q, err);
}
