/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the Feedback Loop: its settings, where it goes, its table of labels, and what went where. Texts that
 * are read live in the arena. */
#ifndef GYRE_STORE_FEEDBACK_ROWS_H
#define GYRE_STORE_FEEDBACK_ROWS_H

#include "store/db.h"

struct feedback_row {
	struct uuid deployment_id;
	bool active, submit_by_itself;
	int64_t submit_after_s;
	double evaluation_share; /* 0…1 of bursts */
	int64_t created_us;
};

/* *found false: it is not set up. */
enum status feedback_rows_get(struct db_conn *c, struct uuid deployment_id, struct feedback_row *out,
	bool *found, struct err *err) MUST_CHECK;
/* Set up already: nothing happens. */
enum status feedback_rows_insert(
	struct db_conn *c, const struct feedback_row *row, struct err *err) MUST_CHECK;
enum status feedback_rows_update(
	struct db_conn *c, const struct feedback_row *row, struct err *err) MUST_CHECK;
/* Deployments that submit by themselves now: active, and with a dataset version. */
enum status feedback_rows_by_themselves(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;

struct feedback_target_row {
	struct uuid dataset_version_id;
	int64_t since_us;
};
/* The one attached first first. */
enum status feedback_target_rows_list(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct feedback_target_row **items, size_t *count, struct err *err) MUST_CHECK;
/* Attached already: nothing happens. */
enum status feedback_target_rows_insert(struct db_conn *c, struct uuid deployment_id,
	const struct feedback_target_row *row, struct err *err) MUST_CHECK;
enum status feedback_target_rows_delete(struct db_conn *c, struct uuid deployment_id,
	struct uuid dataset_version_id, bool *existed, struct err *err) MUST_CHECK;

struct feedback_label_row {
	const char *label;   /* of the deployment */
	const char *action;  /* "keep", "rename", "drop", "new" */
	const char *to_name; /* "rename", "new"; NULL: the same name */
};
/* By label. */
enum status feedback_label_rows_list(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct feedback_label_row **items, size_t *count, struct err *err) MUST_CHECK;
enum status feedback_label_rows_put(struct db_conn *c, struct uuid deployment_id,
	const struct feedback_label_row *row, struct err *err) MUST_CHECK;
enum status feedback_label_rows_delete(
	struct db_conn *c, struct uuid deployment_id, const char *label, struct err *err) MUST_CHECK;

/* A picture and the review that counts. */
struct feedback_image {
	struct uuid id, deployment_id, data_id, burst_id; /* burst_id zero: not decided */
	const char *filename, *status;
	int64_t created_us, reviewed_us;
	struct uuid review_id;    /* zero: none, and what follows is empty */
	struct uuid withdrawn_id; /* the review whose submission was taken back; zero: none */
	const char *shapes, *who; /* of the review */
	double seconds;           /* below 0: not known */
};
/* *found false: it is not there. */
enum status feedback_image_rows_get(struct db_conn *c, struct uuid id, struct arena *a,
	struct feedback_image *out, bool *found, struct err *err) MUST_CHECK;
/* REVIEWED ones in order of (created_us, id), past that of a picture (zeroes: from the first). */
enum status feedback_image_rows_reviewed(struct db_conn *c, struct uuid deployment_id, int64_t created_us,
	struct uuid id, int64_t limit, struct arena *a, struct feedback_image **items, size_t *count,
	struct err *err) MUST_CHECK;
enum status feedback_image_rows_count(struct db_conn *c, struct uuid deployment_id, int64_t *reviewed,
	int64_t *submitted, struct err *err) MUST_CHECK;
/* *changed false: it is not REVIEWED with this review any more. */
enum status feedback_image_rows_set_submitted(struct db_conn *c, struct uuid id, struct uuid review_id,
	int64_t now_us, bool *changed, struct err *err) MUST_CHECK;
/* REVIEWED again, and not submitted by itself. */
enum status feedback_image_rows_set_withdrawn(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;
/* Not submitted by itself: it cannot be. */
enum status feedback_image_rows_hold(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

/* What the submission of a picture put into a dataset version. */
struct feedback_asset_row {
	struct uuid predicted_asset_id, dataset_version_id, asset_id, review_id, annotation_id;
	bool created_asset;
};
enum status feedback_asset_rows_insert(
	struct db_conn *c, const struct feedback_asset_row *row, struct err *err) MUST_CHECK;
enum status feedback_asset_rows_of_image(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct feedback_asset_row **items, size_t *count, struct err *err) MUST_CHECK;
enum status feedback_asset_rows_delete_of_image(
	struct db_conn *c, struct uuid predicted_asset_id, struct err *err) MUST_CHECK;

#endif
