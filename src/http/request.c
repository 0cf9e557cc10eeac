/* SPDX-License-Identifier: Apache-2.0 */
/* What a handler asks of its request (http.h). */
#include "base/check.h"
#include "base/json.h"
#include "http/exchange.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

static const struct exchange *exchange_of(const struct http_request *req)
{
	return req->impl;
}

const char *http_method_name(enum http_method m)
{
	static const char *const names[HTTP_METHOD_COUNT] = {
		"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "XGET"};
	CHECK((unsigned)m < HTTP_METHOD_COUNT);
	return names[m];
}

const char *http_header(const struct http_request *req, const char *name)
{
	const struct exchange *x = exchange_of(req);
	for (size_t i = 0; i < x->field_count; i++) {
		if (strcasecmp(x->fields[i].name, name) == 0)
			return x->fields[i].value;
	}
	return NULL;
}

const char *http_query(const struct http_request *req, const char *name)
{
	const char *value = NULL;
	http_query_all(req, name, &value, 1);
	return value;
}

size_t http_query_all(const struct http_request *req, const char *name, const char **out, size_t room)
{
	const struct exchange *x = exchange_of(req);
	size_t count = 0;
	for (size_t i = 0; i < x->query_count; i++) {
		if (strcmp(x->query[i].name, name) != 0)
			continue;
		if (count < room)
			out[count] = x->query[i].value;
		count++;
	}
	return count;
}

/* "a=1; b=2": the value of name in one Cookie header, into the arena. */
static const char *find_cookie(struct arena *a, const char *cookies, const char *name)
{
	size_t name_size = strlen(name);
	for (const char *at = cookies; *at;) {
		at += strspn(at, "; \t");
		size_t size = strcspn(at, ";");
		if (size > name_size && memcmp(at, name, name_size) == 0 && at[name_size] == '=') {
			const char *value = at + name_size + 1;
			size_t value_size = size - name_size - 1;
			while (value_size > 0 &&
				(value[value_size - 1] == ' ' || value[value_size - 1] == '\t'))
				value_size--;
			if (value_size >= 2 && value[0] == '"' && value[value_size - 1] == '"')
				return arena_strndup(a, value + 1, value_size - 2);
			return arena_strndup(a, value, value_size);
		}
		at += size;
	}
	return NULL;
}

const char *http_cookie(const struct http_request *req, const char *name)
{
	const struct exchange *x = exchange_of(req);
	for (size_t i = 0; i < x->field_count; i++) {
		if (strcasecmp(x->fields[i].name, "Cookie") != 0)
			continue;
		const char *value = find_cookie(req->arena, x->fields[i].value, name);
		if (value)
			return value;
	}
	return NULL;
}

const char *http_param(const struct http_request *req, const char *name)
{
	size_t name_size = strlen(name);
	size_t index = 0;
	for (const char *at = strchr(req->route->pattern, '{'); at; at = strchr(at + 1, '{'), index++) {
		size_t size = strcspn(at + 1, "*}");
		if (size == name_size && memcmp(at + 1, name, size) == 0)
			return req->params[index];
	}
	CHECK(!"the route's pattern has a parameter of this name");
	return NULL;
}

static enum status read_number(const struct http_request *req, const char *name, int64_t low, int64_t high,
	int64_t *out, struct err *err)
{
	const char *text = http_query(req, name);
	if (text == NULL || *text == '\0')
		return ST_OK;
	size_t size = strlen(text);
	int64_t value = size <= 18 && strspn(text, "0123456789") == size ? strtoll(text, NULL, 10) : -1;
	if (value < low || value > high)
		return err_set(err, ST_INVALID, "%s must be a whole number from %lld to %lld.", name,
			(long long)low, (long long)high);
	*out = value;
	return ST_OK;
}

enum status http_page(const struct http_request *req, int64_t *limit, int64_t *offset, struct err *err)
{
	*limit = 100;
	*offset = 0;
	TRY(read_number(req, "limit", 1, 1000, limit, err));
	return read_number(req, "offset", 0, INT64_MAX, offset, err);
}

enum status http_json(struct http_request *req, yyjson_doc **doc, struct err *err)
{
	if (req->body.size > HTTP_JSON_MAX)
		return err_set(
			err, ST_TOO_LARGE, "A JSON body may have at most %u MiB.", HTTP_JSON_MAX >> 20);
	return json_parse(req->body, req->arena, doc, err);
}

enum status http_keep_body(struct http_request *req, struct http_kept *out, struct err *err)
{
	const struct exchange *x = exchange_of(req);
	size_t size = req->body.size;
	*out = (struct http_kept){0};
	if (x->body.spool_fd >= 0) {
		void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, x->body.spool_fd, 0);
		if (map == MAP_FAILED)
			return err_errno(err, "A large request body cannot be mapped");
		*out = (struct http_kept){.body = span_of(map, size), .mapped = true};
		return ST_OK;
	}
	uint8_t *copy = malloc(size ? size : 1);
	CHECK(copy != NULL);
	if (size)
		memcpy(copy, req->body.data, size);
	*out = (struct http_kept){.body = span_of(copy, size)};
	return ST_OK;
}

void http_drop_body(struct http_kept *kept)
{
	void *bytes = (void *)(uintptr_t)kept->body.data;
	if (kept->mapped)
		munmap(bytes, kept->body.size);
	else
		free(bytes);
	*kept = (struct http_kept){0};
}
