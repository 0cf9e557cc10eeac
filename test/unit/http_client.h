/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of http/: a client that writes bytes as it is told and reads answers
 * by the letter of RFC 9112, and a server with a few small handlers. No call waits
 * longer than WAIT_US_MAX; none sleeps to let something happen.
 */
#ifndef GYRE_TEST_HTTP_CLIENT_H
#define GYRE_TEST_HTTP_CLIENT_H

#include "base/check.h"
#include "base/hash.h"
#include "base/metrics.h"
#include "base/str.h"
#include "http/events.h"
#include "http/multipart.h"
#include "http/server.h"
#include "os/clock.h"
#include "os/thread.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_US_MAX 30000000
#define UNUSED __attribute__((unused))

/* ---- the client ---- */

struct client {
	int fd;
	char *bytes; /* read and not yet consumed: [start, end) */
	size_t start, end, room;
};

struct response {
	int code;
	char *head; /* status line and headers */
	char *body;
	size_t body_size;
};

static void wait_for(int fd, short events, int64_t deadline_us)
{
	struct pollfd p = {.fd = fd, .events = events};
	int64_t left_us = deadline_us - clock_mono_us();
	assert_true(left_us > 0);
	assert_true(poll(&p, 1, (int)(left_us / 1000) + 1) > 0);
}

static int connect_to(const char *url)
{
	const char *colon = strrchr(url, ':');
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static struct client client_open(const char *url)
{
	struct client c = {.fd = connect_to(url)};
	assert_true(c.fd >= 0);
	return c;
}

static void client_close(struct client *c)
{
	close(c->fd);
	free(c->bytes);
	*c = (struct client){.fd = -1};
}

/* Writes all, or stops when the other side has closed. */
static bool client_send(struct client *c, const void *data, size_t size)
{
	int64_t deadline_us = clock_mono_us() + WAIT_US_MAX;
	const char *at = data;
	while (size > 0) {
		wait_for(c->fd, POLLOUT, deadline_us);
		ssize_t sent = send(c->fd, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (sent < 0)
			return false;
		at += sent;
		size -= (size_t)sent;
	}
	return true;
}

static bool client_say(struct client *c, const char *text)
{
	return client_send(c, text, strlen(text));
}

/* Reads some more; false at the end of the stream, or when it was reset. */
static bool client_read(struct client *c, int64_t deadline_us)
{
	if (c->room - c->end < 65536) {
		if (c->start > 0)
			memmove(c->bytes, c->bytes + c->start, c->end - c->start);
		c->end -= c->start;
		c->start = 0;
		c->room = c->end + 131072;
		c->bytes = realloc(c->bytes, c->room);
		assert_non_null(c->bytes);
	}
	for (;;) {
		wait_for(c->fd, POLLIN, deadline_us);
		ssize_t size = recv(c->fd, c->bytes + c->end, c->room - c->end, MSG_DONTWAIT);
		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (size <= 0)
			return false;
		c->end += (size_t)size;
		return true;
	}
}

/* What stands before the next `mark`, and moves past it; NULL at the end of the stream. The caller frees. */
static char *client_until(struct client *c, const char *mark)
{
	int64_t deadline_us = clock_mono_us() + WAIT_US_MAX;
	for (;;) {
		char *found =
			c->bytes ? memmem(c->bytes + c->start, c->end - c->start, mark, strlen(mark)) : NULL;
		if (found) {
			char *text = strndup(c->bytes + c->start, (size_t)(found - c->bytes) - c->start);
			c->start = (size_t)(found - c->bytes) + strlen(mark);
			return text;
		}
		if (!client_read(c, deadline_us))
			return NULL;
	}
}

static bool client_take(struct client *c, char *out, size_t size)
{
	int64_t deadline_us = clock_mono_us() + WAIT_US_MAX;
	while (c->end - c->start < size) {
		if (!client_read(c, deadline_us))
			return false;
	}
	memcpy(out, c->bytes + c->start, size);
	c->start += size;
	return true;
}

/* The value of a header, "" if there is none; valid until the next call. */
static const char *response_header(const struct response *r, const char *name)
{
	static _Thread_local char value[1024];
	size_t size = strlen(name);
	for (const char *line = strstr(r->head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, size) != 0 || line[2 + size] != ':')
			continue;
		const char *start = line + 2 + size + 1 + strspn(line + 2 + size + 1, " ");
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(start, "\r"), start);
		return value;
	}
	return "";
}

