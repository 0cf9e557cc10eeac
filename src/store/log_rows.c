/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A prediction stands in one of two tables, at one position: `prediction` while its image is there,
 * `gone_prediction` afterwards. Every query here reads both in order, so that no image that is deleted
 * changes what was counted.
 */
#include "store/log_rows.h"

#include "base/check.h"
#include "base/compare.h"
#include "base/str.h"
#include "store/rows.h"

#include <stdlib.h>

#define COLUMNS                                                                                              \
	"p.position AS position, p.id, p.deployment_id, p.predicted_asset_id, p.model_version_id,"           \
	" p.is_shadow, p.created_us AS created_us, p.threshold, p.latency_us, p.cpu_us, p.shapes,"           \
	" p.features, p.image_stats, p.image_sign, "
#define KEPT                                                                                                 \
	"SELECT " COLUMNS "coalesce(s.name, ''), d.width, d.height, 0"                                       \
	" FROM prediction p JOIN predicted_asset a ON a.id = p.predicted_asset_id"                           \
	" JOIN data d ON d.id = a.data_id LEFT JOIN data_source s ON s.id = d.source_id WHERE "
#define GONE "SELECT " COLUMNS "p.source, p.width, p.height, 1 FROM gone_prediction p WHERE "

static void read_row(struct db_query *q, struct arena *a, struct log_row *out)
{
	*out = (struct log_row){
		.position = db_integer(q, 0),
		.id = db_uuid(q, 1),
		.deployment_id = db_uuid(q, 2),
		.predicted_asset_id = db_uuid(q, 3),
		.version_id = db_uuid(q, 4),
		.is_shadow = db_integer(q, 5) != 0,
		.created_us = db_integer(q, 6),
		.threshold = db_real(q, 7),
		.latency_us = db_integer(q, 8),
		.cpu_us = db_integer(q, 9),
		.shapes = db_blob(q, 10, a),
		.features = db_blob(q, 11, a),
		.image_stats = db_text(q, 12, a),
		.image_sign = db_blob(q, 13, a),
		.source = db_text(q, 14, a),
		.width = (uint32_t)db_integer(q, 15),
		.height = (uint32_t)db_integer(q, 16),
		.gone = db_integer(q, 17) != 0,
	};
}

/* ---- in the order of positions ---- */

/* Each table in its own order, merged: the limit ends the reading. A deployment's champions and shadows are
 * two indexes. */
#define AFTER_ALL KEPT "p.position > $1 UNION ALL " GONE "p.position > $1 ORDER BY position LIMIT $2"
#define AFTER_ONE                                                                                            \
	KEPT "p.deployment_id = $3 AND p.position > $1 AND p.is_shadow = 0 UNION ALL " KEPT                  \
	     "p.deployment_id = $3 AND p.position > $1 AND p.is_shadow = 1 UNION ALL " GONE                  \
	     "p.deployment_id = $3 AND p.position > $1 ORDER BY position LIMIT $2"

enum status log_rows_after(struct db_conn *c, struct uuid deployment_id, int64_t position, size_t limit,
	struct arena *a, struct log_row **items, size_t *count, struct err *err)
{
	bool all = uuid_is_zero(deployment_id);
	struct db_query q = db_query(c, all ? AFTER_ALL : AFTER_ONE);
	db_bind_integer(&q, position);
	db_bind_integer(&q, (int64_t)limit);
	if (!all)
		db_bind_uuid(&q, deployment_id);
	*items = ARENA_ARRAY(a, struct log_row, limit ? limit : 1);
	for (*count = 0; *count < limit && db_next(&q); (*count)++)
		read_row(&q, a, &(*items)[*count]);
	return db_done(&q, err);
}

enum status log_rows_end(struct db_conn *c, int64_t *position, struct err *err)
{
	/* Not the highest that is there: a deployment that was deleted took its own along. */
	struct db_query q = db_query(c, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence"
					" WHERE name = 'prediction'");
	return rows_number(&q, position, err);
}

