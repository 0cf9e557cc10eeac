/* SPDX-License-Identifier: Apache-2.0 */
/* Check: labelled pictures in, a job out, which ranks the recipes that the version could need. */
#include "api/job_json.h"
#include "api/nouns.h"
#include "base/check.h"
#include "http/multipart.h"
#include "learn/check_job.h"

#include <stdlib.h>

static enum status read_files(struct http_request *req, struct span body, struct truths_file **files,
	size_t *count, struct err *err)
{
	struct multipart *form;
	TRY(multipart_parse(http_header(req, "Content-Type"), body, req->arena, &form, err));
	*files = ARENA_ARRAY(req->arena, struct truths_file, form->count + 1);
	*count = 0;
	for (size_t i = 0; i < form->count; i++) {
		const struct multipart_part *part = &form->parts[i];
		bool picture = strcmp(part->name, "media") == 0;
		if (!picture && strcmp(part->name, "annotations") != 0)
			continue;
		if (part->filename == NULL)
			return err_set(err, ST_INVALID,
				"Each part \"%s\" of the form must be a file with a name.", part->name);
		(*files)[(*count)++] =
			(struct truths_file){.name = part->filename, .bytes = part->body, .picture = picture};
	}
	return ST_OK;
}

static enum status read_version(struct http_request *req, struct uuid id, struct model_version_row *version,
	struct model_row *model, struct err *err)
{
	API_READER reader = {0};
	TRY(api_read(req, &reader, err));
	TRY(model_rows_version_by_id(reader.conn, id, req->arena, version, err));
	return model_rows_by_id(reader.conn, version->model_id, req->arena, model, err);
}

static void drop_body(void *arg)
{
	http_drop_body(arg);
	free(arg);
}

/* The pictures stay where they arrived until the job has ended. Takes kept. */
static enum status start(struct http_request *req, struct uuid id, struct http_kept *kept,
	struct job_row *job, struct err *err)
{
	struct model_version_row version;
	struct model_row model;
	struct truths_file *files;
	size_t count;
	enum status st = read_version(req, id, &version, &model, err);
	if (st == ST_OK)
		st = read_files(req, kept->body, &files, &count, err);
	if (st != ST_OK) {
		drop_body(kept);
		return st;
	}
	const struct check_request request = {.version = &version,
		.model_name = model.name,
		.files = files,
		.file_count = count,
		.who = caller_of(req)->user_name,
		.release = drop_body,
		.arg = kept};
	return check_start(api_of(req)->jobs, api_of(req)->blobs, &request, req->arena, job, err);
}

enum status api_model_version_check(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	struct job_row job;
	TRY(api_id(req, "id", "model version", &id, err));
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
