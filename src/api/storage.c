/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object storage itself, behind presigned URLs: a form with a file comes in, a
 * file goes out. Admission has checked the signature (guard.c). What comes out was
 * written by anybody, so it must not run in a browser as a page of ours.
 */
#include "api/api.h"
#include "api/nouns.h"
#include "api/presign.h"
#include "base/check.h"
#include "base/str.h"
#include "http/multipart.h"
#include "os/clock.h"
#include "store/object_rows.h"

#include <inttypes.h>
#include <strings.h>

static enum status store_object(struct db_conn *c, void *arg, struct err *err)
{
	return object_rows_store(c, arg, err);
}

/* The fields of the form may repeat what the link says, and must not contradict it. */
static enum status check_field(
	const struct multipart *form, const char *name, const char *right, struct err *err)
{
	const struct multipart_part *part = multipart_find(form, name);
	if (part == NULL || span_equal(part->body, span_of_text(right)))
		return ST_OK;
	return err_set(err, ST_FORBIDDEN, "The field \"%s\" of the form is not what this link allows.", name);
}

enum status api_storage_upload(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct presign policy;
	struct multipart *form;
	char sha256[SHA256_HEX_SIZE];
	const char *content_type = http_header(req, "Content-Type");
	TRY(presign_read(req, &policy, err));
	TRY(multipart_parse(content_type ? content_type : "", req->body, req->arena, &form, err));
	const struct multipart_part *file = multipart_find(form, "file");
	if (file == NULL)
		return err_set(err, ST_INVALID, "The form has no part named \"file\".");
	if (file->body.size > policy.size_max)
		return err_set(
			err, ST_TOO_LARGE, "This link allows a file of %" PRIu64 " bytes.", policy.size_max);
	if (multipart_find(form, "key") == NULL)
		return err_set(
			err, ST_FORBIDDEN, "The form must send the field \"key\" that came with this link.");
	TRY(check_field(form, "key", policy.name, err));
	TRY(check_field(form, "Content-Type", policy.content_type, err));
	TRY(blob_put(api_of(req)->blobs, file->body, sha256, err));
	struct object_row row = {
		.name = policy.name,
		.sha256 = sha256,
		.content_type = policy.content_type,
		.size_bytes = (int64_t)file->body.size,
	};
	TRY(api_write(req, "object.store", (struct uuid){{0}}, store_object, &row, err));
	return http_reply_empty(reply, 204);
}

/* Images that a browser draws and never runs: not SVG. */
static bool is_raster(const char *content_type)
{
	static const char *const types[] = {
		"image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"};
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (strcasecmp(types[i], content_type) == 0)
			return true;
	return false;
}

/* RFC 6266 with RFC 8187: the last segment of the object's name. */
static const char *disposition(const char *name, bool raster, struct arena *a)
{
	const char *slash = strrchr(name, '/');
	struct str out;
	str_init(&out, 4096);
	str_printf(&out, "%s; filename*=UTF-8''", raster ? "inline" : "attachment");
	for (const char *c = slash ? slash + 1 : name; *c; c++) {
		if ((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			strchr("-._", *c))
			str_append_bytes(&out, c, 1);
		else
			str_printf(&out, "%%%02X", (unsigned char)*c);
	}
	const char *text = arena_strndup(a, out.text, out.size);
	str_release(&out);
	return text;
}

static enum status read_object(struct http_request *req, struct object_row *out, struct err *err)
{
	API_READER reader = {0};
	struct presign policy;
	TRY(presign_read(req, &policy, err));
	TRY(api_read(req, &reader, err));
	TRY(object_rows_by_name(reader.conn, policy.name, req->arena, out, err));
	return out->sha256 ? ST_OK
			   : err_set(err, ST_MISSING, "The object \"%.200s\" has no bytes yet.", policy.name);
}

enum status api_storage_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct object_row row;
	TRY(read_object(req, &row, err));
	const char *content_type = row.content_type ? row.content_type : "application/octet-stream";
	bool raster = is_raster(content_type);
	TRY(blob_open(api_of(req)->blobs, row.sha256, &reply->file_fd, &reply->file_size, err));
	reply->content_type = content_type;
	http_reply_header(reply, "Content-Disposition", disposition(row.name, raster, req->arena));
	http_reply_header(reply, "Content-Security-Policy", "default-src 'none'; sandbox");
	http_reply_header(reply, "X-Content-Type-Options", "nosniff");
	http_reply_header(reply, "Cross-Origin-Resource-Policy", "same-origin");
	/* A name never gets other bytes, and the link ends by itself. */
	http_reply_header(reply, "Cache-Control", "private, max-age=3600, immutable");
	return ST_OK;
}