static bool read_chunks(struct client *c, struct response *r)
{
	for (;;) {
		char *line = client_until(c, "\r\n");
		if (line == NULL)
			return false;
		size_t size = strtoul(line, NULL, 16);
		free(line);
		r->body = realloc(r->body, r->body_size + size + 3);
		assert_non_null(r->body);
		if (!client_take(c, r->body + r->body_size, size + 2))
			return false;
		r->body_size += size;
		r->body[r->body_size] = '\0';
		if (size == 0)
			return true;
	}
}

static void response_free(struct response *r)
{
	free(r->head);
	free(r->body);
	*r = (struct response){0};
}

/* False when the connection ended without a whole answer. without_body: it answers a HEAD. */
static bool client_answer_to(struct client *c, struct response *r, bool without_body)
{
	*r = (struct response){0};
	r->head = client_until(c, "\r\n\r\n");
	if (r->head == NULL)
		return false;
	assert_true(strncmp(r->head, "HTTP/1.1 ", 9) == 0);
	r->code = (int)strtol(r->head + 9, NULL, 10);
	if (without_body || r->code == 204 || r->code == 304 || r->code == 100)
		return true;
	if (strcmp(response_header(r, "Transfer-Encoding"), "chunked") == 0)
		return read_chunks(c, r);
	const char *length = response_header(r, "Content-Length");
	assert_true(*length != '\0');
	r->body_size = strtoul(length, NULL, 10);
	r->body = malloc(r->body_size + 1);
	assert_non_null(r->body);
	r->body[r->body_size] = '\0';
	return client_take(c, r->body, r->body_size);
}

static bool client_answer(struct client *c, struct response *r)
{
	return client_answer_to(c, r, false);
}

/* Sends, reads one answer, checks its code; the caller frees it. */
UNUSED static struct response client_ask(struct client *c, const char *request, int code)
{
	struct response r;
	assert_true(client_say(c, request));
	assert_true(client_answer(c, &r));
	if (r.code != code)
		fprintf(stderr, "asked: %.200s\nanswered: %s\n%s\n", request, r.head, r.body ? r.body : "");
	assert_int_equal(r.code, code);
	return r;
}

/* The other side closes within the time; what it sends before is thrown away. */
UNUSED static bool client_sees_end(struct client *c)
{
	int64_t deadline_us = clock_mono_us() + WAIT_US_MAX;
	c->start = c->end = 0;
	while (client_read(c, deadline_us))
		c->start = c->end = 0;
	return true;
}

/* ---- a gate: handlers wait at it, tests wait for them ---- */

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned entered, left;
	bool open;
};

static struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void gate_init(void)
{
	cond_init(&gate.changed);
	gate.entered = gate.left = 0;
	gate.open = false;
}

static void gate_pass(void)
{
	mutex_lock(&gate.lock);
	gate.entered++;
	pthread_cond_broadcast(&gate.changed);
	while (!gate.open)
		cond_wait_until(&gate.changed, &gate.lock, 0);
	gate.left++;
	pthread_cond_broadcast(&gate.changed);
	mutex_unlock(&gate.lock);
}

UNUSED static void gate_wait_entered(unsigned count)
{
	int64_t deadline_us = clock_mono_us() + WAIT_US_MAX;
	mutex_lock(&gate.lock);
	while (gate.entered < count)
		assert_true(cond_wait_until(&gate.changed, &gate.lock, deadline_us));
	mutex_unlock(&gate.lock);
}

UNUSED static void gate_open(void)
{
	mutex_lock(&gate.lock);
	gate.open = true;
	pthread_cond_broadcast(&gate.changed);
	mutex_unlock(&gate.lock);
}

/* ---- the server ---- */

