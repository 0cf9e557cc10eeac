/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One shadow's thread. It reads a few predictions of the log at a time, repeats them, and stores results and
 * position together, several at once when they come quickly. Whatever goes wrong with an image, the position
 * moves on; what may work later is waited for. It shares no lock with those who serve but the recorder's
 * queue.
 */
#include "shadow/follower.h"

#include "base/check.h"
#include "os/clock.h"
#include "os/log.h"
#include "shadow/repeat.h"
#include "store/deployment_rows.h"
#include "store/model_rows.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND_US ((int64_t)1000000)
#define POLL_US (5 * SECOND_US)   /* should a ring be lost */
#define GATHER_US (SECOND_US / 5) /* results wait so long for others to be stored with */
#define AGAIN_US (SECOND_US / 2)  /* between two tries of what does not work just now */
#define SEAT_US (10 * SECOND_US)  /* for its only seat, which who asks may have */
#define TOLD_US SECOND_US         /* between two news of progress */
#define RETRY_US (30 * SECOND_US)
#define RETRIES_DOUBLED 16
#define READ_TRIES 20         /* of an image that the disk does not give, or that there is no memory for */
#define FAILURES_MAX 5        /* images in a row, then the shadow is held */
#define WRITES_WAITING_MAX 64 /* of others, which go first */

static bool stopping(const struct follower *f)
{
	return atomic_load(&f->stopping);
}

/* ---- what others see ---- */

static void tell(struct follower *f, bool now)
{
	int64_t now_us = clock_mono_us();
	if (!now && now_us - f->told_us < TOLD_US)
		return;
	f->told_us = now_us;
	f->options->changed(f->options->changed_arg, f->row.deployment_id);
}

static void set_state(struct follower *f, enum shadow_state state, const char *text)
{
	mutex_lock(&f->lock);
	bool differs = f->state != state || strcmp(f->text, text) != 0;
	f->state = state;
	snprintf(f->text, sizeof(f->text), "%s", text);
	pthread_cond_broadcast(&f->changed);
	mutex_unlock(&f->lock);
	if (differs)
		tell(f, true);
}

void follower_state(struct follower *f, enum shadow_state *state, char text[480])
{
	mutex_lock(&f->lock);
	*state = f->state;
	snprintf(text, sizeof(f->text), "%s", f->text);
	mutex_unlock(&f->lock);
}

enum status follower_model(struct follower *f, int64_t deadline_us, struct model **out, struct err *err)
{
	mutex_lock(&f->lock);
	bool in_time = true;
	while (f->model == NULL && f->state != SHADOW_HELD && in_time && !stopping(f))
		in_time = cond_wait_until(&f->changed, &f->lock, deadline_us);
	*out = f->model ? model_hold(f->model) : NULL;
	enum status st = ST_OK;
	if (*out == NULL && f->state == SHADOW_HELD)
		st = err_set(err, ST_UNAVAILABLE, "%s", f->text);
	else if (*out == NULL)
		st = err_set(
			err, ST_UNAVAILABLE, "The shadow's model is being loaded; try again in a moment.");
	mutex_unlock(&f->lock);
	return st;
}

static void replace_model(struct follower *f, struct model *m)
{
	mutex_lock(&f->lock);
	struct model *before = f->model;
	f->model = m;
	pthread_cond_broadcast(&f->changed);
	mutex_unlock(&f->lock);
	if (before)
		model_drop(before);
}

/* ---- waiting ---- */

/* Until then, or until it is poked. */
static void wait_poked(struct follower *f, uint32_t heard, int64_t wait_us)
{
	if (!stopping(f))
		bell_wait(&f->poked, heard, clock_mono_us() + wait_us);
}

/* For what may work later. False: there is no later. */
static bool try_again(struct follower *f)
{
	wait_poked(f, bell_count(&f->poked), AGAIN_US);
	return !stopping(f);
}

