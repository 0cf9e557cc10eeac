/* SPDX-License-Identifier: Apache-2.0 */
/* The review queue of a deployment: what is left, whose turn it is, and how images are chosen. */
#include "api/id_list.h"
#include "api/nouns.h"
#include "api/predicted_asset_json.h"
#include "learn/lease.h"
#include "os/clock.h"
#include "store/deployment_rows.h"
#include "watch/verdict.h"

#include <math.h>

#define DAY_US (24 * 3600 * 1000000LL)
#define LABELS_SHOWN_MAX 10000

/* ---- what it is like ---- */

static void add_settings(struct http_request *req, yyjson_mut_doc *doc, yyjson_mut_val *root,
	const struct queue_settings *settings)
{
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "settings");
	api_add_text(doc, object, "queue_order", settings->queue_order);
	yyjson_mut_obj_add_real(doc, object, "random_share", settings->random_share);
	api_add_text(doc, object, "guide", settings->guide);
	if (settings->labels_shown)
		api_add_json(doc, object, "labels_shown", settings->labels_shown, req->arena);
	else
		yyjson_mut_obj_add_null(doc, object, "labels_shown");
}

/* Of the person who asks, since midnight (UTC). */
static enum status count_mine(struct http_request *req, struct db_conn *c, struct uuid deployment_id,
	int64_t *count, struct err *err)
{
	const struct caller *caller = caller_of(req);
	int64_t now_us = clock_unix_us();
	*count = 0;
	return caller ? queue_rows_of_user(
				c, deployment_id, caller->user_id, now_us - now_us % DAY_US, count, err)
		      : ST_OK;
}

static enum status reply_queue(
	struct http_request *req, struct http_reply *reply, struct uuid deployment_id, struct err *err)
{
	API_READER reader = {0};
	struct deployment_row deployment;
	struct queue_settings settings;
	struct queue_counts counts;
	int64_t mine;
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	TRY(api_read(req, &reader, err));
	TRY(deployment_rows_by_id(reader.conn, deployment_id, req->arena, &deployment, err));
	TRY(queue_rows_settings(reader.conn, deployment_id, req->arena, &settings, err));
	TRY(queue_rows_counts(reader.conn, deployment_id, &counts, err));
	TRY(count_mine(req, reader.conn, deployment_id, &mine, err));
	yyjson_mut_obj_add_int(doc, root, "to_review", counts.to_review);
	yyjson_mut_obj_add_int(doc, root, "chosen_left", counts.chosen_left);
	yyjson_mut_obj_add_int(doc, root, "reviewed", counts.reviewed);
	yyjson_mut_obj_add_int(doc, root, "submitted", counts.submitted);
	yyjson_mut_obj_add_int(doc, root, "skipped", counts.skipped);
	yyjson_mut_obj_add_int(doc, root, "mine_today", mine);
	add_settings(req, doc, root, &settings);
	return http_reply_json(req, reply, doc);
}

enum status api_queue_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	return reply_queue(req, reply, id, err);
}

/* ---- settings ---- */

struct settings_change {
	struct uuid deployment_id;
	yyjson_val *body;
	struct http_request *req;
};

static enum status read_order(yyjson_val *body, const char **out, struct err *err)
{
	const char *order = NULL;
	TRY(json_text(body, "queue_order", &order, err));
	if (order == NULL)
		return ST_OK;
	if (strcmp(order, "newest") != 0 && strcmp(order, "unsure") != 0 && strcmp(order, "outlier") != 0)
		return err_set(err, ST_INVALID, "\"queue_order\" is newest, unsure or outlier.");
	*out = order;
	return ST_OK;
}

