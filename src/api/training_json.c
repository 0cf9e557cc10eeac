/* SPDX-License-Identifier: Apache-2.0 */
#include "api/training_json.h"

#include "base/check.h"
#include "http/events.h"
#include "learn/training.h"
#include "store/reference_rows.h"
#include "watch/reference_job.h"
#include "os/log.h"
#include "store/dataset_rows.h"
#include "store/deployment_rows.h"
#include "store/experiment_rows.h"
#include "store/model_rows.h"
#include "store/project_rows.h"

#include <stdio.h>

#define CHANNEL_SIZE 48

static const struct {
	const char *name, *title, *help;
} stages[] = {
#define STAGE(name, title, help) {#name, title, help},
#include "learn/stages.def"
#undef STAGE
};

/* What is told of one training. */
struct telling {
	const struct api *api;
	struct db_conn *conn;
	yyjson_mut_doc *doc;
	yyjson_mut_val *object;
	const struct training_row *row;
	struct arena *arena;
};

/* ---- what it is of ---- */

static void add_named(const struct telling *t, const char *key, struct uuid id, const char *name)
{
	if (uuid_is_zero(id)) {
		yyjson_mut_obj_add_null(t->doc, t->object, key);
		return;
	}
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(t->doc, t->object, key);
	api_add_id(t->doc, object, "id", id);
	api_add_text(t->doc, object, "name", name);
}

static enum status add_version(const struct telling *t, const char *key, struct uuid id, struct err *err)
{
	struct model_version_row version;
	struct model_row model;
	if (uuid_is_zero(id)) {
		yyjson_mut_obj_add_null(t->doc, t->object, key);
		return ST_OK;
	}
	TRY(model_rows_version_by_id(t->conn, id, t->arena, &version, err));
	TRY(model_rows_by_id(t->conn, version.model_id, t->arena, &model, err));
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(t->doc, t->object, key);
	api_add_id(t->doc, object, "model_id", model.id);
	api_add_text(t->doc, object, "model", model.name);
	api_add_id(t->doc, object, "model_version_id", id);
	yyjson_mut_obj_add_int(t->doc, object, "version", version.version);
	return ST_OK;
}

static enum status add_owners(
	const struct telling *t, const struct experiment_row *experiment, struct err *err)
{
	struct project_row project;
	struct deployment_row deployment = {0};
	TRY(project_rows_by_id(t->conn, experiment->project_id, t->arena, &project, err));
	if (!uuid_is_zero(t->row->deployment_id))
		TRY(deployment_rows_by_id(t->conn, t->row->deployment_id, t->arena, &deployment, err));
	add_named(t, "experiment", experiment->id, experiment->name);
	add_named(t, "project", project.id, project.name);
	add_named(t, "deployment", deployment.id, deployment.name);
	return ST_OK;
}

static enum status add_datasets(const struct telling *t, struct err *err)
{
	const struct rows_page held_out = {.filter = {.where = "asset.evaluation = 1"}};
	struct experiment_dataset_row *datasets;
	size_t count;
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(t->doc, t->object, "datasets");
	TRY(experiment_rows_datasets(t->conn, t->row->experiment_id, t->arena, &datasets, &count, err));
	for (size_t i = 0; i < count; i++) {
		struct dataset_version_row version;
		struct uuid id = datasets[i].dataset_version_id, *ids;
		size_t id_count;
		int64_t images, evaluation;
		TRY(dataset_version_rows_by_id(t->conn, id, t->arena, &version, err));
		TRY(asset_rows_count(t->conn, id, &images, err));
		TRY(asset_rows_ids(t->conn, id, &held_out, t->arena, &ids, &id_count, &evaluation, err));
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(t->doc, list);
		api_add_text(t->doc, item, "alias", datasets[i].name);
		api_add_id(t->doc, item, "dataset_version_id", id);
		api_add_text(t->doc, item, "dataset", version.dataset_name);
		api_add_text(t->doc, item, "version", version.version);
		yyjson_mut_obj_add_int(t->doc, item, "revision", datasets[i].revision);
		yyjson_mut_obj_add_int(t->doc, item, "images", images);
		yyjson_mut_obj_add_int(t->doc, item, "evaluation", evaluation);
	}
	return ST_OK;
}

/* ---- how far it is ---- */

static const struct training_stage_row *find_done(
	const struct training_stage_row *done, size_t count, const char *stage)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(done[i].stage, stage) == 0)
			return &done[i];
	return NULL;
}

