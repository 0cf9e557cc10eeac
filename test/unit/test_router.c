/* SPDX-License-Identifier: Apache-2.0 */
/* http/router: which route answers a path. */
#include "base/check.h"
#include "http/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum status handler(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return ST_OK;
}

/* The least literal first: the order may not matter. */
static const struct http_route routes[] = {
	{HTTP_GET, "/{path*}", handler, 1, 0},
	{HTTP_GET, "/api/model/{id}", handler, 1, 0},
	{HTTP_DELETE, "/api/model/{id}", handler, 1, 0},
	{HTTP_GET, "/api/model/find", handler, 1, 0},
	{HTTP_GET, "/api/{kind}/find", handler, 1, 0},
	{HTTP_POST, "/api/model/{id}/version/{version}", handler, 1, 0},
	{HTTP_GET, "/api/blob/{key*}", handler, 1, 0},
	{HTTP_POST, "/api/only/post", handler, 1, 0},
	{HTTP_GET, "/", handler, 1, 0},
};

static struct router *router;
static struct arena arena;

static int make(void **state)
{
	router = router_new(routes, COUNT_OF(routes));
	arena_init(&arena);
	return 0;
}

static int release(void **state)
{
	router_free(router);
	arena_release(&arena);
	return 0;
}

static struct router_match look_up(enum http_method method, const char *path)
{
	struct router_path split;
	assert_true(router_split(path, &arena, &split));
	return router_find(router, method, &split, &arena);
}

static void assert_route(enum http_method method, const char *path, const char *pattern)
{
	struct router_match match = look_up(method, path);
	if (pattern == NULL) {
		assert_null(match.route);
		return;
	}
	assert_non_null(match.route);
	assert_string_equal(match.route->pattern, pattern);
}

static void test_the_most_literal_wins(void **state)
{
	assert_route(HTTP_GET, "/", "/");
	assert_route(HTTP_GET, "/api/model/find", "/api/model/find");
	assert_route(HTTP_GET, "/api/model/%66ind", "/api/model/find");
	assert_route(HTTP_GET, "/api/data/find", "/api/{kind}/find");
	assert_route(HTTP_GET, "/api/model/7", "/api/model/{id}");
	assert_route(HTTP_DELETE, "/api/model/find", "/api/model/{id}");
	assert_route(HTTP_HEAD, "/api/model/7", "/api/model/{id}");
	assert_route(HTTP_POST, "/api/model/7/version/8", "/api/model/{id}/version/{version}");
	assert_route(HTTP_GET, "/any/thing/else.css", "/{path*}");
	assert_route(HTTP_GET, "/api/model/", "/{path*}");
	assert_route(HTTP_GET, "/api/model/7/", "/{path*}");
	assert_route(HTTP_POST, "/any/thing", NULL);
}

static void test_parameters(void **state)
{
	struct router_match match = look_up(HTTP_POST, "/api/model/a%20b/version/%C3%A9");
	assert_string_equal(match.params[0], "a b");
	assert_string_equal(match.params[1], "\xc3\xa9");
	assert_string_equal(look_up(HTTP_GET, "/api/model/a%2Fb").params[0], "a/b");
	assert_string_equal(look_up(HTTP_GET, "/api/blob/a/b%20c/d").params[0], "a/b c/d");
	assert_string_equal(look_up(HTTP_GET, "/api/blob/").params[0], "");
	assert_string_equal(look_up(HTTP_GET, "/x").params[0], "x");
}

static void test_methods_of_a_path(void **state)
{
	assert_int_equal(look_up(HTTP_PUT, "/api/model/7").allowed,
		1u << HTTP_GET | 1u << HTTP_HEAD | 1u << HTTP_DELETE);
	assert_int_equal(look_up(HTTP_PUT, "/nothing").allowed, 0);
	assert_int_equal(look_up(HTTP_METHOD_COUNT, "/api/only/post").allowed, 1u << HTTP_POST);
	/* The page for everything does not answer for a path that has other methods. */
	assert_route(HTTP_GET, "/api/only/post", NULL);
	assert_route(HTTP_HEAD, "/api/only/post", NULL);
	assert_route(HTTP_METHOD_COUNT, "/api/model/7", NULL);
}

static void test_malformed_paths(void **state)
{
	struct router_path split;
	static const char *const bad[] = {
		"", "a", "*", "/%", "/%00", "/a/%ff", "/.", "/a/../b", "/%2e%2E", "/a/."};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(router_split(bad[i], &arena, &split));
	char deep[2 * ROUTER_SEGMENTS_MAX + 3] = "";
	for (int i = 0; i < ROUTER_SEGMENTS_MAX; i++)
		memcpy(deep + 2 * i, "/a", 3);
	assert_true(router_split(deep, &arena, &split));
	memcpy(deep + 2 * ROUTER_SEGMENTS_MAX, "/a", 3);
	assert_false(router_split(deep, &arena, &split));
	assert_true(router_split("/...", &arena, &split));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_most_literal_wins),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_methods_of_a_path),
		cmocka_unit_test(test_malformed_paths),
	};
	return cmocka_run_group_tests(tests, make, release);
}
