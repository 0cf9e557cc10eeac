/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrate.h"

#include "base/check.h"
#include "os/clock.h"

#include <stdlib.h>

/* Written by tools/embed.sh from sql/. */
extern const struct embedded_file store_sql[];
extern const size_t store_sql_count;

int migrate_newest(void)
{
	return (int)store_sql_count;
}

enum status migrate_up(struct db_conn *c, struct err *err)
{
	return migrate_files(c, store_sql, migrate_newest(), err);
}

/* Number of the newest migration that was applied, 0 for none. */
static enum status read_number(struct db_conn *c, int *number, struct err *err)
{
	struct db_query q = db_query(c, "SELECT max(number) FROM schema_migration");
	int64_t found = 0;
	if (db_next(&q))
		found = db_integer(&q, 0);
	TRY(db_done(&q, err));
	*number = (int)found;
	return ST_OK;
}

static enum status apply(struct db_conn *c, const struct embedded_file *file, int number, struct err *err)
{
	enum status st = db_script(c, (const char *)file->data, err);
	if (st != ST_OK)
		return err_set(err, st, "Migration %s failed. %s", file->name, err ? err->text : "");
	struct db_query q =
		db_query(c, "INSERT INTO schema_migration (number, name, at_us) VALUES ($1, $2, $3)");
	db_bind_integer(&q, number);
	db_bind_text(&q, file->name);
	db_bind_integer(&q, clock_unix_us());
	return db_done(&q, err);
}

/* In a transaction: look at the number again, since another process may migrate too, and apply the one after
 * it. */
static enum status next_step(
	struct db_conn *c, const struct embedded_file *files, int count, bool *more, struct err *err)
{
	TRY(db_script(c,
		"CREATE TABLE IF NOT EXISTS schema_migration ("
		"number INTEGER PRIMARY KEY, name TEXT NOT NULL, at_us INTEGER NOT NULL)",
		err));
	int number;
	TRY(read_number(c, &number, err));
	if (number > count)
		return err_set(err, ST_CONFLICT,
			"The database has schema %d, made by a newer gyre; this one knows schemas up to %d. "
			"Install the newer "
			"gyre again, or restore a backup from before it.",
			number, count);
	*more = number < count;
	return *more ? apply(c, &files[number], number + 1, err) : ST_OK;
}

enum status migrate_files(struct db_conn *c, const struct embedded_file *files, int count, struct err *err)
{
	for (int i = 0; i < count; i++)
		CHECK(strtol(files[i].name, NULL, 10) == i + 1); /* 001_…, 002_… without a gap */
	struct err reason;
	for (bool more = true; more;) {
		enum status st = db_script(c, "BEGIN", &reason);
		if (st == ST_OK)
			st = next_step(c, files, count, &more, &reason);
		if (st == ST_OK)
			st = db_script(c, "COMMIT", &reason);
		if (st != ST_OK) {
			(void)!db_script(c, "ROLLBACK", NULL);
			if (err)
				*err = reason;
			return st;
		}
	}
	return ST_OK;
}
