/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd behind server.h; nothing else includes it. One thread of ours runs the
 * library's event loop (so that quiescing, deadlines and connections need no lock), the
 * executor's threads run handlers. docs/internals/http.md tells the life of a request.
 */
#include "http/server.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/metrics.h"
#include "http/admission.h"
#include "http/drain.h"
#include "http/exchange.h"
#include "http/listen.h"
#include "http/router.h"
#include "http/streams.h"
#include "os/clock.h"
#include "os/executor.h"
#include "os/file.h"
#include "os/log.h"
#include "os/thread.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTION_MEMORY_BYTES (64u << 10) /* the head of a request must fit into it */
#define REFUSED_BYTES_MAX (1u << 20) /* of a refused body, so that the answer finds the client listening */
#define REPLY_BYTES_PER_S_MIN 4096   /* a client that takes its answer more slowly is cut */
#define STOP_US_MAX 10000000         /* for accepted requests to be answered */
#define STOP_STREAMS_US_MAX 1000000
#define TICK_US 100000
#define TICK_STREAMS_US 1000000
#define DRAIN_WAIT_MS 10
#define READAHEAD_MAX (8u << 20)
#define PEM_BYTES_MAX (1u << 20)

struct connection {
	struct connection *next, *previous;
	struct MHD_Connection *mhd;
	struct http_server *server;
	struct exchange *exchange; /* the request that is under way, or NULL */
	int socket;
	int64_t deadline_us; /* then it is cut; INT64_MAX: none */
	char peer[INET6_ADDRSTRLEN];
};

struct http_server {
	struct MHD_Daemon *daemon;
	struct router *router;
	struct executor *executor;
	struct body_store bodies;
	struct streams streams;
	http_admit *admit;
	http_refused *refused;
	void *app;
	int64_t idle_timeout_us, body_timeout_us;
	bool secure;
	char url[LISTEN_URL_SIZE];
	struct arena arena; /* the certificate's texts */
	thread_handle thread;
	int wake_fd, epoll_fd; /* an eventfd of ours, the library's epoll */
	_Atomic bool woken;    /* something was written to wake_fd and not read yet */
	_Atomic bool stop_wanted;

	/* Event thread only. */
	struct connection *connections;
	struct drain drain;
	unsigned answering; /* requests whose head was read and whose answer is not sent yet; event streams
			       left out */
	bool stopping, told_late;
	int64_t stop_us, tick_us, tick_streams_us;
};

/* ---- the answer ---- */

/* Without a thread of its own the library does not wake itself. */
static void wake_events(struct http_server *s)
{
	uint64_t one = 1;
	if (!atomic_exchange(&s->woken, true))
		CHECK(write(s->wake_fd, &one, sizeof(one)) == sizeof(one));
}

static void sleep_connection(void *connection)
{
	MHD_suspend_connection(((struct connection *)connection)->mhd);
}

/* Any thread. The connection may be gone when this returns. */
static void wake_connection(void *connection)
{
	struct connection *c = connection;
	struct http_server *s = c->server;
	MHD_resume_connection(c->mhd);
	wake_events(s);
}

static ssize_t read_stream(void *stream, uint64_t position, char *out, size_t room)
{
	ssize_t size = stream_read(stream, out, room);
	return size < 0 ? MHD_CONTENT_READER_END_OF_STREAM : size;
}

static void close_stream(void *stream)
{
	stream_close(stream);
}

static struct MHD_Response *make_stream_response(struct connection *c, struct exchange *x)
{
	struct stream *stream;
	struct err err;
	if (streams_open(&c->server->streams, x->reply.stream, c, c->socket, &stream, &err) != ST_OK) {
		exchange_fail(x, &err);
		exchange_finish(x);
		return NULL;
	}
	struct MHD_Response *response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, read_stream, stream, close_stream);
	CHECK(response != NULL);
	return response;
}

