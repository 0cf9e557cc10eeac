/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts of a deployment, and the times that they fired. */
#include "api/live.h"
#include "api/nouns.h"
#include "deploy/model.h"
#include "os/clock.h"
#include "store/deployment_rows.h"
#include "store/model_rows.h"
#include "watch/alerts.h"
#include "watch/webhooks.h"

#include <string.h>

#define EVENTS_SHOWN 50
#define EVENTS_OPEN_MAX 1000
#define ALERTS_MAX 100 /* of a deployment */

/* ---- JSON ---- */

static yyjson_mut_val *event_json(
	struct http_request *req, yyjson_mut_doc *doc, const struct alert_event_row *e)
{
	enum alert_kind kind;
	yyjson_mut_val *out = yyjson_mut_obj(doc);
	api_add_id(doc, out, "id", e->id);
	api_add_id(doc, out, "alert_id", e->alert_id);
	api_add_text(doc, out, "kind", e->kind);
	api_add_text(
		doc, out, "title", alert_kind_parse(e->kind, &kind) ? alert_about(kind)->title : e->kind);
	api_add_time(doc, out, "opened_at", e->opened_us);
	api_add_time(doc, out, "closed_at", e->closed_us);
	api_add_text(doc, out, "closed_by", e->closed_by);
	api_add_text(doc, out, "sentence", e->sentence);
	api_add_json(doc, out, "detail", e->detail, req->arena);
	return out;
}

static yyjson_mut_val *alert_json(struct http_request *req, yyjson_mut_doc *doc, const struct alert_row *row,
	const struct alert_event_row *open)
{
	enum alert_kind kind;
	yyjson_mut_val *out = yyjson_mut_obj(doc);
	bool known = alert_kind_parse(row->kind, &kind);
	api_add_id(doc, out, "id", row->id);
	api_add_text(doc, out, "kind", row->kind);
	api_add_text(doc, out, "title", known ? alert_about(kind)->title : row->kind);
	api_add_text(doc, out, "unit", known ? alert_about(kind)->unit : "");
	api_add_text(doc, out, "help", known ? alert_about(kind)->help : "");
	api_add_text(doc, out, "operator", row->comparison);
	yyjson_mut_obj_add_real(doc, out, "value", row->value);
	yyjson_mut_obj_add_int(doc, out, "window_s", row->window_s);
	yyjson_mut_obj_add_int(doc, out, "images_min", row->images_min);
	api_add_text(doc, out, "label", row->label);
	yyjson_mut_obj_add_bool(doc, out, "active", row->active);
	yyjson_mut_obj_add_bool(doc, out, "supervised", known && alert_is_supervised(kind));
	api_add_text(doc, out, "budget", known ? alert_budget(kind) : NULL);
	api_add_time(doc, out, "created_at", row->created_us);
	api_add_text(doc, out, "created_by", row->created_by);
	api_add_time(doc, out, "last_fired_at", row->last_us);
	if (open)
		yyjson_mut_obj_add_val(doc, out, "open", event_json(req, doc, open));
	else
		yyjson_mut_obj_add_null(doc, out, "open");
	return out;
}

static const struct alert_event_row *open_of(
	const struct alert_event_row *events, size_t count, struct uuid alert_id)
{
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(events[i].alert_id, alert_id))
			return &events[i];
	return NULL;
}

/* ---- reading ---- */

static enum status read_deployment(
	struct http_request *req, struct db_conn *c, struct deployment_row *out, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	return deployment_rows_by_id(c, id, req->arena, out, err);
}

