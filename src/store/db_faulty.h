/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database that fails by plan, around another: for the contract suite and
 * for tests of whatever must survive a database that is away.
 */
#ifndef GYRE_STORE_DB_FAULTY_H
#define GYRE_STORE_DB_FAULTY_H

#include "store/db.h"

enum db_faulty_call {
	DB_FAULTY_ANY, /* every call that can fail */
	DB_FAULTY_CONNECT,
	DB_FAULTY_SCRIPT,
	DB_FAULTY_COMMIT, /* script("COMMIT") alone */
	DB_FAULTY_PREPARE,
	DB_FAULTY_BIND,
	DB_FAULTY_STEP,
	DB_FAULTY_CHECKPOINT,
	DB_FAULTY_CALLS
};

enum db_faulty_when {
	DB_FAULTY_BEFORE, /* the call does nothing and fails */
	DB_FAULTY_AFTER,  /* the call is carried out and its answer lost (not CONNECT and PREPARE: they fail
			     before) */
};

/* Takes inner over: db_close() closes both. Fails nothing until told to. */
struct db *db_faulty_new(struct db *inner);

/*
 * The nth call of this kind from now on (1: the next) fails with st, and `count` - 1 more after it; this
 * replaces an earlier plan. nth 0 ends the plan. May be called while other threads use the database.
 */
void db_faulty_plan(struct db *db, enum db_faulty_call call, unsigned nth, unsigned count,
	enum db_faulty_when when, enum status st);
unsigned db_faulty_fired(struct db *db); /* calls failed since the plan was made */

#endif
