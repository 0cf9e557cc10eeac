/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/first_model.h"

#include "base/check.h"
#include "base/json.h"
#include "store/dataset_rows.h"
#include "store/model_rows.h"
#include "store/project_rows.h"

#include <math.h>
#include <stdlib.h>

#define VALIDATION 0.35 /* of what a picture costs to train on, it costs to answer */

/*
 * Milliseconds of one thread to train on one picture, measured (docs/internals/training.md), by the side of
 * the network's input. Rough: the page says "about".
 */
static const struct {
	enum task task;
	const char *arch, *title;
	double small_ms, large_ms; /* at the task's smaller and larger side */
} archs[] = {
	{TASK_DETECTION, "det-t", "Fast", 10, 37},
	{TASK_DETECTION, "det-p", "Accurate", 22, 81},
	{TASK_CLASSIFICATION, "cls-n", "Fast", 4.5, 17},
};
static const struct {
	uint32_t small, large; /* sides */
	double up_to;          /* pictures no longer than that are small */
	double pictures;       /* that are seen in all, within these epochs */
	int64_t epochs_min, epochs_max;
} sizes[TASK_COUNT] = {
	[TASK_DETECTION] = {160, 320, 200, 20000, 40, 150},
	[TASK_CLASSIFICATION] = {64, 128, 96, 20000, 20, 60},
};

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* The longer side of the picture in the middle. */
static uint32_t usual_side(const struct training_set *set, struct arena *a)
{
	uint32_t *sides = ARENA_ARRAY(a, uint32_t, set->count + 1);
	for (size_t i = 0; i < set->count; i++)
		sides[i] = set->pictures[i].width > set->pictures[i].height ? set->pictures[i].width
									    : set->pictures[i].height;
	qsort(sides, set->count, sizeof(*sides), by_size);
	return set->count ? sides[set->count / 2] : 0;
}

static void add_choices(struct first_model *f, unsigned threads, struct arena *a)
{
	enum task task = f->set.task;
	bool small = usual_side(&f->set, a) <= sizes[task].up_to;
	double train = (double)(f->set.side_counts[TRAINING_TRAIN] + f->set.side_counts[TRAINING_VAL]);
	double epochs = fmin(fmax(sizes[task].pictures / fmax(train, 1), (double)sizes[task].epochs_min),
		(double)sizes[task].epochs_max);
	for (size_t i = 0; i < COUNT_OF(archs); i++) {
		if (archs[i].task != task)
			continue;
		double ms = train * (small ? archs[i].small_ms : archs[i].large_ms) * (1 + VALIDATION);
		CHECK(f->choice_count < COUNT_OF(f->choices));
		f->choices[f->choice_count++] = (struct first_model_choice){.arch = archs[i].arch,
			.title = archs[i].title,
			.side = small ? sizes[task].small : sizes[task].large,
			.epochs = (int64_t)epochs,
			.minutes = ceil(floor(epochs) * ms / pow(threads, 0.5) / 60000 * 10) / 10};
	}
}

static void add_warning(struct training_set *set, struct arena *a, const char *text)
{
	const char **more = ARENA_ARRAY(a, const char *, set->warning_count + 1);
	for (size_t i = 0; i < set->warning_count; i++)
		more[i] = set->warnings[i];
	more[set->warning_count++] = text;
	set->warnings = more;
}

static void add_warnings(struct first_model *f, struct arena *a)
{
	struct training_set *set = &f->set;
	if (set->count < FIRST_MODEL_IMAGES_FEW)
		add_warning(set, a,
			arena_printf(a,
				"Only %zu pictures are labelled: a model of so few helps to label more, "
				"and little else. %d or more are a start.",
				set->count, FIRST_MODEL_IMAGES_FEW));
	for (size_t i = 0; i < set->label_count; i++)
		if (set->label_shapes[i] < 10)
			add_warning(set, a,
				arena_printf(a,
					"\"%.60s\" is on %zu pictures or objects alone: it is hardly learnt.",
					set->labels[i], set->label_shapes[i]));
	if (set->split)
		add_warning(set, a,
			arena_printf(a,
				"%zu of the pictures are drawn to measure the model with and not trained on, "
				"as none are kept for that.",
				set->side_counts[TRAINING_TEST]));
	else if (set->side_counts[TRAINING_TEST] == 0)
		add_warning(set, a, "There are too few pictures to keep some to measure the model with.");
}

