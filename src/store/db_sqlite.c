/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database seam on SQLite. A connection keeps its prepared statements in a
 * small hash table by the address of their SQL, which is a literal; those made at
 * run time are prepared each time. The order of
 * writes and syncs behind a commit is in docs/internals/store.md.
 */
#include "store/db_sqlite.h"

#include "base/check.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STATEMENTS_MAX 1024 /* of one connection: more means that somebody builds SQL at run time */
#define BUSY_WAIT_MS 5000   /* for another process that writes, like a backup */
#define TRUNCATE_WAIT_MS 50 /* for readers, by the writer between two commits */
#define LOG_FRAME_HEADER_BYTES 24

struct sqlite_db {
	struct db db;
	char path[PATH_MAX];
	char folder[PATH_MAX]; /* of a temporary database, else "" */
	bool can_be_remade;
};

struct sqlite_stmt {
	struct db_stmt stmt;
	sqlite3_stmt *handle;
	const char *sql;
	bool in_use;
	bool kept; /* in the connection's table */
	bool stepped;
	int bound;      /* how many have a value */
	int parameters; /* $1 to $parameters */
	struct {
		int position; /* SQLite's index of `$n` */
		bool bound;
	} values[]; /* of `$n` at n - 1 */
};

struct sqlite_conn {
	struct db_conn conn;
	sqlite3 *handle;
	bool writing;
	bool transaction; /* a script began one and none ended it */
	struct err lost;  /* why SQLite ended the transaction by itself; status ST_OK while it did not */
	int log_pages;    /* after this connection's last commit */
	int page_bytes;
	struct sqlite_stmt **table; /* open addressing, room is a power of two */
	unsigned room, count;
};

/* ---- errors ---- */

static bool disk_is_full(sqlite3 *handle, int code)
{
	int reason = handle ? sqlite3_system_errno(handle) : 0;
	bool of_the_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
	return code == SQLITE_FULL ||
	       (of_the_system && (reason == ENOSPC || reason == EDQUOT || reason == EFBIG));
}

/* The sentence for what this call on the handle just answered. */
static enum status sqlite_error(sqlite3 *handle, int code, const char *sql, struct err *err)
{
	const char *text = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
	if (disk_is_full(handle, code))
		return err_set(err, ST_UNAVAILABLE,
			"The disk is full: the database cannot write (%s). Make space and try again.", text);
	switch (code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return err_set(err, ST_CONFLICT, "It contradicts what is stored: %s.", text);
	}
	switch (code & 0xff) {
	case SQLITE_IOERR:
		return err_set(
			err, ST_UNAVAILABLE, "The database's disk failed (%s, SQLite code %d).", text, code);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, ST_UNAVAILABLE, "The database is in use by somebody else (%s).", text);
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN: /* too many open files, no permission, mounted read-only */
		return err_set(err, ST_UNAVAILABLE,
			"The database cannot open or write its files (%s, SQLite code %d).", text, code);
	case SQLITE_NOMEM: return err_set(err, ST_UNAVAILABLE, "The database found no memory.");
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(err, ST_INTERNAL,
			"The database file is damaged or is no database (%s, SQLite code %d).", text, code);
	}
	return err_set(err, ST_INTERNAL, "The database cannot run \"%.160s\": %s (SQLite code %d).", sql,
		text, code);
}

/*
 * SQLite rolls the whole transaction back by itself on some errors (a full disk
 * at a bad moment). What follows would then run outside of any transaction and be
 * committed alone, so everything but ROLLBACK is refused with the first error.
 */
static void note_lost_transaction(struct sqlite_conn *c, const struct err *why)
{
	if (c->transaction && c->lost.status == ST_OK && sqlite3_get_autocommit(c->handle))
		c->lost = *why;
}

static enum status check_transaction(struct sqlite_conn *c, struct err *err)
{
	if (c->lost.status == ST_OK)
		return ST_OK;
	if (err)
		*err = c->lost;
	return c->lost.status;
}

static enum status fail(struct sqlite_conn *c, int code, const char *sql, struct err *err)
{
	struct err why;
	enum status st = sqlite_error(c->handle, code, sql, &why);
	note_lost_transaction(c, &why);
	if (err)
		*err = why;
	return st;
}

/* ---- scripts and transactions ---- */