/* ---- by a filter ---- */

/* The values of one arm of a query, in the order of its `?`. */
struct condition {
	struct str text;
	struct db_value *values;
	size_t count, room;
	struct arena *arena;
};

static void add(struct condition *w, const char *text)
{
	str_append(&w->text, text);
}

static void value(struct condition *w, struct db_value v)
{
	w->values = rows_grow(w->arena, w->values, w->count, &w->room, sizeof(*w->values));
	w->values[w->count++] = v;
}

static void integer(struct condition *w, const char *text, int64_t number)
{
	add(w, text);
	value(w, (struct db_value){.type = DB_INTEGER, .integer = number});
}

static void id(struct condition *w, const char *text, const struct uuid *id)
{
	add(w, text);
	value(w, (struct db_value){.type = DB_BLOB, .bytes = span_of(id->bytes, sizeof(id->bytes))});
}

static void text(struct condition *w, const char *sql, const char *text)
{
	add(w, sql);
	value(w, (struct db_value){.type = DB_TEXT, .bytes = span_of_text(text)});
}

static void add_tags(struct condition *w, const struct log_filter *f)
{
	add(w, " AND EXISTS (SELECT 1 FROM tag_target x JOIN tag t ON t.id = x.tag_id"
	       " WHERE x.target_id IN (a.id, a.data_id) AND t.name IN (");
	for (size_t i = 0; i < f->tag_count; i++)
		text(w, i ? ", ?" : "?", f->tags[i]);
	add(w, "))");
}

static void add_filter(
	struct condition *w, const struct uuid *deployment_id, const struct log_filter *f, bool gone)
{
	id(w, "p.deployment_id = ?", deployment_id);
	add(w, " AND p.is_shadow = 0");
	if (f->from_us)
		integer(w, " AND p.created_us >= ?", f->from_us);
	if (f->to_us)
		integer(w, " AND p.created_us < ?", f->to_us);
	if (f->after)
		integer(w, " AND p.position > ?", f->after);
	if (!uuid_is_zero(f->version_id))
		id(w, " AND p.model_version_id = ?", &f->version_id);
	if (f->source)
		text(w, gone ? " AND p.source = ?" : " AND coalesce(s.name, '') = ?", f->source);
	if (f->tag_count && gone)
		add(w, " AND 0"); /* tags went with the image */
	else if (f->tag_count)
		add_tags(w, f);
}

static void add_positions(struct condition *w, const int64_t *positions, size_t count)
{
	add(w, " AND p.position IN (");
	for (size_t i = 0; i < count; i++)
		integer(w, i ? ", ?" : "?", positions[i]);
	add(w, ")");
}

/* Both arms; positions NULL: all. The statement lives in the arena. */
static struct db_query filtered(struct db_conn *c, const struct uuid *deployment_id,
	const struct log_filter *f, const int64_t *positions, size_t count, const char *order,
	struct arena *a)
{
	struct condition w = {.arena = a};
	str_init(&w.text, 1u << 20);
	for (int gone = 0; gone < 2; gone++) {
		add(&w, gone ? " UNION ALL " GONE : KEPT);
		add_filter(&w, deployment_id, f, gone);
		if (positions)
			add_positions(&w, positions, count);
	}
	add(&w, order);
	/* The seam numbers its parameters. */
	struct str sql;
	str_init(&sql, 1u << 20);
	int number = 0;
	for (const char *p = str_text(&w.text); *p; p++) {
		if (*p == '?')
			str_printf(&sql, "$%d", ++number);
		else
			str_printf(&sql, "%c", *p);
	}
	CHECK((size_t)number == w.count);
	struct db_query q = db_query_dynamic(c, arena_strdup(a, str_text(&sql)));
	str_release(&sql);
	str_release(&w.text);
	for (size_t i = 0; i < w.count; i++)
		db_bind_value(&q, &w.values[i]);
	return q;
}

