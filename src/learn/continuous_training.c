/* SPDX-License-Identifier: Apache-2.0 */
/* What Continuous Training is at a moment, and what is wrong with it. */
#include "learn/continuous_training.h"

#include "base/check.h"
#include "base/json.h"
#include "learn/feedback.h"
#include "learn/training.h"
#include "store/experiment_rows.h"
#include "store/project_rows.h"

#include <inttypes.h>
#include <string.h>

#define SECOND_US ((int64_t)1000000)
#define DAY_US (24 * 3600 * SECOND_US)
#define WEEK_US (7 * DAY_US)
#define PACE_US_MIN (600 * SECOND_US)
#define PACE_COUNT_MIN 2

/* ---- reading ---- */

static void set_defaults(struct continuous_training *t)
{
	t->row.parameters = "{}";
	t->row.trigger = TRIGGER_FEEDBACK_LOOP;
	t->row.threshold = CONTINUOUS_TRAINING_THRESHOLD;
	t->row.drift_images_min = 20;
	t->row.trainer = "default";
}

static enum status read_datasets(
	struct db_conn *c, struct continuous_training *t, struct arena *a, struct err *err)
{
	struct continuous_training_dataset_row *rows;
	TRY(continuous_training_dataset_rows_list(c, t->deployment.id, a, &rows, &t->dataset_count, err));
	t->datasets = ARENA_ARRAY(a, struct continuous_training_dataset, t->dataset_count + 1);
	for (size_t i = 0; i < t->dataset_count; i++) {
		struct continuous_training_dataset *d = &t->datasets[i];
		d->name = rows[i].name;
		TRY(dataset_version_rows_by_id(c, rows[i].dataset_version_id, a, &d->version, err));
		TRY(continuous_training_rows_images(c, d->version.id, &d->images, &d->evaluation, err));
	}
	return ST_OK;
}

static enum status read_trainings(
	struct db_conn *c, struct continuous_training *t, struct arena *a, struct err *err)
{
	struct training_row *open;
	size_t count;
	bool found;
	TRY(training_rows_last(c, t->deployment.id, a, &t->last, &found, err));
	if (!found)
		t->last = (struct training_row){0};
	TRY(training_rows_open(c, a, &open, &count, err));
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(open[i].deployment_id, t->deployment.id))
			t->open = open[i];
	return ST_OK;
}

static enum status read_base(
	struct db_conn *c, struct continuous_training *t, struct arena *a, struct err *err)
{
	struct model_row model;
	struct uuid id = t->row.model_version_id;
	if (uuid_is_zero(id))
		id = t->deployment.champion_id;
	TRY(model_rows_version_by_id(c, id, a, &t->base, err));
	TRY(model_rows_by_id(c, t->base.model_id, a, &model, err));
	t->base_model = model.name;
	return ST_OK;
}

/* ---- problems ---- */

static void put_problem(struct continuous_training *t, struct continuous_training_problem problem)
{
	if (t->problem_count < CONTINUOUS_TRAINING_PROBLEMS_MAX)
		t->problems[t->problem_count++] = problem;
}

static void add_problem(struct continuous_training *t, bool later, const char *text)
{
	put_problem(t, (struct continuous_training_problem){.text = text, .later = later});
}

static void add_trigger_problem(struct continuous_training *t, bool later, const char *text)
{
	put_problem(
		t, (struct continuous_training_problem){.text = text, .later = later, .of_trigger = true});
}

static bool is_for_training(const char *alias)
{
	return strcmp(alias, "test") != 0 && strcmp(alias, "val") != 0;
}

static enum status check_base(
	struct db_conn *c, struct continuous_training *t, struct arena *a, struct err *err)
{
	const char *trainable;
	yyjson_doc *doc;
	const struct model_version_row *base = &t->base;
	if (strcmp(base->state, "READY") != 0) {
		add_problem(t, false,
			arena_printf(a,
				"Version %" PRId64
				" of model %s has no ONNX file that runs, so there is nothing to "
				"go on training. Store its file, or choose another version to retrain.",
				base->version, t->base_model));
		return ST_OK;
	}
	if (strcmp(base->type, t->deployment.type) != 0)
		add_problem(t, false,
			arena_printf(a,
				"Version %" PRId64 " of model %s is of type %s, the deployment of type %s.",
				base->version, t->base_model, base->type, t->deployment.type));
	TRY(continuous_training_rows_trainable(c, base->id, a, &trainable, err));
	if (trainable == NULL || strcmp(t->row.trainer, "default") != 0)
		return ST_OK;
	TRY(json_parse(span_of_text(trainable), a, &doc, err));
	yyjson_val *root = yyjson_doc_get_root(doc);
	const char *reason = yyjson_get_str(yyjson_obj_get(root, "reason"));
	if (yyjson_is_false(yyjson_obj_get(root, "trainable")))
		add_problem(t, false,
			arena_printf(a, "Version %" PRId64 " of model %s cannot be trained: %s",
				base->version, t->base_model,
				reason ? reason : "the trainer does not know its graph."));
	return ST_OK;
}