static enum status read_labels(struct http_request *req, yyjson_val *body, const char **out, struct err *err)
{
	yyjson_val *list = yyjson_obj_get(body, "labels_shown"), *name;
	size_t i, n;
	if (list == NULL)
		return ST_OK;
	*out = NULL;
	if (yyjson_is_null(list))
		return ST_OK;
	if (!yyjson_is_arr(list) || yyjson_arr_size(list) == 0 || yyjson_arr_size(list) > LABELS_SHOWN_MAX)
		return err_set(err, ST_INVALID,
			"\"labels_shown\" is a list of names, at least one, or null for all of them.");
	yyjson_arr_foreach (list, i, n, name) {
		if (!yyjson_is_str(name))
			return err_set(err, ST_INVALID, "\"labels_shown\" must hold names.");
		TRY(api_check_name(yyjson_get_str(name), "labels_shown", err));
	}
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, yyjson_val_mut_copy(doc, list));
	*out = (const char *)json_print(doc, req->arena).data;
	return ST_OK;
}

static enum status change_settings(struct db_conn *c, void *arg, struct err *err)
{
	struct settings_change *change = arg;
	struct deployment_row deployment;
	struct queue_settings settings;
	struct arena *a = change->req->arena;
	TRY(deployment_rows_by_id(c, change->deployment_id, a, &deployment, err));
	TRY(queue_rows_settings(c, change->deployment_id, a, &settings, err));
	TRY(read_order(change->body, &settings.queue_order, err));
	TRY(json_number(change->body, "random_share", &settings.random_share, err));
	if (!(settings.random_share >= 0 && settings.random_share <= 1))
		return err_set(err, ST_INVALID, "\"random_share\" must be a number from 0 to 1.");
	TRY(api_json_prose(change->body, "guide", &settings.guide, err));
	TRY(read_labels(change->req, change->body, &settings.labels_shown, err));
	return queue_rows_set_settings(c, change->deployment_id, &settings, err);
}

enum status api_queue_set(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct settings_change change = {.req = req};
	TRY(api_id(req, "id", "deployment", &change.deployment_id, err));
	TRY(api_body(req, &change.body, err));
	TRY(api_write(req, "queue.settings", change.deployment_id, change_settings, &change, err));
	return reply_queue(req, reply, change.deployment_id, err);
}

/* ---- leases ---- */

/* Absent: none. */
static enum status read_ids(struct http_request *req, yyjson_val *body, const char *key, size_t count_max,
	const struct uuid **ids, size_t *count, struct err *err)
{
	yyjson_val *list = yyjson_obj_get(body, key);
	struct uuid *found = NULL;
	*count = 0;
	if (list && !yyjson_is_null(list))
		TRY(id_list_read(req, body, key, count_max, &found, count, err));
	*ids = found;
	return ST_OK;
}

static enum status read_lease(
	struct http_request *req, yyjson_val *body, struct lease_request *out, struct err *err)
{
	const struct caller *caller = caller_of(req);
	int64_t count = 1;
	*out = (struct lease_request){.user_id = caller ? caller->user_id : (struct uuid){{0}},
		.who = caller ? caller->user_name : "",
		.now_us = clock_unix_us()};
	TRY(api_id(req, "id", "deployment", &out->deployment_id, err));
	TRY(api_json_name(body, "client", true, &out->client, err));
	TRY(json_integer(body, "count", &count, err));
	if (count < 0 || count > LEASE_COUNT_MAX)
		return err_set(err, ST_INVALID, "\"count\" must be a number from 0 to %d.", LEASE_COUNT_MAX);
	out->count = (size_t)count;
	TRY(read_ids(req, body, "held", LEASE_HELD_MAX, &out->held, &out->held_count, err));
	return read_ids(req, body, "wanted", LEASE_COUNT_MAX, &out->wanted, &out->wanted_count, err);
}

/* "disagreements": those of a shadow ("version", or the newest one) that were drawn; more are drawn for them.
 */
static enum status read_sample(struct http_request *req, yyjson_val *body,
	const struct lease_request *request, struct lease_sample *sample, bool *wanted, struct err *err)
{
	const char *queue = NULL;
	struct uuid version = {{0}};
	TRY(json_text(body, "queue", &queue, err));
	*wanted = queue && strcmp(queue, "disagreements") == 0;
	if (queue && !*wanted)
		return err_set(err, ST_INVALID, "\"queue\" is \"disagreements\", or left out.");
	if (!*wanted)
		return ST_OK;
	TRY(api_json_id(body, "version", false, &version, err));
	return verdict_draw(api_of(req)->verdicts, request->deployment_id, version, LEASE_HELD_MAX,
		&sample->shadow_id, &sample->champion_id, err);
}

