/* SPDX-License-Identifier: Apache-2.0 */
/* What the dashboard's calls share: a request's filter, and the readers of both files. */
#ifndef GYRE_API_DASHBOARD_JSON_H
#define GYRE_API_DASHBOARD_JSON_H

#include "api/api.h"
#include "watch/dashboard.h"

/* from, to, version, source, tag, label and threshold of the query. ST_INVALID. */
enum status dashboard_filter_of(
	struct http_request *req, struct dashboard_filter *out, struct err *err) MUST_CHECK;
/* {"kind", "images", "of", "sentence"} */
void dashboard_add_basis(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct dashboard_basis *basis);
/* A number; null where it is NAN. */
void dashboard_add(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double value);

/* A reader of watch.db beside API_READER, which is of gyre.db. */
enum status dashboard_reader(struct http_request *req, struct api_reader *out, struct err *err) MUST_CHECK;

#endif
