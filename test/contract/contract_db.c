/* SPDX-License-Identifier: Apache-2.0 */
/* store/db.h: one suite for the database seam, run on every implementation, and each call failing once. */
#include "base/arena.h"
#include "os/clock.h"
#include "os/thread.h"
#include "store/db.h"
#include "store/db_faulty.h"
#include "store/db_sqlite.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	struct db *db;
	struct db_conn *writer;
	struct arena arena;
	char folder[PATH_MAX];
	struct err err;
};

/* ---- the implementations ---- */

static struct db *make_file(struct fixture *f)
{
	char path[PATH_MAX + 8];
	struct db *db = NULL;
	snprintf(f->folder, sizeof(f->folder), "%s/contract-db-XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : P_tmpdir);
	assert_non_null(mkdtemp(f->folder));
	snprintf(path, sizeof(path), "%s/db", f->folder);
	assert_int_equal(db_sqlite_open(path, &db, &f->err), ST_OK);
	return db;
}

static struct db *make_temporary(struct fixture *f)
{
	struct db *db = NULL;
	assert_int_equal(db_sqlite_open_temporary(&db, &f->err), ST_OK);
	return db;
}

static struct db *make_faulty(struct fixture *f)
{
	return db_faulty_new(make_temporary(f));
}

static struct db *(*make)(struct fixture *f);

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	arena_init(&f->arena);
	f->db = make(f);
	assert_int_equal(db_connect(f->db, true, &f->writer, &f->err), ST_OK);
	const char *schema = "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT UNIQUE, number INTEGER,"
			     " real REAL, bytes BLOB, required TEXT NOT NULL DEFAULT 'x') STRICT;"
			     "CREATE TABLE part (thing_id INTEGER NOT NULL REFERENCES thing(id)) STRICT;";
	assert_int_equal(db_script(f->writer, schema, &f->err), ST_OK);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	db_disconnect(f->writer);
	db_close(f->db);
	if (f->folder[0]) {
		char path[PATH_MAX + 8];
		snprintf(path, sizeof(path), "%s/db", f->folder);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(rmdir(f->folder), 0); /* the last connection removed the log */
	}
	arena_release(&f->arena);
	free(f);
	return 0;
}

/* ---- helpers ---- */

static void run(struct fixture *f, const char *sql)
{
	if (db_script(f->writer, sql, &f->err) != ST_OK)
		fail_msg("%s: %s", sql, f->err.text);
}

static enum status insert(struct db_conn *c, int64_t id, const char *name, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO thing (id, name) VALUES ($1, $2)");
	db_bind_integer(&q, id);
	db_bind_text(&q, name);
	return db_done(&q, err);
}

static int64_t count(struct db_conn *c)
{
	struct err err;
	struct db_query q = db_query(c, "SELECT count(*) FROM thing");
	assert_true(db_next(&q));
	int64_t n = db_integer(&q, 0);
	assert_int_equal(db_done(&q, &err), ST_OK);
	return n;
}

/* ---- values ---- */

static void check_row(
	struct db_query *q, struct arena *a, int64_t number, double real, const char *text, struct span bytes)
{
	assert_true(db_next(q));
	assert_true(db_integer(q, 0) == number);
	assert_true(db_real(q, 1) == real);
	const char *found = db_text(q, 2, a);
	if (text == NULL)
		assert_null(found);
	else
		assert_string_equal(found, text);
	struct span blob = db_blob(q, 3, a);
	assert_true(span_equal(blob, bytes));
	assert_int_equal(blob.data == NULL, bytes.data == NULL);
	assert_int_equal(db_is_null(q, 2), text == NULL);
	assert_int_equal(db_is_null(q, 3), bytes.data == NULL);
}

static void test_values_come_back(void **state)
{
	struct fixture *f = *state;
	static uint8_t large[200000];
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (uint8_t)(i * 31);
	const struct {
		int64_t number;
		double real;
		const char *text;
		struct span bytes;
	} rows[] = {
		{INT64_MIN, -DBL_MAX, "", span_of("", 0)},
		{INT64_MAX, DBL_MIN, "Kätzchen 'quoted' \"twice\" 🐈", span_of("\0\1\0", 3)},
		{0, INFINITY, NULL, (struct span){0}},
		{-1, 0.1, "$1 ? :x", span_of(large, sizeof(large))},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct db_query q = db_query(f->writer,
			"INSERT INTO thing (id, number, real, name, bytes) VALUES ($1, $2, $3, $4, $5)");
		db_bind_integer(&q, (int64_t)i);
		db_bind_integer(&q, rows[i].number);
		db_bind_real(&q, rows[i].real);
		db_bind_text(&q, rows[i].text);
		db_bind_blob(&q, rows[i].bytes);
		assert_int_equal(db_done(&q, &f->err), ST_OK);
		assert_int_equal(db_changes(f->writer), 1);
	}
	struct db_query q = db_query(f->writer, "SELECT number, real, name, bytes FROM thing ORDER BY id");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&q, &f->arena, rows[i].number, rows[i].real, rows[i].text, rows[i].bytes);
	assert_false(db_next(&q));
	assert_int_equal(db_done(&q, &f->err), ST_OK);
}

