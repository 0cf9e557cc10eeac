/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the images of a datalake. */
#include "store/data_rows.h"

#include "base/check.h"
#include "store/object_rows.h"

#define SELECT                                                                                               \
	"SELECT id, datalake_id, source_id, object_name, filename, content_type, width, height, metadata,"   \
	" custom_metadata, created_us, (SELECT name FROM data_source s WHERE s.id = data.source_id) FROM "   \
	"data"

static void read_row(struct db_query *q, struct arena *a, struct data_row *out)
{
	*out = (struct data_row){
		.id = db_uuid(q, 0),
		.datalake_id = db_uuid(q, 1),
		.source_id = db_uuid(q, 2),
		.object_name = db_text(q, 3, a),
		.filename = db_text(q, 4, a),
		.content_type = db_text(q, 5, a),
		.width = db_integer(q, 6),
		.height = db_integer(q, 7),
		.metadata = db_text(q, 8, a),
		.custom_metadata = db_text(q, 9, a),
		.created_us = db_integer(q, 10),
		.source_name = db_text(q, 11, a),
	};
}

static enum status missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no data with the id %s.", text);
}

enum status data_rows_insert(struct db_conn *c, const struct data_row *d, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO data (id, datalake_id, source_id, object_name, filename, content_type,"
		" width, height, metadata, custom_metadata, created_us)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
		" ON CONFLICT (object_name) DO NOTHING");
	db_bind_uuid(&q, d->id);
	db_bind_uuid(&q, d->datalake_id);
	db_bind_uuid(&q, d->source_id);
	db_bind_text(&q, d->object_name);
	db_bind_text(&q, d->filename);
	db_bind_text(&q, d->content_type);
	db_bind_integer(&q, d->width);
	db_bind_integer(&q, d->height);
	db_bind_text(&q, d->metadata);
	db_bind_text(&q, d->custom_metadata);
	db_bind_integer(&q, d->created_us);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return err_set(err, ST_MISSING,
			"The datalake, the data source or the object of this data does not exist.");
	TRY(st);
	if (db_changes(c) == 1)
		return ST_OK;
	return err_set(err, ST_CONFLICT, "The object \"%.200s\" is a data already.", d->object_name);
}

static enum status read_one(
	struct db_query *q, struct arena *a, struct data_row *out, bool *found, struct err *err)
{
	*found = db_next(q);
	if (*found)
		read_row(q, a, out);
	return db_done(q, err);
}

enum status data_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct data_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(read_one(&q, a, out, &found, err));
	return found ? ST_OK : missing(id, err);
}

enum status data_rows_find(struct db_conn *c, struct uuid datalake_id, enum data_key key, const char *value,
	struct arena *a, struct data_row **items, size_t *count, size_t *room, struct err *err)
{
	static const char *const sql[DATA_KEY_COUNT] = {
		[DATA_ID] = SELECT " WHERE datalake_id = $1 AND id = $2",
		[DATA_FILENAME] = SELECT " WHERE datalake_id = $1 AND filename = $2 ORDER BY id DESC",
		[DATA_OBJECT_NAME] = SELECT " WHERE datalake_id = $1 AND object_name = $2",
	};
	struct uuid id;
	if (key == DATA_ID && !uuid_parse(value, &id))
		return ST_OK;
	struct db_query q = db_query(c, sql[key]);
	db_bind_uuid(&q, datalake_id);
	if (key == DATA_ID)
		db_bind_uuid(&q, id);
	else
		db_bind_text(&q, value);
	for (; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, room, sizeof(**items));
		read_row(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status data_rows_list(struct db_conn *c, struct uuid datalake_id, const struct rows_page *page,
	struct arena *a, struct data_row **items, size_t *count, int64_t *total, struct err *err)
{
	static const char *const sql[ROWS_ORDER_COUNT] = ROWS_ORDERED(
		SELECT " WHERE datalake_id = $1", "created_us", "filename", "LIMIT $2 OFFSET $3");
	struct db_query q = db_query(c, "SELECT count(*) FROM data WHERE datalake_id = $1");
	db_bind_uuid(&q, datalake_id);
	TRY(rows_number(&q, total, err));
	q = db_query(c, sql[page->order]);
	db_bind_uuid(&q, datalake_id);
	db_bind_integer(&q, page->limit);
	db_bind_integer(&q, page->offset);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status data_rows_update(struct db_conn *c, const struct data_row *d, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE data SET metadata = $1, custom_metadata = $2 WHERE id = $3");
	db_bind_text(&q, d->metadata);
	db_bind_text(&q, d->custom_metadata);
	db_bind_uuid(&q, d->id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(d->id, err);
}

static enum status check_no_asset(struct db_conn *c, struct uuid id, struct err *err)
{
	struct arena a;
	arena_init(&a);
	struct db_query q = db_query(c,
		"SELECT v.version, s.name FROM asset a JOIN dataset_version v ON v.id = a.dataset_version_id"
		" JOIN dataset s ON s.id = v.dataset_id WHERE a.data_id = $1 ORDER BY v.created_us, v.id "
		"LIMIT 1");
	db_bind_uuid(&q, id);
	bool found = db_next(&q);
	const char *version = found ? db_text(&q, 0, &a) : NULL, *dataset = found ? db_text(&q, 1, &a) : NULL;
	enum status st = db_done(&q, err);
	if (st == ST_OK && found)
		st = err_set(err, ST_CONFLICT,
			"This data is an asset of the version \"%.200s\" of the dataset \"%.200s\": take it "
			"out "
			"there first.",
			version, dataset);
	arena_release(&a);
	return st;
}

static enum status check_unused(struct db_conn *c, struct uuid id, struct err *err)
{
	TRY(check_no_asset(c, id, err));
	struct arena a;
	arena_init(&a);
	struct db_query q =
		db_query(c, "SELECT d.name FROM predicted_asset p JOIN deployment d ON d.id = p.deployment_id"
			    " WHERE p.data_id = $1 LIMIT 1");
	db_bind_uuid(&q, id);
	const char *deployment = db_next(&q) ? db_text(&q, 0, &a) : NULL;
	enum status st = db_done(&q, err);
	if (st == ST_OK && deployment)
		st = err_set(err, ST_CONFLICT,
			"This data was predicted on by the deployment %.200s; delete its predicted asset "
			"there first.",
			deployment);
	arena_release(&a);
	return st;
}

static enum status delete_row(struct db_conn *c, const struct data_row *d, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM tag_target WHERE target_id = $1");
	db_bind_uuid(&q, d->id);
	TRY(db_done(&q, err));
	q = db_query(c, "DELETE FROM data WHERE id = $1");
	db_bind_uuid(&q, d->id);
	TRY(db_done(&q, err));
	return object_rows_release(c, d->object_name, err);
}

enum status data_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	TRY(check_unused(c, id, err));
	struct arena a;
	arena_init(&a);
	struct data_row row;
	enum status st = data_rows_by_id(c, id, &a, &row, err);
	if (st == ST_OK)
		st = delete_row(c, &row, err);
	arena_release(&a);
	return st;
}
