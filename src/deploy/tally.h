/* SPDX-License-Identifier: Apache-2.0 */
/* Running totals of a deployment, for its card: kept in memory, started from the log. Thread-safe. */
#ifndef GYRE_DEPLOY_TALLY_H
#define GYRE_DEPLOY_TALLY_H

#include "store/db.h"

#include <pthread.h>

#define TALLY_RECENT 1000 /* latencies that the percentiles are taken over */

struct tally {
	pthread_mutex_t lock;
	int64_t count, latency_sum_us, last_us; /* since the first prediction */
	int64_t failed;                         /* that came as far as its model */
	int64_t recent_us[TALLY_RECENT];        /* ring; the newest at (recorded - 1) % TALLY_RECENT */
	int64_t recorded;                       /* how many went through the ring */
};

struct tally_summary {
	int64_t count, failed, last_us;
	double mean_us, p99_us; /* p99 (nearest rank) over the newest TALLY_RECENT */
	int64_t recent_us[60];  /* oldest first */
	unsigned recent_count;
};

enum status tally_start(
	struct tally *t, struct db_conn *c, struct uuid deployment_id, struct err *err) MUST_CHECK;
void tally_end(struct tally *t);
void tally_recorded(struct tally *t, int64_t at_us, int64_t latency_us);
void tally_failed(struct tally *t);
void tally_read(struct tally *t, struct tally_summary *out);

#endif
