/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of ids in bodies and answers. */
#ifndef GYRE_API_ID_LIST_H
#define GYRE_API_ID_LIST_H

#include "api/api.h"

/* A list of at most count_max ids. what: how sentences call it, like "The body". ST_INVALID. */
enum status id_list_parse(yyjson_val *list, const char *what, size_t count_max, struct arena *a,
	struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;
/* A member that is a list of at most count_max ids. ST_INVALID. */
enum status id_list_read(struct http_request *req, yyjson_val *body, const char *key, size_t count_max,
	struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;
void id_list_append(yyjson_mut_doc *doc, yyjson_mut_val *list, struct uuid id);

#endif
