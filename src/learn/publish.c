/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/publish.h"

#include "deploy/admission.h"
#include "store/dataset_rows.h"
#include "store/object_rows.h"

#define ARTIFACTS_MAX 1000

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
		if (!admission_is_onnx(f->filename) && !admission_is_onnx(f->name))
			continue;
		if (strcmp(f->name, "model-latest") == 0)
			return f;
		if (best == NULL || f->created_us > best->created_us)
			best = f;
	}
	return best;
}

enum status publication_read(struct db_conn *c, struct publication *p, struct err *err)
{
	struct rows_page page = {.limit = ARTIFACTS_MAX};
	struct model_version_row base;
	struct object_row object;
	struct uuid id = p->experiment.id;
	int64_t total;
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
		TRY(admission_given(base.recipe, NULL, p->arena, &p->row.recipe, err));
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

enum status publication_admit(struct blob *blobs, struct publication *p, struct err *err)
{
	return p->row.onnx_sha256 ? admission_run(blobs, &p->row, p->row.recipe, p->arena, err) : ST_OK;
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

enum status publication_insert(struct db_conn *c, struct publication *p, struct err *err)
{
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
