/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of webhooks, and of what is to be sent to them. */
#ifndef GYRE_STORE_WEBHOOK_ROWS_H
#define GYRE_STORE_WEBHOOK_ROWS_H

#include "store/rows.h"

struct webhook_row {
	struct uuid id, organization_id;
	const char *name, *url, *secret;
	bool active;
	int64_t created_us;
	const char *created_by;
	/* Only read: of the last time that something was sent. */
	int64_t last_us;        /* 0: never */
	int64_t last_status;    /* HTTP; 0: no answer */
	const char *last_error; /* NULL: it arrived */
};

/* One thing that is to be sent, or was. Its id stays through every attempt. */
struct webhook_delivery_row {
	struct uuid id, webhook_id;
	struct uuid event_id; /* zero: a test */
	const char *body;     /* JSON object */
	int64_t attempts;
	int64_t next_us;             /* 0: done, or given up */
	int64_t http_status;         /* of the last attempt; 0: no answer, or none yet */
	const char *error;           /* NULL: it arrived, or there was no attempt */
	int64_t created_us, done_us; /* done_us 0: not yet */
	const char *url, *secret;    /* only read, by webhook_delivery_rows_due() */
};

enum status webhook_rows_insert(struct db_conn *c, const struct webhook_row *w, struct err *err) MUST_CHECK;
/* Writes name, URL, active. */
enum status webhook_rows_update(struct db_conn *c, const struct webhook_row *w, struct err *err) MUST_CHECK;
enum status webhook_rows_delete(
	struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK; /* ST_MISSING */
enum status webhook_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a, struct webhook_row *out,
	struct err *err) MUST_CHECK; /* ST_MISSING */
/* The oldest first; only the active ones, or all. */
enum status webhook_rows_list(struct db_conn *c, struct uuid organization_id, bool active_only,
	struct arena *a, struct webhook_row **items, size_t *count, struct err *err) MUST_CHECK;

enum status webhook_delivery_rows_insert(
	struct db_conn *c, const struct webhook_delivery_row *d, struct err *err) MUST_CHECK;
/* After an attempt: writes attempts, next, status, error and end, and the last_… of its webhook. That either
 * is gone meanwhile is no error. */
enum status webhook_delivery_rows_update(
	struct db_conn *c, const struct webhook_delivery_row *d, int64_t now_us, struct err *err) MUST_CHECK;
/* Due by then, of active webhooks, the longest due first. */
enum status webhook_delivery_rows_due(struct db_conn *c, int64_t now_us, int64_t limit, struct arena *a,
	struct webhook_delivery_row **items, size_t *count, struct err *err) MUST_CHECK;
/* What is due to this webhook by then waits until next_us. */
enum status webhook_delivery_rows_hold_back(struct db_conn *c, struct uuid webhook_id, int64_t now_us,
	int64_t next_us, struct err *err) MUST_CHECK;
/* What waits for this webhook is given up, for this reason. */
enum status webhook_delivery_rows_drop(struct db_conn *c, struct uuid webhook_id, int64_t now_us,
	const char *why, struct err *err) MUST_CHECK;
/* Made before then, and done: they go. */
enum status webhook_delivery_rows_forget(
	struct db_conn *c, struct uuid webhook_id, int64_t before_us, struct err *err) MUST_CHECK;
/* The newest first. */
enum status webhook_delivery_rows_list(struct db_conn *c, struct uuid webhook_id, int64_t limit,
	struct arena *a, struct webhook_delivery_row **items, size_t *count, struct err *err) MUST_CHECK;

#endif
