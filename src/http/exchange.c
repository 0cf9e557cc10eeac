/* SPDX-License-Identifier: Apache-2.0 */
#include "http/exchange.h"

#include "base/check.h"
#include "base/str.h"
#include "base/uuid.h"
#include "os/clock.h"
#include "os/log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define QUERY_MAX 1024 /* pairs */

struct exchange *exchange_new(const char *target, struct body_store *bodies, void *app)
{
	struct exchange *x = calloc(1, sizeof(*x));
	CHECK(x != NULL);
	arena_init(&x->arena);
	atomic_init(&x->holds, 1);
	x->target = arena_strdup(&x->arena, target);
	x->request = (struct http_request){.arena = &x->arena,
		.app = app,
		.method = HTTP_METHOD_COUNT,
		.path = "",
		.received_us = clock_mono_us(),
		.impl = x};
	uuid_format(uuid_v7(clock_unix_ms()), x->request.id);
	x->reply.file_fd = -1;
	body_init(&x->body, bodies);
	return x;
}

void exchange_hold(struct exchange *x)
{
	CHECK(atomic_fetch_add(&x->holds, 1) > 0);
}

void exchange_drop(struct exchange *x)
{
	int before = atomic_fetch_sub(&x->holds, 1);
	CHECK(before > 0);
	if (before > 1)
		return;
	body_release(&x->body);
	if (x->reply.file_fd >= 0)
		close(x->reply.file_fd);
	arena_release(&x->arena);
	free(x);
}

/* ---- the target ---- */

/* "http://host/path" is for proxies, but a server must read it too (RFC 9112, section 3.2.2). */
static char *skip_authority(char *target)
{
	size_t scheme = strncasecmp(target, "http://", 7) == 0    ? 7
			: strncasecmp(target, "https://", 8) == 0 ? 8
								  : 0;
	return scheme == 0 ? target : target + scheme + strcspn(target + scheme, "/?");
}

static enum status add_pair(struct exchange *x, char *pair, struct err *err)
{
	char *value = strchr(pair, '=');
	if (value)
		*value++ = '\0';
	if (!head_decode_query(pair) || !head_is_utf8(span_of_text(pair)))
		return err_set(err, ST_INVALID, "A name in the query of the address is malformed.");
	if (value && (!head_decode_query(value) || !head_is_utf8(span_of_text(value))))
		return err_set(err, ST_INVALID,
			"The value of %.64s in the query of the address is malformed.", pair);
	x->query[x->query_count++] = (struct head_field){pair, value ? value : ""};
	return ST_OK;
}

static enum status read_query(struct exchange *x, char *text, struct err *err)
{
	size_t room = 1;
	for (const char *c = text; *c; c++)
		room += *c == '&';
	if (room > QUERY_MAX)
		return err_set(
			err, ST_INVALID, "The query of the address has more than %d parameters.", QUERY_MAX);
	x->query = ARENA_ARRAY(&x->arena, struct head_field, room);
	char *rest = text;
	for (char *pair = strsep(&rest, "&"); pair; pair = strsep(&rest, "&")) {
		if (*pair)
			TRY(add_pair(x, pair, err));
	}
	return ST_OK;
}

enum status exchange_read_target(struct exchange *x, const char **raw_path, struct err *err)
{
	for (const char *c = x->target; *c; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return err_set(
				err, ST_INVALID, "The address of a request may not have blanks in it.");
	}
	char *path = skip_authority(x->target);
	char *query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	*raw_path = *path ? path : "/";
	return query ? read_query(x, query, err) : ST_OK;
}

/* ---- the reply ---- */

/* Headers that still mean something when the handler failed. */
static bool survives_failure(const char *name)
{
	return strcasecmp(name, "Retry-After") == 0 || strcasecmp(name, "WWW-Authenticate") == 0 ||
	       strcasecmp(name, "Set-Cookie") == 0 || strcasecmp(name, "Allow") == 0;
}

static void keep_headers(struct http_reply *reply)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < reply->header_count; i++) {
		if (survives_failure(reply->headers[i].name))
			reply->headers[kept++] = reply->headers[i];
	}
	reply->header_count = kept;
}

