/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the reviews of predicted images: a log, followed by position. Texts that are read live in the arena.
 */
#ifndef GYRE_STORE_REVIEW_ROWS_H
#define GYRE_STORE_REVIEW_ROWS_H

#include "store/rows.h"

struct review_row {
	int64_t position; /* in the log; 0 before it is inserted */
	struct uuid id, predicted_asset_id, deployment_id;
	const char *kind;          /* "CORRECTED", "ACCEPTED", "NOTHING", "SKIPPED", "UNDONE" */
	const char *reason;        /* or NULL */
	const char *shapes;        /* JSON: docs/internals/review.md */
	struct uuid prediction_id; /* what was shown; zero: unknown */
	const char *client_id;     /* or NULL */
	const char *who;
	struct uuid user_id;
	double seconds; /* below 0: unknown */
	int64_t keys;   /* below 0: unknown */
	int64_t created_us;
};

/*
 * The review and what follows from it for its image: status REVIEWED (SKIPPED for SKIPPED, TO REVIEW for
 * UNDONE), review_id, reviewed_us, the next revision; the draft and the lease are gone. A repeated client_id
 * of that image is not inserted: *inserted false, and r->id is the first one's. ST_CONFLICT with a sentence
 * when the image is SUBMITTED; ST_MISSING when it is not there.
 */
enum status review_rows_insert(
	struct db_conn *c, struct review_row *r, bool *inserted, struct err *err) MUST_CHECK;
/* The review that this operation of the image made. *found false: none; client_id NULL finds none. */
enum status review_rows_by_client(struct db_conn *c, struct uuid predicted_asset_id, const char *client_id,
	struct arena *a, struct review_row *out, bool *found, struct err *err) MUST_CHECK;
/* Of one image, the oldest first. */
enum status review_rows_of_asset(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct review_row **items, size_t *count, struct err *err) MUST_CHECK;
/* The one that counts: not SKIPPED, not UNDONE. *found false: none. */
enum status review_rows_counting(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct review_row *out, bool *found, struct err *err) MUST_CHECK;
/* Past a position, in its order, at most limit. deployment_id zero: of all. */
enum status review_rows_after(struct db_conn *c, struct uuid deployment_id, int64_t position, int64_t limit,
	struct arena *a, struct review_row **items, size_t *count, struct err *err) MUST_CHECK;

#endif
