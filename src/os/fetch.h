/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests to others, through libcurl. */
#ifndef GYRE_OS_FETCH_H
#define GYRE_OS_FETCH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#define FETCH_FIELDS_MAX 16

/* A field of a multipart form: a value, a file that is streamed from the disk, or one in memory. */
struct fetch_field {
	const char *name, *value;
	const char *path;     /* NULL for a plain value */
	struct span bytes;    /* of a file in memory, without value and path */
	const char *filename; /* of a file; NULL: the last part of path */
	const char *content_type;
};

struct fetch_request {
	const char *method; /* "GET", "POST" … */
	const char *url;
	const char *token;          /* sent as Authorization: Bearer; NULL: none */
	const char *const *headers; /* more lines, "Name: value" */
	size_t header_count;
	struct span body; /* sent as application/json when it is not empty and there are no fields */
	const struct fetch_field *fields;
	size_t field_count;
	unsigned timeout_s;     /* for the whole exchange; 0: 300 */
	size_t reply_bytes_max; /* of a body in memory; 0: 256 MiB */
	/* Where the URL came from people who must not reach this machine or its network: the address that a
	 * socket would connect to, after names were looked up, must be public (os/address.h), unless the
	 * host is one of `allowed`, patterns; NULL: none. No proxy is asked. */
	bool guarded;
	const char *allowed;
	/* Called as bytes go out; total 0: not known yet. NULL: silent. */
	void (*progress)(void *arg, uint64_t sent, uint64_t total);
	void (*received)(void *arg, uint64_t got, uint64_t total); /* as bytes come in; NULL: silent */
	void *progress_arg;
	const _Atomic bool *cancel; /* set by another thread: it ends within a second, as ST_TIMEOUT; NULL */
	/* One more than a descriptor: the body of an answer below 400 is written there and not into memory.
	 */
	int file;
};

struct fetch_reply {
	int code;
	struct span body; /* in the arena, NUL-terminated */
};

/* A URL as people may give it: http or https, a host, no name or password of anybody. ST_INVALID. */
enum status fetch_check_url(const char *url, struct err *err) MUST_CHECK;

struct fetcher; /* keeps connections alive between requests; one thread at a time */

struct fetcher *fetcher_new(void);
void fetcher_free(struct fetcher *f);
/* ST_OK when there was an answer, whatever its code; redirects are not followed. ST_UNAVAILABLE: not reached;
 * ST_TIMEOUT; ST_FORBIDDEN: the address is guarded. */
enum status fetch(struct fetcher *f, const struct fetch_request *request, struct arena *a,
	struct fetch_reply *reply, struct err *err) MUST_CHECK;

#endif