static enum status sqlite_script(struct db_conn *conn, const char *sql, struct err *err)
{
	struct sqlite_conn *c = (struct sqlite_conn *)conn;
	if (c->lost.status != ST_OK && strcmp(sql, "ROLLBACK") == 0) {
		c->lost.status = ST_OK;
		c->transaction = false;
		return ST_OK;
	}
	TRY(check_transaction(c, err));
	/* A writer takes its lock at once: a lock that is refused in mid-transaction could not be waited for.
	 */
	const char *run = c->writing && strcmp(sql, "BEGIN") == 0 ? "BEGIN IMMEDIATE" : sql;
	int code = sqlite3_exec(c->handle, run, NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return fail(c, sqlite3_extended_errcode(c->handle), sql, err);
	c->transaction = !sqlite3_get_autocommit(c->handle);
	return ST_OK;
}

/* ---- statements ---- */

static unsigned table_place(const struct sqlite_conn *c, const char *sql)
{
	uint64_t hash = (uint64_t)(uintptr_t)sql * 0x9e3779b97f4a7c15u;
	unsigned at = (unsigned)(hash >> 32) & (c->room - 1);
	while (c->table[at] && c->table[at]->sql != sql)
		at = (at + 1) & (c->room - 1);
	return at;
}

static void table_grow(struct sqlite_conn *c)
{
	struct sqlite_stmt **old = c->table;
	unsigned old_room = c->room;
	c->room = old_room ? 2 * old_room : 64;
	c->table = calloc(c->room, sizeof(struct sqlite_stmt *));
	CHECK(c->table != NULL);
	for (unsigned i = 0; i < old_room; i++)
		if (old[i])
			c->table[table_place(c, old[i]->sql)] = old[i];
	free(old);
}

static void table_add(struct sqlite_conn *c, struct sqlite_stmt *s)
{
	CHECK(c->count < STATEMENTS_MAX);
	if (2 * (c->count + 1) > c->room)
		table_grow(c);
	unsigned at = table_place(c, s->sql);
	CHECK(c->table[at] == NULL);
	c->table[at] = s;
	c->count++;
	s->kept = true;
}

static void statement_free(struct sqlite_stmt *s)
{
	if (s == NULL)
		return;
	sqlite3_finalize(s->handle);
	free(s);
}

/* SQLite numbers `$n` by first appearance; we mean n. */
static void map_parameters(struct sqlite_stmt *s)
{
	for (int n = 1; n <= s->parameters; n++) {
		char name[16];
		snprintf(name, sizeof(name), "$%d", n);
		int position = sqlite3_bind_parameter_index(s->handle, name);
		CHECK(position > 0); /* every parameter is one of $1 … $parameters */
		s->values[n - 1].position = position;
	}
}

static enum status statement_new(
	struct sqlite_conn *c, const char *sql, struct sqlite_stmt **out, struct err *err)
{
	sqlite3_stmt *handle = NULL;
	const char *rest = NULL;
	int code = sqlite3_prepare_v3(c->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, &rest);
	if (code != SQLITE_OK)
		return fail(c, sqlite3_extended_errcode(c->handle), sql, err);
	CHECK(handle && rest[strspn(rest, " \t\n;")] == '\0'); /* one statement */
	int parameters = sqlite3_bind_parameter_count(handle);
	CHECK(parameters <= DB_PARAMETERS_MAX);
	struct sqlite_stmt *s = calloc(1, sizeof(*s) + (size_t)parameters * sizeof(s->values[0]));
	CHECK(s != NULL);
	s->stmt = (struct db_stmt){.ops = c->conn.ops, .conn = &c->conn};
	s->handle = handle;
	s->parameters = parameters;
	s->sql = sql;
	map_parameters(s);
	*out = s;
	return ST_OK;
}

static void forget_values(struct sqlite_stmt *s)
{
	s->bound = 0;
	for (int i = 0; i < s->parameters; i++)
		s->values[i].bound = false;
}

static enum status sqlite_prepare(
	struct db_conn *conn, const char *sql, bool keep, struct db_stmt **out, struct err *err)
{
	struct sqlite_conn *c = (struct sqlite_conn *)conn;
	TRY(check_transaction(c, err));
	struct sqlite_stmt *s = keep && c->room ? c->table[table_place(c, sql)] : NULL;
	if (s) {
		/* Another text at the same address: it was no literal. */
		const char *text = sqlite3_sql(s->handle);
		CHECK(strncmp(text, sql, strlen(text)) == 0);
	}
	if (s == NULL ||
		s->in_use) { /* a query inside the same query gets a statement of its own, not kept */
		keep = keep && s == NULL;
		TRY(statement_new(c, sql, &s, err));
		CHECK(s != NULL);
		if (keep)
			table_add(c, s);
	}
	s->in_use = true;
	s->stepped = false;
	forget_values(s);
	*out = &s->stmt;
	return ST_OK;
}

static enum status sqlite_bind(struct db_stmt *stmt, int index, const struct db_value *value, struct err *err)
{
	struct sqlite_stmt *s = (struct sqlite_stmt *)stmt;
	CHECK(s->in_use && !s->stepped && index >= 1 && index <= s->parameters);
	int at = s->values[index - 1].position;
	sqlite3_destructor_type life = value->bytes.size <= DB_COPIED_MAX ? SQLITE_TRANSIENT : SQLITE_STATIC;
	const char *data = value->bytes.data ? (const char *)value->bytes.data : "";
	int code = SQLITE_OK;
	switch (value->type) {
	case DB_NULL: code = sqlite3_bind_null(s->handle, at); break;
	case DB_INTEGER: code = sqlite3_bind_int64(s->handle, at, value->integer); break;
	case DB_REAL: code = sqlite3_bind_double(s->handle, at, value->real); break;
	case DB_TEXT:
		code = sqlite3_bind_text64(s->handle, at, data, value->bytes.size, life, SQLITE_UTF8);
		break;
	case DB_BLOB: code = sqlite3_bind_blob64(s->handle, at, data, value->bytes.size, life); break;
	}
	s->bound += !s->values[index - 1].bound;
	s->values[index - 1].bound = true;
	if (code != SQLITE_OK)
		return fail((struct sqlite_conn *)stmt->conn, code, s->sql, err);
	return ST_OK;
}

static enum status sqlite_step(struct db_stmt *stmt, bool *row, struct err *err)
{
	struct sqlite_stmt *s = (struct sqlite_stmt *)stmt;
	struct sqlite_conn *c = (struct sqlite_conn *)stmt->conn;
	CHECK(s->in_use);
	if (!s->stepped)
		CHECK(s->bound == s->parameters); /* all of them */
	s->stepped = true;
	*row = false;
	TRY(check_transaction(c, err));
	int code = sqlite3_step(s->handle);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return fail(c, sqlite3_extended_errcode(c->handle), s->sql, err);
	*row = code == SQLITE_ROW;
	return ST_OK;
}

static void sqlite_column(struct db_stmt *stmt, int index, struct db_value *out)
{
	sqlite3_stmt *handle = ((struct sqlite_stmt *)stmt)->handle;
	CHECK(index >= 0 && index < sqlite3_data_count(handle));
	*out = (struct db_value){0};
	switch (sqlite3_column_type(handle, index)) {
	case SQLITE_NULL: out->type = DB_NULL; break;
	case SQLITE_INTEGER:
		out->type = DB_INTEGER;
		out->integer = sqlite3_column_int64(handle, index);
		break;
	case SQLITE_FLOAT:
		out->type = DB_REAL;
		out->real = sqlite3_column_double(handle, index);
		break;
	case SQLITE_TEXT:
		out->type = DB_TEXT;
		out->bytes.data = sqlite3_column_text(handle, index);
		out->bytes.size = (size_t)sqlite3_column_bytes(handle, index);
		break;
	default:
		out->type = DB_BLOB;
		out->bytes.data = sqlite3_column_blob(handle, index);
		out->bytes.size = (size_t)sqlite3_column_bytes(handle, index);
	}
}

static void sqlite_finish(struct db_stmt *stmt)
{
	struct sqlite_stmt *s = (struct sqlite_stmt *)stmt;
	CHECK(s->in_use);
	if (!s->kept) {
		statement_free(s);
		return;
	}
	sqlite3_reset(s->handle); /* repeats the error of the last step, which was reported */
	sqlite3_clear_bindings(s->handle);
	s->in_use = false;
}

static int64_t sqlite_changes(struct db_conn *conn)
{
	return sqlite3_changes64(((struct sqlite_conn *)conn)->handle);
}

/* ---- the log ---- */

static int after_commit(void *arg, sqlite3 *handle, const char *name, int pages)
{
	((struct sqlite_conn *)arg)->log_pages = pages;
	return SQLITE_OK;
}

static int64_t sqlite_log_bytes(struct db_conn *conn)
{
	struct sqlite_conn *c = (struct sqlite_conn *)conn;
	return (int64_t)c->log_pages * (c->page_bytes + LOG_FRAME_HEADER_BYTES);
}

static enum status sqlite_checkpoint(struct db_conn *conn, bool truncate, struct err *err)
{
	struct sqlite_conn *c = (struct sqlite_conn *)conn;
	sqlite3_busy_timeout(c->handle, truncate ? TRUNCATE_WAIT_MS : 0);
	int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
	int code = sqlite3_wal_checkpoint_v2(c->handle, "main", mode, NULL, NULL);
	sqlite3_busy_timeout(c->handle, BUSY_WAIT_MS);
	if (code != SQLITE_OK)
		return fail(c, sqlite3_extended_errcode(c->handle), "checkpoint", err);
	if (truncate)
		c->log_pages = 0;
	return ST_OK;
}

/* ---- connections ---- */

static void sqlite_disconnect(struct db_conn *conn)
{
	struct sqlite_conn *c = (struct sqlite_conn *)conn;
	for (unsigned i = 0; i < c->room; i++) {
		CHECK(c->table[i] == NULL || !c->table[i]->in_use);
		statement_free(c->table[i]);
	}
	free(c->table);
	CHECK(sqlite3_close(c->handle) == SQLITE_OK); /* SQLITE_BUSY: a statement was not finished */
	free(c);
}

static int page_bytes_row(void *arg, int columns, char **values, char **names)
{
	*(int *)arg = (int)strtol(values[0], NULL, 10);
	return 0;
}

static int log_mode_row(void *arg, int columns, char **values, char **names)
{
	*(bool *)arg = strcmp(values[0], "wal") == 0;
	return 0;
}

/* The empty transaction opens the log for writing now; later, SQLite would fall back to reading it only. */
static const char writer_settings[] = "PRAGMA foreign_keys = ON;"
				      "PRAGMA temp_store = MEMORY;"
				      "PRAGMA cache_size = -4096;"
				      "PRAGMA wal_autocheckpoint = 0;"
				      "BEGIN IMMEDIATE;"
				      "COMMIT";
static const char reader_settings[] = "PRAGMA query_only = ON;"
				      "PRAGMA temp_store = MEMORY;"
				      "PRAGMA mmap_size = 67108864;"
				      "PRAGMA wal_autocheckpoint = 0";

static enum status set_up(struct sqlite_conn *c, const struct sqlite_db *db, struct err *err)
{
	sqlite3 *h = c->handle;
	sqlite3_extended_result_codes(h, 1);
	sqlite3_busy_timeout(h, BUSY_WAIT_MS);
	sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DML, 0, NULL); /* "x" is a name, never a text */
	sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	bool has_log = false;
	const char *sql = "PRAGMA journal_mode = WAL";
	int code = sqlite3_exec(h, sql, log_mode_row, &has_log, NULL);
	if (code == SQLITE_OK && !has_log)
		return err_set(err, ST_INTERNAL,
			"The file system of %.300s cannot hold a database in WAL mode.", db->path);
	if (code == SQLITE_OK)
		code = sqlite3_exec(h, sql = "PRAGMA page_size", page_bytes_row, &c->page_bytes, NULL);
	if (code == SQLITE_OK) {
		sql = db->folder[0]       ? "PRAGMA synchronous = OFF"
		      : db->can_be_remade ? "PRAGMA synchronous = NORMAL"
					  : "PRAGMA synchronous = FULL";
		code = sqlite3_exec(h, sql, NULL, NULL, NULL);
	}
	if (code == SQLITE_OK) {
		sql = c->writing ? writer_settings : reader_settings;
		code = sqlite3_exec(h, sql, NULL, NULL, NULL);
	}
	if (code != SQLITE_OK)
		return sqlite_error(h, sqlite3_extended_errcode(h), sql, err);
	sqlite3_wal_hook(h, after_commit, c); /* after wal_autocheckpoint, which takes the same hook */
	return ST_OK;
}

