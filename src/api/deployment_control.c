/* SPDX-License-Identifier: Apache-2.0 */
/* Deployments in service: swap the champion, go back, pause, resume; and the history of all that. */
#include "api/deployment_change.h"
#include "api/deployment_swap.h"
#include "api/live.h"
#include "api/nouns.h"
#include "base/check.h"
#include "deploy/roster.h"
#include "os/clock.h"
#include "store/model_rows.h"

#include <string.h>

enum status api_deployment_set_model(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct swap swap = {.what = SWAP_DEPLOYED};
	struct uuid id;
	yyjson_doc *doc;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(http_json(req, &doc, err));
	TRY(api_json_id(yyjson_doc_get_root(doc), "model_version_id", true, &swap.version_id, err));
	return deployment_swap_run(req, reply, id, &swap, err);
}

/* To the champion before, or to the one that is named. */
static enum status find_champion_before(
	struct http_request *req, struct uuid id, struct uuid *version_id, struct err *err)
{
	API_READER reader = {0};
	yyjson_val *body;
	bool was;
	TRY(api_read(req, &reader, err));
	if (req->body.size) {
		TRY(api_body(req, &body, err));
		TRY(api_json_id(body, "model_version_id", false, version_id, err));
	}
	if (uuid_is_zero(*version_id)) {
		TRY(deployment_rows_previous_champion(reader.conn, id, version_id, err));
		return ST_OK;
	}
	TRY(deployment_rows_was_champion(reader.conn, id, *version_id, &was, err));
	if (was)
		return ST_OK;
	return err_set(err, ST_CONFLICT,
		"That version was never the champion of this deployment, so there is no going back to it.");
}

enum status api_deployment_rollback(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct swap swap = {.what = SWAP_BACK};
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(find_champion_before(req, id, &swap.version_id, err));
	if (uuid_is_zero(swap.version_id))
		return err_set(err, ST_CONFLICT,
			"There is nothing to go back to: the champion of this deployment was never changed.");
	return deployment_swap_run(req, reply, id, &swap, err);
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

/* A line that made a version champion, which is not champion now and can still answer. */
static enum status can_go_back(struct db_conn *c, const struct deployment_row *row,
	const struct deployment_event_row *event, struct arena *a, bool *can, struct err *err)
{
	static const char *const kinds[] = {"created", SWAP_DEPLOYED, SWAP_PROMOTED, SWAP_BACK};
	struct model_version_row version;
	struct uuid id;
	size_t i = 0;
	while (i < COUNT_OF(kinds) && strcmp(kinds[i], event->what) != 0)
		i++;
	*can = false;
	if (i == COUNT_OF(kinds) || event->to == NULL || !uuid_parse(event->to, &id) ||
		uuid_equal(id, row->champion_id))
		return ST_OK;
	enum status st = model_rows_version_by_id(c, id, a, &version, err);
	if (st == ST_MISSING)
		return ST_OK;
	*can = st == ST_OK && (!row->serving || strcmp(version.state, "READY") == 0);
	return st;
}

static enum status add_event(struct http_request *req, struct db_conn *c, const struct deployment_row *row,
	const struct deployment_event_row *event, yyjson_mut_doc *doc, yyjson_mut_val *items, struct err *err)
{
	bool can;
	TRY(can_go_back(c, row, event, req->arena, &can, err));
	yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, items);
	api_add_time(doc, item, "at", event->at_us);
	api_add_text(doc, item, "what", event->what);
	api_add_text(doc, item, "by", event->who);
	api_add_text(doc, item, "from", event->from);
	api_add_text(doc, item, "to", event->to);
	api_add_text(doc, item, "why", event->why);
	yyjson_mut_obj_add_bool(doc, item, "can_go_back", can);
	return ST_OK;
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
	for (size_t i = 0; i < count; i++)
		TRY(add_event(req, reader.conn, &row, &events[i], doc, items, err));
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
