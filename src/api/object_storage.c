/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connector: names for objects and presigned URLs for them. gyre is its own
 * object storage (storage.c); to the SDK it looks like MinIO, whose uploads are a
 * form posted to a URL.
 */
#include "api/api.h"
#include "api/nouns.h"
#include "api/presign.h"
#include "base/check.h"
#include "os/clock.h"
#include "store/object_rows.h"

#include <stdio.h>

#define PENDING_US (INT64_C(24) * 3600 * 1000000) /* after that, a name without bytes is forgotten */

/* What an object is for, the folder its name starts with, and how large it may be. */
static const struct {
	const char *type, *folder;
	uint64_t size_max;
} kinds[] = {
	{"MODEL_FILE", "model-files", API_UPLOAD_BYTES_MAX},
	{"ARTIFACT", "artifacts", API_UPLOAD_BYTES_MAX},
	{"DATA", "data", API_UPLOAD_BYTES_MAX},
	{"DATA_PROJECTION", "projections", API_UPLOAD_BYTES_MAX},
	{"MODEL_THUMB", "thumbnails", API_IMAGE_BYTES_MAX},
	{"LOG_IMAGE", "log-images", API_IMAGE_BYTES_MAX},
	{"LOGGING", "logs", API_IMAGE_BYTES_MAX},
	{"AGENTS_REPORT", "reports", API_IMAGE_BYTES_MAX},
	{"CAMPAIGN_FILE", "campaigns", API_IMAGE_BYTES_MAX},
	{"REVIEW_CAMPAIGN_FILE", "review-campaigns", API_IMAGE_BYTES_MAX},
};

static enum status find_folder(const char *type, const char **folder, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (strcmp(kinds[i].type, type) == 0) {
			*folder = kinds[i].folder;
			return ST_OK;
		}
	}
	return err_set(err, ST_INVALID,
		"\"type\" must be a kind of object like DATA or MODEL_FILE, not \"%.100s\".", type);
}

static uint64_t size_max(const char *object_name)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		size_t size = strlen(kinds[i].folder);
		if (strncmp(object_name, kinds[i].folder, size) == 0 && object_name[size] == '/')
			return kinds[i].size_max;
	}
	return API_UPLOAD_BYTES_MAX;
}

static enum status reserve(struct db_conn *c, void *arg, struct err *err)
{
	int64_t now = clock_unix_us();
	TRY(object_rows_expire(c, now - PENDING_US, err));
	return object_rows_reserve(c, arg, now, err);
}

/* "<folder>/<upload_dir>/<uuid>/<filename>": nobody else has it, and the file's own name is the end of it. */
enum status api_object_generate_name(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	const char *filename, *type, *folder = NULL, *upload_dir = NULL;
	TRY(api_check_organization(req, err));
	TRY(api_check_connector(req, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "filename", true, &filename, err));
	TRY(json_text_required(body, "type", &type, err));
	TRY(api_json_name(body, "upload_dir", false, &upload_dir, err));
	TRY(find_folder(type, &folder, err));

	char id[UUID_TEXT_SIZE];
	struct uuid uuid = uuid_v7(clock_unix_ms());
	uuid_format(uuid, id);
	char *file = arena_strdup(req->arena, filename);
	for (char *c = file; *c; c++)
		if (*c == '/' || *c == '\\')
			*c = '_';
	char *name = upload_dir ? arena_printf(req->arena, "%s/%s/%s/%s", folder, upload_dir, id, file)
				: arena_printf(req->arena, "%s/%s/%s", folder, id, file);
	TRY(presign_check_name(name, err));
	TRY(api_write(req, "object.reserve", uuid, reserve, name, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_text(doc, root, "object_name", name);
	return http_reply_json(req, reply, doc);
}

static enum status check_pending(struct http_request *req, const char *name, bool *known, struct err *err)
{
	API_READER reader = {0};
	struct object_row row;
	TRY(api_read(req, &reader, err));
	enum status st = object_rows_by_name(reader.conn, name, req->arena, &row, err);
	*known = st == ST_OK;
	if (st != ST_OK && st != ST_MISSING)
		return st;
	if (*known && row.sha256)
		return err_set(err, ST_CONFLICT,
			"There is an object named \"%.200s\" already, with its bytes.", name);
	return ST_OK;
}

/* A name that nobody generated is reserved now: scripts may choose their own. */
enum status api_object_presigned_upload(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	const char *name, *content_type = "application/octet-stream";
	bool known;
	TRY(api_check_connector(req, err));
	TRY(api_body(req, &body, err));
	TRY(json_text_required(body, "object_name", &name, err));
	TRY(json_text(body, "content_type", &content_type, err));
	TRY(presign_check_name(name, err));
	TRY(presign_check_content_type(content_type, err));
	TRY(check_pending(req, name, &known, err));
	if (!known)
		TRY(api_write(
			req, "object.reserve", (struct uuid){{0}}, reserve, (void *)(uintptr_t)name, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_text(doc, root, "client_type", "minio");
	yyjson_mut_val *data = yyjson_mut_obj_add_obj(doc, root, "presigned_url_data");
	api_add_text(doc, data, "url",
		presign_upload_url(api_of(req), name, content_type, size_max(name), req->arena));
	yyjson_mut_val *fields = yyjson_mut_obj_add_obj(doc, data, "fields");
	api_add_text(doc, fields, "key", name);
	return http_reply_json(req, reply, doc);
}

/* Without a client_type the SDK falls back to one upload: the server takes files of any size that way. */
enum status api_object_init_multipart(struct http_request *req, struct http_reply *reply, struct err *err)
{
	TRY(api_check_connector(req, err));
	yyjson_mut_doc *doc;
	api_object(req, &doc);
	return http_reply_json(req, reply, doc);
}

enum status api_object_presigned_download(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct object_row row;
	yyjson_val *body;
	const char *name;
	TRY(api_check_connector(req, err));
	TRY(api_body(req, &body, err));
	TRY(json_text_required(body, "object_name", &name, err));
	TRY(api_read(req, &reader, err));
	TRY(object_rows_by_name(reader.conn, name, req->arena, &row, err));
	if (row.sha256 == NULL)
		return err_set(err, ST_MISSING, "The object \"%.200s\" has no bytes yet.", name);
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_text(doc, root, "presigned_url", presign_download_url(api_of(req), row.name, req->arena));
	return http_reply_json(req, reply, doc);
}
