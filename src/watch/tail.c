/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tail's thread: reads what is new in the log, adds it to watch.db together with the position, and
 * sleeps. While predictions come one by one it gathers them for a second, so that there is about one commit a
 * second; far behind, it goes on at once.
 */
#include "base/check.h"
#include "base/metrics.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/rows.h"
#include "watch/alerts.h"
#include "watch/counting.h"
#include "watch/rollups.h"
#include "watch/watch_file.h"
#include "watch/watch_inside.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SECOND_US ((int64_t)1000000)
#define GATHER_US SECOND_US
#define POLL_US (5 * SECOND_US) /* should a ring be lost */
#define AGAIN_US SECOND_US      /* after an error */
#define LOOK_US (5 * SECOND_US) /* at alerts by window */
#define FAILURES_US (2 * SECOND_US)
#define ROWS_MAX 500
#define ROWS_PIECE 50 /* between two looks at how much memory they take */
#define BYTES_MAX ((size_t)16 << 20)

static bool stopping(const struct watch *w)
{
	return atomic_load(&w->stopping);
}

/* ---- reading ---- */

static void unpack(const struct log_row *row, struct arena *a, struct watch_rows *out)
{
	struct err err;
	if (seen_read(row, a, &out->items[out->count], &err) == ST_OK)
		out->count++;
	else
		log_err("prediction_not_counted", &err);
}

enum status watch_rows_read(struct db_conn *log, struct uuid deployment_id, int64_t after, int64_t until,
	struct arena *a, struct watch_rows *out, struct err *err)
{
	*out = (struct watch_rows){.items = ARENA_ARRAY(a, struct seen, ROWS_MAX), .more = true};
	size_t read = 0, began = a->used_bytes;
	while (out->more && read < ROWS_MAX && a->used_bytes - began < BYTES_MAX) {
		struct log_row *rows;
		size_t count;
		TRY(log_rows_after(
			log, deployment_id, out->to ? out->to : after, ROWS_PIECE, a, &rows, &count, err));
		out->more = count == ROWS_PIECE;
		for (size_t i = 0; i < count; i++) {
			if (rows[i].position > until) {
				out->more = false;
				break;
			}
			unpack(&rows[i], a, out);
			out->to = rows[i].position;
			out->to_id = rows[i].id;
			read++;
		}
	}
	return ST_OK;
}

/* ---- one batch ---- */

struct batch {
	struct watch *w;
	struct arena arena;
	struct watch_rows rows;
	int64_t from;
	int64_t end; /* of the log */
	unsigned names;
};

/* The log and what is watched of it, of one moment. */
static enum status read_log(struct batch *b, struct db_conn *log, struct db_conn *watch, struct err *err)
{
	TRY(log_rows_end(log, &b->end, err));
	TRY(watch_rows_read(log, (struct uuid){{0}}, b->from, INT64_MAX, &b->arena, &b->rows, err));
	return b->rows.to ? observer_refresh(b->w->observer, log, watch, err) : ST_OK;
}

static enum status read_batch(struct batch *b, struct err *err)
{
	struct watch *w = b->w;
	struct db_conn *log, *watch;
	TRY(db_reader_take(w->options.readers, &log, err));
	enum status st = db_reader_take(w->readers, &watch, err);
	if (st == ST_OK) {
		st = read_log(b, log, watch, err);
		db_reader_give(w->readers, watch);
	}
	db_reader_give(w->options.readers, log);
	return st;
}

/* At the end of the log nothing is behind: those between were deleted with their deployments. */
static void set_lag(struct watch *w, int64_t lag)
{
	metric_add(METRIC_WATCH_LAG, lag - w->lag);
	w->lag = lag;
}

/* Cuts that are as far as the tail is: they move along with it. */
static enum status read_cuts(
	struct db_conn *c, const struct batch *b, struct arena *a, struct counting *how, struct err *err)
{
	struct counting_cut *cuts = NULL;
	size_t room = 0;
	struct db_query q = db_query(c, "SELECT deployment_id, threshold FROM recut WHERE position = $1");
	db_bind_integer(&q, b->from);
	for (how->cut_count = 0; db_next(&q); how->cut_count++) {
		cuts = rows_grow(a, cuts, how->cut_count, &room, sizeof(*cuts));
		cuts[how->cut_count] = (struct counting_cut){db_uuid(&q, 0), db_real(&q, 1), INT64_MAX};
	}
	how->cuts = cuts;
	return db_done(&q, err);
}

static enum status move_on(struct db_conn *c, const struct batch *b, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE recut SET position = $1 WHERE position = $2");
	db_bind_integer(&q, b->rows.to);
	db_bind_integer(&q, b->from);
	TRY(db_done(&q, err));
	TRY(rollups_set_position(c, b->rows.to, err));
	return watch_file_note(c, b->rows.to, b->rows.to_id, err);
}

/* A deployment that was deleted since the batch was read. */
static enum status forget_again(struct db_conn *c, const struct batch *b, struct err *err)
{
	for (size_t i = 0; i < b->rows.count; i++) {
		struct uuid id = b->rows.items[i].row->deployment_id;
		if (i && uuid_equal(id, b->rows.items[i - 1].row->deployment_id))
			continue;
		if (watch_has_forgotten(b->w, id))
			TRY(rollups_forget(c, id, err));
	}
	return ST_OK;
}

static enum status store_batch(struct db_conn *c, void *arg, struct err *err)
{
	struct batch *b = arg;
	struct counting how = {.answered = true};
	int64_t position;
	TRY(rollups_position(c, &position, err));
	if (atomic_load(&b->w->names) != b->names)
		return err_set(err, ST_CONFLICT, "A data source was renamed meanwhile.");
	if (position != b->from) /* a commit that was said to have failed had not */
		return err_set(
			err, ST_CONFLICT, "The log was counted up to %lld already.", (long long)position);
	TRY(read_cuts(c, b, &b->arena, &how, err));
	TRY(counting_add(c, &how, b->rows.items, b->rows.count, err));
	TRY(observer_store(b->w->observer, c, b->rows.to, err));
	TRY(move_on(c, b, err));
	return forget_again(c, b, err);
}

