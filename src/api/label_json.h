/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of labels and label groups share. */
#ifndef GYRE_API_LABEL_JSON_H
#define GYRE_API_LABEL_JSON_H

#include "api/api.h"
#include "store/label_rows.h"

yyjson_mut_val *label_json(yyjson_mut_doc *doc, const struct label_row *row);
/* The path's {id} as a dataset version that is there. */
enum status label_read_version(struct http_request *req, struct uuid *id, struct err *err) MUST_CHECK;

#endif
