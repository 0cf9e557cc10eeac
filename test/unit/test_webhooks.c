/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch/webhooks.h: what is due by its row is sent, signed, and again when it did not arrive; one that is
 * away holds up nobody. The receiver is a thread with a socket. Receivers of another make:
 * test/http/test_alerts.py.
 */
#include "watch/webhooks.h"

#include "alerts_world.h"
#include "os/clock.h"
#include "os/thread.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define SECOND_US ((int64_t)1000000)
#define DEADLINE_US (30 * SECOND_US)

static struct alerts_world aw;
static struct webhooks *sender;

/* ---- the receiver ---- */

static struct {
	int fd;
	unsigned port;
	thread_handle thread;
	_Atomic bool stopping, silent; /* silent: requests are read and never answered */
	_Atomic int code, requests;
	pthread_mutex_t lock;
	char last[8192]; /* guarded: the last request as it came */
} receiver;

/* Up to the end of the body that the head announces. */
static void read_request(int fd, char *text, size_t room)
{
	size_t size = 0;
	ssize_t got;
	while (size < room - 1 && (got = read(fd, text + size, room - 1 - size)) > 0) {
		size += (size_t)got;
		text[size] = '\0';
		const char *body = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
		if (body && length && size >= (size_t)(body + 4 - text) + strtoul(length + 16, NULL, 10))
			return;
	}
}

