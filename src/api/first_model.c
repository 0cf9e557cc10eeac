/* SPDX-License-Identifier: Apache-2.0 */
/* A first model of a dataset version; and the same as the SDK calls it, a fast training. */
#include "api/nouns.h"
#include "api/training_json.h"
#include "learn/first_model.h"
#include "os/clock.h"
#include "store/dataset_rows.h"
#include "store/model_rows.h"

#include <stdio.h>

static unsigned trainer_threads(struct http_request *req)
{
	struct trainer_facts facts;
	trainings_facts(api_of(req)->trainings, req->arena, &facts);
	return facts.threads;
}

/* ---- what can be made ---- */

static void add_classes(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct training_set *set)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "classes");
	for (size_t i = 0; i < set->label_count; i++) {
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
		api_add_text(doc, item, "label", set->labels[i]);
		yyjson_mut_obj_add_uint(doc, item, "objects", set->label_shapes[i]);
	}
}

static void add_set(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct training_set *set)
{
	add_classes(doc, root, set);
	yyjson_mut_obj_add_uint(doc, root, "images", set->images);
	yyjson_mut_obj_add_uint(doc, root, "labelled", set->count);
	yyjson_mut_obj_add_uint(doc, root, "objects", set->objects);
	yyjson_mut_val *split = yyjson_mut_obj_add_obj(doc, root, "split");
	yyjson_mut_obj_add_uint(doc, split, "train", set->side_counts[TRAINING_TRAIN]);
	yyjson_mut_obj_add_uint(doc, split, "val", set->side_counts[TRAINING_VAL]);
	yyjson_mut_obj_add_uint(doc, split, "test", set->side_counts[TRAINING_TEST]);
	yyjson_mut_val *warnings = yyjson_mut_obj_add_arr(doc, root, "warnings");
	for (size_t i = 0; i < set->warning_count; i++)
		yyjson_mut_arr_add_str(doc, warnings, set->warnings[i]);
}

static void add_choices(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct first_model *facts)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "choices");
	for (size_t i = 0; i < facts->choice_count; i++) {
		const struct first_model_choice *choice = &facts->choices[i];
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
		api_add_text(doc, item, "arch", choice->arch);
		api_add_text(doc, item, "title", choice->title);
		yyjson_mut_obj_add_real(doc, item, "minutes", choice->minutes);
		yyjson_mut_obj_add_int(doc, item, "epochs", choice->epochs);
		yyjson_mut_val *input = yyjson_mut_obj_add_arr(doc, item, "input");
		yyjson_mut_arr_add_uint(doc, input, choice->side);
		yyjson_mut_arr_add_uint(doc, input, choice->side);
	}
}

enum status api_first_model_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct first_model facts;
	struct err no_trainer;
	struct uuid id;
	yyjson_mut_doc *doc;
	TRY(api_id(req, "id", "dataset version", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(first_model_read(reader.conn, id, trainer_threads(req), req->arena, &facts, err));
	if (facts.reason == NULL && training_check_trainer(req, &no_trainer) != ST_OK)
		facts.reason = arena_strdup(req->arena, no_trainer.text);
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_bool(doc, root, "can", facts.reason == NULL);
	api_add_text(doc, root, "reason", facts.reason);
	api_add_text(doc, root, "task", facts.type);
	add_set(doc, root, &facts.set);
	add_choices(doc, root, &facts);
	return http_reply_json(req, reply, doc);
}

/* ---- make it ---- */

struct opening {
	struct first_model_wish wish;
	struct first_model facts;
	struct training_row row;
	struct arena *arena;
};

static enum status open_job(struct db_conn *c, void *arg, struct err *err)
{
	struct opening *o = arg;
	return first_model_open(c, &o->wish, clock_unix_us(), o->arena, &o->row, err);
}

static enum status read_facts(struct http_request *req, struct opening *o, struct err *err)
{
	API_READER reader = {0};
	TRY(api_id(req, "id", "dataset version", &o->wish.dataset_version_id, err));
	TRY(training_check_trainer(req, err));
	TRY(api_read(req, &reader, err));
	o->arena = req->arena;
	o->wish.organization_id = api_of(req)->organization_id;
	o->wish.who = caller_of(req)->user_name;
	o->wish.facts = &o->facts;
	return first_model_read(
		reader.conn, o->wish.dataset_version_id, trainer_threads(req), req->arena, &o->facts, err);
}

static enum status open_first_model(struct http_request *req, struct opening *o, struct err *err)
{
	TRY(api_write(req, "dataset_version.train", o->wish.dataset_version_id, open_job, o, err));
	trainings_poke(api_of(req)->trainings);
	return ST_OK;
}

/* {"arch", "name", "project_id", "parameters"} */
enum status api_first_model_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct opening o = {0};
	yyjson_val *body;
	TRY(api_body(req, &body, err));
	TRY(json_text(body, "arch", &o.wish.arch, err));
	TRY(api_json_name(body, "name", true, &o.wish.name, err));
	TRY(api_json_id(body, "project_id", false, &o.wish.project_id, err));
	TRY(api_json_stored(req, body, "parameters", &o.wish.parameters, err));
	TRY(read_facts(req, &o, err));
	TRY(open_first_model(req, &o, err));
	reply->code = 201;
	return training_reply(req, reply, o.row.id, err);
}

