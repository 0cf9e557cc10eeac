/* SPDX-License-Identifier: Apache-2.0 */
/* What watches the server: alive, ready, metrics. */
#include "api/api.h"
#include "api/nouns.h"
#include "base/metrics.h"

#define METRICS_BYTES_MAX (1u << 20)

enum status api_healthz(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return http_reply_text(req, reply, "text/plain; charset=utf-8", "ok\n");
}

enum status api_readyz(struct http_request *req, struct http_reply *reply, struct err *err)
{
	if (!api_of(req)->ready)
		return err_set(err, ST_UNAVAILABLE, "gyre is starting or stopping.");
	return http_reply_text(req, reply, "text/plain; charset=utf-8", "ready\n");
}

enum status api_metrics(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct str text;
	str_init(&text, METRICS_BYTES_MAX);
	metrics_write(&text);
	enum status st =
		http_reply_text(req, reply, "text/plain; version=0.0.4; charset=utf-8", str_text(&text));
	str_release(&text);
	return st;
}
