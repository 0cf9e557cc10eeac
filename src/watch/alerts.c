/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds, and how events open and close: rows, and what is to be sent of them. */
#include "watch/alerts.h"

#include "base/check.h"
#include "base/json.h"
#include "base/metrics.h"
#include "os/clock.h"
#include "store/deployment_rows.h"
#include "store/webhook_rows.h"
#include "watch/alerts_inside.h"

#include <inttypes.h>
#include <string.h>

enum { NO = false, YES = true };

static const struct alert_about kinds[] = {
#define ALERT(id, ...) [ALERT_##id] = {__VA_ARGS__},
#include "watch/alerts.def"
#undef ALERT
};

const struct alert_about *alert_about(enum alert_kind k)
{
	CHECK(k < ALERT_KIND_COUNT);
	return &kinds[k];
}

const char *alert_kind_name(enum alert_kind k)
{
	return alert_about(k)->name;
}

bool alert_kind_parse(const char *name, enum alert_kind *out)
{
	for (size_t k = 0; k < ALERT_KIND_COUNT; k++)
		if (strcmp(kinds[k].name, name) == 0) {
			*out = (enum alert_kind)k;
			return true;
		}
	return false;
}

bool alert_is_supervised(enum alert_kind k)
{
	return k == ALERT_AP;
}

const char *alert_budget(enum alert_kind k)
{
	return k == ALERT_DRIFT ? "On average at most one false alarm in 100,000 images." : NULL;
}

/* ---- settings ---- */

void alert_init(enum alert_kind k, struct alert_row *out)
{
	const struct alert_about *about = alert_about(k);
	*out = (struct alert_row){
		.kind = about->name,
		.comparison = about->comparison,
		.value = about->value,
		.window_s = about->window_s,
		.images_min = about->images_min,
		.active = true,
	};
}

static enum status check_by_window(enum alert_kind k, const struct alert_row *row, struct err *err)
{
	static const char *const comparisons[] = {"<", "<=", "=", ">=", ">"};
	bool known = false;
	for (size_t i = 0; i < COUNT_OF(comparisons); i++)
		known |= strcmp(row->comparison, comparisons[i]) == 0;
	if (!known)
		return err_set(err, ST_INVALID, "\"operator\" must be <, <=, =, >= or >.");
	double max = strcmp(alert_about(k)->unit, "%") == 0 ? 100 : 1e9;
	if (k == ALERT_AP || k == ALERT_DISTRIBUTION)
		max = 1;
	if (!(row->value >= 0 && row->value <= max))
		return err_set(err, ST_INVALID, "\"value\" of this kind must be a number from 0 to %g.", max);
	if (row->window_s < 60 || row->window_s > ALERT_WINDOW_S_MAX || row->window_s % 60)
		return err_set(err, ST_INVALID,
			"\"window_s\" must be whole minutes, in seconds, from 60 to %d (30 days).",
			ALERT_WINDOW_S_MAX);
	/* Where each image is looked at, it is the newest ones. */
	bool each = k == ALERT_DATA_QUALITY || k == ALERT_DISTRIBUTION;
	int64_t images_max = each ? ALERT_LOG_IMAGES : 1000000;
	if (row->images_min < 1 || row->images_min > images_max)
		return err_set(err, ST_INVALID,
			"\"images_min\" of this kind must be a number from 1 to %" PRId64 ".", images_max);
	if (row->label && k != ALERT_AP && k != ALERT_DISTRIBUTION)
		return err_set(err, ST_INVALID,
			"Alerts of the kind \"%s\" are about all labels; leave \"label\" out.", row->kind);
	return ST_OK;
}

enum status alert_check(const struct alert_row *row, struct err *err)
{
	enum alert_kind k;
	CHECK(alert_kind_parse(row->kind, &k));
	if (alert_about(k)->way == ALERT_BY_WINDOW)
		return check_by_window(k, row, err);
	if (strcmp(row->comparison, "=") != 0 || row->value != 1 || row->window_s || row->label)
		return err_set(err, ST_INVALID,
			"Alerts of the kind \"%s\" fire by themselves: they can be switched on and off, and "
			"have no other settings.",
			row->kind);
	return ST_OK;
}

