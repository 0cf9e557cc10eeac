/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What moves many assets: add data, copy, fork, make classes of tags. Up to ASSETS_AT_ONCE_MAX it is done
 * before the answer, more is a job that goes on after it; either way there is a job.
 */
#include "api/dataset_json.h"
#include "api/id_list.h"
#include "api/job_json.h"
#include "api/nouns.h"
#include "base/check.h"
#include "jobs/jobs.h"
#include "learn/assets.h"
#include "os/clock.h"

#include <stdlib.h>

#define IDS_MAX 10000 /* of one request */
#define TAGS_MAX 100

struct work {
	struct assets_store store;
	const char *kind;      /* of the job; in the audit log too */
	struct uuid object_id; /* the version that changes */
	enum { WORK_ADD, WORK_COPY, WORK_CLASSIFY } what;
	struct assets_addition addition;
	struct assets_copy copy;
	struct assets_classify classify;
	struct arena arena; /* what these point to */
};

static struct work *work_new(struct http_request *req)
{
	struct work *w = calloc(1, sizeof(*w));
	CHECK(w != NULL);
	arena_init(&w->arena);
	w->store = (struct assets_store){api_of(req)->readers, api_of(req)->recorder};
	return w;
}

static void work_free(void *arg)
{
	struct work *w = arg;
	arena_release(&w->arena);
	free(w);
}

static enum status work_do(
	struct work *w, struct job *job, struct arena *a, const char **result, struct err *err)
{
	int64_t assets;
	if (w->what == WORK_ADD)
		TRY(assets_add(&w->store, &w->addition, job, &assets, err));
	else if (w->what == WORK_COPY)
		TRY(assets_copy(&w->store, &w->copy, job, &assets, err));
	else
		TRY(assets_classify(&w->store, &w->classify, job, &assets, err));
	*result = arena_printf(a, "{\"assets\":%lld}", (long long)assets);
	return ST_OK;
}

static enum status work_run(struct job *job, void *arg, struct arena *a, const char **result, struct err *err)
{
	return work_do(arg, job, a, result, err);
}

static enum status insert_job(struct db_conn *c, void *arg, struct err *err)
{
	return job_rows_insert(c, arg, err);
}

/* Done now, and a job that has ended tells of it. */
static enum status finish(struct http_request *req, struct work *w, struct job_row *row, struct err *err)
{
	int64_t now_us = clock_unix_us();
	*row = (struct job_row){.id = uuid_v7(now_us / 1000),
		.kind = w->kind,
		.status = "SUCCESS",
		.object_id = w->object_id,
		.who = caller_of(req)->user_name,
		.progress = 1,
		.message = "",
		.created_us = now_us};
	TRY(work_do(w, NULL, req->arena, &row->result, err));
	row->finished_us = clock_unix_us();
	return api_write(req, w->kind, w->object_id, insert_job, row, err);
}

static enum status nothing(struct db_conn *c, void *arg, struct err *err)
{
	return ST_OK;
}

/* Takes the work. */
static enum status start(
	struct http_request *req, struct work *w, size_t assets, struct job_row *row, struct err *err)
{
	const struct job_work job = {.kind = w->kind,
		.object_id = w->object_id,
		.who = caller_of(req)->user_name,
		.run = work_run,
		.arg = w,
		.release = work_free};
	if (assets <= ASSETS_AT_ONCE_MAX) {
		enum status st = finish(req, w, row, err);
		work_free(w);
		return st;
	}
	const char *kind = w->kind; /* the work may have ended before the audit log hears of it */
	struct uuid object_id = w->object_id;
	enum status st = jobs_start(api_of(req)->jobs, &job, req->arena, row, err);
	if (st != ST_OK) {
		work_free(w);
		return st;
	}
	return api_write(req, kind, object_id, nothing, NULL, err);
}

static struct uuid *keep_ids(struct work *w, const struct uuid *ids, size_t count)
{
	struct uuid *kept = ARENA_ARRAY(&w->arena, struct uuid, count + 1);
	for (size_t i = 0; i < count; i++)
		kept[i] = ids[i];
	return kept;
}

/* ---- add data ---- */

