/* SPDX-License-Identifier: Apache-2.0 */
/* Trainings: launched from an experiment, looked at, cancelled, tried again. */
#include "api/nouns.h"
#include "api/training_json.h"
#include "learn/training.h"
#include "os/clock.h"
#include "store/experiment_rows.h"
#include "store/model_rows.h"

#include <stdio.h>

/* ---- launch ---- */

struct launch {
	struct training_row wish, row;
	struct arena *arena;
};

static enum status launch_job(struct db_conn *c, void *arg, struct err *err)
{
	struct launch *l = arg;
	return training_open(c, &l->wish, clock_unix_us(), l->arena, &l->row, err);
}

/* The result becomes the next version of what it starts from. */
static enum status read_model(struct http_request *req, struct launch *l, struct err *err)
{
	API_READER reader = {0};
	struct experiment_row experiment;
	struct model_version_row base;
	TRY(api_read(req, &reader, err));
	TRY(experiment_rows_by_id(reader.conn, l->wish.experiment_id, req->arena, &experiment, err));
	if (uuid_is_zero(experiment.base_model_version_id))
		return ST_OK;
	TRY(model_rows_version_by_id(reader.conn, experiment.base_model_version_id, req->arena, &base, err));
	l->wish.model_id = base.model_id;
	return ST_OK;
}

/* Body of the SDK: {"gpus"}, which a trainer on this machine has no use for. */
enum status api_experiment_launch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct launch l = {.arena = req->arena};
	yyjson_mut_val *root;
	TRY(api_id(req, "id", "experiment", &l.wish.experiment_id, err));
	TRY(training_check_trainer(req, err));
	l.wish.trigger = "LAUNCH";
	l.wish.who = caller_of(req)->user_name;
	l.wish.why = arena_printf(req->arena, "Launched by %s.", l.wish.who);
	TRY(read_model(req, &l, err));
	TRY(api_write(req, "experiment.launch", l.wish.experiment_id, launch_job, &l, err));
	trainings_poke(api_of(req)->trainings);
	yyjson_mut_doc *doc = json_new(req->arena);
	TRY(training_job_json(req, doc, &l.row, &root, err));
	yyjson_mut_doc_set_root(doc, root);
	return http_reply_json(req, reply, doc);
}

/* ---- look ---- */

enum status api_training_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "training", &id, err));
	return training_reply(req, reply, id, err);
}

enum status api_experiment_training(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct training_row row;
	struct uuid id;
	bool found;
	TRY(api_id(req, "id", "experiment", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(training_rows_of_experiment(reader.conn, id, req->arena, &row, &found, err));
	if (!found)
		return err_set(err, ST_MISSING, "This experiment was never launched here.");
	api_reader_drop(&reader);
	return training_reply(req, reply, row.id, err);
}

/* Newest first. ?deployment= of one alone. */
enum status api_training_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct rows_page page;
	struct training_row *rows;
	struct uuid deployment_id = {{0}};
	const char *deployment = http_query(req, "deployment");
	size_t count;
	int64_t total;
	TRY(api_check_organization(req, err));
	TRY(api_page(req, &page, err));
	if (http_query(req, "order_by") == NULL)
		page.order = ROWS_NEWEST;
	if (deployment && !uuid_parse(deployment, &deployment_id))
		return err_set(err, ST_INVALID, "\"deployment\" must be an id (a UUID).");
	TRY(api_read(req, &reader, err));
	TRY(training_rows_list(reader.conn, deployment_id, &page, req->arena, &rows, &count, &total, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++) {
		yyjson_mut_val *item;
		TRY(training_json(api_of(req), reader.conn, doc, &rows[i], req->arena, &item, err));
		yyjson_mut_arr_append(items, item);
	}
	return api_reply_list(req, reply, doc, items, total);
}

enum status api_training_events(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct training_row row;
	struct uuid id;
	char text[UUID_TEXT_SIZE];
	TRY(api_id(req, "id", "training", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(training_rows_by_id(reader.conn, id, req->arena, &row, err));
	uuid_format(id, text);
	reply->stream = arena_printf(req->arena, "training:%s", text);
	return ST_OK;
}

/* ---- change ---- */

static enum status nothing(struct db_conn *c, void *arg, struct err *err)
{
	return ST_OK;
}

enum status api_training_cancel(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "training", &id, err));
	TRY(training_cancel(api_of(req)->trainings, id, caller_of(req)->user_name, err));
	TRY(api_write(req, "training.cancel", id, nothing, NULL, err)); /* for the audit log */
	return training_reply(req, reply, id, err);
}

enum status api_training_retry(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "training", &id, err));
	TRY(training_check_trainer(req, err));
	TRY(training_retry(api_of(req)->trainings, id, caller_of(req)->user_name, err));
	TRY(api_write(req, "training.retry", id, nothing, NULL, err));
	return training_reply(req, reply, id, err);
}

/* ---- who trains ---- */

enum status api_trainer_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct trainer_facts facts;
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	trainings_facts(api_of(req)->trainings, req->arena, &facts);
	yyjson_mut_obj_add_bool(doc, root, "available", facts.available);
	api_add_text(doc, root, "name", facts.name);
	api_add_text(doc, root, "version", facts.version);
	api_add_text(doc, root, "reason", facts.reason);
	yyjson_mut_obj_add_int(doc, root, "memory_mb", facts.memory_bytes_max >> 20);
	yyjson_mut_obj_add_uint(doc, root, "threads", facts.threads);
	return http_reply_json(req, reply, doc);
}
