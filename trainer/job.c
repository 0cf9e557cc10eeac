/* SPDX-License-Identifier: Apache-2.0 */
#include "trainer/job.h"

#include "base/check.h"
#include "os/file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define JOB_BYTES_MAX ((size_t)64 << 20)
#define EPOCHS_DEFAULT 30

/* ---- members ---- */

static bool is_given(yyjson_val *object, const char *key)
{
	yyjson_val *value = yyjson_obj_get(object, key);
	return value && !yyjson_is_null(value);
}

/* A whole number in a range; absent or null leaves *out. */
static enum status whole(
	yyjson_val *object, const char *key, int64_t low, int64_t high, int64_t *out, struct err *err)
{
	int64_t value = *out;
	TRY(json_integer(object, key, &value, err));
	if (is_given(object, key) && (value < low || value > high))
		return err_set(err, ST_INVALID, "The job's %s is %lld; it must be %lld to %lld.", key,
			(long long)value, (long long)low, (long long)high);
	*out = value;
	return ST_OK;
}

static enum status real(
	yyjson_val *object, const char *key, double low, double high, double *out, struct err *err)
{
	double value = *out;
	TRY(json_number(object, key, &value, err));
	if (is_given(object, key) && !(value >= low && value <= high))
		return err_set(
			err, ST_INVALID, "The job's %s is %g; it must be %g to %g.", key, value, low, high);
	*out = value;
	return ST_OK;
}

static enum status member(yyjson_val *root, const char *key, bool required, yyjson_val **out, struct err *err)
{
	*out = yyjson_obj_get(root, key);
	if (yyjson_is_null(*out))
		*out = NULL;
	if (*out && !yyjson_is_obj(*out))
		return err_set(err, ST_INVALID, "The job's %s is no object.", key);
	if (*out == NULL && required)
		return err_set(err, ST_INVALID, "The job has no %s.", key);
	return ST_OK;
}

static enum status labels(
	yyjson_val *object, struct arena *a, const char ***out, size_t *count, struct err *err)
{
	yyjson_val *list = yyjson_obj_get(object, "labels"), *name;
	size_t i, max;
	*count = yyjson_arr_size(list);
	if (*count == 0 || *count > RECIPE_CLASSES_MAX)
		return err_set(err, ST_INVALID, "The job's labels are no list of names, or too long a one.");
	*out = ARENA_ARRAY(a, const char *, *count);
	yyjson_arr_foreach (list, i, max, name) {
		const char *text = yyjson_get_str(name);
		if (text == NULL || *text == '\0')
			return err_set(err, ST_INVALID, "The job's label %zu is no name.", i + 1);
		(*out)[i] = text;
		for (size_t k = 0; k < i; k++)
			if (strcmp((*out)[k], text) == 0)
				return err_set(err, ST_INVALID, "The job's labels have %s twice.", text);
	}
	return ST_OK;
}

/* ---- parts ---- */

static enum status read_base(yyjson_val *root, struct arena *a, struct job *out, struct err *err)
{
	yyjson_val *base, *recipe;
	TRY(member(root, "base", false, &base, err));
	TRY(json_text(root, "arch", &out->arch, err));
	if ((base == NULL) == (out->arch == NULL))
		return err_set(err, ST_INVALID, "The job needs either a base or an arch, and not both.");
	if (base == NULL)
		return ST_OK;
	TRY(json_text_required(base, "file", &out->base_file, err));
	TRY(labels(base, a, &out->base_labels, &out->base_label_count, err));
	TRY(member(base, "recipe", true, &recipe, err));
	TRY(recipe_parse(recipe, &out->recipe, err));
	if (out->recipe.task != out->task)
		return err_set(err, ST_INVALID, "The job's task is %s, and its base does %s.",
			task_wire_name(out->task), task_wire_name(out->recipe.task));
	return ST_OK;
}

static enum status read_size(yyjson_val *root, struct job *out, struct err *err)
{
	yyjson_val *size = yyjson_obj_get(root, "input_size");
	if (size == NULL || yyjson_is_null(size))
		return ST_OK;
	yyjson_val *width = yyjson_arr_get(size, 0), *height = yyjson_arr_get(size, 1);
	bool numbers = yyjson_arr_size(size) == 2 && yyjson_is_uint(width) && yyjson_is_uint(height);
	uint64_t sides[2] = {yyjson_get_uint(width), yyjson_get_uint(height)};
	if (!numbers || sides[0] < 1 || sides[1] < 1 || sides[0] > RECIPE_SIDE_MAX ||
		sides[1] > RECIPE_SIDE_MAX)
		return err_set(err, ST_INVALID, "The job's input_size must be two whole numbers, 1 to %d.",
			RECIPE_SIDE_MAX);
	out->width = (uint32_t)sides[0];
	out->height = (uint32_t)sides[1];
	return ST_OK;
}

static enum status read_optimizer(yyjson_val *hyper, struct job *out, struct err *err)
{
	const char *name = "adamw";
	TRY(json_text(hyper, "optimizer", &name, err));
	out->optimizer = strcmp(name, "sgd") == 0 ? JOB_SGD : JOB_ADAMW;
	if (out->optimizer == JOB_ADAMW && strcmp(name, "adamw") != 0)
		return err_set(
			err, ST_INVALID, "The job's optimizer is %.40s; it must be adamw or sgd.", name);
	return ST_OK;
}