enum status api_alert_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct deployment_row deployment;
	struct alert_row *alerts;
	struct alert_event_row *open, *events;
	size_t alert_count, open_count, event_count;
	TRY(api_read(req, &reader, err));
	TRY(read_deployment(req, reader.conn, &deployment, err));
	struct uuid id = deployment.id;
	TRY(alert_rows_list(reader.conn, id, NULL, req->arena, &alerts, &alert_count, err));
	TRY(alert_event_rows_list(
		reader.conn, id, true, EVENTS_OPEN_MAX, req->arena, &open, &open_count, err));
	TRY(alert_event_rows_list(
		reader.conn, id, false, EVENTS_SHOWN, req->arena, &events, &event_count, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "items");
	for (size_t i = 0; i < alert_count; i++)
		yyjson_mut_arr_append(
			list, alert_json(req, doc, &alerts[i], open_of(open, open_count, alerts[i].id)));
	list = yyjson_mut_obj_add_arr(doc, root, "events");
	for (size_t i = 0; i < event_count; i++)
		yyjson_mut_arr_append(list, event_json(req, doc, &events[i]));
	return http_reply_json(req, reply, doc);
}

static enum status reply_alert(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct alert_row row;
	struct alert_event_row last;
	TRY(api_read(req, &reader, err));
	TRY(alert_rows_by_id(reader.conn, id, req->arena, &row, err));
	TRY(alert_event_rows_last(reader.conn, id, req->arena, &last, err));
	bool open = !uuid_is_zero(last.id) && last.closed_us == 0;
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, alert_json(req, doc, &row, open ? &last : NULL));
	return http_reply_json(req, reply, doc);
}

/* ---- settings ---- */

/* What the body says of an alert; what it leaves out stays. */
static enum status read_settings(yyjson_val *body, struct alert_row *row, struct err *err)
{
	yyjson_val *label = yyjson_obj_get(body, "label");
	TRY(json_text(body, "operator", &row->comparison, err));
	TRY(json_number(body, "value", &row->value, err));
	TRY(json_integer(body, "window_s", &row->window_s, err));
	TRY(json_integer(body, "images_min", &row->images_min, err));
	TRY(json_bool(body, "active", &row->active, err));
	if (label && yyjson_is_null(label))
		row->label = NULL;
	TRY(api_json_name(body, "label", false, &row->label, err));
	return alert_check(row, err);
}

/* One that the model does not know would wait for ever. */
static enum status check_label(
	struct http_request *req, struct db_conn *c, const struct alert_row *row, struct err *err)
{
	struct deployment_row deployment;
	struct model_version_row version;
	const char **labels;
	uint32_t count;
	if (row->label == NULL)
		return ST_OK;
	TRY(deployment_rows_by_id(c, row->deployment_id, req->arena, &deployment, err));
	TRY(model_rows_version_by_id(c, deployment.champion_id, req->arena, &version, err));
	TRY(model_labels(version.labels, req->arena, &labels, &count, err));
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(labels[i], row->label) == 0)
			return ST_OK;
	return err_set(err, ST_INVALID, "The deployment's model has no label \"%.100s\".", row->label);
}

static enum status insert_alert(struct db_conn *c, void *arg, struct err *err)
{
	return alert_rows_insert(c, arg, err);
}

static enum status read_kind(yyjson_val *body, enum alert_kind *kind, struct err *err)
{
	const char *name;
	TRY(json_text_required(body, "kind", &name, err));
	if (alert_kind_parse(name, kind))
		return ST_OK;
	return err_set(err, ST_INVALID,
		"There is no kind of alert \"%.100s\". There are latency, avg_latency, failed, is_outlier, "
		"is_drift, training_failed, "
		"stats.ap_50_95, distribution and data_quality.",
		name);
}

static enum status prepare(struct http_request *req, struct alert_row *row, struct err *err)
{
	API_READER reader = {0};
	struct deployment_row deployment;
	struct alert_row *others;
	enum alert_kind kind;
	yyjson_val *body;
	size_t count;
	TRY(api_body(req, &body, err));
	TRY(read_kind(body, &kind, err));
	TRY(api_read(req, &reader, err));
	TRY(read_deployment(req, reader.conn, &deployment, err));
	alert_init(kind, row);
	row->deployment_id = deployment.id;
	TRY(read_settings(body, row, err));
	TRY(check_label(req, reader.conn, row, err));
	TRY(alert_rows_list(reader.conn, deployment.id, NULL, req->arena, &others, &count, err));
	if (count >= ALERTS_MAX)
		return err_set(err, ST_CONFLICT, "A deployment has at most %d alerts.", ALERTS_MAX);
	return ST_OK;
}