static void test_copies_outlive_the_step(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(insert(f->writer, 1, "first", &f->err), ST_OK);
	assert_int_equal(insert(f->writer, 2, "second", &f->err), ST_OK);
	struct db_query q = db_query(f->writer, "SELECT name FROM thing ORDER BY id");
	assert_true(db_next(&q));
	const char *first = db_text(&q, 0, &f->arena);
	assert_true(db_next(&q));
	assert_string_equal(first, "first");
	assert_string_equal(db_text(&q, 0, &f->arena), "second");
	assert_int_equal(db_done(&q, &f->err), ST_OK);
}

static struct uuid id_of(int n)
{
	struct uuid id = {{(uint8_t)n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
	return id;
}

static void test_ids_may_come_from_the_stack(void **state)
{
	struct fixture *f = *state;
	struct db_query q = db_query(
		f->writer, "INSERT INTO thing (id, bytes) VALUES (1, $1), (2, $2), (3, $3) RETURNING bytes");
	db_bind_uuid(&q, id_of(1));
	db_bind_uuid(&q, id_of(2));
	db_bind_uuid(&q, (struct uuid){{0}});
	for (int i = 1; i <= 2; i++) {
		assert_true(db_next(&q));
		assert_true(uuid_equal(db_uuid(&q, 0), id_of(i)));
	}
	assert_true(db_next(&q));
	assert_true(db_is_null(&q, 0));
	assert_true(uuid_is_zero(db_uuid(&q, 0)));
	assert_int_equal(db_done(&q, &f->err), ST_OK);
}

/* ---- SQL ---- */

static void test_parameters_go_by_number(void **state)
{
	struct fixture *f = *state;
	struct db_query q = db_query(f->writer, "SELECT $3, $1, $2, $1");
	db_bind_text(&q, "one");
	db_bind_text(&q, "two");
	db_bind_text(&q, "three");
	assert_true(db_next(&q));
	assert_string_equal(db_text(&q, 0, &f->arena), "three");
	assert_string_equal(db_text(&q, 1, &f->arena), "one");
	assert_string_equal(db_text(&q, 2, &f->arena), "two");
	assert_string_equal(db_text(&q, 3, &f->arena), "one");
	assert_int_equal(db_done(&q, &f->err), ST_OK);
}

static void test_upsert_and_returning(void **state)
{
	struct fixture *f = *state;
	for (int64_t i = 1; i <= 3; i++) {
		struct db_query q = db_query(f->writer,
			"INSERT INTO thing (id, name, number) VALUES ($1, $2, 1) ON CONFLICT (name) "
			"DO UPDATE SET number = thing.number + 1 RETURNING id, number");
		db_bind_integer(&q, i);
		db_bind_text(&q, "same");
		assert_true(db_next(&q));
		assert_int_equal(db_integer(&q, 0), 1);
		assert_int_equal(db_integer(&q, 1), i);
		assert_int_equal(db_done(&q, &f->err), ST_OK); /* before the last step */
	}
	assert_int_equal(count(f->writer), 1);
}

static void test_a_statement_is_used_again(void **state)
{
	struct fixture *f = *state;
	for (int64_t i = 0; i < 100; i++) {
		char name[16];
		snprintf(name, sizeof(name), "n%d", (int)i);
		assert_int_equal(insert(f->writer, i, name, &f->err), ST_OK);
	}
	for (int64_t i = 0; i < 100; i++) {
		struct db_query q = db_query(f->writer, "SELECT name FROM thing WHERE id = $1");
		db_bind_integer(&q, i);
		assert_true(db_next(&q));
		assert_int_equal(atoll(db_text(&q, 0, &f->arena) + 1), i);
		assert_int_equal(db_done(&q, &f->err), ST_OK);
	}
}

static void test_statements_made_at_run_time(void **state)
{
	struct fixture *f = *state;
	char sql[64]; /* another text at the same address */
	for (int i = 0; i < 2000; i++) {
		snprintf(sql, sizeof(sql), "SELECT $1 + %d", i);
		struct db_query q = db_query_dynamic(f->writer, sql);
		db_bind_value(&q, &(struct db_value){.type = DB_INTEGER, .integer = 1});
		assert_true(db_next(&q));
		assert_int_equal(db_integer(&q, 0), i + 1);
		assert_int_equal(db_done(&q, &f->err), ST_OK);
	}
}

static void test_as_many_parameters_as_are_allowed(void **state)
{
	struct fixture *f = *state;
	char sql[8 * DB_PARAMETERS_MAX];
	size_t size = (size_t)snprintf(sql, sizeof(sql), "SELECT %d IN ($1", DB_PARAMETERS_MAX);
	for (int i = 2; i <= DB_PARAMETERS_MAX; i++)
		size += (size_t)snprintf(sql + size, sizeof(sql) - size, ",$%d", i);
	snprintf(sql + size, sizeof(sql) - size, ")");
	for (int missing = 0; missing < 2; missing++) {
		struct db_query q = db_query_dynamic(f->writer, sql);
		for (int i = 1; i <= DB_PARAMETERS_MAX; i++)
			db_bind_integer(&q, i - missing);
		assert_true(db_next(&q));
		assert_int_equal(db_integer(&q, 0), !missing);
		assert_int_equal(db_done(&q, &f->err), ST_OK);
	}
}

/* The numbers below n, by a query inside itself. */
static int64_t nested_sum(struct fixture *f, int64_t n)
{
	struct db_query q = db_query(f->writer, "SELECT id FROM thing WHERE id < $1 ORDER BY id DESC");
	db_bind_integer(&q, n);
	int64_t sum = 0;
	if (db_next(&q)) {
		sum = db_integer(&q, 0);
		sum += nested_sum(f, sum);
		assert_int_equal(db_integer(&q, 0) + nested_sum(f, db_integer(&q, 0)), sum);
	}
	assert_int_equal(db_done(&q, &f->err), ST_OK);
	return sum;
}

static void test_a_query_inside_the_same_query(void **state)
{
	struct fixture *f = *state;
	for (int64_t i = 0; i < 6; i++)
		assert_int_equal(insert(f->writer, i, NULL, &f->err), ST_OK);
	assert_int_equal(nested_sum(f, 6), 15);
}

#define TEN(x)                                                                                               \
	"SELECT " x "0", "SELECT " x "1", "SELECT " x "2", "SELECT " x "3", "SELECT " x "4",                 \
		"SELECT " x "5", "SELECT " x "6", "SELECT " x "7", "SELECT " x "8", "SELECT " x "9"

static void test_many_statements(void **state)
{
	struct fixture *f = *state;
	static const char *const sql[] = {TEN("1"), TEN("2"), TEN("3"), TEN("4"), TEN("5"), TEN("6"),
		TEN("7"), TEN("8"), TEN("9"), TEN("10"), TEN("11"), TEN("12"), TEN("13"), TEN("14"),
		TEN("15")};
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
			struct db_query q = db_query(f->writer, sql[i]);
			assert_true(db_next(&q));
			assert_int_equal(db_integer(&q, 0), (int64_t)i + 10);
			assert_int_equal(db_done(&q, &f->err), ST_OK);
		}
	}
}

