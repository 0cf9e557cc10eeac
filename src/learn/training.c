/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/training.h"

#include "base/check.h"
#include "base/json.h"
#include "learn/stages.h"
#include "learn/trainer.h"
#include "learn/training_inside.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/log.h"
#include "store/dataset_rows.h"
#include "store/model_rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOK_US ((int64_t)5 * 1000000) /* between two looks for open trainings that nobody told of */

static const struct {
	const char *name, *title, *help;
	training_stage *run;
} stages[] = {
#define STAGE(name, title, help) {#name, title, help, stage_##name},
#include "learn/stages.def"
#undef STAGE
};

/* ---- for the stages ---- */

static bool is_cancelled(const struct training *t)
{
	struct trainings *all = t->all;
	mutex_lock(&all->mutex);
	bool cancelled = uuid_equal(all->cancel_id, t->row.id);
	mutex_unlock(&all->mutex);
	return cancelled;
}

bool training_leaving(const struct training *t)
{
	return atomic_load(&t->all->stopping) || is_cancelled(t);
}

struct write {
	struct training *training;
	recorder_job *job;
	void *arg;
	const char *experiment_status; /* NULL: stays as it is */
	const char *stage_done, *detail;
};

static enum status write_job(struct db_conn *c, void *arg, struct err *err)
{
	const struct write *w = arg;
	struct training *t = w->training;
	if (w->job)
		TRY(w->job(c, w->arg, err));
	if (w->stage_done)
		TRY(training_rows_stage_done(c, t->row.id, w->stage_done, clock_unix_us(), w->detail, err));
	if (w->experiment_status)
		TRY(training_set_experiment(c, t->row.experiment_id, w->experiment_status, err));
	return training_rows_update(c, &t->row, err);
}

static enum status write(struct write *w, struct err *err)
{
	const struct training_hooks *hooks = &w->training->options->hooks;
	TRY(recorder_run(w->training->options->recorder, write_job, w, err));
	if (hooks->changed)
		hooks->changed(hooks->arg, &w->training->row);
	return ST_OK;
}

enum status training_write(struct training *t, recorder_job *job, void *arg, struct err *err)
{
	struct write w = {.training = t, .job = job, .arg = arg};
	return write(&w, err);
}

void training_say(struct training *t, const char *format, ...)
{
	va_list arguments;
	struct err err;
	char text[200];
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	t->row.message = arena_strdup(t->arena, text);
	if (training_write(t, NULL, NULL, &err) != ST_OK)
		log_err("training_message", &err);
}

enum status training_detail(struct training *t, const char *stage, const char **detail, struct err *err)
{
	struct training_stage_row *rows;
	struct db_conn *c;
	size_t count;
	*detail = NULL;
	TRY(db_reader_take(t->options->readers, &c, err));
	enum status st = training_rows_stages(c, t->row.id, t->arena, &rows, &count, err);
	db_reader_give(t->options->readers, c);
	for (size_t i = 0; st == ST_OK && i < count; i++)
		if (strcmp(rows[i].stage, stage) == 0)
			*detail = rows[i].detail;
	return st;
}

/* ---- from stage to stage ---- */

static const char *passed_json(struct training *t)
{
	yyjson_mut_doc *doc = json_new(t->arena);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_str(doc, root, "passed", t->passed);
	return (const char *)json_print(doc, t->arena).data;
}

static enum status run_stage(struct training *t, size_t stage, struct err *err)
{
	t->row.stage = stages[stage].name;
	t->detail = t->passed = NULL;
	TRY(training_write(t, NULL, NULL, err));
	training_stage *run = t->all->stages ? t->all->stages[stage] : stages[stage].run;
	TRY(run(t, err));
	struct write w = {.training = t,
		.stage_done = stages[stage].name,
		.detail = t->passed ? passed_json(t) : t->detail};
	return write(&w, err);
}

