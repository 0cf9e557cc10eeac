/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations of many assets at once: where the SDK's imports end, which read the files themselves. */
#include "api/annotation_sdk.h"
#include "api/label_json.h"
#include "api/nouns.h"
#include "os/clock.h"
#include "store/dataset_rows.h"

#define ASSETS_MAX 10000 /* a call; the SDK sends 100 */

enum mode { MODE_REPLACE, MODE_KEEP, MODE_CONCATENATE, MODE_COUNT };

struct given {
	struct uuid asset_id;
	struct annotation_shape_row *shapes;
	size_t shape_count;
	struct uuid annotation_id; /* that has them now; zero: they were left out */
};

struct bulk {
	struct uuid version_id;
	enum mode mode;
	const char *status, *who;
	struct given *items;
	size_t count;
	struct arena *arena;
};

static enum status read_mode(yyjson_val *body, enum mode *out, struct err *err)
{
	static const char *const names[MODE_COUNT] = {"REPLACE", "KEEP", "CONCATENATE"};
	const char *text = NULL;
	TRY(json_text_required(body, "import_type", &text, err));
	for (*out = 0; *out < MODE_COUNT; (*out)++) {
		if (strcmp(names[*out], text) == 0)
			return ST_OK;
	}
	return err_set(err, ST_INVALID,
		"\"import_type\" must be REPLACE, KEEP or CONCATENATE, not \"%.50s\".", text);
}

static enum status read_body(struct http_request *req, struct bulk *b, struct err *err)
{
	yyjson_val *body, *list, *object;
	double duration = 0;
	size_t i, count;
	TRY(api_body(req, &body, err));
	TRY(read_mode(body, &b->mode, err));
	TRY(annotation_sdk_about(body, &b->status, &duration, err));
	list = yyjson_obj_get(body, "annotations");
	if (!yyjson_is_arr(list) || yyjson_arr_size(list) > ASSETS_MAX)
		return err_set(err, ST_INVALID, "\"annotations\" must be a list of at most %d.", ASSETS_MAX);
	b->count = yyjson_arr_size(list);
	b->items = ARENA_ARRAY(req->arena, struct given, b->count + 1);
	yyjson_arr_foreach (list, i, count, object) {
		struct given *g = &b->items[i];
		if (!yyjson_is_obj(object))
			return err_set(
				err, ST_INVALID, "Element %zu of \"annotations\" is not an object.", i);
		TRY(api_json_id(object, "asset_id", true, &g->asset_id, err));
		TRY(annotation_sdk_parse(object, req->arena, &g->shapes, &g->shape_count, err));
	}
	return ST_OK;
}

/* The newest is what counts; REPLACE leaves it alone of all, with other shapes. */
static enum status replace(struct db_conn *c, const struct bulk *b, const struct annotation_row *with,
	struct annotation_row *rows, size_t count, struct err *err)
{
	for (size_t i = 1; i < count; i++)
		TRY(annotation_rows_delete(c, rows[i].id, err));
	return annotation_rows_save(c, with, b->arena, err);
}

static enum status write_one(struct db_conn *c, const struct bulk *b, struct given *g, struct err *err)
{
	struct asset_row asset;
	struct annotation_row *rows;
	size_t count;
	int64_t now_us = clock_unix_us();
	TRY(asset_rows_by_id(c, g->asset_id, b->arena, &asset, err));
	if (!uuid_equal(asset.dataset_version_id, b->version_id))
		return err_set(err, ST_INVALID, "The asset of \"%.200s\" is not of this dataset version.",
			asset.data.filename);
	TRY(annotation_rows_of_asset(c, g->asset_id, b->arena, &rows, &count, err));
	if (count > 0 && b->mode == MODE_KEEP)
		return ST_OK;
	struct annotation_row row = {.asset_id = g->asset_id, .status = "PENDING", .created_us = now_us};
	if (count > 0)
		row = rows[0];
	if (b->status)
		row.status = b->status;
	row.who = b->who;
	row.client_id = NULL;
	row.updated_us = now_us;
	row.shapes = g->shapes;
	row.shape_count = g->shape_count;
	if (count == 0)
		row.id = uuid_v7(now_us / 1000);
	g->annotation_id = row.id;
	if (count == 0)
		return annotation_rows_insert(c, &row, b->arena, err);
	if (b->mode == MODE_CONCATENATE)
		return annotation_rows_add(c, &row, b->arena, err);
	return replace(c, b, &row, rows, count, err);
}

static enum status write_all(struct db_conn *c, void *arg, struct err *err)
{
	struct bulk *b = arg;
	TRY(dataset_version_rows_touch(c, b->version_id, err));
	for (size_t i = 0; i < b->count; i++)
		TRY(write_one(c, b, &b->items[i], err));
	return ST_OK;
}

/* {annotation id: how many shapes were made}, without those that were kept. */
enum status api_annotation_bulk(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct bulk b = {.arena = req->arena, .who = caller_of(req)->user_name};
	TRY(label_read_version(req, &b.version_id, err));
	TRY(read_body(req, &b, err));
	TRY(api_write(req, "annotation.import", b.version_id, write_all, &b, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	for (size_t i = 0; i < b.count; i++) {
		char *id = ARENA_ARRAY(req->arena, char, UUID_TEXT_SIZE);
		if (uuid_is_zero(b.items[i].annotation_id))
			continue;
		uuid_format(b.items[i].annotation_id, id);
		yyjson_mut_obj_add_uint(doc, root, id, b.items[i].shape_count);
	}
	return http_reply_json(req, reply, doc);
}
