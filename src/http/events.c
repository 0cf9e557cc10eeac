/* SPDX-License-Identifier: Apache-2.0 */
#include "http/events.h"

#include "base/check.h"
#include "base/str.h"
#include "http/streams.h"
#include "os/log.h"

/* A line of data for each line of the text: a bare line break would end the event. */
static void append_data(struct str *out, const char *json)
{
	for (const char *line = json;; line++) {
		size_t size = strcspn(line, "\r\n");
		str_append(out, "data: ");
		str_append_bytes(out, line, size);
		str_append(out, "\n");
		line += size;
		if (*line == '\0')
			return;
	}
}

void http_events_publish(struct http_server *s, const char *channel, const char *event, const char *json)
{
	CHECK(event[0] != '\0' && strpbrk(event, "\r\n") == NULL);
	struct str message;
	str_init(&message, STREAM_BEHIND_MAX);
	str_append(&message, "event: ");
	str_append(&message, event);
	str_append(&message, "\n");
	append_data(&message, json);
	str_append(&message, "\n");
	if (message.full)
		log_event(LOG_LEVEL_ERROR, "event_too_large", "channel", channel, "event", event, NULL);
	else
		streams_send(http_server_streams(s), channel, span_of(str_text(&message), message.size));
	str_release(&message);
}
