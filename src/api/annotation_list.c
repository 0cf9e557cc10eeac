/* SPDX-License-Identifier: Apache-2.0 */
/* The annotations of a whole dataset version: listed, loaded with their shapes, deleted. */
#include "api/annotation_sdk.h"
#include "api/id_list.h"
#include "api/label_json.h"
#include "api/nouns.h"
#include "store/dataset_rows.h"

#include <stdlib.h>

#define LOADED_MAX 10000 /* annotations a call, the most that the SDK asks for */
#define ASSETS_MAX 1000  /* of a query */

static enum status read_status(struct http_request *req, const char **out, struct err *err)
{
	*out = http_query(req, "status");
	if (*out && **out == '\0')
		*out = NULL;
	if (*out && !annotation_status_known(*out))
		return err_set(err, ST_INVALID,
			"\"status\" must be PENDING, SKIPPED, ACCEPTED or REFUSED, not \"%.50s\".", *out);
	return ST_OK;
}

enum status api_annotation_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct annotation_row *rows;
	struct rows_page page;
	struct uuid id;
	const char *status;
	size_t count;
	int64_t total;
	TRY(label_read_version(req, &id, err));
	TRY(read_status(req, &status, err));
	TRY(api_page(req, &page, err));
	TRY(api_read(req, &reader, err));
	TRY(annotation_rows_list(reader.conn, id, status, &page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, annotation_sdk_json(doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, total);
}

/* ---- ids ---- */

static void add_id(yyjson_mut_doc *doc, yyjson_mut_val *list, struct uuid id)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	yyjson_mut_arr_add_strcpy(doc, list, text);
}

static enum status add_ids_of_asset(struct db_conn *c, struct uuid version_id, const char *text,
	const char *status, yyjson_mut_doc *doc, yyjson_mut_val *list, struct arena *a, struct err *err)
{
	struct annotation_row *rows;
	struct asset_row asset;
	struct uuid id;
	size_t count;
	if (!uuid_parse(text, &id))
		return err_set(err, ST_INVALID, "\"asset_ids\" must be ids (UUIDs), not \"%.50s\".", text);
	TRY(asset_rows_by_id(c, id, a, &asset, err));
	if (!uuid_equal(asset.dataset_version_id, version_id))
		return err_set(err, ST_MISSING, "The asset %s is not of this dataset version.", text);
	TRY(annotation_rows_of_asset(c, id, a, &rows, &count, err));
	for (size_t i = 0; i < count; i++) {
		if (status == NULL || strcmp(status, rows[i].status) == 0)
			add_id(doc, list, rows[i].id);
	}
	return ST_OK;
}

static enum status add_all_ids(struct db_conn *c, struct uuid version_id, const char *status,
	yyjson_mut_doc *doc, yyjson_mut_val *list, struct arena *a, struct err *err)
{
	const struct rows_page all = {.limit = INT64_MAX, .order = ROWS_NEWEST};
	struct annotation_row *rows;
	size_t count;
	int64_t total;
	TRY(annotation_rows_list(c, version_id, status, &all, a, &rows, &count, &total, err));
	for (size_t i = 0; i < count; i++)
		add_id(doc, list, rows[i].id);
	return ST_OK;
}

