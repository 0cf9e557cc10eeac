/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON form of a predicted image: what was said of it, by models and by people. */
#ifndef GYRE_API_PREDICTED_ASSET_JSON_H
#define GYRE_API_PREDICTED_ASSET_JSON_H

#include "api/api.h"
#include "store/prediction_rows.h"
#include "store/review_rows.h"

#define PREDICTED_VERSIONS_MAX 64

/* What the images of one answer share. */
struct predicted_printer {
	struct http_request *req;
	struct db_conn *conn;
	yyjson_mut_doc *doc;
	double threshold; /* of the shapes printed; below 0: the one in force when it was answered */
	int64_t now_us;
	/* Labels of the versions met, and the deployment's threshold. */
	struct {
		struct uuid version_id;
		const char **labels;
		uint32_t count;
	} versions[PREDICTED_VERSIONS_MAX];
	size_t version_count;
	struct uuid deployment_id;
	double deployment_threshold;
};

/* A new document in the request's arena. */
void predicted_printer_init(
	struct predicted_printer *p, struct http_request *req, struct db_conn *c, double threshold);
enum status predicted_json(struct predicted_printer *p, const struct predicted_row *row, yyjson_mut_val **out,
	struct err *err) MUST_CHECK;
/* Those with these ids, in their order; one that is gone is left out. */
enum status predicted_json_ids(struct predicted_printer *p, const struct uuid *ids, size_t count,
	yyjson_mut_val **items, struct err *err) MUST_CHECK;

yyjson_mut_val *review_json(yyjson_mut_doc *doc, const struct review_row *row, struct arena *a);

#endif
