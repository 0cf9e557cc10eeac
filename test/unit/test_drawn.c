/* SPDX-License-Identifier: Apache-2.0 */
/* task/drawn.h: shapes of people, read strictly and printed so that they are read back as they were. */
#include "task/drawn.h"

#include "base/check.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct arena a;
static struct err err;

static int set_up(void **state)
{
	arena_init(&a);
	return 0;
}

static int tear_down(void **state)
{
	arena_release(&a);
	return 0;
}

static yyjson_val *json(const char *text)
{
	yyjson_doc *doc;
	if (json_parse(span_of_text(text), &a, &doc, &err) != ST_OK)
		fail_msg("%s", err.text);
	return yyjson_doc_get_root(doc);
}

static struct drawn_shapes read(const char *text)
{
	struct drawn_shapes out;
	if (drawn_read(json(text), 640, 480, &a, &out, &err) != ST_OK)
		fail_msg("%s: %s", text, err.text);
	return out;
}

static void refused(const char *text, const char *part)
{
	struct drawn_shapes out;
	enum status st = drawn_read(json(text), 640, 480, &a, &out, &err);
	if (st != ST_INVALID || strstr(err.text, part) == NULL || !text_ends_with(err.text, "."))
		fail_msg("%s: %s, expected …%s…", text, st == ST_OK ? "read" : err.text, part);
}

#define BOX(x, y, w, h)                                                                                      \
	"{\"type\":\"rectangle\",\"x\":" #x ",\"y\":" #y ",\"w\":" #w ",\"h\":" #h ",\"label\":\"car\"}"

static void test_read(void **state)
{
	struct drawn_shapes s = read("[" BOX(0.1, 0.2, 100.30000000000001,
		5) ","
		   "{\"type\":\"polygon\",\"polygon\":[[1,2],[3.5,2],[2,9]],\"label\":\"a\"},"
		   "{\"type\":\"polygon\",\"rings\":[[[1,2],[3,2],[2,9]],[[11,2],[13,2],[12,4]]],\"label\":"
		   "\"ä b\"},"
		   "{\"type\":\"classification\",\"label\":\"x\",\"score\":1}]");
	assert_int_equal(s.count, 4);
	assert_true(
		s.items[0].kind == SHAPE_BOX && s.items[0].x == 0.1 && s.items[0].w == 100.30000000000001);
	assert_true(s.items[1].kind == SHAPE_POLYGON && s.items[1].ring_count == 1);
	assert_true(s.items[1].x == 1 && s.items[1].y == 2 && s.items[1].w == 2.5 && s.items[1].h == 7);
	assert_true(s.items[2].ring_count == 2 && s.items[2].w == 12);
	assert_string_equal(s.items[2].label, "ä b");
	assert_int_equal(s.items[3].kind, SHAPE_CLASS);
	assert_int_equal(read("[]").count, 0);
}

static void test_a_little_outside_is_cut_off(void **state)
{
	struct drawn_shapes s = read("[" BOX(-0.5, 0, 20, 480.6) "]");
	assert_true(s.items[0].x == 0 && s.items[0].w == 19.5 && s.items[0].h == 480);
}

static void test_refused(void **state)
{
	refused("{}", "list");
	refused("[1]", "Shape 1 must be an object");
	refused("[" BOX(0, 0, 10, 10) "," BOX(0, 0, 0, 10) "]", "Shape 2 has no area");
	refused("[" BOX(0, 0, -4, 10) "]", "area");
	refused("[" BOX(600, 0, 100, 10) "]", "outside");
	refused("[" BOX(-2, 0, 100, 10) "]", "outside");
	refused("[" BOX(640.5, 0, 0.2, 10) "]", "outside");
	refused("[" BOX("1", 0, 100, 10) "]", "numbers");
	refused("[{\"type\":\"rectangle\",\"x\":1,\"y\":1,\"w\":1,\"label\":\"a\"}]", "numbers");
	refused("[{\"type\":\"polygon\",\"polygon\":[[1,2],[3,4]],\"label\":\"a\"}]", "fewer than 3");
	refused("[{\"type\":\"polygon\",\"polygon\":[[1,2],[3,4],[5]],\"label\":\"a\"}]", "[x, y]");
	refused("[{\"type\":\"polygon\",\"polygon\":[[1,2],[3,2],[5,2]],\"label\":\"a\"}]", "no area");
	refused("[{\"type\":\"polygon\",\"polygon\":[[1,2],[3,2],[5,800]],\"label\":\"a\"}]", "outside");
	refused("[{\"type\":\"polygon\",\"rings\":[],\"label\":\"a\"}]", "rings");
	refused("[{\"type\":\"polygon\",\"label\":\"a\"}]", "rings");
	refused("[{\"type\":\"line\",\"label\":\"a\"}]", "type");
	refused("[{\"label\":\"a\"}]", "type");
	refused("[{\"type\":\"classification\"}]", "label");
	refused("[{\"type\":\"classification\",\"label\":\"  \"}]", "label");
	refused("[{\"type\":\"classification\",\"label\":\"a\\u0007\"}]", "control");
	refused("[{\"type\":\"classification\",\"label\":\"a\\u0085\"}]", "control");
	char *text = arena_printf(&a, "[{\"type\":\"classification\",\"label\":\"%0201d\"}]", 7);
	refused(text, "too long");
}