static struct MHD_Response *make_response(struct connection *c, struct exchange *x)
{
	struct http_reply *reply = &x->reply;
	struct MHD_Response *response = NULL;
	if (reply->stream && x->request.method != HTTP_HEAD)
		response = make_stream_response(c, x);
	if (response == NULL && reply->file_fd >= 0) {
		response = MHD_create_response_from_fd64(reply->file_size, reply->file_fd);
		CHECK(response != NULL);
		reply->file_fd = -1; /* the library closes it */
	}
	if (response == NULL)
		response = MHD_create_response_from_buffer(
			reply->body.size, (void *)(uintptr_t)reply->body.data, MHD_RESPMEM_PERSISTENT);
	CHECK(response != NULL);
	return response;
}

static void count_reply(const struct exchange *x)
{
	metric_add(METRIC_HTTP_REQUESTS, 1);
	if (x->reply.code >= 500)
		metric_add(METRIC_HTTP_ERRORS, 1);
	if (x->reply.code == 429 || x->reply.code == 503)
		metric_add(METRIC_HTTP_REFUSED, 1);
}

static uint64_t reply_bytes(const struct http_reply *reply)
{
	return reply->file_size ? reply->file_size : reply->body.size;
}

/* Queues the answer; exchange_finish was called. */
static enum MHD_Result send_reply(struct connection *c, struct exchange *x)
{
	struct http_server *s = c->server;
	struct MHD_Response *response = make_response(c, x);
	for (size_t i = 0; i < x->header_count; i++) {
		if (MHD_add_response_header(response, x->headers[i].name, x->headers[i].value) != MHD_YES)
			log_event(LOG_LEVEL_ERROR, "header_refused", "name", x->headers[i].name, NULL);
	}
	if (x->close || s->stopping)
		MHD_add_response_header(response, "Connection", "close");
	x->phase = EXCHANGE_REPLY;
	if (x->reply.stream) {
		s->answering--;
		c->deadline_us = INT64_MAX;
	} else {
		int64_t send_us = (int64_t)(reply_bytes(&x->reply) / REPLY_BYTES_PER_S_MIN) * 1000000;
		c->deadline_us = clock_mono_us() + s->idle_timeout_us + send_us;
	}
	count_reply(x);
	enum MHD_Result result = MHD_queue_response(c->mhd, (unsigned)x->reply.code, response);
	MHD_destroy_response(response);
	return result;
}

/* ---- the worker ---- */

static enum status run_handler(struct exchange *x, struct err *err)
{
	TRY(body_finish(&x->body, &x->request.body, err));
	enum status st = x->request.route->handler(&x->request, &x->reply, err);
	if (st != ST_OK && err->status != st)
		return err_set(err, st, "The request failed: %s.", status_name(st));
	/* What must come from the disk is waited for here, not on the event thread. */
	if (st == ST_OK && x->reply.file_fd >= 0)
		readahead(x->reply.file_fd, 0,
			x->reply.file_size < READAHEAD_MAX ? x->reply.file_size : READAHEAD_MAX);
	return st;
}

static void work(void *arg)
{
	struct exchange *x = arg;
	struct connection *c = x->connection;
	struct err err = {0};
	log_set_request(x->request.id);
	if (run_handler(x, &err) != ST_OK)
		exchange_fail(x, &err);
	x->request.body = (struct span){0};
	body_release(&x->body);
	exchange_finish(x);
	log_set_request(NULL);
	/* From here on the event thread may answer and let go of the connection. */
	wake_connection(c);
	exchange_drop(x);
}

static void tell_refused(const struct http_server *s, const struct exchange *x, const struct err *err)
{
	if (s->refused && x->request.caller)
		s->refused(&x->request, err);
}

static void start_work(struct connection *c, struct exchange *x)
{
	struct err err;
	x->phase = EXCHANGE_WORK;
	c->deadline_us = INT64_MAX;
	exchange_hold(x);
	/* Suspended first: a worker may be done before executor_post returns. */
	sleep_connection(c);
	if (executor_post(c->server->executor, work, x, &err) == ST_OK)
		return;
	tell_refused(c->server, x, &err);
	exchange_fail(x, &err);
	exchange_finish(x);
	wake_connection(c);
	exchange_drop(x);
}

/* ---- the head ---- */

/*
 * The library joins folded lines to the name, ends a line at a bare LF, and a value at a
 * NUL. What a proxy made of such a head is anybody's guess, so the parsed fields must
 * be, byte for byte, all there was: "name: value CRLF" and nothing between.
 */
