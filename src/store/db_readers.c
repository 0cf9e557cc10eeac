/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool of reading connections. A connection in the pool is outside any
 * transaction: one left open would hold its snapshot, and with it the whole log.
 */
#include "store/db.h"

#include "base/check.h"
#include "os/thread.h"

#include <stdlib.h>

struct db_readers {
	struct db *db;
	unsigned count_max;
	pthread_mutex_t mutex;
	pthread_cond_t returned;
	/* guarded by mutex: */
	unsigned count; /* connections that exist, idle or lent */
	unsigned idle_count;
	struct db_conn **idle; /* count_max places */
};

enum status db_readers_new(struct db *db, unsigned count_max, struct db_readers **out, struct err *err)
{
	CHECK(count_max > 0);
	struct db_readers *r = calloc(1, sizeof(*r));
	CHECK(r != NULL);
	r->idle = calloc(count_max, sizeof(struct db_conn *));
	CHECK(r->idle != NULL);
	r->db = db;
	r->count_max = count_max;
	pthread_mutex_init(&r->mutex, NULL);
	cond_init(&r->returned);
	/* The first connection now, so that a database that cannot be read is known at the start. */
	enum status st = db_connect(db, false, &r->idle[0], err);
	if (st != ST_OK) {
		db_readers_free(r);
		return st;
	}
	r->count = r->idle_count = 1;
	*out = r;
	return ST_OK;
}

void db_readers_free(struct db_readers *r)
{
	if (r == NULL)
		return;
	CHECK(r->count == r->idle_count); /* all were given back */
	for (unsigned i = 0; i < r->idle_count; i++)
		db_disconnect(r->idle[i]);
	pthread_cond_destroy(&r->returned);
	pthread_mutex_destroy(&r->mutex);
	free(r->idle);
	free(r);
}

/* Back into the pool, or closed when its transaction cannot be ended. */
static void put_back(struct db_readers *r, struct db_conn *c)
{
	mutex_lock(&r->mutex);
	if (c)
		r->idle[r->idle_count++] = c;
	else
		r->count--;
	pthread_cond_signal(&r->returned);
	mutex_unlock(&r->mutex);
}

enum status db_reader_take(struct db_readers *r, struct db_conn **out, struct err *err)
{
	struct db_conn *c = NULL;
	mutex_lock(&r->mutex);
	while (r->idle_count == 0 && r->count == r->count_max)
		cond_wait_until(&r->returned, &r->mutex, 0);
	if (r->idle_count > 0)
		c = r->idle[--r->idle_count];
	else
		r->count++;
	mutex_unlock(&r->mutex);

	enum status st = c ? ST_OK : db_connect(r->db, false, &c, err);
	if (st == ST_OK)
		st = db_script(c, "BEGIN", err);
	if (st != ST_OK) {
		db_disconnect(c);
		put_back(r, NULL);
		return st;
	}
	*out = c;
	return ST_OK;
}

void db_reader_give(struct db_readers *r, struct db_conn *c)
{
	CHECK(c->queries == 0);
	if (db_script(c, "ROLLBACK", NULL) != ST_OK) {
		db_disconnect(c);
		c = NULL;
	}
	put_back(r, c);
}
