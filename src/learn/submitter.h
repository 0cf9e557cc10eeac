/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who submits: a thread, by itself, some minutes after a review; and whoever asks, by hand. The thread also
 * puts pictures into bursts soon after they were predicted on (learn/burst.h).
 */
#ifndef GYRE_LEARN_SUBMITTER_H
#define GYRE_LEARN_SUBMITTER_H

#include "learn/feedback.h"
#include "store/blob.h"

/* Pictures of a deployment were submitted; on the thread of whoever did it. */
typedef void submitter_submitted(void *arg, struct uuid deployment_id, const struct uuid *ids, size_t count);

struct submitter_options {
	struct db_readers *readers;
	struct recorder *recorder;
	struct blob *blobs;
	submitter_submitted *submitted; /* or NULL */
	void *submitted_arg;
};

struct submitter;
struct submitter *submitter_new(const struct submitter_options *options); /* does not start it */
void submitter_start(struct submitter *s);
/* The thread ends after what it has at hand, and `submitted` is not called by it any more. Waits for that. */
void submitter_stop(struct submitter *s);
void submitter_free(struct submitter *s); /* stops first */

/* Reviews or settings changed: look again. Takes no lock. It looks by itself every second or so too. */
void submitter_poke(struct submitter *s);

struct submitter_result {
	size_t submitted, waiting, already;
	struct feedback_problem *problems; /* the first SUBMITTER_PROBLEMS_MAX, in the arena */
	size_t problem_count, problems_left_out;
};
#define SUBMITTER_PROBLEMS_MAX 100

/* By hand: these, or with ids NULL all that are reviewed. feedback_open()'s errors when nothing can go. */
enum status submitter_submit(struct submitter *s, struct uuid deployment_id, const struct uuid *ids,
	size_t count, struct arena *a, struct submitter_result *out, struct err *err) MUST_CHECK;

/* What waits, and when the next goes by itself. Looks at the SUBMITTER_LOOKED_AT oldest reviews at most. */
#define SUBMITTER_LOOKED_AT 5000
struct submitter_counts {
	int64_t reviewed, submitted, waiting;
	struct {
		const char *label;
		int64_t pictures;
	} * labels; /* that are waited for, in the arena */
	size_t label_count;
	int64_t next_us; /* 0: nothing goes by itself */
};
enum status submitter_count(struct db_conn *c, const struct feedback *f, struct arena *a,
	struct submitter_counts *out, struct err *err) MUST_CHECK;

#endif
