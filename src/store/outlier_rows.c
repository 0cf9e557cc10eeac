/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outlier_rows.h"

#include "store/rows.h"

#define COLUMNS                                                                                              \
	"deployment_id, position, reference_id, version_id, prediction_id, predicted_asset_id, source,"      \
	" created_us, score, rank"
#define WHERE                                                                                                \
	" FROM outlier WHERE deployment_id = $1 AND created_us >= $2 AND created_us < $3"                    \
	" AND ($4 IS NULL OR source = $4) AND ($5 IS NULL OR version_id = $5)"

static void read_row(struct db_query *q, struct arena *a, struct outlier_row *out)
{
	*out = (struct outlier_row){
		.deployment_id = db_uuid(q, 0),
		.position = db_integer(q, 1),
		.reference_id = db_uuid(q, 2),
		.version_id = db_uuid(q, 3),
		.prediction_id = db_uuid(q, 4),
		.predicted_asset_id = db_uuid(q, 5),
		.source = db_text(q, 6, a),
		.created_us = db_integer(q, 7),
		.score = db_real(q, 8),
		.rank = db_real(q, 9),
	};
}

static enum status read_all(
	struct db_query *q, struct arena *a, struct outlier_row **items, size_t *count, struct err *err)
{
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(q, a, &(*items)[*count]);
	}
	return db_done(q, err);
}

static void bind_filter(struct db_query *q, const struct outlier_filter *f)
{
	db_bind_uuid(q, f->deployment_id);
	db_bind_integer(q, f->from_us);
	db_bind_integer(q, f->to_us ? f->to_us : INT64_MAX);
	db_bind_text(q, f->source);
	db_bind_uuid(q, f->version_id);
}

enum status outlier_rows_put(struct db_conn *c, const struct outlier_row *row, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO outlier (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
		" ON CONFLICT (deployment_id, position) DO UPDATE SET reference_id = excluded.reference_id,"
		" score = excluded.score, rank = excluded.rank");
	db_bind_uuid(&q, row->deployment_id);
	db_bind_integer(&q, row->position);
	db_bind_uuid(&q, row->reference_id);
	db_bind_uuid(&q, row->version_id);
	db_bind_uuid(&q, row->prediction_id);
	db_bind_uuid(&q, row->predicted_asset_id);
	db_bind_text(&q, row->source);
	db_bind_integer(&q, row->created_us);
	db_bind_real(&q, row->score);
	db_bind_real(&q, row->rank);
	return db_done(&q, err);
}

enum status outlier_rows_delete_others(struct db_conn *c, struct uuid deployment_id, struct uuid version_id,
	struct uuid reference_id, struct err *err)
{
	struct db_query q = db_query(
		c, "DELETE FROM outlier WHERE deployment_id = $1 AND version_id = $2 AND reference_id <> $3");
	db_bind_uuid(&q, deployment_id);
	db_bind_uuid(&q, version_id);
	db_bind_uuid(&q, reference_id);
	return db_done(&q, err);
}

enum status outlier_rows_count(
	struct db_conn *c, const struct outlier_filter *f, int64_t *count, struct err *err)
{
	/* Each by the index that serves it. */
	struct db_query q = f->rank_max > 0 ? db_query(c, "SELECT count(*)" WHERE " AND rank <= $6")
					    : db_query(c, "SELECT count(*)" WHERE);
	bind_filter(&q, f);
	if (f->rank_max > 0)
		db_bind_real(&q, f->rank_max);
	return rows_number(&q, count, err);
}

enum status outlier_rows_list(struct db_conn *c, const struct outlier_filter *f, enum outlier_order order,
	int64_t limit, struct arena *a, struct outlier_row **items, size_t *count, struct err *err)
{
	static const char *const sql[] = {
		[OUTLIER_NEWEST] =
			"SELECT " COLUMNS WHERE " AND rank <= $6 ORDER BY created_us DESC LIMIT $7",
		[OUTLIER_WORST] = "SELECT " COLUMNS WHERE
				  " AND rank <= $6 ORDER BY rank, score DESC, created_us DESC LIMIT $7",
	};
	struct db_query q = db_query(c, sql[order]);
	bind_filter(&q, f);
	db_bind_real(&q, f->rank_max > 0 ? f->rank_max : 1);
	db_bind_integer(&q, limit);
	return read_all(&q, a, items, count, err);
}

enum status outlier_rows_sample(struct db_conn *c, const struct outlier_filter *f, int64_t steps,
	struct arena *a, struct outlier_row **items, size_t *count, struct err *err)
{
	size_t room = 0;
	struct outlier_filter part = *f;
	*items = NULL;
	*count = 0;
	for (int64_t i = 0; i < steps; i++) {
		int64_t width = f->to_us - f->from_us;
		part.from_us = f->from_us + width / steps * i + width % steps * i / steps;
		part.to_us = f->from_us + width / steps * (i + 1) + width % steps * (i + 1) / steps;
		struct db_query q = db_query(c, "SELECT " COLUMNS WHERE " ORDER BY created_us LIMIT 1");
		bind_filter(&q, &part);
		if (db_next(&q)) {
			*items = rows_grow(a, *items, *count, &room, sizeof(**items));
			read_row(&q, a, &(*items)[(*count)++]);
		}
		TRY(db_done(&q, err));
	}
	return ST_OK;
}

enum status outlier_rows_range(
	struct db_conn *c, struct uuid deployment_id, int64_t *first_us, int64_t *last_us, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT (SELECT min(created_us) FROM outlier WHERE deployment_id = $1),"
			    " (SELECT max(created_us) FROM outlier WHERE deployment_id = $1)");
	db_bind_uuid(&q, deployment_id);
	*first_us = *last_us = 0;
	if (db_next(&q)) {
		*first_us = db_integer(&q, 0);
		*last_us = db_integer(&q, 1);
	}
	return db_done(&q, err);
}

enum status outlier_rows_of(struct db_conn *c, struct uuid deployment_id, int64_t position, struct arena *a,
	struct outlier_row *out, bool *found, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT " COLUMNS " FROM outlier WHERE deployment_id = $1 AND position = $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, position);
	*found = db_next(&q);
	if (*found)
		read_row(&q, a, out);
	return db_done(&q, err);
}
