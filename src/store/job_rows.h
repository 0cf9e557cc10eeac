/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of jobs: long work, listed for good. Texts that are read live in the arena. */
#ifndef GYRE_STORE_JOB_ROWS_H
#define GYRE_STORE_JOB_ROWS_H

#include "store/rows.h"

struct job_row {
	struct uuid id;
	const char *kind;   /* "check" */
	const char *status; /* "RUNNING", "SUCCESS", "FAILED", "TERMINATED" */
	struct uuid object_id;
	const char *who;
	double progress; /* 0…1 */
	const char *message;
	const char *error;               /* a sentence, or NULL */
	const char *result;              /* JSON, or NULL */
	int64_t created_us, finished_us; /* finished_us 0: it runs */
};

enum status job_rows_insert(struct db_conn *c, const struct job_row *j, struct err *err) MUST_CHECK;
/* Writes status, progress, message, error, result and the end. */
enum status job_rows_finish(struct db_conn *c, const struct job_row *j, struct err *err) MUST_CHECK;
/* What still runs by its row has failed with this sentence; *count of them. */
enum status job_rows_fail_running(
	struct db_conn *c, int64_t now_us, const char *error, int64_t *count, struct err *err) MUST_CHECK;
/* ST_MISSING with a sentence. */
enum status job_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct job_row *out, struct err *err) MUST_CHECK;
/* Newest first, without their results. object_id zero: of all objects. *total without the limit. */
enum status job_rows_list(struct db_conn *c, struct uuid object_id, int64_t limit, int64_t offset,
	struct arena *a, struct job_row **items, size_t *count, int64_t *total, struct err *err) MUST_CHECK;

#endif
