/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Continuous Training of a deployment: what counts towards the next training, whether it is due, and the one
 * transaction that opens it (docs/internals/loop.md). All of it is a function of the database and of the time
 * that is handed in.
 */
#ifndef GYRE_LEARN_CONTINUOUS_TRAINING_H
#define GYRE_LEARN_CONTINUOUS_TRAINING_H

#include "store/dataset_rows.h"
#include "store/deployment_rows.h"
#include "store/model_rows.h"
#include "store/pipeline_rows.h"
#include "store/training_rows.h"

#define CONTINUOUS_TRAINING_THRESHOLD 50 /* where nobody said another */
#define CONTINUOUS_TRAINING_DATASETS_MAX 16
#define CONTINUOUS_TRAINING_FAILURES_MAX 2 /* so many in a row pause it */

struct continuous_training_dataset {
	const char *name; /* alias */
	struct dataset_version_row version;
	int64_t images, evaluation; /* evaluation: of these, to measure with only */
};

/* Why it cannot run, as a sentence. */
struct continuous_training_problem {
	const char *text;
	bool later;      /* about what is set after the rest: saving is not refused for it */
	bool of_trigger; /* about the trigger alone: "Train now" is not refused for it */
};
#define CONTINUOUS_TRAINING_PROBLEMS_MAX 24

struct continuous_training {
	struct continuous_training_row row; /* defaults where it is not set */
	bool set;
	struct deployment_row deployment;
	struct model_version_row base;                /* that is retrained: the champion, or the chosen one */
	const char *base_model;                       /* its name */
	struct continuous_training_dataset *datasets; /* by name */
	size_t dataset_count;
	struct submission_counts counts;
	struct training_row open, last; /* id zero: none; last: of the highest epoch */
	struct continuous_training_problem problems[CONTINUOUS_TRAINING_PROBLEMS_MAX];
	size_t problem_count;
};

/* Of one snapshot; all in the arena. no_trainer: the sentence that says why there is none; NULL: there is. */
enum status continuous_training_read(struct db_conn *c, struct uuid deployment_id, const char *no_trainer,
	int64_t now_us, struct arena *a, struct continuous_training *out, struct err *err) MUST_CHECK;

/* Like "43": what the page shows beside the threshold. */
int64_t continuous_training_submitted(const struct continuous_training *t);
/* Submissions a day of the last week; below 0: not known yet. */
double continuous_training_pace(const struct continuous_training *t, int64_t now_us);

enum continuous_training_state {
	CONTINUOUS_TRAINING_OFF,
	CONTINUOUS_TRAINING_UNREADY, /* on, but problems */
	CONTINUOUS_TRAINING_COUNTING,
	CONTINUOUS_TRAINING_RUNNING,
	CONTINUOUS_TRAINING_PAUSED, /* too many failures */
};
/* *text: a sentence, in the arena. */
enum continuous_training_state continuous_training_state(
	const struct continuous_training *t, struct arena *a, const char **text);

/* What opens the next epoch now: "FEEDBACK_LOOP", "DRIFT", "SCHEDULE"; NULL: nothing does. */
enum status continuous_training_due(struct db_conn *c, const struct continuous_training *t, int64_t now_us,
	const char **trigger, struct err *err) MUST_CHECK;

/* The defaults of a deployment that has none: parameters of the champion, its project. In the arena. */
enum status continuous_training_suggest(struct db_conn *c, const struct continuous_training *t,
	struct arena *a, const char **parameters, struct uuid *project_id, struct err *err) MUST_CHECK;

/* ---- jobs of the recorder ---- */

struct continuous_training_opening {
	struct uuid deployment_id;
	bool by_hand;           /* else only when it is due, looked at again in the job */
	const char *who;        /* "gyre" */
	const char *no_trainer; /* as of continuous_training_read() */
	int64_t now_us;
	struct arena *arena;
	/* Found by the job: */
	bool opened;
	struct training_row training;
};
/* The next epoch, once: the training with its experiment, and what counted is had. By hand: ST_CONFLICT while
 * one is open, ST_UNPROCESSABLE with the first problem. */
enum status continuous_training_open_job(struct db_conn *c, void *arg, struct err *err) MUST_CHECK;

typedef enum status training_end_counted(
	void *arg, struct db_conn *c, const struct training_row *row, int64_t now_us, struct err *err);
struct continuous_training_settling {
	struct uuid deployment_id;
	int64_t now_us;
	training_end_counted *ended; /* told of it inside the job; NULL: nobody is */
	void *ended_arg;
	/* Found by the job: the last training's end was not counted before, and was a failure. */
	bool failed, paused;
};
/* The end of the last training counts, once: a success forgives, a failure is told, the second in a row
 * pauses. */
enum status continuous_training_settle_job(struct db_conn *c, void *arg, struct err *err) MUST_CHECK;

#endif
