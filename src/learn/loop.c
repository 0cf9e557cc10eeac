/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/loop.h"

#include "base/check.h"
#include "deploy/shadow_set.h"
#include "learn/continuous_training.h"
#include "os/bell.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/thread.h"
#include "store/pipeline_rows.h"
#include "store/verdict_rows.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_US ((int64_t)5 * 1000000)
#define SECOND_US ((int64_t)1000000)

struct look {
	const struct loop_options *options;
	int64_t now_us;
	struct arena *arena; /* of one look at one deployment */
};

typedef enum status list_deployments(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err);
typedef enum status look_at(struct look *l, struct uuid deployment_id, struct err *err);

/* ---- trainings ---- */

static const char *no_trainer(struct look *l)
{
	struct trainer_facts facts = {.available = true};
	if (l->options->trainings)
		trainings_facts(l->options->trainings, l->arena, &facts);
	return facts.available ? NULL : facts.reason ? facts.reason : "There is no trainer on this machine.";
}

/* Whether the last training's end is to be counted, and whether another is due. */
static enum status read_wishes(struct look *l, struct uuid deployment_id, const char *missing, bool *settle,
	bool *open, struct err *err)
{
	struct continuous_training t;
	struct db_conn *c;
	const char *trigger = NULL;
	TRY(db_reader_take(l->options->readers, &c, err));
	enum status st = continuous_training_read(c, deployment_id, missing, l->now_us, l->arena, &t, err);
	if (st == ST_OK)
		st = continuous_training_due(c, &t, l->now_us, &trigger, err);
	db_reader_give(l->options->readers, c);
	TRY(st);
	*settle = t.last.finished_us != 0 &&
		  !(uuid_equal(t.row.ended_id, t.last.id) && t.row.ended_attempt == t.last.attempt);
	*open = trigger != NULL;
	return ST_OK;
}

static enum status look_at_training(struct look *l, struct uuid deployment_id, struct err *err)
{
	struct continuous_training_settling settling = {.deployment_id = deployment_id,
		.now_us = l->now_us,
		.ended = l->options->ended,
		.ended_arg = l->options->arg};
	struct continuous_training_opening opening = {.deployment_id = deployment_id,
		.who = "gyre",
		.no_trainer = no_trainer(l),
		.now_us = l->now_us,
		.arena = l->arena};
	bool settle, open;
	TRY(read_wishes(l, deployment_id, opening.no_trainer, &settle, &open, err));
	/* First, as two failures pause what would be opened. */
	if (settle)
		TRY(recorder_run(l->options->recorder, continuous_training_settle_job, &settling, err));
	if (open)
		TRY(recorder_run(l->options->recorder, continuous_training_open_job, &opening, err));
	if (opening.opened && l->options->trainings)
		trainings_poke(l->options->trainings);
	if ((settle || opening.opened) && l->options->changed)
		l->options->changed(l->options->arg, deployment_id);
	return ST_OK;
}

/* ---- promotion by itself ---- */

struct better {
	bool found;
	struct shadow_row shadow;
	struct verdict_row verdict;
	struct deployment_row deployment;
	struct continuous_deployment_row settings;
};

/* The first of its shadows that may be promoted, the newest first. */
static enum status find_better(
	struct db_conn *c, struct uuid deployment_id, struct arena *a, struct better *out, struct err *err)
{
	struct shadow_row *shadows;
	size_t count;
	bool set, found;
	*out = (struct better){0};
	TRY(deployment_rows_by_id(c, deployment_id, a, &out->deployment, err));
	TRY(continuous_deployment_rows_get(c, deployment_id, a, &out->settings, &set, err));
	TRY(shadow_rows_list(c, deployment_id, a, &shadows, &count, err));
	if (!set || !out->settings.active || !out->settings.promote_by_itself)
		return ST_OK;
	for (size_t i = 0; i < count && !out->found; i++) {
		bool was_rolled_back;
		out->shadow = shadows[i];
		TRY(verdict_rows_get(c, deployment_id, shadows[i].id, out->deployment.champion_id, a,
			&out->verdict, &found, err));
		TRY(rolled_back_rows_has(
			c, deployment_id, shadows[i].model_version_id, &was_rolled_back, err));
		out->found = found && out->verdict.may_promote && !was_rolled_back;
	}
	return ST_OK;
}

/* A champion that the reviews call worse than the one before goes back; a better shadow goes on. */
static enum status promote(struct look *l, const struct better *b, struct err *err)
{
	bool back = strcmp(b->shadow.role, SHADOW_ROLE_FORMER) == 0;
	const char *rule = back ? "the champion before is better than this one"
				: "the shadow is better than the champion";
	const struct swap swap = {
		.deployment_id = b->deployment.id,
		.version_id = b->shadow.model_version_id,
		.what = back ? SWAP_BACK : SWAP_PROMOTED,
		.who = "gyre",
		.why = arena_printf(l->arena,
			"By itself: %s, by %" PRId64 " of %" PRId64
			" reviewed disagreements that one of them won.",
			rule, b->verdict.wins, b->verdict.wins + b->verdict.losses),
		.from_shadow = true,
		.keep_as_shadow = !back && b->settings.keep_s > 0,
		.keep_until_us = l->now_us + b->settings.keep_s * SECOND_US,
		.by_itself = true,
		.expected_champion_id = b->deployment.champion_id,
		.now_us = l->now_us,
	};
	return l->options->swap(l->options->arg, &swap, err);
}

