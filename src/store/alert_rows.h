/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of alerts and of the times that they fired. */
#ifndef GYRE_STORE_ALERT_ROWS_H
#define GYRE_STORE_ALERT_ROWS_H

#include "store/rows.h"

struct alert_row {
	struct uuid id, deployment_id;
	const char *kind;       /* watch/alerts.def */
	const char *comparison; /* "<", "<=", "=", ">=", ">" */
	double value;           /* in the unit of the kind */
	int64_t window_s;       /* 0: not by window */
	int64_t images_min;
	const char *label; /* NULL: all */
	bool active;
	int64_t created_us;
	const char *created_by;
	int64_t last_us; /* only read: when it fired last; 0: never */
};

struct alert_event_row {
	struct uuid id, alert_id, deployment_id;
	const char *key;
	int64_t opened_us, closed_us; /* closed_us 0: open */
	const char *closed_by;
	const char *sentence;
	const char *detail; /* JSON object */
	const char *kind;   /* only read: its alert's */
};

enum status alert_rows_insert(struct db_conn *c, const struct alert_row *a, struct err *err) MUST_CHECK;
/* Writes comparison, value, window, images_min, label, active. */
enum status alert_rows_update(struct db_conn *c, const struct alert_row *a, struct err *err) MUST_CHECK;
enum status alert_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK; /* ST_MISSING */
/* ST_MISSING. */
enum status alert_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a, struct alert_row *out,
	struct err *err) MUST_CHECK;
/* Of a deployment, the oldest first; of one kind, when kind is not NULL. */
enum status alert_rows_list(struct db_conn *c, struct uuid deployment_id, const char *kind, struct arena *a,
	struct alert_row **items, size_t *count, struct err *err) MUST_CHECK;
/* The active ones by window, of all deployments, those of a deployment together. */
enum status alert_rows_by_window(struct db_conn *c, struct arena *a, struct alert_row **items, size_t *count,
	struct err *err) MUST_CHECK;

/* *inserted: there was none with its alert and key. */
enum status alert_event_rows_insert(
	struct db_conn *c, const struct alert_event_row *e, bool *inserted, struct err *err) MUST_CHECK;
/* Writes its end and detail; ST_MISSING when it is not open. */
enum status alert_event_rows_close(
	struct db_conn *c, const struct alert_event_row *e, struct err *err) MUST_CHECK;
enum status alert_event_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct alert_event_row *out, struct err *err) MUST_CHECK; /* ST_MISSING */
/* The newest of an alert; id zero: it never fired. */
enum status alert_event_rows_last(struct db_conn *c, struct uuid alert_id, struct arena *a,
	struct alert_event_row *out, struct err *err) MUST_CHECK;
/* Of a deployment, the newest first; only those that are open, or all. */
enum status alert_event_rows_list(struct db_conn *c, struct uuid deployment_id, bool open_only, int64_t limit,
	struct arena *a, struct alert_event_row **items, size_t *count, struct err *err) MUST_CHECK;
enum status alert_event_rows_count_open(
	struct db_conn *c, struct uuid deployment_id, int64_t *count, struct err *err) MUST_CHECK;

/* The image statistics (JSON) of every n-th image of a reference. */
enum status alert_rows_reference_stats(struct db_conn *c, struct uuid reference_id, int64_t every,
	struct arena *a, const char ***items, size_t *count, struct err *err) MUST_CHECK;
/* When the deployment's last review was written; 0: never. */
enum status alert_rows_last_review(
	struct db_conn *c, struct uuid deployment_id, int64_t *at_us, struct err *err) MUST_CHECK;

#endif
