/* SPDX-License-Identifier: Apache-2.0 */
#include "api/continuous_json.h"
#include "api/dataset_json.h"
#include "api/training_json.h"
#include "learn/continuous_training.h"
#include "learn/feedback.h"
#include "learn/training.h"
#include "os/clock.h"
#include "store/experiment_rows.h"
#include "store/project_rows.h"

#include <string.h>

#define DAY_US ((int64_t)24 * 3600 * 1000000)
#define RULE                                                                                                 \
	"Counted are reviews that were submitted since the last training's snapshot, each picture once, "    \
	"without those that were taken back and those that are kept to measure with."

const char *continuous_no_trainer(struct http_request *req)
{
	struct trainer_facts facts;
	trainings_facts(api_of(req)->trainings, req->arena, &facts);
	return facts.available ? NULL : facts.reason ? facts.reason : "There is no trainer on this machine.";
}

struct printing {
	struct http_request *req;
	struct db_conn *conn;
	yyjson_mut_doc *doc;
	yyjson_mut_val *root;
	const struct continuous_training *t;
	int64_t now_us;
};

static const char *state_name(enum continuous_training_state state)
{
	static const char *const names[] = {"off", "unready", "counting", "running", "paused"};
	return names[state];
}

/* ---- settings ---- */

static enum status add_project(struct printing *p, struct err *err)
{
	struct project_row project;
	if (uuid_is_zero(p->t->row.project_id)) {
		yyjson_mut_obj_add_null(p->doc, p->root, "project");
		return ST_OK;
	}
	TRY(project_rows_by_id(p->conn, p->t->row.project_id, p->req->arena, &project, err));
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(p->doc, p->root, "project");
	api_add_id(p->doc, object, "id", project.id);
	api_add_text(p->doc, object, "name", project.name);
	return ST_OK;
}

static void add_base(struct printing *p)
{
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(p->doc, p->root, "base");
	yyjson_mut_obj_add_bool(p->doc, object, "champion", uuid_is_zero(p->t->row.model_version_id));
	api_add_id(p->doc, object, "model_version_id", p->t->base.id);
	api_add_id(p->doc, object, "model_id", p->t->base.model_id);
	api_add_text(p->doc, object, "model", p->t->base_model);
	yyjson_mut_obj_add_int(p->doc, object, "version", p->t->base.version);
}

static void add_trigger(struct printing *p)
{
	const struct continuous_training_row *row = &p->t->row;
	api_add_text(p->doc, p->root, "trigger", row->trigger);
	yyjson_mut_obj_add_int(p->doc, p->root, "threshold", row->threshold);
	if (row->every_s)
		yyjson_mut_obj_add_int(p->doc, p->root, "every_s", row->every_s);
	else
		yyjson_mut_obj_add_null(p->doc, p->root, "every_s");
	yyjson_mut_obj_add_bool(p->doc, p->root, "on_drift", row->on_drift);
	yyjson_mut_obj_add_int(p->doc, p->root, "drift_images_min", row->drift_images_min);
	api_add_json(p->doc, p->root, "parameters", row->parameters, p->req->arena);
	api_add_text(p->doc, p->root, "trainer", row->trainer);
}

static enum status add_dataset(struct printing *p, yyjson_mut_val *list, const char *name,
	const struct dataset_version_row *version, int64_t images, int64_t evaluation, struct err *err)
{
	yyjson_mut_val *value, *item = yyjson_mut_arr_add_obj(p->doc, list);
	TRY(dataset_version_json(p->req, p->conn, p->doc, version, &value, err));
	yyjson_mut_obj_add_strcpy(p->doc, item, "name", name);
	yyjson_mut_obj_add_val(p->doc, item, "dataset_version", value);
	yyjson_mut_obj_add_int(p->doc, item, "images", images);
	yyjson_mut_obj_add_int(p->doc, item, "evaluation", evaluation);
	return ST_OK;
}

static enum status add_datasets(struct printing *p, struct err *err)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(p->doc, p->root, "datasets");
	for (size_t i = 0; i < p->t->dataset_count; i++) {
		const struct continuous_training_dataset *d = &p->t->datasets[i];
		TRY(add_dataset(p, list, d->name, &d->version, d->images, d->evaluation, err));
	}
	return ST_OK;
}

/* ---- counts ---- */

static void add_counts(struct printing *p)
{
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(p->doc, p->root, "counts");
	int64_t left = p->t->row.threshold - p->t->counts.fresh;
	double pace = continuous_training_pace(p->t, p->now_us);
	yyjson_mut_obj_add_int(p->doc, object, "submitted", continuous_training_submitted(p->t));
	yyjson_mut_obj_add_int(p->doc, object, "kept", p->t->counts.kept);
	yyjson_mut_obj_add_int(p->doc, object, "threshold", p->t->row.threshold);
	yyjson_mut_obj_add_int(p->doc, object, "evaluation_only", p->t->counts.evaluation);
	if (pace > 0)
		yyjson_mut_obj_add_real(p->doc, object, "pace_per_day", pace);
	else
		yyjson_mut_obj_add_null(p->doc, object, "pace_per_day");
	bool counts = strcmp(p->t->row.trigger, TRIGGER_FEEDBACK_LOOP) == 0;
	api_add_time(p->doc, object, "expected_at",
		counts && pace > 0 && left > 0 ? p->now_us + (int64_t)((double)left / pace * (double)DAY_US)
					       : 0);
	yyjson_mut_obj_add_str(p->doc, object, "rule", RULE);
}

