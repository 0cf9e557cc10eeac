/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts: what a deployment's owner wants to be told. Two ways to fire: a value over a window of the
 * roll-ups, looked at by the tail's thread, and an event that the tail finds (drift, an outlier). An alert
 * that fired is a row, with what is to be sent to each webhook, in one transaction; a key makes it one
 * whatever crashes. The kinds are alerts.def.
 */
#ifndef GYRE_WATCH_ALERTS_H
#define GYRE_WATCH_ALERTS_H

#include "store/db.h"
#include "store/recorder.h"

enum alert_kind {
#define ALERT(id, name, title, unit, way, help) ALERT_##id,
#include "watch/alerts.def"
#undef ALERT
	ALERT_KIND_COUNT
};
enum alert_way { ALERT_BY_WINDOW, ALERT_BY_EVENT };

const char *alert_kind_name(enum alert_kind k);
bool alert_kind_parse(const char *name, enum alert_kind *out);

/* Those that a new deployment has: latency, failed, drift, data quality. Inside a job of the recorder. */
enum status alerts_insert_defaults(struct db_conn *c, struct uuid deployment_id, int64_t now_us,
	const char *who, struct err *err) MUST_CHECK;

/* An event: opens one for each active alert of the kind, unless there is one with this key or one is open.
 * detail: JSON object. Inside a job of the recorder of gyre.db. */
struct alert_news {
	struct uuid deployment_id;
	enum alert_kind kind;
	const char *key; /* "drift:<position>" */
	int64_t at_us;
	const char *sentence, *detail;
};
enum status alerts_fire(
	struct db_conn *c, const struct alert_news *news, bool *opened, struct err *err) MUST_CHECK;
/* Open events of the kind are closed by gyre, as it holds no more. */
enum status alerts_end(struct db_conn *c, struct uuid deployment_id, enum alert_kind kind, int64_t at_us,
	const char *why, bool *closed, struct err *err) MUST_CHECK;

/* Looks at each active alert by window; called by the tail's thread every few seconds. `watch`: readers of
 * watch.db. quality: values of AP and accuracy come from a function, as they are not in the roll-ups; NULL:
 * none. tell is called for each deployment that an event opened or closed for. */
struct quality;
struct alerts_look {
	struct db_readers *readers, *watch;
	struct recorder *recorder;
	struct quality *quality;
	int64_t now_us;
	void (*tell)(void *arg, struct uuid deployment_id);
	void *tell_arg;
};
enum status alerts_look(const struct alerts_look *look, struct err *err) MUST_CHECK;

#endif
