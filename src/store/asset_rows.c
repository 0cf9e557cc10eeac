/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of assets: the data of a dataset version. */
#include "base/check.h"
#include "base/str.h"
#include "store/dataset_rows.h"

#define WHERE_MAX ((size_t)128 << 10) /* bytes */

#define FROM " FROM asset JOIN data ON data.id = asset.data_id"
#define SELECT                                                                                               \
	"SELECT asset.id, asset.dataset_version_id, asset.evaluation, asset.created_us, data.id,"            \
	" data.datalake_id, data.source_id, data.object_name, data.filename, data.content_type, data.width," \
	" data.height, data.metadata, data.custom_metadata, data.created_us,"                                \
	" (SELECT name FROM data_source WHERE data_source.id = data.source_id)" FROM

static const struct rows_source source = {.select = SELECT,
	.count = "SELECT count(*)" FROM,
	.where = "asset.dataset_version_id = $1",
	.id = "asset.id",
	.created = "asset.created_us",
	.name = "data.filename"};

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
	struct db_query q = db_query(c, SELECT " WHERE asset.id = $1");
	db_bind_uuid(&q, id);
	TRY(read_one(&q, a, out, &found, err));
	return found ? ST_OK : missing(id, err);
}

enum status asset_rows_by_data(struct db_conn *c, struct uuid dataset_version_id, struct uuid data_id,
	struct arena *a, struct asset_row *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE asset.dataset_version_id = $1 AND asset.data_id = $2");
	db_bind_uuid(&q, dataset_version_id);
	db_bind_uuid(&q, data_id);
	return read_one(&q, a, out, found, err);
}

enum status asset_rows_count(
	struct db_conn *c, struct uuid dataset_version_id, int64_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT count(*) FROM asset WHERE dataset_version_id = $1");
	db_bind_uuid(&q, dataset_version_id);
	return rows_number(&q, count, err);
}

/* Of the page without its limit. */
static enum status count_all(struct db_conn *c, struct uuid dataset_version_id, const struct rows_page *page,
	struct arena *a, int64_t *total, struct err *err)
{
	if (page->filter.where == NULL)
		return asset_rows_count(c, dataset_version_id, total, err);
	struct db_query q = rows_count(c, a, &source, page);
	db_bind_uuid(&q, dataset_version_id);
	rows_bind_count(&q, page);
	return rows_number(&q, total, err);
}

enum status asset_rows_list(struct db_conn *c, struct uuid dataset_version_id, const struct rows_page *page,
	struct arena *a, struct asset_row **items, size_t *count, int64_t *total, struct err *err)
{
	TRY(count_all(c, dataset_version_id, page, a, total, err));
	struct db_query q = rows_query(c, a, &source, page);
	db_bind_uuid(&q, dataset_version_id);
	rows_bind(&q, page);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status asset_rows_ids(struct db_conn *c, struct uuid dataset_version_id, const struct rows_page *page,
	struct arena *a, struct uuid **ids, size_t *count, int64_t *total, struct err *err)
{
	struct rows_source ids_alone = source;
	ids_alone.select = "SELECT asset.id" FROM;
	TRY(count_all(c, dataset_version_id, page, a, total, err));
	struct db_query q = rows_query(c, a, &ids_alone, page);
	db_bind_uuid(&q, dataset_version_id);
	rows_bind(&q, page);
	size_t room = 0;
	*ids = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*ids = rows_grow(a, *ids, *count, &room, sizeof(**ids));
		(*ids)[*count] = db_uuid(&q, 0);
	}
	return db_done(&q, err);
}

/* The value of one key. False: a text that is no id, which nothing has. */
static bool key_value(enum asset_key key, const char *text, struct arena *a, struct db_value *out)
{
	if (key == ASSET_ID || key == ASSET_DATA_ID) {
		struct uuid *id = ARENA_NEW(a, struct uuid);
		if (!uuid_parse(text, id))
			return false;
		*out = (struct db_value){.type = DB_BLOB, .bytes = {id->bytes, sizeof(id->bytes)}};
		return true;
	}
	*out = (struct db_value){.type = DB_TEXT, .bytes = span_of_text(text)};
	return true;
}

/* Around the list of values. A table of prefixes, as an expression of 1,000 terms is too deep for SQLite. */
static const struct {
	const char *before, *value, *after;
} conditions[ASSET_KEY_COUNT] = {
	[ASSET_ID] = {"asset.id IN (", "?", ")"},
	[ASSET_DATA_ID] = {"asset.data_id IN (", "?", ")"},
	[ASSET_FILENAME] = {"data.filename IN (", "?", ")"},
	[ASSET_OBJECT_NAME] = {"data.object_name IN (", "?", ")"},
	[ASSET_FILENAME_START] = {"EXISTS (WITH prefix(text) AS (VALUES ", "(?)",
		") SELECT 1 FROM prefix"
		" WHERE substr(data.filename, 1, length(prefix.text)) = prefix.text)"},
};

void asset_rows_choose(struct arena *a, enum asset_key key, const char *const *texts, size_t count,
	struct rows_filter *filter)
{
	size_t values = 0;
	struct db_value *all = ARENA_ARRAY(a, struct db_value, count + filter->count + 1);
	struct str where;
	str_init(&where, WHERE_MAX);
	str_append(&where, conditions[key].before);
	for (size_t i = 0; i < count; i++)
		if (key_value(key, texts[i], a, &all[values]))
			str_printf(&where, "%s%s", values++ ? ", " : "", conditions[key].value);
	str_append(&where, conditions[key].after);
	if (values == 0) {
		str_clear(&where);
		str_append(&where, "1 = 0");
	}
	if (filter->where) {
		str_printf(&where, " AND (%s)", filter->where);
		memcpy(all + values, filter->values, filter->count * sizeof(all[0]));
		values += filter->count;
	}
	CHECK(!where.full);
	*filter = (struct rows_filter){
		.where = arena_strdup(a, str_text(&where)), .values = all, .count = values};
	str_release(&where);
}

enum status asset_rows_cover(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	const char **object_name, struct err *err)
{
	struct db_query q = db_query(c, "SELECT data.object_name" FROM " WHERE asset.dataset_version_id = $1"
					" ORDER BY asset.created_us, asset.id LIMIT 1");
	db_bind_uuid(&q, dataset_version_id);
	*object_name = db_next(&q) ? db_text(&q, 0, a) : NULL;
	return db_done(&q, err);
}

enum status asset_rows_check(struct db_conn *c, struct uuid dataset_version_id, const struct uuid *ids,
	size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct db_query q =
			db_query(c, "SELECT count(*) FROM asset WHERE id = $1 AND dataset_version_id = $2");
		int64_t found;
		char text[UUID_TEXT_SIZE];
		db_bind_uuid(&q, ids[i]);
		db_bind_uuid(&q, dataset_version_id);
		TRY(rows_number(&q, &found, err));
		uuid_format(ids[i], text);
		if (!found)
			return err_set(
				err, ST_MISSING, "This dataset version has no asset with the id %s.", text);
	}
	return ST_OK;
}

enum status asset_rows_set_evaluation(struct db_conn *c, struct uuid dataset_version_id, struct uuid id,
	bool evaluation, bool *changed, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE asset SET evaluation = $1 WHERE id = $2"
					" AND dataset_version_id = $3 AND evaluation <> $1");
	db_bind_integer(&q, evaluation);
	db_bind_uuid(&q, id);
	db_bind_uuid(&q, dataset_version_id);
	TRY(db_done(&q, err));
	*changed = db_changes(c) > 0;
	return ST_OK;
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