static enum status count_left(struct db_conn *c, const struct lease_request *request, struct arena *a,
	int64_t *left, struct err *err)
{
	struct queue_counts counts;
	struct sample_row *rows;
	size_t count;
	TRY(queue_rows_counts(c, request->deployment_id, &counts, err));
	*left = counts.to_review;
	if (request->sample == NULL)
		return ST_OK;
	*left = 0;
	TRY(sample_rows_list(
		c, request->sample->shadow_id, request->sample->champion_id, a, &rows, &count, err));
	for (size_t i = 0; i < count; i++)
		*left += strcmp(rows[i].status, "TO REVIEW") == 0;
	return ST_OK;
}

static void add_lost(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct lease_result *result)
{
	yyjson_mut_val *lost = yyjson_mut_obj_add_arr(doc, root, "lost");
	for (size_t i = 0; i < result->lost_count; i++) {
		char id[UUID_TEXT_SIZE];
		uuid_format(result->lost[i], id);
		yyjson_mut_arr_add_strcpy(doc, lost, id);
	}
}

static enum status check_deployment(struct http_request *req, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct deployment_row deployment;
	TRY(api_read(req, &reader, err));
	return deployment_rows_by_id(reader.conn, id, req->arena, &deployment, err);
}

enum status api_queue_lease(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct lease_request request;
	struct lease_result result;
	struct lease_sample sample;
	struct predicted_printer printer;
	bool sampled;
	int64_t mine, left;
	yyjson_val *body;
	yyjson_mut_val *items;
	TRY(api_body(req, &body, err));
	TRY(read_lease(req, body, &request, err));
	TRY(check_deployment(req, request.deployment_id, err));
	TRY(read_sample(req, body, &request, &sample, &sampled, err));
	request.sample = sampled ? &sample : NULL;
	TRY(lease_take(api_of(req)->readers, api_of(req)->recorder, api_of(req)->blobs, &request, req->arena,
		&result, err));
	TRY(api_read(req, &reader, err));
	predicted_printer_init(&printer, req, reader.conn, 0);
	TRY(predicted_json_ids(&printer, result.taken, result.taken_count, &items, err));
	TRY(count_left(reader.conn, &request, req->arena, &left, err));
	TRY(count_mine(req, reader.conn, request.deployment_id, &mine, err));
	yyjson_mut_val *root = yyjson_mut_obj(printer.doc);
	yyjson_mut_doc_set_root(printer.doc, root);
	yyjson_mut_obj_add_val(printer.doc, root, "items", items);
	yyjson_mut_obj_add_int(printer.doc, root, "left", left);
	yyjson_mut_obj_add_int(printer.doc, root, "mine_today", mine);
	add_lost(printer.doc, root, &result);
	return http_reply_json(req, reply, printer.doc);
}

struct release {
	struct queue_lease lease;
	const struct uuid *ids;
	size_t count;
};

static enum status release_all(struct db_conn *c, void *arg, struct err *err)
{
	struct release *r = arg;
	for (size_t i = 0; i < r->count; i++) {
		r->lease.predicted_asset_id = r->ids[i];
		TRY(queue_rows_release(c, &r->lease, err));
	}
	return ST_OK;
}

enum status api_queue_release(struct http_request *req, struct http_reply *reply, struct err *err)
{
	const struct caller *caller = caller_of(req);
	struct release r = {.lease = {.user_id = caller ? caller->user_id : (struct uuid){{0}}}};
	yyjson_val *body;
	TRY(api_id(req, "id", "deployment", &r.lease.deployment_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "client", true, &r.lease.client, err));
	TRY(read_ids(req, body, "ids", LEASE_HELD_MAX, &r.ids, &r.count, err));
	TRY(recorder_run(api_of(req)->recorder, release_all, &r, err));
	return http_reply_empty(reply, 204);
}
