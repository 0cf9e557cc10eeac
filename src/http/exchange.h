/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request with its reply, from the request line to the last byte of the answer.
 * It belongs to the event thread, but for the time a worker has it. Two may hold
 * it: the connection and the worker; the last to let go frees it.
 */
#ifndef GYRE_HTTP_EXCHANGE_H
#define GYRE_HTTP_EXCHANGE_H

#include "http/body.h"
#include "http/head.h"
#include "http/http.h"

#include <stdatomic.h>

#define EXCHANGE_HEADERS_MAX (HTTP_REPLY_HEADERS_MAX + 8)

enum exchange_phase {
	EXCHANGE_LINE,  /* the request line is here */
	EXCHANGE_BODY,  /* the head was accepted, the body arrives */
	EXCHANGE_DRAIN, /* it was refused, the answer follows the body */
	EXCHANGE_WORK,  /* a worker has it, the connection is suspended */
	EXCHANGE_REPLY  /* the answer is on its way */
};

struct exchange {
	struct http_request request; /* first; request.impl points here */
	struct http_reply reply;
	struct arena arena;
	_Atomic int holds;
	enum exchange_phase phase;
	char *target;              /* of the request line, as it came */
	struct head_field *fields; /* headers of the request */
	size_t field_count;
	struct head_field *query; /* decoded, in order */
	size_t query_count;
	struct body body;
	uint64_t body_expected; /* bytes; UINT64_MAX: chunked */
	uint64_t drained_bytes;
	bool close;                                      /* the connection ends with this answer */
	struct head_field headers[EXCHANGE_HEADERS_MAX]; /* of the reply, complete after exchange_finish */
	size_t header_count;
	void *connection; /* the server's own */
};

/* With one hold. The target is copied. */
struct exchange *exchange_new(const char *target, struct body_store *bodies, void *app);
void exchange_hold(struct exchange *x);
void exchange_drop(struct exchange *x);

/* From the target: the path's segments are for the router, the query is kept. ST_INVALID. */
enum status exchange_read_target(struct exchange *x, const char **raw_path, struct err *err) MUST_CHECK;

/* Makes the reply the one that tells err; what a handler had put into it is dropped, but for a few headers.
 */
void exchange_fail(struct exchange *x, const struct err *err);
/* Collects all headers of the reply. */
void exchange_finish(struct exchange *x);

#endif
