/* SPDX-License-Identifier: Apache-2.0 */
#include "api/id_list.h"

enum status id_list_parse(yyjson_val *list, const char *what, size_t count_max, struct arena *a,
	struct uuid **ids, size_t *count, struct err *err)
{
	yyjson_val *value;
	size_t i, n;
	if (!yyjson_is_arr(list) || yyjson_arr_size(list) > count_max)
		return err_set(err, ST_INVALID, "%s must be a list of at most %zu ids.", what, count_max);
	*count = yyjson_arr_size(list);
	*ids = ARENA_ARRAY(a, struct uuid, *count + 1);
	yyjson_arr_foreach (list, i, n, value) {
		const char *text = yyjson_get_str(value);
		if (text == NULL || !uuid_parse(text, &(*ids)[i]))
			return err_set(err, ST_INVALID, "Element %zu of %s is not an id (a UUID).", i, what);
	}
	return ST_OK;
}

enum status id_list_read(struct http_request *req, yyjson_val *body, const char *key, size_t count_max,
	struct uuid **ids, size_t *count, struct err *err)
{
	const char *what = arena_printf(req->arena, "\"%s\"", key);
	return id_list_parse(yyjson_obj_get(body, key), what, count_max, req->arena, ids, count, err);
}

void id_list_append(yyjson_mut_doc *doc, yyjson_mut_val *list, struct uuid id)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	yyjson_mut_arr_add_strcpy(doc, list, text);
}
