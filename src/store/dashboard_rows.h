/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of what a dashboard shows beside predictions: requests that got none; and which predictions there are.
 */
#ifndef GYRE_STORE_DASHBOARD_ROWS_H
#define GYRE_STORE_DASHBOARD_ROWS_H

#include "store/db.h"

/* Those of one answer and step in a range. */
struct failure_sum {
	int64_t http_status;
	const char *step;
	int64_t count, last_us;
	const char *last_text;
};
/* Of minutes in [from_us, to_us), most first. */
enum status dashboard_rows_failures(struct db_conn *c, struct uuid deployment_id, int64_t from_us,
	int64_t to_us, struct arena *a, struct failure_sum **items, size_t *count,
	struct err *err) MUST_CHECK;

/* How many began at each multiple of a step. */
struct failure_step {
	int64_t start_us;
	bool refused; /* 4xx; else failed */
	int64_t count;
};
enum status dashboard_rows_failure_steps(struct db_conn *c, struct uuid deployment_id, int64_t from_us,
	int64_t to_us, int64_t step_us, struct arena *a, struct failure_step **items, size_t *count,
	struct err *err) MUST_CHECK;

/* Positions of the champions' predictions in [from_us, to_us), in any order, at most limit. */
enum status dashboard_rows_positions(struct db_conn *c, struct uuid deployment_id, int64_t from_us,
	int64_t to_us, size_t limit, struct arena *a, int64_t **positions, size_t *count,
	struct err *err) MUST_CHECK;
/* The positions of champions' predictions that these ids name: their own, or that of the image. Ascending. */
enum status dashboard_rows_named(struct db_conn *c, struct uuid deployment_id, const struct uuid *ids,
	size_t id_count, struct arena *a, int64_t **positions, size_t *count, struct err *err) MUST_CHECK;

#endif
