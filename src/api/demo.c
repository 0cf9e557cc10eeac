/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `gyre demo` is at, for the strip on every page. The demo is a client and writes <data>/demo/demo.json;
 * here it is only read, and removed once what it made was deleted.
 */
#include "api/api.h"
#include "api/nouns.h"
#include "os/clock.h"
#include "os/file.h"

#include <unistd.h>

#define STATE_BYTES_MAX 65536u
#define FRESH_US 30000000LL /* a demo that plays writes every few seconds */

static bool is_fresh(yyjson_val *told)
{
	return clock_unix_us() - yyjson_get_sint(yyjson_obj_get(told, "updated_us")) <= FRESH_US;
}

static void add_text_of(yyjson_mut_doc *doc, yyjson_mut_val *root, yyjson_val *told, const char *key)
{
	api_add_text(doc, root, key, yyjson_get_str(yyjson_obj_get(told, key)));
}

/* A link of ours, or null. */
static void add_link(yyjson_mut_doc *doc, yyjson_mut_val *root, yyjson_val *told)
{
	const char *link = yyjson_get_str(yyjson_obj_get(told, "link"));
	bool ours = link && link[0] == '/' && link[1] != '/' && link[1] != '\\';
	api_add_text(doc, root, "link", ours ? link : NULL);
}

static void add_removals(yyjson_mut_doc *doc, yyjson_mut_val *root, yyjson_val *told)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "remove");
	size_t i, n;
	yyjson_val *path;
	yyjson_arr_foreach (yyjson_obj_get(told, "remove"), i, n, path) {
		const char *text = yyjson_get_str(path);
		if (text && strncmp(text, "/api/", 5) == 0)
			yyjson_mut_arr_add_str(doc, list, text);
	}
}

enum status api_demo_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	const char *path = api_of(req)->demo_file, *state = "none";
	struct span bytes;
	yyjson_doc *read = NULL;
	struct err why;
	if (file_read(path, STATE_BYTES_MAX, req->arena, &bytes, &why) == ST_OK &&
		json_parse(bytes, req->arena, &read, &why) != ST_OK)
		read = NULL;
	yyjson_val *told = yyjson_doc_get_root(read);
	if (told)
		state = yyjson_equals_str(yyjson_obj_get(told, "state"), "done") ? "done"
			: is_fresh(told)                                         ? "running"
										 : "paused";
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_str(doc, root, "state", state);
	yyjson_mut_obj_add_int(doc, root, "step", yyjson_get_sint(yyjson_obj_get(told, "step")));
	yyjson_mut_obj_add_int(doc, root, "steps", yyjson_get_sint(yyjson_obj_get(told, "steps")));
	add_text_of(doc, root, told, "title");
	add_text_of(doc, root, told, "text");
	add_link(doc, root, told);
	add_removals(doc, root, told);
	return http_reply_json(req, reply, doc);
}

enum status api_demo_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	const char *path = api_of(req)->demo_file;
	if (unlink(path) != 0 && file_exists(path))
		return err_set(err, ST_INTERNAL, "%s could not be removed.", path);
	return http_reply_empty(reply, 204);
}
