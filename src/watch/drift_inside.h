/* SPDX-License-Identifier: Apache-2.0 */
/* Inside drift*.c only. */
#ifndef GYRE_WATCH_DRIFT_INSIDE_H
#define GYRE_WATCH_DRIFT_INSIDE_H

#include "watch/drift.h"

/* The images that count, newest last, and the features of each. */
struct drift_window {
	struct seen *seen;
	double (*values)[FEATURE_COUNT];
	size_t count;
};

/* Where the feature that differs most differs, and images that show it. */
enum status drift_where(struct db_conn *c, const struct drift_window *w, struct arena *a,
	struct drift_report *out, struct err *err) MUST_CHECK;

#endif
