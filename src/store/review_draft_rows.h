/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the work on a predicted image that is not saved as a review yet. */
#ifndef GYRE_STORE_REVIEW_DRAFT_ROWS_H
#define GYRE_STORE_REVIEW_DRAFT_ROWS_H

#include "store/rows.h"

struct review_draft_row {
	struct uuid predicted_asset_id;
	int64_t revision;
	const char *shapes;    /* JSON: task/drawn.h */
	const char *client_id; /* of the operation that saved it last */
	const char *who;
	int64_t updated_us;
};

/* *found false: there is none. */
enum status review_draft_rows_read(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct review_draft_row *out, bool *found, struct err *err) MUST_CHECK;
/* Instead of the one before. Its revision is the image's next one. */
enum status review_draft_rows_save(
	struct db_conn *c, struct review_draft_row *row, struct err *err) MUST_CHECK;
enum status review_draft_rows_delete(
	struct db_conn *c, struct uuid predicted_asset_id, struct err *err) MUST_CHECK;

/* What a save of an image builds on. */
struct review_ground {
	struct uuid deployment_id, data_id;
	const char *status;
	int64_t revision; /* counts drafts and reviews of the image */
	int64_t width, height;
};
/* ST_MISSING. */
enum status review_draft_rows_ground(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct review_ground *out, struct err *err) MUST_CHECK;

#endif
