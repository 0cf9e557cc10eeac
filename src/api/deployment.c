/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deployments: create, list, read, change, delete. (Swapping the model, pausing
 * and the history are in deployment_control.c.)
 */
#include "api/deployment_change.h"
#include "api/deployment_json.h"
#include "api/deployment_shadow.h"
#include "api/live.h"
#include "api/nouns.h"
#include "api/training_data.h"
#include "base/check.h"
#include "deploy/names.h"
#include "deploy/roster.h"
#include "os/clock.h"
#include "os/log.h"
#include "shadow/shadows.h"
#include "store/data_rows.h"
#include "store/datalake_rows.h"
#include "store/model_rows.h"
#include "task/task.h"
#include "watch/alerts.h"
#include "watch/watch.h"

#define THRESHOLD_DEFAULT 0.1

/* Absent or null leaves *out as it is. */
static enum status read_ratio(yyjson_val *body, const char *key, double *out, struct err *err)
{
	double value = *out;
	yyjson_val *member = yyjson_obj_get(body, key);
	if (member == NULL || yyjson_is_null(member))
		return ST_OK;
	TRY(json_number(body, key, &value, err));
	if (!(value >= 0 && value <= 1))
		return err_set(err, ST_INVALID, "\"%s\" must be a number from 0 to 1.", key);
	*out = value;
	return ST_OK;
}

struct creation {
	struct deployment_change change; /* first: the job gets its address */
	struct uuid shadow_version_id;   /* zero: none */
};

static enum status insert_deployment(struct db_conn *c, void *arg, struct err *err)
{
	struct creation *creation = arg;
	struct deployment_change *change = &creation->change;
	TRY(deployment_rows_insert(c, &change->row, err));
	char version[UUID_TEXT_SIZE];
	uuid_format(change->row.champion_id, version);
	struct deployment_event_row event = {
		.at_us = change->row.created_us, .what = "created", .who = change->who, .to = version};
	TRY(deployment_rows_add_event(c, change->row.id, &event, err));
	TRY(alerts_insert_defaults(c, change->row.id, change->row.created_us, change->who, err));
	if (uuid_is_zero(creation->shadow_version_id))
		return ST_OK;
	return deployment_shadow_insert(c, change, creation->shadow_version_id, false, err);
}

/* What the champion says about the new deployment: its type; and the datalake to use when none is given. */
static enum status read_defaults(struct http_request *req, struct deployment_row *row, struct err *err)
{
	API_READER reader = {0};
	struct model_version_row version;
	struct datalake_row datalake;
	enum task task;
	TRY(api_read(req, &reader, err));
	TRY(model_rows_version_by_id(reader.conn, row->champion_id, req->arena, &version, err));
	if (uuid_is_zero(row->datalake_id))
		TRY(datalake_rows_default(reader.conn, req->arena, &datalake, err));
	else
		TRY(datalake_rows_by_id(reader.conn, row->datalake_id, req->arena, &datalake, err));
	row->type = version.type;
	row->datalake_id = datalake.id;
	if (!task_parse(row->type, &task))
		return err_set(err, ST_UNPROCESSABLE,
			"A version of the type %s cannot be deployed: classifications, detections and "
			"segmentations "
			"can. Set the version's type first.",
			row->type);
	return ST_OK;
}

static enum status insert_and_serve(
	struct http_request *req, struct creation *creation, struct model *model, struct err *err)
{
	struct api *api = api_of(req);
	struct uuid id = creation->change.row.id;
	arena_init(&creation->change.arena);
	enum status st = api_write(req, "deployment.create", id, insert_deployment, creation, err);
	arena_release(&creation->change.arena);
	TRY(st);
	TRY(roster_serve(api->roster, id, model, err));
	return shadows_refresh(api->shadows, id, err);
}

static enum status create(struct http_request *req, struct http_reply *reply, yyjson_val *body,
	struct uuid version_id, struct err *err)
{
	struct api *api = api_of(req);
	struct creation creation = {.change.who = caller_of(req)->user_name};
	struct deployment_row *row = &creation.change.row;
	bool disable_serving = false;
	*row = (struct deployment_row){
		.threshold = THRESHOLD_DEFAULT, .sample_rate = 1, .champion_id = version_id};
	TRY(json_text(body, "name", &row->name, err));
	TRY(read_ratio(body, "min_threshold", &row->threshold, err));
	TRY(api_json_id(body, "target_datalake_id", false, &row->datalake_id, err));
	TRY(api_json_id(body, "shadow_model_version_id", false, &creation.shadow_version_id, err));
	TRY(json_bool(body, "disable_serving", &disable_serving, err));
	if (row->name == NULL)
		row->name = names_random(req->arena);
	TRY(api_check_name(row->name, "name", err));
	TRY(read_defaults(req, row, err));
	row->serving = !disable_serving;

	/* Loaded before it exists: a deployment that cannot answer is never made. */
	struct model *model = NULL;
	if (row->serving)
		TRY(roster_model(api->roster, version_id, &model, err));
	row->organization_id = api->organization_id;
	row->created_us = row->champion_since_us = clock_unix_us();
	row->id = uuid_v7(row->created_us / 1000);
	enum status st = insert_and_serve(req, &creation, model, err);
	if (model)
		model_drop(model);
	TRY(st);
	training_data_follow(api, row->id, caller_of(req)->user_name);
	live_changed(api, row->id);
	return deployment_reply(req, reply, row->id, err);
}

