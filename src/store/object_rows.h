/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL of stored objects. A name is pending until its bytes arrive, and never gets
 * other bytes after that. Names are not content hashes: many may share one blob.
 */
#ifndef GYRE_STORE_OBJECT_ROWS_H
#define GYRE_STORE_OBJECT_ROWS_H

#include "store/db.h"

struct object_row {
	const char *name;
	const char *sha256;       /* key of the blob; NULL: pending */
	const char *content_type; /* NULL while pending */
	int64_t size_bytes;
	int64_t created_us;
};

/* A pending name (sha256 NULL) or one with its bytes, whose blob is stored already. ST_CONFLICT when the name
 * is there. */
enum status object_rows_insert(struct db_conn *c, const struct object_row *o, struct err *err) MUST_CHECK;
/* A pending name, or what is there. */
enum status object_rows_reserve(
	struct db_conn *c, const char *name, int64_t now_us, struct err *err) MUST_CHECK;
/* The bytes of a pending name arrived. The same bytes again are ST_OK, others ST_CONFLICT, no such name
 * ST_MISSING. */
enum status object_rows_store(struct db_conn *c, const struct object_row *o, struct err *err) MUST_CHECK;
enum status object_rows_by_name(struct db_conn *c, const char *name, struct arena *a, struct object_row *out,
	struct err *err) MUST_CHECK; /* ST_MISSING */
/* The same, and its bytes are there: ST_INVALID with a sentence while it is pending. */
enum status object_rows_stored(struct db_conn *c, const char *name, struct arena *a, struct object_row *out,
	struct err *err) MUST_CHECK;
/* Forget a name that nothing (data, model file, artifact, console) has any more. The blob stays: others may
 * share it. */
enum status object_rows_release(struct db_conn *c, const char *name, struct err *err) MUST_CHECK;
/* Forget names that are pending since before that time. */
enum status object_rows_expire(struct db_conn *c, int64_t before_us, struct err *err) MUST_CHECK;

#endif
