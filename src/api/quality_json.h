/* SPDX-License-Identifier: Apache-2.0 */
/* What quality.c and stats.c share: a request's filter, and numbers as JSON. */
#ifndef GYRE_API_QUALITY_JSON_H
#define GYRE_API_QUALITY_JSON_H

#include "api/api.h"
#include "watch/quality.h"

/* A number of the query, within bounds; *out stays when it is absent. ST_INVALID. */
enum status quality_number(const struct http_request *req, const char *key, double low, double high,
	double *out, struct err *err) MUST_CHECK;
/* The values of a repeated key. */
#define QUALITY_TAGS_MAX 50
void quality_tags(struct http_request *req, const char *key, struct quality_filter *f);
/* A number, or null below 0. */
void quality_add(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double value);
/* COCO's twelve, by the names that its users know. */
yyjson_mut_val *quality_coco(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const struct score_numbers *n);

#endif