enum status api_alert_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct alert_row row;
	TRY(prepare(req, &row, err));
	row.created_us = clock_unix_us();
	row.created_by = caller_of(req)->user_name;
	row.id = uuid_v7(row.created_us / 1000);
	TRY(api_write(req, "alert.create", row.id, insert_alert, &row, err));
	live_changed(api_of(req), row.deployment_id);
	reply->code = 201;
	return reply_alert(req, reply, row.id, err);
}

/* What is done to one, within the writer's transaction: two that change it at once both count. */
struct change {
	struct http_request *req;
	struct uuid id;
	yyjson_val *body;
	const char *why;      /* an event that is open ends with it */
	struct alert_row row; /* as it was, then as it is */
};

static enum status close_open(struct db_conn *c, const struct change *change, struct err *err)
{
	struct alert_event_row last;
	TRY(alert_event_rows_last(c, change->id, change->req->arena, &last, err));
	if (uuid_is_zero(last.id) || last.closed_us)
		return ST_OK;
	return alert_event_close(
		c, last.id, clock_unix_us(), caller_of(change->req)->user_name, change->why, err);
}

static enum status update_alert(struct db_conn *c, void *arg, struct err *err)
{
	struct change *change = arg;
	TRY(alert_rows_by_id(c, change->id, change->req->arena, &change->row, err));
	TRY(read_settings(change->body, &change->row, err));
	TRY(check_label(change->req, c, &change->row, err));
	if (!change->row.active)
		TRY(close_open(c, change, err));
	return alert_rows_update(c, &change->row, err);
}

static enum status delete_alert(struct db_conn *c, void *arg, struct err *err)
{
	struct change *change = arg;
	TRY(alert_rows_by_id(c, change->id, change->req->arena, &change->row, err));
	TRY(close_open(c, change, err));
	return alert_rows_delete(c, change->id, err);
}

static void told(struct http_request *req, struct uuid deployment_id)
{
	webhooks_poke(api_of(req)->webhooks);
	live_watch(api_of(req), deployment_id, true);
	live_changed(api_of(req), deployment_id);
}

enum status api_alert_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.req = req, .why = "The alert was switched off."};
	TRY(api_id(req, "id", "alert", &change.id, err));
	TRY(api_body(req, &change.body, err));
	TRY(api_write(req, "alert.change", change.id, update_alert, &change, err));
	told(req, change.row.deployment_id);
	return reply_alert(req, reply, change.id, err);
}

enum status api_alert_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.req = req, .why = "The alert was deleted."};
	TRY(api_id(req, "id", "alert", &change.id, err));
	TRY(api_write(req, "alert.delete", change.id, delete_alert, &change, err));
	told(req, change.row.deployment_id);
	return http_reply_empty(reply, 204);
}

/* ---- events ---- */

/* id: the event's. */
static enum status close_event(struct db_conn *c, void *arg, struct err *err)
{
	const struct change *change = arg;
	return alert_event_close(
		c, change->id, clock_unix_us(), caller_of(change->req)->user_name, change->why, err);
}

enum status api_alert_event_close(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {
		.req = req, .why = arena_printf(req->arena, "%s closed it.", caller_of(req)->user_name)};
	struct alert_event_row event;
	API_READER reader = {0};
	TRY(api_id(req, "id", "alert event", &change.id, err));
	TRY(api_write(req, "alert.close", change.id, close_event, &change, err));
	TRY(api_read(req, &reader, err));
	TRY(alert_event_rows_by_id(reader.conn, change.id, req->arena, &event, err));
	told(req, event.deployment_id);
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, event_json(req, doc, &event));
	return http_reply_json(req, reply, doc);
}
