/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The next epoch of a deployment's Continuous Training, opened in one transaction of the writer, and its end,
 * counted once: of two threads that see the threshold reached, the second finds an open training; of a server
 * that is killed in between, either all of it is there or nothing.
 */
#include "base/check.h"
#include "learn/continuous_training.h"
#include "learn/training.h"
#include "store/experiment_rows.h"
#include "store/project_rows.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define NAMES_MAX 1000

struct opening {
	struct db_conn *conn;
	struct continuous_training_opening *job;
	struct continuous_training t;
	const char *trigger;
	struct arena *a;
};

/* ---- why ---- */

/* "since version 3": since the last training that came to something. */
static const char *since(const struct opening *o)
{
	const struct training_row *last = &o->t.last;
	return uuid_is_zero(last->id) ? "" : " since the last training";
}

static const char *why(const struct opening *o)
{
	int64_t submitted = continuous_training_submitted(&o->t);
	const char *reviews = arena_printf(o->a, "%" PRId64 " reviewed picture%s submitted%s.", submitted,
		submitted == 1 ? " was" : "s were", since(o));
	if (strcmp(o->trigger, "DRIFT") == 0)
		return arena_printf(o->a, "Drift was told, and %s", reviews);
	if (strcmp(o->trigger, "SCHEDULE") == 0)
		return arena_printf(o->a, "It was time (every %" PRId64 " hours), and %s",
			o->t.row.every_s / 3600, reviews);
	if (strcmp(o->trigger, "HAND") == 0)
		return arena_printf(o->a, "%s wished it. %s", o->job->who, reviews);
	return reviews;
}

/* ---- its experiment ---- */

static const char *date(struct arena *a, int64_t now_us)
{
	struct tm parts;
	char text[32];
	time_t seconds = (time_t)(now_us / 1000000);
	gmtime_r(&seconds, &parts);
	strftime(text, sizeof(text), "%e %b %Y", &parts);
	return arena_strdup(a, text[0] == ' ' ? text + 1 : text);
}

/* "v4 · 24 Nov 2026", with a number behind it where that is taken. */
static enum status find_name(const struct opening *o, const char **name, struct err *err)
{
	struct experiment_row taken;
	int64_t version;
	TRY(model_rows_next_version(o->conn, o->t.base.model_id, &version, err));
	const char *first =
		arena_printf(o->a, "v%" PRId64 " \xc2\xb7 %s", version, date(o->a, o->job->now_us));
	for (int i = 1; i <= NAMES_MAX; i++) {
		*name = i == 1 ? first : arena_printf(o->a, "%s (%d)", first, i);
		enum status st =
			experiment_rows_by_name(o->conn, o->t.row.project_id, *name, o->a, &taken, err);
		if (st == ST_MISSING)
			return ST_OK;
		TRY(st);
	}
	return err_set(err, ST_CONFLICT, "The project has too many experiments named \"%.100s\".", first);
}

static enum status insert_experiment(const struct opening *o, struct experiment_row *row, struct err *err)
{
	*row = (struct experiment_row){
		.id = uuid_v7(o->job->now_us / 1000),
		.project_id = o->t.row.project_id,
		.description = why(o),
		.status = "WAITING",
		.base_model_version_id = o->t.base.id,
		.created_us = o->job->now_us,
	};
	TRY(find_name(o, &row->name, err));
	TRY(experiment_rows_insert(o->conn, row, err));
	struct experiment_log_row log = {
		.id = uuid_v7(o->job->now_us / 1000),
		.experiment_id = row->id,
		.name = "parameters",
		.type = "TABLE",
		.data = o->t.row.parameters,
		.created_us = o->job->now_us,
	};
	TRY(experiment_log_rows_insert(o->conn, &log, err));
	for (size_t i = 0; i < o->t.dataset_count; i++)
		TRY(experiment_rows_attach(
			o->conn, row->id, o->t.datasets[i].name, o->t.datasets[i].version.id, err));
	return ST_OK;
}

/* ---- the epoch ---- */

static enum status open_epoch(struct opening *o, struct err *err)
{
	struct experiment_row experiment;
	TRY(insert_experiment(o, &experiment, err));
	const struct training_row wish = {
		.experiment_id = experiment.id,
		.deployment_id = o->t.deployment.id,
		.epoch = o->t.row.epoch + 1,
		.trigger = o->trigger,
		.why = why(o),
		.who = o->job->who,
		.model_id = o->t.base.model_id,
		.trainer = o->t.row.trainer,
	};
	TRY(training_open(o->conn, &wish, o->job->now_us, o->a, &o->job->training, err));
	TRY(submission_rows_take(o->conn, o->t.deployment.id, wish.epoch, err));
	struct continuous_training_row row = o->t.row;
	row.epoch = wish.epoch;
	row.last_us = row.drift_us = o->job->now_us;
	TRY(continuous_training_rows_put(o->conn, &row, err));
	o->job->opened = true;
	return ST_OK;
}

