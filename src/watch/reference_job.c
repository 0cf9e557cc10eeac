/* SPDX-License-Identifier: Apache-2.0 */
/* When references are made: started, waited for, and begun anew after a restart. What is done is in
 * reference_job_run.c. */
#include "watch/reference_job.h"

#include "base/check.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/deployment_rows.h"
#include "watch/reference_job_inside.h"

#include <stdlib.h>
#include <string.h>

#define POKE_QUICK_US 20000 /* what takes longer is done rarely … */
#define POKE_SHARE 20       /* … so that one part of the time is spent on it */

/* ---- rows ---- */

struct failing {
	struct uuid id;
	const char *error;
};

static enum status fail_row(struct db_conn *c, void *arg, struct err *err)
{
	const struct failing *f = arg;
	return reference_rows_fail(c, f->id, f->error, err);
}

static void fail(struct reference_world *world, struct uuid id, const char *error)
{
	struct failing f = {id, error};
	struct err err;
	if (recorder_run(world->recorder, fail_row, &f, &err) != ST_OK)
		log_err("reference_not_failed", &err);
}

static enum status delete_row(struct db_conn *c, void *arg, struct err *err)
{
	bool done = false;
	while (!done)
		TRY(reference_rows_delete(c, *(const struct uuid *)arg, 500, &done, err));
	return ST_OK;
}

struct inserting {
	struct reference_row row;
	bool anew, inserted;
};

/* One writer, so that of two who start at once the second finds the first. */
static enum status insert_row(struct db_conn *c, void *arg, struct err *err)
{
	struct inserting *i = arg;
	struct reference_row other;
	struct arena a;
	bool found;
	arena_init(&a);
	enum status st = reference_rows_of_version(
		c, i->row.deployment_id, i->row.model_version_id, true, &a, &other, &found, err);
	i->inserted = st == ST_OK && (!found || strcmp(other.status, "FAILED") == 0 ||
					     (i->anew && strcmp(other.status, "READY") == 0));
	arena_release(&a);
	return st == ST_OK && i->inserted ? reference_rows_insert(c, &i->row, err) : st;
}

struct naming {
	struct uuid id, job_id;
};

static enum status name_job(struct db_conn *c, void *arg, struct err *err)
{
	const struct naming *n = arg;
	return reference_rows_set_job(c, n->id, n->job_id, err);
}

/* ---- start ---- */

/* A job that never began was cancelled, or the server stops: then its row is found RUNNING by the next. */
static void release_job(void *arg)
{
	struct reference_job *r = arg;
	if (!atomic_load(&r->ran) && !jobs_stopping(r->world->jobs))
		fail(r->world, r->reference_id, "It was cancelled before it began.");
	arena_release(&r->arena);
	free(r);
}

static enum status start_job(struct reference_world *world, const struct reference_row *row, const char *who,
	struct arena *a, struct job_row *job, struct err *err)
{
	struct reference_job *r = calloc(1, sizeof(*r));
	CHECK(r != NULL);
	arena_init(&r->arena);
	r->world = world;
	r->deployment_id = row->deployment_id;
	r->reference_id = row->id;
	r->version_id = row->model_version_id;
	const struct job_work work = {.kind = "reference",
		.object_id = row->deployment_id,
		.who = who,
		.run = reference_run,
		.arg = r,
		.release = release_job};
	enum status st = jobs_start(world->jobs, &work, a, job, err);
	if (st !=
		ST_OK) { /* too many jobs: it is tried again when predictions come in, and after a restart */
		struct err other;
		struct uuid id = row->id;
		if (recorder_run(world->recorder, delete_row, &id, &other) != ST_OK)
			log_err("reference_not_deleted", &other);
		arena_release(&r->arena);
		free(r);
		return st;
	}
	struct naming naming = {row->id, job->id};
	return recorder_run(world->recorder, name_job, &naming, err);
}

/* Whether there is anything to start from now; version_id zero: for the champion. */
static enum status read_wish(struct db_conn *c, struct uuid deployment_id, struct uuid version_id,
	struct arena *a, bool *wanted, struct reference_row *row, struct err *err)
{
	struct training_data_row set;
	struct deployment_row deployment;
	int64_t seen;
	TRY(training_data_rows_get(c, deployment_id, a, &set, wanted, err));
	*wanted = *wanted && set.active;
	if (!*wanted)
		return ST_OK;
	TRY(deployment_rows_by_id(c, deployment_id, a, &deployment, err));
	if (strcmp(set.kind, "PRODUCTION") == 0) {
		struct uuid version = deployment.serving ? (struct uuid){{0}} : deployment.champion_id;
		TRY(training_data_rows_seen(c, &set, version, &seen, err));
		*wanted = seen >= set.images_max;
	} else if (uuid_is_zero(set.dataset_version_id)) {
		return err_set(err, ST_CONFLICT,
			"The dataset version that was Training Data is gone: choose another one.");
	}
	*row = (struct reference_row){.deployment_id = deployment_id,
		.model_version_id = uuid_is_zero(version_id) ? deployment.champion_id : version_id,
		.kind = set.kind,
		.dataset_version_id = set.dataset_version_id,
		.source = set.source};
	return ST_OK;
}

