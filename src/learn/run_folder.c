/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/run_folder.h"

#include "base/check.h"
#include "deploy/model.h"
#include "os/clock.h"
#include "store/dataset_rows.h"
#include "task/recipe.h"

#include <stdio.h>

/* ---- the plan ---- */

static enum status read_base(struct db_conn *c, struct training *t, struct run_plan *out, struct err *err)
{
	TRY(model_rows_version_by_id(c, t->experiment.base_model_version_id, t->arena, &out->base, err));
	if (strcmp(out->base.state, "READY") != 0)
		return err_set(err, ST_INVALID, "The version to start from cannot run: %s",
			out->base.state_text ? out->base.state_text : "it has no ONNX file.");
	out->has_base = true;
	return ST_OK;
}

/* The base's classes; by their numbers where it has no names. */
static enum status read_base_labels(
	struct training *t, const struct run_plan *plan, struct training_wanted *wanted, struct err *err)
{
	struct recipe recipe;
	const char **labels;
	uint32_t count;
	TRY(model_version_read(&plan->base, t->arena, &recipe, &labels, &count, err));
	wanted->task = recipe.task;
	wanted->base_label_count = recipe_label_count(&recipe);
	if (wanted->base_label_count == 0)
		wanted->base_label_count = count;
	const char **names = ARENA_ARRAY(t->arena, const char *, wanted->base_label_count + 1);
	for (uint32_t i = 0; i < wanted->base_label_count; i++)
		names[i] = model_label((const char *const *)labels, count, (int32_t)i, t->arena);
	wanted->base_labels = names;
	return ST_OK;
}

/* A model that starts from nothing does what the labels of its first dataset version are for. */
static enum status read_task(
	struct db_conn *c, struct training *t, struct training_wanted *wanted, struct err *err)
{
	struct dataset_version_row version;
	if (wanted->dataset_count == 0)
		return err_set(err, ST_INVALID, "The experiment has no dataset version to train on.");
	TRY(dataset_version_rows_by_id(c, wanted->datasets[0].dataset_version_id, t->arena, &version, err));
	if (task_parse(version.type, &wanted->task))
		return ST_OK;
	return err_set(err, ST_INVALID,
		"The dataset version %s has the type %s: set it to CLASSIFICATION, OBJECT_DETECTION or "
		"SEGMENTATION first.",
		version.version, version.type);
}

static enum status read_plan(struct db_conn *c, struct training *t, struct run_plan *out, struct err *err)
{
	struct training_wanted wanted = {0};
	struct experiment_dataset_row *datasets;
	struct experiment_log_row log;
	bool found;
	TRY(experiment_rows_by_id(c, t->row.experiment_id, t->arena, &t->experiment, err));
	TRY(experiment_rows_datasets(
		c, t->row.experiment_id, t->arena, &datasets, &wanted.dataset_count, err));
	wanted.datasets = datasets;
	if (!uuid_is_zero(t->experiment.base_model_version_id)) {
		TRY(read_base(c, t, out, err));
		TRY(read_base_labels(t, out, &wanted, err));
	} else {
		TRY(read_task(c, t, &wanted, err));
	}
	TRY(experiment_log_rows_by_name(c, t->row.experiment_id, "parameters", t->arena, &log, &found, err));
	if (found)
		out->parameters = log.data;
	return training_set_read(c, &wanted, t->arena, &out->set, err);
}

enum status run_plan_read(struct training *t, struct run_plan *out, struct err *err)
{
	struct db_conn *c;
	*out = (struct run_plan){0};
	TRY(db_reader_take(t->options->readers, &c, err));
	enum status st = read_plan(c, t, out, err);
	db_reader_give(t->options->readers, c);
	return st;
}

/* ---- parameters ---- */

/* As the contract names it, and what else people call it. */
static const struct {
	const char *name, *also[4];
} known[] = {
	{"epochs", {"epoch", "num_epochs", "nb_epochs"}},
	{"learning_rate", {"lr", "lr0"}},
	{"batch", {"batch_size"}},
	{"optimizer", {NULL}},
	{"weight_decay", {NULL}},
	{"patience", {NULL}},
	{"seed", {NULL}},
	{"freeze", {NULL}},
	{"augment", {NULL}},
};

static yyjson_val *find_known(yyjson_val *given, size_t which)
{
	yyjson_val *value = yyjson_obj_get(given, known[which].name);
	for (size_t i = 0; value == NULL && i < COUNT_OF(known[which].also) && known[which].also[i]; i++)
		value = yyjson_obj_get(given, known[which].also[i]);
	return value;
}

static bool is_known(const char *name)
{
	static const char *const sizes[] = {"input_size", "image_size", "imgsz"};
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		if (strcmp(name, sizes[i]) == 0)
			return true;
	for (size_t k = 0; k < COUNT_OF(known); k++) {
		if (strcmp(name, known[k].name) == 0)
			return true;
		for (size_t i = 0; i < COUNT_OF(known[k].also) && known[k].also[i]; i++)
			if (strcmp(name, known[k].also[i]) == 0)
				return true;
	}
	return false;
}

