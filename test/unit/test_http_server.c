/* SPDX-License-Identifier: Apache-2.0 */
/* http/: what comes over the wire and what is answered. Event streams and stopping are in test_http_stop.c.
 */
#include "http_client.h"

#include <curl/curl.h>

/* ---- ordinary requests ---- */

static void test_answers_and_keeps_alive(void **state)
{
	struct http_server *s = start_default();
	struct client c = client_open(http_server_url(s));
	char first_id[HTTP_ID_SIZE] = "";
	for (int i = 0; i < 3; i++) {
		struct response r = client_ask(&c, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 200);
		assert_string_equal(r.body, "pong");
		assert_string_equal(response_header(&r, "Content-Type"), "text/plain");
		assert_string_equal(response_header(&r, "X-Content-Type-Options"), "nosniff");
		assert_string_equal(response_header(&r, "Referrer-Policy"), "no-referrer");
		assert_string_equal(response_header(&r, "Connection"), "");
		assert_int_equal(strlen(response_header(&r, "X-Request-Id")), 36);
		assert_string_not_equal(response_header(&r, "X-Request-Id"), first_id);
		snprintf(first_id, sizeof(first_id), "%.36s", response_header(&r, "X-Request-Id"));
		response_free(&r);
	}
	client_close(&c);
	http_server_stop(s);
}

static void test_two_pipelined(void **state)
{
	struct http_server *s = start_default();
	struct client c = client_open(http_server_url(s));
	assert_true(client_say(&c, "GET /item/1 HTTP/1.1\r\nHost: x\r\n\r\n"
				   "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
				   "GET /item/2 HTTP/1.1\r\nHost: x\r\n\r\n"));
	static const char *const expected[] = {"1", "abc", "2"};
	for (int i = 0; i < 3; i++) {
		struct response r = {0};
		assert_true(client_answer(&c, &r));
		assert_int_equal(r.code, 200);
		assert_string_equal(r.body, expected[i]);
		response_free(&r);
	}
	client_close(&c);
	http_server_stop(s);
}

static void test_bodies(void **state)
{
	struct http_server *s = start_default();
	struct client c = client_open(http_server_url(s));
	static const char *const requests[] = {
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello there",
		"XGET /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello there",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n "
		"there\r\n0\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\ntransfer-encoding: CHUNKED\r\n\r\nb;x=y\r\nhello "
		"there\r\n0\r\nT: x\r\n\r\n",
	};
	for (size_t i = 0; i < 4; i++) {
		struct response r = client_ask(&c, requests[i], 200);
		assert_string_equal(r.body, "hello there");
		response_free(&r);
	}
	struct response r =
		client_ask(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 200);
	assert_int_equal(r.body_size, 0);
	assert_string_equal(response_header(&r, "Content-Length"), "0");
	response_free(&r);
	client_close(&c);
	http_server_stop(s);
}