enum status alerts_insert_defaults(
	struct db_conn *c, struct uuid deployment_id, int64_t now_us, const char *who, struct err *err)
{
	for (size_t k = 0; k < ALERT_KIND_COUNT; k++) {
		struct alert_row row;
		if (!kinds[k].at_deploy)
			continue;
		alert_init((enum alert_kind)k, &row);
		row.id = uuid_v7(now_us / 1000);
		row.deployment_id = deployment_id;
		row.created_us = now_us + (int64_t)k; /* so that they are listed in this order */
		row.created_by = who;
		TRY(alert_rows_insert(c, &row, err));
	}
	return ST_OK;
}

/* ---- what is sent of an event ---- */

yyjson_mut_val *alert_json_copy(const char *json, yyjson_mut_doc *doc, struct arena *a)
{
	yyjson_doc *stored;
	if (json == NULL || json_parse(span_of_text(json), a, &stored, NULL) != ST_OK ||
		!yyjson_is_obj(yyjson_doc_get_root(stored)))
		return yyjson_mut_obj(doc);
	return yyjson_val_mut_copy(doc, yyjson_doc_get_root(stored));
}

static void add_id(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, struct uuid id)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	yyjson_mut_obj_add_strcpy(doc, object, key, text);
}

static void add_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t at_us)
{
	char text[28];
	clock_format(at_us, text);
	yyjson_mut_obj_add_strcpy(doc, object, key, text);
}

static void add_alert(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct alert_row *alert,
	const struct alert_event_row *event)
{
	enum alert_kind k;
	yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, root, "alert");
	add_id(doc, out, "id", alert->id);
	add_id(doc, out, "event_id", event->id);
	yyjson_mut_obj_add_strcpy(doc, out, "kind", alert->kind);
	if (alert_kind_parse(alert->kind, &k)) {
		yyjson_mut_obj_add_str(doc, out, "title", kinds[k].title);
		yyjson_mut_obj_add_str(doc, out, "unit", kinds[k].unit);
	}
	yyjson_mut_obj_add_strcpy(doc, out, "operator", alert->comparison);
	yyjson_mut_obj_add_real(doc, out, "value", alert->value);
	yyjson_mut_obj_add_int(doc, out, "window_s", alert->window_s);
	if (alert->label)
		yyjson_mut_obj_add_strcpy(doc, out, "label", alert->label);
	else
		yyjson_mut_obj_add_null(doc, out, "label");
	add_time(doc, out, "opened_at", event->opened_us);
}

/* The link is a path here: whoever sends it knows where this server is. */
static const char *print_body(const struct deployment_row *deployment, const struct alert_row *alert,
	const struct alert_event_row *event, struct uuid delivery_id, struct arena *a)
{
	char id[UUID_TEXT_SIZE];
	uuid_format(deployment->id, id);
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	bool closes = event->closed_us != 0;
	yyjson_mut_obj_add_str(doc, root, "event", closes ? "alert.closed" : "alert.opened");
	add_id(doc, root, "id", delivery_id);
	add_time(doc, root, "at", closes ? event->closed_us : event->opened_us);
	yyjson_mut_val *about = yyjson_mut_obj_add_obj(doc, root, "deployment");
	yyjson_mut_obj_add_strcpy(doc, about, "id", id);
	yyjson_mut_obj_add_strcpy(doc, about, "name", deployment->name);
	add_alert(doc, root, alert, event);
	yyjson_mut_obj_add_strcpy(doc, root, "sentence", event->sentence);
	yyjson_mut_obj_add_val(doc, root, "detail", alert_json_copy(event->detail, doc, a));
	yyjson_mut_obj_add_strcpy(doc, root, "link", arena_printf(a, "/deployment/%s", id));
	return (const char *)json_print(doc, a).data;
}

/* In the transaction of the event, so that neither is without the other. */
static enum status insert_deliveries(struct db_conn *c, const struct alert_row *alert,
	const struct alert_event_row *event, struct arena *a, struct err *err)
{
	struct deployment_row deployment;
	struct webhook_row *webhooks;
	size_t count;
	int64_t at_us = event->closed_us ? event->closed_us : event->opened_us;
	TRY(deployment_rows_by_id(c, alert->deployment_id, a, &deployment, err));
	TRY(webhook_rows_list(c, deployment.organization_id, true, a, &webhooks, &count, err));
	for (size_t i = 0; i < count; i++) {
		struct webhook_delivery_row d = {.id = uuid_v7(at_us / 1000),
			.webhook_id = webhooks[i].id,
			.event_id = event->id,
			.created_us = at_us,
			.next_us = at_us};
		d.body = print_body(&deployment, alert, event, d.id, a);
		TRY(webhook_delivery_rows_insert(c, &d, err));
	}
	return ST_OK;
}

