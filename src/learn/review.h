/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reviews: what people say of what a deployment saw. What kind a review is, what may be saved over what, and
 * the jobs of the recorder that save. docs/internals/review.md.
 */
#ifndef GYRE_LEARN_REVIEW_H
#define GYRE_LEARN_REVIEW_H

#include "store/deployment_rows.h"
#include "store/prediction_rows.h"
#include "store/queue_rows.h"
#include "store/recorder.h"
#include "store/review_draft_rows.h"
#include "store/review_rows.h"
#include "task/drawn.h"

/* ---- rules, without a database ---- */

/* A classified image has at most one class and nothing else; other images have boxes and polygons. ST_INVALID
 * with a sentence. */
enum status review_check(enum task task, const struct drawn_shapes *shapes, struct err *err) MUST_CHECK;
/* "NOTHING", "ACCEPTED" (the same as the answer) or "CORRECTED". */
const char *review_kind(
	const struct drawn_shapes *shapes, const struct drawn_shapes *answer, struct arena *a);

/* What is stored of an image: a draft, a review that counts, both (the draft is younger) or neither.
 * Revisions 0: there is none. */
struct review_state {
	int64_t draft_revision, review_revision;
	bool draft_mine, review_mine; /* of the person who saves */
};
/* Whether a review, or a draft, that builds on a revision (0: on nothing) would overwrite what its author has
 * not seen. */
bool review_overwrites(const struct review_state *s, int64_t base_revision);
bool review_draft_overwrites(const struct review_state *s, int64_t base_revision);

/* ---- an image that is to be reviewed ---- */

struct review_image {
	struct deployment_row deployment;
	enum task task;
	struct predicted_row row;   /* with the champion's prediction */
	struct drawn_shapes answer; /* of the champion at the deployment's threshold, of the labels shown */
};
/* ST_MISSING. */
enum status review_image_read(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct review_image *out, struct err *err) MUST_CHECK;

/* ---- saving ---- */

#define REVIEW_BASE_ANY (-1) /* who asks does not know drafts: the last review counts */

struct review_save {
	struct review_row review;
	int64_t base_revision; /* or REVIEW_BASE_ANY */
	struct arena *arena;
	/* Found by the job: */
	bool repeated; /* this operation was saved before: review is what it saved */
	bool conflict; /* with ST_CONFLICT: `stored` is what it would have overwritten */
	struct review_draft_row stored;
	const char *stored_kind; /* of a review; NULL: it is a draft */
};
/* Jobs of the recorder; arg is the struct review_save. */
enum status review_save_job(struct db_conn *c, void *arg, struct err *err) MUST_CHECK;

struct review_draft_save {
	struct review_draft_row draft; /* revision: found by the job */
	struct uuid user_id;
	int64_t base_revision;
	struct arena *arena;
	/* As above. */
	bool conflict;
	struct review_draft_row stored;
	const char *stored_kind;
};
enum status review_draft_save_job(struct db_conn *c, void *arg, struct err *err) MUST_CHECK;

#endif
