/* SPDX-License-Identifier: Apache-2.0 */
/* A model labels a dataset version first, as a job. */
#include "learn/pre_label.h"

#include "api/dataset_json.h"
#include "api/job_json.h"
#include "api/nouns.h"

#define THRESHOLD_DEFAULT 0.3

static enum status read_map(yyjson_val *body, yyjson_val **out, struct err *err)
{
	yyjson_val *map = yyjson_obj_get(body, "label_map"), *key, *value;
	size_t i, n;
	*out = NULL;
	if (map == NULL || yyjson_is_null(map))
		return ST_OK;
	if (!yyjson_is_obj(map))
		return err_set(
			err, ST_INVALID, "\"label_map\" is an object: the model's label to the dataset's.");
	yyjson_obj_foreach (map, i, n, key, value) {
		if (yyjson_is_null(value))
			continue;
		if (!yyjson_is_str(value))
			return err_set(
				err, ST_INVALID, "\"label_map\" must hold names, or null to leave out.");
		TRY(api_check_name(yyjson_get_str(value), "label_map", err));
	}
	*out = map;
	return ST_OK;
}

static enum status read_wish(
	yyjson_val *body, struct pre_label *out, struct uuid *version_id, struct err *err)
{
	*out = (struct pre_label){.threshold = THRESHOLD_DEFAULT, .only_unlabelled = true};
	TRY(api_json_id(body, "model_version_id", true, version_id, err));
	TRY(json_number(body, "threshold", &out->threshold, err));
	if (!(out->threshold >= 0 && out->threshold <= 1))
		return err_set(err, ST_INVALID, "\"threshold\" must be a number from 0 to 1.");
	TRY(json_bool(body, "only_unlabelled", &out->only_unlabelled, err));
	TRY(json_bool(body, "make_labels", &out->make_labels, err));
	return read_map(body, &out->label_map, err);
}

static enum status nothing(struct db_conn *c, void *arg, struct err *err)
{
	return ST_OK;
}

enum status api_pre_label(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct dataset_version_row dataset;
	struct model_version_row version;
	struct model_row model;
	struct pre_label wish;
	struct job_row job;
	struct uuid version_id;
	yyjson_val *body;
	struct api *api = api_of(req);
	TRY(api_body(req, &body, err));
	TRY(read_wish(body, &wish, &version_id, err));
	{
		API_READER reader = {0};
		TRY(api_read(req, &reader, err));
		TRY(dataset_version_of_path(req, reader.conn, &dataset, err));
		TRY(model_rows_version_by_id(reader.conn, version_id, req->arena, &version, err));
		TRY(model_rows_by_id(reader.conn, version.model_id, req->arena, &model, err));
	}
	wish.dataset = &dataset;
	wish.version = &version;
	wish.model_name = model.name;
	wish.who = caller_of(req)->user_name;
	TRY(pre_label_start(
		api->jobs, api->readers, api->recorder, api->blobs, &wish, req->arena, &job, err));
	TRY(api_write(req, "dataset_version.pre_label", dataset.id, nothing, NULL, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, job_json(doc, &job, req->arena));
	reply->code = 201;
	return http_reply_json(req, reply, doc);
}