static enum status look_at_shadows(struct look *l, struct uuid deployment_id, struct err *err)
{
	struct db_conn *c;
	struct better better;
	TRY(db_reader_take(l->options->readers, &c, err));
	enum status st = find_better(c, deployment_id, l->arena, &better, err);
	db_reader_give(l->options->readers, c);
	TRY(st);
	if (!better.found)
		return ST_OK;
	st = promote(l, &better, err);
	return st == ST_CONFLICT ? ST_OK : st; /* a person was faster */
}

/* ---- shadows whose time is over ---- */

struct removal {
	struct uuid deployment_id, version_id;
	int64_t now_us;
};

static enum status remove_job(struct db_conn *c, void *arg, struct err *err)
{
	const struct removal *r = arg;
	struct deployment_row row;
	struct arena a;
	arena_init(&a);
	enum status st = deployment_rows_by_id(c, r->deployment_id, &a, &row, err);
	if (st == ST_OK)
		st = shadow_unset(
			c, &row, r->version_id, "gyre", "Its time as shadow is over.", r->now_us, &a, err);
	arena_release(&a);
	return st;
}

static enum status remove_over(struct look *l, struct err *err)
{
	struct shadow_row *over;
	struct db_conn *c;
	size_t count;
	TRY(db_reader_take(l->options->readers, &c, err));
	enum status st = shadow_rows_over(c, l->now_us, l->arena, &over, &count, err);
	db_reader_give(l->options->readers, c);
	TRY(st);
	for (size_t i = 0; i < count; i++) {
		struct removal r = {over[i].deployment_id, over[i].model_version_id, l->now_us};
		st = recorder_run(l->options->recorder, remove_job, &r, err);
		if (st != ST_OK && st != ST_MISSING) /* a person was faster */
			return st;
		if (l->options->shadow_changed)
			l->options->shadow_changed(l->options->arg, over[i].deployment_id, "gyre");
	}
	return ST_OK;
}

/* ---- a look ---- */

static void each(const struct loop_options *options, int64_t now_us, list_deployments *which, look_at *what)
{
	struct uuid *ids;
	struct db_conn *c;
	struct err err;
	struct arena a;
	size_t count = 0;
	arena_init(&a);
	enum status st = db_reader_take(options->readers, &c, &err);
	if (st == ST_OK) {
		st = which(c, &a, &ids, &count, &err);
		db_reader_give(options->readers, c);
	}
	if (st != ST_OK)
		log_err("loop_look", &err);
	for (size_t i = 0; st == ST_OK && i < count; i++) {
		struct arena of_one;
		arena_init(&of_one);
		struct look look = {options, now_us, &of_one};
		if (what(&look, ids[i], &err) != ST_OK)
			log_err("loop_look", &err);
		arena_release(&of_one);
	}
	arena_release(&a);
}

void loop_look(const struct loop_options *options, int64_t now_us)
{
	struct err err;
	struct arena a;
	each(options, now_us, continuous_training_rows_deployments, look_at_training);
	each(options, now_us, continuous_deployment_rows_by_themselves, look_at_shadows);
	arena_init(&a);
	if (remove_over(&(struct look){options, now_us, &a}, &err) != ST_OK)
		log_err("loop_look", &err);
	arena_release(&a);
}

/* ---- the thread ---- */

struct loop {
	struct loop_options options;
	struct bell bell;
	thread_handle thread;
	bool started;
	_Atomic bool stopping;
};

static void run(void *arg)
{
	struct loop *l = arg;
	while (!atomic_load(&l->stopping)) {
		uint32_t heard = bell_count(&l->bell);
		loop_look(&l->options, clock_unix_us());
		if (!atomic_load(&l->stopping))
			bell_wait(&l->bell, heard, clock_mono_us() + LOOK_US);
	}
}

struct loop *loop_new(const struct loop_options *options)
{
	struct loop *l = calloc(1, sizeof(*l));
	CHECK(l != NULL);
	l->options = *options;
	bell_init(&l->bell);
	return l;
}

void loop_start(struct loop *l)
{
	thread_start(&l->thread, "loop", run, l);
	l->started = true;
}

void loop_stop(struct loop *l)
{
	atomic_store(&l->stopping, true);
	bell_ring(&l->bell);
	if (l->started)
		thread_join(l->thread);
	l->started = false;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	loop_stop(l);
	free(l);
}

void loop_poke(struct loop *l)
{
	if (l)
		bell_ring(&l->bell);
}
