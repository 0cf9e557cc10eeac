/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of assets: the data of a dataset version. */
#include "store/dataset_rows.h"

/* "id" alone is the asset's: orders name it. */
#define COLUMNS                                                                                              \
	"SELECT a.id AS id, a.dataset_version_id, a.evaluation, a.created_us, d.id AS d_id, d.datalake_id,"  \
	" d.source_id, d.object_name, d.filename, d.content_type, d.width, d.height, d.metadata,"            \
	" d.custom_metadata, d.created_us, (SELECT name FROM data_source s WHERE s.id = d.source_id)"
#define FROM " FROM asset a JOIN data d ON d.id = a.data_id"
#define SELECT COLUMNS FROM

static void read_row(struct db_query *q, struct arena *a, struct asset_row *out)
{
	*out = (struct asset_row){
		.id = db_uuid(q, 0),
		.dataset_version_id = db_uuid(q, 1),
		.evaluation = db_integer(q, 2) != 0,
		.created_us = db_integer(q, 3),
		.data =
			{
				.id = db_uuid(q, 4),
				.datalake_id = db_uuid(q, 5),
				.source_id = db_uuid(q, 6),
				.object_name = db_text(q, 7, a),
				.filename = db_text(q, 8, a),
				.content_type = db_text(q, 9, a),
				.width = db_integer(q, 10),
				.height = db_integer(q, 11),
				.metadata = db_text(q, 12, a),
				.custom_metadata = db_text(q, 13, a),
				.created_us = db_integer(q, 14),
				.source_name = db_text(q, 15, a),
			},
	};
}

static enum status read_all(struct db_query *q, struct arena *a, struct asset_row **items, size_t *count,
	size_t *room, struct err *err)
{
	for (; db_next(q); (*count)++) {
		*items = rows_grow(a, *items, *count, room, sizeof(**items));
		read_row(q, a, &(*items)[*count]);
	}
	return db_done(q, err);
}

static enum status read_one(
	struct db_query *q, struct arena *a, struct asset_row *out, bool *found, struct err *err)
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
	return err_set(err, ST_MISSING, "There is no asset with the id %s.", text);
}

/* The id of the asset that has this data already. */
static enum status read_id(struct db_conn *c, struct asset_row *asset, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT id FROM asset WHERE dataset_version_id = $1 AND data_id = $2");
	db_bind_uuid(&q, asset->dataset_version_id);
	db_bind_uuid(&q, asset->data.id);
	if (db_next(&q))
		asset->id = db_uuid(&q, 0);
	return db_done(&q, err);
}

enum status asset_rows_insert(struct db_conn *c, struct asset_row *asset, bool *inserted, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO asset (id, dataset_version_id, data_id, evaluation, created_us)"
		" VALUES ($1, $2, $3, $4, $5) ON CONFLICT (dataset_version_id, data_id) DO NOTHING");
	db_bind_uuid(&q, asset->id);
	db_bind_uuid(&q, asset->dataset_version_id);
	db_bind_uuid(&q, asset->data.id);
	db_bind_integer(&q, asset->evaluation);
	db_bind_integer(&q, asset->created_us);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT) {
		char text[UUID_TEXT_SIZE];
		uuid_format(asset->data.id, text);
		return err_set(err, ST_MISSING,
			"There is no data with the id %s, or the dataset version is gone.", text);
	}
	TRY(st);
	*inserted = db_changes(c) == 1;
	return *inserted ? ST_OK : read_id(c, asset, err);
}

enum status asset_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct asset_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " WHERE a.id = $1");
	db_bind_uuid(&q, id);
	TRY(read_one(&q, a, out, &found, err));
	return found ? ST_OK : missing(id, err);
}

enum status asset_rows_by_data(struct db_conn *c, struct uuid dataset_version_id, struct uuid data_id,
	struct arena *a, struct asset_row *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE a.dataset_version_id = $1 AND a.data_id = $2");
	db_bind_uuid(&q, dataset_version_id);
	db_bind_uuid(&q, data_id);
	return read_one(&q, a, out, found, err);
}

enum status asset_rows_list(struct db_conn *c, struct uuid dataset_version_id, const struct rows_page *page,
	struct arena *a, struct asset_row **items, size_t *count, int64_t *total, struct err *err)
{
	static const char *const sql[ROWS_ORDER_COUNT] =
		ROWS_ORDERED(SELECT " WHERE a.dataset_version_id = $1", "a.created_us", "d.filename",
			"LIMIT $2 OFFSET $3");
	struct db_query q = db_query(c, "SELECT count(*) FROM asset WHERE dataset_version_id = $1");
	db_bind_uuid(&q, dataset_version_id);
	TRY(rows_number(&q, total, err));
	q = db_query(c, sql[page->order]);
	db_bind_uuid(&q, dataset_version_id);
	db_bind_integer(&q, page->limit);
	db_bind_integer(&q, page->offset);
	size_t room = 0;
	*items = NULL;
	*count = 0;
	return read_all(&q, a, items, count, &room, err);
}

enum status asset_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM tag_target WHERE target_id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	q = db_query(c, "DELETE FROM asset WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(id, err);
}