enum status api_deployment_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_doc *doc;
	struct uuid version_id;
	TRY(http_json(req, &doc, err));
	yyjson_val *body = yyjson_doc_get_root(doc);
	TRY(api_json_id(body, "model_version_id", true, &version_id, err));
	return create(req, reply, body, version_id, err);
}

enum status api_model_version_deploy(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_doc *doc;
	struct uuid version_id;
	TRY(api_id(req, "id", "model version", &version_id, err));
	TRY(http_json(req, &doc, err));
	return create(req, reply, yyjson_doc_get_root(doc), version_id, err);
}

enum status api_deployment_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct deployment_row *rows;
	size_t count;
	int64_t total = 0;
	TRY(api_page_of(req, QUERY_NOUN_deployment, &page, err));
	page.order = ROWS_NEWEST; /* unless it says how */
	TRY(api_read(req, &reader, err));
	TRY(deployment_rows_list(reader.conn, &page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc), *item;
	for (size_t i = 0; i < count; i++) {
		TRY(deployment_json(req, reader.conn, &rows[i], doc, &item, err));
		yyjson_mut_arr_append(items, item);
	}
	return api_reply_list(req, reply, doc, items, total);
}

static enum status find_deployment(struct http_request *req, struct deployment_row *row, struct err *err)
{
	const char *name = http_query(req, "name");
	struct uuid id;
	API_READER reader = {0};
	TRY(api_read(req, &reader, err));
	if (name)
		return deployment_rows_by_name(reader.conn, name, req->arena, row, err);
	if (uuid_parse(http_query(req, "id"), &id))
		return deployment_rows_by_id(reader.conn, id, req->arena, row, err);
	return err_set(err, ST_INVALID, "Give the name or the id (a UUID) of the deployment to find.");
}

enum status api_deployment_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct deployment_row row;
	TRY(find_deployment(req, &row, err));
	return deployment_reply(req, reply, row.id, err);
}

enum status api_deployment_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	return deployment_reply(req, reply, id, err);
}

/* What a PATCH changes: NULL and negative numbers stay as they are. */
struct patch {
	struct deployment_change change; /* first: the job gets its address */
	const char *name;
	double threshold, sample_rate;
	struct uuid datalake_id;
	bool threshold_changed;
};

static enum status patch_deployment(struct db_conn *c, void *arg, struct err *err)
{
	struct patch *p = arg;
	struct deployment_row *row = &p->change.row;
	char from[32], to[32];
	TRY(deployment_change_begin(c, &p->change, err));
	if (p->name && strcmp(p->name, row->name) != 0) {
		TRY(deployment_change_event(c, &p->change, "renamed", row->name, p->name, err));
		row->name = p->name;
	}
	if (p->threshold >= 0 && p->threshold != row->threshold) {
		snprintf(from, sizeof(from), "%g", row->threshold);
		snprintf(to, sizeof(to), "%g", p->threshold);
		TRY(deployment_change_event(c, &p->change, "threshold", from, to, err));
		row->threshold = p->threshold;
		p->threshold_changed = true;
	}
	if (p->sample_rate >= 0)
		row->sample_rate = p->sample_rate;
	if (!uuid_is_zero(p->datalake_id)) {
		struct datalake_row datalake;
		TRY(datalake_rows_by_id(c, p->datalake_id, &p->change.arena, &datalake, err));
		row->datalake_id = p->datalake_id;
	}
	return deployment_rows_update(c, row, err);
}

/* The change is made: what is counted follows, now or after the next start. */
static void recount(struct http_request *req, struct uuid id, double threshold)
{
	struct api *api = api_of(req);
	struct err why;
	if (watch_threshold_changed(api->watch, api->jobs, id, threshold, caller_of(req)->user_name, &why) !=
		ST_OK)
		log_err("recount_not_started", &why);
}

enum status api_deployment_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct patch patch = {.threshold = -1, .sample_rate = -1};
	struct uuid id;
	yyjson_doc *doc;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(http_json(req, &doc, err));
	yyjson_val *body = yyjson_doc_get_root(doc);
	TRY(json_text(body, "name", &patch.name, err));
	if (patch.name)
		TRY(api_check_name(patch.name, "name", err));
	TRY(read_ratio(body, "min_threshold", &patch.threshold, err));
	TRY(read_ratio(body, "sample_rate", &patch.sample_rate, err));
	TRY(api_json_id(body, "target_datalake_id", false, &patch.datalake_id, err));
	TRY(deployment_change_run(
		req, reply, "deployment.update", id, patch_deployment, &patch.change, NULL, err));
	if (patch.threshold_changed)
		recount(req, id, patch.threshold);
	return ST_OK;
}

static enum status delete_deployment(struct db_conn *c, void *arg, struct err *err)
{
	struct deployment_change *change = arg;
	TRY(deployment_change_begin(c, change, err));
	return deployment_rows_delete(c, change->row.id, err);
}

enum status api_deployment_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct api *api = api_of(req);
	struct deployment_change change = {.who = caller_of(req)->user_name};
	arena_init(&change.arena);
	enum status st = api_id(req, "id", "deployment", &change.row.id, err);
	if (st == ST_OK)
		st = api_write(req, "deployment.delete", change.row.id, delete_deployment, &change, err);
	struct uuid id = change.row.id;
	arena_release(&change.arena);
	TRY(st);
	roster_remove(api->roster, id);
	TRY(shadows_refresh(api->shadows, id, err));
	struct err why;
	if (watch_forget(api->watch, id, &why) != ST_OK) /* the next start will */
		log_err("deployment_not_forgotten", &why);
	live_changed(api, id);
	return http_reply_empty(reply, 204);
}
