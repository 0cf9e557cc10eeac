/* SPDX-License-Identifier: Apache-2.0 */
/* Numbered migrations (sql/NNN_name.sql, embedded), each in one transaction. */
#ifndef GYRE_STORE_MIGRATE_H
#define GYRE_STORE_MIGRATE_H

#include "store/db.h"

int migrate_newest(void); /* number of the newest migration this binary knows */
/* Bring the database up to date. A schema newer than this binary is ST_CONFLICT with a sentence naming both numbers. */
enum status migrate_up(struct db_conn *c, struct err *err) MUST_CHECK;

#endif
