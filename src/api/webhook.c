/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks of the organization: who else is told of alerts. */
#include "api/api.h"
#include "api/nouns.h"
#include "os/clock.h"
#include "os/fetch.h"
#include "store/webhook_rows.h"
#include "watch/webhooks.h"

#define WEBHOOKS_MAX 20
#define DELIVERIES_SHOWN 100

/* ---- JSON ---- */

static yyjson_mut_val *webhook_json(yyjson_mut_doc *doc, const struct webhook_row *w)
{
	yyjson_mut_val *out = yyjson_mut_obj(doc);
	api_add_id(doc, out, "id", w->id);
	api_add_text(doc, out, "name", w->name);
	api_add_text(doc, out, "url", w->url);
	yyjson_mut_obj_add_bool(doc, out, "active", w->active);
	api_add_time(doc, out, "created_at", w->created_us);
	api_add_text(doc, out, "created_by", w->created_by);
	api_add_time(doc, out, "last_at", w->last_us);
	if (w->last_us && w->last_status)
		yyjson_mut_obj_add_int(doc, out, "last_status", w->last_status);
	else
		yyjson_mut_obj_add_null(doc, out, "last_status");
	api_add_text(doc, out, "last_error", w->last_error);
	return out;
}

static void add_status(yyjson_mut_doc *doc, yyjson_mut_val *out, const struct webhook_delivery_row *d)
{
	if (d->http_status)
		yyjson_mut_obj_add_int(doc, out, "http_status", d->http_status);
	else
		yyjson_mut_obj_add_null(doc, out, "http_status");
	api_add_text(doc, out, "error", d->error);
}

static yyjson_mut_val *delivery_json(
	struct http_request *req, yyjson_mut_doc *doc, const struct webhook_delivery_row *d)
{
	yyjson_doc *body;
	yyjson_mut_val *out = yyjson_mut_obj(doc);
	api_add_id(doc, out, "id", d->id);
	api_add_text(doc, out, "event",
		json_parse(span_of_text(d->body), req->arena, &body, NULL) == ST_OK
			? yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(body), "event"))
			: NULL);
	api_add_id(doc, out, "event_id", d->event_id);
	yyjson_mut_obj_add_int(doc, out, "attempts", d->attempts);
	api_add_time(doc, out, "next_at", d->next_us);
	add_status(doc, out, d);
	api_add_time(doc, out, "created_at", d->created_us);
	api_add_time(doc, out, "done_at", d->done_us);
	return out;
}

static enum status reply_webhook(struct http_request *req, struct http_reply *reply, struct uuid id,
	const char *secret, struct err *err)
{
	API_READER reader = {0};
	struct webhook_row row;
	TRY(api_read(req, &reader, err));
	TRY(webhook_rows_by_id(reader.conn, id, req->arena, &row, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *root = webhook_json(doc, &row);
	yyjson_mut_doc_set_root(doc, root);
	if (secret)
		yyjson_mut_obj_add_strcpy(doc, root, "secret", secret);
	http_reply_header(reply, "Cache-Control", "no-store");
	return http_reply_json(req, reply, doc);
}

/* ---- routes ---- */

enum status api_webhook_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct webhook_row *rows;
	size_t count;
	TRY(api_check_organization(req, err));
	TRY(api_read(req, &reader, err));
	TRY(webhook_rows_list(
		reader.conn, api_of(req)->organization_id, false, req->arena, &rows, &count, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, webhook_json(doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, (int64_t)count);
}

static enum status read_settings(yyjson_val *body, bool all, struct webhook_row *row, struct err *err)
{
	TRY(api_json_name(body, "name", all, &row->name, err));
	TRY(json_text(body, "url", &row->url, err));
	TRY(json_bool(body, "active", &row->active, err));
	if (row->url == NULL)
		return err_set(err, ST_INVALID, "\"url\" is missing: the address that alerts are sent to.");
	return fetch_check_url(row->url, err);
}

static enum status insert_webhook(struct db_conn *c, void *arg, struct err *err)
{
	const struct webhook_row *row = arg;
	struct webhook_row *others;
	struct arena a;
	size_t count;
	arena_init(&a);
	enum status st = webhook_rows_list(c, row->organization_id, false, &a, &others, &count, err);
	arena_release(&a);
	TRY(st);
	if (count >= WEBHOOKS_MAX)
		return err_set(err, ST_CONFLICT, "There are at most %d webhooks.", WEBHOOKS_MAX);
	return webhook_rows_insert(c, row, err);
}

enum status api_webhook_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	char secret[WEBHOOK_SECRET_SIZE];
	yyjson_val *body;
	struct webhook_row row = {.organization_id = api_of(req)->organization_id,
		.active = true,
		.created_us = clock_unix_us(),
		.created_by = caller_of(req)->user_name,
		.secret = secret};
	TRY(api_check_organization(req, err));
	TRY(api_body(req, &body, err));
	TRY(read_settings(body, true, &row, err));
	webhook_secret(secret);
	row.id = uuid_v7(row.created_us / 1000);
	TRY(api_write(req, "webhook.create", row.id, insert_webhook, &row, err));
	reply->code = 201;
	return reply_webhook(req, reply, row.id, secret, err);
}

static enum status update_webhook(struct db_conn *c, void *arg, struct err *err)
{
	const struct webhook_row *row = arg;
	TRY(webhook_rows_update(c, row, err));
	if (row->active)
		return ST_OK;
	/* What is old when it is switched on again is of no use. */
	return webhook_delivery_rows_drop(c, row->id, clock_unix_us(), "The webhook was switched off.", err);
}

static enum status read_webhook(struct http_request *req, struct webhook_row *out, struct err *err)
{
	API_READER reader = {0};
	struct uuid id;
	TRY(api_id(req, "id", "webhook", &id, err));
	TRY(api_read(req, &reader, err));
	return webhook_rows_by_id(reader.conn, id, req->arena, out, err);
}

enum status api_webhook_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct webhook_row row;
	yyjson_val *body;
	TRY(api_body(req, &body, err));
	TRY(read_webhook(req, &row, err));
	TRY(read_settings(body, false, &row, err));
	TRY(api_write(req, "webhook.change", row.id, update_webhook, &row, err));
	return reply_webhook(req, reply, row.id, NULL, err);
}

static enum status delete_webhook(struct db_conn *c, void *arg, struct err *err)
{
	return webhook_rows_delete(c, *(const struct uuid *)arg, err);
}

enum status api_webhook_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "webhook", &id, err));
	TRY(api_write(req, "webhook.delete", id, delete_webhook, &id, err));
	return http_reply_empty(reply, 204);
}

enum status api_webhook_test(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct webhook_delivery_row d;
	struct uuid id;
	TRY(api_id(req, "id", "webhook", &id, err));
	TRY(webhooks_test(api_of(req)->webhooks, id, req->arena, &d, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_bool(doc, root, "delivered", d.error == NULL);
	add_status(doc, root, &d);
	return http_reply_json(req, reply, doc);
}

enum status api_webhook_delivery_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct webhook_row webhook;
	struct webhook_delivery_row *rows;
	size_t count;
	TRY(read_webhook(req, &webhook, err));
	TRY(api_read(req, &reader, err));
	TRY(webhook_delivery_rows_list(
		reader.conn, webhook.id, DELIVERIES_SHOWN, req->arena, &rows, &count, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, delivery_json(req, doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, (int64_t)count);
}
