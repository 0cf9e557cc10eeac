/* SPDX-License-Identifier: Apache-2.0 */
/* Training Data: what the drift and the outliers of a deployment are measured against. */
#include "api/training_data.h"

#include "api/live.h"
#include "api/nouns.h"
#include "api/training_data_json.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/dataset_rows.h"
#include "store/shadow_rows.h"
#include "watch/alerts.h"
#include "watch/reference.h"
#include "watch/reference_job.h"

#include <math.h>
#include <string.h>

#define IMAGES_DEFAULT 500
#define TIME_S_MAX 1e11

/* ---- setting it ---- */

struct setting {
	struct training_data_row row;
	const char *why; /* what open drift events are closed with */
};

static enum status put_row(struct db_conn *c, void *arg, struct err *err)
{
	const struct setting *s = arg;
	bool closed;
	TRY(training_data_rows_put(c, &s->row, err));
	return alerts_end(c, s->row.deployment_id, ALERT_DRIFT, s->row.set_us, s->why, &closed, err);
}

/* Who changes it: a request, or gyre by itself. */
struct by {
	struct api *api;
	const char *who;
	struct arena *arena;
};

static struct by by_request(struct http_request *req)
{
	return (struct by){api_of(req), caller_of(req)->user_name, req->arena};
}

static enum status read_by(const struct by *by, struct api_reader *reader, struct err *err)
{
	reader->pool = by->api->readers;
	return db_reader_take(by->api->readers, &reader->conn, err);
}

/* A shadow may become the champion: its reference is made before, so that drift goes on. */
static enum status start_shadows(const struct by *by, struct uuid deployment_id, bool anew, struct err *err)
{
	API_READER reader = {0};
	struct deployment_row deployment;
	struct shadow_row *shadows;
	struct job_row job;
	size_t count;
	TRY(read_by(by, &reader, err));
	TRY(deployment_rows_by_id(reader.conn, deployment_id, by->arena, &deployment, err));
	TRY(shadow_rows_list(reader.conn, deployment_id, by->arena, &shadows, &count, err));
	api_reader_drop(&reader);
	for (size_t i = 0; deployment.serving && i < count; i++)
		TRY(reference_start_version(by->api->references, deployment_id, shadows[i].model_version_id,
			anew, by->who, by->arena, &job, err));
	return ST_OK;
}

void training_data_shadow(struct api *api, struct uuid deployment_id, const char *who)
{
	struct arena a;
	struct err err;
	arena_init(&a);
	if (start_shadows(&(struct by){api, who, &a}, deployment_id, false, &err) != ST_OK)
		log_err("training_data_not_followed", &err);
	arena_release(&a);
}

/* After it is set: jobs for what was before end, one for what is now begins, pages fetch. */
static enum status begin_by(const struct by *by, struct uuid deployment_id, bool anew, struct err *err)
{
	struct job_row job;
	TRY(reference_start(by->api->references, deployment_id, anew, by->who, by->arena, &job, err));
	TRY(start_shadows(by, deployment_id, anew, err));
	live_changed(by->api, deployment_id);
	return ST_OK;
}

static enum status begin(struct http_request *req, struct uuid deployment_id, bool anew, struct err *err)
{
	struct by by = by_request(req);
	return begin_by(&by, deployment_id, anew, err);
}

static enum status check_deployment(struct http_request *req, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct deployment_row row;
	TRY(api_read(req, &reader, err));
	return deployment_rows_by_id(reader.conn, id, req->arena, &row, err);
}

static enum status check_version(struct http_request *req, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct dataset_version_row version;
	int64_t assets;
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_rows_by_id(reader.conn, id, req->arena, &version, err));
	TRY(asset_rows_count(reader.conn, id, &assets, err));
	if (assets >= REFERENCE_IMAGES_MIN)
		return ST_OK;
	return err_set(err, ST_UNPROCESSABLE,
		"Version %.100s of dataset %.100s has %lld images; Training Data needs at least %d.",
		version.version, version.dataset_name, (long long)assets, REFERENCE_IMAGES_MIN);
}

