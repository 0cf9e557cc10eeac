/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of models and of the files of their versions; the versions are in model_rows_version.c. */
#include "store/model_rows.h"

#include "store/object_rows.h"

/* ---- models ---- */

#define MODEL_SELECT                                                                                         \
	"SELECT id, organization_id, name, description, created_us,"                                         \
	" (SELECT count(*) FROM model_version v WHERE v.model_id = model.id),"                               \
	" (SELECT v.type FROM model_version v WHERE v.model_id = model.id ORDER BY v.version DESC LIMIT 1)"  \
	" FROM model"

static void read_model(struct db_query *q, struct arena *a, struct model_row *out)
{
	*out = (struct model_row){
		.id = db_uuid(q, 0),
		.organization_id = db_uuid(q, 1),
		.name = db_text(q, 2, a),
		.description = db_text(q, 3, a),
		.created_us = db_integer(q, 4),
		.version_count = db_integer(q, 5),
		.type = db_text(q, 6, a),
	};
}

static enum status name_taken(const struct model_row *m, struct err *err)
{
	return err_set(
		err, ST_CONFLICT, "A model named \"%s\" exists already; choose another name.", m->name);
}

enum status model_rows_insert(struct db_conn *c, const struct model_row *m, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO model (id, organization_id, name, description, created_us)"
			    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING");
	db_bind_uuid(&q, m->id);
	db_bind_uuid(&q, m->organization_id);
	db_bind_text(&q, m->name);
	db_bind_text(&q, m->description);
	db_bind_integer(&q, m->created_us);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : name_taken(m, err);
}

static enum status one_model(
	struct db_query *q, struct arena *a, struct model_row *out, bool *found, struct err *err)
{
	*found = db_next(q);
	if (*found)
		read_model(q, a, out);
	return db_done(q, err);
}

static enum status model_missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no model with the id %s.", text);
}

enum status model_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct model_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, MODEL_SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(one_model(&q, a, out, &found, err));
	return found ? ST_OK : model_missing(id, err);
}

enum status model_rows_by_name(
	struct db_conn *c, const char *name, struct arena *a, struct model_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, MODEL_SELECT " WHERE name = $1");
	db_bind_text(&q, name);
	TRY(one_model(&q, a, out, &found, err));
	return found ? ST_OK : err_set(err, ST_MISSING, "There is no model named \"%.200s\".", name);
}

