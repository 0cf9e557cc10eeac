/* SPDX-License-Identifier: Apache-2.0 */
/* What an experiment takes over from what it starts from, where it has nothing of its own. */
#include "api/experiment_json.h"
#include "os/clock.h"
#include "store/model_rows.h"

static enum status take_log(struct db_conn *c, struct uuid to, const char *name, const char *type,
	const char *data, bool always, struct arena *a, struct err *err)
{
	struct experiment_log_row log = {.experiment_id = to, .name = name, .type = type, .data = data}, old;
	bool found;
	TRY(experiment_log_rows_by_name(c, to, name, a, &old, &found, err));
	if (data == NULL || (found && !always))
		return ST_OK;
	return experiment_log_put(c, &log, false, a, err);
}

static enum status copy_log(struct db_conn *c, struct uuid to, struct uuid from, const char *name,
	struct arena *a, struct err *err)
{
	struct experiment_log_row log;
	bool found;
	TRY(experiment_log_rows_by_name(c, from, name, a, &log, &found, err));
	return found ? take_log(c, to, name, log.type, log.data, false, a, err) : ST_OK;
}

static enum status has_artifacts(
	struct db_conn *c, struct uuid id, struct arena *a, bool *has, struct err *err)
{
	struct rows_page page = {.limit = 1};
	struct artifact_row *rows;
	size_t count;
	int64_t total;
	TRY(artifact_rows_list(c, id, &page, a, &rows, &count, &total, err));
	*has = total > 0;
	return ST_OK;
}

static enum status insert_artifact(struct db_conn *c, struct uuid to, const char *name, const char *filename,
	const char *object_name, bool large, struct err *err)
{
	struct artifact_row row = {.experiment_id = to,
		.name = name,
		.filename = filename,
		.object_name = object_name,
		.large = large,
		.created_us = clock_unix_us()};
	row.id = uuid_v7(row.created_us / 1000);
	return artifact_rows_insert(c, &row, err);
}

#define ARTIFACTS_MAX 1000

enum status experiment_inherit(struct db_conn *c, struct uuid experiment_id, struct uuid base_experiment_id,
	struct arena *a, struct err *err)
{
	struct experiment_row base;
	struct rows_page page = {.limit = ARTIFACTS_MAX};
	struct artifact_row *rows;
	size_t count;
	int64_t total;
	bool has;
	TRY(experiment_rows_by_id(c, base_experiment_id, a, &base, err));
	TRY(copy_log(c, experiment_id, base_experiment_id, "labelmap", a, err));
	TRY(copy_log(c, experiment_id, base_experiment_id, "parameters", a, err));
	TRY(has_artifacts(c, experiment_id, a, &has, err));
	if (has)
		return ST_OK;
	TRY(artifact_rows_list(c, base_experiment_id, &page, a, &rows, &count, &total, err));
	for (size_t i = 0; i < count; i++)
		TRY(insert_artifact(c, experiment_id, rows[i].name, rows[i].filename, rows[i].object_name,
			rows[i].large, err));
	return ST_OK;
}

enum status experiment_inherit_version(struct db_conn *c, struct uuid experiment_id, struct uuid version_id,
	enum inherit_parameters parameters, struct arena *a, struct err *err)
{
	struct model_version_row version;
	struct model_file_row *files;
	size_t count;
	bool has;
	TRY(model_rows_version_by_id(c, version_id, a, &version, err));
	TRY(take_log(c, experiment_id, "labelmap", "LABELMAP", version.labels, false, a, err));
	if (parameters != INHERIT_NEVER)
		TRY(take_log(c, experiment_id, "parameters", "TABLE", version.parameters,
			parameters == INHERIT_ALWAYS, a, err));
	TRY(has_artifacts(c, experiment_id, a, &has, err));
	if (has)
		return ST_OK;
	TRY(model_rows_file_list(c, version_id, a, &files, &count, err));
	for (size_t i = 0; i < count; i++)
		TRY(insert_artifact(c, experiment_id, files[i].name, files[i].filename, files[i].object_name,
			files[i].large, err));
	return ST_OK;
}
