/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands between a head that is sound and a body that may come: is there such a
 * path, who calls, may they, and is there room. On the event thread: memory only.
 */
#ifndef GYRE_HTTP_ADMISSION_H
#define GYRE_HTTP_ADMISSION_H

#include "http/exchange.h"
#include "http/router.h"
#include "http/server.h"

/* HTTP_METHOD_COUNT when it is none of ours. */
enum http_method admission_method(const char *name);
/* By the headers, which head_check has passed: bytes, UINT64_MAX for a chunked body. */
uint64_t admission_body_size(const struct exchange *x);
/* Sets the request's path, route, params, and its caller through admit; takes memory for the body. */
enum status admission_check(
	struct exchange *x, const struct router *router, http_admit *admit, struct err *err) MUST_CHECK;
/* Adds to the body, up to what the route takes. */
enum status admission_keep_body(
	struct exchange *x, const char *data, size_t size, struct err *err) MUST_CHECK;

#endif
