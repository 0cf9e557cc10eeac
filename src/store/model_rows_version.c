/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of model versions. */
#include "store/model_rows.h"

#include <inttypes.h>

#define CONTENT                                                                                              \
	"name, description, type, framework, labels, parameters, docker, notebook_link,"                     \
	" thumbnail_object_name, state, state_text, onnx_sha256, recipe, graph"
#define SELECT                                                                                               \
	"SELECT id, model_id, version, created_us, " CONTENT ", based_on_id, experiment_id, trainable"       \
	" FROM model_version"

static void read_version(struct db_query *q, struct arena *a, struct model_version_row *out)
{
	*out = (struct model_version_row){
		.id = db_uuid(q, 0),
		.model_id = db_uuid(q, 1),
		.version = db_integer(q, 2),
		.created_us = db_integer(q, 3),
		.name = db_text(q, 4, a),
		.description = db_text(q, 5, a),
		.type = db_text(q, 6, a),
		.framework = db_text(q, 7, a),
		.labels = db_text(q, 8, a),
		.parameters = db_text(q, 9, a),
		.docker = db_text(q, 10, a),
		.notebook_link = db_text(q, 11, a),
		.thumbnail_object_name = db_text(q, 12, a),
		.state = db_text(q, 13, a),
		.state_text = db_text(q, 14, a),
		.onnx_sha256 = db_text(q, 15, a),
		.recipe = db_text(q, 16, a),
		.graph = db_text(q, 17, a),
		.based_on_id = db_uuid(q, 18),
		.experiment_id = db_uuid(q, 19),
		.trainable = db_text(q, 20, a),
	};
}

/* In the order of CONTENT. */
static void bind_content(struct db_query *q, const struct model_version_row *v)
{
	db_bind_text(q, v->name);
	db_bind_text(q, v->description);
	db_bind_text(q, v->type);
	db_bind_text(q, v->framework);
	db_bind_text(q, v->labels);
	db_bind_text(q, v->parameters);
	db_bind_text(q, v->docker);
	db_bind_text(q, v->notebook_link);
	db_bind_text(q, v->thumbnail_object_name);
	db_bind_text(q, v->state);
	db_bind_text(q, v->state_text);
	db_bind_text(q, v->onnx_sha256);
	db_bind_text(q, v->recipe);
	db_bind_text(q, v->graph);
}

enum status model_rows_next_version(
	struct db_conn *c, struct uuid model_id, int64_t *version, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT coalesce(max(version) + 1, 0) FROM model_version WHERE model_id = $1");
	db_bind_uuid(&q, model_id);
	return rows_number(&q, version, err);
}

enum status model_rows_version_insert(struct db_conn *c, const struct model_version_row *v, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO model_version (id, model_id, version, created_us, " CONTENT ", based_on_id,"
		" experiment_id)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
		"$19, $20)");
	db_bind_uuid(&q, v->id);
	db_bind_uuid(&q, v->model_id);
	db_bind_integer(&q, v->version);
	db_bind_integer(&q, v->created_us);
	bind_content(&q, v);
	db_bind_uuid(&q, v->based_on_id);
	db_bind_uuid(&q, v->experiment_id);
	return db_done(&q, err);
}

static enum status one_version(
	struct db_query *q, struct arena *a, struct model_version_row *out, bool *found, struct err *err)
{
	*found = db_next(q);
	if (*found)
		read_version(q, a, out);
	return db_done(q, err);
}

static enum status version_missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no model version with the id %s.", text);
}

enum status model_rows_version_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct model_version_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(one_version(&q, a, out, &found, err));
	return found ? ST_OK : version_missing(id, err);
}

enum status model_rows_version_by_number(struct db_conn *c, struct uuid model_id, int64_t version,
	struct arena *a, struct model_version_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " WHERE model_id = $1 AND version = $2");
	db_bind_uuid(&q, model_id);
	db_bind_integer(&q, version);
	TRY(one_version(&q, a, out, &found, err));
	return found ? ST_OK : err_set(err, ST_MISSING, "This model has no version %" PRId64 ".", version);
}

enum status model_rows_version_by_name(struct db_conn *c, struct uuid model_id, const char *name,
	struct arena *a, struct model_version_row *out, struct err *err)
{
	bool found;
	struct db_query q =
		db_query(c, SELECT " WHERE model_id = $1 AND name = $2 ORDER BY version DESC LIMIT 1");
	db_bind_uuid(&q, model_id);
	db_bind_text(&q, name);
	TRY(one_version(&q, a, out, &found, err));
	return found ? ST_OK : err_set(err, ST_MISSING, "This model has no version named \"%.200s\".", name);
}