static bool head_is_exact(struct MHD_Connection *mhd, const char *method, const char *version,
	const struct head_field *fields, size_t count)
{
#if MHD_VERSION <                                                                                            \
	0x00097600 /* later versions do not show their buffer in this way, and are strict themselves */
	const char *at = version + strlen(version);
	for (size_t i = 0; i < count; i++) {
		const char *after_colon = fields[i].name + strlen(fields[i].name) + 1;
		size_t blanks = (size_t)(fields[i].value - after_colon);
		if (fields[i].name != at + 2 || blanks > CONNECTION_MEMORY_BYTES)
			return false;
		for (const char *c = after_colon; c < fields[i].value; c++) {
			if (*c != ' ' && *c != '\t')
				return false;
		}
		at = fields[i].value + strlen(fields[i].value);
	}
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	return info != NULL && at + 4 == method + info->header_size;
#else
	return true;
#endif
}

struct field_list {
	struct head_field *fields;
	size_t count, room;
};

static enum MHD_Result take_field(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct field_list *list = arg;
	CHECK(list->count < list->room);
	list->fields[list->count++] = (struct head_field){name, value ? value : ""};
	return MHD_YES;
}

static void read_fields(struct connection *c, struct exchange *x)
{
	int count = MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, NULL, NULL);
	struct field_list list = {
		ARENA_ARRAY(&x->arena, struct head_field, (size_t)count + 1), 0, (size_t)count};
	MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, take_field, &list);
	x->fields = list.fields;
	x->field_count = list.count;
}

static bool expects_continue(const struct exchange *x)
{
	const char *expect = http_header(&x->request, "Expect");
	return expect && strcasecmp(expect, "100-continue") == 0;
}

/* The answer goes out now, the rest of the body is not read by us. */
static enum MHD_Result answer_and_close(struct connection *c, struct exchange *x)
{
	x->close = true;
	drain_add(&c->server->drain, c->socket, clock_mono_us());
	return send_reply(c, x);
}

static enum MHD_Result refuse_request(struct connection *c, struct exchange *x, const struct err *err)
{
	body_release(&x->body);
	tell_refused(c->server, x, err);
	exchange_fail(x, err);
	exchange_finish(x);
	/* libmicrohttpd takes an answer before the body or after it, not between. */
	if (x->body_expected > REFUSED_BYTES_MAX || (x->body_expected > 0 && expects_continue(x)))
		return answer_and_close(c, x);
	x->phase = EXCHANGE_DRAIN;
	return MHD_YES;
}

static enum MHD_Result take_head(
	struct connection *c, struct exchange *x, const char *method, const char *version)
{
	struct http_server *s = c->server;
	struct err err = {0};
	s->answering++;
	x->request.method = admission_method(method);
	x->request.peer = c->peer;
	x->request.secure = s->secure;
	read_fields(c, x);
	enum status st = head_check(x->fields, x->field_count, &err);
	if (st == ST_OK && !head_is_exact(c->mhd, method, version, x->fields, x->field_count))
		st = err_set(&err, ST_INVALID,
			"The head of the request is not written as HTTP asks for (RFC 9112).");
	if (st == ST_OK && strcmp(version, "HTTP/1.0") != 0 && http_header(&x->request, "Host") == NULL)
		st = err_set(&err, ST_INVALID, "A request of HTTP/1.1 needs a Host header.");
	if (st != ST_OK) {
		exchange_fail(x, &err);
		exchange_finish(x);
		return answer_and_close(c, x);
	}
	x->phase = EXCHANGE_BODY;
	c->deadline_us = x->request.received_us + s->body_timeout_us;
	x->body_expected = admission_body_size(x);
	st = s->stopping ? err_set(&err, ST_UNAVAILABLE, "The server is stopping.")
			 : admission_check(x, s->router, s->admit, &err);
	return st == ST_OK ? MHD_YES : refuse_request(c, x, &err);
}

/* ---- the body ---- */

/* MHD_NO closes the connection without an answer. */
static enum MHD_Result take_body(struct exchange *x, const char *data, size_t size)
{
	struct err err;
	if (x->phase == EXCHANGE_BODY && admission_keep_body(x, data, size, &err) != ST_OK) {
		body_release(&x->body);
		exchange_fail(x, &err);
		exchange_finish(x);
		x->phase = EXCHANGE_DRAIN;
	}
	if (x->phase == EXCHANGE_DRAIN)
		x->drained_bytes += size;
	return x->drained_bytes <= REFUSED_BYTES_MAX ? MHD_YES : MHD_NO;
}