static void check_types(struct continuous_training *t, struct arena *a)
{
	for (size_t i = 0; i < t->dataset_count; i++) {
		const struct dataset_version_row *v = &t->datasets[i].version;
		if (strcmp(v->type, t->deployment.type) != 0 && strcmp(v->type, "NOT_CONFIGURED") != 0 &&
			strcmp(v->type, "MULTI") != 0)
			add_problem(t, false,
				arena_printf(a,
					"Version \"%s\" of dataset \"%s\" is for %s; the deployment does %s.",
					v->version, v->dataset_name, v->type, t->deployment.type));
	}
}

static void check_train(struct continuous_training *t)
{
	bool any = false, images = false;
	for (size_t i = 0; i < t->dataset_count; i++) {
		any |= is_for_training(t->datasets[i].name);
		images |= is_for_training(t->datasets[i].name) &&
			  t->datasets[i].images > t->datasets[i].evaluation;
	}
	if (!any)
		add_problem(t, true,
			"There is nothing to train on: attach a dataset version as \"train\" first.");
	else if (!images)
		add_problem(t, true,
			"The dataset versions to train on have no pictures to train with yet: nothing but "
			"what "
			"is kept to measure with.");
}

/* The trigger counts what the Feedback Loop puts into a version that is trained on. */
static enum status check_feedback(
	struct db_conn *c, struct continuous_training *t, struct arena *a, struct err *err)
{
	struct feedback f;
	struct err closed;
	bool feeds = false;
	if (strcmp(t->row.trigger, TRIGGER_FEEDBACK_LOOP) != 0)
		return ST_OK;
	TRY(feedback_read(c, t->deployment.id, a, &f, err));
	if (!f.set_up) {
		add_trigger_problem(t, false,
			"The trigger counts what the Feedback Loop submits, and there is none yet. Set up "
			"the "
			"Feedback Loop first, or train by hand only.");
		return ST_OK;
	}
	if (feedback_open(&f, &closed) != ST_OK) {
		add_trigger_problem(t, true, arena_printf(a, "Nothing is submitted: %s", closed.text));
		return ST_OK;
	}
	for (size_t i = 0; i < f.target_count; i++)
		for (size_t k = 0; k < t->dataset_count; k++)
			feeds |= is_for_training(t->datasets[k].name) &&
				 uuid_equal(t->datasets[k].version.id, f.targets[i].version.id);
	if (t->dataset_count > 0 && !feeds)
		add_trigger_problem(t, true,
			"None of the dataset versions to train on is one that the Feedback Loop goes into, "
			"so "
			"nothing would count. Attach one of those as \"train\".");
	return ST_OK;
}

static enum status find_problems(struct db_conn *c, struct continuous_training *t, const char *no_trainer,
	struct arena *a, struct err *err)
{
	if (no_trainer)
		add_problem(t, false, no_trainer);
	if (t->set && uuid_is_zero(t->row.project_id))
		add_problem(t, false,
			"The project that its experiments belong to was deleted. Choose another one.");
	if (t->row.threshold < 1)
		add_problem(t, false, "The threshold is a number of reviews from 1.");
	TRY(check_base(c, t, a, err));
	check_types(t, a);
	TRY(check_feedback(c, t, a, err));
	check_train(t);
	return ST_OK;
}

enum status continuous_training_read(struct db_conn *c, struct uuid deployment_id, const char *no_trainer,
	int64_t now_us, struct arena *a, struct continuous_training *out, struct err *err)
{
	*out = (struct continuous_training){0};
	TRY(deployment_rows_by_id(c, deployment_id, a, &out->deployment, err));
	TRY(continuous_training_rows_get(c, deployment_id, a, &out->row, &out->set, err));
	if (!out->set)
		set_defaults(out);
	TRY(read_base(c, out, a, err));
	TRY(read_datasets(c, out, a, err));
	TRY(read_trainings(c, out, a, err));
	TRY(submission_rows_count(c, deployment_id, now_us - WEEK_US, &out->counts, err));
	return find_problems(c, out, no_trainer, a, err);
}