/* ---- errors ---- */

static void test_conflicts(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(insert(f->writer, 1, "taken", &f->err), ST_OK);
	assert_int_equal(insert(f->writer, 2, "taken", &f->err), ST_CONFLICT);
	assert_non_null(strstr(f->err.text, "thing.name"));
	assert_int_equal(insert(f->writer, 1, "other", &f->err), ST_CONFLICT);
	struct db_query q = db_query(f->writer, "INSERT INTO part (thing_id) VALUES ($1)");
	db_bind_integer(&q, 77);
	assert_int_equal(db_done(&q, &f->err), ST_CONFLICT);
	q = db_query(f->writer, "INSERT INTO part (thing_id) VALUES ($1)");
	db_bind_integer(&q, 1);
	assert_int_equal(db_done(&q, &f->err), ST_OK);
	q = db_query(f->writer, "DELETE FROM thing WHERE id = $1");
	db_bind_integer(&q, 1);
	assert_int_equal(db_done(&q, &f->err), ST_CONFLICT);
	assert_int_equal(count(f->writer), 1);
}

static void test_faults_of_ours(void **state)
{
	struct fixture *f = *state;
	struct db_query q = db_query(f->writer, "INSERT INTO thing (id, required) VALUES (1, $1)");
	db_bind_null(&q);
	assert_int_equal(db_done(&q, &f->err), ST_INTERNAL);
	q = db_query(f->writer, "SELECT missing_column FROM thing WHERE id = $1");
	db_bind_integer(&q, 1);
	assert_false(db_next(&q)); /* the error sticks … */
	assert_false(db_next(&q));
	assert_int_equal(db_done(&q, &f->err), ST_INTERNAL); /* … and is told here */
	assert_non_null(strstr(f->err.text, "missing_column"));
	assert_int_equal(f->err.text[strlen(f->err.text) - 1], '.');
	assert_int_equal(db_script(f->writer, "CREATE TABEL x (y)", &f->err), ST_INTERNAL);
	q = db_query(f->writer, "INSERT INTO thing (id, number) VALUES (1, $1)");
	db_bind_text(&q, "not a number");
	assert_int_equal(db_done(&q, NULL), ST_INTERNAL); /* nobody asks why */
	assert_int_equal(insert(f->writer, 1, "works", &f->err), ST_OK);
}

