/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GYRE_STORE_DB_SQLITE_H
#define GYRE_STORE_DB_SQLITE_H

#include "store/db.h"

/* WAL, synchronous=FULL, foreign keys on, wal_autocheckpoint=0 (the recorder checkpoints). Creates the file (mode 0600). */
enum status db_sqlite_open(const char *path, struct db **out, struct err *err) MUST_CHECK;

/* Move the log into the database file: passive beside a writer, or (truncate) by the writer between two commits. */
enum status db_sqlite_checkpoint(struct db_conn *c, bool truncate, struct err *err) MUST_CHECK;

#endif
