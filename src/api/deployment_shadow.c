/* SPDX-License-Identifier: Apache-2.0 */
/* Shadows of a deployment: set, removed, promoted; how they do; and predict_shadow. */
#include "api/deployment_shadow.h"

#include "api/deployment_swap.h"
#include "api/nouns.h"
#include "api/training_data.h"
#include "deploy/shadow_set.h"
#include "os/clock.h"
#include "serve/pipeline.h"
#include "shadow/shadows.h"
#include "store/model_rows.h"
#include "store/pipeline_rows.h"
#include "store/shadow_rows.h"

#include <inttypes.h>

/* ---- changes ---- */

static enum status read_version(struct db_conn *c, struct uuid id, struct arena *a,
	struct model_version_row *version, struct model_row *model, struct err *err)
{
	TRY(model_rows_version_by_id(c, id, a, version, err));
	return model_rows_by_id(c, version->model_id, a, model, err);
}

enum status deployment_shadow_insert(struct db_conn *c, struct deployment_change *change,
	struct uuid version_id, bool from_start, struct err *err)
{
	const struct shadow_wish wish = {
		.version_id = version_id,
		.from_start = from_start,
		.who = change->who,
		.now_us = clock_unix_us(),
	};
	return shadow_set(c, &change->row, &wish, &change->arena, err);
}

struct shadow_change {
	struct deployment_change change; /* first: the job gets its address */
	struct uuid version_id;
	bool from_start;
};

static enum status set_shadow(struct db_conn *c, void *arg, struct err *err)
{
	struct shadow_change *s = arg;
	TRY(deployment_change_begin(c, &s->change, err));
	return deployment_shadow_insert(c, &s->change, s->version_id, s->from_start, err);
}

static enum status read_since(yyjson_val *body, bool *from_start, struct err *err)
{
	const char *since = NULL;
	TRY(json_text(body, "since", &since, err));
	*from_start = since && strcmp(since, "start") == 0;
	if (since && !*from_start && strcmp(since, "now") != 0)
		return err_set(err, ST_INVALID,
			"\"since\" is \"now\" (what comes from now on) or \"start\" (the whole log).");
	return ST_OK;
}

enum status api_deployment_shadow_set(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct shadow_change s = {0};
	struct uuid id;
	yyjson_val *body;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_id(body, "model_version_id", true, &s.version_id, err));
	TRY(read_since(body, &s.from_start, err));
	TRY(deployment_change_run(req, reply, "deployment.shadow_set", id, set_shadow, &s.change, NULL, err));
	training_data_shadow(api_of(req), id, caller_of(req)->user_name);
	return ST_OK;
}

static enum status remove_shadow(struct db_conn *c, void *arg, struct err *err)
{
	struct shadow_change *s = arg;
	TRY(deployment_change_begin(c, &s->change, err));
	return shadow_unset(c, &s->change.row, s->version_id, s->change.who, NULL, clock_unix_us(),
		&s->change.arena, err);
}

enum status api_deployment_shadow_remove(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct shadow_change s = {0};
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(api_id(req, "version", "model version", &s.version_id, err));
	return deployment_change_run(
		req, reply, "deployment.shadow_remove", id, remove_shadow, &s.change, NULL, err);
}

/* What Continuous Deployment says becomes of the champion before; a request may say otherwise. */
static enum status read_keep(
	struct http_request *req, struct uuid deployment_id, struct swap *swap, struct err *err)
{
	API_READER reader = {0};
	struct continuous_deployment_row cd;
	bool set;
	TRY(api_read(req, &reader, err));
	TRY(continuous_deployment_rows_get(reader.conn, deployment_id, req->arena, &cd, &set, err));
	swap->keep_as_shadow = set && cd.keep_s > 0;
	if (swap->keep_as_shadow)
		swap->keep_until_us = clock_unix_us() + cd.keep_s * 1000000;
	return ST_OK;
}

enum status api_deployment_shadow_promote(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct swap swap = {.what = SWAP_PROMOTED, .from_shadow = true};
	struct uuid id;
	yyjson_val *body = NULL;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(api_id(req, "version", "model version", &swap.version_id, err));
	TRY(read_keep(req, id, &swap, err));
	if (req->body.size)
		TRY(api_body(req, &body, err));
	if (body)
		TRY(json_bool(body, "keep_old_as_shadow", &swap.keep_as_shadow, err));
	return deployment_swap_run(req, reply, id, &swap, err);
}

/* ---- how they do ---- */

static void add_mean_ms(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t us, int64_t count)
{
	if (count > 0)
		yyjson_mut_obj_add_real(doc, object, key, (double)us / (double)count / 1e3);
	else
		yyjson_mut_obj_add_null(doc, object, key);
}

static void add_state(struct http_request *req, yyjson_mut_doc *doc, yyjson_mut_val *object, struct uuid id)
{
	enum shadow_state state;
	char text[480];
	shadows_state(api_of(req)->shadows, id, &state, text);
	yyjson_mut_obj_add_str(doc, object, "state", shadow_state_name(state));
	if (text[0])
		yyjson_mut_obj_add_strcpy(doc, object, "state_text", text);
	else
		yyjson_mut_obj_add_null(doc, object, "state_text");
}