/*
 * The names of the file and of its log survive a power cut before anything is written to them. SQLite syncs
 * the folder too, after the first write to a new log, but does not tell when that fails.
 */
static enum status sync_names(const struct sqlite_db *db, struct err *err)
{
	char path[PATH_MAX + 8];
	if (db->folder[0])
		return ST_OK;
	snprintf(path, sizeof(path), "%s-wal", db->path);
	CHECK(file_exists(path)); /* set_up() opened it, and it stays while a connection is open */
	*strrchr(path, '/') = '\0';
	return file_sync_folder(path[0] ? path : "/", err);
}

static enum status sqlite_connect(struct db *base, bool writing, struct db_conn **out, struct err *err)
{
	struct sqlite_db *db = (struct sqlite_db *)base;
	struct sqlite_conn *c = calloc(1, sizeof(*c));
	CHECK(c != NULL);
	c->conn = (struct db_conn){.ops = base->ops, .db = base};
	c->writing = writing;
	/* No mutex: a connection belongs to one thread at a time. */
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int code = sqlite3_open_v2(db->path, &c->handle, flags, NULL);
	enum status st =
		code == SQLITE_OK ? set_up(c, db, err) : sqlite_error(c->handle, code, db->path, err);
	if (st == ST_OK && writing)
		st = sync_names(db, err);
	if (st != ST_OK) {
		sqlite_disconnect(&c->conn);
		return st;
	}
	*out = &c->conn;
	return ST_OK;
}

