/* SPDX-License-Identifier: Apache-2.0 */
#include "store/training_data_rows.h"

#define COLUMNS "deployment_id, active, kind, dataset_version_id, source, from_us, images_max, set_us, set_by"

enum status training_data_rows_get(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct training_data_row *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c, "SELECT " COLUMNS " FROM training_data WHERE deployment_id = $1");
	db_bind_uuid(&q, deployment_id);
	*found = db_next(&q);
	if (*found)
		*out = (struct training_data_row){
			.deployment_id = db_uuid(&q, 0),
			.active = db_integer(&q, 1) != 0,
			.kind = db_text(&q, 2, a),
			.dataset_version_id = db_uuid(&q, 3),
			.source = db_text(&q, 4, a),
			.from_us = db_integer(&q, 5),
			.images_max = db_integer(&q, 6),
			.set_us = db_integer(&q, 7),
			.set_by = db_text(&q, 8, a),
		};
	return db_done(&q, err);
}

enum status training_data_rows_put(struct db_conn *c, const struct training_data_row *row, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO training_data (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
		" ON CONFLICT (deployment_id) DO UPDATE SET active = excluded.active, kind = excluded.kind,"
		" dataset_version_id = excluded.dataset_version_id, source = excluded.source,"
		" from_us = excluded.from_us, images_max = excluded.images_max, set_us = excluded.set_us,"
		" set_by = excluded.set_by");
	db_bind_uuid(&q, row->deployment_id);
	db_bind_integer(&q, row->active);
	db_bind_text(&q, row->kind);
	db_bind_uuid(&q, row->dataset_version_id);
	db_bind_text(&q, row->source);
	if (row->from_us)
		db_bind_integer(&q, row->from_us);
	else
		db_bind_null(&q);
	db_bind_integer(&q, row->images_max);
	db_bind_integer(&q, row->set_us);
	db_bind_text(&q, row->set_by);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return err_set(err, ST_MISSING, "There is no such deployment, or no such dataset version.");
	return st;
}

enum status training_data_rows_set_active(
	struct db_conn *c, struct uuid deployment_id, bool active, bool *found, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE training_data SET active = $1 WHERE deployment_id = $2");
	db_bind_integer(&q, active);
	db_bind_uuid(&q, deployment_id);
	TRY(db_done(&q, err));
	*found = db_changes(c) == 1;
	return ST_OK;
}

enum status training_data_rows_active(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q = db_query(
		c, "SELECT deployment_id FROM training_data WHERE active = 1 ORDER BY deployment_id");
	size_t room = 0;
	*ids = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*ids = rows_grow(a, *ids, *count, &room, sizeof(**ids));
		(*ids)[*count] = db_uuid(&q, 0);
	}
	return db_done(&q, err);
}

/* ---- what it is made of ---- */

/* A picture that is there twice is an evaluation image when both are: else it was trained on. */
enum status training_data_rows_images(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	struct training_image **items, size_t *count, int64_t *assets, struct err *err)
{
	struct db_query q = db_query(c, "SELECT count(*) FROM asset WHERE dataset_version_id = $1");
	db_bind_uuid(&q, dataset_version_id);
	TRY(rows_number(&q, assets, err));
	q = db_query(c,
		"SELECT min(a.id), min(a.evaluation), o.sha256, d.filename, d.width, d.height FROM asset a"
		" JOIN data d ON d.id = a.data_id LEFT JOIN object o ON o.name = d.object_name"
		" WHERE a.dataset_version_id = $1"
		" GROUP BY coalesce(o.sha256, hex(a.id)) ORDER BY coalesce(o.sha256, hex(a.id))");
	db_bind_uuid(&q, dataset_version_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct training_image){
			.asset_id = db_uuid(&q, 0),
			.evaluation = db_integer(&q, 1) != 0,
			.sha256 = db_text(&q, 2, a),
			.filename = db_text(&q, 3, a),
			.width = (uint32_t)db_integer(&q, 4),
			.height = (uint32_t)db_integer(&q, 5),
		};
	}
	return db_done(&q, err);
}

static enum status count_seen(struct db_query *q, const struct training_data_row *row, struct uuid version_id,
	int64_t *count, struct err *err)
{
	db_bind_uuid(q, row->deployment_id);
	db_bind_integer(q, row->from_us);
	db_bind_text(q, row->source);
	db_bind_uuid(q, version_id);
	db_bind_integer(q, row->images_max);
	return rows_number(q, count, err);
}

