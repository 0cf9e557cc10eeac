/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the labels of a dataset version. */
#include "store/label_rows.h"

#include "base/check.h"
#include "os/clock.h"

#define SELECT "SELECT id, dataset_version_id, name, group_id, position, skeleton, created_us FROM label"

static void read_row(struct db_query *q, struct arena *a, struct label_row *out)
{
	*out = (struct label_row){
		.id = db_uuid(q, 0),
		.dataset_version_id = db_uuid(q, 1),
		.name = db_text(q, 2, a),
		.group_id = db_uuid(q, 3),
		.position = db_integer(q, 4),
		.skeleton = db_text(q, 5, a),
		.created_us = db_integer(q, 6),
	};
}

static enum status read_one(
	struct db_query *q, struct arena *a, struct label_row *out, bool *found, struct err *err)
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
	return err_set(err, ST_MISSING, "There is no label with the id %s.", text);
}

static enum status check_name(const char *name, struct err *err)
{
	if (!name || !*name)
		return err_set(err, ST_INVALID, "A label needs a name that is not empty.");
	if (strlen(name) > LABEL_NAME_BYTES_MAX)
		return err_set(err, ST_INVALID, "The label \"%.40s…\" is longer than %d bytes.", name,
			LABEL_NAME_BYTES_MAX);
	return ST_OK;
}

static enum status find(struct db_conn *c, struct uuid dataset_version_id, const char *name, struct arena *a,
	struct label_row *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE dataset_version_id = $1 AND name = $2");
	db_bind_uuid(&q, dataset_version_id);
	db_bind_text(&q, name);
	return read_one(&q, a, out, found, err);
}

static enum status insert(struct db_conn *c, const struct label_row *l, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO label (id, dataset_version_id, name, position, created_us)"
			    " VALUES ($1, $2, $3, $4, $5)");
	db_bind_uuid(&q, l->id);
	db_bind_uuid(&q, l->dataset_version_id);
	db_bind_text(&q, l->name);
	db_bind_integer(&q, l->position);
	db_bind_integer(&q, l->created_us);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return err_set(err, ST_MISSING, "There is no such dataset version.");
	return st;
}

enum status label_rows_ensure(struct db_conn *c, struct uuid dataset_version_id, const char *name,
	struct arena *a, struct label_row *out, bool *made, struct err *err)
{
	bool found;
	*made = false;
	TRY(check_name(name, err));
	TRY(find(c, dataset_version_id, name, a, out, &found, err));
	if (found)
		return ST_OK;
	*out = (struct label_row){
		.id = uuid_v7(clock_unix_ms()),
		.dataset_version_id = dataset_version_id,
		.name = arena_strdup(a, name),
		.created_us = clock_unix_us(),
	};
	struct db_query q = db_query(c, "SELECT count(*) FROM label WHERE dataset_version_id = $1");
	db_bind_uuid(&q, dataset_version_id);
	TRY(rows_number(&q, &out->position, err));
	if (out->position >= LABELS_MAX)
		return err_set(err, ST_INVALID, "A dataset version has at most %d labels.", LABELS_MAX);
	TRY(insert(c, out, err));
	*made = true;
	return ST_OK;
}

enum status label_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct label_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(read_one(&q, a, out, &found, err));
	return found ? ST_OK : missing(id, err);
}

enum status label_rows_by_name(struct db_conn *c, struct uuid dataset_version_id, const char *name,
	struct arena *a, struct label_row *out, struct err *err)
{
	bool found;
	TRY(find(c, dataset_version_id, name, a, out, &found, err));
	return found ? ST_OK
		     : err_set(err, ST_MISSING, "The dataset version has no label named \"%.200s\".", name);
}

enum status label_rows_list(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	struct label_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE dataset_version_id = $1 ORDER BY position, id");
	db_bind_uuid(&q, dataset_version_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

/* Zero is no group, and any version may have that. */
static enum status check_group(struct db_conn *c, const struct label_row *l, struct err *err)
{
	if (uuid_is_zero(l->group_id))
		return ST_OK;
	int64_t there;
	struct db_query q =
		db_query(c, "SELECT count(*) FROM label_group WHERE id = $1 AND dataset_version_id ="
			    " (SELECT dataset_version_id FROM label WHERE id = $2)");
	db_bind_uuid(&q, l->group_id);
	db_bind_uuid(&q, l->id);
	TRY(rows_number(&q, &there, err));
	return there ? ST_OK
		     : err_set(err, ST_INVALID, "The label group is not one of this label's version.");
}

enum status label_rows_update(struct db_conn *c, const struct label_row *l, struct err *err)
{
	TRY(check_name(l->name, err));
	TRY(check_group(c, l, err));
	struct db_query q =
		db_query(c, "UPDATE label SET name = $1, group_id = $2, skeleton = $3 WHERE id = $4");
	db_bind_text(&q, l->name);
	db_bind_uuid(&q, l->group_id);
	db_bind_text(&q, l->skeleton);
	db_bind_uuid(&q, l->id);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return err_set(
			err, ST_CONFLICT, "The version has a label named \"%.200s\" already.", l->name);
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : missing(l->id, err);
}

enum status label_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE annotation SET revision = revision + 1 WHERE id IN"
					" (SELECT annotation_id FROM annotation_shape WHERE label_id = $1)");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	q = db_query(c, "UPDATE label SET position = position - 1 WHERE dataset_version_id ="
			" (SELECT dataset_version_id FROM label WHERE id = $1)"
			" AND position > (SELECT position FROM label WHERE id = $1)");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	q = db_query(c, "DELETE FROM label WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(id, err);
}
