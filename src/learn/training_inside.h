/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of trainings share: training.c works on them, training_change.c opens, cancels, retries. */
#ifndef GYRE_LEARN_TRAINING_INSIDE_H
#define GYRE_LEARN_TRAINING_INSIDE_H

#include "learn/training.h"
#include "os/bell.h"
#include "os/thread.h"

#include <stdatomic.h>
#include <string.h>

struct trainings {
	struct trainings_options options;
	struct arena arena;  /* of the command */
	const char *command; /* for a shell, with {job} and {run}; NULL: there is no trainer */
	bool built_in;       /* it is gyre-train, found here */
	struct bell bell;    /* rings for the thread: a new row, a wish to leave */
	thread_handle thread;
	bool started;
	_Atomic bool stopping;
	pthread_mutex_t mutex;  /* of what follows */
	struct uuid working_id; /* zero: none */
	struct uuid cancel_id;  /* of the one that is to leave */
	char cancel_who[128];
	double left_s; /* of the one that is worked on; below 0: unknown */
};

static inline bool training_is_open(const struct training_row *row)
{
	return strcmp(row->status, "WAITING") == 0 || strcmp(row->status, "RUNNING") == 0;
}

/* The sentence. */
const char *trainings_no_trainer(void);

/* For a job of the recorder. */
enum status training_set_experiment(
	struct db_conn *c, struct uuid experiment_id, const char *status, struct err *err) MUST_CHECK;

#endif
