/* SPDX-License-Identifier: Apache-2.0 */
#include "store/recorder.h"

#include "base/check.h"
#include "base/metrics.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/thread.h"
#include "store/checkpointer.h"

#include <stdlib.h>

/* A job and its caller, who waits; lives on the caller's stack. */
struct waiting {
	recorder_job *job;
	void *arg;
	struct err *err;
	enum status status;
	bool done; /* guarded by the recorder's mutex */
	pthread_cond_t finished;
	struct waiting *next;
};

struct recorder {
	struct db *db;
	unsigned queue_max, group_max;
	thread_handle thread;
	struct checkpointer *checkpointer;
	struct db_conn *conn; /* the thread's; NULL after a failure that could not be rolled back */

	pthread_mutex_t mutex;
	pthread_cond_t work; /* a job waits, or refusing was set */
	pthread_cond_t left; /* a caller left */
	/* guarded by mutex: */
	struct waiting *first, **last;
	unsigned waiting;
	unsigned callers; /* inside recorder_run() */
	bool refusing;
};

/* ---- one group ---- */

/* An error of the job is its own affair; what is returned is an error of the transaction. */
static enum status job_run(struct db_conn *c, struct waiting *w, struct err *err)
{
	TRY(db_script(c, "SAVEPOINT job", err));
	w->status = w->job(c, w->arg, w->err);
	CHECK(c->queries == 0); /* the job called db_done() for each db_query() */
	if (w->status != ST_OK)
		TRY(db_script(c, "ROLLBACK TO SAVEPOINT job", err));
	return db_script(c, "RELEASE SAVEPOINT job", err);
}

static enum status group_run(struct recorder *r, struct waiting *group, struct err *err)
{
	if (r->conn == NULL)
		TRY(db_connect(r->db, true, &r->conn, err));
	TRY(db_script(r->conn, "BEGIN", err));
	for (struct waiting *w = group; w; w = w->next)
		TRY(job_run(r->conn, w, err));
	return db_script(r->conn, "COMMIT", err);
}

/* Nobody of the group hears "recorded"; jobs that failed by themselves keep their own error. */
static void group_fail(struct recorder *r, struct waiting *group, const struct err *err)
{
	for (struct waiting *w = group; w; w = w->next) {
		if (w->status != ST_OK)
			continue;
		w->status = err->status;
		if (w->err)
			*w->err = *err;
	}
	/* A connection that cannot even roll back is not trusted again. */
	if (r->conn && db_script(r->conn, "ROLLBACK", NULL) != ST_OK) {
		db_disconnect(r->conn);
		r->conn = NULL;
	}
}

static void group_commit(struct recorder *r, struct waiting *group)
{
	struct err err;
	int64_t start_us = clock_mono_us();
	if (group_run(r, group, &err) != ST_OK) {
		group_fail(r, group, &err);
		return;
	}
	metric_observe_us(METRIC_COMMIT_SECONDS, clock_mono_us() - start_us);
	metric_add(METRIC_COMMITS, 1);
	int64_t committed = 0;
	for (struct waiting *w = group; w; w = w->next)
		committed += w->status == ST_OK;
	metric_add(METRIC_COMMIT_ROWS, committed);
}

/* ---- the thread ---- */

static struct waiting *take_group(struct recorder *r)
{
	struct waiting *group = r->first, **end = &group;
	for (unsigned i = 0; i < r->group_max && *end; i++) {
		end = &(*end)->next;
		r->waiting--;
	}
	r->first = *end;
	*end = NULL;
	if (r->first == NULL)
		r->last = &r->first;
	return group;
}

static void wake_group(struct waiting *group)
{
	while (group) {
		struct waiting *next = group->next;
		group->done = true;
		pthread_cond_signal(&group->finished);
		group = next;
	}
}

