/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what clients write of a model version. */
#include "api/model_version_fields.h"

#include "base/check.h"

#include <stdlib.h>

static enum status read_enum(yyjson_val *body, const char *key, const char *const *values, size_t count,
	const char **out, struct err *err)
{
	const char *text = NULL;
	TRY(json_text(body, key, &text, err));
	if (text == NULL)
		return ST_OK;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(values[i], text) == 0) {
			*out = values[i];
			return ST_OK;
		}
	}
	return err_set(
		err, ST_INVALID, "\"%s\" cannot be \"%.100s\": a known one is %s.", key, text, values[0]);
}

/* "0" … "9999", as JSON's keys are texts; -1 for anything else. */
static long class_number(const char *key)
{
	size_t size = strlen(key);
	if (size == 0 || size > 5 || strspn(key, "0123456789") != size || (size > 1 && key[0] == '0'))
		return -1;
	return strtol(key, NULL, 10);
}

static enum status read_names(yyjson_val *labels, const char **names, struct err *err)
{
	yyjson_val *key, *value;
	size_t i, count;
	yyjson_obj_foreach (labels, i, count, key, value) {
		long number = class_number(yyjson_get_str(key));
		if (number < 0 || (size_t)number >= count)
			return err_set(err, ST_INVALID,
				"The keys of \"labels\" must be the class numbers from \"0\" to \"%zu\"; "
				"\"%.100s\" is none of them.",
				count - 1, yyjson_get_str(key));
		if (names[number])
			return err_set(err, ST_INVALID, "\"labels\" has the key \"%ld\" twice.", number);
		if (!yyjson_is_str(value) || strlen(yyjson_get_str(value)) != yyjson_get_len(value))
			return err_set(err, ST_INVALID, "The label of class %ld must be a text.", number);
		TRY(api_check_name(yyjson_get_str(value), "labels", err));
		names[number] = yyjson_get_str(value);
	}
	return ST_OK;
}

/* {"0": "person", …} whatever its order, to the same in order. */
static enum status read_labels(struct http_request *req, yyjson_val *body, const char **out, struct err *err)
{
	yyjson_val *labels = yyjson_obj_get(body, "labels");
	if (labels == NULL || yyjson_is_null(labels))
		return ST_OK;
	size_t count = yyjson_obj_size(labels);
	if (!yyjson_is_obj(labels) || count > MODEL_VERSION_LABELS_MAX)
		return err_set(err, ST_INVALID,
			"\"labels\" must be an object {\"0\": \"name\", …} of at most %d classes.",
			MODEL_VERSION_LABELS_MAX);
	const char **names = ARENA_ARRAY(req->arena, const char *, count + 1);
	TRY(read_names(labels, names, err));
	*out = "";
	if (count == 0)
		return ST_OK;
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_obj_add_str(doc, root, arena_printf(req->arena, "%zu", i), names[i]);
	*out = (const char *)json_print(doc, req->arena).data;
	return ST_OK;
}

static enum status check_docker(yyjson_val *body, struct err *err)
{
	const char *text = NULL;
	yyjson_val *flags = yyjson_obj_get(body, "docker_flags"),
		   *env = yyjson_obj_get(body, "docker_env_variables"), *value;
	size_t i, n;
	TRY(api_json_prose(body, "docker_image", &text, err));
	TRY(api_json_prose(body, "docker_tag", &text, err));
	if (flags && !yyjson_is_null(flags) && !yyjson_is_arr(flags))
		return err_set(err, ST_INVALID, "\"docker_flags\" must be a list of texts.");
	yyjson_arr_foreach (flags, i, n, value) {
		if (!yyjson_is_str(value))
			return err_set(err, ST_INVALID, "\"docker_flags\" must be a list of texts.");
	}
	if (env && !yyjson_is_null(env) && !yyjson_is_obj(env))
		return err_set(err, ST_INVALID, "\"docker_env_variables\" must be an object.");
	return ST_OK;
}

enum status model_version_fields_read(
	struct http_request *req, yyjson_val *body, struct model_version_fields *out, struct err *err)
{
	static const char *const types[] = {"CLASSIFICATION", "OBJECT_DETECTION", "SEGMENTATION",
		"NOT_CONFIGURED", "POINT", "KEYPOINT", "LINE", "MULTI"};
	static const char *const frameworks[] = {"ONNX", "TENSORFLOW", "PYTORCH", "NOT_CONFIGURED"};
	*out = (struct model_version_fields){.body = body};
	TRY(api_json_name(body, "name", false, &out->name, err));
	TRY(api_json_prose(body, "description", &out->description, err));
	TRY(read_enum(body, "type", types, COUNT_OF(types), &out->type, err));
	TRY(read_enum(body, "framework", frameworks, COUNT_OF(frameworks), &out->framework, err));
	TRY(api_json_prose(body, "notebook_link", &out->notebook_link, err));
	TRY(api_json_prose(body, "thumbnail_object_name", &out->thumbnail_object_name, err));
	TRY(api_json_stored(req, body, "parameters", &out->parameters, err));
	TRY(read_labels(req, body, &out->labels, err));
	TRY(check_docker(body, err));
	yyjson_val *recipe = yyjson_obj_get(body, "recipe");
	if (recipe && !yyjson_is_null(recipe))
		out->recipe = recipe;
	return ST_OK;
}

/* What is stored of docker, with the members of the body over it. */
static enum status merge_docker(
	const char *stored, yyjson_val *body, struct arena *a, const char **out, struct err *err)
{
	static const char *const names[] = MODEL_VERSION_DOCKER_KEYS;
	yyjson_doc *stored_doc = NULL;
	*out = stored;
	if (stored)
		TRY(json_parse(span_of_text(stored), a, &stored_doc, err));
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		yyjson_val *value = yyjson_obj_get(body, names[i]);
		if (value == NULL || yyjson_is_null(value))
			value = yyjson_obj_get(yyjson_doc_get_root(stored_doc), names[i]);
		if (value)
			yyjson_mut_obj_add_val(doc, root, names[i], yyjson_val_mut_copy(doc, value));
	}
	struct span text = json_print(doc, a);
	if (text.size > API_STORED_JSON_MAX)
		return err_set(err, ST_TOO_LARGE, "The docker members are too large: %u bytes are the most.",
			API_STORED_JSON_MAX);
	if (yyjson_mut_obj_size(root))
		*out = (const char *)text.data;
	return ST_OK;
}

static void set(const char **to, const char *value)
{
	if (value)
		*to = value;
}

enum status model_version_fields_apply(const struct model_version_fields *fields, struct arena *a,
	struct model_version_row *row, struct err *err)
{
	set(&row->name, fields->name);
	set(&row->description, fields->description);
	set(&row->type, fields->type);
	set(&row->framework, fields->framework);
	set(&row->notebook_link, fields->notebook_link);
	set(&row->thumbnail_object_name, fields->thumbnail_object_name);
	set(&row->parameters, fields->parameters);
	set(&row->labels, fields->labels);
	if (row->labels && *row->labels == '\0')
		row->labels = NULL;
	return merge_docker(row->docker, fields->body, a, &row->docker, err);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool model_version_fields_need_admission(
	const struct model_version_row *before, const struct model_version_row *after)
{
	return !same_text(before->labels, after->labels) || !same_text(before->type, after->type);
}
