/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of trainings share: training.c works on them, training_change.c opens, cancels, retries. */
#ifndef GYRE_LEARN_TRAINING_INSIDE_H
#define GYRE_LEARN_TRAINING_INSIDE_H

#include "learn/training.h"
#include "os/bell.h"
#include "os/thread.h"

#include <stdatomic.h>
#include <string.h>

struct training;
struct trainings {
	/* By place in stages.def; NULL: those themselves. Tests put others in, which take no minutes. */
	enum status (*const *stages)(struct training *t, struct err *err);
	struct trainings_options options;
	struct arena arena;            /* of the command */
	_Atomic(const char *) command; /* for a shell, with {job} and {run}; NULL: there is no trainer yet */
	bool built_in;                 /* it is gyre-train, found here … */
	const char *program;           /* … by this path; both are set before command is */
	struct bell bell;              /* rings for the thread: a new row, a wish to leave */
	struct bell check_bell;        /* for the thread that asks what can be trained */
	thread_handle thread, check_thread;
	bool started;
	_Atomic bool stopping;
	pthread_mutex_t mutex;  /* of what follows */
	struct uuid working_id; /* zero: none */
	struct uuid cancel_id;  /* of the one that is to leave */
	char cancel_who[128];
	char *version; /* of the trainer; NULL: not said */
	char *broken;  /* why it does not run, a sentence; NULL: it does, as far as is known */
	double left_s; /* of the one that is worked on; below 0: unknown */
};

static inline bool training_is_open(const struct training_row *row)
{
	return strcmp(row->status, "WAITING") == 0 || strcmp(row->status, "RUNNING") == 0;
}

/* Whether gyre-train is to be looked for: nobody named a command, or switched training off. */
bool trainings_look_for_trainer(const struct trainings *all);
/* False: it is not there (yet). */
bool trainings_find_trainer(struct trainings *all);
/* The thread that looks for gyre-train and asks it which versions it can train. */
void trainings_check(void *trainings);

/* The sentence. */
const char *trainings_no_trainer(void);

/* Works on the oldest that is open, to its end. False: there is none, or it cannot be worked on. */
bool trainings_work(struct trainings *all);
/* For a job of the recorder. */
enum status training_set_experiment(
	struct db_conn *c, struct uuid experiment_id, const char *status, struct err *err) MUST_CHECK;

#endif
