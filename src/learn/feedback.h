/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Feedback Loop of a deployment: what a review becomes in the dataset versions that are attached, and the
 * way back (docs/internals/feedback.md).
 */
#ifndef GYRE_LEARN_FEEDBACK_H
#define GYRE_LEARN_FEEDBACK_H

#include "store/annotation_rows.h"
#include "store/dataset_rows.h"
#include "store/feedback_rows.h"
#include "store/label_rows.h"
#include "store/recorder.h"

#define FEEDBACK_TARGETS_MAX 16
#define FEEDBACK_AT_ONCE 16 /* pictures of one transaction: predictions wait for it too, when they meet */

/* ---- the loop as it is ---- */

struct feedback_target {
	struct dataset_version_row version;
	int64_t since_us;
	struct label_row *labels;
	size_t label_count;
};

struct feedback {
	struct feedback_row row;
	bool set_up;
	struct feedback_target *targets;
	size_t target_count;
	struct feedback_label_row *labels; /* what people said, by label */
	size_t label_count;
};

/* Of one snapshot; all in the arena. That a loop is not set up is no error. */
enum status feedback_read(struct db_conn *c, struct uuid deployment_id, struct arena *a, struct feedback *out,
	struct err *err) MUST_CHECK;

/* What becomes of a label. */
enum feedback_fate {
	FEEDBACK_WAITS, /* nobody said, and it is not in all dataset versions; or what was said is not */
	FEEDBACK_GOES,  /* as *name */
	FEEDBACK_DROPPED,
};
/* *name: its name in the dataset versions; *make: it is made where it is missing. */
enum feedback_fate feedback_label(const struct feedback *f, const char *label, const char **name, bool *make);
/* What people said of a label; NULL: nothing. */
const struct feedback_label_row *feedback_said(const struct feedback *f, const char *label);

/* ST_CONFLICT or ST_LOCKED with the sentence that says why nothing can be submitted now. */
enum status feedback_open(const struct feedback *f, struct err *err) MUST_CHECK;

/* The labels of a review that wait, each once, in the arena. */
enum status feedback_waiting(const struct feedback *f, const char *shapes, struct arena *a,
	const char ***labels, size_t *count, struct err *err) MUST_CHECK;

/* ---- jobs of the recorder ---- */

struct feedback_problem {
	struct uuid id; /* of the picture */
	const char *text;
};

struct feedback_submission {
	struct uuid deployment_id;
	const struct uuid *ids; /* at most FEEDBACK_AT_ONCE; in bursts already */
	size_t count;
	bool by_itself; /* leave those that were taken back, or whose review is not old enough */
	int64_t now_us;
	struct arena *arena; /* of the problems, which is empty before */
	/* Found by the job: */
	size_t submitted, waiting, already;
	struct feedback_problem problems[FEEDBACK_AT_ONCE];
	size_t problem_count;
	struct uuid done[FEEDBACK_AT_ONCE]; /* that are submitted now */
};
/* All that can go, goes, once, into each dataset version, whose revision is one more. */
enum status feedback_submit_job(struct db_conn *c, void *arg, struct err *err) MUST_CHECK;

struct feedback_withdrawal {
	struct uuid id;
	bool force;                /* also when somebody corrected the annotation there since */
	struct uuid deployment_id; /* found by the job */
};
/* ST_CONFLICT: it is not submitted, or was corrected there; ST_LOCKED: a version is locked. */
enum status feedback_withdraw_job(struct db_conn *c, void *arg, struct err *err) MUST_CHECK;

/* ---- settings ---- */

struct feedback_attachment {
	struct uuid deployment_id, dataset_version_id;
	int64_t now_us;
};
/* ST_LOCKED, with a sentence that offers a fork; ST_CONFLICT: not set up, another type, or too many. What is
 * attached already is ST_OK. */
enum status feedback_attach_job(struct db_conn *c, void *arg, struct err *err) MUST_CHECK;

struct feedback_naming {
	struct uuid deployment_id;
	const struct feedback_label_row *rows; /* action NULL: nothing is said any more */
	size_t count;
};
/* ST_INVALID: an action is not known, or a name is not in all dataset versions. */
enum status feedback_name_job(struct db_conn *c, void *arg, struct err *err) MUST_CHECK;

/* The champion's labels. */
enum status feedback_champion_labels(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	const char ***labels, uint32_t *count, struct err *err) MUST_CHECK;

#endif
