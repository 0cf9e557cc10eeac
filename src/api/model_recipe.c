/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the recipe of a version makes a new version, with the same files. */
#include "api/model_admission.h"
#include "api/model_json.h"
#include "api/nouns.h"
#include "os/clock.h"

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
	TRY(model_admission_given(copy->row.recipe, recipe, req->arena, &given, err));
	TRY(model_admission_run(req, &copy->row, given, err));
	if (strcmp(copy->row.state, "READY") != 0)
		return err_set(err, ST_UNPROCESSABLE, "%s", copy->row.state_text);
	copy->row.name = name;
	copy->row.created_us = clock_unix_us();
	copy->row.id = uuid_v7(copy->row.created_us / 1000);
	TRY(api_write(req, "model_version.create", copy->row.id, insert_copy, copy, err));
	reply->code = 201;
	return model_version_reply(req, reply, copy->row.id, err);
}