enum status api_annotation_ids(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct uuid id;
	const char *status, **assets = ARENA_ARRAY(req->arena, const char *, ASSETS_MAX);
	TRY(label_read_version(req, &id, err));
	TRY(read_status(req, &status, err));
	size_t asset_count = http_query_all(req, "asset_ids", assets, ASSETS_MAX);
	if (asset_count > ASSETS_MAX)
		return err_set(err, ST_INVALID, "At most %d \"asset_ids\" a call.", ASSETS_MAX);
	TRY(api_read(req, &reader, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *list = yyjson_mut_arr(doc);
	yyjson_mut_doc_set_root(doc, list);
	for (size_t i = 0; i < asset_count; i++)
		TRY(add_ids_of_asset(reader.conn, id, assets[i], status, doc, list, req->arena, err));
	if (asset_count == 0)
		TRY(add_all_ids(reader.conn, id, status, doc, list, req->arena, err));
	return http_reply_json(req, reply, doc);
}

/* ---- with their shapes ---- */

static int newest_first(const void *a, const void *b)
{
	const struct annotation_row *x = a, *y = b;
	if (x->created_us != y->created_us)
		return x->created_us < y->created_us ? 1 : -1;
	return memcmp(y->id.bytes, x->id.bytes, sizeof(x->id.bytes));
}

/* Of the version alone; those that are gone are left out. */
static enum status load(struct db_conn *c, struct uuid version_id, const struct uuid *ids, size_t count,
	struct arena *a, struct annotation_row *rows, size_t *loaded, struct err *err)
{
	*loaded = 0;
	for (size_t i = 0; i < count; i++) {
		struct annotation_row *row = &rows[*loaded];
		struct asset_row asset;
		struct err gone;
		enum status st = annotation_rows_by_id(c, ids[i], a, row, &gone);
		if (st == ST_MISSING)
			continue;
		if (st != ST_OK)
			return err_set(err, st, "%s", gone.text);
		TRY(asset_rows_by_id(c, row->asset_id, a, &asset, err));
		*loaded += uuid_equal(asset.dataset_version_id, version_id);
	}
	return ST_OK;
}

enum status api_annotation_load(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	yyjson_doc *body;
	struct uuid version_id, *ids;
	size_t count;
	TRY(label_read_version(req, &version_id, err));
	TRY(http_json(req, &body, err));
	TRY(id_list_parse(yyjson_doc_get_root(body), "The body", LOADED_MAX, req->arena, &ids, &count, err));
	struct annotation_row *rows = ARENA_ARRAY(req->arena, struct annotation_row, count + 1);
	TRY(api_read(req, &reader, err));
	TRY(load(reader.conn, version_id, ids, count, req->arena, rows, &count, err));
	qsort(rows, count, sizeof(*rows), newest_first);
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *list = yyjson_mut_arr(doc);
	yyjson_mut_doc_set_root(doc, list);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(list, annotation_sdk_loaded(doc, &rows[i], req->arena));
	return http_reply_json(req, reply, doc);
}

/* ---- deleted ---- */

struct deletion {
	struct uuid version_id;
	bool all_assets, named; /* named: only the annotations below */
	struct uuid *assets, *annotations;
	size_t asset_count, annotation_count;
	struct arena *arena;
};

static enum status check_asset(
	struct db_conn *c, const struct deletion *d, struct uuid asset_id, struct err *err)
{
	struct asset_row asset;
	TRY(asset_rows_by_id(c, asset_id, d->arena, &asset, err));
	if (uuid_equal(asset.dataset_version_id, d->version_id))
		return ST_OK;
	return err_set(err, ST_MISSING, "One of the assets is not of this dataset version.");
}

static bool is_among(const struct deletion *d, struct uuid asset_id)
{
	for (size_t i = 0; i < d->asset_count && !d->all_assets; i++) {
		if (uuid_equal(d->assets[i], asset_id))
			return true;
	}
	return d->all_assets;
}

static enum status delete_named(struct db_conn *c, const struct deletion *d, struct err *err)
{
	for (size_t i = 0; i < d->annotation_count; i++) {
		struct annotation_row row;
		TRY(annotation_rows_by_id(c, d->annotations[i], d->arena, &row, err));
		TRY(check_asset(c, d, row.asset_id, err));
		if (is_among(d, row.asset_id))
			TRY(annotation_rows_delete(c, row.id, err));
	}
	return ST_OK;
}

static enum status delete_annotations(struct db_conn *c, void *arg, struct err *err)
{
	const struct deletion *d = arg;
	TRY(dataset_version_rows_touch(c, d->version_id, err));
	if (d->named)
		return delete_named(c, d, err);
	if (d->all_assets)
		return annotation_rows_delete_of_version(c, d->version_id, err);
	for (size_t i = 0; i < d->asset_count; i++) {
		TRY(check_asset(c, d, d->assets[i], err));
		TRY(annotation_rows_delete_of_asset(c, d->assets[i], err));
	}
	return ST_OK;
}

enum status api_annotation_delete_many(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct deletion d = {.arena = req->arena};
	yyjson_val *body;
	TRY(label_read_version(req, &d.version_id, err));
	TRY(api_body(req, &body, err));
	yyjson_val *assets = yyjson_obj_get(body, "asset_ids"),
		   *named = yyjson_obj_get(body, "annotation_ids");
	d.all_assets =
		yyjson_arr_size(assets) == 1 && yyjson_equals_str(yyjson_arr_get_first(assets), "__all__");
	if (!d.all_assets)
		TRY(id_list_parse(
			assets, "\"asset_ids\"", 100000, req->arena, &d.assets, &d.asset_count, err));
	d.named = named && !yyjson_is_null(named);
	if (d.named)
		TRY(id_list_parse(named, "\"annotation_ids\"", 100000, req->arena, &d.annotations,
			&d.annotation_count, err));
	TRY(api_write(req, "annotation.delete", d.version_id, delete_annotations, &d, err));
	return http_reply_empty(reply, 204);
}
