/* SPDX-License-Identifier: Apache-2.0 */
/* The checked way into a database: every caller comes through here, whatever the implementation. */
#include "store/db.h"

#include "base/check.h"

void db_close(struct db *db)
{
	if (db)
		db->ops->close(db);
}

enum status db_connect(struct db *db, bool writing, struct db_conn **out, struct err *err)
{
	*out = NULL;
	TRY(db->ops->connect(db, writing, out, err));
	CHECK(*out && (*out)->ops == db->ops && (*out)->db == db && (*out)->queries == 0);
	return ST_OK;
}

void db_disconnect(struct db_conn *c)
{
	if (c == NULL)
		return;
	CHECK(c->queries == 0);
	c->ops->disconnect(c);
}

enum status db_script(struct db_conn *c, const char *sql, struct err *err)
{
	CHECK(c->queries == 0);
	return c->ops->script(c, sql, err);
}

bool db_has_log(const struct db *db)
{
	CHECK((db->ops->log_bytes == NULL) == (db->ops->checkpoint == NULL));
	return db->ops->checkpoint != NULL;
}

int64_t db_log_bytes(struct db_conn *c)
{
	return c->ops->log_bytes(c);
}

enum status db_checkpoint(struct db_conn *c, bool truncate, struct err *err)
{
	CHECK(c->queries == 0);
	return c->ops->checkpoint(c, truncate, err);
}

int64_t db_changes(struct db_conn *c)
{
	return c->ops->changes(c);
}

/* ---- a query ---- */

static struct db_query query(struct db_conn *c, const char *sql, bool keep)
{
	struct db_query q = {.conn = c, .status = ST_OK};
	c->queries++;
	q.status = c->ops->prepare(c, sql, keep, &q.stmt, &q.err);
	CHECK((q.status == ST_OK) == (q.stmt != NULL));
	return q;
}

struct db_query db_query(struct db_conn *c, const char *sql)
{
	return query(c, sql, true);
}

struct db_query db_query_dynamic(struct db_conn *c, const char *sql)
{
	return query(c, sql, false);
}

static void bind(struct db_query *q, struct db_value value)
{
	CHECK(!q->stepped);
	q->bound++;
	if (q->status == ST_OK)
		q->status = q->stmt->ops->bind(q->stmt, q->bound, &value, &q->err);
}

void db_bind_null(struct db_query *q)
{
	bind(q, (struct db_value){.type = DB_NULL});
}

void db_bind_integer(struct db_query *q, int64_t value)
{
	bind(q, (struct db_value){.type = DB_INTEGER, .integer = value});
}

void db_bind_real(struct db_query *q, double value)
{
	bind(q, (struct db_value){.type = DB_REAL, .real = value});
}

void db_bind_text(struct db_query *q, const char *text)
{
	bind(q, (struct db_value){.type = text ? DB_TEXT : DB_NULL, .bytes = span_of_text(text)});
}

void db_bind_blob(struct db_query *q, struct span bytes)
{
	CHECK(bytes.data != NULL || bytes.size == 0);
	bind(q, (struct db_value){.type = bytes.data ? DB_BLOB : DB_NULL, .bytes = bytes});
}

void db_bind_uuid(struct db_query *q, struct uuid id)
{
	if (uuid_is_zero(id))
		db_bind_null(q);
	else
		db_bind_blob(q, span_of(id.bytes, sizeof(id.bytes)));
}

void db_bind_value(struct db_query *q, const struct db_value *value)
{
	bind(q, *value);
}

bool db_next(struct db_query *q)
{
	q->row = false;
	q->stepped = true;
	if (q->status == ST_OK)
		q->status = q->stmt->ops->step(q->stmt, &q->row, &q->err);
	CHECK(q->status == ST_OK || !q->row);
	return q->row;
}

static struct db_value column_value(struct db_query *q, int column)
{
	CHECK(q->row && column >= 0);
	struct db_value value = {0};
	q->stmt->ops->column(q->stmt, column, &value);
	return value;
}

bool db_is_null(struct db_query *q, int column)
{
	return column_value(q, column).type == DB_NULL;
}

int64_t db_integer(struct db_query *q, int column)
{
	struct db_value value = column_value(q, column);
	CHECK(value.type == DB_INTEGER || value.type == DB_NULL);
	return value.type == DB_NULL ? 0 : value.integer;
}

double db_real(struct db_query *q, int column)
{
	struct db_value value = column_value(q, column);
	CHECK(value.type == DB_REAL || value.type == DB_INTEGER || value.type == DB_NULL);
	if (value.type == DB_INTEGER)
		return (double)value.integer;
	return value.type == DB_NULL ? 0 : value.real;
}

const char *db_text(struct db_query *q, int column, struct arena *a)
{
	struct db_value value = column_value(q, column);
	CHECK(value.type == DB_TEXT || value.type == DB_NULL);
	if (value.type == DB_NULL)
		return NULL;
	return arena_strndup(a, value.bytes.size ? (const char *)value.bytes.data : "", value.bytes.size);
}

struct span db_blob(struct db_query *q, int column, struct arena *a)
{
	struct db_value value = column_value(q, column);
	CHECK(value.type == DB_BLOB || value.type == DB_NULL);
	if (value.type == DB_NULL)
		return (struct span){0};
	/* An empty blob has an address, so that it is told from null. */
	return value.bytes.size ? arena_copy(a, value.bytes) : span_of("", 0);
}

struct uuid db_uuid(struct db_query *q, int column)
{
	struct db_value value = column_value(q, column);
	struct uuid id = {{0}};
	if (value.type == DB_NULL)
		return id;
	CHECK(value.type == DB_BLOB && value.bytes.size == sizeof(id.bytes));
	memcpy(id.bytes, value.bytes.data, sizeof(id.bytes));
	return id;
}

enum status db_done(struct db_query *q, struct err *err)
{
	CHECK(q->conn != NULL); /* done once */
	if (!q->stepped)
		(void)db_next(q);
	if (q->stmt)
		q->stmt->ops->finish(q->stmt);
	CHECK(q->conn->queries > 0);
	q->conn->queries--;
	q->conn = NULL;
	q->stmt = NULL;
	q->row = false;
	if (q->status != ST_OK && err)
		*err = q->err;
	return q->status;
}