/* ---- what libmicrohttpd calls ---- */

static struct connection *connection_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	CHECK(info != NULL && info->socket_context != NULL);
	return info->socket_context;
}

/* For the head of the next request: the library's own time-out starts anew with each byte. */
static void expect_head(struct connection *c)
{
	c->deadline_us = clock_mono_us() + c->server->idle_timeout_us + c->server->body_timeout_us;
}

static void open_connection(struct http_server *s, struct MHD_Connection *mhd, void **context)
{
	struct connection *c = calloc(1, sizeof(*c));
	CHECK(c != NULL);
	c->mhd = mhd;
	c->server = s;
	c->socket = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	const struct sockaddr *address =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	if (address->sa_family == AF_INET)
		inet_ntop(
			AF_INET, &((const struct sockaddr_in *)address)->sin_addr, c->peer, sizeof(c->peer));
	else if (address->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, c->peer,
			sizeof(c->peer));
	c->next = s->connections;
	if (c->next)
		c->next->previous = c;
	s->connections = c;
	expect_head(c);
	*context = c;
}

static void close_connection(struct connection *c)
{
	CHECK(c->exchange == NULL);
	if (c->previous)
		c->previous->next = c->next;
	else
		c->server->connections = c->next;
	if (c->next)
		c->next->previous = c->previous;
	free(c);
}

static void on_connection(
	void *server, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		open_connection(server, mhd, context);
	else
		close_connection(*context);
}

/* The request line, as it came. What is returned is the context of the calls that follow. */
static void *on_target(void *server, const char *target, struct MHD_Connection *mhd)
{
	struct http_server *s = server;
	struct connection *c = connection_of(mhd);
	CHECK(c->exchange == NULL);
	c->exchange = exchange_new(target, &s->bodies, s->app);
	c->exchange->connection = c;
	c->deadline_us = c->exchange->request.received_us + s->body_timeout_us;
	return c->exchange;
}

static enum MHD_Result on_request(void *server, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **context)
{
	struct exchange *x = *context;
	struct connection *c = x->connection;
	switch (x->phase) {
	case EXCHANGE_LINE: return take_head(c, x, method, version);
	case EXCHANGE_BODY:
	case EXCHANGE_DRAIN:
		if (*size > 0) {
			size_t taken = *size;
			*size = 0;
			return take_body(x, data, taken);
		}
		if (x->phase == EXCHANGE_DRAIN)
			return send_reply(c, x);
		start_work(c, x);
		return MHD_YES;
	case EXCHANGE_WORK: return send_reply(c, x);
	case EXCHANGE_REPLY: break;
	}
	return MHD_NO;
}

static void log_access(const struct exchange *x, const struct connection *c, int64_t took_us, bool complete)
{
	char code[16], bytes[24], us[24];
	snprintf(code, sizeof(code), "%d", x->phase == EXCHANGE_REPLY ? x->reply.code : 0);
	snprintf(bytes, sizeof(bytes), "%" PRIu64, reply_bytes(&x->reply));
	snprintf(us, sizeof(us), "%" PRId64, took_us);
	const char *method =
		x->request.method < HTTP_METHOD_COUNT ? http_method_name(x->request.method) : "other";
	log_event(LOG_LEVEL_DEBUG, "http_request", "id", x->request.id, "peer", c->peer, "method", method,
		"path", x->request.path, "code", code, "bytes", bytes, "us", us, "complete",
		complete ? "true" : "false", NULL);
}