/* ---- storing ---- */

static void forget_outcomes(struct follower *f)
{
	f->outcomes.count = 0;
	f->outcomes.skipped = 0;
	f->outcomes.skipped_text = NULL;
	arena_release(&f->arena);
}

/* Until it is stored: once that works again, or never when the follower ends before. */
static void store(struct follower *f)
{
	struct err err;
	bool failed = false;
	if (f->reached == f->stored)
		return;
	f->outcomes.position = f->reached;
	for (;;) {
		while (recorder_waiting(f->options->recorder) > WRITES_WAITING_MAX)
			if (!try_again(f))
				break;
		enum status st = outcomes_store(f->options->recorder, &f->outcomes, &err);
		if (st == ST_OK || st == ST_MISSING) {
			if (st == ST_MISSING) /* removed */
				atomic_store(&f->stopping, true);
			break;
		}
		if (!failed) {
			log_err("shadow_not_stored", &err);
			set_state(f, f->state, err.text);
		}
		failed = true;
		if (!try_again(f))
			return;
	}
	if (failed && !stopping(f))
		set_state(f, f->state, "");
	f->stored = f->reached;
	forget_outcomes(f);
	tell(f, false);
}

static bool has_waited(const struct follower *f)
{
	return f->outcomes.count == OUTCOMES_MAX || clock_mono_us() - f->oldest_us >= GATHER_US;
}

/* This task is over, one way or the other. */
static void passed(struct follower *f, const struct shadow_task *task)
{
	if (f->reached == f->stored)
		f->oldest_us = clock_mono_us();
	f->reached = task->position;
}

static void skip(struct follower *f, const struct shadow_task *task, const struct err *why)
{
	f->outcomes.skipped++;
	f->outcomes.skipped_text = arena_strdup(&f->arena, why->text);
	passed(f, task);
}

/* ---- the model ---- */

static enum status open_model(struct follower *f, struct model **out, struct err *err)
{
	struct db_conn *c;
	struct model_version_row version;
	struct model_row model;
	struct arena a;
	arena_init(&a);
	enum status st = db_reader_take(f->options->readers, &c, err);
	if (st == ST_OK) {
		st = model_rows_version_by_id(c, f->row.model_version_id, &a, &version, err);
		if (st == ST_OK)
			st = model_rows_by_id(c, version.model_id, &a, &model, err);
		db_reader_give(f->options->readers, c);
	}
	if (st == ST_OK)
		st = model_open_background(&version, model.name, f->options->blobs, out, err);
	arena_release(&a);
	return st;
}

/* It is of no use for a while: until the next try, or until it is poked. */
static void hold(struct follower *f, const char *why)
{
	char text[480], at[28];
	clock_format(clock_unix_us() + f->retry_us, at);
	snprintf(text, sizeof(text), "%.400s Next try at %.19sZ.", why, at);
	uint32_t heard = bell_count(&f->poked);
	set_state(f, SHADOW_HELD, text);
	store(f);
	wait_poked(f, heard, f->retry_us);
	if (f->retry_us < RETRIES_DOUBLED * (f->options->retry_us ? f->options->retry_us : RETRY_US))
		f->retry_us *= 2;
}

static void has_worked(struct follower *f)
{
	f->failures = 0;
	f->retry_us = f->options->retry_us ? f->options->retry_us : RETRY_US;
	set_state(f, SHADOW_FOLLOWING, "");
}

/* False: not yet, or the follower ends. */
static bool has_model(struct follower *f)
{
	struct err err;
	struct model *m;
	if (f->model && !engine_held(f->model->engine, &err))
		return true;
	if (f->model) {
		replace_model(f, NULL); /* opened anew below: that ends being held */
	} else if (f->state != SHADOW_HELD) {
		set_state(f, SHADOW_FOLLOWING, "Its model is being loaded.");
	}
	if (open_model(f, &m, &err) != ST_OK) {
		if (f->state != SHADOW_HELD)
			log_err("shadow_not_loaded", &err);
		hold(f, err.text);
		return false;
	}
	replace_model(f, m);
	if (f->state != SHADOW_HELD)
		set_state(f, SHADOW_FOLLOWING, "");
	return true;
}

