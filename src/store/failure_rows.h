/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of requests that got no prediction: counts by deployment, minute, HTTP status and step. */
#ifndef GYRE_STORE_FAILURE_ROWS_H
#define GYRE_STORE_FAILURE_ROWS_H

#include "store/db.h"

struct failure_row {
	struct uuid deployment_id;
	int64_t minute_us; /* the minute's beginning */
	int http_status;
	const char *step; /* of serve/steps.def */
	int64_t count, last_us;
	const char *last_text;
};

/* Adds to what is there; of a deployment that is gone: nothing. Inside a job of the recorder. */
enum status failure_rows_add(struct db_conn *c, const struct failure_row *f, struct err *err) MUST_CHECK;
/* Of a deployment, in [from_us, to_us) by minute; texts in the arena. */
enum status failure_rows_list(struct db_conn *c, struct uuid deployment_id, int64_t from_us, int64_t to_us,
	struct arena *a, struct failure_row **items, size_t *count, struct err *err) MUST_CHECK;
/* Those that came as far as a model (not: ended at "receive"), ever. */
enum status failure_rows_total(
	struct db_conn *c, struct uuid deployment_id, int64_t *count, struct err *err) MUST_CHECK;

#endif
