/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of experiments, their datasets, console and evaluations; logs and artifacts are in
 * experiment_log_rows.c. */
#include "store/experiment_rows.h"

#define EXPERIMENT_COLUMNS                                                                                   \
	"experiment.id, experiment.project_id, experiment.name, experiment.description, experiment.status,"  \
	" experiment.base_model_version_id, experiment.base_experiment_id, experiment.logging_object_name,"  \
	" experiment.created_us"
#define EXPERIMENT_SELECT "SELECT " EXPERIMENT_COLUMNS " FROM experiment"

static const struct rows_source experiments = {
	.select = EXPERIMENT_SELECT,
	.count = "SELECT count(*) FROM experiment",
	.where = "experiment.project_id = $1",
	.id = "experiment.id",
	.created = "experiment.created_us",
	.name = "experiment.name",
};

static void read_experiment(struct db_query *q, struct arena *a, struct experiment_row *out)
{
	*out = (struct experiment_row){
		.id = db_uuid(q, 0),
		.project_id = db_uuid(q, 1),
		.name = db_text(q, 2, a),
		.description = db_text(q, 3, a),
		.status = db_text(q, 4, a),
		.base_model_version_id = db_uuid(q, 5),
		.base_experiment_id = db_uuid(q, 6),
		.logging_object_name = db_text(q, 7, a),
		.created_us = db_integer(q, 8),
	};
}

static enum status missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no experiment with the id %s.", text);
}

static enum status name_taken(const struct experiment_row *e, struct err *err)
{
	return err_set(err, ST_CONFLICT,
		"This project has an experiment named \"%.200s\" already; choose another name.", e->name);
}

enum status experiment_rows_insert(struct db_conn *c, const struct experiment_row *e, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO experiment (id, project_id, name, description, status, base_model_version_id,"
		" base_experiment_id, created_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
		" ON CONFLICT (project_id, name) DO NOTHING");
	db_bind_uuid(&q, e->id);
	db_bind_uuid(&q, e->project_id);
	db_bind_text(&q, e->name);
	db_bind_text(&q, e->description);
	db_bind_text(&q, e->status);
	db_bind_uuid(&q, e->base_model_version_id);
	db_bind_uuid(&q, e->base_experiment_id);
	db_bind_integer(&q, e->created_us);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : name_taken(e, err);
}

static enum status one(
	struct db_query *q, struct arena *a, struct experiment_row *out, bool *found, struct err *err)
{
	*found = db_next(q);
	if (*found)
		read_experiment(q, a, out);
	return db_done(q, err);
}

enum status experiment_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct experiment_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, EXPERIMENT_SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(one(&q, a, out, &found, err));
	return found ? ST_OK : missing(id, err);
}

enum status experiment_rows_by_name(struct db_conn *c, struct uuid project_id, const char *name,
	struct arena *a, struct experiment_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, EXPERIMENT_SELECT " WHERE project_id = $1 AND name = $2");
	db_bind_uuid(&q, project_id);
	db_bind_text(&q, name);
	TRY(one(&q, a, out, &found, err));
	return found ? ST_OK
		     : err_set(err, ST_MISSING, "This project has no experiment named \"%.200s\".", name);
}

enum status experiment_rows_list(struct db_conn *c, struct uuid project_id, const struct rows_page *page,
	struct arena *a, struct experiment_row **items, size_t *count, int64_t *total, struct err *err)
{
	size_t room = 0;
	struct db_query q = rows_count(c, a, &experiments, page);
	db_bind_uuid(&q, project_id);
	rows_bind_count(&q, page);
	TRY(rows_number(&q, total, err));
	q = rows_query(c, a, &experiments, page);
	db_bind_uuid(&q, project_id);
	rows_bind(&q, page);
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_experiment(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status experiment_rows_update(struct db_conn *c, const struct experiment_row *e, struct err *err)
{
	struct db_query q = db_query(c,
		"UPDATE experiment SET name = $1, description = $2, status = $3, base_model_version_id = $4,"
		" base_experiment_id = $5, logging_object_name = $6 WHERE id = $7");
	db_bind_text(&q, e->name);
	db_bind_text(&q, e->description);
	db_bind_text(&q, e->status);
	db_bind_uuid(&q, e->base_model_version_id);
	db_bind_uuid(&q, e->base_experiment_id);
	db_bind_text(&q, e->logging_object_name);
	db_bind_uuid(&q, e->id);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return name_taken(e, err);
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : missing(e->id, err);
}

enum status experiment_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM experiment WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(id, err);
}

/* ---- datasets by role ---- */

enum status experiment_rows_attach(
	struct db_conn *c, struct uuid id, const char *name, struct uuid dataset_version_id, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO experiment_dataset (experiment_id, name, dataset_version_id, revision)"
		" SELECT $1, $2, id, revision FROM dataset_version WHERE id = $3");
	db_bind_uuid(&q, id);
	db_bind_text(&q, name);
	db_bind_uuid(&q, dataset_version_id);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return err_set(err, ST_CONFLICT,
			"This experiment has that dataset version, or another one named \"%.200s\", already: "
			"detach it first.",
			name);
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : err_set(err, ST_MISSING, "There is no such dataset version.");
}

