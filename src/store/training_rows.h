/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of trainings and of the stages they have behind them. Texts that are read live in the arena; what is
 * not there is ST_MISSING with a sentence. */
#ifndef GYRE_STORE_TRAINING_ROWS_H
#define GYRE_STORE_TRAINING_ROWS_H

#include "store/rows.h"

struct training_row {
	struct uuid id, experiment_id;
	struct uuid deployment_id; /* zero: not by Continuous Training */
	int64_t epoch;             /* of the deployment, from 1; 0: none */
	const char *trigger;       /* FEEDBACK_LOOP, HAND, SCHEDULE, DRIFT, LAUNCH, FIRST */
	const char *why, *who;
	struct uuid model_id;   /* whose next version comes of it; zero: a new model */
	const char *model_name; /* of that; NULL: there is a model */
	const char *arch;       /* without a base; NULL: there is one */
	const char *trainer;
	const char *status, *stage;
	int64_t attempt;
	int64_t pid, pid_start; /* 0: no process */
	double progress;
	const char *message;
	int64_t exit_code; /* below 0: none */
	const char *error;
	struct uuid candidate_id;          /* zero: none yet */
	const char *evaluation, *decision; /* JSON, or NULL */
	int64_t cpu_us, memory_bytes;
	int64_t read_bytes, log_bytes, lines;        /* of the trainer's output and log: taken over so far */
	int64_t created_us, started_us, finished_us; /* 0: not yet */
};

/* ST_CONFLICT: the experiment has one, or the deployment has that epoch. */
enum status training_rows_insert(
	struct db_conn *c, const struct training_row *row, struct err *err) MUST_CHECK;
enum status training_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a, struct training_row *out,
	struct err *err) MUST_CHECK;
/* *found false: the experiment was never trained here. */
enum status training_rows_of_experiment(struct db_conn *c, struct uuid experiment_id, struct arena *a,
	struct training_row *out, bool *found, struct err *err) MUST_CHECK;
/* Newest first. deployment_id zero: of all. */
enum status training_rows_list(struct db_conn *c, struct uuid deployment_id, const struct rows_page *page,
	struct arena *a, struct training_row **items, size_t *count, int64_t *total,
	struct err *err) MUST_CHECK;
/* Of experiments that train on this dataset version or on a snapshot of it, the newest first. trigger:
 * "FIRST" …
 */
enum status training_rows_of_dataset(struct db_conn *c, struct uuid dataset_version_id, const char *trigger,
	struct arena *a, struct training_row **items, size_t *count, struct err *err) MUST_CHECK;
/* WAITING and RUNNING ones, the oldest first. */
enum status training_rows_open(struct db_conn *c, struct arena *a, struct training_row **items, size_t *count,
	struct err *err) MUST_CHECK;
/* Of a deployment: the one with the highest epoch. *found false: none yet. */
enum status training_rows_last(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct training_row *out, bool *found, struct err *err) MUST_CHECK;
/* Writes all that may change: from status on. */
enum status training_rows_update(
	struct db_conn *c, const struct training_row *row, struct err *err) MUST_CHECK;

/* A stage is done: once, with what it wants to know again (JSON, or NULL). */
enum status training_rows_stage_done(struct db_conn *c, struct uuid id, const char *stage, int64_t now_us,
	const char *detail, struct err *err) MUST_CHECK;
/* It is to be done again. */
enum status training_rows_stage_undo(
	struct db_conn *c, struct uuid id, const char *stage, struct err *err) MUST_CHECK;
struct training_stage_row {
	const char *stage, *detail;
	int64_t done_us;
};
enum status training_rows_stages(struct db_conn *c, struct uuid id, struct arena *a,
	struct training_stage_row **items, size_t *count, struct err *err) MUST_CHECK;

#endif
