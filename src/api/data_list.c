/* SPDX-License-Identifier: Apache-2.0 */
/* The data of a datalake: list, find, look up many at once, delete many. */
#include "api/data_json.h"
#include "api/id_list.h"
#include "api/nouns.h"
#include "api/tag_json.h"
#include "base/check.h"
#include "store/datalake_rows.h"

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

static enum status reply_page(
	struct http_request *req, struct http_reply *reply, const struct rows_page *page, struct err *err)
{
	API_READER reader = {0};
	struct uuid datalake_id;
	struct data_row *rows;
	size_t count;
	int64_t total;
	TRY(api_read(req, &reader, err));
	TRY(read_datalake(req, reader.conn, &datalake_id, err));
	TRY(data_rows_list(reader.conn, datalake_id, page, req->arena, &rows, &count, &total, err));
	return reply_rows(req, reply, reader.conn, rows, count, total, err);
}

enum status api_data_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct rows_page page;
	TRY(api_page_of(req, QUERY_NOUN_data, &page, err));
	return reply_page(req, reply, &page, err);
}

/* All criteria hold of what is found; of several the newest is. */
enum status api_data_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page = {.limit = 1, .order = ROWS_NEWEST};
	struct uuid datalake_id;
	struct data_row *rows;
	size_t count;
	int64_t total;
	for (size_t k = 0; k < COUNT_OF(keys); k++) {
		const char *text = http_query(req, keys[k].query);
		if (text)
			data_rows_choose(req->arena, keys[k].key, &text, 1, &page.filter);
	}
	if (page.filter.where == NULL)
		return err_set(err, ST_INVALID,
			"The query must say the \"id\", \"filename\" or \"object_name\" of the data.");
	TRY(api_read(req, &reader, err));
	TRY(read_datalake(req, reader.conn, &datalake_id, err));
	TRY(data_rows_list(reader.conn, datalake_id, &page, req->arena, &rows, &count, &total, err));
	if (count == 0)
		return err_set(err, ST_MISSING, "There is no such data in this datalake.");
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *root = data_json(req, doc, &rows[0]);
	yyjson_mut_doc_set_root(doc, root);
	TRY(tag_json_of(reader.conn, rows[0].id, doc, root, req->arena, err));
	return http_reply_json(req, reply, doc);
}

/* Of a body, the one list that is there. */
static enum status read_keys(
	struct http_request *req, yyjson_val *body, struct rows_filter *filter, struct err *err)
{
	size_t k = 0, i, n;
	yyjson_val *value;
	while (k < COUNT_OF(keys) && !yyjson_is_arr(yyjson_obj_get(body, keys[k].list)))
		k++;
	yyjson_val *list = k < COUNT_OF(keys) ? yyjson_obj_get(body, keys[k].list) : NULL;
	if (list == NULL || yyjson_arr_size(list) > LOOK_UP_MAX)
		return err_set(err, ST_INVALID,
			"The body must have a list \"ids\", \"filenames\" or \"object_names\" of at most %d.",
			LOOK_UP_MAX);
	const char **texts = ARENA_ARRAY(req->arena, const char *, yyjson_arr_size(list) + 1);
	yyjson_arr_foreach (list, i, n, value) {
		if (!yyjson_is_str(value))
			return err_set(err, ST_INVALID, "\"%s\" must be a list of texts.", keys[k].list);
		texts[i] = yyjson_get_str(value);
	}
	data_rows_choose(req->arena, keys[k].key, texts, n, filter);
	return ST_OK;
}

/* All that are found, in one answer: a filename may be that of many. */
enum status api_data_look_up(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct rows_page page;
	yyjson_val *body;
	TRY(api_body(req, &body, err));
	TRY(api_page_look_up(req, QUERY_NOUN_data, body, &page, err));
	TRY(read_keys(req, body, &page.filter, err));
	page.limit = INT64_MAX;
	page.offset = 0;
	return reply_page(req, reply, &page, err);
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
	yyjson_val *body;
	TRY(api_id(req, "id", "datalake", &d.datalake_id, err));
	TRY(api_body(req, &body, err));
	TRY(id_list_read(req, body, "ids", DELETE_MAX, &d.ids, &d.count, err));
	TRY(api_write(req, "data.delete", d.datalake_id, delete_many, &d, err));
	return http_reply_empty(reply, 204);
}