static enum status count_kept(struct db_conn *c, const struct training_data_row *row, struct uuid version_id,
	int64_t *count, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT count(*) FROM (SELECT 1 FROM prediction p"
			    " JOIN predicted_asset a ON a.id = p.predicted_asset_id"
			    " JOIN data d ON d.id = a.data_id LEFT JOIN data_source s ON s.id = d.source_id"
			    " WHERE p.deployment_id = $1 AND p.is_shadow = 0 AND p.created_us >= $2"
			    " AND ($3 IS NULL OR s.name = $3) AND ($4 IS NULL OR p.model_version_id = $4)"
			    " LIMIT $5)");
	return count_seen(&q, row, version_id, count, err);
}

static enum status count_gone(struct db_conn *c, const struct training_data_row *row, struct uuid version_id,
	int64_t *count, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT count(*) FROM (SELECT 1 FROM gone_prediction"
		" WHERE deployment_id = $1 AND is_shadow = 0 AND created_us >= $2"
		" AND ($3 IS NULL OR source = $3) AND ($4 IS NULL OR model_version_id = $4) LIMIT $5)");
	return count_seen(&q, row, version_id, count, err);
}

enum status training_data_rows_seen(struct db_conn *c, const struct training_data_row *row,
	struct uuid version_id, int64_t *count, struct err *err)
{
	int64_t gone;
	TRY(count_kept(c, row, version_id, count, err));
	if (*count < row->images_max) {
		TRY(count_gone(c, row, version_id, &gone, err));
		*count += gone;
	}
	if (*count > row->images_max)
		*count = row->images_max;
	return ST_OK;
}

enum status training_data_rows_back(
	struct db_conn *c, struct uuid deployment_id, int64_t count, int64_t *position, struct err *err)
{
	struct db_query q = db_query(c, "SELECT position FROM prediction WHERE deployment_id = $1"
					" AND is_shadow = 0 ORDER BY position DESC LIMIT 1 OFFSET $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, count);
	return rows_number(&q, position, err);
}

enum status training_data_rows_blob(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	const char **sha256, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT o.sha256 FROM predicted_asset a JOIN data d ON d.id = a.data_id"
			    " JOIN object o ON o.name = d.object_name WHERE a.id = $1");
	db_bind_uuid(&q, predicted_asset_id);
	*sha256 = db_next(&q) ? db_text(&q, 0, a) : NULL;
	return db_done(&q, err);
}

#define HELD_OUT_NAMES "'test', 'testing', 'val', 'valid', 'validation', 'eval', 'evaluation'"

enum status training_data_rows_role(struct db_conn *c, struct uuid dataset_version_id,
	struct uuid experiment_id, bool *known, bool *held_out, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT count(*), coalesce(sum(lower(name) NOT IN (" HELD_OUT_NAMES ")), 0)"
			    " FROM experiment_dataset"
			    " WHERE dataset_version_id = $1 AND ($2 IS NULL OR experiment_id = $2)");
	db_bind_uuid(&q, dataset_version_id);
	db_bind_uuid(&q, experiment_id);
	*known = *held_out = false;
	if (db_next(&q)) {
		*known = db_integer(&q, 0) > 0;
		*held_out = *known && db_integer(&q, 1) == 0;
	}
	return db_done(&q, err);
}

enum status training_data_rows_suggest(struct db_conn *c, struct uuid model_version_id, int64_t images_min,
	struct arena *a, struct uuid *out, const char **name, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT x.dataset_version_id, e.name, lower(x.name) IN (" HELD_OUT_NAMES ") AS held_out,"
		" (SELECT count(*) FROM asset t WHERE t.dataset_version_id = x.dataset_version_id) AS assets,"
		" (SELECT count(*) FROM asset t WHERE t.dataset_version_id = x.dataset_version_id"
		" AND t.evaluation = 1) AS kept"
		" FROM model_version v JOIN experiment e ON e.id = v.experiment_id"
		" JOIN experiment_dataset x ON x.experiment_id = e.id WHERE v.id = $1"
		" ORDER BY kept >= $2 DESC, held_out AND assets >= $2 DESC, lower(x.name) = 'train' DESC,"
		" assets DESC, x.name LIMIT 1");
	db_bind_uuid(&q, model_version_id);
	db_bind_integer(&q, images_min);
	bool found = db_next(&q);
	*out = found ? db_uuid(&q, 0) : (struct uuid){{0}};
	*name = found ? db_text(&q, 1, a) : NULL;
	return db_done(&q, err);
}
