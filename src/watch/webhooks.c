/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/webhooks.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/str.h"
#include "os/bell.h"
#include "os/clock.h"
#include "os/fetch.h"
#include "os/log.h"
#include "os/thread.h"
#include "watch/alerts_inside.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US ((int64_t)1000000)
#define LOOK_US SECOND_US
#define LOOK_FAILING_US (10 * SECOND_US)
#define HOLD_BACK_US (60 * SECOND_US) /* the rest for a webhook that just did not answer */
#define KEEP_US (2592000 * SECOND_US) /* 30 days */
#define AT_ONCE 50
#define REPLY_BYTES_MAX (64u << 10)

struct webhooks {
	struct webhooks_options options;
	struct bell bell;
	_Atomic bool stopping;
	bool started;
	thread_handle thread;
	bool failing; /* of its thread */
};

/* ---- signing ---- */

void webhook_secret(char out[WEBHOOK_SECRET_SIZE])
{
	uint8_t random[32];
	random_fill(random, sizeof(random));
	memcpy(out, "whsec_", 7);
	base64url_encode(span_of(random, sizeof(random)), out + 6);
}

void webhook_sign(const char *secret, int64_t unix_s, struct span body, char out[WEBHOOK_SIGNATURE_SIZE])
{
	struct str message;
	char hex[SHA256_HEX_SIZE];
	str_init(&message, body.size + 32);
	str_printf(&message, "%" PRId64 ".", unix_s);
	str_append_bytes(&message, body.data, body.size);
	struct sha256 mac = hash_hmac(span_of_text(secret), span_of(str_text(&message), message.size));
	hex_encode(mac.bytes, sizeof(mac.bytes), hex);
	snprintf(out, WEBHOOK_SIGNATURE_SIZE, "t=%" PRId64 ",v1=%s", unix_s, hex);
	str_release(&message);
}

int64_t webhook_retry_us(int64_t attempts)
{
	static const int64_t after_s[] = {60, 300, 1800, 7200, 21600, 86400};
	CHECK(attempts >= 1);
	return attempts <= (int64_t)COUNT_OF(after_s) ? after_s[attempts - 1] * SECOND_US : -1;
}

/* ---- one attempt ---- */

/* As it is stored, but for the link, which is a path there. */
static struct span full_body(struct webhooks *w, const char *stored, const char **event, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = alert_json_copy(stored, doc, a);
	yyjson_mut_doc_set_root(doc, root);
	const char *link = yyjson_mut_get_str(yyjson_mut_obj_get(root, "link"));
	const char *name = yyjson_mut_get_str(yyjson_mut_obj_get(root, "event"));
	*event = name ? name : "";
	yyjson_mut_obj_put(root, yyjson_mut_str(doc, "link"),
		yyjson_mut_strcpy(doc, arena_printf(a, "%s%s", w->options.public_url, link ? link : "/")));
	return json_print(doc, a);
}

/* *d: after it. False: it was cut short as the server stops, and does not count. */
static bool attempt(
	struct webhooks *w, struct fetcher *fetcher, struct webhook_delivery_row *d, struct arena *a)
{
	char id[UUID_TEXT_SIZE], signature[WEBHOOK_SIGNATURE_SIZE];
	const char *event;
	struct fetch_reply reply;
	struct err err;
	struct span body = full_body(w, d->body, &event, a);
	uuid_format(d->id, id);
	webhook_sign(d->secret, clock_unix_us() / SECOND_US, body, signature);
	const char *const headers[] = {arena_printf(a, "X-Gyre-Event: %s", event),
		arena_printf(a, "X-Gyre-Delivery: %s", id),
		arena_printf(a, "X-Gyre-Signature: %s", signature)};
	const struct fetch_request request = {.method = "POST",
		.url = d->url,
		.body = body,
		.headers = headers,
		.header_count = COUNT_OF(headers),
		.timeout_s = WEBHOOK_TIMEOUT_S,
		.reply_bytes_max = REPLY_BYTES_MAX,
		.guarded = true,
		.allowed = w->options.allowed,
		.cancel = &w->stopping};
	enum status st = fetch(fetcher, &request, a, &reply, &err);
	if (st != ST_OK && atomic_load(&w->stopping))
		return false;
	d->attempts++;
	d->http_status = st == ST_OK ? reply.code : 0;
	if (st != ST_OK)
		d->error = arena_strdup(a, err.text);
	else if (reply.code < 300)
		d->error = NULL;
	else if (reply.code < 400)
		d->error = arena_printf(a,
			"It answered %d, a redirect, and redirects are not followed: give the address that "
			"it "
			"leads to.",
			reply.code);
	else
		d->error =
			arena_printf(a, "It answered %d. What is accepted is answered with 200.", reply.code);
	metric_add(d->error ? METRIC_WEBHOOKS_FAILED : METRIC_WEBHOOKS_DELIVERED, 1);
	return true;
}

static void plan(struct webhook_delivery_row *d, int64_t now_us)
{
	int64_t delay_us = d->error ? webhook_retry_us(d->attempts) : -1;
	d->next_us = delay_us < 0 ? 0 : now_us + delay_us;
	d->done_us = delay_us < 0 ? now_us : 0;
}

/* ---- the thread ---- */

struct outcome {
	const struct webhook_delivery_row *delivery;
	int64_t now_us;
};

static enum status record(struct db_conn *c, void *arg, struct err *err)
{
	const struct outcome *o = arg;
	const struct webhook_delivery_row *d = o->delivery;
	TRY(webhook_delivery_rows_update(c, d, o->now_us, err));
	if (d->http_status == 0) /* the others wait too, so that one that is away does not hold up the rest */
		TRY(webhook_delivery_rows_hold_back(
			c, d->webhook_id, o->now_us, o->now_us + HOLD_BACK_US, err));
	return webhook_delivery_rows_forget(c, d->webhook_id, o->now_us - KEEP_US, err);
}