static const char *state_of(
	const struct training_row *row, const char *stage, const struct training_stage_row *done)
{
	if (done)
		return done->detail && strncmp(done->detail, "{\"passed\"", 9) == 0 ? "passed" : "done";
	if (strcmp(row->stage, stage) != 0)
		return "waiting";
	return strcmp(row->status, "RUNNING") == 0  ? "running"
	       : strcmp(row->status, "FAILED") == 0 ? "failed"
						    : "waiting";
}

static enum status add_stages(const struct telling *t, struct err *err)
{
	struct training_stage_row *done;
	size_t count;
	TRY(training_rows_stages(t->conn, t->row->id, t->arena, &done, &count, err));
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(t->doc, t->object, "stages");
	for (size_t i = 0; i < COUNT_OF(stages); i++) {
		const struct training_stage_row *one = find_done(done, count, stages[i].name);
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(t->doc, list);
		api_add_text(t->doc, item, "name", stages[i].name);
		api_add_text(t->doc, item, "title", stages[i].title);
		api_add_text(t->doc, item, "help", stages[i].help);
		api_add_text(t->doc, item, "state", state_of(t->row, stages[i].name, one));
		api_add_time(t->doc, item, "done_at", one ? one->done_us : 0);
	}
	return ST_OK;
}

static void add_stored(const struct telling *t, const char *key, const char *json)
{
	if (json)
		api_add_json(t->doc, t->object, key, json, t->arena);
	else
		yyjson_mut_obj_add_null(t->doc, t->object, key);
}

static void add_state(const struct telling *t)
{
	const struct training_row *row = t->row;
	double left_s = trainings_left_s(t->api->trainings, row->id);
	yyjson_mut_obj_add_real(t->doc, t->object, "progress", row->progress);
	api_add_text(t->doc, t->object, "message", row->message);
	if (left_s >= 0)
		yyjson_mut_obj_add_real(t->doc, t->object, "left_s", left_s);
	else
		yyjson_mut_obj_add_null(t->doc, t->object, "left_s");
	yyjson_mut_obj_add_int(t->doc, t->object, "attempt", row->attempt);
	api_add_text(t->doc, t->object, "error", row->error);
	if (row->exit_code >= 0)
		yyjson_mut_obj_add_int(t->doc, t->object, "exit_code", row->exit_code);
	else
		yyjson_mut_obj_add_null(t->doc, t->object, "exit_code");
	api_add_text(t->doc, t->object, "trainer", row->trainer);
}

static void add_cost(const struct telling *t)
{
	const struct training_row *row = t->row;
	yyjson_mut_obj_add_real(t->doc, t->object, "cpu_s", (double)row->cpu_us / 1e6);
	yyjson_mut_obj_add_real(t->doc, t->object, "memory_mb", (double)row->memory_bytes / 1048576);
	api_add_time(t->doc, t->object, "created_at", row->created_us);
	api_add_time(t->doc, t->object, "started_at", row->started_us);
	api_add_time(t->doc, t->object, "finished_at", row->finished_us);
}

enum status training_json(const struct api *api, struct db_conn *c, yyjson_mut_doc *doc,
	const struct training_row *row, struct arena *a, yyjson_mut_val **out, struct err *err)
{
	const struct telling t = {api, c, doc, yyjson_mut_obj(doc), row, a};
	struct experiment_row experiment;
	*out = t.object;
	TRY(experiment_rows_by_id(c, row->experiment_id, a, &experiment, err));
	api_add_id(doc, t.object, "id", row->id);
	TRY(add_owners(&t, &experiment, err));
	if (row->epoch)
		yyjson_mut_obj_add_int(doc, t.object, "epoch", row->epoch);
	else
		yyjson_mut_obj_add_null(doc, t.object, "epoch");
	api_add_text(doc, t.object, "trigger", row->trigger);
	api_add_text(doc, t.object, "why", row->why);
	api_add_text(doc, t.object, "who", row->who);
	api_add_text(doc, t.object, "status", row->status);
	api_add_text(doc, t.object, "stage", row->stage);
	TRY(add_stages(&t, err));
	add_state(&t);
	TRY(add_version(&t, "base", experiment.base_model_version_id, err));
	api_add_text(doc, t.object, "arch", row->arch);
	TRY(add_datasets(&t, err));
	TRY(add_version(&t, "candidate", row->candidate_id, err));
	add_stored(&t, "evaluation", row->evaluation);
	add_stored(&t, "decision", row->decision);
	add_cost(&t);
	return ST_OK;
}

