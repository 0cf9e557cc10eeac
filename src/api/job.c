/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: long work, whoever started it. It is started where its noun is. */
#include "api/job_json.h"
#include "api/nouns.h"
#include "http/events.h"
#include "jobs/jobs.h"

#include <stdio.h>

#define CHANNEL_SIZE 48
#define EVENT_BYTES_MAX (32u << 10) /* half of what a stream may be behind */

yyjson_mut_val *job_json(yyjson_mut_doc *doc, const struct job_row *row, struct arena *a)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_text(doc, object, "kind", row->kind);
	api_add_text(doc, object, "status", row->status);
	api_add_id(doc, object, "object_id", row->object_id);
	api_add_text(doc, object, "by", row->who);
	yyjson_mut_obj_add_real(doc, object, "progress", row->progress);
	api_add_text(doc, object, "message", row->message);
	api_add_time(doc, object, "created_at", row->created_us);
	api_add_time(doc, object, "finished_at", row->finished_us);
	if (row->result)
		api_add_json(doc, object, "result", row->result, a);
	else
		yyjson_mut_obj_add_null(doc, object, "result");
	api_add_text(doc, object, "error", row->error);
	return object;
}

static void channel_of(struct uuid id, char out[CHANNEL_SIZE])
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	snprintf(out, CHANNEL_SIZE, "job:%s", text);
}

static struct span event_text(const struct job_row *row, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_doc_set_root(doc, job_json(doc, row, a));
	return json_print(doc, a);
}

void job_changed(void *arg, const struct job_row *row)
{
	struct api *api = arg;
	if (api->http == NULL)
		return;
	struct arena a;
	char channel[CHANNEL_SIZE];
	arena_init(&a);
	struct span text = event_text(row, &a);
	if (text.size > EVENT_BYTES_MAX) {
		struct job_row without = *row;
		without.result = NULL;
		text = event_text(&without, &a);
	}
	channel_of(row->id, channel);
	http_events_publish(api->http, channel, "job", (const char *)text.data);
	arena_release(&a);
}

/* ---- routes ---- */

static enum status reply_job(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	struct job_row row;
	TRY(jobs_get(api_of(req)->jobs, id, req->arena, &row, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, job_json(doc, &row, req->arena));
	return http_reply_json(req, reply, doc);
}

enum status api_job_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "job", &id, err));
	return reply_job(req, reply, id, err);
}

/* Newest first, without their results. ?object_id= of one thing alone. */
enum status api_job_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct rows_page page;
	struct job_row *rows;
	struct uuid object_id = {{0}};
	size_t count;
	int64_t total;
	const char *object = http_query(req, "object_id");
	TRY(api_check_organization(req, err));
	TRY(api_page(req, &page, err));
	if (object && !uuid_parse(object, &object_id))
		return err_set(err, ST_INVALID, "\"object_id\" must be an id (a UUID).");
	TRY(jobs_list(api_of(req)->jobs, object_id, page.limit, page.offset, req->arena, &rows, &count,
		&total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++) {
		rows[i].result = NULL;
		yyjson_mut_arr_append(items, job_json(doc, &rows[i], req->arena));
	}
	return api_reply_list(req, reply, doc, items, total);
}

static enum status nothing(struct db_conn *c, void *arg, struct err *err)
{
	return ST_OK;
}

enum status api_job_cancel(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "job", &id, err));
	TRY(jobs_cancel(api_of(req)->jobs, id, err));
	TRY(api_write(req, "job.cancel", id, nothing, NULL, err)); /* for the audit log */
	return reply_job(req, reply, id, err);
}

enum status api_job_events(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct job_row row;
	struct uuid id;
	TRY(api_id(req, "id", "job", &id, err));
	TRY(jobs_get(api_of(req)->jobs, id, req->arena, &row, err));
	char *channel = arena_alloc(req->arena, CHANNEL_SIZE);
	channel_of(id, channel);
	reply->stream = channel;
	return ST_OK;
}
