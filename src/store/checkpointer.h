/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the database's log short without making commits wait: its own thread
 * and connection move the log into the database each time it has grown by
 * CHECKPOINT_PASSIVE_BYTES. Under saturation that never lets the log start
 * again from its beginning, so past CHECKPOINT_TRUNCATE_BYTES the writer itself
 * empties it between two commits.
 */
#ifndef GYRE_STORE_CHECKPOINTER_H
#define GYRE_STORE_CHECKPOINTER_H

#include "store/db.h"

#define CHECKPOINT_PASSIVE_BYTES (4 << 20)
#define CHECKPOINT_TRUNCATE_BYTES (64 << 20)

struct checkpointer;

/* *out is NULL when the database keeps no log; the other functions take that. */
enum status checkpointer_start(struct db *db, struct checkpointer **out, struct err *err) MUST_CHECK;
/* By the writer, outside a transaction, after each commit. */
void checkpointer_after_commit(struct checkpointer *p, struct db_conn *writer);
void checkpointer_stop(struct checkpointer *p);

#endif
