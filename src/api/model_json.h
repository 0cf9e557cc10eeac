/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON forms of the registry, and what its nouns share. */
#ifndef GYRE_API_MODEL_JSON_H
#define GYRE_API_MODEL_JSON_H

#include "api/api.h"
#include "store/model_rows.h"

/* Without tags. */
yyjson_mut_val *model_json(yyjson_mut_doc *doc, const struct model_row *row);
/* Without tags. model: the version's, shown as "origin". Reads its files and the deployments that it is in.
 */
enum status model_version_json(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	const struct model_version_row *row, const struct model_row *model, yyjson_mut_val **out,
	struct err *err) MUST_CHECK;
/* Answer with the version as it is now, tags and all. */
enum status model_version_reply(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err) MUST_CHECK;

/* ST_CONFLICT naming the deployment in which the version answers now (past: or once did). */
enum status model_check_free(struct db_conn *c, const struct model_version_row *row, bool past,
	struct arena *a, struct err *err) MUST_CHECK;

#endif
