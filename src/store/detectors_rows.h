/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the states of sequential detectors: a table of watch.db (sql/watch). */
#ifndef GYRE_STORE_DETECTORS_ROWS_H
#define GYRE_STORE_DETECTORS_ROWS_H

#include "store/db.h"

struct detectors_row {
	struct uuid deployment_id, reference_id;
	double threshold;
	int64_t position;  /* of the last prediction that is in it */
	struct span state; /* packed: watch/detectors.h */
};
/* The one before gives way. */
enum status detectors_rows_put(
	struct db_conn *c, const struct detectors_row *row, struct err *err) MUST_CHECK;
/* The state in the arena; *found false: there is none. */
enum status detectors_rows_get(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct detectors_row *out, bool *found, struct err *err) MUST_CHECK;

#endif
