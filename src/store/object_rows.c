/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of stored objects: a name is pending, then it has its bytes for good. */
#include "store/object_rows.h"

#include <string.h>

enum status object_rows_insert(struct db_conn *c, const struct object_row *o, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO object (name, sha256, content_type, size_bytes, created_us)"
			    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING");
	db_bind_text(&q, o->name);
	db_bind_text(&q, o->sha256);
	db_bind_text(&q, o->content_type);
	if (o->sha256)
		db_bind_integer(&q, o->size_bytes);
	else
		db_bind_null(&q);
	db_bind_integer(&q, o->created_us);
	TRY(db_done(&q, err));
	if (db_changes(c) == 1)
		return ST_OK;
	return err_set(err, ST_CONFLICT, "There is an object named \"%.200s\" already.", o->name);
}

enum status object_rows_reserve(struct db_conn *c, const char *name, int64_t now_us, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO object (name, created_us) VALUES ($1, $2)"
					" ON CONFLICT (name) DO NOTHING");
	db_bind_text(&q, name);
	db_bind_integer(&q, now_us);
	return db_done(&q, err);
}

static enum status compare(struct db_conn *c, const struct object_row *o, struct err *err)
{
	struct arena a;
	arena_init(&a);
	struct object_row stored;
	enum status st = object_rows_by_name(c, o->name, &a, &stored, err);
	if (st == ST_OK && (stored.sha256 == NULL || strcmp(stored.sha256, o->sha256) != 0))
		st = err_set(err, ST_CONFLICT, "The object \"%.200s\" is stored already, with other bytes.",
			o->name);
	arena_release(&a);
	return st;
}

enum status object_rows_store(struct db_conn *c, const struct object_row *o, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE object SET sha256 = $1, content_type = $2, size_bytes = $3"
					" WHERE name = $4 AND sha256 IS NULL");
	db_bind_text(&q, o->sha256);
	db_bind_text(&q, o->content_type);
	db_bind_integer(&q, o->size_bytes);
	db_bind_text(&q, o->name);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : compare(c, o, err);
}

enum status object_rows_by_name(
	struct db_conn *c, const char *name, struct arena *a, struct object_row *out, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT name, sha256, content_type, size_bytes, created_us FROM object"
			    " WHERE name = $1");
	db_bind_text(&q, name);
	bool found = db_next(&q);
	if (found) {
		*out = (struct object_row){
			.name = db_text(&q, 0, a),
			.sha256 = db_text(&q, 1, a),
			.content_type = db_text(&q, 2, a),
			.size_bytes = db_integer(&q, 3),
			.created_us = db_integer(&q, 4),
		};
	}
	TRY(db_done(&q, err));
	return found ? ST_OK : err_set(err, ST_MISSING, "There is no object named \"%.200s\".", name);
}

enum status object_rows_stored(
	struct db_conn *c, const char *name, struct arena *a, struct object_row *out, struct err *err)
{
	TRY(object_rows_by_name(c, name, a, out, err));
	return out->sha256 ? ST_OK
			   : err_set(err, ST_INVALID,
				     "The object \"%.200s\" has no bytes yet: upload it first.", name);
}

#define UNUSED                                                                                               \
	" AND NOT EXISTS (SELECT 1 FROM model_file f WHERE f.object_name = object.name)"                     \
	" AND NOT EXISTS (SELECT 1 FROM data d WHERE d.object_name = object.name)"                           \
	" AND NOT EXISTS (SELECT 1 FROM artifact a WHERE a.object_name = object.name)"                       \
	" AND NOT EXISTS (SELECT 1 FROM experiment e WHERE e.logging_object_name = object.name)"

enum status object_rows_release(struct db_conn *c, const char *name, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM object WHERE name = $1" UNUSED);
	db_bind_text(&q, name);
	return db_done(&q, err);
}

enum status object_rows_expire(struct db_conn *c, int64_t before_us, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM object WHERE sha256 IS NULL AND created_us < $1" UNUSED);
	db_bind_integer(&q, before_us);
	return db_done(&q, err);
}