/* The answer was sent, or never will be. */
static void on_completed(
	void *server, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode why)
{
	struct exchange *x = *context;
	if (x == NULL)
		return;
	struct connection *c = x->connection;
	struct http_server *s = c->server;
	int64_t took_us = clock_mono_us() - x->request.received_us;
	bool streamed = x->phase == EXCHANGE_REPLY && x->reply.stream;
	if (x->phase != EXCHANGE_LINE && !streamed)
		s->answering--;
	if (x->phase == EXCHANGE_REPLY && !streamed)
		metric_observe_us(METRIC_HTTP_SECONDS, took_us);
	log_access(x, c, took_us, why == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	c->exchange = NULL;
	expect_head(c);
	*context = NULL;
	exchange_drop(x);
}

static void __attribute__((format(printf, 2, 0))) on_log(void *arg, const char *format, va_list args)
{
	char text[512];
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\r\n")] = '\0';
	log_event(LOG_LEVEL_DEBUG, "libmicrohttpd", "message", text, NULL);
}

/* ---- the event thread ---- */

static void cut_connection(struct connection *c)
{
	/* The library hears of it through epoll and closes; a socket of ours stays its own until then. */
	shutdown(c->socket, SHUT_RDWR);
	c->deadline_us = INT64_MAX;
}

static bool has_worker(const struct connection *c)
{
	return c->exchange && c->exchange->phase == EXCHANGE_WORK;
}

/*
 * Bytes and the end of the stream that arrive together make one edge of epoll: the
 * library reads the bytes, takes a short read for "no more", and never learns of the
 * end. So a request that is still arriving is asked after here.
 */
static bool client_left(const struct connection *c)
{
	if (c->exchange == NULL || c->exchange->phase == EXCHANGE_WORK ||
		c->exchange->phase == EXCHANGE_REPLY)
		return false;
	struct pollfd p = {.fd = c->socket, .events = POLLRDHUP};
	int unread = 0;
	return poll(&p, 1, 0) > 0 && ioctl(c->socket, FIONREAD, &unread) == 0 && unread == 0;
}

static void cut_late(struct http_server *s, int64_t now_us)
{
	bool cut_all = s->stopping && now_us - s->stop_us > STOP_US_MAX;
	if (cut_all && !s->told_late) {
		s->told_late = true;
		log_event(LOG_LEVEL_WARN, "http_stop_is_late",
			NULL); /* clients are cut, handlers are still waited for */
	}
	for (struct connection *c = s->connections; c; c = c->next) {
		if (c->deadline_us <= now_us || client_left(c) || (cut_all && !has_worker(c)))
			cut_connection(c);
	}
}

static void tick(struct http_server *s, int64_t now_us)
{
	drain_tick(&s->drain, now_us);
	if (now_us - s->tick_us < TICK_US)
		return;
	s->tick_us = now_us;
	cut_late(s, now_us);
	if (now_us - s->tick_streams_us < TICK_STREAMS_US)
		return;
	s->tick_streams_us = now_us;
	streams_tick(&s->streams, now_us);
}

static void begin_stop(struct http_server *s, int64_t now_us)
{
	s->stopping = true;
	s->stop_us = now_us;
	close(MHD_quiesce_daemon(s->daemon));
	streams_stop(&s->streams);
}

static bool is_finished(struct http_server *s, int64_t now_us)
{
	if (!s->stopping && atomic_load(&s->stop_wanted))
		begin_stop(s, now_us);
	if (!s->stopping || s->answering > 0)
		return false;
	/* A stream whose client does not read cannot say good-bye. */
	return streams_count(&s->streams) == 0 || now_us - s->stop_us > STOP_STREAMS_US_MAX;
}

static int wait_ms(struct http_server *s)
{
	int wait = s->drain.count ? DRAIN_WAIT_MS : TICK_US / 1000;
	MHD_UNSIGNED_LONG_LONG wanted;
	if (MHD_get_timeout(s->daemon, &wanted) == MHD_YES && wanted < (unsigned)wait)
		return (int)wanted;
	return wait;
}

static void wait_for_events(struct http_server *s)
{
	struct pollfd p[] = {{.fd = s->epoll_fd, .events = POLLIN}, {.fd = s->wake_fd, .events = POLLIN}};
	poll(p, 2, wait_ms(s));
	if (p[1].revents == 0)
		return;
	uint64_t count;
	CHECK(read(s->wake_fd, &count, sizeof(count)) == sizeof(count));
	/* Before the library looks: who wakes us from here on writes again. */
	atomic_store(&s->woken, false);
}

static void run_events(void *arg)
{
	struct http_server *s = arg;
	for (int64_t now_us = clock_mono_us(); !is_finished(s, now_us); now_us = clock_mono_us()) {
		tick(s, now_us);
		wait_for_events(s);
		CHECK(MHD_run(s->daemon) == MHD_YES);
	}
}

/* ---- start and stop ---- */

static enum status start_daemon(
	struct http_server *s, const struct http_options *o, int socket, struct err *err)
{
	struct span certificate = {0}, key = {0};
	if (s->secure) {
		TRY(file_read(o->tls_certificate, PEM_BYTES_MAX, &s->arena, &certificate, err));
		TRY(file_read(o->tls_key, PEM_BYTES_MAX, &s->arena, &key, err));
	}
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)certificate.data},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key.data},
		{MHD_OPTION_HTTPS_PRIORITIES, 0,
			(void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
		{MHD_OPTION_END, 0, NULL},
	};
	unsigned flags =
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (s->secure ? MHD_USE_TLS : 0u);
	/* Not MHD_OPTION_STRICT_FOR_CLIENT: 0.9.75 then sends the head of its 400 twice; head_check and
	 * take_head are stricter. */
	s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log,
		s, MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_LIMIT, o->connections_max,
		MHD_OPTION_CONNECTION_TIMEOUT, o->idle_timeout_s, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
		s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_URI_LOG_CALLBACK, on_target, s,
		MHD_OPTION_ARRAY, s->secure ? tls : &tls[3], MHD_OPTION_END);
	if (s->daemon == NULL)
		return err_set(err, ST_INVALID, "The HTTP server cannot start%s.",
			s->secure ? ": the TLS certificate or key cannot be used" : "");
	s->epoll_fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	return ST_OK;
}

