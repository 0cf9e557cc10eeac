/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of shadows: which versions follow which deployment, how far they are, and what comes next in the log.
 */
#ifndef GYRE_STORE_SHADOW_ROWS_H
#define GYRE_STORE_SHADOW_ROWS_H

#include "store/rows.h"

#define SHADOW_ROLE_HAND "HAND"           /* a person wished it */
#define SHADOW_ROLE_CANDIDATE "CANDIDATE" /* a training made it */
#define SHADOW_ROLE_HELD "HELD"           /* the same, and the gate held it back */
#define SHADOW_ROLE_FORMER "FORMER"       /* the champion before */

struct shadow_row {
	struct uuid id; /* of this following: a version that is removed and set again gets another */
	struct uuid deployment_id, model_version_id;
	int64_t since_us;
	int64_t position;        /* in the log, up to which it has predicted or skipped */
	const char *role;        /* SHADOW_ROLE_HAND …; NULL when inserted: a person's */
	const char *reason;      /* a sentence: of HELD and FORMER; NULL: none */
	struct uuid training_id; /* that it came from; zero: none */
	int64_t until_us;        /* then it is removed by itself; 0: it stays */
	/* Only read, from 0 on: */
	int64_t predictions;             /* stored by it */
	int64_t compared;                /* those of images that the present champion predicted */
	int64_t cpu_us, champion_cpu_us; /* of both runs on the compared ones */
	int64_t skipped;
	const char *skipped_text; /* why the last one was, or NULL */
	bool elsewhere; /* its deployment predicts elsewhere, and so does it: nobody follows the log */
};

/* ST_CONFLICT when the version is a shadow of this deployment already. */
enum status shadow_rows_insert(struct db_conn *c, const struct shadow_row *s, struct err *err) MUST_CHECK;
/* The newest first. */
enum status shadow_rows_list(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct shadow_row **items, size_t *count, struct err *err) MUST_CHECK;
/* Of all deployments; their ids alone, each once. */
enum status shadow_rows_deployments(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;
enum status shadow_rows_delete(struct db_conn *c, struct uuid deployment_id, struct uuid model_version_id,
	bool *existed, struct err *err) MUST_CHECK;
/* Whose time is over. */
enum status shadow_rows_over(struct db_conn *c, int64_t now_us, struct arena *a, struct shadow_row **items,
	size_t *count, struct err *err) MUST_CHECK;
/* Comparisons begin anew: the deployment has another champion. */
enum status shadow_rows_compare_anew(
	struct db_conn *c, struct uuid deployment_id, struct err *err) MUST_CHECK;

/* ---- the log ---- */

/* The position of the newest prediction of all; 0 when there is none. In a job of the recorder: what comes
 * later has a higher one. */
enum status shadow_rows_newest(struct db_conn *c, int64_t *position, struct err *err) MUST_CHECK;
/* How many predictions of its champions are behind a position. */
enum status shadow_rows_lag(struct db_conn *c, struct uuid deployment_id, int64_t position, int64_t *lag,
	struct err *err) MUST_CHECK;

/* A prediction of a champion, to be repeated. */
struct shadow_task {
	int64_t position;
	struct uuid predicted_asset_id, champion_version_id;
	double threshold; /* in force when the champion answered */
	int64_t champion_cpu_us;
	const char *sha256; /* of the image; NULL: its object is gone */
	bool done;          /* this version has predicted on it before */
};
/* Those behind a position, at most limit, in their order. */
enum status shadow_rows_tasks(struct db_conn *c, const struct shadow_row *shadow, int64_t after,
	int64_t limit, struct arena *a, struct shadow_task **items, size_t *count,
	struct err *err) MUST_CHECK;
/* That of one prediction; ST_MISSING when the champions of this deployment have none with that id. */
enum status shadow_rows_task(struct db_conn *c, const struct shadow_row *shadow, struct uuid prediction_id,
	struct arena *a, struct shadow_task *out, struct err *err) MUST_CHECK;

/* ---- what a shadow has done, inside a job ---- */

/* Is the image still there, and has the version not yet predicted on it? */
enum status shadow_rows_wanted(struct db_conn *c, struct uuid predicted_asset_id,
	struct uuid model_version_id, bool *wanted, struct err *err) MUST_CHECK;

struct shadow_progress {
	int64_t position;                                                /* 0: stays */
	int64_t predictions, compared, cpu_us, champion_cpu_us, skipped; /* are added */
	const char *skipped_text;                                        /* NULL: stays */
};
/* *followed false: the shadow was removed meanwhile, and nothing was changed. */
enum status shadow_rows_add(struct db_conn *c, struct uuid id, const struct shadow_progress *progress,
	bool *followed, struct err *err) MUST_CHECK;

#endif
