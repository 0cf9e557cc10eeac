/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of datasets. */
#include "store/dataset_rows.h"

#define SELECT "SELECT id, organization_id, name, description, created_us FROM dataset"

static const struct rows_source source = {.select = SELECT,
	.count = "SELECT count(*) FROM dataset",
	.id = "dataset.id",
	.created = "dataset.created_us",
	.name = "dataset.name"};

static void read_row(struct db_query *q, struct arena *a, struct dataset_row *out)
{
	*out = (struct dataset_row){
		.id = db_uuid(q, 0),
		.organization_id = db_uuid(q, 1),
		.name = db_text(q, 2, a),
		.description = db_text(q, 3, a),
		.created_us = db_integer(q, 4),
	};
}

static enum status read_one(
	struct db_query *q, struct arena *a, struct dataset_row *out, bool *found, struct err *err)
{
	*found = db_next(q);
	if (*found)
		read_row(q, a, out);
	return db_done(q, err);
}

static enum status missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no dataset with the id %s.", text);
}

static enum status name_taken(const char *name, struct err *err)
{
	return err_set(
		err, ST_CONFLICT, "A dataset named \"%.200s\" exists already: choose another name.", name);
}

enum status dataset_rows_insert(struct db_conn *c, const struct dataset_row *d, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO dataset (id, organization_id, name, description, created_us)"
			    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING");
	db_bind_uuid(&q, d->id);
	db_bind_uuid(&q, d->organization_id);
	db_bind_text(&q, d->name);
	db_bind_text(&q, d->description);
	db_bind_integer(&q, d->created_us);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : name_taken(d->name, err);
}

enum status dataset_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct dataset_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(read_one(&q, a, out, &found, err));
	return found ? ST_OK : missing(id, err);
}

enum status dataset_rows_by_name(
	struct db_conn *c, const char *name, struct arena *a, struct dataset_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " WHERE name = $1");
	db_bind_text(&q, name);
	TRY(read_one(&q, a, out, &found, err));
	return found ? ST_OK : err_set(err, ST_MISSING, "There is no dataset named \"%.200s\".", name);
}

enum status dataset_rows_list(struct db_conn *c, const struct rows_page *page, struct arena *a,
	struct dataset_row **items, size_t *count, int64_t *total, struct err *err)
{
	struct db_query q = rows_count(c, a, &source, page);
	rows_bind_count(&q, page);
	TRY(rows_number(&q, total, err));
	q = rows_query(c, a, &source, page);
	rows_bind(&q, page);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status dataset_rows_update(struct db_conn *c, const struct dataset_row *d, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE dataset SET name = $1, description = $2 WHERE id = $3");
	db_bind_text(&q, d->name);
	db_bind_text(&q, d->description);
	db_bind_uuid(&q, d->id);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return name_taken(d->name, err);
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : missing(d->id, err);
}

enum status dataset_rows_version_ids(
	struct db_conn *c, struct uuid id, struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	size_t room = 0;
	struct db_query q =
		db_query(c, "SELECT id FROM dataset_version WHERE dataset_id = $1 ORDER BY created_us, id");
	db_bind_uuid(&q, id);
	*ids = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*ids = rows_grow(a, *ids, *count, &room, sizeof(**ids));
		(*ids)[*count] = db_uuid(&q, 0);
	}
	return db_done(&q, err);
}

static enum status delete_versions(struct db_conn *c, struct uuid id, struct arena *a, struct err *err)
{
	struct uuid *ids;
	size_t count;
	TRY(dataset_rows_version_ids(c, id, a, &ids, &count, err));
	for (size_t i = 0; i < count; i++)
		TRY(dataset_version_rows_delete(c, ids[i], err));
	return ST_OK;
}

enum status dataset_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct arena a;
	arena_init(&a);
	enum status st = delete_versions(c, id, &a, err);
	arena_release(&a);
	TRY(st);
	struct db_query q = db_query(c, "DELETE FROM tag_target WHERE target_id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	q = db_query(c, "DELETE FROM dataset WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(id, err);
}