/* ---- one image ---- */

/* The model failed on so many images in a row that the next will hardly be better. */
static void failed(struct follower *f, const struct err *why)
{
	if (++f->failures < FAILURES_MAX)
		return;
	char text[480];
	snprintf(
		text, sizeof(text), "Its model failed on the last %u images. %.380s", f->failures, why->text);
	if (f->state != SHADOW_HELD)
		log_event(LOG_LEVEL_WARN, "shadow_held", "reason", text, NULL);
	hold(f, text);
}

struct tries {
	unsigned reads, runs, waits;
};

/*
 * Is another try of use? A crash or an error of the model is tried once more, for its process may have been
 * ended by something else; a time-out is not, for it costs too much.
 */
static bool worth_another(
	struct follower *f, enum repeat_fault fault, struct tries *tries, const struct err *why)
{
	switch (fault) {
	case REPEAT_UNREAD:
		if (++tries->reads == READ_TRIES)
			return false;
		break;
	case REPEAT_MODEL: return why->status != ST_TIMEOUT && ++tries->runs < 2;
	case REPEAT_NOT_NOW:
		if (++tries->waits == READ_TRIES)
			set_state(f, f->state, why->text);
		break;
	default: return false;
	}
	try_again(f);
	return true;
}

/* Repeats it, or passes it over. False: it is still to be done, after the model was held or by a later start.
 */
static bool repeat(struct follower *f, const struct shadow_task *task)
{
	struct repeat r = {
		.blobs = f->options->blobs,
		.pixel_budget = f->pixel_budget,
		.model = f->model,
		.deployment_id = f->row.deployment_id,
	};
	struct outcome *o = &f->outcomes.predicted[f->outcomes.count];
	struct tries tries = {0};
	enum repeat_fault fault;
	struct err err, why;
	do {
		if (stopping(f))
			return false;
		r.seat_deadline_us = clock_mono_us() + SEAT_US;
		fault = repeat_run(&r, task, &f->arena, &o->row, &err);
		if (fault != REPEAT_NONE && engine_held(f->model->engine, &why)) {
			hold(f, why.text);
			return false;
		}
	} while (fault != REPEAT_NONE && worth_another(f, fault, &tries, &err));
	if (fault != REPEAT_NONE) {
		skip(f, task, &err);
		if (fault == REPEAT_MODEL)
			failed(f, &err);
		return true;
	}
	o->champion_version_id = task->champion_version_id;
	o->champion_cpu_us = task->champion_cpu_us;
	f->outcomes.count++;
	passed(f, task);
	has_worked(f);
	return true;
}

/* ---- the log ---- */

/* What comes next. *paused: the deployment is; ST_MISSING: it is gone. */
static enum status read_tasks(struct follower *f, struct arena *a, struct shadow_task **tasks, size_t *count,
	bool *paused, struct err *err)
{
	struct db_conn *c;
	struct deployment_row deployment;
	TRY(db_reader_take(f->options->readers, &c, err));
	enum status st = deployment_rows_by_id(c, f->row.deployment_id, a, &deployment, err);
	*paused = st == ST_OK && deployment.paused_us != 0;
	*count = 0;
	if (st == ST_OK && !*paused)
		st = shadow_rows_tasks(c, &f->row, f->reached, OUTCOMES_MAX, a, tasks, count, err);
	db_reader_give(f->options->readers, c);
	return st;
}

