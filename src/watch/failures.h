/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that got no prediction, counted in memory and added to the database some seconds later: a server
 * that refuses a thousand requests a second writes one row. Thread-safe.
 */
#ifndef GYRE_WATCH_FAILURES_H
#define GYRE_WATCH_FAILURES_H

#include "store/recorder.h"

struct failures;
struct failures *failures_new(void);
void failures_free(struct failures *f); /* NULL is fine; what was not stored is lost */
void failures_add(struct failures *f, struct uuid deployment_id, int64_t at_us, int http_status,
	const char *step, const char *text);
/* What is counted is kept when this fails. One at a time. */
enum status failures_store(struct failures *f, struct recorder *r, struct err *err) MUST_CHECK;

#endif