/* ---- the database ---- */

static void sqlite_close(struct db *base)
{
	struct sqlite_db *db = (struct sqlite_db *)base;
	static const char *const endings[] = {"", "-wal", "-shm"};
	for (unsigned i = 0; db->folder[0] && i < COUNT_OF(endings); i++) {
		char path[PATH_MAX + 8];
		snprintf(path, sizeof(path), "%s%s", db->path, endings[i]);
		unlink(path);
	}
	if (db->folder[0])
		rmdir(db->folder);
	free(db);
}

static const struct db_ops sqlite_ops = {
	.scheme = "sqlite",
	.connect = sqlite_connect,
	.disconnect = sqlite_disconnect,
	.script = sqlite_script,
	.prepare = sqlite_prepare,
	.bind = sqlite_bind,
	.step = sqlite_step,
	.column = sqlite_column,
	.finish = sqlite_finish,
	.changes = sqlite_changes,
	.log_bytes = sqlite_log_bytes,
	.checkpoint = sqlite_checkpoint,
	.close = sqlite_close,
};

/* SQLite would create the file readable to all; its log and index take the file's mode. */
static enum status create_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, "The database %s cannot be opened", path);
	close(fd);
	return ST_OK;
}

static enum status open_checked(struct sqlite_db *db, struct db **out, struct err *err)
{
	enum status st = create_file(db->path, err);
	struct db_conn *c = NULL;
	if (st == ST_OK)
		st = sqlite_connect(&db->db, true, &c, err);
	if (st != ST_OK) {
		sqlite_close(&db->db);
		return st;
	}
	sqlite_disconnect(c);
	*out = &db->db;
	return ST_OK;
}

