/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/admission.h"

#include "base/check.h"
#include "base/str.h"
#include "deploy/model.h"

#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#define RECIPE_GIVEN_MAX ((size_t)64 << 10) /* bytes of what people gave of a recipe */

bool admission_is_onnx(const char *name)
{
	size_t size = strlen(name), ending = strlen(".onnx");
	return size > ending && strcasecmp(name + size - ending, ".onnx") == 0;
}

static void refuse(struct model_version_row *row, const char *why)
{
	row->state = "REFUSED";
	row->state_text = why;
	row->graph = NULL;
}

/* Labels that name the background class first: it is none of the version's, so the rest move up. */
static void leave_out_background(struct model_version_row *row, const char *const *labels,
	uint32_t label_count, uint32_t skipped, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	for (uint32_t i = skipped; i < label_count; i++) {
		char number[16];
		snprintf(number, sizeof(number), "%u", i - skipped);
		yyjson_mut_obj_add(root, yyjson_mut_strcpy(doc, number), yyjson_mut_str(doc, labels[i]));
	}
	row->labels = (const char *)json_print(doc, a).data;
	row->state_text = arena_printf(a,
		"The label \"%s\" names the background class: it was left out, and the labels after it moved "
		"up by one.",
		labels[0]);
}

static enum status admit_blob(struct blob *blobs, struct model_version_row *row, enum task task,
	const char *const *labels, uint32_t label_count, const char *recipe_given, struct arena *a,
	struct model_verdict *out, struct err *err)
{
	int fd;
	uint64_t size;
	char path[40];
	TRY(blob_open(blobs, row->onnx_sha256, &fd, &size, err));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	enum status st = model_admit(path, task, labels, label_count, recipe_given, a, out, err);
	close(fd);
	return st;
}

enum status admission_run(struct blob *blobs, struct model_version_row *row, const char *recipe_given,
	struct arena *a, struct err *err)
{
	CHECK(row->onnx_sha256 != NULL);
	enum task task;
	const char **labels;
	uint32_t label_count;
	struct model_verdict verdict;
	row->recipe = recipe_given;
	if (!task_parse(row->type, &task)) {
		refuse(row,
			strcmp(row->type, "NOT_CONFIGURED") == 0
				? "The version has no type yet: set it to CLASSIFICATION, "
				  "OBJECT_DETECTION or SEGMENTATION."
				: arena_printf(a, "gyre does not run models of the type %s yet.", row->type));
		return ST_OK;
	}
	TRY(model_labels(row->labels, a, &labels, &label_count, err));
	TRY(admit_blob(
		blobs, row, task, (const char *const *)labels, label_count, recipe_given, a, &verdict, err));
	refuse(row, verdict.state_text);
	row->graph = verdict.graph;
	if (verdict.ready) {
		row->state = "READY";
		row->recipe = verdict.recipe;
		row->framework = "ONNX";
		if (verdict.labels_skipped)
			leave_out_background(
				row, (const char *const *)labels, label_count, verdict.labels_skipped, a);
	}
	return ST_OK;
}

/* ---- what a person gave ---- */

static enum status check_keys(yyjson_val *changes, struct err *err)
{
	yyjson_val *key, *value;
	size_t i, n;
	if (!yyjson_is_obj(changes))
		return err_set(err, ST_INVALID, "\"recipe\" must be an object.");
	yyjson_obj_foreach (changes, i, n, key, value) {
		bool known = yyjson_equals_str(key, "from");
		for (enum recipe_field f = 0; !known && f < RECIPE_FIELD_COUNT; f++)
			known = yyjson_equals_str(key, recipe_field_name(f));
		if (!known)
			return err_set(
				err, ST_INVALID, "A recipe has no field \"%.100s\".", yyjson_get_str(key));
	}
	return ST_OK;
}

/* The value that stands for one field afterwards, NULL when it is not given. */
static yyjson_val *given_value(yyjson_val *stored, yyjson_val *changes, const char *name)
{
	yyjson_val *old = yyjson_obj_get(stored, name), *change = yyjson_obj_get(changes, name);
	yyjson_val *from = yyjson_obj_get(stored, "from");
	/* Before there was a file, everything stored was given. After that the task is what the version's
	 * type says. */
	bool was_given = old && (from == NULL || (yyjson_equals_str(yyjson_obj_get(from, name), "given") &&
							 strcmp(name, recipe_field_name(RECIPE_TASK)) != 0));
	if (change == NULL || (old && yyjson_equals(old, change)))
		return was_given ? old : NULL;
	return yyjson_is_null(change) ? NULL : change;
}

enum status admission_given(
	const char *stored, yyjson_val *changes, struct arena *a, const char **out, struct err *err)
{
	yyjson_doc *stored_doc = NULL;
	*out = NULL;
	if (changes)
		TRY(check_keys(changes, err));
	if (stored)
		TRY(json_parse(span_of_text(stored), a, &stored_doc, err));
	yyjson_val *old = yyjson_doc_get_root(stored_doc);
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++) {
		yyjson_val *value = given_value(old, changes, recipe_field_name(f));
		if (value)
			yyjson_mut_obj_add_val(
				doc, root, recipe_field_name(f), yyjson_val_mut_copy(doc, value));
	}
	struct span text = json_print(doc, a);
	if (text.size > RECIPE_GIVEN_MAX)
		return err_set(err, ST_TOO_LARGE, "\"recipe\" is too large.");
	if (yyjson_mut_obj_size(root))
		*out = (const char *)text.data;
	return ST_OK;
}
