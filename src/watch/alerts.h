/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts: what a deployment's owner wants to be told. Two ways to fire: a value over a window, looked at by
 * the tail's thread, and an event that the tail finds (drift). An alert that fired is a row, with what is to
 * be sent to each webhook, in one transaction; a key makes it one whatever crashes. The kinds are alerts.def.
 * docs/internals/alerts.md.
 */
#ifndef GYRE_WATCH_ALERTS_H
#define GYRE_WATCH_ALERTS_H

#include "store/alert_rows.h"
#include "store/recorder.h"

enum alert_kind {
#define ALERT(id, ...) ALERT_##id,
#include "watch/alerts.def"
#undef ALERT
	ALERT_KIND_COUNT
};
enum alert_way { ALERT_BY_WINDOW, ALERT_BY_EVENT };

struct alert_about {
	const char *name, *title, *unit;
	enum alert_way way;
	bool at_deploy;
	const char *comparison;
	double value;
	int64_t window_s, images_min;
	const char *help;
};
const struct alert_about *alert_about(enum alert_kind k);
const char *alert_kind_name(enum alert_kind k);
bool alert_kind_parse(const char *name, enum alert_kind *out);
bool alert_is_supervised(enum alert_kind k); /* needs reviews */
const char *alert_budget(enum alert_kind k); /* of false alarms, a sentence; NULL: none is promised */

#define ALERT_WINDOW_S_MAX 2592000 /* 30 days */

/* An alert as its kind begins: all but id, deployment and who made it. */
void alert_init(enum alert_kind k, struct alert_row *out);
/* What a person wrote; the kind is one. ST_INVALID. */
enum status alert_check(const struct alert_row *row, struct err *err) MUST_CHECK;

/* Those that a new deployment has. Inside a job of the recorder. */
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
/* One event is closed, by a person or by gyre; inside a job. ST_MISSING, ST_CONFLICT: it is closed. */
enum status alert_event_close(struct db_conn *c, struct uuid event_id, int64_t at_us, const char *who,
	const char *why, struct err *err) MUST_CHECK;

/* Looks at each active alert by window; called by the tail's thread every few seconds. `watch`: readers of
 * watch.db. quality: values of AP and accuracy come from it, as they are not in the roll-ups; NULL: none.
 * tell is called for each deployment that an event opened or closed for. */
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
