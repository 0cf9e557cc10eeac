/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL of the review queue: its settings, leases, batches, and what is known of the images that wait.
 * docs/internals/queue.md.
 */
#ifndef GYRE_STORE_QUEUE_ROWS_H
#define GYRE_STORE_QUEUE_ROWS_H

#include "store/rows.h"

/* ---- settings and counts ---- */

struct queue_settings {
	const char *queue_order; /* "newest", "unsure", "outlier" */
	double random_share;     /* 0…1 */
	const char *guide;
	const char *labels_shown; /* JSON list of names; NULL: all */
};

/* Those that were set, or the defaults. */
enum status queue_rows_settings(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct queue_settings *out, struct err *err) MUST_CHECK;
enum status queue_rows_set_settings(struct db_conn *c, struct uuid deployment_id,
	const struct queue_settings *settings, struct err *err) MUST_CHECK;

struct queue_counts {
	int64_t to_review, chosen_left, reviewed, submitted, skipped;
};
enum status queue_rows_counts(
	struct db_conn *c, struct uuid deployment_id, struct queue_counts *out, struct err *err) MUST_CHECK;
/* Images of the deployment that the person reviewed since then. */
enum status queue_rows_of_user(struct db_conn *c, struct uuid deployment_id, struct uuid user_id,
	int64_t since_us, int64_t *count, struct err *err) MUST_CHECK;

/* ---- leases ---- */

struct queue_lease {
	struct uuid predicted_asset_id, deployment_id;
	const char *client; /* of the browser's tab */
	struct uuid user_id;
	const char *who;
	int64_t until_us;
};

/* The lease of an image that still holds. *found false: none. */
enum status queue_rows_lease(struct db_conn *c, struct uuid predicted_asset_id, int64_t now_us,
	struct arena *a, struct queue_lease *out, bool *found, struct err *err) MUST_CHECK;
/* Those that ran out are gone. */
enum status queue_rows_expire(
	struct db_conn *c, struct uuid deployment_id, int64_t now_us, struct err *err) MUST_CHECK;
/* Takes, or renews one's own. *taken false: somebody else has it, or it is not TO REVIEW (any more). */
enum status queue_rows_take(
	struct db_conn *c, const struct queue_lease *lease, bool *taken, struct err *err) MUST_CHECK;
/* Gives back what this client of this person has. */
enum status queue_rows_release(
	struct db_conn *c, const struct queue_lease *lease, struct err *err) MUST_CHECK;
/* What this client of this person has; ids alone. */
enum status queue_rows_leased(struct db_conn *c, const struct queue_lease *lease, struct arena *a,
	struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;
/* Chosen images that nobody has, in their order, at most limit. Call queue_rows_expire() before. */
enum status queue_rows_next(struct db_conn *c, struct uuid deployment_id, int64_t limit, struct arena *a,
	struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;

/* Whether an image is in no burst yet (learn/burst.h). */
enum status queue_rows_unplaced(
	struct db_conn *c, struct uuid predicted_asset_id, bool *unplaced, struct err *err) MUST_CHECK;

/* ---- the digest: the log of answers, read once ---- */

struct queue_answer {
	int64_t position;
	struct uuid predicted_asset_id, model_version_id;
	double score_max;
	int64_t shape_count;
	struct span shapes;
	const char *image_stats;
};
/* Champions' answers behind a position, in their order. */
enum status queue_rows_answers(struct db_conn *c, struct uuid deployment_id, int64_t position, int64_t limit,
	struct arena *a, struct queue_answer **items, size_t *count, struct err *err) MUST_CHECK;

struct queue_digest {
	int64_t position;  /* 0: nothing was read */
	const char *stats; /* JSON */
};
enum status queue_rows_digest(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct queue_digest *out, struct err *err) MUST_CHECK;
enum status queue_rows_set_digest(struct db_conn *c, struct uuid deployment_id,
	const struct queue_digest *digest, struct err *err) MUST_CHECK;

/* An image that waits, or was chosen. */
struct queue_image {
	struct uuid id;
	double unsure, outlier; /* 0…1 */
	int64_t created_us;
	int64_t considered_from; /* the first batch that it could be in */
	int64_t chosen_batch;    /* 0: not chosen */
};
/* Writes what the digest found. */
enum status queue_rows_set_image(struct db_conn *c, const struct queue_image *image,
	const struct queue_answer *answer, struct err *err) MUST_CHECK;
/* Its best score by label name, for filters. */
enum status queue_rows_add_label(struct db_conn *c, struct uuid deployment_id, const char *name,
	int64_t position, double score, struct err *err) MUST_CHECK;

/* ---- batches ---- */

struct queue_batch {
	int64_t position; /* 0 before it is inserted */
	struct uuid deployment_id;
	int64_t at_us;
	const char *queue_order;
	double budget;
	int64_t pool; /* images that could be drawn */
	double weight_sum;
	double random_share;
};
enum status queue_rows_add_batch(struct db_conn *c, struct queue_batch *batch, struct err *err) MUST_CHECK;
/* Of one deployment, the oldest first. */
enum status queue_rows_batches(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct queue_batch **items, size_t *count, struct err *err) MUST_CHECK;
/* The newest of one deployment, 0: none; zero: of all. */
enum status queue_rows_newest_batch(
	struct db_conn *c, struct uuid deployment_id, int64_t *position, struct err *err) MUST_CHECK;
/* Images that wait to be drawn: read by the digest, not chosen, and TO REVIEW; or reviewed as a disagreement
 * of a shadow: the queue draws those as if they waited, so that its estimates do not miss them. */
enum status queue_rows_pool(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct queue_image **items, size_t *count, struct err *err) MUST_CHECK;

struct queue_choice {
	struct uuid predicted_asset_id;
	int64_t at_us, batch, order;
	const char *why;
	double chance;
};
/* Not when it is no image of the pool any more. */
enum status queue_rows_choose(
	struct db_conn *c, const struct queue_choice *choice, struct err *err) MUST_CHECK;
/* How one image was chosen. *found false: it was not, or is unknown. */
enum status queue_rows_image(struct db_conn *c, struct uuid predicted_asset_id, struct queue_image *out,
	bool *found, struct err *err) MUST_CHECK;
/* All of one deployment that were chosen. */
enum status queue_rows_chosen(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct queue_image **items, size_t *count, struct err *err) MUST_CHECK;

#endif
