/* SPDX-License-Identifier: Apache-2.0 */
/* What pages are told while they are open: server-sent events by channel. */
#ifndef GYRE_API_LIVE_H
#define GYRE_API_LIVE_H

#include "api/api.h"
#include "store/prediction_rows.h"

#define LIVE_CHANNEL_SIZE 64

/* The channel of one deployment: "deployment:<id>". That of the list is LIVE_LIST. */
#define LIVE_LIST "deployments"
void live_channel(struct uuid deployment_id, char out[LIVE_CHANNEL_SIZE]);

/* A prediction became durable (a serve_recorded function; arg is the struct api): shadows wake, pages are
 * told. The list hears of it at most once a second. */
void live_recorded(void *arg, const struct prediction_row *row, size_t shapes_shown);
/* A shadow came further (a shadows_changed function; arg is the struct api). */
void live_shadow(void *arg, struct uuid deployment_id);
/* What reviews say of a shadow changed (verdicts_options.changed; arg is the struct api). */
void live_verdict(void *arg, struct uuid deployment_id);
/* A request got no prediction (a serve_failed function; arg is the struct api). */
void live_failed(void *arg, struct uuid deployment_id, int http_status, const char *step, const char *text);
/* The same of one that did not come as far as serving, within its handler or before (a http_refused
 * function). */
void live_refused(const struct http_request *req, const struct err *err);
/* Predictions were counted, or (alerts) an alert opened or closed (a watch_changed function; arg is the
 * struct api). */
void live_watch(void *arg, struct uuid deployment_id, bool alerts);
/* What people say of an image changed; status: "REVIEWED" … */
void live_review(
	struct api *api, struct uuid deployment_id, struct uuid predicted_asset_id, const char *status);
/* Something of the deployment changed: pages fetch it again. */
void live_changed(struct api *api, struct uuid deployment_id);

#endif
