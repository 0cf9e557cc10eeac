/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/watch.h"

#include "base/check.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/deployment_rows.h"
#include "watch/rollups.h"
#include "watch/watch_file.h"
#include "watch/watch_inside.h"

#include <stdatomic.h>
#include <stdlib.h>

#define QUEUE_MAX 256u
#define GROUP_MAX 16u
#define READERS 8u

/* ---- opening ---- */

static enum status open_file(struct watch *w, struct err *err)
{
	struct db_conn *log;
	char why[200];
	TRY(db_reader_take(w->options.readers, &log, err));
	enum status st = watch_file_open(w->options.path, log, &w->db, why, err);
	db_reader_give(w->options.readers, log);
	if (st == ST_OK && why[0])
		log_event(LOG_LEVEL_WARN, "watch_begins_anew", "file", w->options.path, "reason", why, NULL);
	return st;
}

enum status watch_read_position(struct watch *w, struct err *err)
{
	struct db_conn *c;
	int64_t position = 0;
	TRY(db_reader_take(w->readers, &c, err));
	enum status st = rollups_position(c, &position, err);
	db_reader_give(w->readers, c);
	atomic_store(&w->position, position);
	return st;
}

enum status watch_open(const struct watch_options *options, struct watch **out, struct err *err)
{
	struct watch *w = calloc(1, sizeof(*w));
	CHECK(w != NULL);
	w->options = *options;
	w->failures = failures_new();
	w->observer = observer_new();
	bell_init(&w->recorded);
	bell_init(&w->poked);
	CHECK(pthread_mutex_init(&w->forgotten_lock, NULL) == 0);
	enum status st = open_file(w, err);
	if (st == ST_OK)
		st = recorder_start(w->db, QUEUE_MAX, GROUP_MAX, &w->recorder, err);
	if (st == ST_OK)
		st = db_readers_new(w->db, READERS, &w->readers, err);
	if (st == ST_OK)
		st = watch_read_position(w, err);
	if (st != ST_OK) {
		watch_close(w);
		return st;
	}
	*out = w;
	return ST_OK;
}

void watch_stop(struct watch *w)
{
	if (!w->running)
		return;
	atomic_store(&w->stopping, true);
	bell_ring(&w->recorded);
	bell_ring(&w->poked);
	thread_join(w->thread);
	w->running = false;
}

void watch_close(struct watch *w)
{
	struct err err;
	if (w == NULL)
		return;
	watch_stop(w);
	if (atomic_load(&w->on) && failures_store(w->failures, w->options.recorder, &err) != ST_OK)
		log_err("failures_not_stored", &err);
	db_readers_free(w->readers);
	if (w->recorder)
		recorder_stop(w->recorder);
	if (w->db)
		db_close(w->db);
	observer_free(w->observer);
	failures_free(w->failures);
	pthread_mutex_destroy(&w->forgotten_lock);
	free(w->forgotten);
	free(w);
}

/* ---- deployments that are gone ---- */

bool watch_has_forgotten(struct watch *w, struct uuid deployment_id)
{
	bool has = false;
	mutex_lock(&w->forgotten_lock);
	for (size_t i = 0; i < w->forgotten_count && !has; i++)
		has = uuid_equal(w->forgotten[i], deployment_id);
	mutex_unlock(&w->forgotten_lock);
	return has;
}

static void note_forgotten(struct watch *w, struct uuid deployment_id)
{
	mutex_lock(&w->forgotten_lock);
	if (w->forgotten_count == w->forgotten_room) {
		w->forgotten_room = w->forgotten_room ? 2 * w->forgotten_room : 16;
		w->forgotten = realloc(w->forgotten, w->forgotten_room * sizeof(*w->forgotten));
		CHECK(w->forgotten != NULL);
	}
	w->forgotten[w->forgotten_count++] = deployment_id;
	mutex_unlock(&w->forgotten_lock);
}

static enum status forget(struct db_conn *c, void *deployment_id, struct err *err)
{
	return rollups_forget(c, *(const struct uuid *)deployment_id, err);
}

enum status watch_forget(struct watch *w, struct uuid deployment_id, struct err *err)
{
	note_forgotten(w, deployment_id);
	return recorder_run(w->recorder, forget, &deployment_id, err);
}

/* The deployment after that one of which something was counted; zero: none. */
static enum status next_counted(struct watch *w, struct uuid *id, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(w->readers, &c, err));
	struct db_query q = db_query(c, "SELECT min(deployment_id) FROM rollup WHERE deployment_id > $1");
	db_bind_blob(&q, span_of(id->bytes, sizeof(id->bytes)));
	*id = db_next(&q) ? db_uuid(&q, 0) : (struct uuid){{0}};
	enum status st = db_done(&q, err);
	db_reader_give(w->readers, c);
	return st;
}

static enum status is_there(struct watch *w, struct uuid deployment_id, bool *is, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(w->options.readers, &c, err));
	enum status st = deployment_rows_exists(c, deployment_id, is, err);
	db_reader_give(w->options.readers, c);
	return st;
}

/* Deployments that were deleted while the server ended. */
static enum status forget_lost(struct watch *w, struct err *err)
{
	struct uuid id = {{0}};
	for (;;) {
		bool is;
		TRY(next_counted(w, &id, err));
		if (uuid_is_zero(id))
			return ST_OK;
		TRY(is_there(w, id, &is, err));
		if (!is)
			TRY(watch_forget(w, id, err));
	}
}

/* ---- the rest ---- */

enum status watch_start(struct watch *w, struct err *err)
{
	CHECK(!w->running);
	TRY(forget_lost(w, err));
	TRY(watch_check_sources(w, err));
	atomic_store(&w->on, true);
	w->running = true;
	thread_start(&w->thread, "watch", tail_run, w);
	return ST_OK;
}

bool watch_is_on(struct watch *w)
{
	return atomic_load(&w->on);
}

void watch_recorded(struct watch *w)
{
	bell_ring(&w->recorded);
}

void watch_failed(
	struct watch *w, struct uuid deployment_id, int http_status, const char *step, const char *text)
{
	if (atomic_load(&w->on))
		failures_add(w->failures, deployment_id, clock_unix_us(), http_status, step, text);
}

struct db_readers *watch_readers(struct watch *w)
{
	return w->readers;
}

struct recorder *watch_recorder(struct watch *w)
{
	return w->recorder;
}

int64_t watch_position(struct watch *w)
{
	return atomic_load(&w->position);
}
