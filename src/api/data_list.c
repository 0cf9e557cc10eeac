/* SPDX-License-Identifier: Apache-2.0 */
/* The data of a datalake: list, find, look up many at once, delete many. */
#include "api/data_json.h"
#include "api/nouns.h"
#include "api/tag_json.h"
#include "base/check.h"
#include "store/datalake_rows.h"

#include <stdlib.h>

#define LOOK_UP_MAX 1000 /* keys of one XGET */
#define DELETE_MAX 10000 /* ids of one DELETE */

static const struct {
	const char *list, *query; /* name of the list in a body, of the parameter in a query */
	enum data_key key;
} keys[] = {
	{"ids", "id", DATA_ID},
	{"object_names", "object_name", DATA_OBJECT_NAME},
	{"filenames", "filename", DATA_FILENAME},
};

static enum status read_datalake(
	struct http_request *req, struct db_conn *c, struct uuid *id, struct err *err)
{
	struct datalake_row row;
	TRY(api_id(req, "id", "datalake", id, err));
	return datalake_rows_by_id(c, *id, req->arena, &row, err);
}

static enum status reply_rows(struct http_request *req, struct http_reply *reply, struct db_conn *c,
	const struct data_row *rows, size_t count, int64_t total, struct err *err)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++) {
		yyjson_mut_val *object = data_json(req, doc, &rows[i]);
		TRY(tag_json_of(c, rows[i].id, doc, object, req->arena, err));
		yyjson_mut_arr_append(items, object);
	}
	return api_reply_list(req, reply, doc, items, total);
}

enum status api_data_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct uuid datalake_id;
	struct data_row *rows;
	size_t count;
	int64_t total;
	TRY(api_page(req, &page, err));
	if (http_query(req, "custom_metadata"))
		return err_set(err, ST_INVALID,
			"Choosing by \"custom_metadata\" is not supported yet: leave it out.");
	TRY(api_read(req, &reader, err));
	TRY(read_datalake(req, reader.conn, &datalake_id, err));
	TRY(data_rows_list(reader.conn, datalake_id, &page, req->arena, &rows, &count, &total, err));
	return reply_rows(req, reply, reader.conn, rows, count, total, err);
}

static bool matches(const struct http_request *req, const struct data_row *row)
{
	const char *id_text = http_query(req, "id"), *filename = http_query(req, "filename");
	const char *object_name = http_query(req, "object_name");
	struct uuid id;
	return (id_text == NULL || (uuid_parse(id_text, &id) && uuid_equal(id, row->id))) &&
	       (filename == NULL || strcmp(filename, row->filename) == 0) &&
	       (object_name == NULL || strcmp(object_name, row->object_name) == 0);
}

/* All criteria hold of what is found; of equal filenames the newest is. */
enum status api_data_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct uuid datalake_id;
	struct data_row *rows = NULL;
	size_t count = 0, room = 0, k = 0;
	while (k < COUNT_OF(keys) && http_query(req, keys[k].query) == NULL)
		k++;
	if (k == COUNT_OF(keys))
		return err_set(err, ST_INVALID,
			"The query must say the \"id\", \"filename\" or \"object_name\" of the data.");
	const char *value = http_query(req, keys[k].query);
	TRY(api_read(req, &reader, err));
	TRY(read_datalake(req, reader.conn, &datalake_id, err));
	TRY(data_rows_find(
		reader.conn, datalake_id, keys[k].key, value, req->arena, &rows, &count, &room, err));
	for (size_t i = 0; i < count; i++) {
		if (!matches(req, &rows[i]))
			continue;
		yyjson_mut_doc *doc = json_new(req->arena);
		yyjson_mut_val *root = data_json(req, doc, &rows[i]);
		yyjson_mut_doc_set_root(doc, root);
		TRY(tag_json_of(reader.conn, rows[i].id, doc, root, req->arena, err));
		return http_reply_json(req, reply, doc);
	}
	return err_set(err, ST_MISSING, "There is no such data in this datalake.");
}

