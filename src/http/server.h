/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server, on libmicrohttpd. */
#ifndef GYRE_HTTP_SERVER_H
#define GYRE_HTTP_SERVER_H

#include "http/http.h"

struct http_server;

/* Says who calls (req->caller) and whether the route's rule lets them. Runs on the event thread before the
 * body is read: memory only, no database, no files. */
typedef enum status http_admit(struct http_request *req, struct err *err);

/* Told of a request that was admitted and refused before its handler ran, as there is no room for it: for who
 * counts them. On the event thread. */
typedef void http_refused(const struct http_request *req, const struct err *err);

struct http_options {
	const char *address; /* "127.0.0.1:8080", "[::1]:0"; port 0 takes a free one */
	const struct http_route *routes;
	size_t route_count;
	http_admit *admit;
	http_refused *refused; /* or NULL */
	void *app;
	const char *spool_folder;    /* for bodies past HTTP_BODY_MEMORY_MAX; emptied at start */
	const char *tls_certificate; /* PEM file, NULL: no TLS */
	const char *tls_key;         /* PEM file */
	unsigned workers;            /* threads that run handlers */
	unsigned queue_max;          /* requests waiting for a worker; past it 503 with Retry-After */
	unsigned connections_max;
	unsigned event_streams_max;
	uint64_t body_memory_max; /* bytes of bodies in memory at once, all requests together */
	unsigned idle_timeout_s;  /* of a connection without traffic */
	unsigned body_timeout_s;  /* for a whole body to arrive: slow clients are cut */
};

/* On ST_OK the server listens and answers. */
enum status http_server_start(
	const struct http_options *options, struct http_server **out, struct err *err) MUST_CHECK;
const char *http_server_url(const struct http_server *s); /* "http://127.0.0.1:41234", with the port it got */
/*
 * Stops accepting, ends event streams, lets handlers finish and answers what was accepted; after
 * 10 seconds clients that do not take their answer are cut, handlers are still waited for.
 * Handlers may publish events to their end; other threads must have stopped to before the call.
 */
void http_server_stop(struct http_server *s);

#endif