enum { RULE_ANY = 1, RULE_DENIED };

static _Atomic unsigned admitted; /* heads that reached admit() */

static enum status admit(struct http_request *req, struct err *err)
{
	atomic_fetch_add(&admitted, 1);
	if (req->route->rule == RULE_DENIED)
		return err_set(err, ST_UNAUTHENTICATED, "Log in first.");
	req->caller = arena_strdup(req->arena, "somebody");
	return ST_OK;
}

/* Polls a condition that another thread makes true. */
#define WAIT_UNTIL(condition)                                                                                \
	do {                                                                                                 \
		int64_t wait_deadline_us = clock_mono_us() + WAIT_US_MAX;                                    \
		while (!(condition)) {                                                                       \
			assert_true(clock_mono_us() < wait_deadline_us);                                     \
			poll(NULL, 0, 1);                                                                    \
		}                                                                                            \
	} while (0)

static enum status ping(struct http_request *req, struct http_reply *reply, struct err *err)
{
	assert_string_equal(req->caller, "somebody");
	return http_reply_text(req, reply, "text/plain", "pong");
}

static enum status echo(struct http_request *req, struct http_reply *reply, struct err *err)
{
	reply->content_type = "application/octet-stream";
	reply->body = arena_copy(req->arena, req->body);
	return ST_OK;
}

static enum status digest(struct http_request *req, struct http_reply *reply, struct err *err)
{
	char hex[SHA256_HEX_SIZE];
	hash_sha256_hex(req->body, hex);
	return http_reply_text(req, reply, "text/plain", hex);
}

static struct http_kept kept_body; /* by the last POST /keep */

static enum status keep(struct http_request *req, struct http_reply *reply, struct err *err)
{
	TRY(http_keep_body(req, &kept_body, err));
	return http_reply_text(req, reply, "text/plain", "kept");
}

static enum status item(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return http_reply_text(req, reply, "text/plain", http_param(req, "id"));
}

static enum status query(struct http_request *req, struct http_reply *reply, struct err *err)
{
	int64_t limit, offset;
	TRY(http_page(req, &limit, &offset, err));
	const char *values[2] = {"", ""};
	size_t count = http_query_all(req, "tag", values, 2);
	const char *cookie = http_cookie(req, "session");
	char *text = arena_printf(req->arena, "%lld %lld %zu [%s] [%s] [%s] [%s]", (long long)limit,
		(long long)offset, count, values[0], values[1], cookie ? cookie : "none", req->path);
	return http_reply_text(req, reply, "text/plain; charset=utf-8", text);
}

static enum status json(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_doc *doc;
	TRY(http_json(req, &doc, err));
	char *text = arena_printf(req->arena, "%zu", yyjson_get_len(yyjson_doc_get_root(doc)));
	return http_reply_text(req, reply, "text/plain", text);
}

/* "name|filename|type|size;" for each part */
static enum status form(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct multipart *m;
	TRY(multipart_parse(http_header(req, "Content-Type"), req->body, req->arena, &m, err));
	const char *text = "";
	for (size_t i = 0; i < m->count; i++) {
		const struct multipart_part *p = &m->parts[i];
		text = arena_printf(req->arena, "%s%s|%s|%s|%zu;", text, p->name,
			p->filename ? p->filename : "-", p->content_type ? p->content_type : "-",
			p->body.size);
	}
	return http_reply_text(req, reply, "text/plain; charset=utf-8", text);
}

static enum status slow(struct http_request *req, struct http_reply *reply, struct err *err)
{
	gate_pass();
	return http_reply_text(req, reply, "text/plain", "at last");
}

static enum status broken(struct http_request *req, struct http_reply *reply, struct err *err)
{
	http_reply_header(reply, "Content-Encoding", "gzip");
	return err_set(err, ST_UNPROCESSABLE, "The \"image\" is broken (\xff).");
}

static enum status crash(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return err_set(err, ST_INTERNAL, "The disk is on fire.");
}