static int compare_rows(const void *a, const void *b, void *order)
{
	const struct data_row *x = a, *y = b;
	enum rows_order o = *(const enum rows_order *)order;
	int names = strcmp(x->filename, y->filename),
	    ids = memcmp(x->id.bytes, y->id.bytes, sizeof(x->id.bytes));
	int times = (x->created_us > y->created_us) - (x->created_us < y->created_us);
	int by = o == ROWS_NAME || o == ROWS_NAME_DOWN ? names : times;
	by = by ? by : ids;
	return o == ROWS_NEWEST || o == ROWS_NAME_DOWN ? -by : by;
}

static enum status look_up(struct http_request *req, struct db_conn *c, struct uuid datalake_id,
	yyjson_val *body, struct data_row **rows, size_t *count, struct err *err)
{
	size_t room = 0, k = 0, i, n;
	yyjson_val *value;
	while (k < COUNT_OF(keys) && !yyjson_is_arr(yyjson_obj_get(body, keys[k].list)))
		k++;
	yyjson_val *list = k < COUNT_OF(keys) ? yyjson_obj_get(body, keys[k].list) : NULL;
	if (list == NULL || yyjson_arr_size(list) > LOOK_UP_MAX)
		return err_set(err, ST_INVALID,
			"The body must have a list \"ids\", \"filenames\" or \"object_names\" of at most %d.",
			LOOK_UP_MAX);
	yyjson_arr_foreach (list, i, n, value) {
		if (!yyjson_is_str(value))
			return err_set(err, ST_INVALID, "\"%s\" must be a list of texts.", keys[k].list);
		TRY(data_rows_find(c, datalake_id, keys[k].key, yyjson_get_str(value), req->arena, rows,
			count, &room, err));
	}
	return ST_OK;
}

enum status api_data_look_up(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct uuid datalake_id;
	yyjson_val *body;
	const char *q = NULL;
	struct data_row *rows = NULL;
	size_t count = 0;
	TRY(api_page(req, &page, err));
	TRY(api_body(req, &body, err));
	TRY(json_text(body, "q", &q, err));
	if (q && *q)
		return err_set(
			err, ST_INVALID, "The query language (\"q\") is not supported yet: leave it out.");
	TRY(api_read(req, &reader, err));
	TRY(read_datalake(req, reader.conn, &datalake_id, err));
	TRY(look_up(req, reader.conn, datalake_id, body, &rows, &count, err));
	if (count > 1 && http_query(req, "order_by"))
		qsort_r(rows, count, sizeof(rows[0]), compare_rows, &page.order);
	return reply_rows(req, reply, reader.conn, rows, count, (int64_t)count, err);
}

struct deletion {
	struct uuid datalake_id;
	struct uuid *ids;
	size_t count;
	struct arena *arena;
};

static enum status delete_many(struct db_conn *c, void *arg, struct err *err)
{
	const struct deletion *d = arg;
	for (size_t i = 0; i < d->count; i++) {
		struct data_row row;
		TRY(data_rows_by_id(c, d->ids[i], d->arena, &row, err));
		if (!uuid_equal(row.datalake_id, d->datalake_id))
			return err_set(
				err, ST_MISSING, "The data %.200s is in another datalake.", row.filename);
		TRY(data_rows_delete(c, d->ids[i], err));
	}
	return ST_OK;
}

/* All or none. */
enum status api_data_delete_many(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct deletion d = {.arena = req->arena};
	yyjson_val *body, *value;
	size_t i, n;
	TRY(api_id(req, "id", "datalake", &d.datalake_id, err));
	TRY(api_body(req, &body, err));
	yyjson_val *ids = yyjson_obj_get(body, "ids");
	if (!yyjson_is_arr(ids) || yyjson_arr_size(ids) > DELETE_MAX)
		return err_set(err, ST_INVALID, "\"ids\" must be a list of at most %d ids.", DELETE_MAX);
	d.ids = ARENA_ARRAY(req->arena, struct uuid, yyjson_arr_size(ids) + 1);
	yyjson_arr_foreach (ids, i, n, value) {
		const char *text = yyjson_get_str(value);
		if (text == NULL || !uuid_parse(text, &d.ids[i]))
			return err_set(err, ST_INVALID, "Element %zu of \"ids\" is not an id (a UUID).", i);
	}
	d.count = n;
	TRY(api_write(req, "data.delete", d.datalake_id, delete_many, &d, err));
	return http_reply_empty(reply, 204);
}
