/* SPDX-License-Identifier: Apache-2.0 */
/* A deployment's Continuous Training: set, switched, what it trains on, and "Train now". */
#include "learn/continuous_training.h"

#include "api/api.h"
#include "api/continuous_json.h"
#include "api/id_list.h"
#include "api/live.h"
#include "api/nouns.h"
#include "api/training_json.h"
#include "learn/loop.h"
#include "learn/training.h"
#include "os/clock.h"
#include "store/project_rows.h"
#include "watch/alerts.h"

#include <inttypes.h>
#include <string.h>

#define THRESHOLD_MAX 1000000
#define EVERY_S_MIN 60
#define EVERY_S_MAX (366 * 24 * 3600)
#define ALIAS_MAX 64

void continuous_training_changed(void *arg, struct uuid deployment_id)
{
	live_changed(arg, deployment_id);
}

void continuous_training_ended(void *arg, const struct training_row *row)
{
	struct api *api = arg;
	loop_poke(api->loop);
	if (!uuid_is_zero(row->deployment_id))
		live_changed(api, row->deployment_id);
}

static enum status alert_failed(
	struct db_conn *c, const struct training_row *row, int64_t now_us, struct arena *a, struct err *err)
{
	char id[UUID_TEXT_SIZE];
	bool opened;
	uuid_format(row->id, id);
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	api_add_text(doc, root, "training_id", id);
	yyjson_mut_obj_add_int(doc, root, "attempt", row->attempt);
	const struct alert_news news = {.deployment_id = row->deployment_id,
		.kind = ALERT_TRAINING_FAILED,
		.key = arena_printf(a, "training:%s:%" PRId64, id, row->attempt),
		.at_us = now_us,
		.sentence = arena_printf(a, "Training %" PRId64 " failed: %s", row->epoch,
			row->error ? row->error : "It gives no reason."),
		.detail = (const char *)json_print(doc, a).data};
	return alerts_fire(c, &news, &opened, err);
}

enum status continuous_training_alert(
	void *arg, struct db_conn *c, const struct training_row *row, int64_t now_us, struct err *err)
{
	(void)arg;
	bool closed;
	enum status st = ST_OK;
	struct arena a;
	arena_init(&a);
	if (strcmp(row->status, "FAILED") == 0)
		st = alert_failed(c, row, now_us, &a, err);
	if (strcmp(row->status, "SUCCESS") == 0)
		st = alerts_end(c, row->deployment_id, ALERT_TRAINING_FAILED, now_us,
			arena_printf(&a, "Training %" PRId64 " succeeded.", row->epoch), &closed, err);
	arena_release(&a);
	return st;
}

/* Whatever changed: the loop looks again, pages fetch, the answer is how it stands now. */
static enum status changed(
	struct http_request *req, struct http_reply *reply, struct uuid deployment_id, struct err *err)
{
	loop_poke(api_of(req)->loop);
	live_changed(api_of(req), deployment_id);
	return continuous_training_reply(req, reply, deployment_id, err);
}

enum status api_continuous_training_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	return continuous_training_reply(req, reply, id, err);
}

/* ---- setting it ---- */

struct setting {
	struct http_request *req;
	yyjson_val *body;
	const char *no_trainer;
	struct uuid deployment_id;
	int64_t now_us;
};

static enum status read_number(yyjson_val *body, const char *key, int64_t low, int64_t high, const char *what,
	int64_t *out, struct err *err)
{
	TRY(json_integer(body, key, out, err));
	if (*out < low || *out > high)
		return err_set(err, ST_UNPROCESSABLE, "\"%s\" is %s, from %lld to %lld.", key, what,
			(long long)low, (long long)high);
	return ST_OK;
}

/* Both or neither, as the SDK sends them. */
static enum status read_trigger(yyjson_val *body, struct continuous_training_row *row, struct err *err)
{
	TRY(json_text(body, "trigger", &row->trigger, err));
	if (strcmp(row->trigger, TRIGGER_FEEDBACK_LOOP) != 0 && strcmp(row->trigger, TRIGGER_NONE) != 0)
		return err_set(err, ST_INVALID, "\"trigger\" is FEEDBACK_LOOP or NONE, not \"%.50s\".",
			row->trigger);
	return read_number(
		body, "threshold", 1, THRESHOLD_MAX, "a number of submitted reviews", &row->threshold, err);
}