/* A sentence may quote a client, or be cut within a character. */
static void append_sentence(struct str *out, const char *text)
{
	if (head_is_utf8(span_of_text(text))) {
		str_append_json(out, text);
		return;
	}
	char plain[sizeof(((struct err *)0)->text)];
	size_t size = 0;
	for (; text[size] && size < sizeof(plain) - 1; size++)
		plain[size] = (unsigned char)text[size] < 0x80 ? text[size] : '?';
	plain[size] = '\0';
	str_append_json(out, plain);
}

/* A flood of requests may not become a flood of lines: of "not now" one a second is told. */
static void log_failure(const struct err *err)
{
	static _Atomic int64_t told_us;
	if (status_http(err->status) < 500)
		return;
	int64_t now_us = clock_mono_us(), last_us = atomic_load(&told_us);
	if (!status_may_retry(err->status))
		log_err("request_failed", err);
	else if (now_us - last_us >= 1000000 && atomic_compare_exchange_strong(&told_us, &last_us, now_us))
		log_event(LOG_LEVEL_WARN, "request_refused", "status", status_name(err->status), "message",
			err->text, NULL);
}

void exchange_fail(struct exchange *x, const struct err *err)
{
	struct http_reply *reply = &x->reply;
	if (reply->file_fd >= 0)
		close(reply->file_fd);
	reply->file_fd = -1;
	reply->stream = NULL;
	keep_headers(reply);
	struct str text;
	str_init(&text, 8192);
	str_append(&text, "{\"message\":");
	append_sentence(&text, err->text);
	str_append(&text, ",\"detail\":null}");
	reply->code = status_http(err->status);
	reply->content_type = "application/json";
	reply->body = arena_copy(&x->arena, span_of(str_text(&text), text.size));
	str_release(&text);
	log_failure(err);
}

static bool has_header(const struct exchange *x, const char *name)
{
	for (size_t i = 0; i < x->header_count; i++) {
		if (strcasecmp(x->headers[i].name, name) == 0)
			return true;
	}
	return false;
}

static void add_header(struct exchange *x, const char *name, const char *value)
{
	CHECK(x->header_count < EXCHANGE_HEADERS_MAX);
	if (value && *value)
		x->headers[x->header_count++] = (struct head_field){name, value};
}

static void add_default(struct exchange *x, const char *name, const char *value)
{
	if (!has_header(x, name))
		add_header(x, name, value);
}

/* A line break in a header would let a client write the rest of the answer. */
static bool headers_are_safe(const struct http_reply *reply)
{
	for (unsigned i = 0; i < reply->header_count; i++) {
		for (const char *c = reply->headers[i].value; c && *c; c++) {
			if ((unsigned char)*c < 0x20 && *c != '\t')
				return false;
		}
	}
	return true;
}

void exchange_finish(struct exchange *x)
{
	struct http_reply *reply = &x->reply;
	if (!headers_are_safe(reply)) {
		struct err err;
		err_set(&err, ST_INTERNAL,
			"A header of the answer would have had a control character in it.");
		reply->header_count = 0;
		exchange_fail(x, &err);
	}
	if (reply->code == 0)
		reply->code = 200;
	x->header_count = 0;
	for (unsigned i = 0; i < reply->header_count; i++)
		add_header(x, reply->headers[i].name, reply->headers[i].value);
	if (reply->stream) {
		add_default(x, "Content-Type", "text/event-stream");
		add_default(x, "X-Accel-Buffering", "no"); /* a proxy may not hold events back */
	} else if (reply->body.size > 0 || reply->file_fd >= 0)
		add_default(
			x, "Content-Type", reply->content_type ? reply->content_type : "application/json");
	add_header(x, "X-Request-Id", x->request.id);
	add_default(x, "X-Content-Type-Options", "nosniff");
	add_default(x, "Referrer-Policy", "no-referrer");
	add_default(x, "Cache-Control", "no-store");
	if (reply->code == 429 || reply->code == 503)
		add_default(x, "Retry-After", "1");
	if (reply->code == 401)
		add_default(x, "WWW-Authenticate", "Bearer");
}
