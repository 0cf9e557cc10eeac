/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of what experiments said and made: logs and artifacts. */
#include "store/experiment_rows.h"

/* ---- logs ---- */

#define LOG_SELECT                                                                                           \
	"SELECT experiment_log.id, experiment_log.experiment_id, experiment_log.name, experiment_log.type,"  \
	" experiment_log.data, experiment_log.created_us FROM experiment_log"

static const struct rows_source logs = {
	.select = LOG_SELECT,
	.count = "SELECT count(*) FROM experiment_log",
	.where = "experiment_log.experiment_id = $1",
	.id = "experiment_log.id",
	.created = "experiment_log.created_us",
	.name = "experiment_log.name",
};

static void read_log(struct db_query *q, struct arena *a, struct experiment_log_row *out)
{
	*out = (struct experiment_log_row){
		.id = db_uuid(q, 0),
		.experiment_id = db_uuid(q, 1),
		.name = db_text(q, 2, a),
		.type = db_text(q, 3, a),
		.data = db_text(q, 4, a),
		.created_us = db_integer(q, 5),
	};
}

static enum status log_missing(struct err *err)
{
	return err_set(err, ST_MISSING, "There is no such log.");
}

static enum status log_taken(const struct experiment_log_row *l, struct err *err)
{
	return err_set(err, ST_CONFLICT, "This experiment has a log named \"%.200s\" already.", l->name);
}

enum status experiment_log_rows_insert(struct db_conn *c, const struct experiment_log_row *l, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO experiment_log (id, experiment_id, name, type, data, created_us)"
			    " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (experiment_id, name) DO NOTHING");
	db_bind_uuid(&q, l->id);
	db_bind_uuid(&q, l->experiment_id);
	db_bind_text(&q, l->name);
	db_bind_text(&q, l->type);
	db_bind_text(&q, l->data);
	db_bind_integer(&q, l->created_us);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : log_taken(l, err);
}

enum status experiment_log_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct experiment_log_row *out, struct err *err)
{
	struct db_query q = db_query(c, LOG_SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	bool found = db_next(&q);
	if (found)
		read_log(&q, a, out);
	TRY(db_done(&q, err));
	return found ? ST_OK : log_missing(err);
}

enum status experiment_log_rows_by_name(struct db_conn *c, struct uuid experiment_id, const char *name,
	struct arena *a, struct experiment_log_row *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c, LOG_SELECT " WHERE experiment_id = $1 AND name = $2");
	db_bind_uuid(&q, experiment_id);
	db_bind_text(&q, name);
	*found = db_next(&q);
	if (*found)
		read_log(&q, a, out);
	return db_done(&q, err);
}