static enum status read_schedule(yyjson_val *body, struct continuous_training_row *row, struct err *err)
{
	yyjson_val *every = yyjson_obj_get(body, "every_s");
	if (every && yyjson_is_null(every))
		row->every_s = 0;
	else if (every)
		TRY(read_number(body, "every_s", EVERY_S_MIN, EVERY_S_MAX, "a number of seconds",
			&row->every_s, err));
	TRY(json_bool(body, "on_drift", &row->on_drift, err));
	return read_number(body, "drift_images_min", 1, THRESHOLD_MAX, "a number of submitted reviews",
		&row->drift_images_min, err);
}

static enum status read_parameters(
	const struct setting *s, struct continuous_training_row *row, struct err *err)
{
	yyjson_val *parameters = yyjson_obj_get(s->body, "experiment_parameters");
	if (!yyjson_is_obj(parameters) || yyjson_obj_size(parameters) == 0)
		return err_set(err, ST_INVALID,
			"\"experiment_parameters\" must be an object with at least one parameter, like "
			"{\"epochs\": 30}.");
	return api_json_stored(s->req, s->body, "experiment_parameters", &row->parameters, err);
}

static enum status read_row(
	struct db_conn *c, const struct setting *s, struct continuous_training_row *row, struct err *err)
{
	const char *type = "EXPERIMENT";
	struct project_row project;
	yyjson_val *base = yyjson_obj_get(s->body, "base");
	TRY(api_json_id(s->body, "project_id", true, &row->project_id, err));
	TRY(project_rows_by_id(c, row->project_id, s->req->arena, &project, err));
	TRY(json_text(s->body, "training_type", &type, err));
	if (strcmp(type, "EXPERIMENT") != 0)
		return err_set(err, ST_INVALID, "\"training_type\" is EXPERIMENT.");
	TRY(read_parameters(s, row, err));
	TRY(read_trigger(s->body, row, err));
	TRY(read_schedule(s->body, row, err));
	TRY(json_text(s->body, "trainer", &row->trainer, err));
	if (base && yyjson_is_null(base))
		row->model_version_id = (struct uuid){{0}};
	else
		TRY(api_json_id(s->body, "base", false, &row->model_version_id, err));
	return ST_OK;
}

/* Refused, with the reason, is what cannot run whatever is attached later. */
static enum status check_saved(struct db_conn *c, const struct setting *s, bool all, struct err *err)
{
	struct continuous_training t;
	TRY(continuous_training_read(c, s->deployment_id, s->no_trainer, s->now_us, s->req->arena, &t, err));
	for (size_t i = 0; i < t.problem_count; i++)
		if (all || !t.problems[i].later)
			return err_set(err, ST_UNPROCESSABLE, "%s", t.problems[i].text);
	return ST_OK;
}

static void switch_on(struct continuous_training_row *row, bool active)
{
	row->active = active;
	if (!active)
		return;
	row->failures = 0;
	row->paused_text = NULL;
}

static enum status write_setting(struct db_conn *c, void *arg, struct err *err)
{
	const struct setting *s = arg;
	struct continuous_training t;
	TRY(continuous_training_read(c, s->deployment_id, s->no_trainer, s->now_us, s->req->arena, &t, err));
	if (!t.set) {
		t.row.created_us = t.row.last_us = s->now_us;
		t.row.trigger = TRIGGER_NONE;
	}
	TRY(read_row(c, s, &t.row, err));
	switch_on(&t.row, true);
	t.row.updated_us = s->now_us;
	t.row.updated_by = caller_of(s->req)->user_name;
	TRY(continuous_training_rows_put(c, &t.row, err));
	return check_saved(c, s, false, err);
}

static enum status write_switch(struct db_conn *c, void *arg, struct err *err)
{
	const struct setting *s = arg;
	struct continuous_training_row row;
	bool found;
	TRY(continuous_training_rows_get(c, s->deployment_id, s->req->arena, &row, &found, err));
	if (!found)
		return err_set(err, ST_CONFLICT,
			"Continuous Training of this deployment is not set up yet. Set it up first.");
	if (!yyjson_is_bool(yyjson_obj_get(s->body, "active")))
		return err_set(err, ST_INVALID, "\"active\" must be true or false.");
	bool active = yyjson_get_bool(yyjson_obj_get(s->body, "active"));
	switch_on(&row, active);
	row.updated_us = s->now_us;
	row.updated_by = caller_of(s->req)->user_name;
	TRY(continuous_training_rows_put(c, &row, err));
	return active ? check_saved(c, s, true, err) : ST_OK;
}

static enum status change(struct http_request *req, struct http_reply *reply, const char *action,
	recorder_job *job, struct err *err)
{
	struct setting s = {.req = req, .now_us = clock_unix_us()};
	TRY(api_id(req, "id", "deployment", &s.deployment_id, err));
	TRY(api_body(req, &s.body, err));
	s.no_trainer = continuous_no_trainer(req);
	TRY(api_write(req, action, s.deployment_id, job, &s, err));
	return changed(req, reply, s.deployment_id, err);
}

