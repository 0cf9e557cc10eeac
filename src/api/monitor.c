/* SPDX-License-Identifier: Apache-2.0 */
/* Monitor: predictions that were made on the user's own infrastructure, as the SDK sends them, with a
 * shadow's at once or later. */
#include "api/live.h"
#include "api/nouns.h"
#include "api/api.h"
#include "api/raw_predictions.h"
#include "deploy/roster.h"
#include "os/clock.h"
#include "serve/pipeline.h"
#include "store/deployment_rows.h"
#include "store/gone_rows.h"
#include "store/object_rows.h"
#include "store/shadow_rows.h"

#include <math.h>
#include <sodium.h>
#include <strings.h>

#define SIDE_MAX 65535     /* pixels */
#define LATENCY_S_MAX 3600 /* of one prediction */

struct monitor {
	struct http_request *req;
	yyjson_val *body;
	struct serve_request request;
	struct serve_observation seen;
	enum task task;
};

static enum status read_seconds(yyjson_val *body, const char *key, int64_t *out_us, struct err *err)
{
	double seconds = NAN;
	TRY(json_number(body, key, &seconds, err));
	if (!(seconds >= 0 && seconds <= LATENCY_S_MAX))
		return err_set(err, ST_INVALID, "\"%s\" must be a number of seconds from 0 to %d.", key,
			LATENCY_S_MAX);
	*out_us = (int64_t)(seconds * 1e6 + 0.5);
	return ST_OK;
}

static enum status read_side(yyjson_val *body, const char *key, uint32_t *out, struct err *err)
{
	int64_t side = 0;
	TRY(json_integer(body, key, &side, err));
	if (side < 1 || side > SIDE_MAX)
		return err_set(err, ST_INVALID, "\"%s\" must be the image's own, in pixels: from 1 to %d.",
			key, SIDE_MAX);
	*out = (uint32_t)side;
	return ST_OK;
}

/* ---- the image ---- */

static enum status read_base64(struct monitor *m, const char *text, size_t text_size, struct err *err)
{
	size_t room = text_size / 4 * 3 + 3, size;
	uint8_t *bytes = arena_alloc(m->req->arena, room);
	if (room > API_IMAGE_BYTES_MAX || sodium_base642bin(bytes, room, text, text_size, "\r\n", &size, NULL,
						  sodium_base64_VARIANT_ORIGINAL))
		return err_set(err, ST_INVALID, "\"image\" must be a whole image file in base64.");
	m->request.image = span_of(bytes, size);
	return ST_OK;
}

static enum status read_stored(struct monitor *m, struct err *err)
{
	API_READER reader = {0};
	struct object_row object;
	yyjson_val *cloud = yyjson_obj_get(m->body, "cloud_image");
	if (!yyjson_is_obj(cloud))
		return err_set(err, ST_INVALID,
			"There is no image: send its file as \"image\" in base64, or \"cloud_image\" with "
			"the \"object_name\".");
	TRY(json_text_required(cloud, "object_name", &m->request.object_name, err));
	TRY(api_read(m->req, &reader, err));
	TRY(object_rows_stored(reader.conn, m->request.object_name, m->req->arena, &object, err));
	m->request.sha256 = object.sha256;
	m->seen.is_new = true;
	return blob_get(api_of(m->req)->blobs, object.sha256, API_IMAGE_BYTES_MAX, m->req->arena,
		&m->request.image, err);
}

static enum status read_image(struct monitor *m, struct err *err)
{
	yyjson_val *image = yyjson_obj_get(m->body, "image");
	if (!yyjson_is_str(image))
		return read_stored(m, err);
	return read_base64(m, yyjson_get_str(image), yyjson_get_len(image), err);
}

/* ---- what was said of it ---- */

/* Tags and sources come by name. */
static enum status read_origin(struct monitor *m, struct err *err)
{
	yyjson_val *tag;
	size_t i, n;
	double at_s = 0;
	TRY(api_json_name(m->body, "filename", true, &m->request.filename, err));
	TRY(api_json_name(m->body, "source", false, &m->request.source, err));
	TRY(api_json_stored(m->req, m->body, "metadata", &m->request.metadata, err));
	TRY(api_json_stored(m->req, m->body, "custom_metadata", &m->request.custom_metadata, err));
	TRY(json_number(m->body, "timestamp", &at_s, err));
	if (!(at_s >= 0 && at_s < 1e11))
		return err_set(err, ST_INVALID, "\"timestamp\" must be in seconds since 1970.");
	m->seen.at_us = (int64_t)(at_s * 1e6);
	yyjson_arr_foreach (yyjson_obj_get(m->body, "tags"), i, n, tag) {
		if (!yyjson_is_str(tag) || i == SERVE_TAGS_MAX)
			return err_set(err, ST_INVALID, "\"tags\" must be a list of at most %d names.",
				SERVE_TAGS_MAX);
		TRY(api_check_name(yyjson_get_str(tag), "tags", err));
		m->request.tags[m->request.tag_count++] = yyjson_get_str(tag);
	}
	return ST_OK;
}

/* The version that shadows the deployment: the newest, as everywhere in the SDK. */
static enum status find_shadow(
	struct http_request *req, struct uuid deployment_id, struct uuid *version_id, struct err *err)
{
	API_READER reader = {0};
	struct shadow_row *shadows;
	size_t count;
	TRY(api_read(req, &reader, err));
	TRY(shadow_rows_list(reader.conn, deployment_id, req->arena, &shadows, &count, err));
	if (count == 0)
		return err_set(
			err, ST_CONFLICT, "The deployment has no shadow: set one, then send what it says.");
	*version_id = shadows[0].model_version_id;
	return ST_OK;
}

