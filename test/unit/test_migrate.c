/* SPDX-License-Identifier: Apache-2.0 */
/* store/migrate.h: every schema from nothing to now, and no half of a migration. */
#include "store/db_faulty.h"
#include "store/db_sqlite.h"
#include "store/migrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct fixture {
	struct db *db; /* faulty, around SQLite */
	struct db_conn *conn;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct db *inner;
	assert_non_null(f);
	assert_int_equal(db_sqlite_open_temporary(&inner, &f->err), ST_OK);
	f->db = db_faulty_new(inner);
	assert_int_equal(db_connect(f->db, true, &f->conn, &f->err), ST_OK);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	db_disconnect(f->conn);
	db_close(f->db);
	free(f);
	return 0;
}

#define FILE_OF(name, text)                                                                                  \
	{                                                                                                    \
		name, (const unsigned char *)(text), sizeof(text) - 1                                        \
	}

static const struct embedded_file three[] = {
	FILE_OF("001_first.sql", "CREATE TABLE one (x INTEGER);"),
	FILE_OF("002_second.sql",
		"CREATE TABLE two (x INTEGER);\nINSERT INTO one VALUES (1);\nINSERT INTO two VALUES (2);\n"),
	FILE_OF("003_third.sql", "ALTER TABLE one ADD COLUMN y INTEGER; UPDATE one SET y = x + 1;"),
};

static int64_t number(struct fixture *f, struct db_query q)
{
	int64_t n = db_next(&q) ? db_integer(&q, 0) : -1;
	assert_int_equal(db_done(&q, &f->err), ST_OK);
	return n;
}

static int64_t applied(struct fixture *f)
{
	return number(f, db_query(f->conn, "SELECT count(*) FROM schema_migration"));
}

static void test_the_schema_of_this_binary(void **state)
{
	struct fixture *f = *state;
	assert_true(migrate_newest() >= 1);
	for (int round = 0; round < 2; round++) { /* the second finds nothing to do */
		if (migrate_up(f->conn, &f->err) != ST_OK)
			fail_msg("%s", f->err.text);
		assert_int_equal(applied(f), migrate_newest());
	}
	assert_true(number(f, db_query(f->conn, "SELECT at_us FROM schema_migration WHERE number = 1")) > 0);
	assert_int_equal(number(f, db_query(f->conn, "SELECT count(*) FROM prediction")), 0);
	assert_int_equal(number(f, db_query(f->conn, "SELECT count(*) FROM pragma_foreign_key_check")), 0);
}

static void test_in_order_and_only_what_is_missing(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(migrate_files(f->conn, three, 0, &f->err), ST_OK);
	assert_int_equal(applied(f), 0);
	for (int count = 1; count <= 3; count++) {
		assert_int_equal(migrate_files(f->conn, three, count, &f->err), ST_OK);
		assert_int_equal(applied(f), count);
	}
	assert_int_equal(number(f, db_query(f->conn, "SELECT y FROM one")), 2);
	struct arena a;
	arena_init(&a);
	struct db_query q = db_query(f->conn, "SELECT name FROM schema_migration WHERE number = 2");
	assert_true(db_next(&q));
	assert_string_equal(db_text(&q, 0, &a), "002_second.sql");
	assert_int_equal(db_done(&q, &f->err), ST_OK);
	arena_release(&a);
}

static void test_a_newer_schema_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(migrate_files(f->conn, three, 3, &f->err), ST_OK);
	assert_int_equal(migrate_files(f->conn, three, 2, &f->err), ST_CONFLICT);
	assert_non_null(strstr(f->err.text, "schema 3"));
	assert_non_null(strstr(f->err.text, "up to 2"));
	assert_non_null(strstr(f->err.text, "Install the newer"));
	assert_int_equal(migrate_files(f->conn, three, 3, &f->err), ST_OK); /* the connection is as before */
}

static void test_a_bad_migration_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const struct embedded_file bad[] = {
		three[0], FILE_OF("002_bad.sql", "INSERT INTO one VALUES (5); CREATE TABEL two (x);")};
	assert_int_equal(migrate_files(f->conn, bad, 2, &f->err), ST_INTERNAL);
	assert_non_null(strstr(f->err.text, "002_bad.sql"));
	assert_int_equal(applied(f), 1);
	assert_int_equal(number(f, db_query(f->conn, "SELECT count(*) FROM one")), 0);
	assert_int_equal(migrate_files(f->conn, three, 3, &f->err), ST_OK);
}

/* Interrupted at each call, whether the call was carried out or not, a second run completes it. */
static void test_each_call_fails_once(void **state)
{
	bool fired = true;
	for (unsigned nth = 1; fired; nth++) {
		for (int when = DB_FAULTY_BEFORE; when <= DB_FAULTY_AFTER; when++) {
			assert_int_equal(set_up(state), 0);
			struct fixture *f = *state;
			db_faulty_plan(f->db, DB_FAULTY_ANY, nth, 1, when, ST_UNAVAILABLE);
			enum status st = migrate_files(f->conn, three, 3, &f->err);
			fired = db_faulty_fired(f->db) > 0;
			assert_int_equal(st, fired ? ST_UNAVAILABLE : ST_OK);
			db_faulty_plan(f->db, DB_FAULTY_ANY, 0, 0, when, ST_OK);
			assert_int_equal(migrate_files(f->conn, three, 3, &f->err), ST_OK);
			assert_int_equal(applied(f), 3);
			assert_int_equal(number(f, db_query(f->conn, "SELECT count(*) FROM one")), 1);
			assert_int_equal(number(f, db_query(f->conn, "SELECT count(*) FROM two")), 1);
			assert_int_equal(tear_down(state), 0);
		}
		assert_true(nth < 100);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_schema_of_this_binary),
		TEST(test_in_order_and_only_what_is_missing),
		TEST(test_a_newer_schema_is_refused),
		TEST(test_a_bad_migration_changes_nothing),
		cmocka_unit_test(test_each_call_fails_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