static enum status check_by_hand(const struct opening *o, struct err *err)
{
	const struct continuous_training *t = &o->t;
	if (!t->set)
		return err_set(err, ST_CONFLICT,
			"Continuous Training of this deployment is not set up yet. Set it up first.");
	if (!uuid_is_zero(t->open.id))
		return err_set(err, ST_CONFLICT,
			"Training %" PRId64 " of this deployment runs already; the next can begin when it "
			"ended.",
			t->open.epoch);
	for (size_t i = 0; i < t->problem_count; i++)
		if (!t->problems[i].of_trigger)
			return err_set(err, ST_UNPROCESSABLE, "%s", t->problems[i].text);
	return ST_OK;
}

static enum status open_if_due(struct opening *o, struct err *err)
{
	struct continuous_training_opening *job = o->job;
	job->opened = false;
	TRY(continuous_training_read(
		o->conn, job->deployment_id, job->no_trainer, job->now_us, o->a, &o->t, err));
	if (job->by_hand) {
		TRY(check_by_hand(o, err));
		o->trigger = "HAND";
	} else {
		TRY(continuous_training_due(o->conn, &o->t, job->now_us, &o->trigger, err));
	}
	return o->trigger ? open_epoch(o, err) : ST_OK;
}

enum status continuous_training_open_job(struct db_conn *c, void *arg, struct err *err)
{
	struct continuous_training_opening *job = arg;
	struct opening o = {.conn = c, .job = job, .a = job->arena};
	return open_if_due(&o, err);
}

/* ---- its end ---- */

static enum status tell(struct db_conn *c, struct uuid deployment_id, const char *what, const char *to,
	const char *text, int64_t now_us, struct err *err)
{
	struct deployment_event_row event = {
		.at_us = now_us, .what = what, .who = "gyre", .to = to, .why = text};
	return deployment_rows_add_event(c, deployment_id, &event, err);
}

static enum status count_failure(struct db_conn *c, struct continuous_training_settling *s,
	struct continuous_training_row *row, const struct training_row *last, struct arena *a,
	struct err *err)
{
	char id[UUID_TEXT_SIZE];
	uuid_format(last->id, id);
	const char *error = last->error ? last->error : "It failed.";
	s->failed = true;
	row->failures++;
	TRY(tell(c, row->deployment_id, "training_failed", id,
		arena_printf(a, "Training %" PRId64 " failed: %s", last->epoch, error), s->now_us, err));
	if (row->failures < CONTINUOUS_TRAINING_FAILURES_MAX)
		return ST_OK;
	s->paused = true;
	row->paused_text = arena_printf(a,
		"Paused: %" PRId64 " trainings in a row failed, the last one with: %s Nothing is trained by "
		"itself until one succeeds, or Continuous Training is switched on again.",
		row->failures, error);
	return tell(c, row->deployment_id, "training_paused", id, row->paused_text, s->now_us, err);
}

static enum status settle(
	struct db_conn *c, struct continuous_training_settling *s, struct arena *a, struct err *err)
{
	struct continuous_training_row row;
	struct training_row last;
	bool set, found;
	s->failed = s->paused = false;
	TRY(continuous_training_rows_get(c, s->deployment_id, a, &row, &set, err));
	TRY(training_rows_last(c, s->deployment_id, a, &last, &found, err));
	if (!set || !found || last.finished_us == 0 ||
		(uuid_equal(row.ended_id, last.id) && row.ended_attempt == last.attempt))
		return ST_OK;
	row.ended_id = last.id;
	row.ended_attempt = last.attempt;
	if (strcmp(last.status, "FAILED") == 0)
		TRY(count_failure(c, s, &row, &last, a, err));
	if (strcmp(last.status, "SUCCESS") == 0) {
		row.failures = 0;
		row.paused_text = NULL;
	}
	if (s->ended)
		TRY(s->ended(s->ended_arg, c, &last, s->now_us, err));
	return continuous_training_rows_put(c, &row, err);
}

enum status continuous_training_settle_job(struct db_conn *c, void *arg, struct err *err)
{
	struct arena a;
	arena_init(&a);
	enum status st = settle(c, arg, &a, err);
	arena_release(&a);
	return st;
}
