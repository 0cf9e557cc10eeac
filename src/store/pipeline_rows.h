/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of Continuous Training and Continuous Deployment: their settings, what counts towards the next
 * training, and the versions that were rolled back. Texts that are read live in the arena. */
#ifndef GYRE_STORE_PIPELINE_ROWS_H
#define GYRE_STORE_PIPELINE_ROWS_H

#include "store/rows.h"

/* ---- Continuous Training ---- */

#define TRIGGER_FEEDBACK_LOOP "FEEDBACK_LOOP"
#define TRIGGER_NONE "NONE"

struct continuous_training_row {
	struct uuid deployment_id;
	bool active;
	struct uuid project_id;       /* zero: it is gone */
	struct uuid model_version_id; /* to retrain; zero: the champion at that time */
	const char *parameters;       /* JSON object */
	const char *trigger;          /* TRIGGER_… */
	int64_t threshold;
	int64_t every_s; /* 0: no schedule */
	bool on_drift;
	int64_t drift_images_min;
	const char *trainer;
	int64_t epoch;           /* the last that was opened */
	int64_t failures;        /* in a row */
	struct uuid ended_id;    /* the training whose end was counted last; zero: none yet */
	int64_t ended_attempt;   /* and which attempt of it */
	const char *paused_text; /* NULL: it does not stand still */
	int64_t drift_us, last_us;
	int64_t created_us, updated_us;
	const char *updated_by;
};

/* *found false: it is not set. */
enum status continuous_training_rows_get(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct continuous_training_row *out, bool *found, struct err *err) MUST_CHECK;
/* New, or all of it anew but created_us. */
enum status continuous_training_rows_put(
	struct db_conn *c, const struct continuous_training_row *row, struct err *err) MUST_CHECK;
/* Deployments that have one. */
enum status continuous_training_rows_deployments(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;

struct continuous_training_dataset_row {
	const char *name; /* alias: train, val, test … */
	struct uuid dataset_version_id;
};
/* By name. */
enum status continuous_training_dataset_rows_list(struct db_conn *c, struct uuid deployment_id,
	struct arena *a, struct continuous_training_dataset_row **items, size_t *count,
	struct err *err) MUST_CHECK;
/* Takes the place of what has that name. ST_CONFLICT: the version is there under another. */
enum status continuous_training_dataset_rows_put(struct db_conn *c, struct uuid deployment_id,
	const struct continuous_training_dataset_row *row, struct err *err) MUST_CHECK;
enum status continuous_training_dataset_rows_delete(struct db_conn *c, struct uuid deployment_id,
	struct uuid dataset_version_id, bool *existed, struct err *err) MUST_CHECK;

/* ---- what counts ---- */

struct submission_counts {
	int64_t fresh;      /* pictures that no training has had */
	int64_t kept;       /* had by trainings that came to nothing, and by none since */
	int64_t evaluation; /* as fresh, but to measure with only: they do not count */
	int64_t recent;     /* fresh and not, submitted since since_us */
	int64_t recent_us;  /* when the first of those was; 0: none */
};
/* Of the versions that are attached, but those named test or val; each picture once, and none whose bytes are
 * in a version named test. */
enum status submission_rows_count(struct db_conn *c, struct uuid deployment_id, int64_t since_us,
	struct submission_counts *out, struct err *err) MUST_CHECK;
/* All that count (and those to measure with) are had by this epoch. */
enum status submission_rows_take(
	struct db_conn *c, struct uuid deployment_id, int64_t epoch, struct err *err) MUST_CHECK;
/* The same of those that a copy of one of the versions has: they came before it was frozen. */
enum status submission_rows_take_copied(struct db_conn *c, struct uuid from_id, struct uuid copy_id,
	struct uuid deployment_id, int64_t epoch, struct err *err) MUST_CHECK;

/* Assets of a dataset version, and how many of them are to measure with only. */
enum status continuous_training_rows_images(struct db_conn *c, struct uuid dataset_version_id,
	int64_t *images, int64_t *evaluation, struct err *err) MUST_CHECK;
/* When drift that still holds was told last; 0: none does. */
enum status continuous_training_rows_drift(
	struct db_conn *c, struct uuid deployment_id, int64_t *opened_us, struct err *err) MUST_CHECK;
/* What the trainer says of a model version (JSON); NULL: it was not asked. */
enum status continuous_training_rows_trainable(struct db_conn *c, struct uuid model_version_id,
	struct arena *a, const char **json, struct err *err) MUST_CHECK;

/* ---- Continuous Deployment ---- */

#define POLICY_SHADOW "DEPLOY_SHADOW"
#define POLICY_CHAMPION "DEPLOY_CHAMPION"
#define POLICY_MANUAL "DEPLOY_MANUAL"

#define KEEP_S_DEFAULT (7 * 24 * 3600)
#define TOLERANCE_DEFAULT 0.05

struct continuous_deployment_row {
	struct uuid deployment_id;
	bool active;
	const char *policy; /* POLICY_… */
	bool gate;
	double tolerance; /* 0…1 */
	bool promote_by_itself;
	int64_t keep_s;
	int64_t created_us, updated_us;
	const char *updated_by;
};

enum status continuous_deployment_rows_get(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct continuous_deployment_row *out, bool *found, struct err *err) MUST_CHECK;
enum status continuous_deployment_rows_put(
	struct db_conn *c, const struct continuous_deployment_row *row, struct err *err) MUST_CHECK;
/* Those that are active and promote by themselves. */
enum status continuous_deployment_rows_by_themselves(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;

/* ---- versions that were rolled back ---- */

enum status rolled_back_rows_put(struct db_conn *c, struct uuid deployment_id, struct uuid model_version_id,
	int64_t at_us, const char *who, struct err *err) MUST_CHECK;
enum status rolled_back_rows_delete(struct db_conn *c, struct uuid deployment_id,
	struct uuid model_version_id, struct err *err) MUST_CHECK;
enum status rolled_back_rows_has(struct db_conn *c, struct uuid deployment_id, struct uuid model_version_id,
	bool *has, struct err *err) MUST_CHECK;

#endif
