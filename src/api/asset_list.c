/* SPDX-License-Identifier: Apache-2.0 */
/* The assets of a dataset version: listed, found, looked up many at once. */
#include "api/annotation_sdk.h"
#include "api/asset_json.h"
#include "api/data_json.h"
#include "api/dataset_json.h"
#include "api/id_list.h"
#include "api/nouns.h"
#include "base/check.h"

#define LOOK_UP_MAX 1000 /* keys of one XGET */

static const struct {
	const char *list, *query; /* name of the list in a body, of the parameter in a query */
	enum asset_key key;
} keys[] = {
	{"ids", "id", ASSET_ID},
	{"data_ids", "data_id", ASSET_DATA_ID},
	{"object_names", "object_name", ASSET_OBJECT_NAME},
	{"filenames", "filename", ASSET_FILENAME},
	{"filename_startswith", NULL, ASSET_FILENAME_START},
};

static bool wants_annotations(const struct http_request *req)
{
	const char *with = http_query(req, "with_annotations");
	return with && strcmp(with, "1") == 0;
}

static enum status reply_page(struct http_request *req, struct http_reply *reply, struct db_conn *c,
	struct uuid version_id, const struct rows_page *page, struct err *err)
{
	struct asset_row *rows;
	size_t count;
	int64_t total;
	TRY(asset_rows_list(c, version_id, page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc), *item;
	bool with = wants_annotations(req);
	for (size_t i = 0; i < count; i++) {
		TRY(asset_json(req, c, doc, &rows[i], with, &item, err));
		yyjson_mut_arr_append(items, item);
	}
	return api_reply_list(req, reply, doc, items, total);
}

/* There are no campaigns, so nothing is assigned to anybody. */
static enum status check_no_assignment(const struct http_request *req, struct err *err)
{
	static const char *const names[] = {"assignment_status", "assignment_step_id", "assignment_user_id"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (http_query(req, names[i]))
			return err_set(err, ST_INVALID,
				"\"%s\" belongs to campaigns, which do not exist here: leave it out.",
				names[i]);
	return ST_OK;
}

enum status api_asset_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct dataset_version_row version;
	TRY(api_page_of(req, QUERY_NOUN_asset, &page, err));
	TRY(check_no_assignment(req, err));
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_of_path(req, reader.conn, &version, err));
	return reply_page(req, reply, reader.conn, version.id, &page, err);
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
			"The body must have a list \"ids\", \"data_ids\", \"filenames\", \"object_names\" or "
			"\"filename_startswith\" of at most %d.",
			LOOK_UP_MAX);
	const char **texts = ARENA_ARRAY(req->arena, const char *, yyjson_arr_size(list) + 1);
	yyjson_arr_foreach (list, i, n, value) {
		if (!yyjson_is_str(value))
			return err_set(err, ST_INVALID, "\"%s\" must be a list of texts.", keys[k].list);
		texts[i] = yyjson_get_str(value);
	}
	asset_rows_choose(req->arena, keys[k].key, texts, n, filter);
	return ST_OK;
}

/* All that are found, in one answer: a name may be that of many. */
enum status api_asset_look_up(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct dataset_version_row version;
	yyjson_val *body;
	TRY(api_body(req, &body, err));
	TRY(api_page_look_up(req, QUERY_NOUN_asset, body, &page, err));
	TRY(check_no_assignment(req, err));
	TRY(read_keys(req, body, &page.filter, err));
	page.limit = INT64_MAX;
	page.offset = 0;
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_of_path(req, reader.conn, &version, err));
	return reply_page(req, reply, reader.conn, version.id, &page, err);
}

/* All criteria hold of what is found; of several the newest is. */
enum status api_asset_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page = {.limit = 1, .order = ROWS_NEWEST};
	struct dataset_version_row version;
	struct asset_row *rows;
	size_t count;
	int64_t total;
	yyjson_mut_val *root;
	for (size_t k = 0; k < COUNT_OF(keys); k++) {
		const char *text = keys[k].query ? http_query(req, keys[k].query) : NULL;
		if (text)
			asset_rows_choose(req->arena, keys[k].key, &text, 1, &page.filter);
	}
	if (page.filter.where == NULL)
		return err_set(err, ST_INVALID,
			"The query must say the \"id\", \"data_id\", \"filename\" or \"object_name\" of the "
			"asset.");
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_of_path(req, reader.conn, &version, err));
	TRY(asset_rows_list(reader.conn, version.id, &page, req->arena, &rows, &count, &total, err));
	if (count == 0)
		return err_set(err, ST_MISSING, "There is no such asset in this dataset version.");
	yyjson_mut_doc *doc = json_new(req->arena);
	TRY(asset_json(req, reader.conn, doc, &rows[0], wants_annotations(req), &root, err));
	yyjson_mut_doc_set_root(doc, root);
	return http_reply_json(req, reply, doc);
}

enum status api_asset_ids(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct dataset_version_row version;
	struct uuid *ids;
	size_t count;
	int64_t total;
	TRY(api_page_of(req, QUERY_NOUN_asset, &page, err));
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_of_path(req, reader.conn, &version, err));
	TRY(asset_rows_ids(reader.conn, version.id, &page, req->arena, &ids, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		id_list_append(doc, items, ids[i]);
	return api_reply_list(req, reply, doc, items, total);
}

/* ---- with their annotations, as the SDK splits them for training ---- */

static yyjson_mut_val *extended_annotation(
	yyjson_mut_doc *doc, const struct annotation_row *row, struct arena *a)
{
	yyjson_mut_val *object = annotation_sdk_json(doc, row), *lists[ANNOTATION_KIND_COUNT];
	for (enum annotation_kind k = 0; k < ANNOTATION_KIND_COUNT; k++)
		lists[k] = yyjson_mut_obj_add_arr(doc, object, annotation_sdk_key(k));
	for (size_t i = 0; i < row->shape_count; i++) {
		yyjson_mut_val *shape = annotation_sdk_shape(doc, &row->shapes[i], a);
		api_add_id(doc, shape, "label_id", row->shapes[i].label_id);
		yyjson_mut_arr_append(lists[row->shapes[i].kind], shape);
	}
	return object;
}

enum status api_asset_extended(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct dataset_version_row version;
	struct asset_row *rows;
	size_t count;
	int64_t total;
	TRY(api_page_of(req, QUERY_NOUN_asset, &page, err));
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_of_path(req, reader.conn, &version, err));
	TRY(asset_rows_list(reader.conn, version.id, &page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc), *item;
	for (size_t i = 0; i < count; i++) {
		struct annotation_row *annotations;
		size_t annotation_count;
		TRY(asset_json(req, reader.conn, doc, &rows[i], false, &item, err));
		TRY(annotation_rows_of_asset(
			reader.conn, rows[i].id, req->arena, &annotations, &annotation_count, err));
		yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, item, "annotations");
		for (size_t k = 0; k < annotation_count; k++)
			yyjson_mut_arr_append(list, extended_annotation(doc, &annotations[k], req->arena));
		yyjson_mut_arr_append(items, item);
	}
	return api_reply_list(req, reply, doc, items, total);
}
