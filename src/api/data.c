/* SPDX-License-Identifier: Apache-2.0 */
/* One data: create, read, change, delete. (Lists and look-ups are in data_list.c.) */
#include "api/data_json.h"
#include "api/nouns.h"
#include "api/presign.h"
#include "api/tag_json.h"
#include "base/str.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/datalake_rows.h"
#include "store/object_rows.h"
#include "vision/image.h"

#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#define TAGS_MAX 100
#define SIDE_MAX 1000000 /* pixels that a client may say */

yyjson_mut_val *data_json(struct http_request *req, yyjson_mut_doc *doc, const struct data_row *row)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	if (!uuid_is_zero(row->datalake_id))
		api_add_id(doc, object, "datalake_id", row->datalake_id);
	api_add_text(doc, object, "filename", row->filename);
	api_add_text(doc, object, "object_name", row->object_name);
	api_add_text(
		doc, object, "type", strncasecmp(row->content_type, "video/", 6) == 0 ? "VIDEO" : "IMAGE");
	api_add_text(doc, object, "content_type", row->content_type);
	api_add_text(doc, object, "presigned_url",
		presign_download_url(api_of(req), row->object_name, req->arena));
	/* A file whose size nobody could read is of no use. */
	api_add_text(doc, object, "upload_status", row->width > 0 && row->height > 0 ? "DONE" : "ERROR");
	api_add_json(doc, object, "metadata", row->metadata, req->arena);
	api_add_json(doc, object, "custom_metadata", row->custom_metadata, req->arena);
	yyjson_mut_val *meta = yyjson_mut_obj_add_obj(doc, object, "meta");
	yyjson_mut_obj_add_int(doc, meta, "width", row->width);
	yyjson_mut_obj_add_int(doc, meta, "height", row->height);
	if (!uuid_is_zero(row->source_id)) {
		yyjson_mut_val *source = yyjson_mut_obj_add_obj(doc, object, "data_source");
		api_add_id(doc, source, "id", row->source_id);
		api_add_text(doc, source, "name", row->source_name);
	} else {
		yyjson_mut_obj_add_null(doc, object, "data_source");
	}
	api_add_time(doc, object, "created_at", row->created_us);
	return object;
}