static enum status read_addition(struct http_request *req, struct assets_addition *out, struct err *err)
{
	yyjson_val *body;
	struct uuid *data_ids, *tag_ids = NULL;
	*out = (struct assets_addition){0};
	TRY(api_id(req, "id", "dataset version", &out->dataset_version_id, err));
	TRY(api_body(req, &body, err));
	TRY(id_list_read(req, body, "data_ids", IDS_MAX, &data_ids, &out->count, err));
	yyjson_val *tags = yyjson_obj_get(body, "asset_tag_ids");
	if (tags && !yyjson_is_null(tags))
		TRY(id_list_read(req, body, "asset_tag_ids", TAGS_MAX, &tag_ids, &out->tag_count, err));
	out->data_ids = data_ids;
	out->tag_ids = tag_ids;
	return ST_OK;
}

static enum status reply_job(struct http_request *req, struct http_reply *reply, const struct job_row *row)
{
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_val(doc, root, "job", job_json(doc, row, req->arena));
	return http_reply_json(req, reply, doc);
}

enum status api_asset_add(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct assets_addition addition;
	struct job_row row;
	TRY(read_addition(req, &addition, err));
	struct work *w = work_new(req);
	w->kind = "dataset_add";
	w->object_id = addition.dataset_version_id;
	w->what = WORK_ADD;
	w->addition = addition;
	w->addition.data_ids = keep_ids(w, addition.data_ids, addition.count);
	w->addition.tag_ids = keep_ids(w, addition.tag_ids, addition.tag_count);
	TRY(start(req, w, addition.count, &row, err));
	return reply_job(req, reply, &row);
}

/* ---- copy ---- */

static enum status read_flag(yyjson_val *body, const char *key, bool *out, struct err *err)
{
	yyjson_val *value = yyjson_obj_get(body, key);
	if (value == NULL || yyjson_is_null(value))
		return ST_OK;
	if (!yyjson_is_bool(value))
		return err_set(err, ST_INVALID, "\"%s\" must be true or false.", key);
	*out = yyjson_get_bool(value);
	return ST_OK;
}

static enum status read_copy(
	struct http_request *req, yyjson_val *body, struct assets_copy *out, struct err *err)
{
	struct uuid *ids;
	yyjson_val *list = yyjson_obj_get(body, "asset_ids");
	TRY(read_flag(body, "with_labels", &out->with_labels, err));
	TRY(read_flag(body, "with_annotations", &out->with_annotations, err));
	TRY(read_flag(body, "with_tags", &out->with_tags, err));
	if (list == NULL || yyjson_is_null(list))
		return ST_OK;
	TRY(id_list_read(req, body, "asset_ids", IDS_MAX, &ids, &out->count, err));
	out->asset_ids = ids;
	return ST_OK;
}

/* How much there is to do. Labels and annotations go together: the copy's labels are in the same order. */
static enum status count_assets(
	struct http_request *req, struct assets_copy *copy, size_t *assets, struct err *err)
{
	API_READER reader = {0};
	struct dataset_version_counts counts;
	copy->with_labels |= copy->with_annotations;
	*assets = copy->count;
	if (copy->asset_ids)
		return ST_OK;
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_rows_counts(reader.conn, copy->from_id, &counts, err));
	*assets = (size_t)counts.assets;
	return ST_OK;
}

static enum status start_copy(struct http_request *req, const char *kind, struct assets_copy *copy,
	struct job_row *row, struct err *err)
{
	size_t assets;
	TRY(count_assets(req, copy, &assets, err));
	struct work *w = work_new(req);
	w->kind = kind;
	w->object_id = copy->to_id;
	w->what = WORK_COPY;
	w->copy = *copy;
	if (copy->asset_ids)
		w->copy.asset_ids = keep_ids(w, copy->asset_ids, copy->count);
	return start(req, w, assets, row, err);
}

static enum status check_copy(struct http_request *req, const struct assets_copy *copy, struct err *err)
{
	API_READER reader = {0};
	struct dataset_version_row from, to;
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_rows_by_id(reader.conn, copy->from_id, req->arena, &from, err));
	TRY(dataset_version_rows_by_id(reader.conn, copy->to_id, req->arena, &to, err));
	if (uuid_equal(from.id, to.id))
		return err_set(err, ST_INVALID, "A dataset version cannot be copied into itself.");
	return uuid_equal(from.dataset_id, to.dataset_id)
		       ? ST_OK
		       : err_set(err, ST_INVALID, "Assets are copied between versions of one dataset.");
}

