/* SPDX-License-Identifier: Apache-2.0 */
/* Predict: a multipart form as the SDK sends it, or the bytes of an image as the body. */
#include "api/nouns.h"
#include "api/api.h"
#include "api/live.h"
#include "http/multipart.h"
#include "serve/pipeline.h"
#include "store/object_rows.h"

#include <strings.h>

#define NAME_SIZE_MAX 200u

static const char *part_text(const struct multipart_part *part, struct arena *a)
{
	return part ? arena_strndup(a, (const char *)part->body.data, part->body.size) : NULL;
}

static const char *field_text(const struct multipart *form, const char *name, struct arena *a)
{
	return part_text(multipart_find(form, name), a);
}

static enum status add_tag(struct serve_request *r, const char *tag, struct err *err)
{
	if (*tag == '\0')
		return ST_OK;
	if (r->tag_count == SERVE_TAGS_MAX)
		return err_set(
			err, ST_INVALID, "At most %d tags can be given with one image.", SERVE_TAGS_MAX);
	TRY(api_check_name(tag, "tags", err));
	r->tags[r->tag_count++] = tag;
	return ST_OK;
}

static enum status read_form(struct http_request *req, struct serve_request *r, struct err *err)
{
	struct multipart *form;
	TRY(multipart_parse(http_header(req, "Content-Type"), req->body, req->arena, &form, err));
	const struct multipart_part *media = multipart_find(form, "media");
	if (media == NULL)
		return err_set(err, ST_INVALID, "The form has no part named \"media\" with the image.");
	r->image = media->body;
	r->filename = media->filename;
	r->source = field_text(form, "source", req->arena);
	r->metadata = field_text(form, "metadata", req->arena);
	r->custom_metadata = field_text(form, "custom_metadata", req->arena);
	for (size_t i = 0; i < form->count; i++)
		if (strcmp(form->parts[i].name, "tags") == 0)
			TRY(add_tag(r, part_text(&form->parts[i], req->arena), err));
	const char *monitor = field_text(form, "monitor", req->arena);
	r->monitor = monitor == NULL || strcasecmp(monitor, "false") != 0;
	return ST_OK;
}

static enum status read_raw(struct http_request *req, struct serve_request *r, struct err *err)
{
	const char *tags[SERVE_TAGS_MAX];
	r->image = req->body;
	r->filename = http_query(req, "filename");
	r->source = http_query(req, "source");
	r->metadata = http_query(req, "metadata");
	r->custom_metadata = http_query(req, "custom_metadata");
	const char *monitor = http_query(req, "monitor");
	r->monitor = monitor == NULL || strcasecmp(monitor, "false") != 0;
	size_t count = http_query_all(req, "tags", tags, SERVE_TAGS_MAX);
	if (count > SERVE_TAGS_MAX)
		return err_set(
			err, ST_INVALID, "At most %d tags can be given with one image.", SERVE_TAGS_MAX);
	for (size_t i = 0; i < count; i++)
		TRY(add_tag(r, tags[i], err));
	return ST_OK;
}

/* Metadata are stored and given back as they came: they must be JSON objects. */
static enum status check_object(const char *text, const char *what, struct arena *a, struct err *err)
{
	yyjson_doc *doc;
	if (text == NULL)
		return ST_OK;
	TRY(json_parse(span_of_text(text), a, &doc, err));
	if (!yyjson_is_obj(yyjson_doc_get_root(doc)))
		return err_set(err, ST_INVALID, "\"%s\" must be a JSON object.", what);
	return ST_OK;
}

/* A file's name without its folders, and not longer than a name may be. */
static const char *base_name(const char *path)
{
	if (path == NULL)
		return NULL;
	for (const char *c = path; *c; c++)
		if (*c == '/' || *c == '\\')
			path = c + 1;
	size_t size = strlen(path);
	if (size > NAME_SIZE_MAX)
		path += size - NAME_SIZE_MAX;
	while (((unsigned char)*path & 0xc0) == 0x80)
		path++; /* not in the middle of a UTF-8 sequence */
	return *path ? path : NULL;
}

