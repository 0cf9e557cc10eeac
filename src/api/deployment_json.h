/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON form of a deployment: the SDK's keys and those of our pages. */
#ifndef GYRE_API_DEPLOYMENT_JSON_H
#define GYRE_API_DEPLOYMENT_JSON_H

#include "api/api.h"
#include "store/deployment_rows.h"

/* One deployment as an object. Reads its champion and its state in the roster. */
enum status deployment_json(struct http_request *req, struct db_conn *c, const struct deployment_row *row,
	yyjson_mut_doc *doc, yyjson_mut_val **out, struct err *err) MUST_CHECK;
/* Answer with the deployment as it is now. */
enum status deployment_reply(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err) MUST_CHECK;

#endif
