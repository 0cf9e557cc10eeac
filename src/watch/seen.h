/* SPDX-License-Identifier: Apache-2.0 */
/* A prediction as those measure it who watch: a row of the log, unpacked. */
#ifndef GYRE_WATCH_SEEN_H
#define GYRE_WATCH_SEEN_H

#include "store/log_rows.h"
#include "task/shape.h"

/* Of an image's pixels (vision/image.h); NAN: not known, as old rows lack some. */
struct seen_stats {
	double brightness, contrast, blur; /* mean and deviation of luma, variance of its Laplacian */
	double mean_rgb[3];
	double entropy;      /* bits of the luma histogram, 0…8 */
	double dark, bright; /* shares of pixels with luma <= 5 and >= 250, 0…1 */
};

struct seen {
	const struct log_row *row;
	struct shapes shapes; /* all that are stored */
	struct seen_stats stats;
};

void seen_stats_read(const char *json, struct seen_stats *out); /* what is missing is NAN */
/* ST_INVALID: a row that gyre did not write. Everything lives as long as the row and the arena. */
enum status seen_read(
	const struct log_row *row, struct arena *a, struct seen *out, struct err *err) MUST_CHECK;

/*
 * For log_filter.keep: predictions with a shape of that label, stored (not: at the threshold), by name, as
 * each version has its own labels.
 *
 *	struct seen_label label = seen_label(c, "RBC", arena);
 *	filter.keep = seen_has_label;
 *	filter.keep_arg = &label;
 */
struct seen_label {
	struct db_conn *conn;
	const char *name;
	struct arena *arena;
	struct seen_label_version *versions;
};
struct seen_label seen_label(struct db_conn *c, const char *name, struct arena *a);
bool seen_has_label(void *label, const struct log_row *row);

#endif
