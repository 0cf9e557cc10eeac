/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the images of a datalake. */
#include "store/data_rows.h"

#include "base/check.h"
#include "base/str.h"
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

#define WHERE_MAX ((size_t)1 << 20)

/* False: a text that is no id, which nothing has. */
static bool key_value(enum data_key key, const char *text, struct arena *a, struct db_value *out)
{
	if (key != DATA_ID) {
		*out = (struct db_value){.type = DB_TEXT, .bytes = span_of_text(text)};
		return true;
	}
	struct uuid *id = ARENA_NEW(a, struct uuid);
	*out = (struct db_value){.type = DB_BLOB, .bytes = {id->bytes, sizeof(id->bytes)}};
	return uuid_parse(text, id);
}

void data_rows_choose(struct arena *a, enum data_key key, const char *const *texts, size_t count,
	struct rows_filter *filter)
{
	static const char *const columns[DATA_KEY_COUNT] = {
		[DATA_ID] = "data.id",
		[DATA_FILENAME] = "data.filename",
		[DATA_OBJECT_NAME] = "data.object_name",
	};
	size_t values = 0;
	struct db_value *all = ARENA_ARRAY(a, struct db_value, count + filter->count + 1);
	struct str where;
	str_init(&where, WHERE_MAX);
	str_printf(&where, "%s IN (", columns[key]);
	for (size_t i = 0; i < count; i++)
		if (key_value(key, texts[i], a, &all[values]))
			str_append(&where, values++ ? ", ?" : "?");
	str_append(&where, ")");
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

static const struct rows_source source = {
	.select = SELECT,
	.count = "SELECT count(*) FROM data",
	.where = "data.datalake_id = $1",
	.id = "data.id",
	.created = "data.created_us",
	.name = "data.filename",
};

enum status data_rows_list(struct db_conn *c, struct uuid datalake_id, const struct rows_page *page,
	struct arena *a, struct data_row **items, size_t *count, int64_t *total, struct err *err)
{
	struct db_query q = rows_count(c, a, &source, page);
	db_bind_uuid(&q, datalake_id);
	rows_bind_count(&q, page);
	TRY(rows_number(&q, total, err));
	q = rows_query(c, a, &source, page);
	db_bind_uuid(&q, datalake_id);
	rows_bind(&q, page);
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