enum status first_model_read(struct db_conn *c, struct uuid dataset_version_id, unsigned threads,
	struct arena *a, struct first_model *out, struct err *err)
{
	struct dataset_version_row version;
	const struct experiment_dataset_row dataset = {
		.name = "train", .dataset_version_id = dataset_version_id};
	struct training_wanted wanted = {.datasets = &dataset, .dataset_count = 1};
	struct err why;
	*out = (struct first_model){0};
	TRY(dataset_version_rows_by_id(c, dataset_version_id, a, &version, err));
	out->type = version.type;
	if (!task_parse(version.type, &wanted.task)) {
		out->reason = "The dataset version has no type yet that can be trained: set it to "
			      "CLASSIFICATION or OBJECT_DETECTION.";
		return ST_OK;
	}
	enum status st = training_set_read(c, &wanted, a, &out->set, &why);
	if (st != ST_OK && st != ST_INVALID) {
		*err = why;
		return st;
	}
	if (st == ST_INVALID)
		out->reason = arena_strdup(a, why.text);
	else if (wanted.task == TASK_SEGMENTATION)
		out->reason =
			"A first model for segmentation cannot be made here: upload a segmentation model "
			"of your labels and train it further.";
	else if (wanted.task == TASK_CLASSIFICATION && out->set.label_count < 2)
		out->reason = "A classifier needs two labels at least, and there is one.";
	if (out->reason)
		return ST_OK;
	add_choices(out, threads, a);
	add_warnings(out, a);
	return ST_OK;
}

/* ---- open ---- */

static enum status find_project(struct db_conn *c, const struct first_model_wish *wish, int64_t now_us,
	struct arena *a, struct uuid *id, struct err *err)
{
	struct project_row project;
	if (!uuid_is_zero(wish->project_id)) {
		*id = wish->project_id;
		return project_rows_by_id(c, wish->project_id, a, &project, err);
	}
	enum status st = project_rows_by_name(c, FIRST_MODEL_PROJECT, a, &project, err);
	if (st == ST_MISSING) {
		project = (struct project_row){.id = uuid_v7(now_us / 1000),
			.organization_id = wish->organization_id,
			.name = FIRST_MODEL_PROJECT,
			.description = "Models that were trained from labelled pictures alone",
			.created_us = now_us};
		st = project_rows_insert(c, &project, err);
	}
	*id = project.id;
	return st;
}

static const struct first_model_choice *find_choice(const struct first_model_wish *wish)
{
	for (size_t i = 0; i < wish->facts->choice_count; i++)
		if (wish->arch == NULL || strcmp(wish->arch, wish->facts->choices[i].arch) == 0)
			return &wish->facts->choices[i];
	return NULL;
}

/* What was given, over what the choice says. */
static enum status parameters_json(const struct first_model_wish *wish,
	const struct first_model_choice *choice, struct arena *a, const char **out, struct err *err)
{
	yyjson_doc *given = NULL;
	yyjson_val *key, *value;
	size_t i, n;
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_int(doc, root, "epochs", choice->epochs);
	yyjson_mut_obj_add_uint(doc, root, "input_size", choice->side);
	if (wish->parameters)
		TRY(json_parse(span_of_text(wish->parameters), a, &given, err));
	if (given)
		yyjson_obj_foreach (yyjson_doc_get_root(given), i, n, key, value)
			yyjson_mut_obj_put(
				root, yyjson_val_mut_copy(doc, key), yyjson_val_mut_copy(doc, value));
	*out = (const char *)json_print(doc, a).data;
	return ST_OK;
}

static enum status make_experiment(struct db_conn *c, const struct first_model_wish *wish, int64_t now_us,
	const char *parameters, struct arena *a, struct uuid *id, struct err *err)
{
	struct experiment_row experiment = {.id = uuid_v7(now_us / 1000),
		.name = wish->name,
		.description = wish->description ? wish->description : "",
		.status = "WAITING",
		.created_us = now_us};
	struct experiment_log_row log = {.id = uuid_v7(now_us / 1000),
		.experiment_id = experiment.id,
		.name = "parameters",
		.type = "TABLE",
		.data = parameters,
		.created_us = now_us};
	*id = experiment.id;
	TRY(find_project(c, wish, now_us, a, &experiment.project_id, err));
	TRY(experiment_rows_insert(c, &experiment, err));
	TRY(experiment_rows_attach(c, experiment.id, "train", wish->dataset_version_id, err));
	TRY(project_rows_attach(c, experiment.project_id, wish->dataset_version_id, err));
	return experiment_log_rows_insert(c, &log, err);
}

enum status first_model_open(struct db_conn *c, const struct first_model_wish *wish, int64_t now_us,
	struct arena *a, struct training_row *out, struct err *err)
{
	struct model_row model;
	const char *parameters;
	if (wish->facts->reason)
		return err_set(err, ST_INVALID, "%s", wish->facts->reason);
	const struct first_model_choice *choice = find_choice(wish);
	if (choice == NULL)
		return err_set(err, ST_INVALID, "\"%.40s\" is none of the models that can be made of this.",
			wish->arch);
	enum status st = model_rows_by_name(c, wish->name, a, &model, err);
	if (st == ST_OK)
		return err_set(err, ST_CONFLICT,
			"There is a model named \"%.200s\" already: choose another name.", wish->name);
	if (st != ST_MISSING)
		return st;
	TRY(parameters_json(wish, choice, a, &parameters, err));
	struct training_row row = {.trigger = "FIRST",
		.who = wish->who,
		.why = arena_printf(a, "%s trains a first model from labelled pictures.", wish->who),
		.model_name = wish->name,
		.arch = choice->arch};
	TRY(make_experiment(c, wish, now_us, parameters, a, &row.experiment_id, err));
	return training_open(c, &row, now_us, a, out, err);
}
