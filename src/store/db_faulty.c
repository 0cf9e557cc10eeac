/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db_faulty.h"

#include "base/check.h"
#include "os/thread.h"

#include <stdlib.h>

struct faulty_db {
	struct db db;
	struct db *inner;
	pthread_mutex_t mutex;
	/* guarded by mutex: */
	enum db_faulty_call call;
	enum db_faulty_when when;
	enum status status;
	unsigned skip;  /* calls to let pass first */
	unsigned count; /* calls to fail after them; 0: no plan */
	unsigned fired;
};

struct faulty_conn {
	struct db_conn conn;
	struct db_conn *inner;
};

struct faulty_stmt {
	struct db_stmt stmt;
	struct db_stmt *inner;
};

/* ST_OK, or what this call must fail with. */
static enum status planned(
	struct db *db, enum db_faulty_call call, enum db_faulty_when *when, struct err *err)
{
	struct faulty_db *f = (struct faulty_db *)db;
	enum status st = ST_OK;
	mutex_lock(&f->mutex);
	bool same = f->call == DB_FAULTY_ANY || f->call == call ||
		    (f->call == DB_FAULTY_SCRIPT && call == DB_FAULTY_COMMIT);
	if (f->count > 0 && same) {
		if (f->skip > 0) {
			f->skip--;
		} else {
			f->count--;
			f->fired++;
			*when = f->when;
			st = err_set(err, f->status, "This call fails by plan.");
		}
	}
	mutex_unlock(&f->mutex);
	return st;
}

static struct db_conn *inner_conn(struct db_conn *c)
{
	return ((struct faulty_conn *)c)->inner;
}

static struct db_stmt *inner_stmt(struct db_stmt *s)
{
	return ((struct faulty_stmt *)s)->inner;
}

static enum status faulty_connect(struct db *db, bool writing, struct db_conn **out, struct err *err)
{
	struct faulty_db *f = (struct faulty_db *)db;
	enum db_faulty_when when;
	TRY(planned(db, DB_FAULTY_CONNECT, &when, err));
	struct faulty_conn *c = calloc(1, sizeof(*c));
	CHECK(c != NULL);
	c->conn = (struct db_conn){.ops = db->ops, .db = db};
	enum status st = f->inner->ops->connect(f->inner, writing, &c->inner, err);
	if (st != ST_OK) {
		free(c);
		return st;
	}
	*out = &c->conn;
	return ST_OK;
}

static void faulty_disconnect(struct db_conn *c)
{
	struct db_conn *inner = inner_conn(c);
	inner->ops->disconnect(inner);
	free(c);
}

static enum status faulty_script(struct db_conn *c, const char *sql, struct err *err)
{
	enum db_faulty_call call = strcmp(sql, "COMMIT") == 0 ? DB_FAULTY_COMMIT : DB_FAULTY_SCRIPT;
	enum db_faulty_when when;
	enum status st = planned(c->db, call, &when, err);
	if (st != ST_OK && when == DB_FAULTY_BEFORE)
		return st;
	struct db_conn *inner = inner_conn(c);
	TRY(inner->ops->script(inner, sql, err));
	return st;
}

static enum status faulty_prepare(
	struct db_conn *c, const char *sql, bool keep, struct db_stmt **out, struct err *err)
{
	enum db_faulty_when when;
	TRY(planned(c->db, DB_FAULTY_PREPARE, &when, err));
	struct db_conn *inner = inner_conn(c);
	struct faulty_stmt *s = calloc(1, sizeof(*s));
	CHECK(s != NULL);
	s->stmt = (struct db_stmt){.ops = c->ops, .conn = c};
	enum status st = inner->ops->prepare(inner, sql, keep, &s->inner, err);
	if (st != ST_OK) {
		free(s);
		return st;
	}
	*out = &s->stmt;
	return ST_OK;
}