static void test_too_many(void **state)
{
	struct str text;
	str_init(&text, 1 << 20);
	str_append(&text, "[");
	for (int i = 0; i <= DRAWN_SHAPES_MAX; i++)
		str_printf(&text, "%s" BOX(1, 1, 1, 1), i ? "," : "");
	str_append(&text, "]");
	refused(str_text(&text), "3001 shapes");
	str_release(&text);
}

static void test_the_sdk_s_form(void **state)
{
	struct drawn_shapes s;
	yyjson_val *body = json("{\"rectangles\":[{\"x\":1,\"y\":2,\"w\":3,\"h\":4,\"label\":\"a\"}],"
				"\"polygons\":[{\"polygon\":[[1,2],[3,2],[2,9]],\"label\":\"b\"}],"
				"\"classifications\":[{\"label\":\"c\"}]}");
	assert_int_equal(drawn_read_sdk(body, 640, 480, &a, &s, &err), ST_OK);
	assert_int_equal(s.count, 3);
	assert_true(s.items[0].w == 3 && s.items[1].ring_count == 1);
	assert_string_equal(s.items[2].label, "c");
	assert_int_equal(drawn_read_sdk(json("{}"), 640, 480, &a, &s, &err), ST_OK);
	assert_int_equal(s.count, 0);
	assert_int_equal(drawn_read_sdk(json("{\"rectangles\":7}"), 640, 480, &a, &s, &err), ST_INVALID);
	assert_int_equal(drawn_read_sdk(json("{\"lines\":[{\"line\":[[1,1],[2,2]],\"label\":\"a\"}]}"), 640,
				 480, &a, &s, &err),
		ST_INVALID);
	assert_non_null(strstr(err.text, "Lines"));
}

/* Any doubles come back from the text as they were. */
static void test_print_and_parse_again(void **state)
{
	srand(4);
	struct drawn_shape items[100];
	for (size_t i = 0; i < COUNT_OF(items); i++) {
		double *points = ARENA_ARRAY(&a, double, 12);
		for (int k = 0; k < 12; k++)
			points[k] = rand() / 3.0e7;
		struct drawn_ring *rings = ARENA_ARRAY(&a, struct drawn_ring, 2);
		rings[0] = (struct drawn_ring){points, 3};
		rings[1] = (struct drawn_ring){points + 6, 3};
		items[i] = (struct drawn_shape){
			.kind = (enum shape_kind)(i % SHAPE_KIND_COUNT), .label = i % 2 ? "ä \"b\\" : "c"};
		if (items[i].kind == SHAPE_BOX)
			items[i].x = points[0], items[i].y = points[1], items[i].w = points[2] + 0.1,
			items[i].h = points[3] + 0.1;
		if (items[i].kind == SHAPE_POLYGON)
			items[i].rings = rings, items[i].ring_count = 1 + i % 2;
	}
	struct drawn_shapes written = {items, COUNT_OF(items)}, back;
	const char *text = drawn_print(&written, &a);
	if (drawn_parse(text, &a, &back, &err) != ST_OK)
		fail_msg("%s", err.text);
	assert_int_equal(back.count, written.count);
	for (size_t i = 0; i < back.count; i++) {
		assert_string_equal(back.items[i].label, items[i].label);
		assert_int_equal(back.items[i].kind, items[i].kind);
		assert_int_equal(back.items[i].ring_count, items[i].ring_count);
		if (items[i].kind == SHAPE_BOX)
			assert_true(back.items[i].x == items[i].x && back.items[i].y == items[i].y &&
				    back.items[i].w == items[i].w && back.items[i].h == items[i].h);
		for (size_t r = 0; r < items[i].ring_count; r++)
			assert_memory_equal(
				back.items[i].rings[r].points, items[i].rings[r].points, 6 * sizeof(double));
	}
	assert_string_equal(drawn_print(&back, &a), text);
}

static void test_same(void **state)
{
	struct drawn_shapes
		one = read("[" BOX(1, 1, 10, 10) "," BOX(30, 1, 10, 10) "]"),
		other = read("[" BOX(30.01, 1, 10, 10) "," BOX(1, 1, 9.99, 10) "]"),
		moved = read("[" BOX(30, 1, 10, 10) "," BOX(1.1, 1, 10, 10) "]"),
		twice = read("[" BOX(1, 1, 10, 10) "," BOX(1, 1, 10, 10) "]"),
		less = read("[" BOX(1, 1, 10, 10) "]"),
		label = read("[{\"type\":\"rectangle\",\"x\":1,\"y\":1,\"w\":10,\"h\":10,\"label\":\"b\"}]"),
		polygon = read("[{\"type\":\"polygon\",\"polygon\":[[1,1],[11,1],[11,11],[1,11]],\"label\":"
			       "\"car\"}]"),
		nudged = read("[{\"type\":\"polygon\",\"polygon\":[[1,1],[11,1],[11,11],[1,11.5]],\"label\":"
			      "\"car\"}]"),
		none = read("[]");
	assert_true(drawn_same(&one, &other, &a) && drawn_same(&other, &one, &a));
	assert_false(drawn_same(&one, &moved, &a));
	assert_false(drawn_same(&one, &twice, &a) || drawn_same(&twice, &one, &a));
	assert_false(drawn_same(&one, &less, &a) || drawn_same(&less, &label, &a));
	assert_true(drawn_same(&polygon, &polygon, &a) && drawn_same(&none, &none, &a));
	assert_false(drawn_same(&polygon, &less, &a) || drawn_same(&polygon, &nudged, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_little_outside_is_cut_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_sdk_s_form, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_print_and_parse_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_same, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