enum status api_continuous_training_set(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return change(req, reply, "continuous_training.set", write_setting, err);
}

enum status api_continuous_training_toggle(
	struct http_request *req, struct http_reply *reply, struct err *err)
{
	return change(req, reply, "continuous_training.toggle", write_switch, err);
}

/* ---- dataset versions ---- */

struct attachment {
	struct uuid deployment_id;
	struct continuous_training_dataset_row row;
	struct arena *arena;
};

static enum status check_attachment(struct db_conn *c, const struct attachment *t, struct err *err)
{
	struct deployment_row deployment;
	struct dataset_version_row version;
	struct continuous_training_dataset_row *rows;
	size_t count;
	TRY(deployment_rows_by_id(c, t->deployment_id, t->arena, &deployment, err));
	TRY(dataset_version_rows_by_id(c, t->row.dataset_version_id, t->arena, &version, err));
	if (strcmp(version.type, deployment.type) != 0 && strcmp(version.type, "NOT_CONFIGURED") != 0 &&
		strcmp(version.type, "MULTI") != 0)
		return err_set(err, ST_UNPROCESSABLE,
			"Version \"%.100s\" of dataset \"%.100s\" is for %s; deployment \"%.100s\" does %s.",
			version.version, version.dataset_name, version.type, deployment.name,
			deployment.type);
	TRY(continuous_training_dataset_rows_list(c, t->deployment_id, t->arena, &rows, &count, err));
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(rows[i].dataset_version_id, version.id) &&
			strcmp(rows[i].name, t->row.name) != 0)
			return err_set(err, ST_CONFLICT,
				"Version \"%.100s\" of dataset \"%.100s\" is attached as \"%.64s\" already: "
				"detach "
				"it first.",
				version.version, version.dataset_name, rows[i].name);
	if (count >= CONTINUOUS_TRAINING_DATASETS_MAX)
		return err_set(err, ST_CONFLICT,
			"Continuous Training takes at most %d dataset versions; detach one first.",
			CONTINUOUS_TRAINING_DATASETS_MAX);
	return ST_OK;
}

static enum status attach(struct db_conn *c, void *arg, struct err *err)
{
	const struct attachment *t = arg;
	TRY(check_attachment(c, t, err));
	return continuous_training_dataset_rows_put(c, t->deployment_id, &t->row, err);
}

enum status api_continuous_training_dataset_add(
	struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct attachment t = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "deployment", &t.deployment_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &t.row.name, err));
	TRY(api_json_id(body, "dataset_version_id", true, &t.row.dataset_version_id, err));
	if (strlen(t.row.name) > ALIAS_MAX)
		return err_set(err, ST_INVALID,
			"\"name\" has at most %d bytes: it is train, val, test or the like.", ALIAS_MAX);
	TRY(api_write(req, "continuous_training.attach", t.deployment_id, attach, &t, err));
	return changed(req, reply, t.deployment_id, err);
}

struct detachment {
	struct uuid deployment_id, *ids;
	size_t count;
};

static enum status detach(struct db_conn *c, void *arg, struct err *err)
{
	const struct detachment *d = arg;
	bool existed;
	for (size_t i = 0; i < d->count; i++)
		TRY(continuous_training_dataset_rows_delete(c, d->deployment_id, d->ids[i], &existed, err));
	return ST_OK;
}

enum status api_continuous_training_dataset_remove(
	struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct detachment d = {0};
	yyjson_val *body;
	TRY(api_id(req, "id", "deployment", &d.deployment_id, err));
	TRY(api_body(req, &body, err));
	TRY(id_list_read(req, body, "ids", CONTINUOUS_TRAINING_DATASETS_MAX, &d.ids, &d.count, err));
	TRY(api_write(req, "continuous_training.detach", d.deployment_id, detach, &d, err));
	return changed(req, reply, d.deployment_id, err);
}

/* ---- now ---- */

enum status api_continuous_training_run(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct continuous_training_opening opening = {.by_hand = true,
		.who = caller_of(req)->user_name,
		.now_us = clock_unix_us(),
		.arena = req->arena};
	TRY(api_id(req, "id", "deployment", &opening.deployment_id, err));
	opening.no_trainer = continuous_no_trainer(req);
	TRY(api_write(req, "continuous_training.run", opening.deployment_id, continuous_training_open_job,
		&opening, err));
	trainings_poke(api_of(req)->trainings);
	live_changed(api_of(req), opening.deployment_id);
	reply->code = 201;
	return training_reply(req, reply, opening.training.id, err);
}
