/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON form of tags, which all that can be tagged shows. */
#ifndef GYRE_API_TAG_JSON_H
#define GYRE_API_TAG_JSON_H

#include "api/api.h"
#include "store/tag_rows.h"

yyjson_mut_val *tag_json(yyjson_mut_doc *doc, const struct tag_row *row);
/* "tags": […] of one thing. */
enum status tag_json_of(struct db_conn *c, struct uuid target_id, yyjson_mut_doc *doc, yyjson_mut_val *object,
	struct arena *a, struct err *err) MUST_CHECK;

#endif