enum status reference_start(struct reference_world *world, struct uuid deployment_id, bool anew,
	const char *who, struct arena *a, struct job_row *row, struct err *err)
{
	return reference_start_version(world, deployment_id, (struct uuid){{0}}, anew, who, a, row, err);
}

enum status reference_start_version(struct reference_world *world, struct uuid deployment_id,
	struct uuid version_id, bool anew, const char *who, struct arena *a, struct job_row *row,
	struct err *err)
{
	struct inserting i = {.anew = anew};
	struct db_conn *c;
	bool wanted;
	*row = (struct job_row){0};
	TRY(db_reader_take(world->readers, &c, err));
	enum status st = read_wish(c, deployment_id, version_id, a, &wanted, &i.row, err);
	db_reader_give(world->readers, c);
	TRY(st);
	if (!wanted)
		return ST_OK;
	i.row.created_us = clock_unix_us();
	i.row.id = uuid_v7(i.row.created_us / 1000);
	TRY(recorder_run(world->recorder, insert_row, &i, err));
	return i.inserted ? start_job(world, &i.row, who, a, row, err) : ST_OK;
}

enum status reference_stop(struct reference_world *world, struct uuid deployment_id, struct err *err)
{
	struct reference_row *rows;
	struct db_conn *c;
	struct arena a;
	size_t count = 0;
	TRY(db_reader_take(world->readers, &c, err));
	arena_init(&a);
	enum status st = reference_rows_running(c, deployment_id, &a, &rows, &count, err);
	db_reader_give(world->readers, c);
	for (size_t i = 0; st == ST_OK && i < count; i++) {
		struct err ended; /* it may have ended just now */
		fail(world, rows[i].id, "Training Data was changed or disabled while it was made.");
		if (!uuid_is_zero(rows[i].job_id))
			(void)!jobs_cancel(world->jobs, rows[i].job_id, &ended);
	}
	arena_release(&a);
	return st;
}

/* ---- those that wait ---- */

static enum status read_waiting(
	struct db_conn *c, struct uuid deployment_id, struct arena *a, bool *waiting, struct err *err)
{
	struct training_data_row set;
	struct reference_row row;
	bool found;
	TRY(training_data_rows_get(c, deployment_id, a, &set, waiting, err));
	*waiting = *waiting && set.active &&
		   (strcmp(set.kind, "PRODUCTION") == 0 || !uuid_is_zero(set.dataset_version_id));
	if (!*waiting)
		return ST_OK;
	TRY(reference_rows_current(c, deployment_id, true, a, &row, &found, err));
	*waiting = !found;
	return ST_OK;
}

static enum status start_waiting(struct reference_world *world, struct uuid deployment_id, struct err *err)
{
	struct arena a;
	struct db_conn *c;
	struct job_row job;
	bool waiting = false;
	TRY(db_reader_take(world->readers, &c, err));
	arena_init(&a);
	enum status st = read_waiting(c, deployment_id, &a, &waiting, err);
	db_reader_give(world->readers, c);
	if (st == ST_OK && waiting)
		st = reference_start(world, deployment_id, false, TRAINING_DATA_BY_ITSELF, &a, &job, err);
	arena_release(&a);
	return st;
}

void reference_poke(struct reference_world *world, struct uuid deployment_id)
{
	struct err err;
	int64_t before = clock_mono_us();
	if (before < atomic_load(&world->poke_us))
		return;
	if (start_waiting(world, deployment_id, &err) != ST_OK)
		log_err("reference_not_started", &err);
	int64_t now = clock_mono_us();
	if (now - before > POKE_QUICK_US)
		atomic_store(&world->poke_us, now + POKE_SHARE * (now - before));
}

/* ---- after a restart ---- */

/* Of each, what was cut short goes, and is wanted again. */
static enum status restart(struct reference_world *world, const struct reference_row *row, struct err *err)
{
	struct arena a;
	struct job_row job;
	struct uuid id = row->id;
	TRY(recorder_run(world->recorder, delete_row, &id, err));
	arena_init(&a);
	enum status st = reference_start_version(world, row->deployment_id, row->model_version_id, false,
		TRAINING_DATA_BY_ITSELF, &a, &job, err);
	if (st != ST_OK)
		log_err("reference_not_started", err);
	arena_release(&a);
	return ST_OK;
}

enum status reference_resume(struct reference_world *world, struct err *err)
{
	struct arena a;
	struct db_conn *c;
	struct reference_row *rows;
	struct uuid *ids;
	size_t count = 0, set = 0;
	TRY(db_reader_take(world->readers, &c, err));
	arena_init(&a);
	enum status st = reference_rows_running(c, (struct uuid){{0}}, &a, &rows, &count, err);
	if (st == ST_OK)
		st = training_data_rows_active(c, &a, &ids, &set, err);
	db_reader_give(world->readers, c);
	for (size_t i = 0; st == ST_OK && i < count; i++)
		st = restart(world, &rows[i], err);
	for (size_t i = 0; st == ST_OK && i < set; i++)
		if (start_waiting(world, ids[i], err) != ST_OK)
			log_err("reference_not_started", err);
	arena_release(&a);
	return st;
}