static enum status start(struct http_server *s, const struct http_options *o, struct err *err)
{
	int socket;
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd < 0)
		return err_errno(err, "The HTTP server cannot make an eventfd");
	TRY(body_store_init(&s->bodies, o->spool_folder, o->body_memory_max, err));
	TRY(listen_open(o->address, &socket, err));
	listen_url(socket, s->secure, s->url);
	enum status st = start_daemon(s, o, socket, err);
	if (st != ST_OK)
		close(socket);
	return st;
}

static void release(struct http_server *s)
{
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	streams_release(&s->streams);
	drain_release(&s->drain);
	body_store_release(&s->bodies);
	router_free(s->router);
	arena_release(&s->arena);
	free(s);
}

enum status http_server_start(const struct http_options *options, struct http_server **out, struct err *err)
{
	CHECK(options->workers > 0 && options->queue_max > 0 && options->connections_max > 0);
	CHECK(options->idle_timeout_s > 0 && options->body_timeout_s > 0 && options->admit != NULL);
	if ((options->tls_certificate == NULL) != (options->tls_key == NULL))
		return err_set(err, ST_INVALID, "TLS needs both a certificate and a key.");
	struct http_server *s = calloc(1, sizeof(*s));
	CHECK(s != NULL);
	arena_init(&s->arena);
	s->router = router_new(options->routes, options->route_count);
	s->admit = options->admit;
	s->refused = options->refused;
	s->app = options->app;
	s->idle_timeout_us = options->idle_timeout_s * INT64_C(1000000);
	s->body_timeout_us = options->body_timeout_s * INT64_C(1000000);
	s->secure = options->tls_certificate != NULL;
	streams_init(&s->streams, options->event_streams_max, sleep_connection, wake_connection);
	enum status st = start(s, options, err);
	if (st != ST_OK) {
		release(s);
		return st;
	}
	s->executor = executor_new("http", options->workers, options->queue_max);
	*out = s; /* first: a handler may ask for it before we return */
	thread_start(&s->thread, "http-events", run_events, s);
	return ST_OK;
}

const char *http_server_url(const struct http_server *s)
{
	return s->url;
}

struct streams *http_server_streams(struct http_server *s)
{
	return &s->streams;
}

void http_server_stop(struct http_server *s)
{
	atomic_store(&s->stop_wanted, true);
	wake_events(s);
	thread_join(s->thread);
	/* A worker may still be on its way out of wake_connection: it must be gone before the daemon is. */
	executor_free(s->executor);
	MHD_stop_daemon(s->daemon);
	CHECK(s->answering == 0);
	release(s);
}