enum status experiment_rows_detach(
	struct db_conn *c, struct uuid id, struct uuid dataset_version_id, struct err *err)
{
	struct db_query q = db_query(
		c, "DELETE FROM experiment_dataset WHERE experiment_id = $1 AND dataset_version_id = $2");
	db_bind_uuid(&q, id);
	db_bind_uuid(&q, dataset_version_id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1
		       ? ST_OK
		       : err_set(err, ST_MISSING, "That dataset version is not attached to this experiment.");
}

enum status experiment_rows_datasets(struct db_conn *c, struct uuid id, struct arena *a,
	struct experiment_dataset_row **items, size_t *count, struct err *err)
{
	size_t room = 0;
	struct db_query q = db_query(c, "SELECT name, dataset_version_id, revision FROM experiment_dataset"
					" WHERE experiment_id = $1 ORDER BY name");
	db_bind_uuid(&q, id);
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] =
			(struct experiment_dataset_row){db_text(&q, 0, a), db_uuid(&q, 1), db_integer(&q, 2)};
	}
	return db_done(&q, err);
}

/* ---- the console ---- */

enum status experiment_rows_put_line(
	struct db_conn *c, struct uuid experiment_id, int64_t line, const char *entry, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO experiment_line (experiment_id, line, entry)"
					" VALUES ($1, $2, $3) ON CONFLICT (experiment_id, line)"
					" DO UPDATE SET entry = excluded.entry");
	db_bind_uuid(&q, experiment_id);
	db_bind_integer(&q, line);
	db_bind_text(&q, entry);
	enum status st = db_done(&q, err);
	return st == ST_CONFLICT ? missing(experiment_id, err) : st;
}

enum status experiment_rows_lines(struct db_conn *c, struct uuid experiment_id, int64_t from, int64_t limit,
	struct arena *a, const char ***entries, size_t *count, struct err *err)
{
	size_t room = 0;
	struct db_query q = db_query(c, "SELECT entry FROM experiment_line WHERE experiment_id = $1"
					" AND line >= $2 ORDER BY line LIMIT $3");
	db_bind_uuid(&q, experiment_id);
	db_bind_integer(&q, from);
	db_bind_integer(&q, limit);
	*entries = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*entries = rows_grow(a, *entries, *count, &room, sizeof(**entries));
		(*entries)[*count] = db_text(&q, 0, a);
	}
	return db_done(&q, err);
}

/* ---- evaluations ---- */

static const struct rows_source evaluations = {
	.select = "SELECT evaluation.id, evaluation.experiment_id, evaluation.asset_id, evaluation.shapes,"
		  " evaluation.created_us FROM evaluation",
	.count = "SELECT count(*) FROM evaluation",
	.where = "evaluation.experiment_id = $1",
	.id = "evaluation.id",
	.created = "evaluation.created_us",
	.name = "evaluation.created_us",
};

enum status evaluation_rows_put(
	struct db_conn *c, const struct evaluation_row *e, bool replace, struct err *err)
{
	struct db_query q =
		replace ? db_query(c, "INSERT INTO evaluation (id, experiment_id, asset_id, shapes,"
				      " created_us) VALUES ($1, $2, $3, $4, $5) ON CONFLICT"
				      " (experiment_id, asset_id) DO UPDATE SET shapes = excluded.shapes,"
				      " created_us = excluded.created_us")
			: db_query(c, "INSERT INTO evaluation (id, experiment_id, asset_id, shapes,"
				      " created_us) VALUES ($1, $2, $3, $4, $5) ON CONFLICT"
				      " (experiment_id, asset_id) DO NOTHING");
	db_bind_uuid(&q, e->id);
	db_bind_uuid(&q, e->experiment_id);
	db_bind_uuid(&q, e->asset_id);
	db_bind_text(&q, e->shapes);
	db_bind_integer(&q, e->created_us);
	enum status st = db_done(&q, err);
	return st == ST_CONFLICT ? err_set(err, ST_MISSING, "There is no such asset, or no such experiment.")
				 : st;
}

static enum status evaluation_missing(struct err *err)
{
	return err_set(err, ST_MISSING, "There is no such evaluation.");
}

enum status evaluation_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct evaluation_row *out, struct err *err)
{
	struct db_query q = db_query(
		c, "SELECT id, experiment_id, asset_id, shapes, created_us FROM evaluation WHERE id = $1");
	db_bind_uuid(&q, id);
	bool found = db_next(&q);
	if (found)
		*out = (struct evaluation_row){
			db_uuid(&q, 0), db_uuid(&q, 1), db_uuid(&q, 2), db_text(&q, 3, a), db_integer(&q, 4)};
	TRY(db_done(&q, err));
	return found ? ST_OK : evaluation_missing(err);
}

enum status evaluation_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM evaluation WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : evaluation_missing(err);
}

enum status evaluation_rows_list(struct db_conn *c, struct uuid experiment_id, const struct rows_page *page,
	struct arena *a, struct evaluation_row **items, size_t *count, int64_t *total, struct err *err)
{
	size_t room = 0;
	struct db_query q = rows_count(c, a, &evaluations, page);
	db_bind_uuid(&q, experiment_id);
	rows_bind_count(&q, page);
	TRY(rows_number(&q, total, err));
	q = rows_query(c, a, &evaluations, page);
	db_bind_uuid(&q, experiment_id);
	rows_bind(&q, page);
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct evaluation_row){
			db_uuid(&q, 0), db_uuid(&q, 1), db_uuid(&q, 2), db_text(&q, 3, a), db_integer(&q, 4)};
	}
	return db_done(&q, err);
}