/* ---- transactions ---- */

static void test_rollback_and_savepoints(void **state)
{
	struct fixture *f = *state;
	run(f, "BEGIN");
	assert_int_equal(insert(f->writer, 1, "kept", &f->err), ST_OK);
	run(f, "SAVEPOINT job");
	assert_int_equal(insert(f->writer, 2, "undone", &f->err), ST_OK);
	assert_int_equal(insert(f->writer, 2, "undone", &f->err), ST_CONFLICT);
	run(f, "ROLLBACK TO SAVEPOINT job");
	run(f, "RELEASE SAVEPOINT job");
	run(f, "COMMIT");
	assert_int_equal(count(f->writer), 1);
	run(f, "BEGIN");
	assert_int_equal(insert(f->writer, 3, "undone", &f->err), ST_OK);
	run(f, "ROLLBACK");
	assert_int_equal(count(f->writer), 1);
	assert_int_not_equal(db_script(f->writer, "COMMIT", &f->err), ST_OK); /* there is none to end */
	assert_int_equal(insert(f->writer, 4, "alone", &f->err), ST_OK);
	assert_int_equal(count(f->writer), 2);
}

static void test_disconnecting_rolls_back(void **state)
{
	struct fixture *f = *state;
	run(f, "BEGIN");
	assert_int_equal(insert(f->writer, 1, "gone", &f->err), ST_OK);
	db_disconnect(f->writer);
	assert_int_equal(db_connect(f->db, true, &f->writer, &f->err), ST_OK);
	assert_int_equal(count(f->writer), 0);
}

static void test_what_was_committed_is_there_again(void **state)
{
	struct fixture *f = *state;
	run(f, "BEGIN");
	assert_int_equal(insert(f->writer, 1, "kept", &f->err), ST_OK);
	run(f, "COMMIT");
	db_disconnect(f->writer);
	assert_int_equal(db_connect(f->db, true, &f->writer, &f->err), ST_OK);
	assert_int_equal(count(f->writer), 1);
}

/* ---- readers ---- */

static void test_a_reader_sees_one_moment(void **state)
{
	struct fixture *f = *state;
	struct db_readers *readers;
	struct db_conn *a, *b;
	assert_int_equal(db_readers_new(f->db, 2, &readers, &f->err), ST_OK);
	assert_int_equal(insert(f->writer, 1, "before", &f->err), ST_OK);
	assert_int_equal(db_reader_take(readers, &a, &f->err), ST_OK);
	assert_int_equal(count(a), 1);
	assert_int_equal(insert(f->writer, 2, "after", &f->err), ST_OK); /* does not wait for the reader */
	assert_int_equal(count(a), 1);
	assert_int_equal(db_reader_take(readers, &b, &f->err), ST_OK);
	assert_int_equal(count(b), 2);
	db_reader_give(readers, a);
	assert_int_equal(db_reader_take(readers, &a, &f->err), ST_OK);
	assert_int_equal(count(a), 2);
	db_reader_give(readers, a);
	db_reader_give(readers, b);
	db_readers_free(readers);
}