static void answer(int fd)
{
	char text[sizeof(receiver.last)] = "", reply[128];
	read_request(fd, text, sizeof(text));
	mutex_lock(&receiver.lock);
	memcpy(receiver.last, text, sizeof(text));
	mutex_unlock(&receiver.lock);
	atomic_fetch_add(&receiver.requests, 1);
	while (atomic_load(&receiver.silent) && !atomic_load(&receiver.stopping))
		poll(NULL, 0, 5);
	int size = snprintf(reply, sizeof(reply),
		"HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		atomic_load(&receiver.code));
	if (write(fd, reply, (size_t)size) != size)
		fail_msg("the receiver could not answer");
	close(fd);
}

static void receive(void *arg)
{
	(void)arg;
	while (!atomic_load(&receiver.stopping)) {
		struct pollfd wait = {receiver.fd, POLLIN, 0};
		if (poll(&wait, 1, 20) == 1)
			answer(accept(receiver.fd, NULL, NULL));
	}
}

static void receiver_start(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	receiver.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(receiver.fd >= 0);
	assert_int_equal(bind(receiver.fd, (const struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(receiver.fd, 8), 0);
	assert_int_equal(getsockname(receiver.fd, (struct sockaddr *)&address, &size), 0);
	receiver.port = ntohs(address.sin_port);
	atomic_store(&receiver.stopping, false);
	atomic_store(&receiver.silent, false);
	atomic_store(&receiver.code, 200);
	atomic_store(&receiver.requests, 0);
	pthread_mutex_init(&receiver.lock, NULL);
	thread_start(&receiver.thread, "receiver", receive, NULL);
}

static void receiver_stop(void)
{
	atomic_store(&receiver.stopping, true);
	thread_join(receiver.thread);
	close(receiver.fd);
}

/* ---- what is to be sent ---- */

static struct uuid add_webhook(unsigned port, bool active)
{
	const struct webhook_row hook = {.id = rw_id(),
		.organization_id = aw.w.organization_id,
		.name = "chat",
		.url = arena_printf(&aw.w.arena, "http://127.0.0.1:%u/hook?a=1", port),
		.secret = "whsec_test",
		.active = active,
		.created_us = RW_FIRST_US,
		.created_by = "ann"};
	RW_OK(&aw.w, webhook_rows_insert(aw.w.conn, &hook, &aw.w.err));
	return hook.id;
}

static struct uuid add_delivery(struct uuid webhook_id, int64_t next_us)
{
	struct webhook_delivery_row d = {.id = rw_id(),
		.webhook_id = webhook_id,
		.event_id = rw_id(),
		.created_us = next_us,
		.next_us = next_us};
	d.body = "{\"event\":\"alert.opened\",\"link\":\"/deployment/1\"}";
	RW_OK(&aw.w, webhook_delivery_rows_insert(aw.w.conn, &d, &aw.w.err));
	return d.id;
}

static struct webhook_delivery_row delivery(struct uuid webhook_id, struct uuid id)
{
	struct webhook_delivery_row *items;
	size_t count;
	RW_OK(&aw.w, webhook_delivery_rows_list(
			     aw.w.conn, webhook_id, 100, &aw.w.arena, &items, &count, &aw.w.err));
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(items[i].id, id))
			return items[i];
	fail_msg("the delivery is gone");
	return (struct webhook_delivery_row){0};
}

static struct webhook_delivery_row wait_attempts(struct uuid webhook_id, struct uuid id, int64_t attempts)
{
	int64_t deadline_us = clock_mono_us() + DEADLINE_US;
	for (;;) {
		struct webhook_delivery_row d = delivery(webhook_id, id);
		if (d.attempts >= attempts)
			return d;
		if (clock_mono_us() > deadline_us)
			fail_msg("it was not tried in time");
		poll(NULL, 0, 5);
	}
}

static void start(const char *allowed)
{
	sender = webhooks_new(&(struct webhooks_options){.readers = aw.readers,
		.recorder = aw.recorder,
		.public_url = "http://gyre.example:8080",
		.allowed = allowed});
	webhooks_start(sender);
}

static int set_up(void **state)
{
	aw_open(&aw);
	receiver_start();
	sender = NULL;
	return 0;
}

static int tear_down(void **state)
{
	webhooks_free(sender);
	receiver_stop();
	aw_close(&aw);
	return 0;
}

/* ---- tests ---- */

/* hmac.new(b"whsec_test", b'1700000000.{"a":1}', "sha256") of Python. */
static void a_signature_is_that_of_others(void **state)
{
	char out[WEBHOOK_SIGNATURE_SIZE];
	webhook_sign("whsec_test", 1700000000, span_of_text("{\"a\":1}"), out);
	assert_string_equal(
		out, "t=1700000000,v1=38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789");
}

static void secrets_differ(void **state)
{
	char a[WEBHOOK_SECRET_SIZE], b[WEBHOOK_SECRET_SIZE];
	webhook_secret(a);
	webhook_secret(b);
	assert_int_equal(strlen(a), WEBHOOK_SECRET_SIZE - 1);
	assert_memory_equal(a, "whsec_", 6);
	assert_string_not_equal(a, b);
}

static void it_is_tried_for_a_day_and_a_third(void **state)
{
	static const int64_t minutes[] = {1, 5, 30, 120, 360, 1440};
	for (int64_t i = 0; i < 6; i++)
		assert_int_equal(webhook_retry_us(i + 1), minutes[i] * 60 * SECOND_US);
	assert_int_equal(webhook_retry_us(7), -1);
}

static void what_is_due_is_sent_once(void **state)
{
	int64_t now_us = clock_unix_us();
	struct uuid hook = add_webhook(receiver.port, true), off = add_webhook(receiver.port, false);
	struct uuid due = add_delivery(hook, now_us), later = add_delivery(hook, now_us + 3600 * SECOND_US);
	struct uuid never = add_delivery(off, now_us);
	start("127.0.0.1");
	struct webhook_delivery_row d = wait_attempts(hook, due, 1);
	assert_int_equal(d.http_status, 200);
	assert_null(d.error);
	assert_int_equal(d.next_us, 0);
	assert_true(d.done_us >= now_us);
	webhooks_stop(sender);
	assert_int_equal(atomic_load(&receiver.requests), 1);
	assert_int_equal(delivery(hook, later).attempts, 0);
	assert_int_equal(delivery(off, never).attempts, 0);
	char id[UUID_TEXT_SIZE];
	uuid_format(due, id);
	assert_memory_equal(receiver.last, "POST /hook?a=1 HTTP/1.1\r\n", 25);
	assert_non_null(strstr(receiver.last, "X-Gyre-Event: alert.opened\r\n"));
	assert_non_null(strstr(receiver.last, arena_printf(&aw.w.arena, "X-Gyre-Delivery: %s\r\n", id)));
	assert_non_null(strstr(receiver.last, "\"link\":\"http://gyre.example:8080/deployment/1\""));
	/* The signature is of the bytes that came. */
	const char *stamp = strstr(receiver.last, "X-Gyre-Signature: ");
	const char *body = strstr(receiver.last, "\r\n\r\n");
	assert_true(stamp && body);
	char expected[WEBHOOK_SIGNATURE_SIZE];
	webhook_sign("whsec_test", strtoll(stamp + 20, NULL, 10), span_of_text(body + 4), expected);
	assert_memory_equal(stamp + 18, expected, strlen(expected));
}

static void what_is_refused_is_sent_again_later(void **state)
{
	atomic_store(&receiver.code, 503);
	int64_t now_us = clock_unix_us();
	struct uuid hook = add_webhook(receiver.port, true), id = add_delivery(hook, now_us);
	start("127.0.0.1");
	struct webhook_delivery_row d = wait_attempts(hook, id, 1);
	webhooks_stop(sender);
	assert_int_equal(d.http_status, 503);
	assert_string_equal(d.error, "It answered 503. What is accepted is answered with 200.");
	assert_int_equal(d.done_us, 0);
	assert_true(d.next_us >= now_us + 60 * SECOND_US && d.next_us < now_us + 120 * SECOND_US);
	struct webhook_row row;
	RW_OK(&aw.w, webhook_rows_by_id(aw.w.conn, hook, &aw.w.arena, &row, &aw.w.err));
	assert_int_equal(row.last_status, 503);
	assert_string_equal(row.last_error, d.error);
}

static void the_seventh_failure_is_the_last(void **state)
{
	atomic_store(&receiver.code, 500);
	struct uuid hook = add_webhook(receiver.port, true), id = add_delivery(hook, clock_unix_us());
	struct db_query q = db_query(aw.w.conn, "UPDATE webhook_delivery SET attempts = 6");
	RW_OK(&aw.w, db_done(&q, &aw.w.err));
	start("127.0.0.1");
	struct webhook_delivery_row d = wait_attempts(hook, id, 7);
	assert_int_equal(d.next_us, 0);
	assert_true(d.done_us > 0);
	assert_non_null(d.error);
}

static void one_that_is_away_holds_up_nobody(void **state)
{
	int64_t now_us = clock_unix_us();
	struct uuid away = add_webhook(1, true), here = add_webhook(receiver.port, true);
	struct uuid first = add_delivery(away, now_us - 3), second = add_delivery(away, now_us - 2);
	struct uuid mine = add_delivery(here, now_us - 1);
	start("127.0.0.1");
	assert_int_equal(wait_attempts(here, mine, 1).http_status, 200);
	struct webhook_delivery_row d = wait_attempts(away, first, 1);
	webhooks_stop(sender);
	assert_int_equal(d.http_status, 0);
	assert_non_null(strstr(d.error, "cannot be reached"));
	d = delivery(away, second);
	assert_int_equal(d.attempts, 0); /* it waits too, but that was no attempt */
	assert_true(d.next_us >= now_us + 50 * SECOND_US);
}

static void this_machine_is_refused_unless_it_is_named(void **state)
{
	struct uuid hook = add_webhook(receiver.port, true), id = add_delivery(hook, clock_unix_us());
	start("10.0.0.1, localhost, *.0.0.1");
	struct webhook_delivery_row d = wait_attempts(hook, id, 1);
	assert_int_equal(d.http_status, 200); /* by a pattern */
	webhooks_free(sender);
	id = add_delivery(hook, clock_unix_us());
	start("");
	d = wait_attempts(hook, id, 1);
	assert_int_equal(d.http_status, 0);
	assert_non_null(strstr(d.error, "is at the address 127.0.0.1"));
	assert_int_equal(atomic_load(&receiver.requests), 1);
}

/* A server that stops does not wait for a receiver that sleeps, and what was under way is sent again. */
static void stopping_cuts_short(void **state)
{
	atomic_store(&receiver.silent, true);
	struct uuid hook = add_webhook(receiver.port, true), id = add_delivery(hook, clock_unix_us());
	start("127.0.0.1");
	int64_t deadline_us = clock_mono_us() + DEADLINE_US;
	while (atomic_load(&receiver.requests) == 0 && clock_mono_us() < deadline_us)
		poll(NULL, 0, 5);
	int64_t before_us = clock_mono_us();
	webhooks_stop(sender);
	assert_true(clock_mono_us() - before_us < (WEBHOOK_TIMEOUT_S - 2) * SECOND_US);
	struct webhook_delivery_row d = delivery(hook, id);
	assert_int_equal(d.attempts, 0);
	assert_true(d.next_us > 0);
	webhooks_free(sender);
	atomic_store(&receiver.silent, false);
	start("127.0.0.1");
	assert_int_equal(wait_attempts(hook, id, 1).http_status, 200);
}

static void what_is_done_is_forgotten_after_a_month(void **state)
{
	int64_t now_us = clock_unix_us();
	struct uuid hook = add_webhook(receiver.port, true);
	add_delivery(hook, now_us - 31 * 86400 * SECOND_US);
	struct db_query q =
		db_query(aw.w.conn, "UPDATE webhook_delivery SET next_us = NULL, done_us = created_us");
	RW_OK(&aw.w, db_done(&q, &aw.w.err));
	struct uuid id = add_delivery(hook, now_us);
	start("127.0.0.1");
	wait_attempts(hook, id, 1);
	const struct uuid none = {{0}};
	assert_int_equal(rw_number(&aw.w, "SELECT count(*) FROM webhook_delivery", none), 1);
}

static void a_test_is_sent_at_once_and_kept(void **state)
{
	struct webhook_delivery_row d;
	struct uuid hook = add_webhook(receiver.port, false);
	start("127.0.0.1");
	RW_OK(&aw.w, webhooks_test(sender, hook, &aw.w.arena, &d, &aw.w.err));
	assert_null(d.error);
	assert_int_equal(delivery(hook, d.id).http_status, 200);
	assert_non_null(strstr(receiver.last, "\"event\":\"test\""));
	assert_int_equal(webhooks_test(sender, rw_id(), &aw.w.arena, &d, &aw.w.err), ST_MISSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_is_that_of_others),
		cmocka_unit_test(secrets_differ),
		cmocka_unit_test(it_is_tried_for_a_day_and_a_third),
		cmocka_unit_test_setup_teardown(what_is_due_is_sent_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_refused_is_sent_again_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_seventh_failure_is_the_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_that_is_away_holds_up_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			this_machine_is_refused_unless_it_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stopping_cuts_short, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_done_is_forgotten_after_a_month, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_test_is_sent_at_once_and_kept, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