enum status model_rows_list(struct db_conn *c, const struct rows_page *page, struct arena *a,
	struct model_row **items, size_t *count, int64_t *total, struct err *err)
{
	static const struct rows_source source = {
		.select = MODEL_SELECT,
		.count = "SELECT count(*) FROM model",
		.id = "model.id",
		.created = "model.created_us",
		.name = "model.name",
	};
	struct db_query q = rows_count(c, a, &source, page);
	rows_bind_count(&q, page);
	TRY(rows_number(&q, total, err));
	q = rows_query(c, a, &source, page);
	rows_bind(&q, page);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_model(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status model_rows_update(struct db_conn *c, const struct model_row *m, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE model SET name = $1, description = $2 WHERE id = $3");
	db_bind_text(&q, m->name);
	db_bind_text(&q, m->description);
	db_bind_uuid(&q, m->id);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return name_taken(m, err);
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : model_missing(m->id, err);
}

static enum status version_ids(struct db_conn *c, struct uuid model_id, struct arena *a, struct uuid **ids,
	size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT id FROM model_version WHERE model_id = $1");
	db_bind_uuid(&q, model_id);
	size_t room = 0;
	*ids = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*ids = rows_grow(a, *ids, *count, &room, sizeof(**ids));
		(*ids)[*count] = db_uuid(&q, 0);
	}
	return db_done(&q, err);
}

enum status model_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct arena a;
	struct uuid *versions;
	size_t count;
	arena_init(&a);
	enum status st = version_ids(c, id, &a, &versions, &count, err);
	for (size_t i = 0; st == ST_OK && i < count; i++)
		st = model_rows_version_delete(c, versions[i], err);
	arena_release(&a);
	TRY(st);
	struct db_query q = db_query(c, "DELETE FROM tag_target WHERE target_id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	q = db_query(c, "DELETE FROM model WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : model_missing(id, err);
}

enum status model_rows_deployment(
	struct db_conn *c, struct uuid id, struct arena *a, const char **name, struct err *err)
{
	*name = NULL;
	struct uuid *versions;
	size_t count;
	TRY(version_ids(c, id, a, &versions, &count, err));
	for (size_t i = 0; *name == NULL && i < count; i++)
		TRY(model_rows_version_deployment(c, versions[i], true, a, name, err));
	return ST_OK;
}

/* ---- files ---- */

#define FILE_SELECT                                                                                          \
	"SELECT id, model_version_id, name, filename, object_name, large, created_us FROM model_file"

static void read_file(struct db_query *q, struct arena *a, struct model_file_row *out)
{
	*out = (struct model_file_row){
		.id = db_uuid(q, 0),
		.model_version_id = db_uuid(q, 1),
		.name = db_text(q, 2, a),
		.filename = db_text(q, 3, a),
		.object_name = db_text(q, 4, a),
		.large = db_integer(q, 5) != 0,
		.created_us = db_integer(q, 6),
	};
}

enum status model_rows_file_insert(struct db_conn *c, const struct model_file_row *f, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO model_file (id, model_version_id, name, filename, object_name, large,"
		" created_us) VALUES ($1, $2, $3, $4, $5, $6, $7)"
		" ON CONFLICT (model_version_id, name) DO NOTHING");
	db_bind_uuid(&q, f->id);
	db_bind_uuid(&q, f->model_version_id);
	db_bind_text(&q, f->name);
	db_bind_text(&q, f->filename);
	db_bind_text(&q, f->object_name);
	db_bind_integer(&q, f->large);
	db_bind_integer(&q, f->created_us);
	TRY(db_done(&q, err));
	if (db_changes(c) == 1)
		return ST_OK;
	return err_set(
		err, ST_CONFLICT, "This version has a file named \"%s\" already; delete it first.", f->name);
}

static enum status one_file(
	struct db_query *q, struct arena *a, struct model_file_row *out, bool *found, struct err *err)
{
	*found = db_next(q);
	if (*found)
		read_file(q, a, out);
	return db_done(q, err);
}

static enum status file_missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no model file with the id %s.", text);
}

enum status model_rows_file_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct model_file_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, FILE_SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(one_file(&q, a, out, &found, err));
	return found ? ST_OK : file_missing(id, err);
}

enum status model_rows_file_by_name(struct db_conn *c, struct uuid model_version_id, const char *name,
	struct arena *a, struct model_file_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, FILE_SELECT " WHERE model_version_id = $1 AND name = $2");
	db_bind_uuid(&q, model_version_id);
	db_bind_text(&q, name);
	TRY(one_file(&q, a, out, &found, err));
	return found ? ST_OK : err_set(err, ST_MISSING, "This version has no file named \"%.200s\".", name);
}

enum status model_rows_file_list(struct db_conn *c, struct uuid model_version_id, struct arena *a,
	struct model_file_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, FILE_SELECT " WHERE model_version_id = $1 ORDER BY name");
	db_bind_uuid(&q, model_version_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_file(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status model_rows_file_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct arena a;
	struct model_file_row row;
	arena_init(&a);
	enum status st = model_rows_file_by_id(c, id, &a, &row, err);
	if (st == ST_OK) {
		struct db_query q = db_query(c, "DELETE FROM model_file WHERE id = $1");
		db_bind_uuid(&q, id);
		st = db_done(&q, err);
	}
	if (st == ST_OK)
		st = object_rows_release(c, row.object_name, err);
	arena_release(&a);
	return st;
}
