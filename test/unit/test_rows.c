/* SPDX-License-Identifier: Apache-2.0 */
/* store/rows.h: lists whose filter and order are known at run time. */
#include "store/db_sqlite.h"
#include "store/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

struct world {
	struct db *db;
	struct db_conn *conn;
	struct arena arena;
};

static int set_up(void **state)
{
	static struct world world;
	struct world *w = &world;
	struct err err;
	arena_init(&w->arena);
	assert_int_equal(db_sqlite_open_temporary(&w->db, &err), ST_OK);
	assert_int_equal(db_connect(w->db, true, &w->conn, &err), ST_OK);
	assert_int_equal(
		db_script(w->conn,
			"CREATE TABLE thing (id INTEGER PRIMARY KEY, owner TEXT, name TEXT, size INTEGER,"
			" created_us INTEGER);"
			"INSERT INTO thing VALUES (1, 'us', 'd', 10, 100), (2, 'us', 'b', 20, 200),"
			" (3, 'us', 'c', 10, 100), (4, 'them', 'a', 10, 50)",
			&err),
		ST_OK);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	db_disconnect(w->conn);
	db_close(w->db);
	arena_release(&w->arena);
	return 0;
}

static const struct rows_source source = {.select = "SELECT id FROM thing",
	.count = "SELECT count(*) FROM thing",
	.where = "thing.owner = $1",
	.id = "thing.id",
	.created = "thing.created_us",
	.name = "thing.name"};

/* The ids of our things on that page, as digits. */
static const char *list(
	struct world *w, const struct rows_source *s, const struct rows_page *page, int64_t *total)
{
	struct err err;
	const char *ids = "";
	struct db_query q = rows_count(w->conn, &w->arena, s, page);
	if (s->where)
		db_bind_text(&q, "us");
	rows_bind_count(&q, page);
	assert_int_equal(rows_number(&q, total, &err), ST_OK);
	q = rows_query(w->conn, &w->arena, s, page);
	if (s->where)
		db_bind_text(&q, "us");
	rows_bind(&q, page);
	while (db_next(&q))
		ids = arena_printf(&w->arena, "%s%d", ids, (int)db_integer(&q, 0));
	assert_int_equal(db_done(&q, &err), ST_OK);
	return ids;
}

static void test_orders(void **state)
{
	struct world *w = *state;
	int64_t total;
	static const struct {
		enum rows_order order;
		const char *order_by, *ids;
	} cases[] = {
		{ROWS_OLDEST, NULL, "132"},
		{ROWS_NEWEST, NULL, "231"},
		{ROWS_NAME, NULL, "231"},
		{ROWS_NAME_DOWN, NULL, "132"},
		{ROWS_NAME, "thing.size", "132"}, /* the id breaks ties, in the direction of the last */
		{ROWS_NAME, "thing.size DESC", "231"},
		{ROWS_NAME, "thing.size, thing.name", "312"},
		{ROWS_NAME, "thing.size, thing.name DESC", "132"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rows_page page = {.limit = 10, .order = cases[i].order, .order_by = cases[i].order_by};
		assert_string_equal(list(w, &source, &page, &total), cases[i].ids);
		assert_int_equal(total, 3);
	}
}

static void test_filters_and_pages(void **state)
{
	struct world *w = *state;
	int64_t total;
	struct db_value values[] = {
		{.type = DB_INTEGER, .integer = 10}, {.type = DB_TEXT, .bytes = {(const uint8_t *)"b", 1}}};
	struct rows_page page = {.limit = 10, .filter = {"thing.size = ? OR thing.name = ?", values, 2}};
	assert_string_equal(list(w, &source, &page, &total), "132"); /* never those of others */
	assert_int_equal(total, 3);
	page.filter = (struct rows_filter){"thing.size = ?", values, 1};
	assert_string_equal(list(w, &source, &page, &total), "13");
	assert_int_equal(total, 2);
	page.offset = 1;
	assert_string_equal(list(w, &source, &page, &total), "3");
	assert_int_equal(total, 2);
	page.offset = 2;
	assert_string_equal(list(w, &source, &page, &total), "");
	page = (struct rows_page){.limit = 1, .filter = {"thing.name IS NOT NULL", NULL, 0}};
	assert_string_equal(list(w, &source, &page, &total), "1");
	assert_int_equal(total, 3);
}

static void test_a_list_without_a_scope(void **state)
{
	struct world *w = *state;
	int64_t total;
	struct rows_source all = source;
	all.where = NULL;
	struct db_value value = {.type = DB_INTEGER, .integer = 10};
	struct rows_page page = {.limit = 10, .order = ROWS_NAME};
	assert_string_equal(list(w, &all, &page, &total), "4231");
	page.filter = (struct rows_filter){"thing.size = ?", &value, 1};
	assert_string_equal(list(w, &all, &page, &total), "431");
	assert_int_equal(total, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_orders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_filters_and_pages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_list_without_a_scope, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