static void test_a_reader_cannot_write(void **state)
{
	struct fixture *f = *state;
	struct db_readers *readers;
	struct db_conn *c;
	assert_int_equal(db_readers_new(f->db, 1, &readers, &f->err), ST_OK);
	assert_int_equal(db_reader_take(readers, &c, &f->err), ST_OK);
	assert_int_not_equal(insert(c, 1, "no", &f->err), ST_OK);
	db_reader_give(readers, c);
	assert_int_equal(count(f->writer), 0);
	db_readers_free(readers);
}

static void test_a_reader_given_back_holds_no_snapshot(void **state)
{
	struct fixture *f = *state;
	struct db_readers *readers;
	struct db_conn *c;
	if (!db_has_log(f->db))
		skip();
	assert_int_equal(db_readers_new(f->db, 1, &readers, &f->err), ST_OK);
	assert_int_equal(insert(f->writer, 1, "one", &f->err), ST_OK);
	assert_int_equal(db_reader_take(readers, &c, &f->err), ST_OK);
	assert_int_equal(count(c), 1);
	assert_int_equal(insert(f->writer, 2, "two", &f->err), ST_OK);
	assert_true(db_log_bytes(f->writer) > 0);
	assert_int_equal(db_checkpoint(f->writer, true, &f->err), ST_UNAVAILABLE); /* it is in the way */
	db_reader_give(readers, c);
	assert_int_equal(db_checkpoint(f->writer, true, &f->err), ST_OK);
	assert_int_equal(db_log_bytes(f->writer), 0);
	assert_int_equal(count(f->writer), 2);
	db_readers_free(readers);
}

struct pool_user {
	struct db_readers *readers;
	atomic_int *inside, *most;
	thread_handle thread;
};

static void use_pool(void *arg)
{
	struct pool_user *u = arg;
	for (int i = 0; i < 50; i++) {
		struct db_conn *c;
		struct err err;
		assert_int_equal(db_reader_take(u->readers, &c, &err), ST_OK);
		int now = atomic_fetch_add(u->inside, 1) + 1;
		for (int most = atomic_load(u->most); now > most;)
			if (atomic_compare_exchange_weak(u->most, &most, now))
				break;
		assert_int_equal(count(c), 1);
		atomic_fetch_sub(u->inside, 1);
		db_reader_give(u->readers, c);
	}
}

static void test_the_pool_is_bounded_and_serves_all(void **state)
{
	struct fixture *f = *state;
	struct db_readers *readers;
	atomic_int inside = 0, most = 0;
	struct pool_user users[8];
	assert_int_equal(insert(f->writer, 1, "one", &f->err), ST_OK);
	assert_int_equal(db_readers_new(f->db, 3, &readers, &f->err), ST_OK);
	for (int i = 0; i < 8; i++) {
		users[i] = (struct pool_user){.readers = readers, .inside = &inside, .most = &most};
		thread_start(&users[i].thread, "pool user", use_pool, &users[i]);
	}
	for (int i = 0; i < 8; i++)
		thread_join(users[i].thread);
	assert_in_range(atomic_load(&most), 1, 3);
	db_readers_free(readers);
}

/* ---- each call fails once ---- */

static enum status move_all(struct db_conn *c, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE thing SET number = number - $2 WHERE id = $1");
	db_bind_integer(&q, 1);
	db_bind_integer(&q, 10);
	TRY(db_done(&q, err));
	q = db_query(c, "UPDATE thing SET number = number + $2 WHERE id = $1 RETURNING number");
	db_bind_integer(&q, 2);
	db_bind_integer(&q, 10);
	(void)db_next(&q);
	return db_done(&q, err);
}

static enum status move(struct db_conn *c, struct err *err)
{
	TRY(db_script(c, "BEGIN", err));
	TRY(move_all(c, err));
	return db_script(c, "COMMIT", err);
}

static int64_t number_of(struct db_conn *c, int64_t id)
{
	struct db_query q = db_query(c, "SELECT number FROM thing WHERE id = $1");
	db_bind_integer(&q, id);
	assert_true(db_next(&q));
	int64_t number = db_integer(&q, 0);
	assert_int_equal(db_done(&q, NULL), ST_OK);
	return number;
}