static enum status read_predictions(struct monitor *m, struct err *err)
{
	struct serve_observation *seen = &m->seen;
	yyjson_val *shadow = yyjson_obj_get(m->body, "shadow_raw_predictions");
	TRY(read_side(m->body, "width", &seen->width, err));
	TRY(read_side(m->body, "height", &seen->height, err));
	TRY(read_seconds(m->body, "latency", &seen->latency_us, err));
	TRY(raw_predictions_read(yyjson_obj_get(m->body, "raw_predictions"), "raw_predictions", m->task,
		seen->width, seen->height, m->req->arena, &seen->shapes, err));
	if (shadow == NULL || yyjson_is_null(shadow))
		return ST_OK;
	TRY(read_seconds(m->body, "shadow_latency", &seen->shadow_latency_us, err));
	TRY(raw_predictions_read(shadow, "shadow_raw_predictions", m->task, seen->width, seen->height,
		m->req->arena, &seen->shadow_shapes, err));
	return find_shadow(m->req, m->request.deployment_id, &seen->shadow_version_id, err);
}

static enum status read_task(struct monitor *m, struct err *err)
{
	struct service *service;
	TRY(roster_pin(api_of(m->req)->roster, m->request.deployment_id, &service, err));
	m->task = service->task;
	service_drop(service);
	return ST_OK;
}

static enum status read_monitored(struct monitor *m, struct err *err)
{
	TRY(api_body(m->req, &m->body, err));
	TRY(read_task(m, err));
	TRY(read_origin(m, err));
	TRY(read_predictions(m, err));
	TRY(read_image(m, err));
	m->request.idempotency_key = http_header(m->req, "Idempotency-Key");
	return ST_OK;
}

enum status api_monitor(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct monitor *m = ARENA_NEW(req->arena, struct monitor);
	m->req = req;
	m->request =
		(struct serve_request){.received_us = req->received_us, .monitor = true, .arena = req->arena};
	TRY(api_id(req, "id", "deployment", &m->request.deployment_id, err));
	enum status st = read_monitored(m, err);
	if (st != ST_OK) {
		live_refused(req, err);
		return st;
	}
	reply->code = 201;
	return serve_observe(api_of(req)->serve, &m->request, &m->seen, &reply->body, err);
}

/* ---- a shadow's answer, later ---- */

/* row: with the image that it is of, whether that is kept or not */
struct later {
	struct predicted_row row;
	bool unkept;
	struct arena *arena;
};

static enum status insert_later(struct db_conn *c, void *arg, struct err *err)
{
	struct later *l = arg;
	const struct prediction_row *p = &l->row.prediction;
	struct prediction_row before;
	bool found;
	if (l->unkept)
		TRY(gone_rows_has_version(c, p->predicted_asset_id, p->model_version_id, &found, err));
	else
		TRY(prediction_rows_of_version(
			c, p->predicted_asset_id, p->model_version_id, l->arena, &before, &found, err));
	if (found)
		return err_set(err, ST_CONFLICT, "This image has a prediction of that version already.");
	if (!l->unkept)
		return prediction_rows_insert(c, p, err);
	return gone_rows_insert(
		c, p, l->row.source, (uint32_t)l->row.width, (uint32_t)l->row.height, clock_unix_us(), err);
}

/* A service's login is for one deployment. */
static enum status check_login(const struct http_request *req, struct uuid deployment_id, struct err *err)
{
	const struct caller *caller = caller_of(req);
	if (caller->kind != CALLER_SERVICE || uuid_equal(caller->deployment_id, deployment_id))
		return ST_OK;
	return err_set(err, ST_FORBIDDEN, "This login is for another deployment.");
}

/* One whose image was not kept is as good. */
static enum status read_predicted(struct http_request *req, struct later *l, enum task *task, struct err *err)
{
	API_READER reader = {0};
	struct deployment_row deployment;
	struct uuid id;
	TRY(api_id(req, "id", "prediction", &id, err));
	TRY(api_read(req, &reader, err));
	enum status st = prediction_rows_by_id(reader.conn, id, req->arena, &l->row, err);
	l->unkept = st == ST_MISSING;
	if (l->unkept)
		st = gone_rows_by_id(reader.conn, id, req->arena, &l->row, err);
	TRY(st);
	TRY(deployment_rows_by_id(
		reader.conn, l->row.prediction.deployment_id, req->arena, &deployment, err));
	return task_parse(deployment.type, task)
		       ? ST_OK
		       : err_set(err, ST_INTERNAL, "A deployment of no known type.");
}

enum status api_monitor_shadow(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct later later = {.arena = req->arena};
	struct prediction_row *champion = &later.row.prediction;
	struct shapes shapes;
	struct uuid version_id;
	yyjson_val *body;
	enum task task;
	int64_t latency_us = 0;
	TRY(read_predicted(req, &later, &task, err));
	TRY(check_login(req, champion->deployment_id, err));
	TRY(api_body(req, &body, err));
	TRY(read_seconds(body, "shadow_latency", &latency_us, err));
	TRY(raw_predictions_read(yyjson_obj_get(body, "shadow_raw_predictions"), "shadow_raw_predictions",
		task, (uint32_t)later.row.width, (uint32_t)later.row.height, req->arena, &shapes, err));
	TRY(find_shadow(req, champion->deployment_id, &version_id, err));
	*champion = serve_shadow_row(champion, version_id, &shapes, latency_us, req->arena);
	TRY(api_write(req, "prediction.shadow", champion->id, insert_later, &later, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_id(doc, root, "id", champion->id);
	api_add_id(doc, root, "predicted_asset_id",
		later.unkept ? (struct uuid){{0}} : champion->predicted_asset_id);
	reply->code = 201;
	return http_reply_json(req, reply, doc);
}
