/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database seam, cut at SQL. Statements are written once for all
 * implementations: `$1`…`$n` numbered by first use, ON CONFLICT, RETURNING,
 * 16-byte blobs for ids, integers for times (Unix microseconds).
 *
 * A connection belongs to one thread at a time. Reading: db_reader_take() /
 * db_reader_give(). Writing: only inside a job of the recorder (recorder.h),
 * which commits jobs in groups.
 */
#ifndef GYRE_STORE_DB_H
#define GYRE_STORE_DB_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "base/uuid.h"

#include <stdint.h>

struct db;      /* an opened database, shared by all threads; db_sqlite_open() makes one */
struct db_conn; /* one connection */
struct db_stmt; /* a statement that is bound or being stepped */

#define DB_COPIED_MAX 64       /* bytes; ids and digests may come from the stack */
#define DB_PARAMETERS_MAX 2048 /* of one statement: a look-up of 1,000 keys, and a filter */

enum db_type { DB_NULL, DB_INTEGER, DB_REAL, DB_TEXT, DB_BLOB };

struct db_value {
	enum db_type type;
	int64_t integer;
	double real;
	struct span bytes; /* TEXT and BLOB; from column(): valid until the next step */
};

struct db_ops {
	const char *scheme; /* "sqlite": how the configuration names it */
	enum status (*connect)(struct db *db, bool writing, struct db_conn **out, struct err *err);
	void (*disconnect)(struct db_conn *c); /* rolls back what was not committed */
	/*
	 * One or more statements without parameters or rows: BEGIN, SAVEPOINT, a migration. When an error has
	 * ended the transaction, every call fails with that error until script("ROLLBACK").
	 */
	enum status (*script)(struct db_conn *c, const char *sql, struct err *err);
	/* keep: sql is a string literal, and the statement is kept by its address; else sql lives until
	 * finish. */
	enum status (*prepare)(
		struct db_conn *c, const char *sql, bool keep, struct db_stmt **out, struct err *err);
	/* index: the n of `$n`, from 1. Bytes up to DB_COPIED_MAX are copied, more must live until finish. */
	enum status (*bind)(struct db_stmt *s, int index, const struct db_value *value, struct err *err);
	/*
	 * *row says whether there is one. Unique and foreign key violations are ST_CONFLICT, a full disk is
	 * ST_UNAVAILABLE.
	 */
	enum status (*step)(struct db_stmt *s, bool *row, struct err *err);
	void (*column)(struct db_stmt *s, int index, struct db_value *out); /* from 0 */
	void (*finish)(struct db_stmt *s);     /* the statement may be prepared again */
	int64_t (*changes)(struct db_conn *c); /* rows touched by the last statement */
	/*
	 * Optional (both or none): bytes in the log after the last commit of this writing connection, and
	 * moving the log into the database: beside a writer, or (truncate) by the writer between two commits.
	 * A reader in the way is ST_UNAVAILABLE.
	 */
	int64_t (*log_bytes)(struct db_conn *c);
	enum status (*checkpoint)(struct db_conn *c, bool truncate, struct err *err);
	void (*close)(struct db *db);
};

struct db {
	const struct db_ops *ops; /* every implementation embeds struct db first; decorators too */
};
struct db_conn {
	const struct db_ops *ops;
	struct db *db;
	unsigned queries; /* between db_query() and db_done(); none may be open when a transaction ends */
};
struct db_stmt {
	const struct db_ops *ops;
	struct db_conn *conn;
};

/* ---- callers come through here ---- */

void db_close(struct db *db);
enum status db_connect(struct db *db, bool writing, struct db_conn **out, struct err *err) MUST_CHECK;
void db_disconnect(struct db_conn *c);
enum status db_script(struct db_conn *c, const char *sql, struct err *err) MUST_CHECK;
bool db_has_log(const struct db *db); /* whether the next two may be called */
int64_t db_log_bytes(struct db_conn *c);
enum status db_checkpoint(struct db_conn *c, bool truncate, struct err *err) MUST_CHECK;

/* A pool of reading connections, each inside one snapshot between take and give. */
struct db_readers;
enum status db_readers_new(
	struct db *db, unsigned count_max, struct db_readers **out, struct err *err) MUST_CHECK;
void db_readers_free(struct db_readers *r);
enum status db_reader_take(
	struct db_readers *r, struct db_conn **out, struct err *err) MUST_CHECK; /* waits for one */
void db_reader_give(struct db_readers *r, struct db_conn *c);

/*
 * A query, read top to bottom; errors stick until db_done(), which returns them and finishes the statement:
 *
 *	struct db_query q = db_query(c, "SELECT name FROM model WHERE id = $1");
 *	db_bind_uuid(&q, id);
 *	if (db_next(&q))
 *		name = db_text(&q, 0, arena);
 *	TRY(db_done(&q, err));
 *
 * db_done() runs a statement that was never stepped, so a plain INSERT needs no db_next(). Parameters are
 *bound in order, all of them. Reading a column as another type than it holds is a bug, and so is not calling
 *db_done().
 */
struct db_query {
	struct db_conn *conn;
	struct db_stmt *stmt;
	int bound;
	bool stepped;
	bool row; /* there is one to read */
	enum status status;
	struct err err;
};

struct db_query db_query(struct db_conn *c, const char *sql); /* sql is a literal */
/*
 * The same for SQL that was put together at run time, of literals only: what people wrote is bound, never
 * part of it. Prepared each time; sql must live until db_done().
 */
struct db_query db_query_dynamic(struct db_conn *c, const char *sql);
/* Texts and blobs must live until db_done(). */
void db_bind_null(struct db_query *q);
void db_bind_integer(struct db_query *q, int64_t value);
void db_bind_real(struct db_query *q, double value);
void db_bind_text(struct db_query *q, const char *text);  /* NULL binds null */
void db_bind_blob(struct db_query *q, struct span bytes); /* a NULL data pointer binds null */
void db_bind_uuid(struct db_query *q, struct uuid id);    /* the zero id binds null */
void db_bind_value(struct db_query *q, const struct db_value *value);
bool db_next(struct db_query *q); /* false at the end and on an error */
/* Columns from 0. Texts and blobs are copied into the arena. */
bool db_is_null(struct db_query *q, int column);
int64_t db_integer(struct db_query *q, int column);                   /* null gives 0 */
double db_real(struct db_query *q, int column);                       /* null gives 0 */
const char *db_text(struct db_query *q, int column, struct arena *a); /* null gives NULL */
struct span db_blob(struct db_query *q, int column, struct arena *a); /* null gives a NULL data pointer */
struct uuid db_uuid(struct db_query *q, int column);                  /* null gives zero */
enum status db_done(struct db_query *q, struct err *err) MUST_CHECK;
int64_t db_changes(struct db_conn *c);

#endif
