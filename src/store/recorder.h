/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one writer. Jobs from many threads are run in order and committed in
 * groups: a job returns ST_OK only after COMMIT was durable. A job that fails is
 * rolled back alone (SAVEPOINT); when the commit itself fails, all its jobs fail.
 */
#ifndef GYRE_STORE_RECORDER_H
#define GYRE_STORE_RECORDER_H

#include "store/db.h"

struct recorder;

/* Runs on the writer's thread inside the group's transaction. Must not block on anything else. */
typedef enum status recorder_job(struct db_conn *c, void *arg, struct err *err);

/* queue_max: jobs waiting; past it ST_UNAVAILABLE. group_max: jobs a commit (64 is near the best throughput). */
enum status recorder_start(struct db *db, unsigned queue_max, unsigned group_max, struct recorder **out, struct err *err) MUST_CHECK;
/* Run the job, wait for its commit. */
enum status recorder_run(struct recorder *r, recorder_job *job, void *arg, struct err *err) MUST_CHECK;
/* Finishes what was accepted, checkpoints, frees. */
void recorder_stop(struct recorder *r);

#endif
