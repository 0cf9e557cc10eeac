/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-sent events (WHATWG HTML, section 9.2): channels by name, one broadcaster.
 * A stream that does not keep up (64 KiB behind) is closed; the browser connects
 * again by itself. A comment line every 15 seconds keeps proxies awake.
 */
#ifndef GYRE_HTTP_EVENTS_H
#define GYRE_HTTP_EVENTS_H

#include "http/server.h"

/* Send `event: <event>\ndata: <json>\n\n` to all streams of the channel; any thread; never blocks on a
 * client. */
void http_events_publish(struct http_server *s, const char *channel, const char *event, const char *json);

#endif