/* {"dataset_version_id"}, or {"kind": "PRODUCTION", "images", "source", "from"}. */
static enum status read_body(
	struct http_request *req, yyjson_val *body, struct training_data_row *row, struct err *err)
{
	double from = 0;
	row->kind = "DATASET";
	row->images_max = REFERENCE_IMAGES_MAX;
	TRY(json_text(body, "kind", &row->kind, err));
	if (strcmp(row->kind, "DATASET") == 0) {
		row->kind = "DATASET";
		TRY(api_json_id(body, "dataset_version_id", true, &row->dataset_version_id, err));
		return check_version(req, row->dataset_version_id, err);
	}
	if (strcmp(row->kind, "PRODUCTION") != 0)
		return err_set(err, ST_INVALID, "\"kind\" must be DATASET or PRODUCTION.");
	row->images_max = IMAGES_DEFAULT;
	TRY(json_integer(body, "images", &row->images_max, err));
	TRY(json_text(body, "source", &row->source, err));
	TRY(json_number(body, "from", &from, err));
	if (row->images_max < REFERENCE_IMAGES_MIN || row->images_max > REFERENCE_IMAGES_MAX)
		return err_set(err, ST_INVALID, "\"images\" must be a number from %d to %d.",
			REFERENCE_IMAGES_MIN, REFERENCE_IMAGES_MAX);
	if (!(from >= 0 && from <= TIME_S_MAX))
		return err_set(err, ST_INVALID, "\"from\" must be a time, in seconds since 1970.");
	if (row->source && *row->source == '\0')
		row->source = NULL;
	row->from_us = llround(from * 1e6);
	return ST_OK;
}

/* The very same again leaves it, and what was made of it, as it is. */
static enum status is_same(
	struct http_request *req, const struct training_data_row *row, bool *same, struct err *err)
{
	API_READER reader = {0};
	struct training_data_row old;
	TRY(api_read(req, &reader, err));
	TRY(training_data_rows_get(reader.conn, row->deployment_id, req->arena, &old, same, err));
	*same = *same && old.active && strcmp(old.kind, row->kind) == 0 &&
		uuid_equal(old.dataset_version_id, row->dataset_version_id) &&
		old.images_max == row->images_max && old.from_us == row->from_us &&
		(old.source ? row->source && strcmp(old.source, row->source) == 0 : row->source == NULL);
	return ST_OK;
}

enum status api_training_data_setup(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct setting s = {.row = {.active = true, .set_by = caller_of(req)->user_name},
		.why = "Training Data was changed."};
	yyjson_val *body;
	bool same;
	TRY(api_id(req, "id", "deployment", &s.row.deployment_id, err));
	TRY(api_body(req, &body, err));
	TRY(check_deployment(req, s.row.deployment_id, err));
	TRY(read_body(req, body, &s.row, err));
	TRY(is_same(req, &s.row, &same, err));
	if (!same) {
		TRY(reference_stop(api_of(req)->references, s.row.deployment_id, err));
		s.row.set_us = clock_unix_us();
		TRY(api_write(req, "training_data.setup", s.row.deployment_id, put_row, &s, err));
	}
	TRY(begin(req, s.row.deployment_id, false, err));
	return training_data_reply(req, reply, s.row.deployment_id, err);
}

/* ---- on and off, and again ---- */

struct toggle {
	struct uuid deployment_id;
	bool active;
};

static enum status set_active(struct db_conn *c, void *arg, struct err *err)
{
	const struct toggle *t = arg;
	bool found, closed;
	TRY(training_data_rows_set_active(c, t->deployment_id, t->active, &found, err));
	if (!found)
		return err_set(
			err, ST_CONFLICT, "This deployment has no Training Data yet. Choose some first.");
	return t->active ? ST_OK
			 : alerts_end(c, t->deployment_id, ALERT_DRIFT, clock_unix_us(),
				   "Training Data was disabled.", &closed, err);
}

