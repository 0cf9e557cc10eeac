/* SPDX-License-Identifier: Apache-2.0 */
/* What people and Continuous Training do to trainings: open, cancel, retry. */
#include "base/json.h"
#include "learn/training_inside.h"
#include "os/clock.h"
#include "store/experiment_rows.h"
#include "store/model_rows.h"

#include <stdio.h>

enum status training_set_experiment(
	struct db_conn *c, struct uuid experiment_id, const char *status, struct err *err)
{
	struct arena a;
	struct experiment_row row;
	arena_init(&a);
	enum status st = experiment_rows_by_id(c, experiment_id, &a, &row, err);
	if (st == ST_OK) {
		row.status = status;
		st = experiment_rows_update(c, &row, err);
	}
	arena_release(&a);
	return st;
}

/* ---- open ---- */

static enum status check_datasets(
	struct db_conn *c, struct uuid experiment_id, struct arena *a, struct err *err)
{
	struct experiment_dataset_row *datasets;
	size_t count;
	TRY(experiment_rows_datasets(c, experiment_id, a, &datasets, &count, err));
	for (size_t i = 0; i < count; i++)
		if (strcmp(datasets[i].name, "val") != 0 && strcmp(datasets[i].name, "test") != 0)
			return ST_OK;
	return err_set(err, ST_INVALID,
		"The experiment has nothing to train on: attach a dataset version as \"train\" first.");
}

/* Where the trainer was asked already and says no, it need not be tried. */
static enum status check_base(
	struct db_conn *c, const struct experiment_row *experiment, struct arena *a, struct err *err)
{
	struct model_version_row base;
	yyjson_doc *doc;
	if (uuid_is_zero(experiment->base_model_version_id))
		return ST_OK;
	TRY(model_rows_version_by_id(c, experiment->base_model_version_id, a, &base, err));
	if (strcmp(base.state, "READY") != 0)
		return err_set(err, ST_INVALID, "The version to start from cannot run: %s",
			base.state_text ? base.state_text : "it has no ONNX file.");
	if (base.trainable == NULL)
		return ST_OK;
	TRY(json_parse(span_of_text(base.trainable), a, &doc, err));
	yyjson_val *root = yyjson_doc_get_root(doc);
	const char *reason = yyjson_get_str(yyjson_obj_get(root, "reason"));
	if (!yyjson_is_false(yyjson_obj_get(root, "trainable")))
		return ST_OK;
	return err_set(err, ST_INVALID, "The version to start from cannot be trained: %s",
		reason ? reason : "the trainer gives no reason.");
}

enum status training_open(struct db_conn *c, const struct training_row *wish, int64_t now_us, struct arena *a,
	struct training_row *out, struct err *err)
{
	struct experiment_row experiment;
	struct training_row row = *wish;
	TRY(experiment_rows_by_id(c, wish->experiment_id, a, &experiment, err));
	TRY(check_datasets(c, wish->experiment_id, a, err));
	if (uuid_is_zero(experiment.base_model_version_id) && row.arch == NULL)
		return err_set(err, ST_INVALID,
			"The experiment starts from nothing: give it a model version to retrain, or choose "
			"what to train from the dataset's page.");
	TRY(check_base(c, &experiment, a, err));
	row.id = uuid_v7(now_us / 1000);
	row.created_us = now_us;
	row.trainer = wish->trainer ? wish->trainer : "default";
	row.status = "WAITING";
	row.stage = "snapshot";
	row.attempt = 1;
	row.message = "";
	row.exit_code = -1;
	TRY(training_rows_insert(c, &row, err));
	*out = row;
	return ST_OK;
}

/* ---- cancel ---- */

struct change {
	struct uuid id;
	const char *who;
	struct arena arena;
	struct training_row row;
	bool runs;
};

static enum status cancel_job(struct db_conn *c, void *arg, struct err *err)
{
	struct change *x = arg;
	TRY(training_rows_by_id(c, x->id, &x->arena, &x->row, err));
	x->runs = strcmp(x->row.status, "RUNNING") == 0;
	if (x->runs)
		return ST_OK;
	if (!training_is_open(&x->row))
		return err_set(err, ST_CONFLICT, "This training has ended: there is nothing to cancel.");
	x->row.status = "CANCELED";
	x->row.finished_us = clock_unix_us();
	x->row.message = arena_printf(&x->arena, "Cancelled by %s before it began.", x->who);
	TRY(training_set_experiment(c, x->row.experiment_id, "CANCELED", err));
	return training_rows_update(c, &x->row, err);
}

enum status training_cancel(struct trainings *all, struct uuid id, const char *who, struct err *err)
{
	const struct training_hooks *hooks = &all->options.hooks;
	struct change x = {.id = id, .who = who};
	arena_init(&x.arena);
	enum status st = recorder_run(all->options.recorder, cancel_job, &x, err);
	if (st == ST_OK && x.runs) {
		mutex_lock(&all->mutex);
		all->cancel_id = id;
		snprintf(all->cancel_who, sizeof(all->cancel_who), "%s", who);
		mutex_unlock(&all->mutex);
		bell_ring(&all->bell);
	} else if (st == ST_OK) {
		if (hooks->changed)
			hooks->changed(hooks->arg, &x.row);
		if (hooks->ended)
			hooks->ended(hooks->arg, &x.row);
	}
	arena_release(&x.arena);
	return st;
}

/* ---- retry ---- */

/* What a later training of the deployment took up is not trained on twice. */
static enum status check_newest(struct db_conn *c, struct change *x, struct err *err)
{
	struct training_row last;
	bool found;
	if (x->row.epoch == 0)
		return ST_OK;
	TRY(training_rows_last(c, x->row.deployment_id, &x->arena, &last, &found, err));
	if (!found || last.epoch <= x->row.epoch)
		return ST_OK;
	return err_set(err, ST_CONFLICT,
		"A later training of this deployment, number %lld, has these reviews: retry that one.",
		(long long)last.epoch);
}

static enum status retry_job(struct db_conn *c, void *arg, struct err *err)
{
	struct change *x = arg;
	TRY(training_rows_by_id(c, x->id, &x->arena, &x->row, err));
	if (training_is_open(&x->row))
		return err_set(err, ST_CONFLICT, "This training runs already.");
	if (strcmp(x->row.status, "SUCCESS") == 0)
		return err_set(err, ST_CONFLICT,
			"This training was a success: make another experiment to train again.");
	TRY(check_newest(c, x, err));
	if (strcmp(x->row.stage, "publish") == 0) { /* a result that was refused would be refused again */
		TRY(training_rows_stage_undo(c, x->id, "train", err));
		x->row.stage = "train";
	}
	x->row.status = "WAITING";
	x->row.attempt++;
	x->row.error = NULL;
	x->row.exit_code = -1;
	x->row.pid = x->row.pid_start = 0;
	x->row.finished_us = 0;
	x->row.message = arena_printf(&x->arena, "Tried again by %s.", x->who);
	TRY(training_set_experiment(c, x->row.experiment_id, "WAITING", err));
	return training_rows_update(c, &x->row, err);
}

enum status training_retry(struct trainings *all, struct uuid id, const char *who, struct err *err)
{
	const struct training_hooks *hooks = &all->options.hooks;
	struct change x = {.id = id, .who = who};
	arena_init(&x.arena);
	enum status st = recorder_run(all->options.recorder, retry_job, &x, err);
	if (st == ST_OK && hooks->changed)
		hooks->changed(hooks->arg, &x.row);
	arena_release(&x.arena);
	if (st == ST_OK)
		trainings_poke(all);
	return st;
}
