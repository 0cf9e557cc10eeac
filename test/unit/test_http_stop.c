/* SPDX-License-Identifier: Apache-2.0 */
/* http/: event streams, and stopping with everything under way. */
#include "http_client.h"

/* ---- streams ---- */

struct listener {
	struct client client;
	char *pending; /* of the chunked body: bytes not yet split into events */
	size_t size;
};

static struct listener listen_to(const char *url, const char *channel, int code)
{
	struct listener l = {.client = client_open(url)};
	char request[128];
	snprintf(request, sizeof(request), "GET /stream/%s HTTP/1.1\r\nHost: x\r\n\r\n", channel);
	assert_true(client_say(&l.client, request));
	struct response r = {.head = client_until(&l.client, "\r\n\r\n")};
	assert_non_null(r.head);
	assert_int_equal(strtol(r.head + 9, NULL, 10), code);
	if (code == 200) {
		assert_string_equal(response_header(&r, "Content-Type"), "text/event-stream");
		assert_string_equal(response_header(&r, "Cache-Control"), "no-store");
	} else {
		assert_string_equal(response_header(&r, "Retry-After"), "1");
	}
	response_free(&r);
	return l;
}

/* The next event, the caller frees; NULL at the end of the stream, which must be a proper one if `proper`. */
static char *next_event(struct listener *l, bool proper)
{
	for (;;) {
		char *end = l->pending ? memmem(l->pending, l->size, "\n\n", 2) : NULL;
		if (end) {
			size_t size = (size_t)(end - l->pending) + 2;
			char *event = strndup(l->pending, size);
			l->size -= size;
			memmove(l->pending, l->pending + size, l->size);
			return event;
		}
		char *line = client_until(&l->client, "\r\n");
		size_t size = line ? strtoul(line, NULL, 16) : 0;
		bool ended = line == NULL || size == 0;
		free(line);
		if (ended && proper)
			assert_int_equal(l->size, 0);
		if (ended) {
			assert_true(!proper || line != NULL);
			return NULL;
		}
		l->pending = realloc(l->pending, l->size + size + 2);
		if (!client_take(&l->client, l->pending + l->size, size + 2)) {
			assert_false(proper);
			return NULL;
		}
		l->size += size;
	}
}

static void stop_listening(struct listener *l)
{
	client_close(&l->client);
	free(l->pending);
	*l = (struct listener){0};
}

static void assert_event(struct listener *l, const char *expected)
{
	char *event = next_event(l, true);
	assert_non_null(event);
	assert_string_equal(event, expected);
	free(event);
}

static void test_events_reach_their_channel(void **state)
{
	struct http_server *s = start_default();
	struct listener a = listen_to(http_server_url(s), "a", 200),
			b = listen_to(http_server_url(s), "b", 200);
	assert_event(&a, "retry: 2000\n\n");
	assert_event(&b, "retry: 2000\n\n");
	http_events_publish(s, "nobody", "x", "1");
	http_events_publish(s, "a", "first", "{\"n\":1}");
	http_events_publish(s, "b", "other", "{\"n\":2}");
	http_events_publish(s, "a", "second", "{\n\"n\":3}");
	assert_event(&a, "event: first\ndata: {\"n\":1}\n\n");
	assert_event(&a, "event: second\ndata: {\ndata: \"n\":3}\n\n");
	assert_event(&b, "event: other\ndata: {\"n\":2}\n\n");
	http_server_stop(s);
	assert_null(next_event(&a, true));
	assert_null(next_event(&b, true));
	stop_listening(&a);
	stop_listening(&b);
}

static void test_head_of_a_stream(void **state)
{
	struct http_server *s = start_default();
	struct client c = client_open(http_server_url(s));
	assert_true(client_say(&c, "HEAD /stream/a HTTP/1.1\r\nHost: x\r\n\r\n"));
	struct response r;
	assert_true(client_answer_to(&c, &r, true));
	assert_int_equal(r.code, 200);
	response_free(&r);
	r = client_ask(&c, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 200);
	response_free(&r);
	client_close(&c);
	http_server_stop(s);
}

#define PUBLISHERS 4
#define EVENTS_EACH 40

struct publisher {
	struct http_server *server;
	int number;
};

static void publish_many(void *arg)
{
	struct publisher *p = arg;
	char event[16], json[64];
	for (int i = 0; i < EVENTS_EACH; i++) {
		snprintf(event, sizeof(event), "p%d", p->number);
		snprintf(json, sizeof(json), "{\"i\":%d}", i);
		http_events_publish(p->server, "all", event, json);
	}
}