static enum status add_shadow(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	yyjson_mut_val *list, const struct shadow_row *s, struct err *err)
{
	struct model_version_row version;
	struct model_row model;
	int64_t lag = 0;
	TRY(read_version(c, s->model_version_id, req->arena, &version, &model, err));
	if (!s->elsewhere)
		TRY(shadow_rows_lag(c, s->deployment_id, s->position, &lag, err));
	yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);
	api_add_id(doc, object, "model_version_id", s->model_version_id);
	api_add_id(doc, object, "model_id", version.model_id);
	api_add_text(doc, object, "model_name", model.name);
	yyjson_mut_obj_add_int(doc, object, "version", version.version);
	api_add_text(doc, object, "version_name", version.name);
	api_add_time(doc, object, "since", s->since_us);
	yyjson_mut_obj_add_int(doc, object, "lag", lag);
	yyjson_mut_obj_add_int(doc, object, "predictions", s->predictions);
	yyjson_mut_obj_add_int(doc, object, "compared", s->compared);
	add_mean_ms(doc, object, "mean_cpu_ms", s->cpu_us, s->compared);
	add_mean_ms(doc, object, "champion_mean_cpu_ms", s->champion_cpu_us, s->compared);
	yyjson_mut_obj_add_int(doc, object, "skipped", s->skipped);
	api_add_text(doc, object, "skipped_text", s->skipped_text);
	add_state(req, doc, object, s->id);
	api_add_text(doc, object, "role", s->role);
	api_add_text(doc, object, "reason", s->reason);
	api_add_id(doc, object, "training_id", s->training_id);
	api_add_time(doc, object, "until", s->until_us);
	return ST_OK;
}

enum status deployment_shadow_json(struct http_request *req, struct db_conn *c, struct uuid deployment_id,
	yyjson_mut_doc *doc, yyjson_mut_val *root, yyjson_mut_val *champion, struct err *err)
{
	struct shadow_row *shadows, none = {0};
	size_t count;
	TRY(shadow_rows_list(c, deployment_id, req->arena, &shadows, &count, err));
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "shadows");
	for (size_t i = 0; i < count; i++)
		TRY(add_shadow(req, c, doc, list, &shadows[i], err));
	const struct shadow_row *newest = count ? &shadows[0] : &none;
	api_add_id(doc, root, "shadow_model_version_id", newest->model_version_id);
	add_mean_ms(doc, champion, "mean_cpu_ms", newest->champion_cpu_us, newest->compared);
	return ST_OK;
}

/* ---- predict_shadow ---- */

static enum status add_latency(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct prediction_row *p,
	struct arena *a, struct err *err)
{
	yyjson_doc *steps;
	double total_us = 0;
	TRY(json_parse(span_of_text(p->steps_us), a, &steps, err));
	yyjson_mut_obj_add_real(doc, root, "latency", (double)p->latency_us / 1e6);
	yyjson_mut_val *latency = yyjson_mut_obj_add_obj(doc, root, "latency_ms"), *ms;
	yyjson_val *key, *value;
	size_t i, n;
	yyjson_obj_foreach (yyjson_doc_get_root(steps), i, n, key, value) {
		ms = yyjson_mut_real(doc, yyjson_get_num(value) / 1e3);
		yyjson_mut_obj_add(latency, yyjson_mut_strcpy(doc, yyjson_get_str(key)), ms);
		total_us += yyjson_get_num(value);
	}
	yyjson_mut_obj_add_real(doc, latency, "total", total_us / 1e3);
	return ST_OK;
}

static enum status add_model(struct http_request *req, yyjson_mut_doc *doc, yyjson_mut_val *root,
	struct uuid version_id, const char ***labels, uint32_t *label_count, struct err *err)
{
	API_READER reader = {0};
	struct model_version_row version;
	struct model_row model;
	TRY(api_read(req, &reader, err));
	TRY(read_version(reader.conn, version_id, req->arena, &version, &model, err));
	TRY(model_labels(version.labels, req->arena, labels, label_count, err));
	api_add_id(doc, root, "model_version_id", version_id);
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "model");
	api_add_text(doc, object, "name", model.name);
	yyjson_mut_obj_add_int(doc, object, "version", version.version);
	return ST_OK;
}

/* As predict answers. */
static enum status answer(struct http_request *req, struct http_reply *reply, const struct predicted_row *row,
	bool kept, struct err *err)
{
	const struct prediction_row *p = &row->prediction;
	const char **labels;
	uint32_t label_count;
	struct shapes shapes;
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	TRY(shapes_unpack(p->shapes, req->arena, &shapes, err));
	if (kept) {
		api_add_id(doc, root, "id", p->id);
		api_add_id(doc, root, "predicted_asset_id", p->predicted_asset_id);
		api_add_id(doc, root, "data_id", row->data_id);
	}
	api_add_id(doc, root, "deployment_id", p->deployment_id);
	yyjson_mut_obj_add_bool(doc, root, "is_shadow", true);
	TRY(add_model(req, doc, root, p->model_version_id, &labels, &label_count, err));
	yyjson_mut_val *image = yyjson_mut_obj_add_obj(doc, root, "image");
	api_add_text(doc, image, "filename", row->filename);
	yyjson_mut_obj_add_int(doc, image, "width", row->width);
	yyjson_mut_obj_add_int(doc, image, "height", row->height);
	yyjson_mut_obj_add_real(doc, root, "threshold", p->threshold);
	TRY(add_latency(doc, root, p, req->arena, err));
	serve_add_shapes(
		doc, root, &shapes, (const char *const *)labels, label_count, p->threshold, req->arena);
	return http_reply_json(req, reply, doc);
}

enum status api_predict_shadow(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct shadows_question question = {.keep = true, .arena = req->arena};
	struct predicted_row *row = ARENA_NEW(req->arena, struct predicted_row);
	yyjson_val *body;
	TRY(api_id(req, "id", "deployment", &question.deployment_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_id(body, "prediction_id", true, &question.prediction_id, err));
	TRY(json_bool(body, "monitor", &question.keep, err));
	TRY(shadows_ask(api_of(req)->shadows, &question, row, err));
	return answer(req, reply, row, question.keep, err);
}
