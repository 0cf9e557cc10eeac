/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of datalakes. */
#include "store/datalake_rows.h"

#define SELECT "SELECT id, organization_id, name, created_us FROM datalake"

static void read_row(struct db_query *q, struct arena *a, struct datalake_row *out)
{
	*out = (struct datalake_row){
		.id = db_uuid(q, 0),
		.organization_id = db_uuid(q, 1),
		.name = db_text(q, 2, a),
		.created_us = db_integer(q, 3),
	};
}

enum status datalake_rows_insert(struct db_conn *c, const struct datalake_row *d, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO datalake (id, organization_id, name, created_us)"
					" VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING");
	db_bind_uuid(&q, d->id);
	db_bind_uuid(&q, d->organization_id);
	db_bind_text(&q, d->name);
	db_bind_integer(&q, d->created_us);
	TRY(db_done(&q, err));
	if (db_changes(c) == 1)
		return ST_OK;
	return err_set(err, ST_CONFLICT, "A datalake named \"%.200s\" exists already.", d->name);
}

static enum status read_one(
	struct db_query *q, struct arena *a, struct datalake_row *out, bool *found, struct err *err)
{
	*found = db_next(q);
	if (*found)
		read_row(q, a, out);
	return db_done(q, err);
}

enum status datalake_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct datalake_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(read_one(&q, a, out, &found, err));
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return found ? ST_OK : err_set(err, ST_MISSING, "There is no datalake with the id %s.", text);
}

enum status datalake_rows_by_name(
	struct db_conn *c, const char *name, struct arena *a, struct datalake_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " WHERE name = $1");
	db_bind_text(&q, name);
	TRY(read_one(&q, a, out, &found, err));
	return found ? ST_OK : err_set(err, ST_MISSING, "There is no datalake named \"%.200s\".", name);
}

enum status datalake_rows_default(
	struct db_conn *c, struct arena *a, struct datalake_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " ORDER BY created_us, id LIMIT 1");
	TRY(read_one(&q, a, out, &found, err));
	return found ? ST_OK : err_set(err, ST_MISSING, "There is no datalake.");
}

enum status datalake_rows_list(struct db_conn *c, const struct rows_page *page, struct arena *a,
	struct datalake_row **items, size_t *count, int64_t *total, struct err *err)
{
	static const char *const sql[ROWS_ORDER_COUNT] =
		ROWS_ORDERED(SELECT, "created_us", "name", "LIMIT $1 OFFSET $2");
	struct db_query q = db_query(c, "SELECT count(*) FROM datalake");
	TRY(rows_number(&q, total, err));
	q = db_query(c, sql[page->order]);
	db_bind_integer(&q, page->limit);
	db_bind_integer(&q, page->offset);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}
