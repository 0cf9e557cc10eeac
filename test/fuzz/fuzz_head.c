/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http/head and http/router: the first line is a path, each line after it a header. What
 * is let through must leave no doubt about where the request ends.
 */
#include "base/check.h"
#include "http/head.h"
#include "http/router.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS_MAX 64

static void check_fields(const struct head_field *fields, size_t count)
{
	struct err err = {0};
	enum status st = head_check(fields, count, &err);
	CHECK(st == ST_OK || (st == ST_INVALID && err.text[0] != '\0'));
	unsigned ends = 0;
	for (size_t i = 0; i < count && st == ST_OK; i++) {
		bool length = strcasecmp(fields[i].name, "content-length") == 0;
		bool coding = strcasecmp(fields[i].name, "transfer-encoding") == 0;
		ends += length || coding;
		CHECK(!length || (fields[i].value[0] != '\0' &&
					 strspn(fields[i].value, "0123456789") == strlen(fields[i].value)));
		CHECK(!coding || strcasecmp(fields[i].value, "chunked") == 0);
		CHECK(strpbrk(fields[i].name, " \t\r\n:") == NULL &&
			strpbrk(fields[i].value, "\r\n") == NULL);
	}
	CHECK(ends <= 1);
}

static enum status handler(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return ST_OK;
}

static void check_path(const char *raw, struct arena *a)
{
	static const struct http_route routes[] = {{HTTP_GET, "/{path*}", handler, 1, 0},
		{HTTP_GET, "/a/{id}", handler, 1, 0}, {HTTP_POST, "/a/{x}/b/{y}", handler, 1, 0}};
	struct router_path path;
	if (!router_split(raw, a, &path))
		return;
	CHECK(path.count >= 1 && path.count <= ROUTER_SEGMENTS_MAX);
	for (size_t i = 0; i < path.count; i++) {
		CHECK(strlen(path.segments[i]) == path.sizes[i] &&
			head_is_utf8(span_of_text(path.segments[i])));
		CHECK(strcmp(path.segments[i], "..") != 0);
	}
	struct router *r = router_new(routes, COUNT_OF(routes));
	struct router_match match = router_find(r, HTTP_GET, &path, a);
	CHECK(match.route == NULL || match.params[0] != NULL);
	router_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	arena_init(&a);
	char *text = arena_strndup(&a, (const char *)data, size), *rest = text;
	struct head_field fields[FIELDS_MAX];
	size_t count = 0;
	const char *path = strsep(&rest, "\n");
	for (char *line = strsep(&rest, "\n"); line && count < FIELDS_MAX; line = strsep(&rest, "\n")) {
		char *value = strchr(line, ':');
		if (value)
			*value++ = '\0';
		fields[count++] = (struct head_field){line, value ? value : ""};
	}
	check_fields(fields, count);
	check_path(path, &a);
	char *query = arena_strdup(&a, path);
	if (head_decode_query(query))
		CHECK(strlen(query) <= strlen(path));
	arena_release(&a);
	return 0;
}
