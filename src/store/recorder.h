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

/* queue_max: jobs waiting, past it ST_UNAVAILABLE. group_max: jobs a commit; 64 is near the best throughput.
 */
enum status recorder_start(struct db *db, unsigned queue_max, unsigned group_max, struct recorder **out,
	struct err *err) MUST_CHECK;
/*
 * Run the job, wait for its commit. Not from inside a job. When the database fails (a full disk), every job
 * of the group gets ST_UNAVAILABLE or what the database said, and the recorder goes on with the next group:
 * it works again as soon as the database does. An error of the commit leaves one of two states, all of the
 * job or nothing; which one is not known.
 */
enum status recorder_run(struct recorder *r, recorder_job *job, void *arg, struct err *err) MUST_CHECK;
unsigned recorder_waiting(struct recorder *r); /* jobs in the queue, without the group that runs */
/* From now on recorder_run() answers ST_UNAVAILABLE; what was accepted is still committed. */
void recorder_refuse(struct recorder *r);
/* Refuses, finishes what was accepted, waits for its callers to leave, checkpoints, frees. */
void recorder_stop(struct recorder *r);

#endif
