/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON form of a model version. */
#include "api/model_json.h"
#include "api/model_version_fields.h"
#include "store/object_rows.h"
#include "task/recipe_control.h"

static void add_docker(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *docker, struct arena *a)
{
	static const char *const names[] = MODEL_VERSION_DOCKER_KEYS;
	yyjson_doc *stored = NULL;
	if (docker && json_parse(span_of_text(docker), a, &stored, NULL) != ST_OK)
		stored = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		yyjson_val *value = yyjson_obj_get(yyjson_doc_get_root(stored), names[i]);
		yyjson_mut_val *copy = value ? yyjson_val_mut_copy(doc, value) : yyjson_mut_null(doc);
		yyjson_mut_obj_add_val(doc, object, names[i], copy);
	}
}

static void add_stored(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const char *json, struct arena *a)
{
	if (json)
		api_add_json(doc, object, key, json, a);
	else
		yyjson_mut_obj_add_null(doc, object, key);
}

/* What nobody has looked at yet, by name. */
static void add_guessed(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const struct model_version_row *row, struct arena *a)
{
	yyjson_mut_val *guessed = yyjson_mut_obj_add_arr(doc, object, "guessed");
	yyjson_doc *stored;
	struct recipe recipe;
	/* Before there is a file the recipe is what was given, and not whole. */
	bool found = strcmp(row->state, "READY") == 0 && row->recipe &&
		     json_parse(span_of_text(row->recipe), a, &stored, NULL) == ST_OK &&
		     recipe_parse(yyjson_doc_get_root(stored), &recipe, NULL) == ST_OK;
	for (enum recipe_field f = 0; found && f < RECIPE_FIELD_COUNT; f++)
		if (recipe_field_is_guess(&recipe, f))
			yyjson_mut_arr_add_str(doc, guessed, recipe_field_name(f));
	yyjson_mut_obj_add_bool(doc, object, "confirmed", yyjson_mut_arr_size(guessed) == 0);
}

static enum status add_deployments(yyjson_mut_doc *doc, yyjson_mut_val *object, struct db_conn *c,
	struct uuid id, struct arena *a, struct err *err)
{
	struct model_version_use *uses;
	size_t count;
	TRY(model_rows_version_uses(c, id, a, &uses, &count, err));
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, object, "deployments");
	for (size_t i = 0; i < count; i++) {
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
		api_add_id(doc, item, "id", uses[i].deployment_id);
		api_add_text(doc, item, "name", uses[i].name);
		api_add_text(doc, item, "role", uses[i].shadow ? "shadow" : "champion");
	}
	return ST_OK;
}

static enum status add_files(yyjson_mut_doc *doc, yyjson_mut_val *object, struct db_conn *c, struct uuid id,
	struct arena *a, struct err *err)
{
	struct model_file_row *files;
	size_t count;
	TRY(model_rows_file_list(c, id, a, &files, &count, err));
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, object, "files");
	for (size_t i = 0; i < count; i++) {
		struct object_row stored;
		TRY(object_rows_by_name(c, files[i].object_name, a, &stored, err));
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
		api_add_text(doc, item, "name", files[i].name);
		api_add_text(doc, item, "filename", files[i].filename);
		yyjson_mut_obj_add_int(doc, item, "size_bytes", stored.size_bytes);
	}
	return ST_OK;
}

static void add_lineage(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct model_version_row *row)
{
	yyjson_mut_val *lineage = yyjson_mut_obj_add_obj(doc, object, "lineage");
	api_add_id(doc, lineage, "experiment_id", row->experiment_id);
	api_add_id(doc, lineage, "based_on_version_id", row->based_on_id);
}

enum status model_version_json(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	const struct model_version_row *row, const struct model_row *model, yyjson_mut_val **out,
	struct err *err)
{
	yyjson_mut_val *object = *out = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_text(doc, object, "name", row->name);
	yyjson_mut_obj_add_int(doc, object, "version", row->version);
	api_add_text(doc, object, "description", row->description);
	api_add_text(doc, object, "type", row->type);
	api_add_text(doc, object, "framework", row->framework);
	api_add_json(doc, object, "labels", row->labels, req->arena);
	api_add_json(doc, object, "parameters", row->parameters, req->arena);
	yyjson_mut_obj_add_val(doc, object, "origin", model_json(doc, model));
	api_add_text(doc, object, "state", row->state);
	api_add_text(doc, object, "state_text", row->state_text);
	add_stored(doc, object, "recipe", row->recipe, req->arena);
	add_stored(doc, object, "graph", row->graph, req->arena);
	add_stored(doc, object, "trainable", row->trainable, req->arena);
	add_docker(doc, object, row->docker, req->arena);
	api_add_text(doc, object, "notebook_link", row->notebook_link);
	api_add_text(doc, object, "thumbnail_object_name", row->thumbnail_object_name);
	api_add_time(doc, object, "created_at", row->created_us);
	add_guessed(doc, object, row, req->arena);
	add_lineage(doc, object, row);
	TRY(add_deployments(doc, object, c, row->id, req->arena, err));
	return add_files(doc, object, c, row->id, req->arena, err);
}
