/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON form of a data, on its own and inside a predicted asset. */
#ifndef GYRE_API_DATA_JSON_H
#define GYRE_API_DATA_JSON_H

#include "api/api.h"
#include "store/data_rows.h"

/* Without its tags, which are looked up one by one: tag_json_of(). A row of which datalake or source are not
 * known (zero) leaves them out. */
yyjson_mut_val *data_json(struct http_request *req, yyjson_mut_doc *doc, const struct data_row *row);

#endif