static void test_expect_continue(void **state)
{
	struct http_server *s = start_default();
	struct client c = client_open(http_server_url(s));
	const char *head =
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
	struct response r = client_ask(&c, head, 100);
	response_free(&r);
	r = client_ask(&c, "hello", 200);
	assert_string_equal(r.body, "hello");
	response_free(&r);
	/* Refused: the answer comes instead of the 100, and the body is never read. */
	r = client_ask(&c,
		"POST /denied HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 401);
	assert_string_equal(response_header(&r, "Connection"), "close");
	response_free(&r);
	assert_true(client_sees_end(&c));
	client_close(&c);
	http_server_stop(s);
}

static void test_query_cookie_and_params(void **state)
{
	struct http_server *s = start_default();
	struct client c = client_open(http_server_url(s));
	struct response r = client_ask(&c,
		"GET /query?limit=7&tag=a+b&offset=20&tag=%C3%A9%26&tag= HTTP/1.1\r\nHost: x\r\n"
		"Cookie: other=1; session=\"abc\"; x=2\r\n\r\n",
		200);
	assert_string_equal(r.body, "7 20 3 [a b] [\xc3\xa9&] [abc] [/query]");
	response_free(&r);
	r = client_ask(&c, "GET http://x/%71uery? HTTP/1.1\r\nHost: x\r\n\r\n", 200);
	assert_string_equal(r.body, "100 0 0 [] [] [none] [/query]");
	response_free(&r);
	r = client_ask(&c, "GET /item/a%2Fb%20c HTTP/1.1\r\nHost: x\r\n\r\n", 200);
	assert_string_equal(r.body, "a/b c");
	response_free(&r);
	static const char *const wrong[] = {"/query?limit=0", "/query?limit=1001", "/query?offset=-1",
		"/query?limit=1x", "/query?tag=%zz", "/query?tag=%00", "/query?tag=%ff", "/%zz", "/item/%00",
		"/item/%ff", "/../etc", "/%2e%2e/etc", "query"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char request[256];
		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", wrong[i]);
		r = client_ask(&c, request, 400);
		response_free(&r);
	}
	client_close(&c);
	http_server_stop(s);
}

/* Error answers are JSON with a message, and the connection stays usable. */
static void assert_error(struct response *r, const char *message)
{
	yyjson_doc *doc = yyjson_read(r->body, r->body_size, 0);
	assert_non_null(doc);
	yyjson_val *root = yyjson_doc_get_root(doc);
	assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "message")), message);
	assert_true(yyjson_is_null(yyjson_obj_get(root, "detail")));
	yyjson_doc_free(doc);
	assert_string_equal(response_header(r, "Content-Type"), "application/json");
	assert_int_equal(strlen(response_header(r, "X-Request-Id")), 36);
}