static enum status toggle(struct http_request *req, struct http_reply *reply, bool active, struct err *err)
{
	struct toggle t = {.active = active};
	TRY(api_id(req, "id", "deployment", &t.deployment_id, err));
	TRY(check_deployment(req, t.deployment_id, err));
	TRY(api_write(req, active ? "training_data.enable" : "training_data.disable", t.deployment_id,
		set_active, &t, err));
	if (!active)
		TRY(reference_stop(api_of(req)->references, t.deployment_id, err));
	TRY(begin(req, t.deployment_id, false, err));
	return training_data_reply(req, reply, t.deployment_id, err);
}

enum status api_training_data_disable(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return toggle(req, reply, false, err);
}

enum status api_training_data_enable(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return toggle(req, reply, true, err);
}

/* The same images, or what the dataset version has by now, once more. */
enum status api_training_data_redo(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	API_READER reader = {0};
	struct training_data t;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(training_data_read(req, reader.conn, id, &t, err));
	if (!t.set || !t.row.active)
		return err_set(err, ST_CONFLICT,
			"This deployment has no Training Data, or it is disabled: choose or enable it "
			"first.");
	api_reader_drop(&reader);
	TRY(begin(req, id, true, err));
	return training_data_reply(req, reply, id, err);
}

/* ---- reading it ---- */

enum status api_training_data_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	return training_data_reply(req, reply, id, err);
}

enum status api_training_data_check(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	API_READER reader = {0};
	struct training_data t;
	yyjson_mut_doc *doc;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(training_data_read(req, reader.conn, id, &t, err));
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_text(doc, root, "status", t.status);
	api_add_text(doc, root, "message", t.message);
	return http_reply_json(req, reply, doc);
}

/* ---- with the champion ---- */

static enum status choose(
	const struct by *by, struct uuid deployment_id, struct setting *s, bool *change, struct err *err)
{
	API_READER reader = {0};
	struct training_data_row old;
	struct deployment_row deployment;
	const char *name;
	bool set;
	*change = false;
	TRY(read_by(by, &reader, err));
	TRY(deployment_rows_by_id(reader.conn, deployment_id, by->arena, &deployment, err));
	TRY(training_data_rows_get(reader.conn, deployment_id, by->arena, &old, &set, err));
	if (set && strcmp(old.set_by, TRAINING_DATA_BY_ITSELF) != 0)
		return ST_OK;
	TRY(training_data_rows_suggest(reader.conn, deployment.champion_id, REFERENCE_EVALUATION_MIN,
		by->arena, &s->row.dataset_version_id, &name, err));
	if (uuid_is_zero(s->row.dataset_version_id))
		return ST_OK;
	*change = !set || !uuid_equal(old.dataset_version_id, s->row.dataset_version_id);
	s->row.active = !set || old.active;
	return ST_OK;
}

/* What drifted from the champion before says nothing of this one. */
static enum status end_drift(struct db_conn *c, void *arg, struct err *err)
{
	bool closed;
	return alerts_end(c, *(const struct uuid *)arg, ALERT_DRIFT, clock_unix_us(),
		"Another champion answers: drift is measured anew.", &closed, err);
}

static enum status follow(const struct by *by, struct uuid deployment_id, struct err *err)
{
	struct setting s = {.row = {.deployment_id = deployment_id,
				    .kind = "DATASET",
				    .images_max = REFERENCE_IMAGES_MAX,
				    .set_us = clock_unix_us(),
				    .set_by = TRAINING_DATA_BY_ITSELF},
		.why = "Training Data changed with the champion."};
	bool change;
	TRY(choose(by, deployment_id, &s, &change, err));
	TRY(change ? recorder_run(by->api->recorder, put_row, &s, err)
		   : recorder_run(by->api->recorder, end_drift, &deployment_id, err));
	return begin_by(by, deployment_id, false, err);
}

void training_data_follow(struct api *api, struct uuid deployment_id, const char *who)
{
	struct arena a;
	struct err err;
	arena_init(&a);
	if (follow(&(struct by){api, who, &a}, deployment_id, &err) != ST_OK)
		log_err("training_data_not_followed", &err);
	arena_release(&a);
}