enum status training_reply(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct training_row row;
	yyjson_mut_val *root;
	TRY(api_read(req, &reader, err));
	TRY(training_rows_by_id(reader.conn, id, req->arena, &row, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	TRY(training_json(api_of(req), reader.conn, doc, &row, req->arena, &root, err));
	yyjson_mut_doc_set_root(doc, root);
	return http_reply_json(req, reply, doc);
}

enum status training_check_trainer(struct http_request *req, struct err *err)
{
	struct trainer_facts facts;
	trainings_facts(api_of(req)->trainings, req->arena, &facts);
	return facts.available ? ST_OK : err_set(err, ST_CONFLICT, "%s", facts.reason);
}

/* ---- as a job ---- */

const char *training_job_status(const char *status)
{
	static const struct {
		const char *training, *job;
	} words[] = {{"WAITING", "PENDING"}, {"RUNNING", "RUNNING"}, {"SUCCESS", "SUCCEEDED"},
		{"FAILED", "FAILED"}, {"CANCELED", "KILLED"}};
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcmp(words[i].training, status) == 0)
			return words[i].job;
	return "FAILED";
}

enum status training_job_json(struct http_request *req, yyjson_mut_doc *doc, const struct training_row *row,
	yyjson_mut_val **out, struct err *err)
{
	API_READER reader = {0};
	yyjson_mut_val *training, *object = *out = yyjson_mut_obj(doc);
	TRY(api_read(req, &reader, err));
	TRY(training_json(api_of(req), reader.conn, doc, row, req->arena, &training, err));
	api_add_id(doc, object, "id", row->id);
	api_add_text(doc, object, "kind", "training");
	api_add_text(doc, object, "status", training_job_status(row->status));
	api_add_id(doc, object, "object_id", row->experiment_id);
	api_add_text(doc, object, "by", row->who);
	yyjson_mut_obj_add_real(doc, object, "progress", row->progress);
	api_add_text(doc, object, "message", row->message);
	api_add_time(doc, object, "created_at", row->created_us);
	api_add_time(doc, object, "finished_at", row->finished_us);
	yyjson_mut_obj_add_null(doc, object, "result");
	api_add_text(doc, object, "error", row->error);
	yyjson_mut_obj_add_val(doc, object, "training", training);
	return ST_OK;
}

/* ---- live ---- */

static void publish(struct api *api, const struct training_row *row, const char *event, const char *json)
{
	char channel[CHANNEL_SIZE], id[UUID_TEXT_SIZE];
	uuid_format(row->id, id);
	snprintf(channel, sizeof(channel), "training:%s", id);
	http_events_publish(api->http, channel, event, json);
}

void training_changed(void *arg, const struct training_row *row)
{
	struct api *api = arg;
	struct db_conn *c;
	struct arena a;
	struct err err;
	yyjson_mut_val *root;
	if (api->http == NULL)
		return;
	arena_init(&a);
	yyjson_mut_doc *doc = json_new(&a);
	enum status st = db_reader_take(api->readers, &c, &err);
	if (st == ST_OK) {
		st = training_json(api, c, doc, row, &a, &root, &err);
		db_reader_give(api->readers, c);
	}
	if (st == ST_OK) {
		yyjson_mut_doc_set_root(doc, root);
		publish(api, row, "training", (const char *)json_print(doc, &a).data);
	} else if (st != ST_MISSING) {
		log_err("training_event", &err);
	}
	arena_release(&a);
}

void training_logged(void *arg, const struct training_row *row, const char *entry)
{
	struct api *api = arg;
	if (api->http)
		publish(api, row, "log", entry);
}

/* ---- Training Data as the candidate sees it ---- */

static enum status see_reference(const struct api *api, const struct training_row *row, bool begin,
	struct arena *a, bool *there, struct err *err)
{
	struct reference_row reference;
	struct job_row job;
	struct db_conn *c;
	bool found;
	if (begin)
		TRY(reference_start_version(
			api->references, row->deployment_id, row->candidate_id, false, "gyre", a, &job, err));
	TRY(db_reader_take(api->readers, &c, err));
	enum status st = reference_rows_of_version(
		c, row->deployment_id, row->candidate_id, true, a, &reference, &found, err);
	db_reader_give(api->readers, c);
	TRY(st);
	*there = !found || strcmp(reference.status, "RUNNING") != 0;
	return ST_OK;
}

enum status training_reference(
	void *arg, const struct training_row *row, bool begin, bool *there, struct err *err)
{
	struct arena a;
	arena_init(&a);
	enum status st = see_reference(arg, row, begin, &a, there, err);
	arena_release(&a);
	return st;
}
