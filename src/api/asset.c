/* SPDX-License-Identifier: Apache-2.0 */
/* One asset, and deleting many. */
#include "api/annotation_sdk.h"
#include "api/asset_json.h"
#include "api/data_json.h"
#include "api/dataset_json.h"
#include "api/id_list.h"
#include "api/nouns.h"
#include "api/tag_json.h"
#include "learn/assets.h"

#define DELETE_MAX 10000 /* ids of one request */

static enum status add_annotation(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	yyjson_mut_val *object, struct uuid asset_id, struct err *err)
{
	struct annotation_row row;
	bool found;
	TRY(annotation_rows_newest(c, asset_id, req->arena, &row, &found, err));
	if (!found) {
		yyjson_mut_obj_add_null(doc, object, "annotation");
		return ST_OK;
	}
	yyjson_mut_val *annotation = annotation_sdk_json(doc, &row);
	yyjson_mut_obj_add_val(doc, annotation, "shapes",
		annotation_json_shapes(doc, row.shapes, row.shape_count, req->arena));
	yyjson_mut_obj_add_val(doc, object, "annotation", annotation);
	return ST_OK;
}

enum status asset_json(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	const struct asset_row *row, bool with_annotation, yyjson_mut_val **out, struct err *err)
{
	yyjson_mut_val *object = *out = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_id(doc, object, "dataset_version_id", row->dataset_version_id);
	yyjson_mut_obj_add_val(doc, object, "data", data_json(req, doc, &row->data));
	yyjson_mut_obj_add_bool(doc, object, "evaluation", row->evaluation);
	api_add_time(doc, object, "created_at", row->created_us);
	TRY(tag_json_of(c, row->id, doc, object, req->arena, err));
	return with_annotation ? add_annotation(req, c, doc, object, row->id, err) : ST_OK;
}

enum status api_asset_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct asset_row row;
	struct uuid id;
	yyjson_mut_val *root;
	const char *with = http_query(req, "with_annotations");
	TRY(api_id(req, "id", "asset", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(asset_rows_by_id(reader.conn, id, req->arena, &row, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	TRY(asset_json(req, reader.conn, doc, &row, with && strcmp(with, "1") == 0, &root, err));
	yyjson_mut_doc_set_root(doc, root);
	return http_reply_json(req, reply, doc);
}

struct change {
	struct uuid id;
	struct arena *arena;
};

static enum status delete_asset(struct db_conn *c, void *arg, struct err *err)
{
	const struct change *change = arg;
	struct asset_row row;
	TRY(asset_rows_by_id(c, change->id, change->arena, &row, err));
	TRY(dataset_version_rows_touch(c, row.dataset_version_id, err));
	return asset_rows_delete(c, change->id, err);
}

enum status api_asset_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.arena = req->arena};
	TRY(api_id(req, "id", "asset", &change.id, err));
	TRY(api_write(req, "asset.delete", change.id, delete_asset, &change, err));
	return http_reply_empty(reply, 204);
}

static enum status nothing(struct db_conn *c, void *arg, struct err *err)
{
	return ST_OK;
}

enum status api_asset_delete_many(struct http_request *req, struct http_reply *reply, struct err *err)
{
	const struct assets_store store = {api_of(req)->readers, api_of(req)->recorder};
	struct uuid version_id, *ids;
	yyjson_val *body;
	size_t count;
	TRY(api_id(req, "id", "dataset version", &version_id, err));
	TRY(api_body(req, &body, err));
	TRY(id_list_read(req, body, "ids", DELETE_MAX, &ids, &count, err));
	TRY(assets_delete(&store, version_id, ids, count, NULL, err));
	TRY(api_write(req, "asset.delete", version_id, nothing, NULL, err)); /* for the audit log */
	return http_reply_empty(reply, 204);
}

/* By hand, or a share of all. */
enum status api_asset_hold_out(struct http_request *req, struct http_reply *reply, struct err *err)
{
	const struct assets_store store = {api_of(req)->readers, api_of(req)->recorder};
	struct uuid version_id, *ids;
	yyjson_val *body;
	size_t count;
	bool evaluation = true;
	double share = 0;
	int64_t changed = 0;
	TRY(api_id(req, "id", "dataset version", &version_id, err));
	TRY(api_body(req, &body, err));
	if (yyjson_obj_get(body, "share")) {
		TRY(json_number(body, "share", &share, err));
		if (!(share >= 0 && share <= 1))
			return err_set(err, ST_INVALID, "\"share\" is a number from 0 to 1.");
		TRY(assets_hold_out(&store, version_id, share, &changed, err));
	} else {
		TRY(json_bool(body, "evaluation", &evaluation, err));
		TRY(id_list_read(req, body, "ids", DELETE_MAX, &ids, &count, err));
		TRY(assets_set_evaluation(&store, version_id, ids, count, evaluation, &changed, err));
	}
	TRY(api_write(req, "asset.hold_out", version_id, nothing, NULL, err)); /* for the audit log */
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_int(doc, root, "changed", changed);
	return http_reply_json(req, reply, doc);
}
