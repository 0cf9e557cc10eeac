/* SPDX-License-Identifier: Apache-2.0 */
/* The recipe of a version: changing it makes a new version, with the same files; confirming it says that a
 * person has looked at what was guessed. */
#include "api/model_json.h"
#include "api/nouns.h"
#include "deploy/admission.h"
#include "os/clock.h"
#include "task/recipe_control.h"

#include <inttypes.h>

struct copy {
	struct uuid from_id;
	struct model_version_row row; /* the new version */
	struct arena *arena;
};

static enum status copy_files(struct db_conn *c, const struct copy *copy, struct err *err)
{
	struct model_file_row *files;
	size_t count;
	TRY(model_rows_file_list(c, copy->from_id, copy->arena, &files, &count, err));
	for (size_t i = 0; i < count; i++) {
		files[i].id = uuid_v7(copy->row.created_us / 1000);
		files[i].model_version_id = copy->row.id;
		files[i].created_us = copy->row.created_us;
		TRY(model_rows_file_insert(c, &files[i], err));
	}
	return ST_OK;
}

static enum status insert_copy(struct db_conn *c, void *arg, struct err *err)
{
	struct copy *copy = arg;
	struct model_version_row from;
	TRY(model_rows_version_by_id(c, copy->from_id, copy->arena, &from, err)); /* still there? */
	TRY(model_rows_next_version(c, copy->row.model_id, &copy->row.version, err));
	if (copy->row.name == NULL)
		copy->row.name = arena_printf(copy->arena, "v%" PRId64, copy->row.version);
	TRY(model_rows_version_insert(c, &copy->row, err));
	return copy_files(c, copy, err);
}

static enum status read_version(struct http_request *req, struct copy *copy, struct err *err)
{
	API_READER reader = {0};
	TRY(api_read(req, &reader, err));
	TRY(model_rows_version_by_id(reader.conn, copy->from_id, req->arena, &copy->row, err));
	if (copy->row.onnx_sha256 == NULL)
		return err_set(
			err, ST_CONFLICT, "This version has no ONNX file yet: PATCH its recipe instead.");
	return ST_OK;
}

/* {"recipe": {…}, "name"?}: only the fields that differ count as given. */
enum status api_model_version_recipe(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct copy *copy = ARENA_NEW(req->arena, struct copy);
	yyjson_val *body;
	const char *given, *name = NULL;
	copy->arena = req->arena;
	TRY(api_id(req, "id", "model version", &copy->from_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", false, &name, err));
	yyjson_val *recipe = yyjson_obj_get(body, "recipe");
	if (!yyjson_is_obj(recipe))
		return err_set(
			err, ST_INVALID, "\"recipe\" is missing: it must be an object of recipe fields.");
	TRY(read_version(req, copy, err));
	TRY(admission_given(copy->row.recipe, recipe, req->arena, &given, err));
	TRY(admission_run(api_of(req)->blobs, &copy->row, given, req->arena, err));
	if (strcmp(copy->row.state, "READY") != 0)
		return err_set(err, ST_UNPROCESSABLE, "%s", copy->row.state_text);
	copy->row.name = name;
	copy->row.based_on_id = copy->from_id;
	copy->row.created_us = clock_unix_us();
	copy->row.id = uuid_v7(copy->row.created_us / 1000);
	TRY(api_write(req, "model_version.create", copy->row.id, insert_copy, copy, err));
	reply->code = 201;
	return model_version_reply(req, reply, copy->row.id, err);
}

/* ---- confirming ---- */

/* The recipe of a version that can run. ST_CONFLICT: there is none yet. */
static enum status stored_recipe(
	const struct model_version_row *row, struct arena *a, struct recipe *out, struct err *err)
{
	yyjson_doc *doc;
	if (strcmp(row->state, "READY") != 0)
		return err_set(err, ST_CONFLICT, "Version %" PRId64 " has no recipe yet: %s", row->version,
			row->state_text ? row->state_text : "it has no ONNX file; store one first.");
	TRY(json_parse(span_of_text(row->recipe), a, &doc, err));
	return recipe_parse(yyjson_doc_get_root(doc), out, err);
}

struct confirmation {
	struct uuid id;
	struct arena *arena;
};

static enum status confirm_version(struct db_conn *c, void *arg, struct err *err)
{
	const struct confirmation *confirmation = arg;
	struct model_version_row row;
	struct recipe recipe;
	TRY(model_rows_version_by_id(c, confirmation->id, confirmation->arena, &row, err));
	TRY(stored_recipe(&row, confirmation->arena, &recipe, err));
	recipe_confirm(&recipe);
	yyjson_mut_doc *doc = json_new(confirmation->arena);
	yyjson_mut_doc_set_root(doc, recipe_json(&recipe, doc));
	row.recipe = (const char *)json_print(doc, confirmation->arena).data;
	return model_rows_version_update(c, &row, err);
}

/* No value changes, so it is the same version, in service or not. */
enum status api_model_version_confirm(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct confirmation confirmation = {.arena = req->arena};
	TRY(api_id(req, "id", "model version", &confirmation.id, err));
	TRY(api_write(req, "model_version.confirm", confirmation.id, confirm_version, &confirmation, err));
	return model_version_reply(req, reply, confirmation.id, err);
}

/* ---- controls ---- */

static yyjson_mut_val *control_json(yyjson_mut_doc *doc, const struct recipe *recipe, enum recipe_field f)
{
	struct recipe_control control;
	recipe_control(recipe, f, &control);
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_text(doc, object, "name", recipe_field_name(f));
	api_add_text(doc, object, "help", recipe_field_help(f));
	api_add_text(doc, object, "kind", recipe_control_kind_name(control.kind));
	bool ranged = control.low < control.high;
	if (control.kind == CONTROL_CHOICE) {
		yyjson_mut_val *choices = yyjson_mut_obj_add_arr(doc, object, "choices");
		for (size_t i = 0; i < control.choice_count; i++)
			yyjson_mut_arr_add_str(doc, choices, control.choices[i]);
	} else {
		yyjson_mut_obj_add_null(doc, object, "choices");
	}
	yyjson_mut_obj_add_val(
		doc, object, "min", ranged ? yyjson_mut_real(doc, control.low) : yyjson_mut_null(doc));
	yyjson_mut_obj_add_val(
		doc, object, "max", ranged ? yyjson_mut_real(doc, control.high) : yyjson_mut_null(doc));
	yyjson_mut_obj_add_bool(doc, object, "matters", control.matters);
	return object;
}

/* What can be set of this version's recipe: only fields that its layout has. */
enum status api_model_version_fields(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct model_version_row row;
	struct recipe recipe;
	struct uuid id;
	TRY(api_id(req, "id", "model version", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(model_rows_version_by_id(reader.conn, id, req->arena, &row, err));
	TRY(stored_recipe(&row, req->arena, &recipe, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++)
		if (recipe_field_applies(recipe.output, f))
			yyjson_mut_arr_append(items, control_json(doc, &recipe, f));
	return api_reply_list(req, reply, doc, items, (int64_t)yyjson_mut_arr_size(items));
}
