/* SPDX-License-Identifier: Apache-2.0 */
/* The database seam on SQLite: what is on disk is described in docs/internals/store.md. */
#ifndef GYRE_STORE_DB_SQLITE_H
#define GYRE_STORE_DB_SQLITE_H

#include "store/db.h"

/*
 * WAL, synchronous=FULL, foreign keys on, wal_autocheckpoint=0 (the recorder checkpoints). Creates the file
 * (mode 0600) in a folder that exists. A reading connection cannot write.
 */
enum status db_sqlite_open(const char *path, struct db **out, struct err *err) MUST_CHECK;

/*
 * The same for what can be made again from elsewhere: synchronous=NORMAL. A power cut may take the last
 * commits, all of one or nothing, and leaves what an earlier commit left; commits wait for no disk.
 */
enum status db_sqlite_open_remade(const char *path, struct db **out, struct err *err) MUST_CHECK;

/* The same over a file of its own among the system's temporary files, not synced, removed by db_close(): for
 * tests. */
enum status db_sqlite_open_temporary(struct db **out, struct err *err) MUST_CHECK;

#endif