static enum status read_hyper(yyjson_val *root, struct job *out, struct err *err)
{
	yyjson_val *hyper;
	int64_t epochs = EPOCHS_DEFAULT, batch = 0, patience = 0, seed = 1;
	double rate = 0, decay = -1;
	out->augment = true;
	TRY(member(root, "hyper", false, &hyper, err));
	TRY(whole(hyper, "epochs", 1, JOB_EPOCHS_MAX, &epochs, err));
	TRY(real(hyper, "learning_rate", 1e-9, 1e6, &rate, err));
	TRY(whole(hyper, "batch", 1, JOB_BATCH_MAX, &batch, err));
	TRY(read_optimizer(hyper, out, err));
	TRY(real(hyper, "weight_decay", 0, 1e3, &decay, err));
	TRY(whole(hyper, "patience", 1, JOB_EPOCHS_MAX, &patience, err));
	TRY(whole(hyper, "seed", 0, INT64_MAX, &seed, err));
	TRY(json_bool(hyper, "freeze", &out->freeze, err));
	TRY(json_bool(hyper, "augment", &out->augment, err));
	out->epochs = (uint32_t)epochs;
	out->learning_rate = rate;
	out->batch = (uint32_t)batch;
	out->weight_decay = decay;
	out->patience = (uint32_t)patience;
	out->seed = (uint64_t)seed;
	return ST_OK;
}

static enum status read_part(
	yyjson_val *data, const char *key, bool required, struct job_data *out, struct err *err)
{
	yyjson_val *part;
	TRY(member(data, key, required, &part, err));
	if (part == NULL)
		return ST_OK;
	TRY(json_text_required(part, "annotations", &out->annotations, err));
	TRY(json_text_required(part, "images", &out->images, err));
	return ST_OK;
}

static enum status read_limits(yyjson_val *root, struct job *out, struct err *err)
{
	const char *device = "cpu";
	int64_t threads = 1, seconds = 0;
	TRY(json_text(root, "device", &device, err));
	if (strcmp(device, "cpu") != 0)
		return err_set(err, ST_INVALID,
			"The job asks for the device %.40s; this trainer runs on the cpu. Configure another "
			"trainer for "
			"that device.",
			device);
	TRY(whole(root, "threads", 1, JOB_THREADS_MAX, &threads, err));
	TRY(whole(root, "time_limit_s", 1, INT32_MAX, &seconds, err));
	out->threads = (uint32_t)threads;
	out->time_limit_s = seconds;
	return ST_OK;
}

static enum status read_root(yyjson_val *root, struct arena *a, struct job *out, struct err *err)
{
	const char *task = NULL;
	int64_t schema = 0;
	yyjson_val *data;
	TRY(json_integer(root, "schema", &schema, err));
	if (schema != 1)
		return err_set(err, ST_INVALID, "The job's schema is %lld; this trainer knows 1.",
			(long long)schema);
	TRY(json_text(root, "job", &out->id, err));
	TRY(json_text_required(root, "task", &task, err));
	if (!task_parse(task, &out->task))
		return err_set(err, ST_INVALID,
			"The job's task is %.40s; it must be CLASSIFICATION, OBJECT_DETECTION or "
			"SEGMENTATION.",
			task);
	TRY(labels(root, a, &out->labels, &out->label_count, err));
	TRY(read_base(root, a, out, err));
	TRY(read_size(root, out, err));
	TRY(read_hyper(root, out, err));
	TRY(member(root, "data", true, &data, err));
	TRY(read_part(data, "train", true, &out->train, err));
	TRY(read_part(data, "val", false, &out->val, err));
	return read_limits(root, out, err);
}

enum status job_parse(struct span text, struct arena *a, struct job *out, struct err *err)
{
	yyjson_doc *doc;
	*out = (struct job){0};
	TRY(json_parse(text, a, &doc, err));
	if (!yyjson_is_obj(yyjson_doc_get_root(doc)))
		return err_set(err, ST_INVALID, "The job is no JSON object.");
	return read_root(yyjson_doc_get_root(doc), a, out, err);
}

/* ---- the environment ---- */

static enum status from_environment(const char *name, double low, double high, double *out, struct err *err)
{
	const char *text = getenv(name);
	if (text == NULL || *text == '\0')
		return ST_OK;
	char *end;
	double value = strtod(text, &end);
	if (*end != '\0' || !(value >= low && value <= high))
		return err_set(err, ST_INVALID,
			"The environment's %s is %.40s; it must be a number, %g to %g.", name, text, low,
			high);
	*out = value;
	return ST_OK;
}

static enum status overlay(struct job *out, struct err *err)
{
	double epochs = out->epochs, batch = out->batch, threads = out->threads, seed = (double)out->seed;
	double seed_before = seed;
	TRY(from_environment("GYRE_EPOCHS", 1, JOB_EPOCHS_MAX, &epochs, err));
	TRY(from_environment("GYRE_LR", 1e-9, 1e6, &out->learning_rate, err));
	TRY(from_environment("GYRE_BATCH", 1, JOB_BATCH_MAX, &batch, err));
	TRY(from_environment("GYRE_SEED", 0, 9e15, &seed, err));
	TRY(from_environment("GYRE_THREADS", 1, JOB_THREADS_MAX, &threads, err));
	out->epochs = (uint32_t)epochs;
	out->batch = (uint32_t)batch;
	out->threads = (uint32_t)threads;
	out->seed = seed == seed_before ? out->seed : (uint64_t)seed;
	return ST_OK;
}

enum status job_read(const char *path, struct arena *a, struct job *out, struct err *err)
{
	struct span text;
	TRY(file_read(path, JOB_BYTES_MAX, a, &text, err));
	TRY(job_parse(text, a, out, err));
	return overlay(out, err);
}