static bool was_away(const struct webhook_delivery_row *items, size_t count, struct uuid webhook_id)
{
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(items[i].webhook_id, webhook_id) && items[i].attempts > 0 &&
			items[i].done_us == 0 && items[i].http_status == 0)
			return true;
	return false;
}

static enum status send_due(
	struct webhooks *w, struct fetcher *fetcher, size_t *sent, struct arena *a, struct err *err)
{
	struct webhook_delivery_row *due;
	struct db_conn *c;
	size_t count;
	TRY(db_reader_take(w->options.readers, &c, err));
	enum status st = webhook_delivery_rows_due(c, clock_unix_us(), AT_ONCE, a, &due, &count, err);
	db_reader_give(w->options.readers, c);
	TRY(st);
	for (size_t i = 0; i < count && !atomic_load(&w->stopping); i++) {
		if (was_away(due, i, due[i].webhook_id))
			continue;
		if (!attempt(w, fetcher, &due[i], a))
			break;
		struct outcome outcome = {&due[i], clock_unix_us()};
		plan(&due[i], outcome.now_us);
		TRY(recorder_run(w->options.recorder, record, &outcome, err));
		++*sent;
	}
	return ST_OK;
}

static void run(void *arg)
{
	struct webhooks *w = arg;
	struct fetcher *fetcher = fetcher_new();
	while (!atomic_load(&w->stopping)) {
		uint32_t heard = bell_count(&w->bell);
		struct arena a;
		struct err err;
		size_t sent = 0;
		arena_init(&a);
		enum status st = send_due(w, fetcher, &sent, &a, &err);
		arena_release(&a);
		if (st != ST_OK && !w->failing && !atomic_load(&w->stopping)) /* once, until it works again */
			log_err("webhooks_failing", &err);
		w->failing = st != ST_OK;
		if (!atomic_load(&w->stopping) && (sent == 0 || st != ST_OK))
			bell_wait(
				&w->bell, heard, clock_mono_us() + (st == ST_OK ? LOOK_US : LOOK_FAILING_US));
	}
	fetcher_free(fetcher);
}

/* ---- its life ---- */

struct webhooks *webhooks_new(const struct webhooks_options *options)
{
	struct webhooks *w = calloc(1, sizeof(*w));
	CHECK(w != NULL);
	w->options = *options;
	bell_init(&w->bell);
	return w;
}

void webhooks_start(struct webhooks *w)
{
	CHECK(!w->started);
	w->started = true;
	thread_start(&w->thread, "webhooks", run, w);
}

void webhooks_stop(struct webhooks *w)
{
	atomic_store(&w->stopping, true);
	bell_ring(&w->bell);
	if (w->started)
		thread_join(w->thread);
	w->started = false;
}

void webhooks_free(struct webhooks *w)
{
	if (w == NULL)
		return;
	webhooks_stop(w);
	free(w);
}

void webhooks_poke(struct webhooks *w)
{
	bell_ring(&w->bell);
}

/* ---- a test ---- */

static const char *test_body(
	const struct webhook_row *webhook, struct uuid id, int64_t now_us, struct arena *a)
{
	char text[UUID_TEXT_SIZE], at[28];
	uuid_format(id, text);
	clock_format(now_us, at);
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_str(doc, root, "event", "test");
	yyjson_mut_obj_add_strcpy(doc, root, "id", text);
	yyjson_mut_obj_add_strcpy(doc, root, "at", at);
	yyjson_mut_obj_add_null(doc, root, "deployment");
	yyjson_mut_obj_add_null(doc, root, "alert");
	yyjson_mut_obj_add_strcpy(doc, root, "sentence",
		arena_printf(a, "This is a test of the webhook \"%s\".", webhook->name));
	yyjson_mut_obj_add_obj(doc, root, "detail");
	yyjson_mut_obj_add_str(doc, root, "link", "/");
	return (const char *)json_print(doc, a).data;
}

static enum status record_test(struct db_conn *c, void *arg, struct err *err)
{
	const struct outcome *o = arg;
	TRY(webhook_delivery_rows_insert(c, o->delivery, err));
	return webhook_delivery_rows_update(c, o->delivery, o->now_us, err);
}

enum status webhooks_test(struct webhooks *w, struct uuid webhook_id, struct arena *a,
	struct webhook_delivery_row *d, struct err *err)
{
	struct webhook_row webhook;
	struct db_conn *c;
	TRY(db_reader_take(w->options.readers, &c, err));
	enum status st = webhook_rows_by_id(c, webhook_id, a, &webhook, err);
	db_reader_give(w->options.readers, c);
	TRY(st);
	int64_t now_us = clock_unix_us();
	*d = (struct webhook_delivery_row){.id = uuid_v7(now_us / 1000),
		.webhook_id = webhook_id,
		.created_us = now_us,
		.url = webhook.url,
		.secret = webhook.secret};
	d->body = test_body(&webhook, d->id, now_us, a);
	struct fetcher *fetcher = fetcher_new();
	bool counts = attempt(w, fetcher, d, a);
	fetcher_free(fetcher);
	if (!counts)
		return err_set(err, ST_UNAVAILABLE, "The server is stopping.");
	struct outcome outcome = {d, clock_unix_us()};
	d->done_us = outcome.now_us; /* a person looks at the answer: no other attempt */
	return recorder_run(w->options.recorder, record_test, &outcome, err);
}
