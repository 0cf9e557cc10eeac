/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the annotations of assets. */
#include "store/annotation_rows.h"

#include "base/check.h"

#define COLUMNS                                                                                              \
	"a.id, a.asset_id, a.status, a.duration, a.who, a.revision, a.created_us, a.updated_us,"             \
	" a.client_id"
#define SELECT "SELECT " COLUMNS " FROM annotation a"

bool annotation_status_known(const char *status)
{
	static const char *const known[] = {"PENDING", "SKIPPED", "ACCEPTED", "REFUSED"};
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (strcmp(known[i], status) == 0)
			return true;
	}
	return false;
}

static void read_row(struct db_query *q, struct arena *a, struct annotation_row *out)
{
	*out = (struct annotation_row){
		.id = db_uuid(q, 0),
		.asset_id = db_uuid(q, 1),
		.status = db_text(q, 2, a),
		.duration = db_real(q, 3),
		.who = db_text(q, 4, a),
		.revision = db_integer(q, 5),
		.created_us = db_integer(q, 6),
		.updated_us = db_integer(q, 7),
		.client_id = db_text(q, 8, a),
	};
}

static enum status read_all(
	struct db_query *q, struct arena *a, struct annotation_row **items, size_t *count, struct err *err)
{
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(q, a, &(*items)[*count]);
	}
	return db_done(q, err);
}

static enum status read_shapes(
	struct db_conn *c, struct annotation_row *items, size_t count, struct arena *a, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		TRY(annotation_shape_rows_read(
			c, items[i].id, a, &items[i].shapes, &items[i].shape_count, err));
	return ST_OK;
}

static enum status missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no annotation with the id %s.", text);
}

static enum status version_of(
	struct db_conn *c, struct uuid asset_id, struct uuid *dataset_version_id, struct err *err)
{
	struct db_query q = db_query(c, "SELECT dataset_version_id FROM asset WHERE id = $1");
	db_bind_uuid(&q, asset_id);
	bool found = db_next(&q);
	if (found)
		*dataset_version_id = db_uuid(&q, 0);
	TRY(db_done(&q, err));
	if (found)
		return ST_OK;
	char text[UUID_TEXT_SIZE];
	uuid_format(asset_id, text);
	return err_set(err, ST_MISSING, "There is no asset with the id %s.", text);
}

enum status annotation_rows_insert(
	struct db_conn *c, const struct annotation_row *row, struct arena *a, struct err *err)
{
	struct uuid version;
	CHECK(!uuid_is_zero(row->id) && annotation_status_known(row->status) && row->who);
	TRY(version_of(c, row->asset_id, &version, err));
	struct db_query q = db_query(c, "INSERT INTO annotation (id, asset_id, status, duration, who, "
					"client_id, revision, created_us,"
					" updated_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
	db_bind_uuid(&q, row->id);
	db_bind_uuid(&q, row->asset_id);
	db_bind_text(&q, row->status);
	db_bind_real(&q, row->duration);
	db_bind_text(&q, row->who);
	db_bind_text(&q, row->client_id);
	db_bind_integer(&q, row->revision ? row->revision : 1);
	db_bind_integer(&q, row->created_us);
	db_bind_integer(&q, row->updated_us ? row->updated_us : row->created_us);
	TRY(db_done(&q, err));
	return annotation_shape_rows_insert(c, row, version, 0, a, err);
}

enum status annotation_rows_of_asset(struct db_conn *c, struct uuid asset_id, struct arena *a,
	struct annotation_row **items, size_t *count, struct err *err)
{
	struct db_query q =
		db_query(c, SELECT " WHERE a.asset_id = $1 ORDER BY a.created_us DESC, a.id DESC");
	db_bind_uuid(&q, asset_id);
	TRY(read_all(&q, a, items, count, err));
	return read_shapes(c, *items, *count, a, err);
}

enum status annotation_rows_newest(struct db_conn *c, struct uuid asset_id, struct arena *a,
	struct annotation_row *out, bool *found, struct err *err)
{
	struct db_query q =
		db_query(c, SELECT " WHERE a.asset_id = $1 ORDER BY a.created_us DESC, a.id DESC LIMIT 1");
	db_bind_uuid(&q, asset_id);
	*found = db_next(&q);
	if (*found)
		read_row(&q, a, out);
	TRY(db_done(&q, err));
	return read_shapes(c, out, *found ? 1 : 0, a, err);
}

enum status annotation_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct annotation_row *out, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE a.id = $1");
	db_bind_uuid(&q, id);
	bool found = db_next(&q);
	if (found)
		read_row(&q, a, out);
	TRY(db_done(&q, err));
	return found ? read_shapes(c, out, 1, a, err) : missing(id, err);
}

