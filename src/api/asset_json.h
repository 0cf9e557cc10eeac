/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON form of an asset. */
#ifndef GYRE_API_ASSET_JSON_H
#define GYRE_API_ASSET_JSON_H

#include "api/api.h"
#include "store/dataset_rows.h"

/* With its tags; with_annotation: and the annotation that counts, or null. */
enum status asset_json(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	const struct asset_row *row, bool with_annotation, yyjson_mut_val **out, struct err *err) MUST_CHECK;

#endif