/* ---- as the SDK says it ---- */

static enum status fast_training_json(struct db_conn *c, yyjson_mut_doc *doc, const struct training_row *row,
	struct arena *a, yyjson_mut_val **out, struct err *err)
{
	struct experiment_row experiment;
	TRY(experiment_rows_by_id(c, row->experiment_id, a, &experiment, err));
	*out = yyjson_mut_obj(doc);
	api_add_id(doc, *out, "job_id", row->id);
	api_add_id(doc, *out, "job_run_id", row->id);
	api_add_text(doc, *out, "status", training_job_status(row->status));
	api_add_id(doc, *out, "experiment_id", experiment.id);
	api_add_text(doc, *out, "experiment_name", experiment.name);
	return ST_OK;
}

/* A name that no model has: that of the dataset and its version, numbered where needed. */
static enum status choose_name(struct http_request *req, struct opening *o, struct err *err)
{
	API_READER reader = {0};
	struct dataset_version_row version;
	struct model_row model;
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_rows_by_id(reader.conn, o->wish.dataset_version_id, req->arena, &version, err));
	const char *base = arena_printf(req->arena, "%.80s %.80s", version.dataset_name, version.version);
	o->wish.name = base;
	enum status st = ST_OK;
	for (int number = 2; st == ST_OK; number++) {
		st = model_rows_by_name(reader.conn, o->wish.name, req->arena, &model, err);
		if (st == ST_OK)
			o->wish.name = arena_printf(req->arena, "%s %d", base, number);
	}
	return st == ST_MISSING ? ST_OK : st;
}

/* {"description"} */
enum status api_fast_training_start(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct opening o = {0};
	yyjson_val *body;
	yyjson_mut_val *root;
	TRY(api_body(req, &body, err));
	TRY(api_json_prose(body, "description", &o.wish.description, err));
	TRY(read_facts(req, &o, err));
	TRY(choose_name(req, &o, err));
	TRY(open_first_model(req, &o, err));
	TRY(api_read(req, &reader, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	TRY(fast_training_json(reader.conn, doc, &o.row, req->arena, &root, err));
	yyjson_mut_doc_set_root(doc, root);
	return http_reply_json(req, reply, doc);
}

/* ?experiment_id= of one alone. {"trainings": […]} */
enum status api_fast_training_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct training_row *rows;
	struct dataset_version_row version;
	struct uuid id, wanted = {{0}};
	const char *text = http_query(req, "experiment_id");
	size_t count;
	yyjson_mut_doc *doc;
	TRY(api_id(req, "id", "dataset version", &id, err));
	if (text && !uuid_parse(text, &wanted))
		return err_set(err, ST_INVALID, "\"experiment_id\" must be an id (a UUID).");
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_rows_by_id(reader.conn, id, req->arena, &version, err));
	TRY(training_rows_of_dataset(reader.conn, id, "FIRST", req->arena, &rows, &count, err));
	yyjson_mut_val *root = api_object(req, &doc), *item;
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "trainings");
	for (size_t i = 0; i < count; i++) {
		if (text && !uuid_equal(rows[i].experiment_id, wanted))
			continue;
		TRY(fast_training_json(reader.conn, doc, &rows[i], req->arena, &item, err));
		yyjson_mut_arr_append(list, item);
	}
	return http_reply_json(req, reply, doc);
}
