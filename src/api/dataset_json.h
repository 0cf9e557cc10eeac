/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON forms of datasets and their versions, and what their handlers share. */
#ifndef GYRE_API_DATASET_JSON_H
#define GYRE_API_DATASET_JSON_H

#include "api/api.h"
#include "store/dataset_rows.h"

/* With its tags and its counts. */
enum status dataset_version_json(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	const struct dataset_version_row *row, yyjson_mut_val **out, struct err *err) MUST_CHECK;
enum status dataset_version_reply(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err) MUST_CHECK;

/* The path's {id} as a dataset version that is there. */
enum status dataset_version_of_path(struct http_request *req, struct db_conn *c,
	struct dataset_version_row *out, struct err *err) MUST_CHECK;

/* "version", "description" and "type" of a body, over what is in *row. */
enum status dataset_version_read(
	yyjson_val *body, bool required, struct dataset_version_row *row, struct err *err) MUST_CHECK;

#endif
