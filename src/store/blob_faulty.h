/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that fail by plan, around another implementation: for the contract suite and for tests of callers. */
#ifndef GYRE_STORE_BLOB_FAULTY_H
#define GYRE_STORE_BLOB_FAULTY_H

#include "store/blob.h"

enum blob_faulty_when {
	BLOB_FAULTY_BEFORE, /* the call does nothing and fails */
	BLOB_FAULTY_AFTER,  /* put and remove are carried out and their answer lost; the others do nothing */
};

/* Takes inner over: blob_close() closes both. Fails nothing until told to. */
struct blob *blob_faulty_new(struct blob *inner);

/* The nth call from now on (1: the next) fails once with st; this replaces an earlier plan. nth 0 ends the
 * plan. */
void blob_faulty_plan(struct blob *b, unsigned nth, enum blob_faulty_when when, enum status st);
unsigned blob_faulty_fired(struct blob *b); /* calls failed since the plan was made: 0 or 1 */
unsigned blob_faulty_left(struct blob *b);  /* calls until the failure; 0: it has been, or there is no plan */

#endif
