/* SPDX-License-Identifier: Apache-2.0 */
/* What the SDK's get_stats() asks for: a service of the table, and which predictions. */
#include "api/stats.h"

#include "api/nouns.h"
#include "api/quality_json.h"
#include "base/check.h"
#include "base/str.h"
#include "os/clock.h"

#include <math.h>

#define IDS_MAX 1000
#define TIME_S_MAX 1e11

enum kind { ALL, EACH };
static const struct service {
	enum kind kind;
	const char *name;
	stats_answer *answer;
} services[] = {
#define STATS(kind, name, answer) {kind, name, answer},
#include "api/stats_services.def"
#undef STATS
};

/* "ae_outlier, classification and metrics": those of a kind. */
static void name_services(enum kind kind, struct str *out)
{
	const char *names[COUNT_OF(services)];
	size_t count = 0;
	for (size_t i = 0; i < COUNT_OF(services); i++)
		if (services[i].kind == kind)
			names[count++] = services[i].name;
	for (size_t i = 0; i < count; i++)
		str_printf(out, "%s%s", i == 0 ? "" : i + 1 == count ? " and " : ", ", names[i]);
}

static enum status read_service(
	const struct http_request *req, enum kind kind, const struct service **out, struct err *err)
{
	const char *name;
	struct str all;
	TRY(api_query_text(req, "service", &name, err));
	for (size_t i = 0; i < COUNT_OF(services); i++) {
		*out = &services[i];
		if (services[i].kind == kind && strcmp(name, services[i].name) == 0)
			return ST_OK;
	}
	str_init(&all, 1000);
	name_services(kind, &all);
	err_set(err, ST_INVALID, "The service \"%s\" is not measured of %s: %s are.", name,
		kind == ALL ? "all predictions together" : "each prediction", str_text(&all));
	str_release(&all);
	return ST_INVALID;
}

/* What is no id names no image. */
static const struct uuid *read_ids(struct http_request *req, const char *key, size_t *count)
{
	const char **texts = ARENA_ARRAY(req->arena, const char *, IDS_MAX);
	struct uuid *ids = ARENA_ARRAY(req->arena, struct uuid, IDS_MAX);
	size_t all = http_query_all(req, key, texts, IDS_MAX);
	for (*count = 0; *count < all && *count < IDS_MAX; ++*count)
		if (!uuid_parse(texts[*count], &ids[*count]))
			ids[*count] = (struct uuid){{0xff}};
	return ids;
}

static enum status read_filter(struct http_request *req, struct quality_filter *f, struct err *err)
{
	double from = 0, to = 0, since = 0;
	*f = (struct quality_filter){.threshold = -1};
	TRY(quality_number(req, "from_timestamp", 0, TIME_S_MAX, &from, err));
	TRY(quality_number(req, "to_timestamp", 0, TIME_S_MAX, &to, err));
	TRY(quality_number(req, "since", 0, TIME_S_MAX, &since, err));
	f->from_us = llround(from * 1e6);
	f->to_us = llround(to * 1e6);
	if (since > 0 && clock_unix_us() - llround(since * 1e6) > f->from_us)
		f->from_us = clock_unix_us() - llround(since * 1e6);
	f->only = read_ids(req, "includes", &f->only_count);
	f->without = read_ids(req, "excludes", &f->without_count);
	quality_tags(req, "tags", f);
	const char *version = http_query(req, "model_id");
	if (version && *version && !uuid_parse(version, &f->version_id))
		return err_set(err, ST_INVALID, "\"model_id\" must be the id of a model version.");
	return ST_OK;
}

yyjson_mut_val *stats_add_item(yyjson_mut_doc *doc, yyjson_mut_val *items, const struct stats_item *item)
{
	yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, items);
	api_add_id(doc, out, "predicted_asset_id", item->predicted_asset_id);
	api_add_id(doc, out, "oracle_prediction_id", item->prediction_id);
	api_add_id(doc, out, "model_id", item->version_id);
	yyjson_mut_obj_add_real(doc, out, "timestamp", (double)item->created_us / 1e6);
	return yyjson_mut_obj_add_obj(doc, out, "stats");
}

static enum status reply_stats(
	struct http_request *req, struct http_reply *reply, enum kind kind, struct err *err)
{
	struct stats_query query = {0};
	const struct service *service = NULL;
	TRY(api_id(req, "id", "deployment", &query.deployment_id, err));
	TRY(read_service(req, kind, &service, err));
	TRY(read_filter(req, &query.filter, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_str(doc, root, "service", service->name);
	api_add_id(doc, root, "deployment_id", query.deployment_id);
	TRY(service->answer(req, &query, doc, root, err));
	return http_reply_json(req, reply, doc);
}

enum status api_deployment_stats(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return reply_stats(req, reply, ALL, err);
}

enum status api_prediction_stats(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return reply_stats(req, reply, EACH, err);
}
