/* SPDX-License-Identifier: Apache-2.0 */
/* An experiment's result becomes a model version: its artifacts the files, its labelmap the labels, its
 * parameters the parameters. What it started from gives the rest. */
#include "api/experiment_json.h"
#include "api/model_admission.h"
#include "api/model_json.h"
#include "api/nouns.h"
#include "os/clock.h"
#include "store/dataset_rows.h"
#include "store/object_rows.h"

#include <inttypes.h>

#define ARTIFACTS_MAX 1000

struct publication {
	struct experiment_row experiment;
	struct model_row model; /* made when is_new */
	bool is_new;
	struct model_version_row row;
	struct artifact_row *artifacts;
	size_t artifact_count;
	struct arena *arena;
};

static enum status read_log(
	struct db_conn *c, struct publication *p, const char *name, const char **out, struct err *err)
{
	struct experiment_log_row log;
	bool found;
	TRY(experiment_log_rows_by_name(c, p->experiment.id, name, p->arena, &log, &found, err));
	if (found)
		*out = log.data;
	return ST_OK;
}

/* The type of a version that starts from nothing: that of the first dataset it was trained on. */
static enum status type_of_dataset(struct db_conn *c, struct publication *p, struct err *err)
{
	struct experiment_dataset_row *datasets;
	struct dataset_version_row version;
	size_t count;
	TRY(experiment_rows_datasets(c, p->experiment.id, p->arena, &datasets, &count, err));
	if (count == 0)
		return ST_OK;
	TRY(dataset_version_rows_by_id(c, datasets[0].dataset_version_id, p->arena, &version, err));
	p->row.type = version.type;
	return ST_OK;
}

/* The file that the version runs: the artifact "model-latest" where that is ONNX, else the newest that is. */
static const struct artifact_row *onnx_artifact(const struct publication *p)
{
	const struct artifact_row *best = NULL;
	for (size_t i = 0; i < p->artifact_count; i++) {
		const struct artifact_row *f = &p->artifacts[i];
		if (!model_admission_is_onnx(f->filename) && !model_admission_is_onnx(f->name))
			continue;
		if (strcmp(f->name, "model-latest") == 0)
			return f;
		if (best == NULL || f->created_us > best->created_us)
			best = f;
	}
	return best;
}

static enum status read_publication(struct http_request *req, struct publication *p, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page = {.limit = ARTIFACTS_MAX};
	struct model_version_row base;
	struct object_row object;
	struct uuid id;
	int64_t total;
	TRY(api_id(req, "id", "experiment", &id, err));
	TRY(api_read(req, &reader, err));
	struct db_conn *c = reader.conn;
	TRY(experiment_rows_by_id(c, id, p->arena, &p->experiment, err));
	TRY(artifact_rows_list(c, id, &page, p->arena, &p->artifacts, &p->artifact_count, &total, err));
	p->row = (struct model_version_row){.description = p->experiment.description,
		.type = "NOT_CONFIGURED",
		.framework = "NOT_CONFIGURED",
		.state = "EMPTY",
		.experiment_id = id};
	if (!uuid_is_zero(p->experiment.base_model_version_id)) {
		TRY(model_rows_version_by_id(c, p->experiment.base_model_version_id, p->arena, &base, err));
		p->row.type = base.type;
		p->row.framework = base.framework;
		p->row.labels = base.labels;
		p->row.parameters = base.parameters;
		p->row.docker = base.docker;
		TRY(model_admission_given(base.recipe, NULL, p->arena, &p->row.recipe, err));
	} else {
		TRY(type_of_dataset(c, p, err));
	}
	TRY(read_log(c, p, "labelmap", &p->row.labels, err));
	TRY(read_log(c, p, "parameters", &p->row.parameters, err));
	const struct artifact_row *onnx = onnx_artifact(p);
	if (onnx) {
		TRY(object_rows_by_name(c, onnx->object_name, p->arena, &object, err));
		p->row.onnx_sha256 = object.sha256;
	}
	return ST_OK;
}

static enum status insert_files(struct db_conn *c, const struct publication *p, struct err *err)
{
	for (size_t i = 0; i < p->artifact_count; i++) {
		const struct artifact_row *f = &p->artifacts[i];
		struct model_file_row file = {.id = uuid_v7(p->row.created_us / 1000),
			.model_version_id = p->row.id,
			.name = f->name,
			.filename = f->filename,
			.object_name = f->object_name,
			.large = f->large,
			.created_us = p->row.created_us};
		TRY(model_rows_file_insert(c, &file, err));
	}
	return ST_OK;
}

static enum status insert_publication(struct db_conn *c, void *arg, struct err *err)
{
	struct publication *p = arg;
	struct experiment_row experiment;
	struct model_row model;
	TRY(experiment_rows_by_id(c, p->experiment.id, p->arena, &experiment, err)); /* still there? */
	if (p->is_new)
		TRY(model_rows_insert(c, &p->model, err));
	TRY(model_rows_by_id(c, p->model.id, p->arena, &model, err));
	TRY(model_rows_next_version(c, model.id, &p->row.version, err));
	p->row.model_id = model.id;
	p->row.name = p->experiment.name;
	TRY(model_rows_version_insert(c, &p->row, err));
	return insert_files(c, p, err);
}

static enum status publish(
	struct http_request *req, struct http_reply *reply, struct publication *p, struct err *err)
{
	TRY(read_publication(req, p, err));
	if (p->row.onnx_sha256)
		TRY(model_admission_run(req, &p->row, p->row.recipe, err));
	p->row.created_us = clock_unix_us();
	p->row.id = uuid_v7(p->row.created_us / 1000);
	TRY(api_write(req, "experiment.publish", p->row.id, insert_publication, p, err));
	reply->code = 201;
	return model_version_reply(req, reply, p->row.id, err);
}

/* {"name"}: the first version of a new model. */
enum status api_experiment_publish(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct publication *p = ARENA_NEW(req->arena, struct publication);
	yyjson_val *body;
	p->arena = req->arena;
	p->is_new = true;
	p->model = (struct model_row){.description = "", .organization_id = api_of(req)->organization_id};
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &p->model.name, err));
	p->model.created_us = clock_unix_us();
	p->model.id = uuid_v7(p->model.created_us / 1000);
	return publish(req, reply, p, err);
}

/* {"model_id"}: the next version of that model. */
enum status api_experiment_publish_version(
	struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct publication *p = ARENA_NEW(req->arena, struct publication);
	yyjson_val *body;
	p->arena = req->arena;
	TRY(api_body(req, &body, err));
	TRY(api_json_id(body, "model_id", true, &p->model.id, err));
	return publish(req, reply, p, err);
}