static void test_hundred_streams(void **state)
{
	struct http_server *s = start_default();
	static struct listener all[100];
	for (size_t i = 0; i < 100; i++)
		all[i] = listen_to(http_server_url(s), "all", 200);
	assert_int_equal(metric_value(METRIC_EVENT_STREAMS), 100);
	struct listener refused = listen_to(http_server_url(s), "all", 503);
	stop_listening(&refused);
	struct publisher publishers[PUBLISHERS];
	thread_handle threads[PUBLISHERS];
	for (int i = 0; i < PUBLISHERS; i++) {
		publishers[i] = (struct publisher){s, i};
		thread_start(&threads[i], "publisher", publish_many, &publishers[i]);
	}
	for (int i = 0; i < PUBLISHERS; i++)
		thread_join(threads[i]);
	for (size_t i = 0; i < 100; i++) {
		assert_event(&all[i], "retry: 2000\n\n");
		/* All events, those of one publisher in order. */
		int next[PUBLISHERS] = {0};
		for (int n = 0; n < PUBLISHERS * EVENTS_EACH; n++) {
			char *event = next_event(&all[i], true);
			int from, number;
			assert_non_null(event);
			assert_int_equal(sscanf(event, "event: p%d\ndata: {\"i\":%d}", &from, &number), 2);
			assert_in_range(from, 0, PUBLISHERS - 1);
			assert_int_equal(number, next[from]++);
			free(event);
		}
	}
	/* Those whose client leaves are noticed without an event, and make room. */
	for (size_t i = 0; i < 50; i++)
		stop_listening(&all[i]);
	WAIT_UNTIL(metric_value(METRIC_EVENT_STREAMS) == 50);
	all[0] = listen_to(http_server_url(s), "all", 200);
	http_server_stop(s);
	assert_int_equal(metric_value(METRIC_EVENT_STREAMS), 0);
	for (size_t i = 50; i < 100; i++) {
		assert_null(next_event(&all[i], true));
		stop_listening(&all[i]);
	}
	stop_listening(&all[0]);
}

static void test_slow_stream_is_closed(void **state)
{
	struct http_server *s = start_default();
	struct listener slow = listen_to(http_server_url(s), "a", 200),
			quick = listen_to(http_server_url(s), "a", 200);
	assert_event(&quick, "retry: 2000\n\n");
	char json[8192];
	memset(json, '1', sizeof(json) - 1);
	json[sizeof(json) - 1] = '\0';
	/* The kernel's buffers take the first megabytes; the other stream is not held up. */
	int sent = 0;
	while (metric_value(METRIC_EVENT_STREAMS) == 2) {
		assert_true(sent++ < 20000);
		http_events_publish(s, "a", "x", json);
		char *event = next_event(&quick, true);
		assert_int_equal(strlen(event), strlen("event: x\ndata: \n\n") + sizeof(json) - 1);
		free(event);
	}
	assert_int_equal(metric_value(METRIC_EVENT_STREAMS), 1);
	http_events_publish(s, "a", "last", "0");
	assert_event(&quick, "event: last\ndata: 0\n\n");
	for (char *event = next_event(&slow, false); event; event = next_event(&slow, false))
		free(event);
	stop_listening(&slow);
	stop_listening(&quick);
	http_server_stop(s);
}

/* ---- stopping ---- */

struct stopper {
	struct http_server *server;
	_Atomic bool done;
};

static void stop(void *arg)
{
	struct stopper *stopper = arg;
	http_server_stop(stopper->server);
	atomic_store(&stopper->done, true);
}

