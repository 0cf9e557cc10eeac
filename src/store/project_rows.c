/* SPDX-License-Identifier: Apache-2.0 */
#include "store/project_rows.h"

static const struct rows_source projects = {
	.select = "SELECT project.id, project.organization_id, project.name, project.description,"
		  " project.created_us,"
		  " (SELECT count(*) FROM experiment e WHERE e.project_id = project.id) FROM project",
	.count = "SELECT count(*) FROM project",
	.id = "project.id",
	.created = "project.created_us",
	.name = "project.name",
};

static void read_project(struct db_query *q, struct arena *a, struct project_row *out)
{
	*out = (struct project_row){
		.id = db_uuid(q, 0),
		.organization_id = db_uuid(q, 1),
		.name = db_text(q, 2, a),
		.description = db_text(q, 3, a),
		.created_us = db_integer(q, 4),
		.experiment_count = db_integer(q, 5),
	};
}

static enum status missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no project with the id %s.", text);
}

static enum status name_taken(const struct project_row *p, struct err *err)
{
	return err_set(
		err, ST_CONFLICT, "A project named \"%.200s\" exists already; choose another name.", p->name);
}

enum status project_rows_insert(struct db_conn *c, const struct project_row *p, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO project (id, organization_id, name, description, created_us)"
			    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING");
	db_bind_uuid(&q, p->id);
	db_bind_uuid(&q, p->organization_id);
	db_bind_text(&q, p->name);
	db_bind_text(&q, p->description);
	db_bind_integer(&q, p->created_us);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : name_taken(p, err);
}

static enum status one(
	struct db_query *q, struct arena *a, struct project_row *out, bool *found, struct err *err)
{
	*found = db_next(q);
	if (*found)
		read_project(q, a, out);
	return db_done(q, err);
}

#define PROJECT_SELECT                                                                                       \
	"SELECT id, organization_id, name, description, created_us,"                                         \
	" (SELECT count(*) FROM experiment e WHERE e.project_id = project.id) FROM project"

enum status project_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct project_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, PROJECT_SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(one(&q, a, out, &found, err));
	return found ? ST_OK : missing(id, err);
}

enum status project_rows_by_name(
	struct db_conn *c, const char *name, struct arena *a, struct project_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, PROJECT_SELECT " WHERE name = $1");
	db_bind_text(&q, name);
	TRY(one(&q, a, out, &found, err));
	return found ? ST_OK : err_set(err, ST_MISSING, "There is no project named \"%.200s\".", name);
}

enum status project_rows_list(struct db_conn *c, const struct rows_page *page, struct arena *a,
	struct project_row **items, size_t *count, int64_t *total, struct err *err)
{
	size_t room = 0;
	struct db_query q = rows_count(c, a, &projects, page);
	rows_bind_count(&q, page);
	TRY(rows_number(&q, total, err));
	q = rows_query(c, a, &projects, page);
	rows_bind(&q, page);
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_project(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status project_rows_update(struct db_conn *c, const struct project_row *p, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE project SET name = $1, description = $2 WHERE id = $3");
	db_bind_text(&q, p->name);
	db_bind_text(&q, p->description);
	db_bind_uuid(&q, p->id);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return name_taken(p, err);
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : missing(p->id, err);
}

enum status project_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM project WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(id, err);
}

enum status project_rows_attach(
	struct db_conn *c, struct uuid id, struct uuid dataset_version_id, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO project_dataset (project_id, dataset_version_id)"
					" VALUES ($1, $2) ON CONFLICT DO NOTHING");
	db_bind_uuid(&q, id);
	db_bind_uuid(&q, dataset_version_id);
	enum status st = db_done(&q, err);
	return st == ST_CONFLICT
		       ? err_set(err, ST_MISSING, "There is no such project, or no such dataset version.")
		       : st;
}

enum status project_rows_detach(
	struct db_conn *c, struct uuid id, struct uuid dataset_version_id, struct err *err)
{
	struct db_query q =
		db_query(c, "DELETE FROM project_dataset WHERE project_id = $1 AND dataset_version_id = $2");
	db_bind_uuid(&q, id);
	db_bind_uuid(&q, dataset_version_id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1
		       ? ST_OK
		       : err_set(err, ST_MISSING, "That dataset version is not attached to this project.");
}

enum status project_rows_datasets(
	struct db_conn *c, struct uuid id, struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	size_t room = 0;
	struct db_query q = db_query(
		c, "SELECT dataset_version_id FROM project_dataset WHERE project_id = $1 ORDER BY 1");
	db_bind_uuid(&q, id);
	*ids = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*ids = rows_grow(a, *ids, *count, &room, sizeof(**ids));
		(*ids)[*count] = db_uuid(&q, 0);
	}
	return db_done(&q, err);
}