static void test_errors(void **state)
{
	struct http_server *s = start_default();
	struct client c = client_open(http_server_url(s));
	struct response r = client_ask(&c, "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404);
	assert_error(&r, "There is nothing at /nowhere.");
	response_free(&r);
	r = client_ask(&c, "PUT /item/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", 405);
	assert_string_equal(response_header(&r, "Allow"), "GET, HEAD, DELETE");
	assert_error(&r, "/item/1 does not take this method; it takes GET, HEAD, DELETE.");
	response_free(&r);
	r = client_ask(&c, "BREW /item/1 HTTP/1.1\r\nHost: x\r\n\r\n", 405);
	response_free(&r);
	r = client_ask(&c, "GET /fail HTTP/1.1\r\nHost: x\r\n\r\n", 422);
	assert_error(&r, "The \"image\" is broken (?).");
	assert_string_equal(response_header(&r, "Content-Encoding"), "");
	response_free(&r);
	r = client_ask(&c, "GET /crash HTTP/1.1\r\nHost: x\r\n\r\n", 500);
	assert_error(&r, "The disk is on fire.");
	response_free(&r);
	r = client_ask(&c, "GET /split HTTP/1.1\r\nHost: x\r\n\r\n", 500);
	assert_string_equal(response_header(&r, "Set-Cookie"), "");
	response_free(&r);
	r = client_ask(&c, "GET /denied HTTP/1.1\r\nHost: x\r\n\r\n", 401);
	assert_error(&r, "Log in first.");
	assert_string_equal(response_header(&r, "WWW-Authenticate"), "Bearer");
	response_free(&r);
	r = client_ask(&c, "POST /json HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n[1,2,", 400);
	response_free(&r);
	r = client_ask(&c, "POST /json HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n[1,2]", 200);
	assert_string_equal(r.body, "2");
	response_free(&r);
	client_close(&c);
	http_server_stop(s);
}

static void test_replies_of_all_kinds(void **state)
{
	struct http_server *s = start_default();
	struct client c = client_open(http_server_url(s));
	struct response r = client_ask(&c, "GET /file HTTP/1.1\r\nHost: x\r\n\r\n", 200);
	assert_string_equal(r.body, "from a file");
	response_free(&r);
	r = client_ask(&c, "DELETE /item/1 HTTP/1.1\r\nHost: x\r\n\r\n", 204);
	assert_string_equal(response_header(&r, "Content-Length"), "");
	response_free(&r);
	static const char *const heads[] = {"/file", "/ping", "/nowhere"};
	static const char *const lengths[] = {"11", "4", NULL};
	for (size_t i = 0; i < 3; i++) {
		char request[128];
		snprintf(request, sizeof(request), "HEAD %s HTTP/1.1\r\nHost: x\r\n\r\n", heads[i]);
		assert_true(client_say(&c, request));
		assert_true(client_answer_to(&c, &r, true));
		assert_int_equal(r.code, lengths[i] ? 200 : 404);
		if (lengths[i])
			assert_string_equal(response_header(&r, "Content-Length"), lengths[i]);
		response_free(&r);
	}
	r = client_ask(&c, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n", 200);
	assert_int_equal(r.body_size, 8u << 20);
	response_free(&r);
	r = client_ask(&c, "GET /ping HTTP/1.0\r\n\r\n", 200);
	response_free(&r);
	assert_true(client_sees_end(&c));
	client_close(&c);
	http_server_stop(s);
}

/* ---- hostile heads ---- */

static void test_smuggling_is_refused(void **state)
{
	static const char *const heads[] = {
		"Host: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
		"Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
		"Host: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
		"Host: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
		"Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		"Host: x\r\nContent-Length: +3\r\n\r\n",
		"Host: x\r\nContent-Length: -3\r\n\r\n",
		"Host: x\r\nContent-Length: 3, 3\r\n\r\n",
		"Host: x\r\nContent-Length: 0x3\r\n\r\n",
		"Host: x\r\nContent-Length:\r\n\r\n",
		"Host: x\r\nTransfer-Encoding: identity\r\n\r\n",
		"Host: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"Host: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
		"Host: x\r\nTransfer-Encoding : chunked\r\n\r\n",
		"Host: x\r\n Transfer-Encoding: chunked\r\n\r\n",
		"Host: x\r\nX: a\rContent-Length: 3\r\n\r\n",
		"Host: x\r\nX: a\nContent-Length: 3\r\n\r\n",
		"Host: x\r\nTransfer-: chunked\r\n Encoding\r\n\r\n",
		"Host: x\r\nX: a\r\n Transfer-Encoding: chunked\r\n\r\n",
		"Host: x\r\nHost: y\r\n\r\n",
		"X: y\r\n\r\n",
		" Transfer-Encoding: chunked\r\nHost: x\r\n\r\n",
		"Host: x\r\nNo colon here\r\n\r\n",
	};
	struct http_server *s = start_default();
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct client c = client_open(http_server_url(s));
		char request[512];
		snprintf(request, sizeof(request),
			"POST /echo HTTP/1.1\r\n%sabcGET /item/smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
			heads[i]);
		struct response r = client_ask(&c, request, 400);
		assert_string_equal(response_header(&r, "Connection"), "close");
		response_free(&r);
		/* Nothing but this answer. (The library's own 400s may repeat their head in their body.) */
		char *rest = client_until(&c, "smuggled");
		assert_null(rest);
		client_close(&c);
	}
	struct client c = client_open(http_server_url(s));
	static const char with_nul[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\0 0\r\n\r\nabc";
	assert_true(client_send(&c, with_nul, sizeof(with_nul) - 1));
	struct response r;
	assert_true(client_answer(&c, &r));
	assert_int_equal(r.code, 400);
	response_free(&r);
	client_close(&c);
	assert_int_equal(atomic_load(&admitted), 0);
	http_server_stop(s);
}

/* What is exact may come in any pieces, and be long. */
static void test_heads_in_pieces(void **state)
{
	struct http_server *s = start_default();
	struct client c = client_open(http_server_url(s));
	const char *text = "\r\nGET /item/7?x=1 HTTP/1.1\r\nHost:x\r\nX-Empty:\r\nX-Blanks: \t a b \r\n\r\n";
	for (int round = 0; round < 2; round++) {
		for (const char *at = text; *at; at++)
			assert_true(client_send(&c, at, 1));
		struct response r = {0};
		assert_true(client_answer(&c, &r));
		assert_int_equal(r.code, 200);
		assert_string_equal(r.body, "7");
		response_free(&r);
	}
	static char filler[40001], request[41000];
	memset(filler, 'a', sizeof(filler) - 1);
	for (int round = 0; round < 2; round++) {
		snprintf(request, sizeof(request),
			"GET /ping HTTP/1.1\r\nHost: x\r\nX: %s\r\nCookie: y=%.500s\r\n\r\n", filler, filler);
		struct response r = client_ask(&c, request, 200);
		response_free(&r);
	}
	client_close(&c);
	http_server_stop(s);
}

static void test_oversized_heads(void **state)
{
	struct http_server *s = start_default();
	static char filler[150001];
	memset(filler, 'a', sizeof(filler) - 1);
	for (int i = 0; i < 2; i++) {
		struct client c = client_open(http_server_url(s));
		client_say(&c, i == 0 ? "GET /item/" : "GET /ping HTTP/1.1\r\nHost: x\r\nX: ");
		client_say(&c, filler);
		client_say(&c, i == 0 ? " HTTP/1.1\r\nHost: x\r\n\r\n" : "\r\n\r\n");
		struct response r = {0};
		if (client_answer(&c, &r))
			assert_in_range(r.code, 400, 499);
		response_free(&r);
		assert_true(client_sees_end(&c));
		client_close(&c);
	}
	http_server_stop(s);
}

/* ---- bodies that are not taken ---- */

static void test_too_large_by_length_is_answered_at_once(void **state)
{
	struct http_server *s = start_default();
	struct client c = client_open(http_server_url(s));
	/* Not a byte of the body is sent. */
	struct response r =
		client_ask(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n", 413);
	assert_string_equal(response_header(&r, "Connection"), "close");
	assert_error(&r, "The body of this call may have at most 8388608 bytes.");
	response_free(&r);
	assert_true(client_sees_end(&c));
	client_close(&c);
	c = client_open(http_server_url(s));
	r = client_ask(&c, "GET /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 413);
	assert_error(&r, "This call takes no body.");
	response_free(&r);
	/* It was small, so it was read, and the connection lives on. */
	r = client_ask(&c, "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n12345678901", 413);
	response_free(&r);
	r = client_ask(&c, "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1234567890", 200);
	response_free(&r);
	r = client_ask(&c,
		"POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
		"chunked\r\n\r\n6\r\n123456\r\n6\r\n789012\r\n0\r\n\r\n",
		413);
	response_free(&r);
	r = client_ask(&c, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 200);
	response_free(&r);
	client_close(&c);
	http_server_stop(s);
}

/* A chunked body that goes on and on past the limit is not drained without end. */
static void test_endless_chunks_are_cut(void **state)
{
	struct http_server *s = start_default();
	struct client c = client_open(http_server_url(s));
	assert_true(client_say(&c, "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
	static char chunk[65536 + 16];
	int head = snprintf(chunk, sizeof(chunk), "10000\r\n");
	memset(chunk + head, 'a', 65536);
	memcpy(chunk + head + 65536, "\r\n", 2);
	int sent = 0;
	while (sent < 10000 && client_send(&c, chunk, (size_t)head + 65536 + 2))
		sent++;
	assert_true(sent < 10000);
	client_close(&c);
	http_server_stop(s);
}

static void test_early_refusal_can_be_read(void **state)
{
	struct http_server *s = start_default();
	static char body[5u << 20];
	for (int i = 0; i < 5; i++) {
		struct client c = client_open(http_server_url(s));
		assert_true(client_say(
			&c, "POST /denied HTTP/1.1\r\nHost: x\r\nContent-Length: 5242880\r\n\r\n"));
		/* Like a client that sends all it has before it looks for an answer. */
		assert_true(client_send(&c, body, sizeof(body)));
		struct response r = {0};
		assert_true(client_answer(&c, &r));
		assert_int_equal(r.code, 401);
		assert_error(&r, "Log in first.");
		response_free(&r);
		client_close(&c);
	}
	struct client c = client_open(http_server_url(s));
	assert_true(client_say(&c, "POST /denied HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n"));
	assert_true(client_send(&c, body, 500000));
	struct response r;
	assert_true(client_answer(&c, &r));
	assert_int_equal(r.code, 401);
	assert_string_equal(response_header(&r, "Connection"), "");
	response_free(&r);
	r = client_ask(&c, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 200);
	response_free(&r);
	client_close(&c);
	http_server_stop(s);
}

static void test_slow_body_is_cut(void **state)
{
	struct http_options options = default_options();
	options.body_timeout_s = 1;
	struct http_server *s = start_server(&options);
	struct client c = client_open(http_server_url(s));
	int64_t start_us = clock_mono_us();
	assert_true(client_say(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"));
	/* A byte every 20 ms: never idle, never done. */
	struct pollfd p = {.fd = c.fd, .events = POLLIN};
	while (poll(&p, 1, 20) == 0 && clock_mono_us() - start_us < WAIT_US_MAX)
		client_say(&c, "a");
	int64_t took_us = clock_mono_us() - start_us;
	assert_true(took_us >= 900000);
	assert_true(took_us < 10000000);
	assert_true(client_sees_end(&c));
	client_close(&c);
	/* The same for a head. */
	c = client_open(http_server_url(s));
	start_us = clock_mono_us();
	assert_true(client_say(&c, "GET /ping HTTP/1.1\r\nX: "));
	p.fd = c.fd;
	while (poll(&p, 1, 20) == 0 && clock_mono_us() - start_us < WAIT_US_MAX)
		client_say(&c, "a");
	assert_true(clock_mono_us() - start_us < 10000000);
	client_close(&c);
	http_server_stop(s);
}

/* ---- limits ---- */

static void test_full_queue(void **state)
{
	struct http_options options = default_options();
	options.workers = 1;
	options.queue_max = 1;
	struct http_server *s = start_server(&options);
	struct client first = client_open(http_server_url(s));
	assert_true(client_say(&first, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
	gate_wait_entered(1);
	int64_t refused = metric_value(METRIC_HTTP_REFUSED);
	/* One waits, the others are refused. */
	struct client c[5];
	struct pollfd p[5];
	for (size_t i = 0; i < 5; i++) {
		c[i] = client_open(http_server_url(s));
		p[i] = (struct pollfd){.fd = c[i].fd, .events = POLLIN};
		assert_true(client_say(&c[i], "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
	}
	WAIT_UNTIL(poll(p, 5, 1000) == 4);
	gate_open();
	int waited = 0;
	for (size_t i = 0; i < 5; i++) {
		struct response r = {0};
		assert_true(client_answer(&c[i], &r));
		if (r.code == 200) {
			waited++;
		} else {
			assert_int_equal(r.code, 503);
			assert_string_equal(response_header(&r, "Retry-After"), "1");
		}
		response_free(&r);
		client_close(&c[i]);
	}
	assert_int_equal(waited, 1);
	assert_int_equal(metric_value(METRIC_HTTP_REFUSED) - refused, 4);
	struct response r;
	assert_true(client_answer(&first, &r));
	assert_int_equal(r.code, 200);
	response_free(&r);
	client_close(&first);
	http_server_stop(s);
}

static int echo_code(struct client *c)
{
	struct response r;
	assert_true(client_say(c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"));
	assert_true(client_answer(c, &r));
	int code = r.code;
	response_free(&r);
	return code;
}

static void test_body_memory_is_a_budget(void **state)
{
	struct http_options options = default_options();
	options.body_memory_max = 1u << 20;
	struct http_server *s = start_server(&options);
	struct client holder = client_open(http_server_url(s));
	assert_true(client_say(&holder, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"));
	WAIT_UNTIL(atomic_load(&admitted) == 1);
	struct client c = client_open(http_server_url(s));
	struct response r =
		client_ask(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 503);
	assert_string_equal(response_header(&r, "Retry-After"), "1");
	response_free(&r);
	/* What needs none is answered. */
	r = client_ask(&c, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 200);
	response_free(&r);
	client_close(&holder);
	WAIT_UNTIL(echo_code(&c) == 200);
	client_close(&c);
	http_server_stop(s);
}

static void test_connections_are_limited_and_end_when_idle(void **state)
{
	struct http_options options = default_options();
	options.connections_max = 2;
	options.idle_timeout_s = 1;
	struct http_server *s = start_server(&options);
	struct client a = client_open(http_server_url(s)), b = client_open(http_server_url(s)),
		      c = client_open(http_server_url(s));
	struct response r = client_ask(&a, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 200);
	response_free(&r);
	r = client_ask(&b, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 200);
	response_free(&r);
	/* The third waits until one of the idle two is closed. */
	int64_t start_us = clock_mono_us();
	r = client_ask(&c, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 200);
	response_free(&r);
	assert_in_range(clock_mono_us() - start_us, 500000, 10000000);
	assert_true(client_sees_end(&a) && client_sees_end(&b) && client_sees_end(&c));
	client_close(&a);
	client_close(&b);
	client_close(&c);
	http_server_stop(s);
}

/* ---- large bodies ---- */

static void fill(uint8_t *bytes, size_t size)
{
	uint32_t x = 12345;
	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(x >> 24);
	}
}

static void send_chunked(struct client *c, const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t part = (at * 7 + 1000) % 90000 + 1;
		part = part < size - at ? part : size - at;
		char line[32];
		snprintf(line, sizeof(line), "%zx\r\n", part);
		assert_true(client_say(c, line) && client_send(c, bytes + at, part) && client_say(c, "\r\n"));
		at += part;
	}
	assert_true(client_say(c, "0\r\n\r\n"));
}

static void test_bodies_in_memory_and_on_disk_are_right(void **state)
{
	struct http_server *s = start_default();
	static const size_t sizes[] = {1, 16384, 16385, 200000, 1u << 20, (1u << 20) + 1, 9000001};
	uint8_t *bytes = malloc(9000001);
	fill(bytes, 9000001);
	struct client c = client_open(http_server_url(s));
	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i / 2];
		char head[128], expected[SHA256_HEX_SIZE];
		hash_sha256_hex(span_of(bytes, size), expected);
		if (i % 2) {
			assert_true(client_say(&c,
				"POST /digest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
			send_chunked(&c, bytes, size);
		} else {
			snprintf(head, sizeof(head),
				"POST /digest HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", size);
			assert_true(client_say(&c, head) && client_send(&c, bytes, size));
		}
		struct response r = {0};
		assert_true(client_answer(&c, &r));
		assert_int_equal(r.code, 200);
		assert_string_equal(r.body, expected);
		response_free(&r);
	}
	client_close(&c);
	free(bytes);
	http_server_stop(s);
}

/* In memory and spooled: the bytes are there when request and server are gone. */
static void test_kept_bodies_outlive_the_server(void **state)
{
	static const size_t sizes[] = {0, 1, 200000, 3000001};
	uint8_t *bytes = malloc(3000001);
	fill(bytes, 3000001);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct http_server *s = start_default();
		struct client c = client_open(http_server_url(s));
		char head[128];
		snprintf(head, sizeof(head), "POST /keep HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
			sizes[i]);
		assert_true(client_say(&c, head) && client_send(&c, bytes, sizes[i]));
		struct response r = {0};
		assert_true(client_answer(&c, &r));
		assert_int_equal(r.code, 200);
		response_free(&r);
		client_close(&c);
		http_server_stop(s);
		assert_true(span_equal(kept_body.body, span_of(bytes, sizes[i])));
		assert_int_equal(kept_body.mapped, sizes[i] > HTTP_BODY_MEMORY_MAX);
		http_drop_body(&kept_body);
		http_drop_body(&kept_body); /* zero now: nothing */
	}
	free(bytes);
}

/* ---- clients that leave ---- */

static void test_client_leaves_while_the_worker_runs(void **state)
{
	struct http_server *s = start_default();
	for (int i = 0; i < 4; i++) {
		struct client c = client_open(http_server_url(s));
		const char *text = i % 2 ? "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
					 : "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
		assert_true(client_say(&c, text));
		gate_wait_entered((unsigned)i + 1);
		if (i >= 2) {
			/* With a reset instead of a farewell. */
			struct linger reset = {.l_onoff = 1};
			setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		}
		client_close(&c);
	}
	gate_open();
	/* In the middle of a body. */
	for (int i = 0; i < 4; i++) {
		struct client c = client_open(http_server_url(s));
		assert_true(client_say(
			&c, "POST /digest HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\nabc"));
		client_close(&c);
		c = client_open(http_server_url(s));
		assert_true(client_say(
			&c, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"));
		client_close(&c);
	}
	/* In the middle of an answer. */
	struct client c = client_open(http_server_url(s));
	assert_true(client_say(&c, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
	char *head = client_until(&c, "\r\n\r\n");
	assert_non_null(head);
	free(head);
	client_close(&c);
	c = client_open(http_server_url(s));
	struct response r = client_ask(&c, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 200);
	response_free(&r);
	client_close(&c);
	/* None of them is waited for. */
	int64_t start_us = clock_mono_us();
	http_server_stop(s);
	assert_true(clock_mono_us() - start_us < 5000000);
}

/* ---- through libcurl ---- */

static size_t collect(char *data, size_t size, size_t count, void *out)
{
	str_append_bytes(out, data, size * count);
	return size * count;
}

static CURLcode curl_post(
	const char *url, const char *path, const void *body, size_t size, long *code, struct str *out)
{
	char full[256];
	snprintf(full, sizeof(full), "%s%s", url, path);
	CURL *curl = curl_easy_init();
	assert_non_null(curl);
	curl_easy_setopt(curl, CURLOPT_URL, full);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	if (body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)size);
	}
	CURLcode result = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, code);
	curl_easy_cleanup(curl);
	return result;
}

static void test_libcurl(void **state)
{
	struct http_server *s = start_default();
	uint8_t *bytes = malloc(5u << 20);
	fill(bytes, 5u << 20);
	struct str out;
	str_init(&out, 16u << 20);
	long code;
	assert_int_equal(curl_post(http_server_url(s), "/echo", bytes, 5u << 20, &code, &out), CURLE_OK);
	assert_int_equal(code, 200);
	assert_int_equal(out.size, 5u << 20);
	assert_memory_equal(out.text, bytes, 5u << 20);
	str_clear(&out);
	assert_int_equal(curl_post(http_server_url(s), "/denied", bytes, 5u << 20, &code, &out), CURLE_OK);
	assert_int_equal(code, 401);
	str_release(&out);
	free(bytes);
	http_server_stop(s);
}

static void test_form_of_libcurl(void **state)
{
	struct http_server *s = start_default();
	CURL *curl = curl_easy_init();
	char url[256];
	snprintf(url, sizeof(url), "%s/form", http_server_url(s));
	curl_mime *mime = curl_mime_init(curl);
	curl_mimepart *part = curl_mime_addpart(mime);
	curl_mime_name(part, "tags");
	curl_mime_data(part, "a b", CURL_ZERO_TERMINATED);
	part = curl_mime_addpart(mime);
	curl_mime_name(part, "media");
	curl_mime_filename(part, "na\xc3\xafve \"x\".png");
	curl_mime_type(part, "image/png");
	uint8_t *bytes = malloc(1500000);
	fill(bytes, 1500000);
	curl_mime_data(part, (const char *)bytes, 1500000);
	struct str out;
	str_init(&out, 65536);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &out);
	assert_int_equal(curl_easy_perform(curl), CURLE_OK);
	assert_string_equal(str_text(&out), "tags|-|-|3;media|na\xc3\xafve %22x%22.png|image/png|1500000;");
	str_release(&out);
	curl_mime_free(mime);
	curl_easy_cleanup(curl);
	free(bytes);
	http_server_stop(s);
}

struct crowd {
	const char *url;
	_Atomic unsigned answered;
};

static void be_one_of_many(void *arg)
{
	struct crowd *crowd = arg;
	uint8_t *bytes = malloc(300000);
	fill(bytes, 300000);
	struct client c = client_open(crowd->url);
	for (size_t i = 0; i < 60; i++) {
		size_t size = i * 4999;
		char head[128];
		snprintf(head, sizeof(head), "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
			size);
		struct response r = {0};
		if (client_say(&c, head) && client_send(&c, bytes, size) && client_answer(&c, &r)) {
			if (r.code == 200 && r.body_size == size && memcmp(r.body, bytes, size) == 0)
				atomic_fetch_add(&crowd->answered, 1);
		}
		response_free(&r);
	}
	client_close(&c);
	free(bytes);
}

static void test_many_at_once(void **state)
{
	struct http_server *s = start_default();
	struct crowd crowd = {.url = http_server_url(s)};
	thread_handle threads[8];
	for (size_t i = 0; i < 8; i++)
		thread_start(&threads[i], "crowd", be_one_of_many, &crowd);
	for (size_t i = 0; i < 8; i++)
		thread_join(threads[i]);
	assert_int_equal(atomic_load(&crowd.answered), 8 * 60);
	http_server_stop(s);
}

/* ---- TLS ---- */

static void test_tls(void **state)
{
	char certificate[256], key[256], command[1024];
	snprintf(certificate, sizeof(certificate), "%s/certificate.pem", spool_folder);
	snprintf(key, sizeof(key), "%s/key.pem", spool_folder);
	snprintf(command, sizeof(command),
		"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "
		"/CN=localhost -days 2 "
		"-out %s -keyout %s 2>/dev/null",
		certificate, key);
	if (system(command) != 0) {
		fprintf(stderr, "skipped: there is no openssl command to make a certificate with\n");
		skip();
	}
	struct http_options options = default_options();
	options.tls_certificate = certificate;
	options.tls_key = key;
	struct http_server *s = start_server(&options);
	assert_true(strncmp(http_server_url(s), "https://", 8) == 0);
	uint8_t *bytes = malloc(3u << 20);
	fill(bytes, 3u << 20);
	struct str out;
	str_init(&out, 16u << 20);
	long code = 0;
	assert_int_equal(curl_post(http_server_url(s), "/echo", bytes, 3u << 20, &code, &out), CURLE_OK);
	assert_int_equal(code, 200);
	assert_int_equal(out.size, 3u << 20);
	assert_memory_equal(out.text, bytes, 3u << 20);
	str_clear(&out);
	assert_int_equal(curl_post(http_server_url(s), "/file", NULL, 0, &code, &out), CURLE_OK);
	assert_string_equal(str_text(&out), "from a file");
	str_release(&out);
	free(bytes);
	http_server_stop(s);
	options.tls_key = certificate;
	struct err err;
	assert_int_equal(http_server_start(&options, &s, &err), ST_INVALID);
	unlink(certificate);
	unlink(key);
}

/* ---- starting ---- */

static void test_start_says_what_is_wrong(void **state)
{
	struct http_options options = default_options();
	struct http_server *s, *other;
	struct err err;
	static const char *const addresses[] = {
		"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999", "::1:80", "[::1"};
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		options.address = addresses[i];
		assert_int_equal(http_server_start(&options, &s, &err), ST_INVALID);
	}
	options = default_options();
	s = start_server(&options);
	options.address = http_server_url(s) + strlen("http://");
	assert_int_not_equal(http_server_start(&options, &other, &err), ST_OK);
	assert_non_null(strstr(err.text, "in use"));
	http_server_stop(s);
	options.address = "127.0.0.1:0";
	options.tls_certificate = "/nonexistent";
	assert_int_equal(http_server_start(&options, &s, &err), ST_INVALID);
	options.tls_key = "/nonexistent";
	assert_int_equal(http_server_start(&options, &s, &err), ST_MISSING);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_and_keeps_alive),
		cmocka_unit_test(test_two_pipelined),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_expect_continue),
		cmocka_unit_test(test_query_cookie_and_params),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_replies_of_all_kinds),
		cmocka_unit_test(test_smuggling_is_refused),
		cmocka_unit_test(test_heads_in_pieces),
		cmocka_unit_test(test_oversized_heads),
		cmocka_unit_test(test_too_large_by_length_is_answered_at_once),
		cmocka_unit_test(test_endless_chunks_are_cut),
		cmocka_unit_test(test_early_refusal_can_be_read),
		cmocka_unit_test(test_slow_body_is_cut),
		cmocka_unit_test(test_full_queue),
		cmocka_unit_test(test_body_memory_is_a_budget),
		cmocka_unit_test(test_connections_are_limited_and_end_when_idle),
		cmocka_unit_test(test_bodies_in_memory_and_on_disk_are_right),
		cmocka_unit_test(test_kept_bodies_outlive_the_server),
		cmocka_unit_test(test_client_leaves_while_the_worker_runs),
		cmocka_unit_test(test_libcurl),
		cmocka_unit_test(test_form_of_libcurl),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_start_says_what_is_wrong),
	};
	int failed = cmocka_run_group_tests(tests, make_spool, remove_spool);
	curl_global_cleanup();
	return failed;
}