static enum status faulty_bind(struct db_stmt *s, int index, const struct db_value *value, struct err *err)
{
	enum db_faulty_when when;
	enum status st = planned(s->conn->db, DB_FAULTY_BIND, &when, err);
	if (st != ST_OK && when == DB_FAULTY_BEFORE)
		return st;
	struct db_stmt *inner = inner_stmt(s);
	TRY(inner->ops->bind(inner, index, value, err));
	return st;
}

static enum status faulty_step(struct db_stmt *s, bool *row, struct err *err)
{
	enum db_faulty_when when;
	enum status st = planned(s->conn->db, DB_FAULTY_STEP, &when, err);
	*row = false;
	if (st != ST_OK && when == DB_FAULTY_BEFORE)
		return st;
	struct db_stmt *inner = inner_stmt(s);
	bool found = false;
	TRY(inner->ops->step(inner, &found, err));
	*row = found && st == ST_OK;
	return st;
}

static void faulty_column(struct db_stmt *s, int index, struct db_value *out)
{
	struct db_stmt *inner = inner_stmt(s);
	inner->ops->column(inner, index, out);
}

static void faulty_finish(struct db_stmt *s)
{
	struct db_stmt *inner = inner_stmt(s);
	inner->ops->finish(inner);
	free(s);
}

static int64_t faulty_changes(struct db_conn *c)
{
	struct db_conn *inner = inner_conn(c);
	return inner->ops->changes(inner);
}

static int64_t faulty_log_bytes(struct db_conn *c)
{
	struct db_conn *inner = inner_conn(c);
	return inner->ops->log_bytes ? inner->ops->log_bytes(inner) : 0;
}

static enum status faulty_checkpoint(struct db_conn *c, bool truncate, struct err *err)
{
	enum db_faulty_when when;
	enum status st = planned(c->db, DB_FAULTY_CHECKPOINT, &when, err);
	if (st != ST_OK && when == DB_FAULTY_BEFORE)
		return st;
	struct db_conn *inner = inner_conn(c);
	if (inner->ops->checkpoint)
		TRY(inner->ops->checkpoint(inner, truncate, err));
	return st;
}

static void faulty_close(struct db *db)
{
	struct faulty_db *f = (struct faulty_db *)db;
	db_close(f->inner);
	pthread_mutex_destroy(&f->mutex);
	free(f);
}

static const struct db_ops faulty_ops = {
	.scheme = "faulty",
	.connect = faulty_connect,
	.disconnect = faulty_disconnect,
	.script = faulty_script,
	.prepare = faulty_prepare,
	.bind = faulty_bind,
	.step = faulty_step,
	.column = faulty_column,
	.finish = faulty_finish,
	.changes = faulty_changes,
	.log_bytes = faulty_log_bytes,
	.checkpoint = faulty_checkpoint,
	.close = faulty_close,
};

struct db *db_faulty_new(struct db *inner)
{
	struct faulty_db *f = calloc(1, sizeof(*f));
	CHECK(f != NULL);
	f->db.ops = &faulty_ops;
	f->inner = inner;
	pthread_mutex_init(&f->mutex, NULL);
	return &f->db;
}

void db_faulty_plan(struct db *db, enum db_faulty_call call, unsigned nth, unsigned count,
	enum db_faulty_when when, enum status st)
{
	CHECK(db->ops == &faulty_ops && call < DB_FAULTY_CALLS && (nth == 0 || st != ST_OK));
	struct faulty_db *f = (struct faulty_db *)db;
	mutex_lock(&f->mutex);
	f->call = call;
	f->when = when;
	f->status = st;
	f->skip = nth ? nth - 1 : 0;
	f->count = nth ? count : 0;
	f->fired = 0;
	mutex_unlock(&f->mutex);
}

unsigned db_faulty_fired(struct db *db)
{
	CHECK(db->ops == &faulty_ops);
	struct faulty_db *f = (struct faulty_db *)db;
	mutex_lock(&f->mutex);
	unsigned fired = f->fired;
	mutex_unlock(&f->mutex);
	return fired;
}
