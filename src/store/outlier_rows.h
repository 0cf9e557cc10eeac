/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of outlier scores: a table of watch.db (sql/watch). */
#ifndef GYRE_STORE_OUTLIER_ROWS_H
#define GYRE_STORE_OUTLIER_ROWS_H

#include "store/db.h"

struct outlier_row {
	struct uuid deployment_id;
	int64_t position;
	struct uuid reference_id, version_id, prediction_id, predicted_asset_id;
	const char *source;
	int64_t created_us;
	double score; /* 0: as usual as can be; 1 and more: an outlier */
	double rank;  /* the share of reference images that are as unusual: (0, 1] */
};

/* The last one of a position stays. */
enum status outlier_rows_put(struct db_conn *c, const struct outlier_row *row, struct err *err) MUST_CHECK;
/* Of a version, by another reference than this one: they give way. */
enum status outlier_rows_delete_others(struct db_conn *c, struct uuid deployment_id, struct uuid version_id,
	struct uuid reference_id, struct err *err) MUST_CHECK;

struct outlier_filter { /* zeroes and NULL: no restriction */
	struct uuid deployment_id;
	int64_t from_us, to_us; /* from_us <= created_us < to_us */
	const char *source;
	struct uuid version_id;
	double rank_max; /* rank <= rank_max; 0: any */
};
enum status outlier_rows_count(
	struct db_conn *c, const struct outlier_filter *f, int64_t *count, struct err *err) MUST_CHECK;
enum outlier_order { OUTLIER_NEWEST, OUTLIER_WORST };
/* At most limit; texts in the arena. */
enum status outlier_rows_list(struct db_conn *c, const struct outlier_filter *f, enum outlier_order order,
	int64_t limit, struct arena *a, struct outlier_row **items, size_t *count,
	struct err *err) MUST_CHECK;
/* The first at or after each of `steps` equal parts of [from_us, to_us): a sample by time. Both must be set.
 */
enum status outlier_rows_sample(struct db_conn *c, const struct outlier_filter *f, int64_t steps,
	struct arena *a, struct outlier_row **items, size_t *count, struct err *err) MUST_CHECK;
/* When the first and the last are; 0 and 0: none. */
enum status outlier_rows_range(struct db_conn *c, struct uuid deployment_id, int64_t *first_us,
	int64_t *last_us, struct err *err) MUST_CHECK;

#endif
