/* SPDX-License-Identifier: Apache-2.0 */
/* Numbered migrations (sql/NNN_name.sql, embedded), each in one transaction. */
#ifndef GYRE_STORE_MIGRATE_H
#define GYRE_STORE_MIGRATE_H

#include "base/embed.h"
#include "store/db.h"

int migrate_newest(void); /* number of the newest migration this binary knows */
/* Bring the database up to date. A schema newer than this binary is ST_CONFLICT with a sentence naming both
 * numbers. */
enum status migrate_up(struct db_conn *c, struct err *err) MUST_CHECK;
/* The same with another list, for a second database or a test: files named NNN_name.sql, numbered 1, 2, 3 …
 * in order. */
enum status migrate_files(
	struct db_conn *c, const struct embedded_file *files, int count, struct err *err) MUST_CHECK;

#endif
