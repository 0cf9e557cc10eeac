/* SPDX-License-Identifier: Apache-2.0 */
#include "api/live.h"

#include "api/nouns.h"
#include "http/events.h"
#include "learn/loop.h"
#include "os/clock.h"
#include "shadow/shadows.h"
#include "watch/reference_job.h"
#include "watch/verdict.h"
#include "watch/watch.h"

#include <stdatomic.h>
#include <stdio.h>

#define LIST_INTERVAL_US 1000000

void live_channel(struct uuid deployment_id, char out[LIVE_CHANNEL_SIZE])
{
	char id[UUID_TEXT_SIZE];
	uuid_format(deployment_id, id);
	snprintf(out, LIVE_CHANNEL_SIZE, "deployment:%s", id);
}

/* At most once a second, whichever thread comes first. */
static bool list_is_due(void)
{
	static _Atomic int64_t last_us;
	int64_t now = clock_mono_us(), last = atomic_load(&last_us);
	return now - last >= LIST_INTERVAL_US && atomic_compare_exchange_strong(&last_us, &last, now);
}

void live_recorded(void *arg, const struct prediction_row *row, size_t shapes_shown)
{
	struct api *api = arg;
	shadows_recorded(api->shadows, row->deployment_id);
	watch_recorded(api->watch);
	/* Without its image there is nothing to show but numbers, which follow. */
	if (api->http == NULL || uuid_is_zero(row->predicted_asset_id))
		return;
	char channel[LIVE_CHANNEL_SIZE], asset[UUID_TEXT_SIZE], at[28], json[320];
	live_channel(row->deployment_id, channel);
	uuid_format(row->predicted_asset_id, asset);
	clock_format(row->created_us, at);
	snprintf(json, sizeof(json),
		"{\"predicted_asset_id\":\"%s\",\"created_at\":\"%s\",\"at\":%.6f,\"latency\":%.6f,"
		"\"shapes\":%zu}",
		asset, at, (double)row->created_us / 1e6, (double)row->latency_us / 1e6, shapes_shown);
	http_events_publish(api->http, channel, "prediction", json);
	if (list_is_due())
		http_events_publish(api->http, LIVE_LIST, "deployments", "{}");
}

void live_shadow(void *arg, struct uuid deployment_id)
{
	struct api *api = arg;
	char channel[LIVE_CHANNEL_SIZE];
	watch_recorded(api->watch);
	verdicts_poke(api->verdicts);
	if (api->http == NULL)
		return;
	live_channel(deployment_id, channel);
	http_events_publish(api->http, channel, "deployment", "{}");
}

void live_verdict(void *arg, struct uuid deployment_id)
{
	struct api *api = arg;
	char channel[LIVE_CHANNEL_SIZE];
	loop_poke(api->loop);
	if (api->http == NULL)
		return;
	live_channel(deployment_id, channel);
	http_events_publish(api->http, channel, "verdict", "{}");
}

void live_failed(void *arg, struct uuid deployment_id, int http_status, const char *step, const char *text)
{
	struct api *api = arg;
	watch_failed(api->watch, deployment_id, http_status, step, text);
}

void live_refused(const struct http_request *req, const struct err *err)
{
	struct api *api = req->app;
	struct uuid id;
	http_handler *handler = req->route->handler;
	if (handler != api_predict && handler != api_predict_stored && handler != api_monitor)
		return;
	if (uuid_parse(http_param(req, "id"), &id))
		watch_failed(api->watch, id, status_http(err->status), "receive", err->text);
}

void live_watch(void *arg, struct uuid deployment_id, bool alerts)
{
	struct api *api = arg;
	char channel[LIVE_CHANNEL_SIZE], json[48];
	if (!alerts)
		reference_poke(api->references, deployment_id);
	if (api->http == NULL)
		return;
	live_channel(deployment_id, channel);
	snprintf(json, sizeof(json), "{\"position\":%lld}", (long long)watch_position(api->watch));
	http_events_publish(api->http, channel, alerts ? "alert" : "watch", json);
	if (alerts)
		http_events_publish(api->http, LIVE_LIST, "deployments", "{}");
}

void live_review(
	struct api *api, struct uuid deployment_id, struct uuid predicted_asset_id, const char *status)
{
	verdicts_poke(api->verdicts);
	if (api->http == NULL)
		return;
	char channel[LIVE_CHANNEL_SIZE], asset[UUID_TEXT_SIZE], json[128];
	live_channel(deployment_id, channel);
	uuid_format(predicted_asset_id, asset);
	snprintf(json, sizeof(json), "{\"predicted_asset_id\":\"%s\",\"status\":\"%s\"}", asset, status);
	http_events_publish(api->http, channel, "review", json);
}

void live_changed(struct api *api, struct uuid deployment_id)
{
	verdicts_poke(api->verdicts);
	if (api->http == NULL)
		return;
	char channel[LIVE_CHANNEL_SIZE];
	live_channel(deployment_id, channel);
	http_events_publish(api->http, channel, "deployment", "{}");
	http_events_publish(api->http, LIVE_LIST, "deployments", "{}");
}
