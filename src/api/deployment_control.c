/* SPDX-License-Identifier: Apache-2.0 */
/* Deployments in service: swap the champion, go back, pause, resume; and the history of all that. */
#include "api/deployment_change.h"
#include "api/live.h"
#include "api/nouns.h"
#include "deploy/roster.h"
#include "os/clock.h"
#include "store/model_rows.h"

/* A swap; `what` is "deployed" or "rolled_back". */
struct swap {
	struct deployment_change change; /* first: the job gets its address */
	struct uuid version_id;
	const char *what, *type;
};

static enum status set_champion(struct db_conn *c, void *arg, struct err *err)
{
	struct swap *swap = arg;
	struct deployment_row *row = &swap->change.row;
	TRY(deployment_change_begin(c, &swap->change, err));
	if (strcmp(swap->type, row->type) != 0)
		return err_set(err, ST_CONFLICT,
			"Deployment %s is of type %s; a model of type %s cannot answer for it.", row->name,
			row->type, swap->type);
	char from[UUID_TEXT_SIZE], to[UUID_TEXT_SIZE];
	uuid_format(row->champion_id, from);
	uuid_format(swap->version_id, to);
	TRY(deployment_change_event(c, &swap->change, swap->what, from, to, err));
	row->champion_id = swap->version_id;
	row->champion_since_us = clock_unix_us();
	return deployment_rows_update(c, row, err);
}

static enum status read_swap(struct http_request *req, struct uuid deployment_id, struct swap *swap,
	bool *serving, struct err *err)
{
	API_READER reader = {0};
	struct deployment_row row;
	struct model_version_row version;
	TRY(api_read(req, &reader, err));
	TRY(deployment_rows_by_id(reader.conn, deployment_id, req->arena, &row, err));
	TRY(model_rows_version_by_id(reader.conn, swap->version_id, req->arena, &version, err));
	swap->type = version.type;
	*serving = row.serving;
	return ST_OK;
}

/* Load, warm up and check (model_open does), commit, flip, drain. */
static enum status swap_champion(struct http_request *req, struct http_reply *reply, struct uuid id,
	struct swap *swap, struct err *err)
{
	bool serving;
	TRY(read_swap(req, id, swap, &serving, err));
	struct model *model = NULL;
	if (serving)
		TRY(roster_model(api_of(req)->roster, swap->version_id, &model, err));
	enum status st = deployment_change_run(
		req, reply, "deployment.model", id, set_champion, &swap->change, model, err);
	if (model)
		model_drop(model);
	return st;
}

enum status api_deployment_set_model(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct swap swap = {.what = "deployed"};
	struct uuid id;
	yyjson_doc *doc;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(http_json(req, &doc, err));
	TRY(api_json_id(yyjson_doc_get_root(doc), "model_version_id", true, &swap.version_id, err));
	return swap_champion(req, reply, id, &swap, err);
}

static enum status previous_champion(
	struct http_request *req, struct uuid id, struct uuid *out, struct err *err)
{
	API_READER reader = {0};
	TRY(api_read(req, &reader, err));
	return deployment_rows_previous_champion(reader.conn, id, out, err);
}

enum status api_deployment_rollback(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct swap swap = {.what = "rolled_back"};
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(previous_champion(req, id, &swap.version_id, err));
	if (uuid_is_zero(swap.version_id))
		return err_set(err, ST_CONFLICT,
			"There is nothing to go back to: the champion of this deployment was never changed.");
	return swap_champion(req, reply, id, &swap, err);
}

static enum status pause_row(struct db_conn *c, void *arg, struct err *err)
{
	struct deployment_change *change = arg;
	TRY(deployment_change_begin(c, change, err));
	if (change->row.paused_us)
		return ST_OK;
	change->row.paused_us = clock_unix_us();
	change->row.paused_by = change->who;
	TRY(deployment_change_event(c, change, "paused", NULL, NULL, err));
	return deployment_rows_update(c, &change->row, err);
}

static enum status resume_row(struct db_conn *c, void *arg, struct err *err)
{
	struct deployment_change *change = arg;
	TRY(deployment_change_begin(c, change, err));
	if (change->row.paused_us == 0)
		return ST_OK;
	change->row.paused_us = 0;
	change->row.paused_by = NULL;
	TRY(deployment_change_event(c, change, "resumed", NULL, NULL, err));
	return deployment_rows_update(c, &change->row, err);
}

static enum status switch_pause(
	struct http_request *req, struct http_reply *reply, bool pause, struct err *err)
{
	struct deployment_change change = {0};
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	return deployment_change_run(req, reply, pause ? "deployment.pause" : "deployment.resume", id,
		pause ? pause_row : resume_row, &change, NULL, err);
}

enum status api_deployment_pause(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return switch_pause(req, reply, true, err);
}

enum status api_deployment_resume(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return switch_pause(req, reply, false, err);
}

enum status api_deployment_history(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct deployment_event_row *events;
	struct deployment_row row;
	struct uuid id;
	size_t count;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(deployment_rows_by_id(reader.conn, id, req->arena, &row, err));
	TRY(deployment_rows_events(reader.conn, id, req->arena, &events, &count, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++) {
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, items);
		api_add_time(doc, item, "at", events[i].at_us);
		api_add_text(doc, item, "what", events[i].what);
		api_add_text(doc, item, "by", events[i].who);
		api_add_text(doc, item, "from", events[i].from);
		api_add_text(doc, item, "to", events[i].to);
	}
	return api_reply_list(req, reply, doc, items, (int64_t)count);
}

static enum status reply_stream(struct http_reply *reply, const char *channel)
{
	reply->stream = channel;
	return ST_OK;
}

enum status api_deployment_events(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct service *service;
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(roster_pin(api_of(req)->roster, id, &service, err));
	service_drop(service);
	char *channel = arena_alloc(req->arena, LIVE_CHANNEL_SIZE);
	live_channel(id, channel);
	return reply_stream(reply, channel);
}

enum status api_events(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return reply_stream(reply, LIVE_LIST);
}

/* The SDK asks which storage takes the images of a deployment: always gyre itself. */
enum status api_deployment_connector(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_id(doc, root, "id", api_of(req)->connector_id);
	api_add_text(doc, root, "client_type", "minio");
	api_add_text(doc, root, "bucket_name", "gyre");
	return http_reply_json(req, reply, doc);
}