/* Whole numbers that were typed as 30.0 are whole; the rest stays as it is. */
static yyjson_mut_val *tidy(yyjson_mut_doc *doc, yyjson_val *value)
{
	double number = yyjson_get_real(value);
	if (yyjson_is_real(value) && number > -1e15 && number < 1e15 && number == (double)(int64_t)number)
		return yyjson_mut_sint(doc, (int64_t)number);
	return yyjson_val_mut_copy(doc, value);
}

static void add_size(yyjson_val *given, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
	yyjson_val *size = yyjson_obj_get(given, "input_size");
	if (size == NULL)
		size = yyjson_obj_get(given, "image_size");
	if (size == NULL)
		size = yyjson_obj_get(given, "imgsz");
	if (yyjson_is_num(size)) {
		yyjson_mut_val *both = yyjson_mut_obj_add_arr(doc, root, "input_size");
		yyjson_mut_arr_add_sint(doc, both, (int64_t)yyjson_get_num(size));
		yyjson_mut_arr_add_sint(doc, both, (int64_t)yyjson_get_num(size));
	} else if (yyjson_is_arr(size)) {
		yyjson_mut_obj_add_val(doc, root, "input_size", yyjson_val_mut_copy(doc, size));
	} else {
		yyjson_mut_obj_add_null(doc, root, "input_size");
	}
}

enum status run_add_parameters(
	const char *parameters, yyjson_mut_doc *doc, yyjson_mut_val *root, struct arena *a, struct err *err)
{
	yyjson_doc *stored = NULL;
	yyjson_val *key, *value;
	size_t i, n;
	if (parameters)
		TRY(json_parse(span_of_text(parameters), a, &stored, err));
	yyjson_val *given = yyjson_doc_get_root(stored);
	if (yyjson_is_obj(yyjson_obj_get(given, "data")) && yyjson_obj_size(given) == 1)
		given = yyjson_obj_get(given, "data");
	add_size(given, doc, root);
	yyjson_mut_val *hyper = yyjson_mut_obj_add_obj(doc, root, "hyper");
	for (size_t k = 0; k < COUNT_OF(known); k++) {
		value = find_known(given, k);
		if (value && !yyjson_is_null(value))
			yyjson_mut_obj_add_val(doc, hyper, known[k].name, tidy(doc, value));
		else
			yyjson_mut_obj_add_null(doc, hyper, known[k].name);
	}
	if (!yyjson_is_obj(given))
		return ST_OK;
	yyjson_obj_foreach (given, i, n, key, value)
		if (!is_known(yyjson_get_str(key)))
			yyjson_mut_obj_add_val(doc, hyper, yyjson_get_str(key), tidy(doc, value));
	return ST_OK;
}

/* ---- logs ---- */

const char *run_labelmap(const struct training_set *set, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	for (size_t i = 0; i < set->label_count; i++)
		yyjson_mut_obj_add_str(doc, root, arena_printf(a, "%zu", i), set->labels[i]);
	return (const char *)json_print(doc, a).data;
}

enum status run_put_log(struct db_conn *c, struct training *t, const char *name, const char *type,
	const char *data, struct arena *a, struct err *err)
{
	struct experiment_log_row log;
	bool found;
	TRY(experiment_log_rows_by_name(c, t->row.experiment_id, name, a, &log, &found, err));
	if (found) {
		log.type = type;
		log.data = data;
		return experiment_log_rows_update(c, &log, err);
	}
	log = (struct experiment_log_row){.experiment_id = t->row.experiment_id,
		.name = name,
		.type = type,
		.data = data,
		.created_us = clock_unix_us()};
	log.id = uuid_v7(log.created_us / 1000);
	return experiment_log_rows_insert(c, &log, err);
}

enum status run_put_point(struct db_conn *c, struct training *t, const char *name, double x, double y,
	struct arena *a, struct err *err)
{
	struct experiment_log_row log;
	yyjson_doc *before = NULL;
	yyjson_val *value;
	size_t i, n;
	bool found;
	TRY(experiment_log_rows_by_name(c, t->row.experiment_id, name, a, &log, &found, err));
	if (found)
		TRY(json_parse(span_of_text(log.data), a, &before, err));
	yyjson_val *old_x = yyjson_obj_get(yyjson_doc_get_root(before), "x");
	yyjson_val *old_y = yyjson_obj_get(yyjson_doc_get_root(before), "y");
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_val *xs = yyjson_mut_obj_add_arr(doc, root, "x");
	yyjson_mut_val *ys = yyjson_mut_obj_add_arr(doc, root, "y");
	yyjson_arr_foreach (old_x, i, n, value) {
		if (yyjson_get_num(value) >= x)
			break;
		yyjson_mut_arr_append(xs, yyjson_val_mut_copy(doc, value));
		yyjson_mut_arr_append(ys, yyjson_val_mut_copy(doc, yyjson_arr_get(old_y, i)));
	}
	yyjson_mut_arr_add_real(doc, xs, x);
	yyjson_mut_arr_add_real(doc, ys, y);
	return run_put_log(c, t, name, "LINE", (const char *)json_print(doc, a).data, a, err);
}
