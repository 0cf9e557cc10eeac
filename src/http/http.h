/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a handler sees: a request that is whole and admitted, and a reply to fill.
 * Nothing here knows libmicrohttpd; server.c alone does.
 *
 * A request: the head arrives → checked (head.h) → a route is found → admit()
 * says who calls and whether they may → the body is collected (in memory, or
 * spooled to a file past HTTP_BODY_MEMORY_MAX) → the connection is suspended, a
 * worker runs the handler → the connection is resumed with the reply.
 */
#ifndef GYRE_HTTP_HTTP_H
#define GYRE_HTTP_HTTP_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#include <yyjson.h>

#define HTTP_PARAMS_MAX 4
#define HTTP_ID_SIZE 37
#define HTTP_BODY_MEMORY_MAX (1u << 20) /* bytes; a larger body is spooled to a file and mapped */
#define HTTP_JSON_MAX (8u << 20)        /* bytes of a JSON body */

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_XGET,
	HTTP_METHOD_COUNT
};

struct http_request;
struct http_reply;
/* Runs on a worker thread. On anything but ST_OK the server answers err as {"message": …} with the status'
 * HTTP code. */
typedef enum status http_handler(struct http_request *req, struct http_reply *reply, struct err *err);

struct http_route {
	enum http_method method; /* HEAD is answered by GET's handler, without the body */
	const char *pattern; /* "/api/model/{id}": {name} takes one non-empty segment, {name*} the rest of the
				path */
	http_handler *handler;
	int rule;                /* who may call: opaque here, read by admit(); 0 is invalid */
	uint64_t body_bytes_max; /* 0: a body is refused */
};

struct http_request {
	const struct http_route *route;
	enum http_method method;
	const char *path;                    /* decoded, starts with '/' */
	const char *params[HTTP_PARAMS_MAX]; /* values of {…} in order, percent-decoded */
	struct span body;                    /* memory or a map: valid until the handler returns */
	struct arena *arena;                 /* freed after the reply was sent */
	void *app;                           /* given to http_server_start */
	void *caller;                        /* set by admit(), arena memory */
	const char *peer;                    /* address of the client, for the log */
	int64_t received_us;                 /* clock_mono_us at the head */
	char id[HTTP_ID_SIZE];               /* of the request, also in the header X-Request-Id */
	bool secure;                         /* it came over TLS */
	void *impl;                          /* the server's own */
};

/* NULL when there is none. Header names in any case. Texts live as long as the request. */
const char *http_header(const struct http_request *req, const char *name);
const char *http_query(const struct http_request *req, const char *name);
/* All values of a repeated key; returns how many there are, fills at most `room`. */
size_t http_query_all(const struct http_request *req, const char *name, const char **out, size_t room);
const char *http_cookie(const struct http_request *req, const char *name);
const char *http_param(const struct http_request *req, const char *name); /* CHECKs that the pattern has it */

/* limit and offset of a list: limit 1…1000 (default 100), offset ≥ 0 (default 0); ST_INVALID otherwise. */
enum status http_page(
	const struct http_request *req, int64_t *limit, int64_t *offset, struct err *err) MUST_CHECK;
/* The body as JSON, whatever its content type says. */
enum status http_json(struct http_request *req, yyjson_doc **doc, struct err *err) MUST_CHECK;

/* The bytes of a body for work that goes on after the answer. */
struct http_kept {
	struct span body;
	bool mapped; /* a map of the spool file, which has no name: gone with the last map of it */
};
/* From a handler, at most once a request: the same bytes again, which outlive request and server. A body in
 * memory is copied, a spooled one is not. */
enum status http_keep_body(struct http_request *req, struct http_kept *out, struct err *err) MUST_CHECK;
void http_drop_body(struct http_kept *kept); /* any thread; one that is zero stays so */

#define HTTP_REPLY_HEADERS_MAX 12

struct http_reply {
	int code;                 /* 200 unless set */
	const char *content_type; /* "application/json" unless set */
	struct span body;         /* arena memory, or static */
	int file_fd;              /* -1, or an open file that is sent instead of body; closed after */
	uint64_t file_size;
	const char *stream; /* NULL, or the channel of an event stream (events.h): the reply never ends by
			       itself */
	struct {
		const char *name, *value;
	} headers[HTTP_REPLY_HEADERS_MAX];
	unsigned header_count;
};

void http_reply_header(struct http_reply *reply, const char *name, const char *value);
/* 200 (or reply->code if set) with a built JSON document. */
enum status http_reply_json(struct http_request *req, struct http_reply *reply, yyjson_mut_doc *doc);
enum status http_reply_text(
	struct http_request *req, struct http_reply *reply, const char *content_type, const char *text);
enum status http_reply_empty(struct http_reply *reply, int code); /* 204, 303 … */

const char *http_method_name(enum http_method m);

#endif
