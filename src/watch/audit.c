/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything anew from the log into an empty watch.db, and the two compared row by row, byte by byte. The
 * counting is the same code; what is checked is that each prediction was counted once, whatever crashed.
 */
#include "base/check.h"
#include "os/file.h"
#include "store/db_sqlite.h"
#include "store/rows.h"
#include "watch/counting.h"
#include "watch/rollups.h"
#include "watch/watch_file.h"
#include "watch/watch_inside.h"

#include <limits.h>
#include <stdio.h>

struct audits {
	struct audit *out;
	struct arena *arena;
	struct db_conn *log, *stored, *anew;
	struct counting how;
};

static void differ(struct audits *a, const char *sentence)
{
	if (a->out->differences < COUNT_OF(a->out->first))
		a->out->first[a->out->differences] = arena_strdup(a->arena, sentence);
	a->out->differences++;
}

/* ---- counting anew ---- */

static enum status read_cuts(struct audits *a, struct err *err)
{
	struct counting_cut *cuts = NULL;
	size_t room = 0;
	struct db_query q = db_query(
		a->stored, "SELECT deployment_id, threshold, position FROM recut WHERE position >= 0");
	for (a->how.cut_count = 0; db_next(&q); a->how.cut_count++) {
		cuts = rows_grow(a->arena, cuts, a->how.cut_count, &room, sizeof(*cuts));
		cuts[a->how.cut_count] =
			(struct counting_cut){db_uuid(&q, 0), db_real(&q, 1), db_integer(&q, 2)};
	}
	a->how.cuts = cuts;
	return db_done(&q, err);
}

static enum status count_some(
	struct audits *a, struct arena *rows_arena, int64_t *position, bool *more, struct err *err)
{
	struct watch_rows rows;
	TRY(watch_rows_read(a->log, (struct uuid){{0}}, *position, a->out->position, rows_arena, &rows, err));
	a->out->predictions += (int64_t)rows.count;
	*more = rows.more;
	if (rows.to)
		*position = rows.to;
	return counting_add(a->anew, &a->how, rows.items, rows.count, err);
}

static enum status count_anew(struct audits *a, struct err *err)
{
	int64_t position = 0;
	for (bool more = true; more;) {
		struct arena rows_arena;
		arena_init(&rows_arena);
		enum status st = db_script(a->anew, "BEGIN", err);
		if (st == ST_OK)
			st = count_some(a, &rows_arena, &position, &more, err);
		if (st == ST_OK)
			st = db_script(a->anew, "COMMIT", err);
		arena_release(&rows_arena);
		TRY(st);
	}
	return ST_OK;
}

/* ---- comparing ---- */

#define NAMED                                                                                                \
	"'deployment ' || lower(hex(x.deployment_id)) || ', ' || CASE x.view WHEN 0 THEN 'as answered'"      \
	" ELSE 'at the setting' END || ', from ' ||"                                                         \
	" strftime('%Y-%m-%dT%H:%M:%SZ', x.start_us / 1000000, 'unixepoch') || ', version ' ||"              \
	" lower(hex(x.version_id)) || ', source \"' || x.source || '\"'"
#define SAME_PLACE                                                                                           \
	"y.deployment_id = x.deployment_id AND y.view = x.view AND y.source = x.source"                      \
	" AND y.start_us = x.start_us AND y.version_id = x.version_id"
#define ROLLUP_NAMED                                                                                         \
	NAMED " || ', ' || x.level_s || ' s' || CASE x.is_shadow WHEN 0 THEN '' ELSE ', a shadow' END"
#define ROLLUP_SAME SAME_PLACE " AND y.level_s = x.level_s AND y.is_shadow = x.is_shadow"
#define HEAT_NAMED NAMED " || ', label ' || x.label"
#define HEAT_SAME SAME_PLACE " AND y.label = x.label"
#define SAMPLE_NAMED "'deployment ' || lower(hex(x.deployment_id)) || ', position ' || x.position"
#define SAMPLE_SAME "y.deployment_id = x.deployment_id AND y.start_us = x.start_us AND y.hash = x.hash"
#define DAY_NAMED                                                                                            \
	"'deployment ' || lower(hex(x.deployment_id)) || ', from ' ||"                                       \
	" strftime('%Y-%m-%dT%H:%M:%SZ', x.start_us / 1000000, 'unixepoch')"
#define DAY_SAME "y.deployment_id = x.deployment_id AND y.start_us = x.start_us"
#define SOURCE_NAMED "'deployment ' || lower(hex(x.deployment_id)) || ', \"' || x.name || '\"'"
#define SOURCE_SAME "y.deployment_id = x.deployment_id AND y.name = x.name"

/* What is stored and is otherwise, or not at all, when it is counted anew; and what is missing. */
#define OTHERWISE(table, named, same, equal)                                                                 \
	"SELECT " named " FROM stored." table " x LEFT JOIN main." table " y ON " same                       \
	" WHERE NOT coalesce(" equal ", 0)"
#define MISSING(table, named, same)                                                                          \
	"SELECT " named " FROM main." table " x WHERE NOT EXISTS (SELECT 1 FROM stored." table               \
	" y WHERE " same ")"

