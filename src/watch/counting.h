/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the log into the roll-ups of watch.db. What comes out is the same however the log is cut into
 * calls: so the tail may take what there is, and `gyre audit` may count anew and compare bytes.
 */
#ifndef GYRE_WATCH_COUNTING_H
#define GYRE_WATCH_COUNTING_H

#include "watch/seen.h"

/* ROLLUP_RECUT of a deployment: of rows up to that position, at that threshold. */
struct counting_cut {
	struct uuid deployment_id;
	double threshold;
	int64_t to;
};

struct counting {
	bool answered; /* ROLLUP_ANSWERED, sources and samples too */
	const struct counting_cut *cuts;
	size_t cut_count;
};

/* By position, lowest first. Inside a transaction of watch.db. */
enum status counting_add(struct db_conn *c, const struct counting *how, const struct seen *rows, size_t count,
	struct err *err) MUST_CHECK;

#endif
