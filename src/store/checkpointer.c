/* SPDX-License-Identifier: Apache-2.0 */
#include "store/checkpointer.h"

#include "base/check.h"
#include "os/log.h"
#include "os/thread.h"

#include <stdlib.h>

struct checkpointer {
	struct db_conn *conn; /* of the thread */
	thread_handle thread;
	pthread_mutex_t running; /* held during a checkpoint: two at once get in each other's way */

	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool wanted, stopping; /* guarded by mutex */

	/* The writer's: sizes of the log at which something is due next. */
	int64_t log_bytes, passive_at, truncate_at;
};

/* Not an event that a request hears of: nothing is lost, the log only stays longer. */
static enum status checkpoint(struct checkpointer *p, struct db_conn *c, bool truncate)
{
	struct err err;
	mutex_lock(&p->running);
	enum status st = db_checkpoint(c, truncate, &err);
	mutex_unlock(&p->running);
	if (st != ST_OK)
		log_event(LOG_LEVEL_WARN, "checkpoint_delayed", "message", err.text, NULL);
	return st;
}

static void checkpointer_main(void *arg)
{
	struct checkpointer *p = arg;
	mutex_lock(&p->mutex);
	while (!p->stopping) {
		if (!p->wanted) {
			cond_wait_until(&p->wake, &p->mutex, 0);
			continue;
		}
		p->wanted = false;
		mutex_unlock(&p->mutex);
		(void)!checkpoint(p, p->conn, false);
		mutex_lock(&p->mutex);
	}
	mutex_unlock(&p->mutex);
}

enum status checkpointer_start(struct db *db, struct checkpointer **out, struct err *err)
{
	*out = NULL;
	if (!db_has_log(db))
		return ST_OK;
	struct checkpointer *p = calloc(1, sizeof(*p));
	CHECK(p != NULL);
	enum status st = db_connect(db, false, &p->conn, err);
	if (st != ST_OK) {
		free(p);
		return st;
	}
	p->passive_at = CHECKPOINT_PASSIVE_BYTES;
	p->truncate_at = CHECKPOINT_TRUNCATE_BYTES;
	pthread_mutex_init(&p->running, NULL);
	pthread_mutex_init(&p->mutex, NULL);
	cond_init(&p->wake);
	thread_start(&p->thread, "checkpointer", checkpointer_main, p);
	*out = p;
	return ST_OK;
}

static void ask(struct checkpointer *p)
{
	mutex_lock(&p->mutex);
	p->wanted = true;
	pthread_cond_signal(&p->wake);
	mutex_unlock(&p->mutex);
}

void checkpointer_after_commit(struct checkpointer *p, struct db_conn *writer)
{
	if (p == NULL)
		return;
	int64_t bytes = db_log_bytes(writer);
	if (bytes < p->log_bytes) { /* it began again from its start */
		p->passive_at = CHECKPOINT_PASSIVE_BYTES;
		p->truncate_at = CHECKPOINT_TRUNCATE_BYTES;
	}
	p->log_bytes = bytes;
	if (bytes >= p->truncate_at) {
		/* A reader that holds its snapshot for long is not waited for: again when the log has grown.
		 */
		p->truncate_at = bytes + CHECKPOINT_PASSIVE_BYTES;
		(void)!checkpoint(p, writer, true);
	} else if (bytes >= p->passive_at) {
		p->passive_at = bytes + CHECKPOINT_PASSIVE_BYTES;
		ask(p);
	}
}

void checkpointer_stop(struct checkpointer *p)
{
	if (p == NULL)
		return;
	mutex_lock(&p->mutex);
	p->stopping = true;
	pthread_cond_signal(&p->wake);
	mutex_unlock(&p->mutex);
	thread_join(p->thread);
	db_disconnect(p->conn);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->mutex);
	pthread_mutex_destroy(&p->running);
	free(p);
}
