/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roll-ups at a deployment's present threshold, when predictions were answered at another one: a job counts
 * the log again from its beginning, up to where the tail is; from then on the tail carries them along
 * (docs/internals/tail.md). A row of `recut` says how far they are: NOT_CLEARED, or a position of the log.
 */
#include "base/check.h"
#include "store/deployment_rows.h"
#include "store/rows.h"
#include "watch/counting.h"
#include "watch/rollups.h"
#include "watch/watch_inside.h"

#include <stdatomic.h>
#include <stdlib.h>

#define NOT_CLEARED (-1) /* what was counted at the threshold before is still there */

struct recount {
	struct watch *w;
	struct uuid deployment_id;
	double threshold;
};

/* ---- what there is ---- */

struct state {
	struct rollup_recut recut;
	bool wanted; /* this threshold still is */
	int64_t tail;
};

static enum status read_state(
	struct db_conn *watch, const struct recount *r, struct state *out, struct err *err)
{
	bool found;
	TRY(rollups_recut(watch, r->deployment_id, &out->recut, &found, err));
	out->wanted = found && out->recut.threshold == r->threshold;
	return rollups_position(watch, &out->tail, err);
}

static enum status look(const struct recount *r, struct state *out, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(r->w->readers, &c, err));
	enum status st = read_state(c, r, out, err);
	db_reader_give(r->w->readers, c);
	return st;
}

/* ---- the work ---- */

struct step {
	const struct recount *recount;
	struct watch_rows rows;
	int64_t from, to;
	unsigned names;
};

/* Nothing happens when somebody else has moved meanwhile: it is looked at again. */
static enum status store_step(struct db_conn *c, void *arg, struct err *err)
{
	const struct step *s = arg;
	const struct recount *r = s->recount;
	struct state now;
	TRY(read_state(c, r, &now, err));
	if (atomic_load(&r->w->names) != s->names)
		return ST_OK;
	if (!now.wanted || now.recut.position != s->from)
		return ST_OK;
	if (s->from == NOT_CLEARED)
		TRY(rollups_clear(c, r->deployment_id, ROLLUP_RECUT, err));
	const struct counting_cut cut = {r->deployment_id, r->threshold, INT64_MAX};
	const struct counting how = {.cuts = &cut, .cut_count = 1};
	TRY(counting_add(c, &how, s->rows.items, s->rows.count, err));
	const struct rollup_recut moved = {r->threshold, s->to};
	return rollups_set_recut(c, r->deployment_id, &moved, err);
}

static enum status take_step(const struct recount *r, const struct state *state, struct err *err)
{
	struct db_conn *log;
	struct arena a;
	struct step s = {.recount = r, .from = state->recut.position, .names = atomic_load(&r->w->names)};
	enum status st = ST_OK;
	arena_init(&a);
	if (s.from != NOT_CLEARED) {
		st = db_reader_take(r->w->options.readers, &log, err);
		if (st == ST_OK) {
			st = watch_rows_read(log, r->deployment_id, s.from, state->tail, &a, &s.rows, err);
			db_reader_give(r->w->options.readers, log);
		}
		s.to = s.rows.more ? s.rows.to : state->tail;
	}
	if (st == ST_OK)
		st = recorder_run(r->w->recorder, store_step, &s, err);
	arena_release(&a);
	return st;
}

static enum status run(struct job *job, void *arg, struct arena *a, const char **result, struct err *err)
{
	const struct recount *r = arg;
	for (;;) {
		struct state state;
		TRY(look(r, &state, err));
		if (!state.wanted || state.recut.position == state.tail)
			break;
		if (job_cancelled(job))
			return err_set(err, ST_UNAVAILABLE, "Counting was ended.");
		if (state.tail > 0 && state.recut.position > 0)
			job_progress(job, (double)state.recut.position / (double)state.tail,
				"%lld of %lld predictions of the log", (long long)state.recut.position,
				(long long)state.tail);
		TRY(take_step(r, &state, err));
	}
	*result = arena_printf(a, "{\"threshold\":%g}", r->threshold);
	return ST_OK;
}

