/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services of the SDK's get_stats(): a line each in stats_services.def. A service answers of all
 * predictions together (GET …/stats), or of each of them (GET …/predictions/stats).
 */
#ifndef GYRE_API_STATS_H
#define GYRE_API_STATS_H

#include "api/api.h"
#include "watch/quality.h"

struct stats_query {
	struct uuid deployment_id;
	struct quality_filter filter; /* times, model version, tags, ids; its threshold is the deployment's */
};

/*
 * Adds to the answer, which has "service" and "deployment_id": of all "model_id", "count" and "stats"; of
 * each "count" and "items" (stats_add_item).
 */
typedef enum status stats_answer(struct http_request *req, const struct stats_query *query,
	yyjson_mut_doc *doc, yyjson_mut_val *root, struct err *err);

#define STATS(kind, name, answer) stats_answer answer;
#include "api/stats_services.def"
#undef STATS

struct stats_item {
	struct uuid predicted_asset_id, prediction_id, version_id;
	int64_t created_us;
};
/* One of "items"; returned is its empty "stats". */
yyjson_mut_val *stats_add_item(yyjson_mut_doc *doc, yyjson_mut_val *items, const struct stats_item *item);

/* Its predictions counted, reviewed or not; release it. And of these the shapes by label. */
struct dashboard;
enum status stats_dashboard(struct http_request *req, const struct stats_query *query, struct dashboard *out,
	struct err *err) MUST_CHECK;
void stats_add_predicted(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const struct dashboard *d);

#endif