static const struct {
	const char *what, *otherwise, *missing, *count;
} tables[] = {
	{"roll-up", OTHERWISE("rollup", ROLLUP_NAMED, ROLLUP_SAME, "y.summary = x.summary"),
		MISSING("rollup", ROLLUP_NAMED, ROLLUP_SAME), "SELECT count(*) FROM main.rollup"},
	{"heatmap", OTHERWISE("heat", HEAT_NAMED, HEAT_SAME, "y.grid = x.grid"),
		MISSING("heat", HEAT_NAMED, HEAT_SAME), "SELECT count(*) FROM main.heat"},
	{"sampled prediction",
		OTHERWISE("sample", SAMPLE_NAMED, SAMPLE_SAME,
			"y.position = x.position AND y.created_us = x.created_us"),
		MISSING("sample", SAMPLE_NAMED, SAMPLE_SAME), "SELECT count(*) FROM main.sample"},
	{"day's sample",
		OTHERWISE("sample_day", DAY_NAMED, DAY_SAME, "y.kept = x.kept AND y.largest = x.largest"),
		MISSING("sample_day", DAY_NAMED, DAY_SAME), "SELECT count(*) FROM main.sample_day"},
	{"source", OTHERWISE("source", SOURCE_NAMED, SOURCE_SAME, "y.name = x.name"),
		MISSING("source", SOURCE_NAMED, SOURCE_SAME), "SELECT count(*) FROM main.source"},
};

static enum status differences(
	struct audits *a, const char *sql, const char *what, const char *how, struct err *err)
{
	char sentence[480];
	struct arena names;
	arena_init(&names);
	struct db_query q = db_query(a->anew, sql);
	while (db_next(&q)) {
		snprintf(sentence, sizeof(sentence), "The %s of %.380s %s.", what, db_text(&q, 0, &names),
			how);
		differ(a, sentence);
	}
	arena_release(&names);
	return db_done(&q, err);
}

static enum status compare(struct audits *a, struct err *err)
{
	size_t *counts[COUNT_OF(tables)] = {&a->out->rollups, &a->out->heats, &a->out->samples};
	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		int64_t count;
		struct db_query q = db_query(a->anew, tables[i].count);
		TRY(rows_number(&q, &count, err));
		if (counts[i])
			*counts[i] = (size_t)count;
		TRY(differences(a, tables[i].otherwise, tables[i].what,
			"is stored, and the log says otherwise", err));
		TRY(differences(a, tables[i].missing, tables[i].what, "is missing", err));
	}
	return ST_OK;
}

/* ---- from outside ---- */

/* The stored file beside the one that is made, so that SQL compares them. */
static enum status attach(struct audits *a, const char *path, struct err *err)
{
	char quoted[2 * PATH_MAX + 1];
	size_t size = 0;
	for (const char *p = path; *p && size + 2 < sizeof(quoted); p++) {
		if (*p == '\'')
			quoted[size++] = '\'';
		quoted[size++] = *p;
	}
	quoted[size] = '\0';
	const char *front = path[0] == '/' ? "" : "./";
	return db_script(a->anew, arena_printf(a->arena, "ATTACH '%s%s' AS stored", front, quoted), err);
}

static enum status audit_connected(struct audits *a, const char *path, struct err *err)
{
	char why[200];
	bool fits;
	TRY(watch_file_check(a->stored, a->log, &fits, why, err));
	if (!fits)
		return err_set(err, ST_CONFLICT,
			"The file %.200s cannot be compared: it would be made anew at the next start. %s",
			path, why);
	TRY(rollups_position(a->stored, &a->out->position, err));
	a->how.answered = true;
	TRY(read_cuts(a, err));
	TRY(count_anew(a, err));
	TRY(attach(a, path, err));
	return compare(a, err);
}

static enum status connect_all(
	struct audits *a, struct db *log, struct db *stored, struct db *anew, struct err *err)
{
	TRY(watch_file_fill(anew, err));
	TRY(db_connect(log, false, &a->log, err));
	TRY(db_connect(stored, false, &a->stored, err));
	return db_connect(anew, true, &a->anew, err);
}

enum status watch_audit(
	struct db *log, const char *watch_path, struct arena *arena, struct audit *out, struct err *err)
{
	*out = (struct audit){0};
	struct audits a = {.out = out, .arena = arena};
	struct db *stored = NULL, *anew = NULL;
	if (!file_exists(watch_path))
		return err_set(
			err, ST_MISSING, "There is no file %.300s: nothing was counted yet.", watch_path);
	enum status st = db_sqlite_open_remade(watch_path, &stored, err);
	if (st == ST_OK)
		st = db_sqlite_open_temporary(&anew, err);
	if (st == ST_OK)
		st = connect_all(&a, log, stored, anew, err);
	if (st == ST_OK)
		st = audit_connected(&a, watch_path, err);
	db_disconnect(a.log);
	db_disconnect(a.stored);
	db_disconnect(a.anew);
	if (anew)
		db_close(anew);
	if (stored)
		db_close(stored);
	return st;
}