enum status model_rows_version_list(struct db_conn *c, struct uuid model_id, const struct rows_page *page,
	struct arena *a, struct model_version_row **items, size_t *count, int64_t *total, struct err *err)
{
	static const struct rows_source source = {
		.select = SELECT,
		.count = "SELECT count(*) FROM model_version",
		.where = "model_version.model_id = $1",
		.id = "model_version.id",
		.created = "model_version.version",
		.name = "model_version.name",
	};
	struct db_query q = rows_count(c, a, &source, page);
	db_bind_uuid(&q, model_id);
	rows_bind_count(&q, page);
	TRY(rows_number(&q, total, err));
	q = rows_query(c, a, &source, page);
	db_bind_uuid(&q, model_id);
	rows_bind(&q, page);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_version(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status model_rows_version_update(struct db_conn *c, const struct model_version_row *v, struct err *err)
{
	struct db_query q =
		db_query(c, "UPDATE model_version SET name = $1, description = $2, type = $3, framework = $4,"
			    " labels = $5, parameters = $6, docker = $7, notebook_link = $8,"
			    " thumbnail_object_name = $9, state = $10, state_text = $11, onnx_sha256 = $12,"
			    " recipe = $13, graph = $14, trainable = CASE WHEN onnx_sha256 IS NOT DISTINCT"
			    " FROM $12 AND labels IS NOT DISTINCT FROM $5 AND recipe IS NOT DISTINCT FROM $13"
			    " THEN trainable END WHERE id = $15");
	bind_content(&q, v);
	db_bind_uuid(&q, v->id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : version_missing(v->id, err);
}

enum status model_rows_version_set_trainable(
	struct db_conn *c, struct uuid id, const char *json, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE model_version SET trainable = $1 WHERE id = $2");
	db_bind_text(&q, json);
	db_bind_uuid(&q, id);
	return db_done(&q, err);
}

enum status model_rows_version_not_asked(
	struct db_conn *c, struct arena *a, struct model_version_row *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE state = 'READY' AND trainable IS NULL AND onnx_sha256"
					       " IS NOT NULL ORDER BY created_us DESC LIMIT 1");
	return one_version(&q, a, out, found, err);
}

enum status model_rows_version_ask_again(struct db_conn *c, struct err *err)
{
	struct db_query q =
		db_query(c, "UPDATE model_version SET trainable = NULL WHERE trainable IS NOT NULL");
	return db_done(&q, err);
}

enum status model_rows_version_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct arena a;
	struct model_file_row *files;
	size_t count;
	arena_init(&a);
	enum status st = model_rows_file_list(c, id, &a, &files, &count, err);
	for (size_t i = 0; st == ST_OK && i < count; i++)
		st = model_rows_file_delete(c, files[i].id, err);
	arena_release(&a);
	TRY(st);
	struct db_query q = db_query(c, "DELETE FROM tag_target WHERE target_id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	q = db_query(c, "DELETE FROM model_version WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : version_missing(id, err);
}

enum status model_rows_version_deployment(
	struct db_conn *c, struct uuid id, bool past, struct arena *a, const char **name, struct err *err)
{
	*name = NULL;
	struct db_query q = db_query(c, "SELECT name FROM deployment WHERE champion_id = $1"
					" UNION ALL SELECT d.name FROM deployment_shadow s"
					" JOIN deployment d ON d.id = s.deployment_id"
					" WHERE s.model_version_id = $1 LIMIT 1");
	db_bind_uuid(&q, id);
	if (db_next(&q))
		*name = db_text(&q, 0, a);
	TRY(db_done(&q, err));
	if (*name || !past)
		return ST_OK;
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	q = db_query(c, "SELECT d.name FROM deployment_event e JOIN deployment d ON d.id = e.deployment_id"
			" WHERE e.from_text = $1 OR e.to_text = $1 LIMIT 1");
	db_bind_text(&q, text);
	if (db_next(&q))
		*name = db_text(&q, 0, a);
	return db_done(&q, err);
}

enum status model_rows_version_uses(struct db_conn *c, struct uuid id, struct arena *a,
	struct model_version_use **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT id, name, 0 FROM deployment WHERE champion_id = $1"
		" UNION ALL SELECT d.id, d.name, 1 FROM deployment_shadow s"
		" JOIN deployment d ON d.id = s.deployment_id WHERE s.model_version_id = $1 ORDER BY 3, 2");
	db_bind_uuid(&q, id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct model_version_use){.deployment_id = db_uuid(&q, 0),
			.name = db_text(&q, 1, a),
			.shadow = db_integer(&q, 2) != 0};
	}
	return db_done(&q, err);
}
