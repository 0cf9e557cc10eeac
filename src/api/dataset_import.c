/* SPDX-License-Identifier: Apache-2.0 */
/* Import: pictures and annotation files in, a job out, which makes them assets of the version. */
#include "api/job_json.h"
#include "api/label_json.h"
#include "api/nouns.h"
#include "base/check.h"
#include "http/multipart.h"
#include "learn/dataset_import.h"

#include <stdlib.h>

static const char *field(const struct multipart *form, const char *name, struct arena *a)
{
	const struct multipart_part *part = multipart_find(form, name);
	return part && part->body.size > 0 ? arena_strndup(a, (const char *)part->body.data, part->body.size)
					   : NULL;
}

static enum status read_options(const struct multipart *form, struct arena *a,
	struct dataset_import_request *request, struct err *err)
{
	const char *format = field(form, "format", a), *mode = field(form, "mode", a);
	if (format && !format_parse(format, &request->format))
		return err_set(err, ST_INVALID,
			"\"format\" must be coco, voc, yolo or folders, or be left out, not \"%.50s\".",
			format);
	if (mode && !dataset_import_mode_parse(mode, &request->mode))
		return err_set(err, ST_INVALID,
			"\"mode\" must be REPLACE, KEEP or CONCATENATE, not \"%.50s\".", mode);
	return ST_OK;
}

static enum status read_form(
	struct http_request *req, struct span body, struct dataset_import_request *request, struct err *err)
{
	struct multipart *form;
	TRY(multipart_parse(http_header(req, "Content-Type"), body, req->arena, &form, err));
	TRY(read_options(form, req->arena, request, err));
	struct dataset_import_file *files =
		ARENA_ARRAY(req->arena, struct dataset_import_file, form->count + 1);
	for (size_t i = 0; i < form->count; i++) {
		const struct multipart_part *part = &form->parts[i];
		bool picture = strcmp(part->name, "media") == 0;
		if (!picture && strcmp(part->name, "annotations") != 0)
			continue;
		if (part->filename == NULL)
			return err_set(err, ST_INVALID,
				"Each part \"%s\" of the form must be a file with a name.", part->name);
		files[request->file_count++] = (struct dataset_import_file){
			.name = part->filename, .bytes = part->body, .picture = picture};
	}
	request->files = files;
	return ST_OK;
}

static void drop_body(void *arg)
{
	http_drop_body(arg);
	free(arg);
}

/* The files stay where they arrived until the job has ended. Takes kept. */
static enum status start(struct http_request *req, struct uuid id, struct http_kept *kept,
	struct job_row *job, struct err *err)
{
	struct api *api = api_of(req);
	const struct dataset_import_world world = {api->jobs, api->readers, api->recorder, api->blobs};
	struct dataset_import_request request = {.dataset_version_id = id,
		.who = caller_of(req)->user_name,
		.release = drop_body,
		.arg = kept};
	enum status st = read_form(req, kept->body, &request, err);
	if (st != ST_OK) {
		drop_body(kept);
		return st;
	}
	return dataset_import_start(&world, &request, req->arena, job, err);
}

enum status api_dataset_import(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	struct job_row job;
	TRY(label_read_version(req, &id, err));
	struct http_kept *kept = calloc(1, sizeof(*kept));
	CHECK(kept != NULL);
	enum status st = http_keep_body(req, kept, err);
	if (st != ST_OK) {
		free(kept);
		return st;
	}
	TRY(start(req, id, kept, &job, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_val(doc, root, "job", job_json(doc, &job, req->arena));
	reply->code = 202;
	return http_reply_json(req, reply, doc);
}