/* ---- opening, closing ---- */

enum status alert_open(struct db_conn *c, const struct alert_row *alert, const struct alert_news *news,
	struct arena *a, bool *opened, struct err *err)
{
	struct alert_event_row last;
	TRY(alert_event_rows_last(c, alert->id, a, &last, err));
	if (!uuid_is_zero(last.id) && last.closed_us == 0)
		return ST_OK;
	const struct alert_event_row event = {.id = uuid_v7(news->at_us / 1000),
		.alert_id = alert->id,
		.deployment_id = alert->deployment_id,
		.key = news->key,
		.opened_us = news->at_us,
		.sentence = news->sentence,
		.detail = news->detail};
	bool inserted;
	TRY(alert_event_rows_insert(c, &event, &inserted, err));
	if (!inserted)
		return ST_OK;
	TRY(insert_deliveries(c, alert, &event, a, err));
	metric_add(METRIC_ALERTS_OPENED, 1);
	*opened = true;
	return ST_OK;
}

/* What was said when it opened stays; why it closed is added to the detail. */
static const char *detail_closed(const char *detail, const char *why, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = alert_json_copy(detail, doc, a);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_put(root, yyjson_mut_str(doc, "closed"), yyjson_mut_strcpy(doc, why));
	return (const char *)json_print(doc, a).data;
}

static enum status close_event(struct db_conn *c, const struct alert_row *alert,
	struct alert_event_row *event, int64_t at_us, const char *who, const char *why, struct arena *a,
	struct err *err)
{
	event->closed_us = at_us;
	event->closed_by = who;
	event->detail = detail_closed(event->detail, why, a);
	TRY(alert_event_rows_close(c, event, err));
	struct alert_event_row told = *event;
	told.sentence = why;
	return insert_deliveries(c, alert, &told, a, err);
}

static enum status fire(
	struct db_conn *c, const struct alert_news *news, bool *opened, struct arena *a, struct err *err)
{
	struct alert_row *alerts;
	size_t count;
	TRY(alert_rows_list(c, news->deployment_id, alert_kind_name(news->kind), a, &alerts, &count, err));
	for (size_t i = 0; i < count; i++)
		if (alerts[i].active)
			TRY(alert_open(c, &alerts[i], news, a, opened, err));
	return ST_OK;
}

enum status alerts_fire(struct db_conn *c, const struct alert_news *news, bool *opened, struct err *err)
{
	struct arena a;
	arena_init(&a);
	*opened = false;
	enum status st = fire(c, news, opened, &a, err);
	arena_release(&a);
	return st;
}

static enum status end(struct db_conn *c, struct uuid deployment_id, enum alert_kind kind, int64_t at_us,
	const char *why, bool *closed, struct arena *a, struct err *err)
{
	struct alert_row *alerts;
	size_t count;
	TRY(alert_rows_list(c, deployment_id, alert_kind_name(kind), a, &alerts, &count, err));
	for (size_t i = 0; i < count; i++) {
		struct alert_event_row last;
		TRY(alert_event_rows_last(c, alerts[i].id, a, &last, err));
		if (uuid_is_zero(last.id) || last.closed_us)
			continue;
		TRY(close_event(c, &alerts[i], &last, at_us, ALERT_BY_GYRE, why, a, err));
		*closed = true;
	}
	return ST_OK;
}

enum status alerts_end(struct db_conn *c, struct uuid deployment_id, enum alert_kind kind, int64_t at_us,
	const char *why, bool *closed, struct err *err)
{
	struct arena a;
	arena_init(&a);
	*closed = false;
	enum status st = end(c, deployment_id, kind, at_us, why, closed, &a, err);
	arena_release(&a);
	return st;
}

enum status alert_event_close(struct db_conn *c, struct uuid event_id, int64_t at_us, const char *who,
	const char *why, struct err *err)
{
	struct arena a;
	struct alert_event_row event;
	struct alert_row alert;
	arena_init(&a);
	enum status st = alert_event_rows_by_id(c, event_id, &a, &event, err);
	if (st == ST_OK && event.closed_us)
		st = err_set(err, ST_CONFLICT, "This alert was closed before, by %.100s.", event.closed_by);
	if (st == ST_OK)
		st = alert_rows_by_id(c, event.alert_id, &a, &alert, err);
	if (st == ST_OK)
		st = close_event(c, &alert, &event, at_us, who, why, &a, err);
	arena_release(&a);
	return st;
}