static bool passes(const struct log_filter *f, const struct log_row *row)
{
	if (f->without_count && bsearch(&row->predicted_asset_id, f->without, f->without_count,
					sizeof(*f->without), compare_uuid))
		return false;
	return f->keep == NULL || f->keep(f->keep_arg, row);
}

#define SCRATCH_BYTES_MAX (1u << 20)

/* The rows of a query that pass, at most limit, after those that are there. */
static enum status read_passing(struct db_query *q, const struct log_filter *f, size_t limit, struct arena *a,
	struct log_row **items, size_t *count, size_t room, struct err *err)
{
	const bool all_pass = f->keep == NULL && f->without_count == 0;
	struct arena scratch; /* for what does not pass, which may be most */
	arena_init(&scratch);
	while (*count < limit && db_next(q)) {
		struct log_row row;
		if (!all_pass)
			read_row(q, &scratch, &row);
		if (all_pass || passes(f, &row)) {
			*items = rows_grow(a, *items, *count, &room, sizeof(**items));
			read_row(q, a, &(*items)[(*count)++]);
		}
		if (scratch.used_bytes > SCRATCH_BYTES_MAX) {
			arena_release(&scratch);
			arena_init(&scratch);
		}
	}
	arena_release(&scratch);
	return db_done(q, err);
}

enum status log_rows_newest(struct db_conn *c, struct uuid deployment_id, const struct log_filter *f,
	size_t limit, struct arena *a, struct log_row **items, size_t *count, struct err *err)
{
	struct db_query q =
		filtered(c, &deployment_id, f, NULL, 0, " ORDER BY created_us DESC, position DESC", a);
	*items = NULL;
	*count = 0;
	return read_passing(&q, f, limit, a, items, count, 0, err);
}

#define POSITIONS_AT_ONCE 50 /* SQLite looks up each named parameter among all of the statement */

static enum status read_lists(struct db_conn *c, struct uuid deployment_id, const struct log_filter *f,
	const int64_t *positions, size_t position_count, struct arena *a, struct log_row **items,
	size_t *count, struct err *err)
{
	for (size_t from = 0; from < position_count; from += POSITIONS_AT_ONCE) {
		size_t size =
			position_count - from < POSITIONS_AT_ONCE ? position_count - from : POSITIONS_AT_ONCE;
		struct db_query q =
			filtered(c, &deployment_id, f, positions + from, size, " ORDER BY position", a);
		TRY(read_passing(&q, f, position_count, a, items, count, position_count + 1, err));
	}
	return ST_OK;
}

/* The plus keeps SQLite from an index of deployments, which finds the row's key that is known already. */
#define AT "p.position = $1 AND +p.deployment_id = $2 AND p.is_shadow = 0"

static enum status read_each(struct db_conn *c, struct uuid deployment_id, const struct log_filter *f,
	const int64_t *positions, size_t position_count, struct arena *a, struct log_row **items,
	size_t *count, struct err *err)
{
	for (size_t i = 0; i < position_count; i++) {
		struct db_query q = db_query(c, KEPT AT " UNION ALL " GONE AT);
		db_bind_integer(&q, positions[i]);
		db_bind_uuid(&q, deployment_id);
		TRY(read_passing(&q, f, position_count, a, items, count, position_count + 1, err));
	}
	return ST_OK;
}

/* One statement that is kept and run for each position is quicker than lists of them, which are another text
 * each time; so are conditions. */
static bool has_conditions(const struct log_filter *f)
{
	return f->from_us || f->to_us || f->after || !uuid_is_zero(f->version_id) || f->source ||
	       f->tag_count;
}

enum status log_rows_at(struct db_conn *c, struct uuid deployment_id, const struct log_filter *f,
	const int64_t *positions, size_t position_count, struct arena *a, struct log_row **items,
	size_t *count, struct err *err)
{
	*items = ARENA_ARRAY(a, struct log_row, position_count + 1);
	*count = 0;
	if (has_conditions(f))
		return read_lists(c, deployment_id, f, positions, position_count, a, items, count, err);
	return read_each(c, deployment_id, f, positions, position_count, a, items, count, err);
}