/* What came with the request is fit to be stored. */
static enum status check_request(struct serve_request *r, struct err *err)
{
	r->filename = base_name(r->filename);
	if (r->filename)
		TRY(api_check_name(r->filename, "filename", err));
	if (r->source)
		TRY(api_check_name(r->source, "source", err));
	TRY(check_object(r->metadata, "metadata", r->arena, err));
	return check_object(r->custom_metadata, "custom_metadata", r->arena, err);
}

static enum status read_request(struct http_request *req, struct serve_request *r, struct err *err)
{
	const char *type = http_header(req, "Content-Type");
	if (type && strncasecmp(type, "multipart/", 10) == 0)
		TRY(read_form(req, r, err));
	else
		TRY(read_raw(req, r, err));
	if (r->image.size == 0)
		return err_set(err, ST_INVALID,
			"There is no image: send it as the form's part \"media\", or as the body.");
	TRY(check_request(r, err));
	r->idempotency_key = http_header(req, "Idempotency-Key");
	return ST_OK;
}

/* A request that is no good is one that the deployment failed to answer. */
static enum status refused(struct http_request *req, enum status st, struct err *err)
{
	if (st != ST_OK)
		live_refused(req, err);
	return st;
}

enum status api_predict(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct serve_request r = {.received_us = req->received_us, .arena = req->arena};
	TRY(api_id(req, "id", "deployment", &r.deployment_id, err));
	TRY(refused(req, read_request(req, &r, err), err));
	return serve_predict(api_of(req)->serve, &r, &reply->body, err);
}

/* ---- an image that is stored already ---- */

static enum status read_stored(
	struct http_request *req, yyjson_val *body, struct serve_request *r, struct err *err)
{
	API_READER reader = {0};
	struct object_row object;
	yyjson_val *cloud = yyjson_obj_get(body, "cloud_image"), *tag;
	size_t i, n;
	if (!yyjson_is_obj(cloud))
		return err_set(err, ST_INVALID,
			"\"cloud_image\" is missing: it must be an object with the \"object_name\".");
	TRY(json_text_required(cloud, "object_name", &r->object_name, err));
	TRY(json_text(body, "source", &r->source, err));
	TRY(json_bool(body, "monitor", &r->monitor, err));
	TRY(api_json_stored(req, body, "metadata", &r->metadata, err));
	TRY(api_json_stored(req, body, "custom_metadata", &r->custom_metadata, err));
	yyjson_arr_foreach (yyjson_obj_get(body, "tags"), i, n, tag) {
		if (!yyjson_is_str(tag))
			return err_set(err, ST_INVALID, "\"tags\" must be a list of names.");
		TRY(add_tag(r, yyjson_get_str(tag), err));
	}
	TRY(api_read(req, &reader, err));
	TRY(object_rows_stored(reader.conn, r->object_name, req->arena, &object, err));
	r->sha256 = object.sha256;
	r->filename = r->object_name;
	return ST_OK;
}

static enum status read_stored_request(struct http_request *req, struct serve_request *r, struct err *err)
{
	yyjson_val *body;
	TRY(api_body(req, &body, err));
	TRY(read_stored(req, body, r, err));
	TRY(check_request(r, err));
	return blob_get(api_of(req)->blobs, r->sha256, API_IMAGE_BYTES_MAX, req->arena, &r->image, err);
}

enum status api_predict_stored(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct serve_request r = {.received_us = req->received_us, .monitor = true, .arena = req->arena};
	TRY(api_id(req, "id", "deployment", &r.deployment_id, err));
	TRY(refused(req, read_stored_request(req, &r, err), err));
	return serve_predict(api_of(req)->serve, &r, &reply->body, err);
}
