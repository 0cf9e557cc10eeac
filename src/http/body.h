/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the body of a request is while it arrives: in one piece of memory up to
 * HTTP_BODY_MEMORY_MAX, past it in a file that has no name, which is mapped at the end.
 * Memory comes from a pool: giving 200 KB back to the system and faulting them in
 * again for each request costs more than all the rest of the server.
 */
#ifndef GYRE_HTTP_BODY_H
#define GYRE_HTTP_BODY_H

#include "base/budget.h"
#include "base/err.h"
#include "base/span.h"
#include "os/thread.h"

#define BODY_CLASSES 4 /* 16 KiB, 64 KiB, 256 KiB, 1 MiB */

struct body_buffer;

struct body_store {
	struct budget memory; /* what bodies hold at once */
	const char *spool_folder;
	pthread_mutex_t lock;                   /* guards the two below */
	struct body_buffer *idle[BODY_CLASSES]; /* buffers to be used again */
	uint64_t idle_bytes;
};

struct body {
	struct body_store *store;
	struct body_buffer *buffer; /* NULL once spooled, or while empty */
	int spool_fd;               /* -1 while in memory */
	uint64_t size;              /* bytes so far */
	struct span map;
};

/* Makes the folder and removes what an earlier run left there. */
enum status body_store_init(
	struct body_store *s, const char *spool_folder, uint64_t memory_max, struct err *err) MUST_CHECK;
void body_store_release(struct body_store *s);

/* An empty body, which body_release accepts. */
void body_init(struct body *b, struct body_store *s);
/* expected: bytes that will come, or UINT64_MAX when that is not known. Takes memory or reserves disk at
 * once; ST_UNAVAILABLE when there is none. */
enum status body_expect(struct body *b, uint64_t expected, struct err *err) MUST_CHECK;
enum status body_append(struct body *b, const void *data, size_t size, struct err *err) MUST_CHECK;
/* All bytes as one span, valid until body_release. */
enum status body_finish(struct body *b, struct span *out, struct err *err) MUST_CHECK;
void body_release(struct body *b); /* any thread; the body is empty then */

#endif
