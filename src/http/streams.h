/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All open event streams. Publishing copies a message into the buffer of each
 * stream of a channel and wakes those that sleep; nothing waits for a client. Sleeping
 * and waking are the server's (libmicrohttpd's suspend and resume), given as functions.
 */
#ifndef GYRE_HTTP_STREAMS_H
#define GYRE_HTTP_STREAMS_H

#include "base/err.h"
#include "base/span.h"
#include "os/thread.h"

#include <sys/types.h>

#define STREAM_BEHIND_MAX (64u << 10) /* bytes not yet taken by the client; past it the stream is closed */
#define STREAM_QUIET_US_MAX 15000000  /* then a comment is sent */
#define STREAM_CHANNEL_MAX 64

struct stream;
struct http_server;

struct streams {
	pthread_mutex_t lock; /* guards all below, and every stream; taken before libmicrohttpd's own locks */
	struct stream *first;
	unsigned count, count_max;
	bool stopping;
	void (*sleep)(void *connection); /* called with the lock held, on the event thread */
	void (*wake)(void *connection);  /* called with the lock held, on any thread */
};

void streams_init(struct streams *s, unsigned count_max, void (*sleep)(void *), void (*wake)(void *));
void streams_release(struct streams *s); /* CHECKs that all are closed */

/* ST_UNAVAILABLE past count_max, or when stopping. socket: where the client is looked after. */
enum status streams_open(struct streams *s, const char *channel, void *connection, int socket,
	struct stream **out, struct err *err) MUST_CHECK;
/* Bytes for the client: how many; 0: none now, the connection was put to sleep; -1: the stream has ended. */
ssize_t stream_read(struct stream *stream, char *out, size_t room);
void stream_close(struct stream *stream);

/* Any thread. */
void streams_send(struct streams *s, const char *channel, struct span message);
/* Now and then: keeps quiet streams awake, lets go of those whose client has left. */
void streams_tick(struct streams *s, int64_t now_us);
/* Ends all, refuses new ones. */
void streams_stop(struct streams *s);
unsigned streams_count(struct streams *s);

/* Of a server, for events.c. */
struct streams *http_server_streams(struct http_server *s);

#endif
