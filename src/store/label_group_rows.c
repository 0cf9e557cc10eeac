/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of groups of labels: a tree in each dataset version. */
#include "base/check.h"
#include "store/label_rows.h"

#define SELECT "SELECT id, dataset_version_id, name, parent_id, created_us FROM label_group"

static void read_row(struct db_query *q, struct arena *a, struct label_group_row *out)
{
	*out = (struct label_group_row){
		.id = db_uuid(q, 0),
		.dataset_version_id = db_uuid(q, 1),
		.name = db_text(q, 2, a),
		.parent_id = db_uuid(q, 3),
		.created_us = db_integer(q, 4),
	};
}

static enum status missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no label group with the id %s.", text);
}

/* That the parent is of the version, and neither the group nor below it. */
static enum status check_parent(struct db_conn *c, const struct label_group_row *g, struct err *err)
{
	if (uuid_is_zero(g->parent_id))
		return ST_OK;
	int64_t there, below;
	struct db_query q =
		db_query(c, "SELECT count(*) FROM label_group WHERE id = $1 AND dataset_version_id = $2");
	db_bind_uuid(&q, g->parent_id);
	db_bind_uuid(&q, g->dataset_version_id);
	TRY(rows_number(&q, &there, err));
	if (!there)
		return err_set(err, ST_INVALID, "The parent is not a label group of the same version.");
	q = db_query(c, "WITH RECURSIVE up(id) AS (SELECT $1 UNION SELECT g.parent_id FROM label_group g"
			" JOIN up ON g.id = up.id WHERE g.parent_id IS NOT NULL)"
			" SELECT count(*) FROM up WHERE id = $2");
	db_bind_uuid(&q, g->parent_id);
	db_bind_uuid(&q, g->id);
	TRY(rows_number(&q, &below, err));
	return below ? err_set(err, ST_INVALID, "A label group cannot be below itself.") : ST_OK;
}

static enum status check_name(const char *name, struct err *err)
{
	if (!name || !*name || strlen(name) > LABEL_NAME_BYTES_MAX)
		return err_set(err, ST_INVALID, "A label group needs a name of 1 to %d bytes.",
			LABEL_NAME_BYTES_MAX);
	return ST_OK;
}

static enum status name_taken(const char *name, struct err *err)
{
	return err_set(err, ST_CONFLICT, "The version has a label group named \"%.200s\" already.", name);
}

enum status label_group_rows_insert(struct db_conn *c, const struct label_group_row *g, struct err *err)
{
	TRY(check_name(g->name, err));
	TRY(check_parent(c, g, err));
	struct db_query q =
		db_query(c, "INSERT INTO label_group (id, dataset_version_id, name, parent_id, created_us)"
			    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (dataset_version_id, name) DO NOTHING");
	db_bind_uuid(&q, g->id);
	db_bind_uuid(&q, g->dataset_version_id);
	db_bind_text(&q, g->name);
	db_bind_uuid(&q, g->parent_id);
	db_bind_integer(&q, g->created_us);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return err_set(err, ST_MISSING, "There is no such dataset version.");
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : name_taken(g->name, err);
}

enum status label_group_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct label_group_row *out, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	bool found = db_next(&q);
	if (found)
		read_row(&q, a, out);
	TRY(db_done(&q, err));
	return found ? ST_OK : missing(id, err);
}

enum status label_group_rows_list(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	struct label_group_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE dataset_version_id = $1 ORDER BY created_us, id");
	db_bind_uuid(&q, dataset_version_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status label_group_rows_update(struct db_conn *c, const struct label_group_row *g, struct err *err)
{
	TRY(check_name(g->name, err));
	TRY(check_parent(c, g, err));
	struct db_query q = db_query(c, "UPDATE label_group SET name = $1, parent_id = $2 WHERE id = $3");
	db_bind_text(&q, g->name);
	db_bind_uuid(&q, g->parent_id);
	db_bind_uuid(&q, g->id);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return name_taken(g->name, err);
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : missing(g->id, err);
}

enum status label_group_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM label_group WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(id, err);
}
