/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data source gets another name, or is deleted: what was counted under its name follows. A rename is done
 * in place; where two would become one, everything is counted anew from the log.
 */
#include "base/check.h"
#include "os/log.h"
#include "store/rows.h"
#include "watch/rollups.h"
#include "watch/watch_inside.h"

#include <stdatomic.h>

struct renaming {
	const char *from, *to; /* to "": it has none any more */
};

static enum status is_counted(struct db_conn *c, const char *name, bool *is, struct err *err)
{
	int64_t count;
	struct db_query q = db_query(c, "SELECT count(*) FROM source WHERE name = $1");
	db_bind_text(&q, name);
	TRY(rows_number(&q, &count, err));
	*is = count > 0;
	return ST_OK;
}

/* Outlier scores and detectors stay: they are by position, and know nothing of sources' counts. */
static enum status begin_anew(struct db_conn *c, void *arg, struct err *err)
{
	TRY(db_script(c,
		"DELETE FROM rollup; DELETE FROM heat; DELETE FROM source; DELETE FROM sample;"
		" DELETE FROM sample_day; UPDATE recut SET position = 0; UPDATE made SET position = 0",
		err));
	return rollups_set_position(c, 0, err);
}

static enum status rename_in(struct db_conn *c, const char *sql, const struct renaming *r, struct err *err)
{
	struct db_query q = db_query_dynamic(c, sql);
	db_bind_text(&q, r->to);
	db_bind_text(&q, r->from);
	return db_done(&q, err);
}

static enum status follow_name(struct db_conn *c, void *arg, struct err *err)
{
	const struct renaming *r = arg;
	bool known, taken;
	TRY(rename_in(c, "UPDATE outlier SET source = $1 WHERE source = $2", r, err));
	TRY(is_counted(c, r->from, &known, err));
	if (!known) /* or among the others */
		return ST_OK;
	TRY(is_counted(c, r->to, &taken, err));
	if (taken || r->to[0] == '\0' || strcmp(r->to, ROLLUP_OTHER_SOURCE) == 0 ||
		strcmp(r->from, ROLLUP_OTHER_SOURCE) == 0)
		return begin_anew(c, NULL, err);
	TRY(rename_in(c, "UPDATE rollup SET source = $1 WHERE source = $2", r, err));
	TRY(rename_in(c, "UPDATE heat SET source = $1 WHERE source = $2", r, err));
	return rename_in(c, "UPDATE source SET name = $1 WHERE name = $2", r, err);
}

enum status watch_source_renamed(struct watch *w, const char *from, const char *to, struct err *err)
{
	struct renaming r = {from, to};
	atomic_fetch_add(&w->names, 1); /* what was read before is read again */
	TRY(recorder_run(w->recorder, follow_name, &r, err));
	TRY(watch_read_position(w, err)); /* it may be 0 again */
	watch_recorded(w);
	return ST_OK;
}

/* ---- while no server ran, or one ended in between ---- */

static enum status read_names(
	struct watch *w, struct arena *a, const char ***names, size_t *count, struct err *err)
{
	struct db_conn *c;
	size_t room = 0;
	TRY(db_reader_take(w->readers, &c, err));
	struct db_query q = db_query(c, "SELECT DISTINCT name FROM source");
	for (*count = 0; db_next(&q); (*count)++) {
		*names = rows_grow(a, *names, *count, &room, sizeof(**names));
		(*names)[*count] = db_text(&q, 0, a);
	}
	enum status st = db_done(&q, err);
	db_reader_give(w->readers, c);
	return st;
}

static enum status is_a_source(struct db_conn *log, const char *name, bool *is, struct err *err)
{
	int64_t count;
	struct db_query q = db_query(log, "SELECT count(*) FROM data_source WHERE name = $1");
	db_bind_text(&q, name);
	TRY(rows_number(&q, &count, err));
	*is = count > 0 || strcmp(name, ROLLUP_OTHER_SOURCE) == 0;
	return ST_OK;
}

static enum status check_names(struct watch *w, struct arena *a, bool *all, struct err *err)
{
	const char **names = NULL;
	size_t count;
	struct db_conn *log;
	*all = true;
	TRY(read_names(w, a, &names, &count, err));
	TRY(db_reader_take(w->options.readers, &log, err));
	enum status st = ST_OK;
	for (size_t i = 0; i < count && *all && st == ST_OK; i++)
		st = is_a_source(log, names[i], all, err);
	db_reader_give(w->options.readers, log);
	return st;
}

enum status watch_check_sources(struct watch *w, struct err *err)
{
	struct arena a;
	bool all;
	arena_init(&a);
	enum status st = check_names(w, &a, &all, err);
	arena_release(&a);
	TRY(st);
	if (all)
		return ST_OK;
	log_event(LOG_LEVEL_WARN, "watch_begins_anew", "file", w->options.path, "reason",
		"A data source that was counted is no more.", NULL);
	TRY(recorder_run(w->recorder, begin_anew, NULL, err));
	return watch_read_position(w, err);
}
