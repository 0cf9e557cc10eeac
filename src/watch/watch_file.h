/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file watch.db. It holds nothing that the log does not: when it is not of this binary's form, or not of
 * the log beside it, it is removed and begun anew.
 */
#ifndef GYRE_WATCH_WATCH_FILE_H
#define GYRE_WATCH_WATCH_FILE_H

#include "store/db.h"

/* Counted up when the same schema is to be filled otherwise: packed forms, bins, what counts. */
#define WATCH_FORM 1

/* log: gyre.db. *why: a sentence when there was a file and it is begun anew, else "". */
enum status watch_file_open(
	const char *path, struct db_conn *log, struct db **out, char why[200], struct err *err) MUST_CHECK;
/* An empty one in a database of that kind: for what is compared with it. */
enum status watch_file_fill(struct db *db, struct err *err) MUST_CHECK;
/* As it is, for reading alone: *fits false, with the reason, when watch_file_open() would begin it anew. */
enum status watch_file_check(
	struct db_conn *watch, struct db_conn *log, bool *fits, char why[200], struct err *err) MUST_CHECK;
/* Inside the transaction that moves the position: a prediction that was counted. */
enum status watch_file_note(
	struct db_conn *watch, int64_t position, struct uuid prediction_id, struct err *err) MUST_CHECK;

#endif