enum status experiment_log_rows_list(struct db_conn *c, struct uuid experiment_id,
	const struct rows_page *page, struct arena *a, struct experiment_log_row **items, size_t *count,
	int64_t *total, struct err *err)
{
	size_t room = 0;
	struct db_query q = rows_count(c, a, &logs, page);
	db_bind_uuid(&q, experiment_id);
	rows_bind_count(&q, page);
	TRY(rows_number(&q, total, err));
	q = rows_query(c, a, &logs, page);
	db_bind_uuid(&q, experiment_id);
	rows_bind(&q, page);
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_log(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status experiment_log_rows_update(struct db_conn *c, const struct experiment_log_row *l, struct err *err)
{
	struct db_query q =
		db_query(c, "UPDATE experiment_log SET name = $1, type = $2, data = $3 WHERE id = $4");
	db_bind_text(&q, l->name);
	db_bind_text(&q, l->type);
	db_bind_text(&q, l->data);
	db_bind_uuid(&q, l->id);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return log_taken(l, err);
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : log_missing(err);
}

enum status experiment_log_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM experiment_log WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : log_missing(err);
}

/* ---- artifacts ---- */

#define ARTIFACT_SELECT                                                                                      \
	"SELECT artifact.id, artifact.experiment_id, artifact.name, artifact.filename, "                     \
	"artifact.object_name,"                                                                              \
	" artifact.large, artifact.created_us FROM artifact"

static const struct rows_source artifacts = {
	.select = ARTIFACT_SELECT,
	.count = "SELECT count(*) FROM artifact",
	.where = "artifact.experiment_id = $1",
	.id = "artifact.id",
	.created = "artifact.created_us",
	.name = "artifact.name",
};

static void read_artifact(struct db_query *q, struct arena *a, struct artifact_row *out)
{
	*out = (struct artifact_row){
		.id = db_uuid(q, 0),
		.experiment_id = db_uuid(q, 1),
		.name = db_text(q, 2, a),
		.filename = db_text(q, 3, a),
		.object_name = db_text(q, 4, a),
		.large = db_integer(q, 5) != 0,
		.created_us = db_integer(q, 6),
	};
}

static enum status artifact_missing(struct err *err)
{
	return err_set(err, ST_MISSING, "There is no such artifact.");
}

static enum status artifact_taken(const struct artifact_row *f, struct err *err)
{
	return err_set(
		err, ST_CONFLICT, "This experiment has an artifact named \"%.200s\" already.", f->name);
}

enum status artifact_rows_insert(struct db_conn *c, const struct artifact_row *f, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO artifact (id, experiment_id, name, filename, object_name, large, created_us)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (experiment_id, name) DO NOTHING");
	db_bind_uuid(&q, f->id);
	db_bind_uuid(&q, f->experiment_id);
	db_bind_text(&q, f->name);
	db_bind_text(&q, f->filename);
	db_bind_text(&q, f->object_name);
	db_bind_integer(&q, f->large);
	db_bind_integer(&q, f->created_us);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return err_set(err, ST_MISSING, "There is no object named \"%.200s\".", f->object_name);
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : artifact_taken(f, err);
}

static enum status one_artifact(
	struct db_query *q, struct arena *a, struct artifact_row *out, struct err *err)
{
	bool found = db_next(q);
	if (found)
		read_artifact(q, a, out);
	TRY(db_done(q, err));
	return found ? ST_OK : artifact_missing(err);
}

enum status artifact_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct artifact_row *out, struct err *err)
{
	struct db_query q = db_query(c, ARTIFACT_SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	return one_artifact(&q, a, out, err);
}

enum status artifact_rows_by_name(struct db_conn *c, struct uuid experiment_id, const char *name,
	struct arena *a, struct artifact_row *out, struct err *err)
{
	struct db_query q = db_query(c, ARTIFACT_SELECT " WHERE experiment_id = $1 AND name = $2");
	db_bind_uuid(&q, experiment_id);
	db_bind_text(&q, name);
	return one_artifact(&q, a, out, err);
}

enum status artifact_rows_list(struct db_conn *c, struct uuid experiment_id, const struct rows_page *page,
	struct arena *a, struct artifact_row **items, size_t *count, int64_t *total, struct err *err)
{
	size_t room = 0;
	struct db_query q = rows_count(c, a, &artifacts, page);
	db_bind_uuid(&q, experiment_id);
	rows_bind_count(&q, page);
	TRY(rows_number(&q, total, err));
	q = rows_query(c, a, &artifacts, page);
	db_bind_uuid(&q, experiment_id);
	rows_bind(&q, page);
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_artifact(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status artifact_rows_update(struct db_conn *c, const struct artifact_row *f, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE artifact SET name = $1, filename = $2, object_name = $3,"
					" large = $4 WHERE id = $5");
	db_bind_text(&q, f->name);
	db_bind_text(&q, f->filename);
	db_bind_text(&q, f->object_name);
	db_bind_integer(&q, f->large);
	db_bind_uuid(&q, f->id);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return artifact_taken(f, err);
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : artifact_missing(err);
}

enum status artifact_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM artifact WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : artifact_missing(err);
}