/* Returns whether the plan fired. */
static bool move_with_fault(struct fixture *f, unsigned nth, enum db_faulty_when when)
{
	int64_t before = number_of(f->writer, 1);
	assert_int_equal(number_of(f->writer, 2), -before);
	db_faulty_plan(f->db, DB_FAULTY_ANY, nth, 1, when, ST_UNAVAILABLE);
	enum status st = move(f->writer, &f->err);
	bool fired = db_faulty_fired(f->db) > 0;
	db_faulty_plan(f->db, DB_FAULTY_ANY, 0, 0, when, ST_OK);
	if (st != ST_OK && db_script(f->writer, "ROLLBACK", NULL) != ST_OK) {
		db_disconnect(f->writer);
		assert_int_equal(db_connect(f->db, true, &f->writer, &f->err), ST_OK);
	}
	assert_int_equal(st == ST_OK, !fired);
	int64_t now = number_of(f->writer, 1);
	assert_int_equal(number_of(f->writer, 2), -now); /* never between */
	if (st == ST_OK)
		assert_int_equal(now, before - 10);
	else
		assert_true(now == before || (when == DB_FAULTY_AFTER && now == before - 10));
	return fired;
}

static void test_each_call_fails_once(void **state)
{
	struct fixture *f = *state;
	run(f, "INSERT INTO thing (id, number) VALUES (1, 0), (2, 0)");
	for (int when = DB_FAULTY_BEFORE; when <= DB_FAULTY_AFTER; when++) {
		unsigned calls = 1;
		while (move_with_fault(f, calls, when))
			calls++;
		assert_int_equal(calls - 1, 10); /* BEGIN, 2 * (prepare, bind, bind, step), COMMIT */
	}
}

static void test_readers_survive_each_fault(void **state)
{
	struct fixture *f = *state;
	struct db_readers *readers;
	assert_int_equal(insert(f->writer, 1, "one", &f->err), ST_OK);
	db_faulty_plan(f->db, DB_FAULTY_CONNECT, 1, 1, DB_FAULTY_BEFORE, ST_UNAVAILABLE);
	assert_int_equal(db_readers_new(f->db, 1, &readers, &f->err), ST_UNAVAILABLE);
	assert_int_equal(db_readers_new(f->db, 1, &readers, &f->err), ST_OK);
	unsigned failed = 0;
	for (unsigned nth = 1; nth <= 12; nth++) {
		struct db_conn *c;
		db_faulty_plan(f->db, DB_FAULTY_ANY, nth % 3 + 1, 1, DB_FAULTY_BEFORE, ST_UNAVAILABLE);
		if (db_reader_take(readers, &c, &f->err) == ST_OK)
			db_reader_give(readers, c); /* its ROLLBACK may fail: the connection is replaced */
		failed += db_faulty_fired(f->db);
		db_faulty_plan(f->db, DB_FAULTY_ANY, 0, 0, DB_FAULTY_BEFORE, ST_OK);
		assert_int_equal(
			db_reader_take(readers, &c, &f->err), ST_OK); /* would wait for ever if one leaked */
		assert_int_equal(count(c), 1);
		db_reader_give(readers, c);
	}
	assert_in_range(failed, 6, 12);
	db_readers_free(readers);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_values_come_back),
		TEST(test_copies_outlive_the_step),
		TEST(test_ids_may_come_from_the_stack),
		TEST(test_parameters_go_by_number),
		TEST(test_upsert_and_returning),
		TEST(test_a_statement_is_used_again),
		TEST(test_statements_made_at_run_time),
		TEST(test_as_many_parameters_as_are_allowed),
		TEST(test_a_query_inside_the_same_query),
		TEST(test_many_statements),
		TEST(test_conflicts),
		TEST(test_faults_of_ours),
		TEST(test_rollback_and_savepoints),
		TEST(test_disconnecting_rolls_back),
		TEST(test_what_was_committed_is_there_again),
		TEST(test_a_reader_sees_one_moment),
		TEST(test_a_reader_cannot_write),
		TEST(test_a_reader_given_back_holds_no_snapshot),
		TEST(test_the_pool_is_bounded_and_serves_all),
	};
	const struct CMUnitTest torture[] = {
		TEST(test_each_call_fails_once),
		TEST(test_readers_survive_each_fault),
	};
	int failed = 0;
	make = make_file;
	failed += cmocka_run_group_tests_name("db: sqlite in a file", tests, NULL, NULL);
	make = make_temporary;
	failed += cmocka_run_group_tests_name("db: sqlite, temporary", tests, NULL, NULL);
	make = make_faulty;
	failed += cmocka_run_group_tests_name("db: faulty around sqlite", tests, NULL, NULL);
	failed += cmocka_run_group_tests_name("db: each call fails once", torture, NULL, NULL);
	return failed;
}