static enum status reply_data(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct data_row row;
	TRY(api_read(req, &reader, err));
	TRY(data_rows_by_id(reader.conn, id, req->arena, &row, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *root = data_json(req, doc, &row);
	yyjson_mut_doc_set_root(doc, root);
	TRY(tag_json_of(reader.conn, id, doc, root, req->arena, err));
	return http_reply_json(req, reply, doc);
}

/* ---- create ---- */

struct creation {
	struct data_row row;
	struct uuid tags[TAGS_MAX];
	size_t tag_count;
};

static enum status read_tags(yyjson_val *body, struct creation *new, struct err *err)
{
	yyjson_val *tags = yyjson_obj_get(body, "tags"), *value;
	size_t i, count;
	if (tags == NULL || yyjson_is_null(tags))
		return ST_OK;
	if (!yyjson_is_arr(tags) || yyjson_arr_size(tags) > TAGS_MAX)
		return err_set(err, ST_INVALID, "\"tags\" must be a list of at most %d ids.", TAGS_MAX);
	yyjson_arr_foreach (tags, i, count, value) {
		const char *text = yyjson_get_str(value);
		if (text == NULL || !uuid_parse(text, &new->tags[i]))
			return err_set(err, ST_INVALID, "\"tags\" must be a list of ids (UUIDs).");
	}
	new->tag_count = count;
	return ST_OK;
}

static enum status read_size(yyjson_val *body, struct data_row *row, struct err *err)
{
	yyjson_val *meta = yyjson_obj_get(body, "meta");
	if (!yyjson_is_obj(meta))
		return ST_OK;
	TRY(json_integer(meta, "width", &row->width, err));
	TRY(json_integer(meta, "height", &row->height, err));
	if (row->width < 0 || row->height < 0 || row->width > SIDE_MAX || row->height > SIDE_MAX)
		return err_set(err, ST_INVALID,
			"\"meta\" must have a width and a height in pixels, from 0 to %d.", SIDE_MAX);
	return ST_OK;
}

static enum status read_creation(struct http_request *req, struct creation *new, struct err *err)
{
	struct data_row *row = &new->row;
	yyjson_val *body;
	TRY(api_id(req, "id", "datalake", &row->datalake_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "filename", true, &row->filename, err));
	TRY(json_text_required(body, "object_name", &row->object_name, err));
	TRY(json_text_required(body, "content_type", &row->content_type, err));
	TRY(presign_check_content_type(row->content_type, err));
	TRY(api_json_id(body, "data_source_id", false, &row->source_id, err));
	TRY(api_json_stored(req, body, "metadata", &row->metadata, err));
	TRY(api_json_stored(req, body, "custom_metadata", &row->custom_metadata, err));
	TRY(read_size(body, row, err));
	return read_tags(body, new, err);
}

/* The bytes of the datalake's object must be there. */
static enum status check_object(
	struct http_request *req, const struct data_row *row, struct object_row *object, struct err *err)
{
	API_READER reader = {0};
	struct datalake_row lake;
	TRY(api_read(req, &reader, err));
	TRY(datalake_rows_by_id(reader.conn, row->datalake_id, req->arena, &lake, err));
	return object_rows_stored(reader.conn, row->object_name, req->arena, object, err);
}

/* What the file's header says of its size is believed before what the client says. */
static enum status measure(struct api *api, const char *sha256, struct data_row *row, struct err *err)
{
	int fd;
	uint64_t size;
	char path[40];
	struct span bytes;
	struct image_info info;
	struct err unreadable;
	TRY(blob_open(api->blobs, sha256, &fd, &size, err));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	enum status st = file_map(path, &bytes, err);
	close(fd);
	TRY(st);
	if (image_inspect(bytes, &image_limits_default, &info, &unreadable) == ST_OK) {
		row->width = info.width;
		row->height = info.height;
	}
	file_unmap(bytes);
	return ST_OK;
}

static enum status insert_data(struct db_conn *c, void *arg, struct err *err)
{
	const struct creation *new = arg;
	struct arena a;
	TRY(data_rows_insert(c, &new->row, err));
	arena_init(&a);
	enum status st = ST_OK;
	for (size_t i = 0; st == ST_OK && i < new->tag_count; i++) {
		struct tag_row tag;
		bool attached;
		st = tag_rows_by_id(c, new->tags[i], &a, &tag, err);
		if (st == ST_OK)
			st = tag_rows_attach(c, &tag, new->row.id, &attached, err);
	}
	arena_release(&a);
	return st;
}

enum status api_data_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct creation *new = ARENA_NEW(req->arena, struct creation);
	struct object_row object;
	TRY(read_creation(req, new, err));
	TRY(check_object(req, &new->row, &object, err));
	TRY(measure(api_of(req), object.sha256, &new->row, err));
	new->row.created_us = clock_unix_us();
	new->row.id = uuid_v7(new->row.created_us / 1000);
	TRY(api_write(req, "data.create", new->row.id, insert_data, new, err));
	reply->code = 201;
	return reply_data(req, reply, new->row.id, err);
}

/* ---- one data ---- */

enum status api_data_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "data", &id, err));
	return reply_data(req, reply, id, err);
}

enum status api_data_presigned_url(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct data_row row;
	struct uuid id;
	TRY(api_id(req, "id", "data", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(data_rows_by_id(reader.conn, id, req->arena, &row, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_text(
		doc, root, "presigned_url", presign_download_url(api_of(req), row.object_name, req->arena));
	return http_reply_json(req, reply, doc);
}

/* None are made yet: the SDK may ask. */
enum status api_data_projections(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "data", &id, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	return api_reply_list(req, reply, doc, yyjson_mut_arr(doc), 0);
}

struct patch {
	struct uuid id;
	struct http_request *req;
	yyjson_val *body;
	struct data_row row;
};

static enum status patch_data(struct db_conn *c, void *arg, struct err *err)
{
	struct patch *p = arg;
	TRY(data_rows_by_id(c, p->id, p->req->arena, &p->row, err));
	TRY(api_json_stored(p->req, p->body, "metadata", &p->row.metadata, err));
	TRY(api_json_stored(p->req, p->body, "custom_metadata", &p->row.custom_metadata, err));
	return data_rows_update(c, &p->row, err);
}

static enum status run_patch(struct http_request *req, struct patch *p, struct err *err)
{
	*p = (struct patch){.req = req};
	TRY(api_id(req, "id", "data", &p->id, err));
	TRY(api_body(req, &p->body, err));
	return api_write(req, "data.update", p->id, patch_data, p, err);
}

enum status api_data_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct patch p;
	TRY(run_patch(req, &p, err));
	return reply_data(req, reply, p.id, err);
}

enum status api_data_patch_custom(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct patch p;
	TRY(run_patch(req, &p, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_json(doc, root, "custom_metadata", p.row.custom_metadata, req->arena);
	return http_reply_json(req, reply, doc);
}

static enum status delete_data(struct db_conn *c, void *arg, struct err *err)
{
	return data_rows_delete(c, *(const struct uuid *)arg, err);
}

enum status api_data_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "data", &id, err));
	TRY(api_write(req, "data.delete", id, delete_data, &id, err));
	return http_reply_empty(reply, 204);
}