static bool refuses_connections(const char *url)
{
	int fd = connect_to(url);
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static void test_stop_answers_what_was_accepted(void **state)
{
	struct http_server *s = start_default();
	char url[128];
	snprintf(url, sizeof(url), "%s", http_server_url(s));
	struct listener streams[5];
	for (size_t i = 0; i < 5; i++)
		streams[i] = listen_to(url, "a", 200);
	struct client idle = client_open(url), c[20];
	struct response r = client_ask(&idle, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 200);
	response_free(&r);
	for (size_t i = 0; i < 20; i++) {
		c[i] = client_open(url);
		assert_true(client_say(
			&c[i], i % 2 ? "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
				     : "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"));
	}
	/* Four are with workers, the others wait in the queue or are on their way into it. */
	gate_wait_entered(4);
	WAIT_UNTIL(atomic_load(&admitted) == 26);
	/* One whose body is still to come. */
	struct client late = client_open(url);
	assert_true(client_say(&late, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe"));
	WAIT_UNTIL(atomic_load(&admitted) == 27);
	struct stopper stopper = {.server = s};
	thread_handle thread;
	thread_start(&thread, "stopper", stop, &stopper);
	WAIT_UNTIL(refuses_connections(url));
	/* Streams end first, idle connections hear that it is over, accepted requests are not hurt. */
	for (size_t i = 0; i < 5; i++) {
		assert_event(&streams[i], "retry: 2000\n\n");
		assert_null(next_event(&streams[i], true));
		stop_listening(&streams[i]);
	}
	r = client_ask(&idle, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 503);
	assert_string_equal(response_header(&r, "Connection"), "close");
	response_free(&r);
	client_close(&idle);
	assert_true(client_say(&late, "llo"));
	assert_false(atomic_load(&stopper.done));
	gate_open();
	assert_true(client_answer(&late, &r));
	assert_int_equal(r.code, 200);
	assert_string_equal(r.body, "hello");
	response_free(&r);
	client_close(&late);
	for (size_t i = 0; i < 20; i++) {
		assert_true(client_answer(&c[i], &r));
		assert_int_equal(r.code, 200);
		assert_string_equal(r.body, "at last");
		assert_string_equal(response_header(&r, "Connection"), "close");
		response_free(&r);
		client_close(&c[i]);
	}
	thread_join(thread);
	assert_true(atomic_load(&stopper.done));
}

static void ask_until_closed(void *arg)
{
	const char *url = arg;
	for (;;) {
		struct client c = {.fd = connect_to(url)};
		if (c.fd < 0)
			return;
		struct response r = {0};
		while (client_say(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello") &&
			client_answer(&c, &r)) {
			/* Answered in full, or refused in full. */
			CHECK(r.code == 200 || r.code == 503);
			response_free(&r);
		}
		response_free(&r);
		client_close(&c);
	}
}

static void publish_until_told(void *arg)
{
	struct publisher *p = arg;
	for (int i = 0; i < 300; i++)
		http_events_publish(p->server, "a", "x", "1");
}

static void test_stop_under_load(void **state)
{
	for (int round = 0; round < 5; round++) {
		struct http_server *s = start_default();
		char url[128];
		snprintf(url, sizeof(url), "%s", http_server_url(s));
		struct listener streams[4];
		for (size_t i = 0; i < 4; i++)
			streams[i] = listen_to(url, "a", 200);
		struct publisher publisher = {s, 0};
		thread_handle publishing, threads[4];
		thread_start(&publishing, "publisher", publish_until_told, &publisher);
		for (size_t i = 0; i < 4; i++)
			thread_start(&threads[i], "load", ask_until_closed, url);
		WAIT_UNTIL(atomic_load(&admitted) > 100);
		thread_join(publishing);
		http_server_stop(s);
		for (size_t i = 0; i < 4; i++)
			thread_join(threads[i]);
		for (size_t i = 0; i < 4; i++) {
			for (char *event = next_event(&streams[i], true); event;
				event = next_event(&streams[i], true))
				free(event);
			stop_listening(&streams[i]);
		}
	}
}

/* A client that takes nothing cannot hold up the stop. */
static void test_stop_with_a_client_that_does_not_read(void **state)
{
	struct http_options options = default_options();
	options.idle_timeout_s = 2;
	struct http_server *s = start_server(&options);
	struct client c = client_open(http_server_url(s));
	assert_true(client_say(&c, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
	char *head = client_until(&c, "\r\n\r\n");
	assert_non_null(head);
	free(head);
	int64_t start_us = clock_mono_us();
	http_server_stop(s);
	assert_true(clock_mono_us() - start_us < 15000000);
	client_close(&c);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_reach_their_channel),
		cmocka_unit_test(test_head_of_a_stream),
		cmocka_unit_test(test_hundred_streams),
		cmocka_unit_test(test_slow_stream_is_closed),
		cmocka_unit_test(test_stop_answers_what_was_accepted),
		cmocka_unit_test(test_stop_under_load),
		cmocka_unit_test(test_stop_with_a_client_that_does_not_read),
	};
	return cmocka_run_group_tests(tests, make_spool, remove_spool);
}