static enum status open_path(const char *path, bool can_be_remade, struct db **out, struct err *err)
{
	struct sqlite_db *db = calloc(1, sizeof(*db));
	CHECK(db != NULL);
	db->db.ops = &sqlite_ops;
	db->can_be_remade = can_be_remade;
	/* A name that begins with a folder has no special meaning to SQLite (as "file:…" and ":memory:"
	 * have). */
	const char *front = path[0] == '/' ? "" : "./";
	if (snprintf(db->path, sizeof(db->path), "%s%s", front, path) >= (int)sizeof(db->path)) {
		free(db);
		return err_set(err, ST_INVALID, "The path %.100s… is too long.", path);
	}
	return open_checked(db, out, err);
}

enum status db_sqlite_open(const char *path, struct db **out, struct err *err)
{
	return open_path(path, false, out, err);
}

enum status db_sqlite_open_remade(const char *path, struct db **out, struct err *err)
{
	return open_path(path, true, out, err);
}

enum status db_sqlite_open_temporary(struct db **out, struct err *err)
{
	struct sqlite_db *db = calloc(1, sizeof(*db));
	CHECK(db != NULL);
	db->db.ops = &sqlite_ops;
	const char *temporary = getenv("TMPDIR") ? getenv("TMPDIR") : P_tmpdir;
	snprintf(db->folder, sizeof(db->folder), "%s/gyre-db-XXXXXX", temporary);
	if (mkdtemp(db->folder) == NULL) {
		enum status st =
			err_errno(err, "A folder for a temporary database cannot be made in %s", temporary);
		free(db);
		return st;
	}
	if (snprintf(db->path, sizeof(db->path), "%s/db", db->folder) >= (int)sizeof(db->path)) {
		sqlite_close(&db->db);
		return err_set(err, ST_INVALID, "The path %.100s… is too long.", temporary);
	}
	return open_checked(db, out, err);
}
