/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of data sources. */
#include "store/data_source_rows.h"

#define SELECT "SELECT id, name, created_us FROM data_source"

static void read_row(struct db_query *q, struct arena *a, struct data_source_row *out)
{
	*out = (struct data_source_row){
		.id = db_uuid(q, 0),
		.name = db_text(q, 1, a),
		.created_us = db_integer(q, 2),
	};
}

static enum status name_taken(const char *name, struct err *err)
{
	return err_set(err, ST_CONFLICT, "A data source named \"%.200s\" exists already.", name);
}

static enum status missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no data source with the id %s.", text);
}

/* *inserted: false when the name was there. */
static enum status insert(struct db_conn *c, const struct data_source_row *s, bool *inserted, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO data_source (id, name, created_us) VALUES ($1, $2, $3)"
					" ON CONFLICT (name) DO NOTHING");
	db_bind_uuid(&q, s->id);
	db_bind_text(&q, s->name);
	db_bind_integer(&q, s->created_us);
	TRY(db_done(&q, err));
	*inserted = db_changes(c) == 1;
	return ST_OK;
}

enum status data_source_rows_insert(struct db_conn *c, const struct data_source_row *s, struct err *err)
{
	bool inserted;
	TRY(insert(c, s, &inserted, err));
	return inserted ? ST_OK : name_taken(s->name, err);
}

enum status data_source_rows_get_or_create(
	struct db_conn *c, const char *name, int64_t now_us, struct uuid *id, struct err *err)
{
	struct db_query q = db_query(c, "SELECT id FROM data_source WHERE name = $1");
	db_bind_text(&q, name);
	bool found = db_next(&q);
	if (found)
		*id = db_uuid(&q, 0);
	TRY(db_done(&q, err));
	if (found)
		return ST_OK;
	struct data_source_row row = {.id = uuid_v7(now_us / 1000), .name = name, .created_us = now_us};
	*id = row.id;
	return data_source_rows_insert(c, &row, err);
}

static enum status read_one(
	struct db_query *q, struct arena *a, struct data_source_row *out, bool *found, struct err *err)
{
	*found = db_next(q);
	if (*found)
		read_row(q, a, out);
	return db_done(q, err);
}

enum status data_source_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct data_source_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(read_one(&q, a, out, &found, err));
	return found ? ST_OK : missing(id, err);
}

enum status data_source_rows_by_name(
	struct db_conn *c, const char *name, struct arena *a, struct data_source_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " WHERE name = $1");
	db_bind_text(&q, name);
	TRY(read_one(&q, a, out, &found, err));
	return found ? ST_OK : err_set(err, ST_MISSING, "There is no data source named \"%.200s\".", name);
}

enum status data_source_rows_list(struct db_conn *c, const struct rows_page *page, struct arena *a,
	struct data_source_row **items, size_t *count, int64_t *total, struct err *err)
{
	static const char *const sql[ROWS_ORDER_COUNT] =
		ROWS_ORDERED(SELECT, "created_us", "name", "LIMIT $1 OFFSET $2");
	struct db_query q = db_query(c, "SELECT count(*) FROM data_source");
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

/* Images that are no more know their source by its name. */
static enum status rename_gone(struct db_conn *c, struct uuid id, const char *name, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE gone_prediction SET source = $1 WHERE source ="
					" (SELECT name FROM data_source WHERE id = $2)");
	db_bind_text(&q, name);
	db_bind_uuid(&q, id);
	return db_done(&q, err);
}

enum status data_source_rows_rename(struct db_conn *c, struct uuid id, const char *name, struct err *err)
{
	TRY(rename_gone(c, id, name, err));
	struct db_query q = db_query(c, "UPDATE data_source SET name = $1 WHERE id = $2");
	db_bind_text(&q, name);
	db_bind_uuid(&q, id);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return name_taken(name, err);
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : missing(id, err);
}

enum status data_source_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	TRY(rename_gone(c, id, "", err));
	struct db_query q = db_query(c, "UPDATE data SET source_id = NULL WHERE source_id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	q = db_query(c, "DELETE FROM data_source WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(id, err);
}