/* ---- what it says ---- */

int64_t continuous_training_submitted(const struct continuous_training *t)
{
	return t->counts.fresh + t->counts.kept;
}

double continuous_training_pace(const struct continuous_training *t, int64_t now_us)
{
	int64_t span_us = now_us - t->counts.recent_us;
	if (t->counts.recent < PACE_COUNT_MIN)
		return -1;
	if (span_us < PACE_US_MIN)
		span_us = PACE_US_MIN;
	return (double)t->counts.recent * (double)DAY_US / (double)span_us;
}

static const char *counting_text(const struct continuous_training *t, struct arena *a)
{
	int64_t submitted = continuous_training_submitted(t);
	bool came_to_nothing = t->counts.kept > 0;
	if (strcmp(t->row.trigger, TRIGGER_FEEDBACK_LOOP) != 0)
		return t->row.every_s || t->row.on_drift
			       ? arena_printf(a,
					 "%" PRId64 " reviews were submitted since the last training.",
					 submitted)
			       : "It trains when somebody says \"Train now\".";
	if (came_to_nothing)
		return arena_printf(a,
			"The last training came to nothing, and its %" PRId64
			" reviews still count: retry it, or "
			"the next one begins by itself after %" PRId64 " more.",
			t->counts.kept, t->row.threshold - t->counts.fresh);
	return arena_printf(a, "%" PRId64 " of %" PRId64 " reviews were submitted since the last training.",
		submitted, t->row.threshold);
}

enum continuous_training_state continuous_training_state(
	const struct continuous_training *t, struct arena *a, const char **text)
{
	if (!t->set || !t->row.active) {
		*text = t->set ? "It is switched off: reviews count, but nothing is trained by itself."
			       : "It is not set up yet.";
		return CONTINUOUS_TRAINING_OFF;
	}
	if (!uuid_is_zero(t->open.id)) {
		*text = arena_printf(a, "Training %" PRId64 " runs. %s", t->open.epoch, t->open.why);
		return CONTINUOUS_TRAINING_RUNNING;
	}
	if (t->row.paused_text) {
		*text = t->row.paused_text;
		return CONTINUOUS_TRAINING_PAUSED;
	}
	if (t->problem_count > 0) {
		*text = t->problems[0].text;
		return CONTINUOUS_TRAINING_UNREADY;
	}
	*text = counting_text(t, a);
	return CONTINUOUS_TRAINING_COUNTING;
}

/* ---- what is due ---- */

enum status continuous_training_due(struct db_conn *c, const struct continuous_training *t, int64_t now_us,
	const char **trigger, struct err *err)
{
	int64_t drift_us = 0, least = t->row.drift_images_min > 1 ? t->row.drift_images_min : 1;
	*trigger = NULL;
	if (!t->set || !t->row.active || t->row.paused_text || t->problem_count > 0 ||
		!uuid_is_zero(t->open.id))
		return ST_OK;
	if (t->row.on_drift)
		TRY(continuous_training_rows_drift(c, t->deployment.id, &drift_us, err));
	if (strcmp(t->row.trigger, TRIGGER_FEEDBACK_LOOP) == 0 && t->counts.fresh >= t->row.threshold)
		*trigger = "FEEDBACK_LOOP";
	else if (drift_us > t->row.drift_us && t->counts.fresh >= least)
		*trigger = "DRIFT";
	else if (t->row.every_s && now_us - t->row.last_us >= t->row.every_s * SECOND_US &&
		 t->counts.fresh >= least)
		*trigger = "SCHEDULE";
	return ST_OK;
}

/* ---- suggestions ---- */

enum status continuous_training_suggest(struct db_conn *c, const struct continuous_training *t,
	struct arena *a, const char **parameters, struct uuid *project_id, struct err *err)
{
	struct experiment_row experiment;
	struct experiment_log_row log;
	bool found;
	*parameters = t->base.parameters ? t->base.parameters : "{}";
	*project_id = (struct uuid){{0}};
	if (uuid_is_zero(t->base.experiment_id))
		return ST_OK;
	enum status st = experiment_rows_by_id(c, t->base.experiment_id, a, &experiment, err);
	if (st == ST_MISSING)
		return ST_OK;
	TRY(st);
	*project_id = experiment.project_id;
	TRY(experiment_log_rows_by_name(c, experiment.id, "parameters", a, &log, &found, err));
	if (found)
		*parameters = log.data;
	return ST_OK;
}
