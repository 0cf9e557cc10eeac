/* SPDX-License-Identifier: Apache-2.0 */
#include "http/streams.h"

#include "base/check.h"
#include "base/metrics.h"
#include "os/clock.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct stream {
	struct streams *owner;
	struct stream *next, *previous;
	char channel[STREAM_CHANNEL_MAX];
	void *connection;
	int socket;
	bool asleep; /* the connection is suspended; only then may it be woken */
	bool ended;
	int64_t sent_us; /* when something was last put into the buffer */
	char *bytes;     /* [taken, size) waits for the client */
	size_t taken, size, room;
};

void streams_init(struct streams *s, unsigned count_max, void (*sleep)(void *), void (*wake)(void *))
{
	*s = (struct streams){.count_max = count_max, .sleep = sleep, .wake = wake};
	CHECK(pthread_mutex_init(&s->lock, NULL) == 0);
}

void streams_release(struct streams *s)
{
	CHECK(s->count == 0 && s->first == NULL);
	pthread_mutex_destroy(&s->lock);
}

/* ---- with the lock held ---- */

static void wake(struct stream *stream)
{
	if (!stream->asleep)
		return;
	stream->asleep = false;
	stream->owner->wake(stream->connection);
}

static void end(struct stream *stream)
{
	stream->ended = true;
	wake(stream);
}

/* Ends a stream whose client does not take what is sent: it may wait for room in the socket, which never
 * comes. */
static void cut(struct stream *stream)
{
	shutdown(stream->socket, SHUT_RDWR);
	end(stream);
}

static void make_room(struct stream *stream, size_t size)
{
	if (stream->taken > 0) {
		stream->size -= stream->taken;
		memmove(stream->bytes, stream->bytes + stream->taken, stream->size);
		stream->taken = 0;
	}
	if (stream->size + size <= stream->room)
		return;
	size_t room = stream->room ? stream->room : 1024;
	while (room < stream->size + size)
		room *= 2;
	stream->bytes = realloc(stream->bytes, room);
	CHECK(stream->bytes != NULL);
	stream->room = room;
}

static void append(struct stream *stream, struct span message, int64_t now_us)
{
	if (stream->ended)
		return;
	if (stream->size - stream->taken + message.size > STREAM_BEHIND_MAX) {
		cut(stream);
		return;
	}
	make_room(stream, message.size);
	memcpy(stream->bytes + stream->size, message.data, message.size);
	stream->size += message.size;
	stream->sent_us = now_us;
	wake(stream);
}

/* ---- */

enum status streams_open(struct streams *s, const char *channel, void *connection, int socket,
	struct stream **out, struct err *err)
{
	size_t size = strlen(channel);
	CHECK(size < STREAM_CHANNEL_MAX);
	struct stream *stream = calloc(1, sizeof(*stream));
	CHECK(stream != NULL);
	memcpy(stream->channel, channel, size);
	stream->owner = s;
	stream->connection = connection;
	stream->socket = socket;
	mutex_lock(&s->lock);
	bool stopping = s->stopping, full = s->count >= s->count_max;
	if (!stopping && !full) {
		stream->next = s->first;
		if (s->first)
			s->first->previous = stream;
		s->first = stream;
		s->count++;
		/* A first line, so that the client sees the stream open; browsers connect again after 2
		 * seconds. */
		append(stream, span_of_text("retry: 2000\n\n"), clock_mono_us());
		metric_add(METRIC_EVENT_STREAMS, 1);
	}
	mutex_unlock(&s->lock);
	if (!stopping && !full) {
		*out = stream;
		return ST_OK;
	}
	free(stream);
	if (stopping)
		return err_set(err, ST_UNAVAILABLE, "The server is stopping.");
	return err_set(err, ST_UNAVAILABLE,
		"All %u event streams are taken; close a page or try again later.", s->count_max);
}

ssize_t stream_read(struct stream *stream, char *out, size_t room)
{
	struct streams *s = stream->owner;
	mutex_lock(&s->lock);
	size_t ready = stream->size - stream->taken;
	ssize_t result = -1;
	if (ready > 0) {
		size_t size = ready < room ? ready : room;
		memcpy(out, stream->bytes + stream->taken, size);
		stream->taken += size;
		result = (ssize_t)size;
	} else if (!stream->ended) {
		s->sleep(stream->connection);
		stream->asleep = true;
		result = 0;
	}
	mutex_unlock(&s->lock);
	return result;
}

void stream_close(struct stream *stream)
{
	struct streams *s = stream->owner;
	mutex_lock(&s->lock);
	CHECK(!stream->asleep);
	if (stream->previous)
		stream->previous->next = stream->next;
	else
		s->first = stream->next;
	if (stream->next)
		stream->next->previous = stream->previous;
	s->count--;
	mutex_unlock(&s->lock);
	metric_add(METRIC_EVENT_STREAMS, -1);
	free(stream->bytes);
	free(stream);
}

void streams_send(struct streams *s, const char *channel, struct span message)
{
	int64_t now_us = clock_mono_us();
	mutex_lock(&s->lock);
	for (struct stream *stream = s->first; stream; stream = stream->next) {
		if (strcmp(stream->channel, channel) == 0)
			append(stream, message, now_us);
	}
	mutex_unlock(&s->lock);
}

/* A suspended connection hears nothing of its client, so we look ourselves. */
static bool client_left(const struct stream *stream)
{
	struct pollfd p = {.fd = stream->socket, .events = POLLRDHUP};
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

void streams_tick(struct streams *s, int64_t now_us)
{
	mutex_lock(&s->lock);
	for (struct stream *stream = s->first; stream; stream = stream->next) {
		if (stream->asleep && client_left(stream))
			cut(stream);
		else if (now_us - stream->sent_us >= STREAM_QUIET_US_MAX)
			append(stream, span_of_text(":\n\n"), now_us);
	}
	mutex_unlock(&s->lock);
}

void streams_stop(struct streams *s)
{
	mutex_lock(&s->lock);
	s->stopping = true;
	for (struct stream *stream = s->first; stream; stream = stream->next)
		end(stream);
	mutex_unlock(&s->lock);
}

unsigned streams_count(struct streams *s)
{
	mutex_lock(&s->lock);
	unsigned count = s->count;
	mutex_unlock(&s->lock);
	return count;
}