static enum status run_stages(struct training *t, struct err *err)
{
	struct training_stage_row *done;
	struct db_conn *c;
	size_t count;
	TRY(db_reader_take(t->options->readers, &c, err));
	enum status st = training_rows_stages(c, t->row.id, t->arena, &done, &count, err);
	db_reader_give(t->options->readers, c);
	TRY(st);
	for (size_t s = 0; s < COUNT_OF(stages); s++) {
		bool is_done = false;
		for (size_t i = 0; i < count; i++)
			is_done |= strcmp(done[i].stage, stages[s].name) == 0;
		if (is_done)
			continue;
		if (training_leaving(t))
			return err_set(err, ST_UNAVAILABLE, "It was cancelled.");
		TRY(run_stage(t, s, err));
	}
	return ST_OK;
}

/* ---- begin and end ---- */

/* Did somebody cancel or delete it since it was read? */
static enum status still_open(struct db_conn *c, void *arg, struct err *err)
{
	struct training *t = arg;
	struct training_row now;
	TRY(training_rows_by_id(c, t->row.id, t->arena, &now, err));
	return training_is_open(&now) ? ST_OK : err_set(err, ST_CONFLICT, "It has ended.");
}

static enum status begin(struct training *t, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(t->options->readers, &c, err));
	enum status st = experiment_rows_by_id(c, t->row.experiment_id, t->arena, &t->experiment, err);
	db_reader_give(t->options->readers, c);
	TRY(st);
	if (strcmp(t->row.status, "RUNNING") != 0)
		t->row.started_us = clock_unix_us();
	t->row.status = "RUNNING";
	struct write w = {.training = t, .job = still_open, .arg = t, .experiment_status = "RUNNING"};
	return write(&w, err);
}

/* Pictures and checkpoints are of no more use; job, logs, report and result stay. */
static void tidy_up(const struct training *t)
{
	static const char *const folders[] = {"input", "state"};
	struct err err;
	for (size_t i = 0; i < COUNT_OF(folders); i++)
		if (file_remove_folder(arena_printf(t->arena, "%s/%s", t->folder, folders[i]), &err) != ST_OK)
			log_err("training_tidy", &err);
}

static void finish(struct training *t, enum status st, const struct err *why)
{
	const struct training_hooks *hooks = &t->options->hooks;
	struct err err;
	struct write w = {.training = t};
	t->row.finished_us = clock_unix_us();
	t->row.pid = t->row.pid_start = 0;
	if (st == ST_OK) {
		t->row.status = w.experiment_status = "SUCCESS";
		t->row.stage = "done";
		t->row.progress = 1;
		t->row.message = "";
	} else if (is_cancelled(t)) {
		t->row.status = w.experiment_status = "CANCELED";
		mutex_lock(&t->all->mutex);
		t->row.message = arena_printf(t->arena, "Cancelled by %s.", t->all->cancel_who);
		mutex_unlock(&t->all->mutex);
	} else {
		t->row.status = w.experiment_status = "FAILED";
		t->row.error = arena_strdup(t->arena, why->text);
		t->row.message = "";
	}
	if (st == ST_OK)
		tidy_up(t);
	if (write(&w, &err) != ST_OK) {
		log_err("training_end", &err);
		return;
	}
	if (hooks->ended)
		hooks->ended(hooks->arg, &t->row);
}

static void set_working(struct trainings *all, struct uuid id)
{
	mutex_lock(&all->mutex);
	all->working_id = id;
	all->left_s = -1;
	if (uuid_is_zero(id))
		all->cancel_id = id;
	mutex_unlock(&all->mutex);
}

/* False: nothing was done, and trying again at once would not help. */
static bool work_on(struct trainings *all, const struct training_row *row, struct arena *a)
{
	struct training t = {.all = all, .options = &all->options, .row = *row, .arena = a};
	struct err err;
	char id[UUID_TEXT_SIZE];
	uuid_format(row->id, id);
	t.folder = arena_printf(a, "%s/%s", all->options.folder, id);
	set_working(all, row->id);
	enum status st = begin(&t, &err);
	bool began = st == ST_OK;
	if (began)
		st = run_stages(&t, &err);
	if (!began)
		log_err("training_begin", &err);
	else if (st == ST_OK || !atomic_load(&all->stopping) || is_cancelled(&t))
		finish(&t, st, &err);
	set_working(all, (struct uuid){{0}});
	return began;
}

