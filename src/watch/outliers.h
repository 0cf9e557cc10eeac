/* SPDX-License-Identifier: Apache-2.0 */
/* The outlier panel: how unusual each image was to the champion, from the scores in watch.db. */
#ifndef GYRE_WATCH_OUTLIERS_H
#define GYRE_WATCH_OUTLIERS_H

#include "store/outlier_rows.h"
#include "watch/outlier.h"

#define OUTLIERS_POINTS_MAX 2000
#define OUTLIERS_ALWAYS 500 /* the newest outliers are among the points, sample or not */
#define OUTLIERS_WORST 12

struct outliers_report {
	struct outlier_row *points; /* oldest first */
	size_t point_count;
	bool sampled;
	struct outlier_row *worst; /* whose images are still there */
	size_t worst_count;
	int64_t images, outliers;
	double share, low, high; /* with Wilson's 95 % interval; NAN without images */
};

/* c reads gyre.db, watch watch.db. filter: from and to may be 0. Everything lives in the arena. */
enum status outliers_read(struct db_conn *c, struct db_conn *watch, const struct outlier_filter *filter,
	size_t points_max, struct arena *a, struct outliers_report *out, struct err *err) MUST_CHECK;
/* Wilson's interval of a share k/n, n at least 1, with 95 %. */
void outliers_interval(int64_t k, int64_t n, double *low, double *high);

#endif