enum status api_asset_copy(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct assets_copy copy = {0};
	struct job_row row;
	yyjson_val *body;
	TRY(api_id(req, "id", "dataset version", &copy.from_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_id(body, "destination_id", true, &copy.to_id, err));
	TRY(read_copy(req, body, &copy, err));
	if (copy.asset_ids == NULL)
		return err_set(err, ST_INVALID, "\"asset_ids\" must be a list of at most %d ids.", IDS_MAX);
	TRY(check_copy(req, &copy, err));
	TRY(start_copy(req, "dataset_copy", &copy, &row, err));
	return reply_job(req, reply, &row);
}

/* ---- classes of tags ---- */

static enum status read_version(
	struct http_request *req, struct dataset_version_row *version, size_t *assets, struct err *err)
{
	API_READER reader = {0};
	struct dataset_version_counts counts;
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_of_path(req, reader.conn, version, err));
	TRY(dataset_version_rows_counts(reader.conn, version->id, &counts, err));
	*assets = (size_t)counts.assets;
	if (strcmp(version->type, "CLASSIFICATION") == 0)
		return ST_OK;
	return err_set(err, ST_INVALID,
		"Tags become classes in dataset versions of type CLASSIFICATION, and this is of type %s.",
		version->type);
}

/* Answers the job itself, as the SDK reads it. */
enum status api_asset_tags_convert(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct dataset_version_row version;
	struct job_row row;
	struct uuid *ids;
	yyjson_val *body;
	size_t count, assets;
	TRY(api_body(req, &body, err));
	TRY(id_list_read(req, body, "tag_ids", TAGS_MAX, &ids, &count, err));
	TRY(read_version(req, &version, &assets, err));
	struct work *w = work_new(req);
	w->kind = "dataset_classify";
	w->object_id = version.id;
	w->what = WORK_CLASSIFY;
	w->classify = (struct assets_classify){.dataset_version_id = version.id,
		.tag_ids = keep_ids(w, ids, count),
		.tag_count = count,
		.who = arena_strdup(&w->arena, caller_of(req)->user_name)};
	TRY(start(req, w, assets, &row, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, job_json(doc, &row, req->arena));
	return http_reply_json(req, reply, doc);
}

/* ---- fork ---- */

struct fork {
	struct dataset_version_row row;
	struct assets_copy copy;
};

static enum status read_fork(struct http_request *req, struct fork *f, struct err *err)
{
	API_READER reader = {0};
	struct dataset_version_row parent;
	yyjson_val *body;
	TRY(api_id(req, "id", "dataset", &f->row.dataset_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_id(body, "parent_id", true, &f->copy.from_id, err));
	TRY(read_copy(req, body, &f->copy, err));
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_rows_by_id(reader.conn, f->copy.from_id, req->arena, &parent, err));
	if (!uuid_equal(parent.dataset_id, f->row.dataset_id))
		return err_set(
			err, ST_INVALID, "The version \"%.200s\" is of another dataset.", parent.version);
	f->row.type = parent.type;
	f->row.description = arena_printf(req->arena, "Fork from %s", parent.version);
	TRY(dataset_version_read(body, true, &f->row, err));
	f->row.forked_from_id = parent.id;
	f->row.created_us = clock_unix_us();
	f->row.id = f->copy.to_id = uuid_v7(f->row.created_us / 1000);
	return ST_OK;
}

static enum status insert_version(struct db_conn *c, void *arg, struct err *err)
{
	return dataset_version_rows_insert(c, arg, err);
}

static enum status delete_version(struct db_conn *c, void *arg, struct err *err)
{
	return dataset_version_rows_delete(c, *(const struct uuid *)arg, err);
}

/* A fork that could not be made leaves nothing. */
static void take_back(struct http_request *req, struct uuid id)
{
	struct err ignored;
	(void)!recorder_run(api_of(req)->recorder, delete_version, &id, &ignored);
}

enum status api_dataset_fork(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct fork f = {0};
	struct job_row row;
	yyjson_mut_val *version;
	TRY(read_fork(req, &f, err));
	TRY(api_write(req, "dataset_version.create", f.row.id, insert_version, &f.row, err));
	enum status st = start_copy(req, "dataset_fork", &f.copy, &row, err);
	if (st != ST_OK)
		take_back(req, f.row.id);
	TRY(st);
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_rows_by_id(reader.conn, f.row.id, req->arena, &f.row, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	TRY(dataset_version_json(req, reader.conn, doc, &f.row, &version, err));
	yyjson_mut_obj_add_val(doc, root, "dataset_version", version);
	yyjson_mut_obj_add_val(doc, root, "job", job_json(doc, &row, req->arena));
	reply->code = 201;
	return http_reply_json(req, reply, doc);
}
