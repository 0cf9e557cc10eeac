/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/tally.h"

#include "base/check.h"
#include "base/compare.h"
#include "os/thread.h"
#include "store/failure_rows.h"
#include "store/prediction_rows.h"

#include <stdlib.h>

enum status tally_start(struct tally *t, struct db_conn *c, struct uuid deployment_id, struct err *err)
{
	*t = (struct tally){0};
	struct prediction_totals totals;
	int64_t newest_first[TALLY_RECENT];
	size_t count;
	int64_t failed;
	TRY(failure_rows_total(c, deployment_id, &failed, err));
	TRY(prediction_rows_totals(c, deployment_id, &totals, err));
	TRY(prediction_rows_recent(c, deployment_id, newest_first, TALLY_RECENT, &count, err));
	CHECK(pthread_mutex_init(&t->lock, NULL) == 0);
	t->count = totals.count;
	t->latency_sum_us = totals.latency_sum_us;
	t->last_us = totals.last_us;
	t->failed = failed;
	for (size_t i = 0; i < count; i++)
		t->recent_us[i] = newest_first[count - 1 - i];
	t->recorded = (int64_t)count;
	return ST_OK;
}

void tally_end(struct tally *t)
{
	pthread_mutex_destroy(&t->lock);
}

void tally_recorded(struct tally *t, int64_t at_us, int64_t latency_us)
{
	mutex_lock(&t->lock);
	t->count++;
	t->latency_sum_us += latency_us;
	if (at_us > t->last_us)
		t->last_us = at_us;
	t->recent_us[t->recorded++ % TALLY_RECENT] = latency_us;
	mutex_unlock(&t->lock);
}

void tally_failed(struct tally *t)
{
	mutex_lock(&t->lock);
	t->failed++;
	mutex_unlock(&t->lock);
}

void tally_read(struct tally *t, struct tally_summary *out)
{
	*out = (struct tally_summary){0};
	int64_t sorted[TALLY_RECENT];
	mutex_lock(&t->lock);
	out->count = t->count;
	out->failed = t->failed;
	out->last_us = t->last_us;
	out->mean_us = t->count ? (double)t->latency_sum_us / (double)t->count : 0;
	int64_t size = t->recorded < TALLY_RECENT ? t->recorded : TALLY_RECENT;
	memcpy(sorted, t->recent_us, (size_t)size * sizeof(sorted[0]));
	int64_t shown = size < (int64_t)COUNT_OF(out->recent_us) ? size : (int64_t)COUNT_OF(out->recent_us);
	for (int64_t i = 0; i < shown; i++)
		out->recent_us[i] = t->recent_us[(t->recorded - shown + i) % TALLY_RECENT];
	mutex_unlock(&t->lock);
	out->recent_count = (unsigned)shown;
	if (size == 0)
		return;
	qsort(sorted, (size_t)size, sizeof(sorted[0]), compare_int64);
	out->p99_us = (double)sorted[(size * 99 + 99) / 100 - 1];
}
