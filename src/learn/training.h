/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trainings: from an experiment to the next version of its model, stage by stage (stages.def). The row of
 * store/training_rows.h is the truth; a thread works on the oldest that is open, one at a time. Each stage is
 * done once: its row is written with what it made, and a killed server goes on behind the last of them. What
 * trains is a process of its own behind learn/trainer.h, which may outlive the server.
 */
#ifndef GYRE_LEARN_TRAINING_H
#define GYRE_LEARN_TRAINING_H

#include "deploy/swap.h"
#include "store/blob.h"
#include "store/recorder.h"
#include "store/training_rows.h"

struct trainings;

/* What others do for a stage: peers of this layer, wired by the composition root. */
struct training_hooks {
	void *arg;
	/* Stage reference: Training Data of the deployment as the candidate sees it. begin: it is to be made,
	 * else only looked at. *there: it is, or there will be none. NULL: nobody makes it. */
	enum status (*reference)(
		void *arg, const struct training_row *row, bool begin, bool *there, struct err *err);
	/* Stage deploy: another champion, as deploy/swap.h's swap_run(); and, may be NULL, another shadow. */
	enum status (*swap)(void *arg, const struct swap *swap, struct err *err);
	void (*shadow_changed)(void *arg, struct uuid deployment_id, const char *who);
	/* After each change of a row: for live pages. Any thread. */
	void (*changed)(void *arg, const struct training_row *row);
	/* A line of its console, as it is stored. Any thread. */
	void (*logged)(void *arg, const struct training_row *row, const char *entry);
	/* A training ended, whichever way: Continuous Training counts failures. */
	void (*ended)(void *arg, const struct training_row *row);
};

struct trainings_options {
	struct db_readers *readers;
	struct recorder *recorder;
	struct blob *blobs;
	struct uuid organization_id; /* of models that are made */
	const char *folder;          /* <data>/runs */
	const char *command;         /* of the setting `trainer`; NULL: gyre-train where it is found */
	int64_t memory_bytes_max, time_s_max, silence_s_max; /* of the trainer; 0: no limit */
	unsigned threads;                                    /* of the trainer */
	struct training_hooks hooks;
};
enum status trainings_new(
	const struct trainings_options *options, struct trainings **out, struct err *err) MUST_CHECK;
enum status trainings_start(struct trainings *t, struct err *err) MUST_CHECK; /* with what was left undone */
void trainings_stop(struct trainings *t); /* the trainer's process is told to save and leave */
void trainings_free(struct trainings *t);
void trainings_poke(struct trainings *t); /* a row was inserted by a job of the recorder: look */

/* Whether there is a trainer, its name and version; else the sentence that says what to install. */
struct trainer_facts {
	bool available;
	const char *name, *version, *reason;
	int64_t memory_bytes_max; /* it may have; 0: no limit */
	unsigned threads;
};
void trainings_facts(struct trainings *t, struct arena *a, struct trainer_facts *out);
/* Seconds that a training is about to take still, as its trainer says; below 0: unknown. */
double trainings_left_s(struct trainings *t, struct uuid id);

/*
 * For a job of the recorder: the row for an experiment that has its datasets and parameters, WAITING in its
 * first stage. wish: trigger, why, who, deployment_id, epoch, model_id or model_name, arch. ST_CONFLICT: it
 * was launched before; ST_INVALID with the sentence: what is missing (no train data, no trainer, a base that
 * cannot be trained). Then trainings_poke().
 */
enum status training_open(struct db_conn *c, const struct training_row *wish, int64_t now_us, struct arena *a,
	struct training_row *out, struct err *err) MUST_CHECK;
enum status training_cancel(struct trainings *t, struct uuid id, const char *who, struct err *err) MUST_CHECK;
/* FAILED or CANCELED: again from the stage that failed. ST_CONFLICT: it runs, or was a success. */
enum status training_retry(struct trainings *t, struct uuid id, const char *who, struct err *err) MUST_CHECK;

#endif
