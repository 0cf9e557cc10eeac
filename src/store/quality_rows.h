/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL of what quality is measured from: reviewed images, what their last review says, and what each version
 * said of them. Reading only.
 */
#ifndef GYRE_STORE_QUALITY_ROWS_H
#define GYRE_STORE_QUALITY_ROWS_H

#include "store/rows.h"

/* How far the logs are: of reviews (0: none), and of all predictions. */
enum status quality_rows_positions(struct db_conn *c, struct uuid deployment_id, int64_t *review,
	int64_t *prediction, struct err *err) MUST_CHECK;
/* Images whose last review counts: REVIEWED or SUBMITTED. */
enum status quality_rows_count(
	struct db_conn *c, struct uuid deployment_id, int64_t *count, struct err *err) MUST_CHECK;
/* Their ids, those of the newest images, at most limit. */
enum status quality_rows_reviewed(struct db_conn *c, struct uuid deployment_id, int64_t limit,
	struct arena *a, struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;
/* Images that were reviewed, skipped or undone between two positions of the log (the first excluded), and
 * those that a shadow predicted between two positions of the other; an image may come more than once. */
enum status quality_rows_changed(struct db_conn *c, struct uuid deployment_id, int64_t after, int64_t to,
	struct arena *a, struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;
enum status quality_rows_repeated(struct db_conn *c, struct uuid deployment_id, int64_t after, int64_t to,
	struct arena *a, struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;

/* Images that were reviewed as a disagreement of a shadow, and that the queue drew afterwards: in a batch
 * behind that position. */
enum status quality_rows_drawn(struct db_conn *c, struct uuid deployment_id, int64_t after, struct arena *a,
	struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;

/* A reviewed image with its last review. */
struct quality_image_row {
	struct uuid id, data_id;
	int64_t created_us, width, height;
	const char *source; /* or NULL */
	const char *kind, *shapes;
	const char *chosen_why; /* by the queue; NULL: it was not */
};
/* *found false: there is none, or its last review does not count. */
enum status quality_rows_image(struct db_conn *c, struct uuid id, struct arena *a,
	struct quality_image_row *out, bool *found, struct err *err) MUST_CHECK;

/* What one version said of it. */
struct quality_answer_row {
	int64_t position; /* in the log */
	struct uuid id, model_version_id;
	bool is_shadow;
	struct span shapes; /* packed */
};
/* In the order of the log: the champion's first. */
enum status quality_rows_answers(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct quality_answer_row **items, size_t *count, struct err *err) MUST_CHECK;

/* Reviewed images of a deployment that have a tag of that name, or whose data has it; in no order. */
enum status quality_rows_tagged(struct db_conn *c, struct uuid deployment_id, const char *tag,
	struct arena *a, struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;

#endif