static enum status split_header(struct http_request *req, struct http_reply *reply, struct err *err)
{
	http_reply_header(reply, "X-Name", "a\r\nSet-Cookie: stolen=1");
	return http_reply_text(req, reply, "text/plain", "never");
}

static enum status empty(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return http_reply_empty(reply, 204);
}

static enum status file(struct http_request *req, struct http_reply *reply, struct err *err)
{
	static const char text[] = "from a file";
	reply->file_fd = memfd_create("reply", MFD_CLOEXEC);
	assert_true(reply->file_fd >= 0);
	assert_int_equal(write(reply->file_fd, text, sizeof(text) - 1), sizeof(text) - 1);
	reply->file_size = sizeof(text) - 1;
	reply->content_type = "text/plain";
	return ST_OK;
}

static enum status large(struct http_request *req, struct http_reply *reply, struct err *err)
{
	reply->body = span_of(arena_zalloc(req->arena, 1, 8u << 20), 8u << 20);
	reply->content_type = "application/octet-stream";
	return ST_OK;
}

static enum status stream(struct http_request *req, struct http_reply *reply, struct err *err)
{
	reply->stream = http_param(req, "channel");
	return ST_OK;
}

static const struct http_route routes[] = {
	{HTTP_GET, "/ping", ping, RULE_ANY, 0},
	{HTTP_POST, "/echo", echo, RULE_ANY, 8u << 20},
	{HTTP_XGET, "/echo", echo, RULE_ANY, 8u << 20},
	{HTTP_POST, "/digest", digest, RULE_ANY, 64u << 20},
	{HTTP_POST, "/keep", keep, RULE_ANY, 64u << 20},
	{HTTP_POST, "/small", echo, RULE_ANY, 10},
	{HTTP_POST, "/form", form, RULE_ANY, 8u << 20},
	{HTTP_POST, "/json", json, RULE_ANY, 1u << 20},
	{HTTP_GET, "/item/{id}", item, RULE_ANY, 0},
	{HTTP_DELETE, "/item/{id}", empty, RULE_ANY, 0},
	{HTTP_GET, "/query", query, RULE_ANY, 0},
	{HTTP_GET, "/slow", slow, RULE_ANY, 0},
	{HTTP_POST, "/slow", slow, RULE_ANY, 8u << 20},
	{HTTP_GET, "/fail", broken, RULE_ANY, 0},
	{HTTP_GET, "/crash", crash, RULE_ANY, 0},
	{HTTP_GET, "/split", split_header, RULE_ANY, 0},
	{HTTP_GET, "/file", file, RULE_ANY, 0},
	{HTTP_GET, "/large", large, RULE_ANY, 0},
	{HTTP_GET, "/stream/{channel}", stream, RULE_ANY, 0},
	{HTTP_POST, "/denied", echo, RULE_DENIED, 64u << 20},
	{HTTP_GET, "/denied", ping, RULE_DENIED, 0},
};

static char spool_folder[] = "/tmp/gyre-http-XXXXXX";

UNUSED static int make_spool(void **state)
{
	return mkdtemp(spool_folder) ? 0 : -1;
}

UNUSED static int remove_spool(void **state)
{
	return rmdir(spool_folder);
}

static struct http_options default_options(void)
{
	return (struct http_options){.address = "127.0.0.1:0",
		.routes = routes,
		.route_count = sizeof(routes) / sizeof(routes[0]),
		.admit = admit,
		.spool_folder = spool_folder,
		.workers = 4,
		.queue_max = 64,
		.connections_max = 512,
		.event_streams_max = 100,
		.body_memory_max = 64u << 20,
		.idle_timeout_s = 30,
		.body_timeout_s = 30};
}

static struct http_server *start_server(const struct http_options *options)
{
	struct http_server *s;
	struct err err;
	gate_init();
	atomic_store(&admitted, 0);
	enum status st = http_server_start(options, &s, &err);
	if (st != ST_OK)
		fprintf(stderr, "%s\n", err.text);
	assert_int_equal(st, ST_OK);
	return s;
}

UNUSED static struct http_server *start_default(void)
{
	struct http_options options = default_options();
	return start_server(&options);
}

#endif
