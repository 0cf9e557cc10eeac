/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/check_job.h"

#include "base/check.h"
#include "deploy/model.h"

#include <inttypes.h>
#include <stdlib.h>

#define THREADS 2u                   /* one runs the model, another prepares the next picture */
#define PIXEL_BYTES_MAX (256u << 20) /* of decoded pictures that are kept */

struct check_job {
	struct arena arena; /* of all below */
	struct model_version_row version;
	const char *model_name;
	struct blob *blobs;
	struct truths truths;
	void (*release)(void *arg);
	void *arg;
};

static void release_job(void *arg)
{
	struct check_job *c = arg;
	c->release(c->arg);
	arena_release(&c->arena);
	free(c);
}

/* ---- the result ---- */

static void add_texts(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const char *const *texts, size_t count)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, object, key);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_add_str(doc, list, texts[i]);
}

/* Fields of `recipe` that `own` has otherwise. */
static yyjson_mut_val *changed_fields(yyjson_mut_doc *doc, yyjson_mut_val *recipe, yyjson_mut_val *own)
{
	yyjson_mut_val *changed = yyjson_mut_obj(doc), *key;
	yyjson_mut_obj_iter fields = yyjson_mut_obj_iter_with(recipe);
	while ((key = yyjson_mut_obj_iter_next(&fields))) {
		const char *name = yyjson_mut_get_str(key);
		yyjson_mut_val *value = yyjson_mut_obj_iter_get_val(key);
		if (strcmp(name, "from") != 0 && !yyjson_mut_equals(value, yyjson_mut_obj_get(own, name)))
			yyjson_mut_obj_add_val(doc, changed, name, yyjson_mut_val_mut_copy(doc, value));
	}
	return changed;
}

static void add_row(
	yyjson_mut_doc *doc, yyjson_mut_val *list, const struct check_row *row, yyjson_mut_val *own)
{
	yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);
	yyjson_mut_val *recipe = recipe_json(&row->recipe, doc);
	yyjson_mut_obj_add_val(doc, object, "recipe", recipe);
	yyjson_mut_obj_add_val(doc, object, "changed", changed_fields(doc, recipe, own));
	yyjson_mut_obj_add_real(doc, object, "value", row->value);
	if (row->value50 >= 0)
		yyjson_mut_obj_add_real(doc, object, "value50", row->value50);
	else
		yyjson_mut_obj_add_null(doc, object, "value50");
	yyjson_mut_obj_add_real(doc, object, "certainty", row->certainty);
	yyjson_mut_obj_add_uint(doc, object, "pictures", row->pictures);
	yyjson_mut_obj_add_bool(doc, object, "current", row->current);
}

static const char *result_json(const struct check_job *c, const struct model *model,
	const struct check_result *result, struct arena *a)
{
	const struct truths *t = &c->truths;
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc), *own = recipe_json(&model->recipe, doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_str(doc, root, "metric", measure_name(model->recipe.task));
	yyjson_mut_obj_add_uint(doc, root, "pictures", result->pictures);
	yyjson_mut_obj_add_uint(doc, root, "labelled_shapes", t->labelled_shapes);
	add_texts(doc, root, "problems", t->problems, t->problem_count);
	yyjson_mut_val *problems = yyjson_mut_obj_get(root, "problems");
	for (size_t i = 0; i < result->problem_count; i++)
		yyjson_mut_arr_add_str(doc, problems, result->problems[i]);
	add_texts(doc, root, "matched_labels", t->matched, t->matched_count);
	add_texts(doc, root, "unmatched_labels", t->unmatched, t->unmatched_count);
	yyjson_mut_val *rows = yyjson_mut_obj_add_arr(doc, root, "rows");
	for (size_t i = 0; i < result->row_count; i++)
		add_row(doc, rows, &result->rows[i], own);
	return (const char *)json_print(doc, a).data;
}

/* ---- the work ---- */

static bool cancelled(void *arg)
{
	return job_cancelled(arg);
}

static void progress(void *arg, double part, const char *message)
{
	job_progress(arg, part, "%s", message);
}

static enum status run_job(struct job *job, void *arg, struct arena *a, const char **result, struct err *err)
{
	struct check_job *c = arg;
	struct model *model;
	struct check_result found;
	job_progress(job, 0, "opening the model");
	TRY(model_open_background(&c->version, c->model_name, c->blobs, &model, err));
	const struct check_options options = {
		.model = model,
		.pictures = c->truths.pictures,
		.picture_count = c->truths.picture_count,
		.labels = c->truths.labels,
		.threads = THREADS,
		.pixel_bytes_max = PIXEL_BYTES_MAX,
		.cancelled = cancelled,
		.progress = progress,
		.arg = job,
	};
	enum status st = check_run(&options, a, &found, err);
	if (st == ST_OK)
		*result = result_json(c, model, &found, a);
	model_drop(model);
	return st;
}

/* ---- start ---- */

/* What the model calls its classes: where it has no labels, their numbers. */
static enum status read_wanted(
	const struct check_job *c, struct arena *a, struct truths_wanted *out, struct err *err)
{
	struct recipe recipe;
	const char **labels;
	uint32_t count;
	TRY(model_version_read(&c->version, a, &recipe, &labels, &count, err));
	const char **names = ARENA_ARRAY(a, const char *, recipe_label_count(&recipe));
	for (uint32_t i = 0; i < recipe_label_count(&recipe); i++)
		names[i] = model_label((const char *const *)labels, count, (int32_t)i, a);
	*out = (struct truths_wanted){recipe.task, names, recipe_label_count(&recipe)};
	return ST_OK;
}

static enum status prepare(struct check_job *c, const struct check_request *request, struct err *err)
{
	const struct model_version_row *v = request->version;
	struct truths_wanted wanted;
	if (strcmp(v->state, "READY") != 0)
		return err_set(err, ST_CONFLICT, "Version %" PRId64 " of model %s cannot be checked: %s",
			v->version, request->model_name,
			v->state_text ? v->state_text : "it has no ONNX file yet; store one first.");
	c->version = model_version_kept(v, &c->arena);
	c->model_name = arena_strdup(&c->arena, request->model_name);
	TRY(read_wanted(c, &c->arena, &wanted, err));
	return truths_make(&wanted, request->files, request->file_count, &c->arena, &c->truths, err);
}

enum status check_start(struct jobs *jobs, struct blob *blobs, const struct check_request *request,
	struct arena *a, struct job_row *job, struct err *err)
{
	struct check_job *c = calloc(1, sizeof(*c));
	CHECK(c != NULL);
	arena_init(&c->arena);
	c->blobs = blobs;
	c->release = request->release;
	c->arg = request->arg;
	enum status st = prepare(c, request, err);
	const struct job_work work = {.kind = "check",
		.object_id = request->version->id,
		.who = request->who,
		.run = run_job,
		.arg = c,
		.release = release_job};
	if (st == ST_OK)
		st = jobs_start(jobs, &work, a, job, err);
	if (st != ST_OK)
		release_job(c);
	return st;
}