static void add_state(struct printing *p)
{
	const char *text;
	enum continuous_training_state state = continuous_training_state(p->t, p->req->arena, &text);
	yyjson_mut_obj_add_str(p->doc, p->root, "state", state_name(state));
	api_add_text(p->doc, p->root, "state_text", text);
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(p->doc, p->root, "problems");
	for (size_t i = 0; i < p->t->problem_count; i++)
		yyjson_mut_arr_add_strcpy(p->doc, list, p->t->problems[i].text);
	yyjson_mut_obj_add_int(p->doc, p->root, "failures", p->t->row.failures);
}

static enum status add_training(
	struct printing *p, const char *key, const struct training_row *row, struct err *err)
{
	yyjson_mut_val *value = yyjson_mut_null(p->doc);
	if (!uuid_is_zero(row->id))
		TRY(training_json(api_of(p->req), p->conn, p->doc, row, p->req->arena, &value, err));
	yyjson_mut_obj_add_val(p->doc, p->root, key, value);
	return ST_OK;
}

/* ---- suggestions ---- */

static enum status add_suggested_dataset(
	struct printing *p, yyjson_mut_val *list, const char *name, struct uuid version_id, struct err *err)
{
	struct dataset_version_row version;
	int64_t images = 0, evaluation = 0;
	enum status st = dataset_version_rows_by_id(p->conn, version_id, p->req->arena, &version, err);
	if (st == ST_MISSING)
		return ST_OK;
	TRY(st);
	TRY(continuous_training_rows_images(p->conn, version_id, &images, &evaluation, err));
	return add_dataset(p, list, name, &version, images, evaluation, err);
}

/* What reviews go into is trained on; what the base was measured with measures again. */
static enum status add_suggested_datasets(struct printing *p, yyjson_mut_val *list, struct err *err)
{
	struct feedback f;
	struct experiment_dataset_row *datasets;
	size_t count = 0;
	TRY(feedback_read(p->conn, p->t->deployment.id, p->req->arena, &f, err));
	for (size_t i = 0; i < f.target_count; i++) {
		const char *name = i == 0 ? "train" : arena_printf(p->req->arena, "train-%d", (int)i + 1);
		TRY(add_suggested_dataset(p, list, name, f.targets[i].version.id, err));
	}
	if (!uuid_is_zero(p->t->base.experiment_id))
		TRY(experiment_rows_datasets(
			p->conn, p->t->base.experiment_id, p->req->arena, &datasets, &count, err));
	for (size_t i = 0; i < count; i++) {
		bool is_train = strcmp(datasets[i].name, "train") == 0 && f.target_count == 0;
		if (strcmp(datasets[i].name, "test") == 0 || is_train)
			TRY(add_suggested_dataset(
				p, list, datasets[i].name, datasets[i].dataset_version_id, err));
	}
	return ST_OK;
}

static enum status add_suggestion(struct printing *p, struct err *err)
{
	const struct training_row *last = &p->t->last;
	const char *parameters;
	struct uuid project_id;
	TRY(continuous_training_suggest(p->conn, p->t, p->req->arena, &parameters, &project_id, err));
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(p->doc, p->root, "suggestion");
	api_add_json(p->doc, object, "parameters", parameters, p->req->arena);
	if (strcmp(uuid_is_zero(last->id) ? "" : last->status, "SUCCESS") == 0)
		yyjson_mut_obj_add_real(
			p->doc, object, "minutes", (double)(last->finished_us - last->started_us) / 6e7);
	else
		yyjson_mut_obj_add_null(p->doc, object, "minutes");
	api_add_id(p->doc, object, "project_id", project_id);
	return add_suggested_datasets(p, yyjson_mut_obj_add_arr(p->doc, object, "datasets"), err);
}

/* ---- all of it ---- */

static enum status print(struct printing *p, struct err *err)
{
	yyjson_mut_obj_add_bool(p->doc, p->root, "set", p->t->set);
	yyjson_mut_obj_add_bool(p->doc, p->root, "active", p->t->set && p->t->row.active);
	TRY(add_project(p, err));
	add_base(p);
	add_trigger(p);
	TRY(add_datasets(p, err));
	add_counts(p);
	add_state(p);
	TRY(add_training(p, "open", &p->t->open, err));
	TRY(add_training(p, "last", &p->t->last, err));
	return add_suggestion(p, err);
}

enum status continuous_training_reply(
	struct http_request *req, struct http_reply *reply, struct uuid deployment_id, struct err *err)
{
	API_READER reader = {0};
	struct continuous_training t;
	struct printing p = {.req = req, .t = &t, .now_us = clock_unix_us()};
	TRY(api_read(req, &reader, err));
	p.conn = reader.conn;
	p.root = api_object(req, &p.doc);
	TRY(continuous_training_read(
		p.conn, deployment_id, continuous_no_trainer(req), p.now_us, req->arena, &t, err));
	TRY(print(&p, err));
	return http_reply_json(req, reply, p.doc);
}