/* Until it is poked, in the middle too: then the deployment is to be looked at again. */
static void work_through(struct follower *f, const struct shadow_task *tasks, size_t count, uint32_t poked)
{
	for (size_t i = 0; i < count && !stopping(f) && bell_count(&f->poked) == poked; i++) {
		if (tasks[i].done)
			passed(f, &tasks[i]);
		else if (!repeat(f, &tasks[i]))
			return;
		if (has_waited(f))
			store(f);
	}
}

/* At the end of the log: results that wait for others are stored in time. */
static void wait_for_more(struct follower *f, uint32_t heard)
{
	if (f->reached == f->stored) {
		if (!stopping(f))
			bell_wait(f->recorded, heard, clock_mono_us() + POLL_US);
	} else if (stopping(f) || !bell_wait(f->recorded, heard, f->oldest_us + GATHER_US)) {
		store(f);
	}
}

static void rest(struct follower *f, uint32_t poked)
{
	store(f);
	set_state(f, SHADOW_PAUSED, "It rests while its deployment is paused.");
	wait_poked(f, poked, POLL_US);
}

static void follow_on(struct follower *f)
{
	struct err err;
	struct arena a;
	struct shadow_task *tasks;
	size_t count;
	bool paused;
	uint32_t poked = bell_count(&f->poked), heard = bell_count(f->recorded);
	arena_init(&a);
	enum status st = read_tasks(f, &a, &tasks, &count, &paused, &err);
	if (st == ST_MISSING) {
		atomic_store(&f->stopping, true);
	} else if (st != ST_OK) {
		log_err("shadow_cannot_read", &err);
		wait_poked(f, poked, POLL_US);
	} else if (paused) {
		rest(f, poked);
	} else {
		if (f->state == SHADOW_PAUSED)
			set_state(f, SHADOW_FOLLOWING, "");
		if (count)
			work_through(f, tasks, count, poked);
		else
			wait_for_more(f, heard);
	}
	arena_release(&a);
}

static void follow(void *arg)
{
	struct follower *f = arg;
	thread_stand_back();
	while (!stopping(f))
		if (has_model(f))
			follow_on(f);
	store(f);
	forget_outcomes(f);
	replace_model(f, NULL);
	atomic_store(&f->ended, true);
}

/* ---- from outside ---- */

struct follower *follower_start(const struct shadow_row *row, const struct shadows_options *options,
	struct budget *pixel_budget, struct bell *recorded)
{
	struct follower *f = calloc(1, sizeof(*f));
	CHECK(f != NULL);
	atomic_init(&f->holds, 1);
	f->row = *row;
	f->row.skipped_text = NULL;
	f->options = options;
	f->pixel_budget = pixel_budget;
	f->recorded = recorded;
	f->reached = f->stored = row->position;
	f->outcomes.shadow_id = row->id;
	f->outcomes.deployment_id = row->deployment_id;
	f->retry_us = options->retry_us ? options->retry_us : RETRY_US;
	arena_init(&f->arena);
	bell_init(&f->poked);
	CHECK(pthread_mutex_init(&f->lock, NULL) == 0);
	cond_init(&f->changed);
	thread_start(&f->thread, "shadow", follow, f);
	return f;
}

void follower_poke(struct follower *f)
{
	bell_ring(&f->poked);
	bell_ring(f->recorded);
}

void follower_stop(struct follower *f)
{
	atomic_store(&f->stopping, true);
	follower_poke(f);
	mutex_lock(&f->lock);
	pthread_cond_broadcast(&f->changed);
	mutex_unlock(&f->lock);
}

bool follower_ended(const struct follower *f)
{
	return atomic_load(&f->ended);
}

void follower_join(struct follower *f)
{
	thread_join(f->thread);
}

struct follower *follower_hold(struct follower *f)
{
	int before = atomic_fetch_add(&f->holds, 1);
	CHECK(before > 0);
	return f;
}

void follower_drop(struct follower *f)
{
	int before = atomic_fetch_sub(&f->holds, 1);
	CHECK(before > 0);
	if (before > 1)
		return;
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f);
}
