/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outlier_rows.h"

#include "store/rows.h"

#define COLUMNS                                                                                              \
	"deployment_id, position, reference_id, version_id, prediction_id, predicted_asset_id, source,"      \
	" created_us, score, rank"
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

/*
 * A query whose SQL has only the conditions that there are, as each that is not needed keeps it from being
 * answered by an index alone. by_rank: the index of ranks serves it, not that of times (SQLite passes over an
 * index for a column with a +). limit 0: none. The SQL lives in the arena.
 */
static struct db_query filtered(struct db_conn *c, const char *select, const struct outlier_filter *f,
	bool by_rank, const char *order, int64_t limit, struct arena *a)
{
	const char *off = by_rank ? "+" : "";
	int number = 4;
	const char *sql = arena_printf(a,
		"SELECT %s FROM outlier WHERE deployment_id = $1 AND %screated_us >= $2 AND %screated_us < "
		"$3",
		select, off, off);
	if (f->source)
		sql = arena_printf(a, "%s AND source = $%d", sql, number++);
	if (!uuid_is_zero(f->version_id))
		sql = arena_printf(a, "%s AND version_id = $%d", sql, number++);
	if (f->rank_max > 0)
		sql = arena_printf(a, "%s AND rank <= $%d", sql, number++);
	sql = arena_printf(a, "%s%s", sql, order);
	if (limit)
		sql = arena_printf(a, "%s LIMIT $%d", sql, number);
	struct db_query q = db_query_dynamic(c, sql);
	db_bind_uuid(&q, f->deployment_id);
	db_bind_integer(&q, f->from_us);
	db_bind_integer(&q, f->to_us ? f->to_us : INT64_MAX);
	if (f->source)
		db_bind_text(&q, f->source);
	if (!uuid_is_zero(f->version_id))
		db_bind_uuid(&q, f->version_id);
	if (f->rank_max > 0)
		db_bind_real(&q, f->rank_max);
	if (limit)
		db_bind_integer(&q, limit);
	return q;
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
	struct arena a;
	arena_init(&a);
	struct db_query q = filtered(c, "count(*)", f, f->rank_max > 0, "", 0, &a);
	enum status st = rows_number(&q, count, err);
	arena_release(&a);
	return st;
}

enum status outlier_rows_list(struct db_conn *c, const struct outlier_filter *f, enum outlier_order order,
	int64_t limit, struct arena *a, struct outlier_row **items, size_t *count, struct err *err)
{
	static const char *const orders[] = {
		[OUTLIER_NEWEST] = " ORDER BY created_us DESC",
		[OUTLIER_WORST] = " ORDER BY rank, score DESC, created_us DESC",
	};
	bool by_rank = order == OUTLIER_WORST || f->rank_max > 0;
	struct db_query q = filtered(c, COLUMNS, f, by_rank, orders[order], limit, a);
	return read_all(&q, a, items, count, err);
}

/* One statement for all parts: of the first in a part that passes the filter. */
#define FIRST                                                                                                \
	"SELECT " COLUMNS " FROM outlier WHERE deployment_id = $1 AND created_us >= $2 AND created_us < $3"  \
	" AND ($4 IS NULL OR source = $4) AND ($5 IS NULL OR version_id = $5) ORDER BY created_us LIMIT 1"

enum status outlier_rows_sample(struct db_conn *c, const struct outlier_filter *f, int64_t steps,
	struct arena *a, struct outlier_row **items, size_t *count, struct err *err)
{
	size_t room = 0;
	const int64_t width = f->to_us - f->from_us;
	*items = NULL;
	*count = 0;
	for (int64_t i = 0; i < steps; i++) {
		struct db_query q = db_query(c, FIRST);
		db_bind_uuid(&q, f->deployment_id);
		db_bind_integer(&q, f->from_us + width / steps * i + width % steps * i / steps);
		db_bind_integer(&q, f->from_us + width / steps * (i + 1) + width % steps * (i + 1) / steps);
		db_bind_text(&q, f->source);
		db_bind_uuid(&q, f->version_id);
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