bool trainings_work(struct trainings *all)
{
	struct training_row *rows;
	struct db_conn *c;
	struct arena a;
	struct err err;
	size_t count = 0;
	bool worked = false;
	arena_init(&a);
	enum status st = db_reader_take(all->options.readers, &c, &err);
	if (st == ST_OK) {
		st = training_rows_open(c, &a, &rows, &count, &err);
		db_reader_give(all->options.readers, c);
	}
	if (st != ST_OK)
		log_err("training_look", &err);
	else if (count > 0)
		worked = work_on(all, &rows[0], &a);
	arena_release(&a);
	return worked;
}

static void run(void *arg)
{
	struct trainings *all = arg;
	while (!atomic_load(&all->stopping)) {
		uint32_t heard = bell_count(&all->bell);
		if (!trainings_work(all) && !atomic_load(&all->stopping))
			bell_wait(&all->bell, heard, clock_mono_us() + LOOK_US);
	}
}

/* ---- all of them ---- */

const char *trainings_no_trainer(void)
{
	return "There is no trainer on this machine: tools/build.sh trainer builds gyre-train, which needs "
	       "libtorch; or name a command of your own in the setting `trainer`.";
}

bool trainings_look_for_trainer(const struct trainings *all)
{
	return all->options.command == NULL;
}

bool trainings_find_trainer(struct trainings *all)
{
	const char *found = trainer_find(&all->arena);
	if (found == NULL)
		return false;
	all->built_in = true;
	all->program = found;
	atomic_store(&all->command,
		arena_printf(&all->arena, "%s train --job {job}", trainer_quoted(found, &all->arena)));
	return true;
}

enum status trainings_new(const struct trainings_options *options, struct trainings **out, struct err *err)
{
	(void)err;
	struct trainings *all = calloc(1, sizeof(*all));
	CHECK(all != NULL);
	all->options = *options;
	arena_init(&all->arena);
	if (trainings_look_for_trainer(all))
		(void)trainings_find_trainer(all);
	else if (strcmp(options->command, "off") != 0)
		all->command = arena_strdup(&all->arena, options->command);
	pthread_mutex_init(&all->mutex, NULL);
	bell_init(&all->bell);
	bell_init(&all->check_bell);
	*out = all;
	return ST_OK;
}

enum status trainings_start(struct trainings *all, struct err *err)
{
	(void)err;
	thread_start(&all->thread, "trainings", run, all);
	thread_start(&all->check_thread, "trainer-check", trainings_check, all);
	all->started = true;
	return ST_OK;
}

void trainings_stop(struct trainings *all)
{
	atomic_store(&all->stopping, true);
	bell_ring(&all->bell);
	bell_ring(&all->check_bell);
	if (all->started) {
		thread_join(all->thread);
		thread_join(all->check_thread);
	}
	all->started = false;
}

void trainings_free(struct trainings *all)
{
	if (all == NULL)
		return;
	trainings_stop(all);
	pthread_mutex_destroy(&all->mutex);
	arena_release(&all->arena);
	free(all->version);
	free(all->broken);
	free(all);
}

void trainings_poke(struct trainings *all)
{
	bell_ring(&all->bell);
	bell_ring(&all->check_bell);
}

void trainings_facts(struct trainings *all, struct arena *a, struct trainer_facts *out)
{
	mutex_lock(&all->mutex);
	const char *broken = all->broken ? arena_strdup(a, all->broken) : NULL;
	const char *version = all->version ? arena_strdup(a, all->version) : NULL;
	mutex_unlock(&all->mutex);
	const char *command = atomic_load(&all->command);
	*out = (struct trainer_facts){.available = command != NULL && broken == NULL,
		.version = version,
		.name = command && all->built_in ? "gyre-train" : command,
		.memory_bytes_max = all->options.memory_bytes_max,
		.threads = all->options.threads};
	if (!out->available)
		out->reason = broken ? broken : trainings_no_trainer();
}

double trainings_left_s(struct trainings *all, struct uuid id)
{
	mutex_lock(&all->mutex);
	double left_s = uuid_equal(all->working_id, id) ? all->left_s : -1;
	mutex_unlock(&all->mutex);
	return left_s;
}