/* ---- telling ---- */

static void note_changed(struct watch *w, struct uuid deployment_id)
{
	for (size_t i = 0; i < w->changed_count; i++)
		if (uuid_equal(w->changed[i], deployment_id))
			return;
	if (w->changed_count == w->changed_room) {
		w->changed_room = w->changed_room ? 2 * w->changed_room : 16;
		w->changed = realloc(w->changed, w->changed_room * sizeof(*w->changed));
		CHECK(w->changed != NULL);
	}
	w->changed[w->changed_count++] = deployment_id;
}

static void tell(struct watch *w)
{
	int64_t now_us = clock_mono_us();
	if (w->changed_count == 0 || now_us - w->told_us < SECOND_US)
		return;
	for (size_t i = 0; i < w->changed_count && w->options.changed; i++)
		w->options.changed(w->options.changed_arg, w->changed[i], false);
	w->changed_count = 0;
	w->told_us = now_us;
}

/* ---- the loop ---- */

static void tell_alerts(void *arg, struct uuid deployment_id)
{
	struct watch *w = arg;
	if (w->options.changed)
		w->options.changed(w->options.changed_arg, deployment_id, true);
}

static enum status observe(struct batch *b, struct err *err)
{
	struct watch *w = b->w;
	bool fired;
	for (size_t i = 0; i < b->rows.count; i++)
		observer_add(w->observer, &b->rows.items[i]);
	TRY(observer_fire(w->observer, w->options.recorder, &fired, err));
	for (size_t i = 0; i < b->rows.count; i++)
		note_changed(w, b->rows.items[i].row->deployment_id);
	for (size_t i = 0; i < w->changed_count && fired; i++)
		tell_alerts(w, w->changed[i]);
	return ST_OK;
}

static enum status count_batch(struct batch *b, struct err *err)
{
	struct watch *w = b->w;
	TRY(read_batch(b, err));
	if (b->rows.to == 0)
		return ST_OK;
	if (b->rows.more)
		set_lag(w, b->end - b->from);
	TRY(observe(b, err));
	TRY(recorder_run(w->recorder, store_batch, b, err));
	atomic_store(&w->position, b->rows.to);
	metric_add(METRIC_WATCH_COUNTED, (int64_t)b->rows.count);
	w->stored_us = clock_mono_us();
	set_lag(w, b->rows.more ? b->end - b->rows.to : 0);
	return ST_OK;
}

/* It begins anew from what is stored. */
static void count_again(struct watch *w)
{
	observer_forget(w->observer);
	(void)!watch_read_position(w, NULL);
}

/* True: there may be more at once. */
static bool next_batch(struct watch *w)
{
	struct err err;
	struct batch b = {.w = w, .from = atomic_load(&w->position), .names = atomic_load(&w->names)};
	arena_init(&b.arena);
	enum status st = count_batch(&b, &err);
	if (st != ST_OK)
		count_again(w);
	if (st != ST_OK && st != ST_CONFLICT && !w->failing)
		log_err("watch_not_counted", &err);
	w->failing = st != ST_OK && st != ST_CONFLICT;
	bool more = st == ST_CONFLICT || (st == ST_OK && b.rows.more);
	arena_release(&b.arena);
	return more;
}

static void look_at_alerts(struct watch *w)
{
	struct err err;
	int64_t now_us = clock_mono_us();
	if (now_us - w->looked_us < LOOK_US)
		return;
	w->looked_us = now_us;
	const struct alerts_look look = {
		.readers = w->options.readers,
		.watch = w->readers,
		.recorder = w->options.recorder,
		.quality = w->options.quality,
		.now_us = clock_unix_us(),
		.tell = tell_alerts,
		.tell_arg = w,
	};
	if (alerts_look(&look, &err) != ST_OK)
		log_err("alerts_not_looked_at", &err);
}

static void store_failures(struct watch *w, bool now)
{
	struct err err;
	int64_t now_us = clock_mono_us();
	if (!now && now_us - w->failures_us < FAILURES_US)
		return;
	w->failures_us = now_us;
	if (failures_store(w->failures, w->options.recorder, &err) != ST_OK)
		log_err("failures_not_stored", &err);
}

/* Until something was recorded and some more may have been, or until it is time for something else. */
static void rest(struct watch *w, uint32_t heard)
{
	int64_t now_us = clock_mono_us(), until_us = now_us + POLL_US;
	uint32_t poked = bell_count(&w->poked);
	if (w->changed_count && until_us > w->told_us + SECOND_US)
		until_us = w->told_us + SECOND_US;
	if (until_us > w->failures_us + FAILURES_US)
		until_us = w->failures_us + FAILURES_US;
	if (w->failing)
		until_us = now_us + AGAIN_US;
	if (stopping(w))
		return;
	if (w->failing)
		bell_wait(&w->poked, poked, until_us);
	else if (bell_wait(&w->recorded, heard, until_us) && !stopping(w))
		bell_wait(&w->poked, poked, w->stored_us + GATHER_US);
}

void tail_run(void *arg)
{
	struct watch *w = arg;
	thread_stand_back();
	while (!stopping(w)) {
		uint32_t heard = bell_count(&w->recorded);
		bool more = next_batch(w);
		store_failures(w, false);
		look_at_alerts(w);
		tell(w);
		if (!more)
			rest(w, heard);
	}
	next_batch(w);
	store_failures(w, true);
	free(w->changed);
}