static void recorder_main(void *arg)
{
	struct recorder *r = arg;
	mutex_lock(&r->mutex);
	for (;;) {
		if (r->first == NULL) {
			if (r->refusing)
				break;
			cond_wait_until(&r->work, &r->mutex, 0);
			continue;
		}
		struct waiting *group = take_group(r);
		mutex_unlock(&r->mutex);
		group_commit(r, group);
		mutex_lock(&r->mutex);
		wake_group(group);
		mutex_unlock(&r->mutex);
		if (r->conn)
			checkpointer_after_commit(r->checkpointer, r->conn);
		mutex_lock(&r->mutex);
	}
	mutex_unlock(&r->mutex);
}

enum status recorder_start(
	struct db *db, unsigned queue_max, unsigned group_max, struct recorder **out, struct err *err)
{
	CHECK(queue_max > 0 && group_max > 0);
	struct recorder *r = calloc(1, sizeof(*r));
	CHECK(r != NULL);
	r->db = db;
	r->queue_max = queue_max;
	r->group_max = group_max;
	r->last = &r->first;
	enum status st = db_connect(db, true, &r->conn, err);
	if (st == ST_OK)
		st = checkpointer_start(db, &r->checkpointer, err);
	if (st != ST_OK) {
		db_disconnect(r->conn);
		free(r);
		return st;
	}
	pthread_mutex_init(&r->mutex, NULL);
	cond_init(&r->work);
	cond_init(&r->left);
	thread_start(&r->thread, "recorder", recorder_main, r);
	*out = r;
	return ST_OK;
}

/* ---- the callers ---- */

static enum status enqueue(struct recorder *r, struct waiting *w, struct err *err)
{
	if (r->refusing)
		return err_set(err, ST_UNAVAILABLE, "The server is stopping and records nothing more.");
	if (r->waiting >= r->queue_max)
		return err_set(err, ST_UNAVAILABLE,
			"The database cannot keep up: %u writes are waiting already. Try again.", r->waiting);
	*r->last = w;
	r->last = &w->next;
	r->waiting++;
	pthread_cond_signal(&r->work);
	return ST_OK;
}

enum status recorder_run(struct recorder *r, recorder_job *job, void *arg, struct err *err)
{
	CHECK(!pthread_equal(pthread_self(), r->thread)); /* it would wait for itself */
	struct waiting w = {.job = job, .arg = arg, .err = err, .status = ST_OK};
	cond_init(&w.finished);
	mutex_lock(&r->mutex);
	r->callers++;
	enum status st = enqueue(r, &w, err);
	while (st == ST_OK && !w.done)
		cond_wait_until(&w.finished, &r->mutex, 0);
	r->callers--;
	if (r->callers == 0)
		pthread_cond_broadcast(&r->left);
	mutex_unlock(&r->mutex);
	pthread_cond_destroy(&w.finished);
	return st == ST_OK ? w.status : st;
}

unsigned recorder_waiting(struct recorder *r)
{
	mutex_lock(&r->mutex);
	unsigned waiting = r->waiting;
	mutex_unlock(&r->mutex);
	return waiting;
}

void recorder_refuse(struct recorder *r)
{
	mutex_lock(&r->mutex);
	r->refusing = true;
	pthread_cond_signal(&r->work);
	mutex_unlock(&r->mutex);
}

void recorder_stop(struct recorder *r)
{
	if (r == NULL)
		return;
	recorder_refuse(r);
	thread_join(r->thread);
	mutex_lock(&r->mutex);
	while (r->callers > 0)
		cond_wait_until(&r->left, &r->mutex, 0);
	mutex_unlock(&r->mutex);
	checkpointer_stop(r->checkpointer);
	struct err err;
	if (r->conn && db_has_log(r->db) && db_checkpoint(r->conn, true, &err) != ST_OK)
		log_event(LOG_LEVEL_WARN, "checkpoint_delayed", "message", err.text, NULL);
	db_disconnect(r->conn);
	pthread_cond_destroy(&r->left);
	pthread_cond_destroy(&r->work);
	pthread_mutex_destroy(&r->mutex);
	free(r);
}
