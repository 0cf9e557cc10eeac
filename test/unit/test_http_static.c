/* SPDX-License-Identifier: Apache-2.0 */
/* http/static: the embedded pages. */
#include "http/static.h"
#include "http_client.h"

#include <zlib.h>

static const char page[] = "<!doctype html><title>gyre</title>",
		  script[] = "console.log('gyre gyre gyre gyre gyre')";
static struct http_asset assets[2];
static uint8_t zipped[2][512];

static struct span zip(const char *text, uint8_t *out, size_t room)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)text,
		.avail_in = (uInt)strlen(text),
		.next_out = out,
		.avail_out = (uInt)room};
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return span_of(out, z.total_out);
}

static enum status pages(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return http_static_reply(assets, 2, req, reply, err);
}

static const struct http_route static_routes[] = {
	{HTTP_GET, "/{path*}", pages, RULE_ANY, 0},
	{HTTP_POST, "/api/thing", echo, RULE_ANY, 100},
};

static struct http_server *server;
static struct client client;

static int make(void **state)
{
	if (mkdtemp(spool_folder) == NULL)
		return -1;
	assets[0] = (struct http_asset){
		"/index.html", "text/html; charset=utf-8", "e1", zip(page, zipped[0], 512)};
	assets[1] = (struct http_asset){
		"/assets/app-B1x9.js", "text/javascript", "e2", zip(script, zipped[1], 512)};
	struct http_options options = default_options();
	options.routes = static_routes;
	options.route_count = 2;
	server = start_server(&options);
	client = client_open(http_server_url(server));
	return 0;
}

static int release(void **state)
{
	client_close(&client);
	http_server_stop(server);
	return rmdir(spool_folder);
}

static struct response get(const char *path, const char *headers, int code)
{
	char request[256];
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, headers);
	return client_ask(&client, request, code);
}

static void test_plain_and_zipped(void **state)
{
	static const char *const plain[] = {"", "Accept-Encoding: br\r\n", "Accept-Encoding: gzip;q=0\r\n",
		"Accept-Encoding: gzip ; q=0.000\r\n", "Accept-Encoding: gzipped\r\n"};
	for (size_t i = 0; i < COUNT_OF(plain); i++) {
		struct response r = get("/", plain[i], 200);
		assert_string_equal(r.body, page);
		assert_string_equal(response_header(&r, "Content-Encoding"), "");
		response_free(&r);
	}
	static const char *const gzip[] = {"Accept-Encoding: gzip\r\n", "Accept-Encoding: br, gzip;q=0.5\r\n",
		"Accept-Encoding: deflate,GZIP\r\n"};
	for (size_t i = 0; i < COUNT_OF(gzip); i++) {
		struct response r = get("/index.html", gzip[i], 200);
		assert_string_equal(response_header(&r, "Content-Encoding"), "gzip");
		assert_string_equal(response_header(&r, "Vary"), "Accept-Encoding");
		assert_string_equal(response_header(&r, "Content-Type"), "text/html; charset=utf-8");
		assert_string_equal(response_header(&r, "Cache-Control"), "no-cache");
		assert_non_null(
			strstr(response_header(&r, "Content-Security-Policy"), "frame-ancestors 'none'"));
		assert_int_equal(r.body_size, assets[0].gzip.size);
		assert_memory_equal(r.body, assets[0].gzip.data, r.body_size);
		response_free(&r);
	}
}

static void test_caching(void **state)
{
	struct response r = get("/assets/app-B1x9.js", "Accept-Encoding: gzip\r\n", 200);
	assert_string_equal(response_header(&r, "Cache-Control"), "public, max-age=31536000, immutable");
	assert_string_equal(response_header(&r, "ETag"), "W/\"e2\"");
	response_free(&r);
	static const char *const same[] = {"\"e2\"", "W/\"e2\"", "\"other\", W/\"e2\"", "*"};
	for (size_t i = 0; i < COUNT_OF(same); i++) {
		char header[64];
		snprintf(header, sizeof(header), "If-None-Match: %s\r\n", same[i]);
		r = get("/assets/app-B1x9.js", header, 304);
		assert_string_equal(response_header(&r, "ETag"), "W/\"e2\"");
		response_free(&r);
	}
	r = get("/assets/app-B1x9.js", "If-None-Match: \"e1\", e2\r\n", 200);
	assert_string_equal(r.body, script);
	response_free(&r);
}

static void test_paths_of_the_application(void **state)
{
	static const char *const found[] = {"/deployment/7", "/login", "/deployment/7/", "/apiary"};
	for (size_t i = 0; i < COUNT_OF(found); i++) {
		struct response r = get(found[i], "", 200);
		assert_string_equal(r.body, page);
		response_free(&r);
	}
	static const char *const missing[] = {
		"/assets/gone.js", "/favicon.ico", "/api/nothing", "/api/", "/api"};
	for (size_t i = 0; i < COUNT_OF(missing); i++) {
		struct response r = get(missing[i], "", 404);
		response_free(&r);
	}
	struct response r = get("/api/thing", "", 405);
	response_free(&r);
}

static void test_a_damaged_file_is_told(void **state)
{
	struct http_asset good = assets[1];
	assets[1].gzip.size -= 1;
	struct response r = get("/assets/app-B1x9.js", "", 500);
	response_free(&r);
	assets[1].gzip.size = 10;
	r = get("/assets/app-B1x9.js", "", 500);
	response_free(&r);
	assets[1] = good;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_and_zipped),
		cmocka_unit_test(test_caching),
		cmocka_unit_test(test_paths_of_the_application),
		cmocka_unit_test(test_a_damaged_file_is_told),
	};
	return cmocka_run_group_tests(tests, make, release);
}