#define OF_VERSION                                                                                           \
	" JOIN asset s ON s.id = a.asset_id WHERE s.dataset_version_id = $1"                                 \
	" AND ($2 IS NULL OR a.status = $2)"

enum status annotation_rows_list(struct db_conn *c, struct uuid dataset_version_id, const char *status,
	const struct rows_page *page, struct arena *a, struct annotation_row **items, size_t *count,
	int64_t *total, struct err *err)
{
	struct db_query q = db_query(c, "SELECT count(*) FROM annotation a" OF_VERSION);
	db_bind_uuid(&q, dataset_version_id);
	db_bind_text(&q, status);
	TRY(rows_number(&q, total, err));
	bool oldest = page->order == ROWS_OLDEST;
	q = db_query(c, oldest ? SELECT OF_VERSION " ORDER BY a.created_us, a.id LIMIT $3 OFFSET $4"
			       : SELECT OF_VERSION
				" ORDER BY a.created_us DESC, a.id DESC LIMIT $3 OFFSET $4");
	db_bind_uuid(&q, dataset_version_id);
	db_bind_text(&q, status);
	db_bind_integer(&q, page->limit);
	db_bind_integer(&q, page->offset);
	return read_all(&q, a, items, count, err);
}

enum status annotation_rows_update(struct db_conn *c, const struct annotation_row *row, struct err *err)
{
	CHECK(annotation_status_known(row->status));
	struct db_query q = db_query(
		c, "UPDATE annotation SET status = $1, duration = $2, updated_us = $3 WHERE id = $4");
	db_bind_text(&q, row->status);
	db_bind_real(&q, row->duration);
	db_bind_integer(&q, row->updated_us);
	db_bind_uuid(&q, row->id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(row->id, err);
}

/* What a change of its shapes says of an annotation; *dataset_version_id is its asset's. */
static enum status revise(
	struct db_conn *c, const struct annotation_row *row, struct uuid *dataset_version_id, struct err *err)
{
	CHECK(annotation_status_known(row->status) && row->who);
	struct db_query q =
		db_query(c, "UPDATE annotation SET status = $1, duration = $2, who = $3,"
			    " updated_us = $4, client_id = $5, revision = revision + 1 WHERE id = $6"
			    " RETURNING asset_id");
	db_bind_text(&q, row->status);
	db_bind_real(&q, row->duration);
	db_bind_text(&q, row->who);
	db_bind_integer(&q, row->updated_us);
	db_bind_text(&q, row->client_id);
	db_bind_uuid(&q, row->id);
	struct uuid asset_id = {0};
	bool found = db_next(&q);
	if (found)
		asset_id = db_uuid(&q, 0);
	TRY(db_done(&q, err));
	return found ? version_of(c, asset_id, dataset_version_id, err) : missing(row->id, err);
}

enum status annotation_rows_save(
	struct db_conn *c, const struct annotation_row *row, struct arena *a, struct err *err)
{
	struct uuid version;
	TRY(revise(c, row, &version, err));
	struct db_query q = db_query(c, "DELETE FROM annotation_shape WHERE annotation_id = $1");
	db_bind_uuid(&q, row->id);
	TRY(db_done(&q, err));
	return annotation_shape_rows_insert(c, row, version, 0, a, err);
}

enum status annotation_rows_add(
	struct db_conn *c, const struct annotation_row *row, struct arena *a, struct err *err)
{
	struct uuid version;
	int64_t count;
	TRY(revise(c, row, &version, err));
	TRY(annotation_shape_rows_count(c, row->id, &count, err));
	return annotation_shape_rows_insert(c, row, version, count, a, err);
}

enum status annotation_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM annotation WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(id, err);
}

enum status annotation_rows_delete_of_asset(struct db_conn *c, struct uuid asset_id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM annotation WHERE asset_id = $1");
	db_bind_uuid(&q, asset_id);
	return db_done(&q, err);
}

enum status annotation_rows_delete_of_version(
	struct db_conn *c, struct uuid dataset_version_id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM annotation WHERE asset_id IN"
					" (SELECT id FROM asset WHERE dataset_version_id = $1)");
	db_bind_uuid(&q, dataset_version_id);
	return db_done(&q, err);
}