/* ---- starting it ---- */

static enum status start(struct watch *w, struct jobs *jobs, struct uuid deployment_id, double threshold,
	const char *who, struct err *err)
{
	struct job_row row;
	struct arena a;
	struct recount *r = malloc(sizeof(*r));
	CHECK(r != NULL);
	*r = (struct recount){w, deployment_id, threshold};
	const struct job_work work = {.kind = "recount",
		.object_id = deployment_id,
		.who = who,
		.run = run,
		.arg = r,
		.release = free};
	arena_init(&a);
	enum status st = jobs_start(jobs, &work, &a, &row, err);
	arena_release(&a);
	if (st != ST_OK)
		free(r);
	return st;
}

static enum status set_threshold(struct db_conn *c, void *arg, struct err *err)
{
	const struct recount *r = arg;
	struct rollup_recut there;
	bool found;
	TRY(rollups_recut(c, r->deployment_id, &there, &found, err));
	if (found && there.threshold == r->threshold)
		return ST_OK;
	const struct rollup_recut fresh = {r->threshold, NOT_CLEARED};
	return rollups_set_recut(c, r->deployment_id, &fresh, err);
}

enum status watch_threshold_changed(struct watch *w, struct jobs *jobs, struct uuid deployment_id,
	double threshold, const char *who, struct err *err)
{
	struct recount r = {w, deployment_id, threshold};
	TRY(recorder_run(w->recorder, set_threshold, &r, err));
	return start(w, jobs, deployment_id, threshold, who, err);
}

/* Deployments whose threshold was ever changed. */
static enum status read_changed(
	struct watch *w, struct arena *a, struct recount **items, size_t *count, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(w->options.readers, &c, err));
	struct db_query q = db_query(c, "SELECT id, threshold FROM deployment d WHERE EXISTS (SELECT 1 FROM"
					" deployment_event e WHERE e.deployment_id = d.id"
					" AND e.what = 'threshold')");
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct recount){w, db_uuid(&q, 0), db_real(&q, 1)};
	}
	enum status st = db_done(&q, err);
	db_reader_give(w->options.readers, c);
	return st;
}

static enum status resume_one(const struct recount *r, struct jobs *jobs, struct err *err)
{
	struct state state;
	TRY(look(r, &state, err));
	if (state.wanted && state.recut.position == state.tail)
		return ST_OK;
	return watch_threshold_changed(r->w, jobs, r->deployment_id, r->threshold, "gyre", err);
}

enum status watch_resume(struct watch *w, struct jobs *jobs, struct err *err)
{
	struct arena a;
	struct recount *items;
	size_t count;
	arena_init(&a);
	enum status st = read_changed(w, &a, &items, &count, err);
	for (size_t i = 0; i < count && st == ST_OK; i++)
		st = resume_one(&items[i], jobs, err);
	arena_release(&a);
	return st;
}

/* ---- for pages ---- */

enum status watch_view_now(struct db_conn *log, struct db_conn *watch, struct uuid deployment_id, bool *recut,
	bool *ready, struct err *err)
{
	struct rollup_recut there;
	int64_t tail, changes;
	double threshold = 0;
	struct db_query q = db_query(log, "SELECT threshold, (SELECT count(*) FROM deployment_event e WHERE"
					  " e.deployment_id = d.id AND e.what = 'threshold')"
					  " FROM deployment d WHERE id = $1");
	db_bind_uuid(&q, deployment_id);
	changes = 0;
	if (db_next(&q)) {
		threshold = db_real(&q, 0);
		changes = db_integer(&q, 1);
	}
	TRY(db_done(&q, err));
	TRY(rollups_recut(watch, deployment_id, &there, recut, err));
	TRY(rollups_position(watch, &tail, err));
	*ready = *recut ? there.threshold == threshold && there.position == tail : changes == 0;
	return ST_OK;
}
