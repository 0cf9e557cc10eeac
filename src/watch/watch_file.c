/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/watch_file.h"

#include "base/check.h"
#include "base/embed.h"
#include "base/hash.h"
#include "os/file.h"
#include "store/db_sqlite.h"
#include "store/log_rows.h"
#include "store/rows.h"
#include "watch/rollups.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* Written by tools/embed.sh from store/sql/watch/. */
extern const struct embedded_file watch_sql[];
extern const size_t watch_sql_count;

static void form(char out[SHA256_HEX_SIZE + 8])
{
	CHECK(watch_sql_count == 1);
	char hash[SHA256_HEX_SIZE];
	hash_sha256_hex(span_of(watch_sql[0].data, watch_sql[0].size), hash);
	snprintf(out, SHA256_HEX_SIZE + 8, "%d:%s", WATCH_FORM, hash);
}

static enum status fill(struct db_conn *c, struct err *err)
{
	char now[SHA256_HEX_SIZE + 8];
	form(now);
	TRY(db_script(c, (const char *)watch_sql[0].data, err));
	struct db_query q =
		db_query(c, "INSERT INTO made (one, form, position, prediction_id) VALUES (1, $1, 0, NULL)");
	db_bind_text(&q, now);
	return db_done(&q, err);
}

enum status watch_file_fill(struct db *db, struct err *err)
{
	struct db_conn *c;
	TRY(db_connect(db, true, &c, err));
	enum status st = db_script(c, "BEGIN", err);
	if (st == ST_OK)
		st = fill(c, err);
	if (st == ST_OK)
		st = db_script(c, "COMMIT", err);
	db_disconnect(c);
	return st;
}

enum status watch_file_note(
	struct db_conn *watch, int64_t position, struct uuid prediction_id, struct err *err)
{
	struct db_query q = db_query(watch, "UPDATE made SET position = $1, prediction_id = $2");
	db_bind_integer(&q, position);
	db_bind_uuid(&q, prediction_id);
	return db_done(&q, err);
}

/* ---- is it this one? ---- */

static enum status has_form(struct db_conn *watch, bool *has, struct err *err)
{
	int64_t tables;
	struct db_query q =
		db_query(watch, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'made'");
	TRY(rows_number(&q, &tables, err));
	*has = false;
	if (tables == 0)
		return ST_OK;
	char now[SHA256_HEX_SIZE + 8];
	struct arena a;
	arena_init(&a);
	form(now);
	q = db_query(watch, "SELECT form FROM made");
	if (db_next(&q))
		*has = strcmp(db_text(&q, 0, &a), now) == 0;
	arena_release(&a);
	return db_done(&q, err);
}

/* A prediction that was counted is the one that the log has there, if it has one. */
static enum status is_of_log(struct db_conn *watch, struct db_conn *log, bool *is, struct err *err)
{
	int64_t position = 0;
	struct uuid counted = {{0}};
	struct db_query q = db_query(watch, "SELECT position, prediction_id FROM made");
	if (db_next(&q)) {
		position = db_integer(&q, 0);
		counted = db_uuid(&q, 1);
	}
	TRY(db_done(&q, err));
	q = db_query(log, "SELECT id FROM prediction WHERE position = $1"
			  " UNION ALL SELECT id FROM gone_prediction WHERE position = $1");
	db_bind_integer(&q, position);
	*is = !db_next(&q) || uuid_equal(db_uuid(&q, 0), counted);
	return db_done(&q, err);
}

enum status watch_file_check(
	struct db_conn *watch, struct db_conn *log, bool *fits, char why[200], struct err *err)
{
	bool same;
	int64_t position, end;
	*fits = false;
	why[0] = '\0';
	TRY(has_form(watch, &same, err));
	if (!same) {
		snprintf(why, 200, "It is of another form, made by another version of gyre.");
		return ST_OK;
	}
	TRY(rollups_position(watch, &position, err));
	TRY(log_rows_end(log, &end, err));
	if (end < position) {
		snprintf(why, 200, "It is at position %lld of a log that ends at %lld.", (long long)position,
			(long long)end);
		return ST_OK;
	}
	TRY(is_of_log(watch, log, &same, err));
	if (!same)
		snprintf(why, 200, "It counted predictions of another log.");
	*fits = same;
	return ST_OK;
}

/* ---- opening ---- */

static enum status remove_files(const char *path, struct err *err)
{
	static const char *const endings[] = {"-wal", "-shm", ""};
	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		char name[PATH_MAX + 8];
		snprintf(name, sizeof(name), "%s%s", path, endings[i]);
		if (unlink(name) != 0 && errno != ENOENT)
			return err_errno(err, "The file %s cannot be removed", name);
	}
	return ST_OK;
}

static enum status check(struct db *db, struct db_conn *log, bool *fits, char why[200], struct err *err)
{
	struct db_conn *watch;
	TRY(db_connect(db, true, &watch, err));
	enum status st = watch_file_check(watch, log, fits, why, err);
	db_disconnect(watch);
	return st;
}

/* *out NULL: there is none, or none that fits. */
static enum status open_fitting(
	const char *path, struct db_conn *log, struct db **out, char why[200], struct err *err)
{
	bool fits;
	struct err reason;
	*out = NULL;
	if (!file_exists(path))
		return ST_OK;
	enum status st = db_sqlite_open_remade(path, out, &reason);
	if (st == ST_OK)
		st = check(*out, log, &fits, why, &reason);
	if (st == ST_OK && fits)
		return ST_OK;
	if (*out)
		db_close(*out);
	*out = NULL;
	if (st == ST_UNAVAILABLE) { /* the disk's fault, not the file's */
		if (err)
			*err = reason;
		return st;
	}
	if (st != ST_OK)
		snprintf(why, 200, "It cannot be read. %.170s", reason.text);
	return ST_OK;
}

enum status watch_file_open(
	const char *path, struct db_conn *log, struct db **out, char why[200], struct err *err)
{
	why[0] = '\0';
	TRY(open_fitting(path, log, out, why, err));
	if (*out)
		return ST_OK;
	TRY(remove_files(path, err));
	TRY(db_sqlite_open_remade(path, out, err));
	enum status st = watch_file_fill(*out, err);
	if (st != ST_OK)
		db_close(*out);
	return st;
}
