/* SPDX-License-Identifier: Apache-2.0 */
#include "http/admission.h"

#include "base/check.h"
#include "http/head.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

uint64_t admission_body_size(const struct exchange *x)
{
	if (http_header(&x->request, "Transfer-Encoding"))
		return UINT64_MAX;
	const char *length = http_header(&x->request, "Content-Length");
	return length ? strtoull(length, NULL, 10) : 0;
}

enum http_method admission_method(const char *name)
{
	unsigned m = 0;
	while (m < HTTP_METHOD_COUNT && strcmp(http_method_name((enum http_method)m), name) != 0)
		m++;
	return (enum http_method)m;
}

static enum status refuse_method(struct exchange *x, unsigned allowed, struct err *err)
{
	char *list = "";
	for (unsigned m = 0; m < HTTP_METHOD_COUNT; m++) {
		if (allowed & 1u << m)
			list = arena_printf(&x->arena, "%s%s%s", list, *list ? ", " : "",
				http_method_name((enum http_method)m));
	}
	http_reply_header(&x->reply, "Allow", list);
	return err_set(
		err, ST_BAD_METHOD, "%.200s does not take this method; it takes %s.", x->request.path, list);
}

static enum status find_route(
	struct exchange *x, const struct router *router, const char *raw_path, struct err *err)
{
	struct router_path path;
	if (!router_split(raw_path, &x->arena, &path))
		return err_set(err, ST_INVALID, "The path of the address is malformed.");
	char *decoded = arena_strdup(&x->arena, raw_path);
	CHECK(head_decode_path(decoded));
	x->request.path = decoded;
	struct router_match match = router_find(router, x->request.method, &path, &x->arena);
	if (match.route == NULL && match.allowed)
		return refuse_method(x, match.allowed, err);
	if (match.route == NULL)
		return err_set(err, ST_MISSING, "There is nothing at %.300s.", decoded);
	x->request.route = match.route;
	memcpy(x->request.params, match.params, sizeof(match.params));
	return ST_OK;
}

static enum status too_large(const struct http_route *route, struct err *err)
{
	if (route->body_bytes_max == 0)
		return err_set(err, ST_TOO_LARGE, "This call takes no body.");
	return err_set(err, ST_TOO_LARGE, "The body of this call may have at most %" PRIu64 " bytes.",
		route->body_bytes_max);
}

enum status admission_check(
	struct exchange *x, const struct router *router, http_admit *admit, struct err *err)
{
	const char *raw_path;
	TRY(exchange_read_target(x, &raw_path, err));
	TRY(find_route(x, router, raw_path, err));
	TRY(admit(&x->request, err));
	uint64_t max = x->request.route->body_bytes_max;
	bool chunked = x->body_expected == UINT64_MAX;
	if (chunked ? max == 0 : x->body_expected > max)
		return too_large(x->request.route, err);
	return body_expect(&x->body, x->body_expected, err);
}

enum status admission_keep_body(struct exchange *x, const char *data, size_t size, struct err *err)
{
	if (x->body.size + size > x->request.route->body_bytes_max)
		return too_large(x->request.route, err);
	return body_append(&x->body, data, size, err);
}
