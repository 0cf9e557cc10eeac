/* SPDX-License-Identifier: Apache-2.0 */
#include "api/deployment_json.h"

#include "api/deployment_shadow.h"
#include "deploy/roster.h"
#include "store/alert_rows.h"
#include "store/model_rows.h"
#include "store/pipeline_badges.h"

static yyjson_mut_val *add_champion(yyjson_mut_doc *doc, yyjson_mut_val *root,
	const struct deployment_row *row, const struct model_version_row *version,
	const struct model_row *model)
{
	yyjson_mut_val *champion = yyjson_mut_obj_add_obj(doc, root, "champion");
	api_add_id(doc, champion, "model_id", model->id);
	api_add_text(doc, champion, "model_name", model->name);
	api_add_id(doc, champion, "version_id", version->id);
	yyjson_mut_obj_add_int(doc, champion, "version", version->version);
	api_add_text(doc, champion, "version_name", version->name);
	api_add_time(doc, champion, "since", row->champion_since_us);
	return champion;
}

static void add_stats(yyjson_mut_doc *doc, yyjson_mut_val *root, struct service *s)
{
	struct tally_summary t;
	tally_read(s->tally, &t);
	yyjson_mut_val *stats = yyjson_mut_obj_add_obj(doc, root, "stats");
	yyjson_mut_obj_add_int(doc, stats, "inferences", t.count);
	yyjson_mut_obj_add_int(doc, stats, "failed", t.failed);
	yyjson_mut_obj_add_real(doc, stats, "mean_latency_ms", t.mean_us / 1e3);
	yyjson_mut_obj_add_real(doc, stats, "p99_latency_ms", t.p99_us / 1e3);
	yyjson_mut_val *recent = yyjson_mut_obj_add_arr(doc, stats, "recent_latency_ms");
	for (unsigned i = 0; i < t.recent_count; i++)
		yyjson_mut_arr_add_real(doc, recent, (double)t.recent_us[i] / 1e3);
	api_add_time(doc, stats, "last_at", t.last_us);
}

static void add_state(yyjson_mut_doc *doc, yyjson_mut_val *root, struct service *s)
{
	struct err why;
	bool ready = service_ready(s, &why) == ST_OK;
	yyjson_mut_obj_add_str(doc, root, "status", service_state_name(s->state));
	if (ready)
		yyjson_mut_obj_add_null(doc, root, "status_text");
	else
		yyjson_mut_obj_add_strcpy(doc, root, "status_text", why.text);
	add_stats(doc, root, s);
}

static enum status add_pipeline(struct http_request *req, struct db_conn *c, struct uuid id,
	yyjson_mut_doc *doc, yyjson_mut_val *root, struct err *err)
{
	struct pipeline_badges badges;
	TRY(pipeline_badges_read(c, id, req->arena, &badges, err));
	yyjson_mut_val *pipeline = yyjson_mut_obj_add_obj(doc, root, "pipeline");
	api_add_text(doc, pipeline, "training_data", badges.training_data);
	api_add_text(doc, pipeline, "feedback_loop", badges.feedback_loop);
	api_add_text(doc, pipeline, "continuous_training", badges.continuous_training);
	api_add_text(doc, pipeline, "continuous_deployment", badges.continuous_deployment);
	return ST_OK;
}

enum status deployment_json(struct http_request *req, struct db_conn *c, const struct deployment_row *row,
	yyjson_mut_doc *doc, yyjson_mut_val **out, struct err *err)
{
	struct api *api = api_of(req);
	struct model_version_row version;
	struct model_row model;
	TRY(model_rows_version_by_id(c, row->champion_id, req->arena, &version, err));
	TRY(model_rows_by_id(c, version.model_id, req->arena, &model, err));
	const char **labels;
	uint32_t label_count;
	TRY(model_labels(version.labels, req->arena, &labels, &label_count, err));
	int64_t alerts_open;
	TRY(alert_event_rows_count_open(c, row->id, &alerts_open, err));
	struct service *service;
	TRY(roster_pin(api->roster, row->id, &service, err));

	yyjson_mut_val *root = *out = yyjson_mut_obj(doc);
	api_add_id(doc, root, "id", row->id);
	api_add_text(doc, root, "name", row->name);
	api_add_text(doc, root, "type", row->type);
	/* One origin serves all three services of the SDK. */
	api_add_text(doc, root, "oracle_host", api->public_url);
	api_add_text(doc, root, "serving_host", row->serving ? api->public_url : NULL);
	yyjson_mut_obj_add_null(doc, root, "review_campaign_id");
	api_add_id(doc, root, "model_version_id", row->champion_id);
	yyjson_mut_obj_add_arr(doc, root, "tags");
	yyjson_mut_obj_add_real(doc, root, "min_threshold", row->threshold);
	yyjson_mut_obj_add_real(doc, root, "sample_rate", row->sample_rate);
	api_add_id(doc, root, "target_datalake_id", row->datalake_id);
	api_add_time(doc, root, "created_at", row->created_us);
	api_add_text(doc, root, "paused_by", row->paused_us ? row->paused_by : NULL);
	api_add_time(doc, root, "paused_at", row->paused_us);
	yyjson_mut_obj_add_int(doc, root, "alerts_open", alerts_open);
	yyjson_mut_val *champion = add_champion(doc, root, row, &version, &model);
	yyjson_mut_val *names = yyjson_mut_obj_add_arr(doc, root, "labels");
	for (uint32_t i = 0; i < label_count; i++)
		yyjson_mut_arr_add_str(doc, names, labels[i]);
	add_state(doc, root, service);
	service_drop(service);
	TRY(add_pipeline(req, c, row->id, doc, root, err));
	return deployment_shadow_json(req, c, row->id, doc, root, champion, err);
}

enum status deployment_reply(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct deployment_row row;
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *root;
	TRY(api_read(req, &reader, err));
	TRY(deployment_rows_by_id(reader.conn, id, req->arena, &row, err));
	TRY(deployment_json(req, reader.conn, &row, doc, &root, err));
	yyjson_mut_doc_set_root(doc, root);
	return http_reply_json(req, reply, doc);
}
