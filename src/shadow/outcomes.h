/* SPDX-License-Identifier: Apache-2.0 */
/* Inside shadow/ only: what became of predictions of the log, and the one transaction that stores it. */
#ifndef GYRE_SHADOW_OUTCOMES_H
#define GYRE_SHADOW_OUTCOMES_H

#include "store/prediction_rows.h"
#include "store/recorder.h"
#include "store/shadow_rows.h"

#define OUTCOMES_MAX 16 /* in one transaction: champions wait for it too, when they meet */

struct outcome {
	struct uuid champion_version_id;
	int64_t champion_cpu_us;
	struct prediction_row row;
};

struct outcomes {
	struct uuid shadow_id, deployment_id;
	int64_t position; /* in the log, up to which they go; 0: leave it */
	struct outcome predicted[OUTCOMES_MAX];
	size_t count;
	int64_t skipped;
	const char *skipped_text; /* why the last one was */
};

/*
 * Predictions and position, all or nothing. What was stored before, or whose image was deleted meanwhile, is
 * passed over. ST_MISSING: the shadow was removed, and nothing is stored.
 */
enum status outcomes_insert(struct db_conn *c, const struct outcomes *o, struct err *err) MUST_CHECK;
/* The same as a job of the recorder; waits for the commit. */
enum status outcomes_store(struct recorder *r, const struct outcomes *o, struct err *err) MUST_CHECK;

#endif
