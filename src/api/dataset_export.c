/* SPDX-License-Identifier: Apache-2.0 */
/* Export: a version's annotations as an object with a link, which is the SDK's way; and as a zip, with
 * pictures. */
#include "api/label_json.h"
#include "api/id_list.h"
#include "api/nouns.h"
#include "api/presign.h"
#include "learn/dataset_export.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/annotation_rows.h"
#include "store/object_rows.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ASSETS_MAX 100000 /* chosen ones */

static enum status check_format(const char *text, enum format *out, struct err *err)
{
	if (format_parse(text, out) && (*out == FORMAT_COCO || *out == FORMAT_VOC || *out == FORMAT_YOLO))
		return ST_OK;
	return err_set(err, ST_INVALID, "An export is in COCO, PASCAL_VOC or YOLO, not in \"%.50s\".", text);
}

static enum status make(struct http_request *req, const struct dataset_export_options *options,
	struct dataset_export *out, struct err *err)
{
	API_READER reader = {0};
	TRY(api_read(req, &reader, err));
	return dataset_export_make(reader.conn, options, req->arena, out, err);
}

/* ---- the zip ---- */

static enum status read_query(
	struct http_request *req, struct dataset_export_options *options, bool *images, struct err *err)
{
	const char *format, *side = http_query(req, "for"), *with = http_query(req, "images");
	TRY(label_read_version(req, &options->dataset_version_id, err));
	TRY(api_query_text(req, "format", &format, err));
	TRY(check_format(format, &options->format, err));
	if (side && !dataset_export_side_parse(side, &options->side))
		return err_set(
			err, ST_INVALID, "\"for\" must be training, evaluation or all, not \"%.50s\".", side);
	if (with && strcmp(with, "0") != 0 && strcmp(with, "1") != 0)
		return err_set(err, ST_INVALID, "\"images\" must be 0 or 1.");
	*images = with && *with == '1';
	return ST_OK;
}

enum status api_dataset_export(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct dataset_export_options options = {0};
	struct dataset_export e;
	bool images = false;
	TRY(read_query(req, &options, &images, err));
	TRY(make(req, &options, &e, err));
	TRY(dataset_export_zip(&e, api_of(req)->blobs, images, api_of(req)->spool_folder, req->arena,
		&reply->file_fd, &reply->file_size, err));
	reply->content_type = "application/zip";
	http_reply_header(reply, "Content-Disposition",
		arena_printf(req->arena, "attachment; filename=\"%s.zip\"", e.name));
	return ST_OK;
}

/* ---- the object ---- */

static enum status read_assets(
	yyjson_val *body, struct arena *a, struct dataset_export_options *options, struct err *err)
{
	yyjson_val *list = yyjson_obj_get(body, "asset_ids");
	struct uuid *ids;
	size_t count;
	if (list == NULL || yyjson_is_null(list))
		return ST_OK;
	TRY(id_list_parse(list, "\"asset_ids\"", ASSETS_MAX, a, &ids, &count, err));
	options->asset_ids = ids;
	options->asset_count = count;
	return ST_OK;
}

static enum status read_body(
	struct http_request *req, struct dataset_export_options *options, struct err *err)
{
	yyjson_val *body;
	const char *type;
	bool video = false;
	TRY(label_read_version(req, &options->dataset_version_id, err));
	TRY(api_body(req, &body, err));
	TRY(json_text_required(body, "type", &type, err));
	TRY(check_format(type, &options->format, err));
	TRY(json_bool(body, "use_id", &options->use_id, err));
	TRY(json_bool(body, "export_video", &video, err));
	if (video)
		return err_set(err, ST_INVALID, "There are no videos here: \"export_video\" must be false.");
	TRY(json_text(body, "status", &options->status, err));
	if (options->status && !annotation_status_known(options->status))
		return err_set(err, ST_INVALID,
			"\"status\" must be PENDING, SKIPPED, ACCEPTED or REFUSED, not \"%.50s\".",
			options->status);
	return read_assets(body, req->arena, options, err);
}

static enum status put_zip(struct http_request *req, const struct dataset_export *e,
	struct object_row *object, char sha256[SHA256_HEX_SIZE], struct err *err)
{
	int fd;
	uint64_t size;
	char path[40];
	struct span bytes;
	struct api *api = api_of(req);
	TRY(dataset_export_zip(e, api->blobs, false, api->spool_folder, req->arena, &fd, &size, err));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	enum status st = file_map(path, &bytes, err);
	close(fd);
	TRY(st);
	st = blob_put(api->blobs, bytes, sha256, err);
	file_unmap(bytes);
	object->size_bytes = (int64_t)size;
	return st;
}

/* The same export again is the same object. */
static enum status insert_object(struct db_conn *c, void *arg, struct err *err)
{
	enum status st = object_rows_insert(c, arg, err);
	return st == ST_CONFLICT ? ST_OK : st;
}

static enum status store(struct http_request *req, const struct dataset_export *e, enum format format,
	struct object_row *object, struct err *err)
{
	char *sha256 = ARENA_ARRAY(req->arena, char, SHA256_HEX_SIZE);
	bool json = format == FORMAT_COCO;
	*object = (struct object_row){.sha256 = sha256,
		.content_type = json ? "application/json" : "application/zip",
		.created_us = clock_unix_us()};
	if (json) {
		struct span text = e->files.files[0].bytes;
		TRY(blob_put(api_of(req)->blobs, text, sha256, err));
		object->size_bytes = (int64_t)text.size;
	} else {
		TRY(put_zip(req, e, object, sha256, err));
	}
	object->name = arena_printf(req->arena, "%s-%.12s.%s", e->name, sha256, json ? "json" : "zip");
	return api_write(req, "dataset.export", (struct uuid){{0}}, insert_object, object, err);
}

enum status api_annotation_export(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct dataset_export_options options = {0};
	struct dataset_export e;
	struct object_row object;
	TRY(read_body(req, &options, err));
	TRY(make(req, &options, &e, err));
	TRY(store(req, &e, options.format, &object, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_text(doc, root, "object_name", object.name);
	api_add_text(doc, root, "presigned_url", presign_download_url(api_of(req), object.name, req->arena));
	yyjson_mut_val *problems = yyjson_mut_obj_add_arr(doc, root, "problems");
	for (size_t i = 0; i < e.files.problem_count; i++)
		yyjson_mut_arr_add_str(doc, problems, e.files.problems[i]);
	return http_reply_json(req, reply, doc);
}
