/* SPDX-License-Identifier: Apache-2.0 */
/* learn/dataset_shapes.h: shapes of files as rows and back, the same to the bit, on random numbers. */
#include "base/check.h"
#include "learn/dataset_shapes.h"
#include "os/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define ROUNDS 3000
#define LABELS 3

static struct arena a;
static struct uuid labels[LABELS];
static unsigned seed;

static int set_up(void **state)
{
	const char *given = getenv("GYRE_SEED");
	seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)clock_unix_us();
	print_message("GYRE_SEED=%u\n", seed);
	arena_init(&a);
	for (int i = 0; i < LABELS; i++)
		labels[i] = uuid_v7(clock_unix_ms());
	return 0;
}

static int tear_down(void **state)
{
	arena_release(&a);
	return 0;
}

static uint32_t next(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

/* Whole pixels, hundredths, and any float. */
static float coordinate(void)
{
	switch (next() % 3) {
	case 0: return (float)(next() % 5000);
	case 1: return (float)(next() % 500000) / 100;
	default: return (float)next() / 4096 + (float)next() / (1u << 30);
	}
}

static struct labelled_ring random_ring(void)
{
	uint32_t count = 3 + next() % 6;
	float *points = ARENA_ARRAY(&a, float, (size_t)2 * count);
	for (uint32_t i = 0; i < 2 * count; i++)
		points[i] = coordinate();
	return (struct labelled_ring){points, count};
}

static struct labelled_shape random_shape(void)
{
	struct labelled_shape s = {.kind = (enum shape_kind)(next() % 3),
		.label = (int32_t)(next() % LABELS),
		.area = -1,
		.crowd = next() % 4 == 0,
		.difficult = next() % 4 == 0};
	if (s.kind == SHAPE_CLASS)
		return s;
	float x = coordinate(), y = coordinate();
	s.box = (struct box){x, y, x + coordinate(), y + coordinate()};
	if (next() % 8 == 0)
		s.box.x2 = s.box.x1;
	s.degenerate = !(s.box.x2 > s.box.x1 && s.box.y2 > s.box.y1);
	if (next() % 3 == 0)
		s.area = coordinate();
	if (s.kind == SHAPE_POLYGON) {
		s.ring_count = 1 + next() % 3;
		struct labelled_ring *rings = ARENA_ARRAY(&a, struct labelled_ring, s.ring_count);
		for (uint32_t i = 0; i < s.ring_count; i++)
			rings[i] = random_ring();
		s.rings = rings;
	}
	return s;
}

static int32_t label_of(void *arg, struct uuid id)
{
	for (int32_t i = 0; i < LABELS; i++) {
		if (uuid_equal(labels[i], id))
			return i;
	}
	return -1;
}

static void assert_same(const struct labelled_shape *x, const struct labelled_shape *y)
{
	assert_int_equal(x->kind, y->kind);
	assert_int_equal(x->label, y->label);
	assert_true(x->crowd == y->crowd && x->difficult == y->difficult && x->degenerate == y->degenerate);
	assert_memory_equal(&x->box, &y->box, sizeof(x->box));
	assert_true(x->area == y->area || (x->area < 0 && y->area < 0));
	assert_int_equal(x->ring_count, y->ring_count);
	for (uint32_t i = 0; i < x->ring_count; i++) {
		assert_int_equal(x->rings[i].point_count, y->rings[i].point_count);
		assert_memory_equal(
			x->rings[i].points, y->rings[i].points, 2 * sizeof(float) * x->rings[i].point_count);
	}
}

static void test_there_and_back_is_the_same(void **state)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct labelled_shape shape = random_shape();
		size_t count, skipped = 0;
		struct annotation_shape_row *row = dataset_shapes_to_rows(&shape, 1, labels, &a);
		struct labelled_shape *back =
			dataset_shapes_from_rows(row, 1, label_of, NULL, &a, &count, &skipped);
		assert_int_equal(count, 1);
		assert_int_equal(skipped, 0);
		assert_same(&shape, back);
		assert_true(dataset_shapes_same(row, dataset_shapes_to_rows(back, 1, labels, &a)));
	}
}

static void test_rows_hold_few_digits(void **state)
{
	const struct labelled_shape box = {
		.kind = SHAPE_BOX, .box = {258.15f, 0.1f, 606.56f, 0.3f}, .area = -1};
	struct annotation_shape_row *row = dataset_shapes_to_rows(&box, 1, labels, &a);
	assert_true(row->x == 258.15 && row->y == 0.1 && row->w == 348.41 && row->h == 0.2);
}

static void test_an_area_that_is_the_shapes_own_is_not_kept(void **state)
{
	struct labelled_shape box = {.kind = SHAPE_BOX, .box = {1, 2, 11, 7}, .area = 50};
	assert_true(dataset_shapes_to_rows(&box, 1, labels, &a)->area == -1);
	box.area = 49;
	assert_true(dataset_shapes_to_rows(&box, 1, labels, &a)->area == 49);
}

static void test_what_no_file_can_say_is_counted(void **state)
{
	const struct annotation_shape_row rows[] = {
		{.kind = ANNOTATION_LINE, .label_id = labels[0], .points = "[[1,2],[3,4]]", .area = -1},
		{.kind = ANNOTATION_CLASSIFICATION, .label_id = labels[1], .area = -1},
		{.kind = ANNOTATION_RECTANGLE, .label_id = {{1}}, .w = 1, .h = 1, .area = -1},
		{.kind = ANNOTATION_POLYGON, .label_id = labels[0], .points = "[[1,2]]", .area = -1},
	};
	size_t count, skipped = 0;
	dataset_shapes_from_rows(rows, COUNT_OF(rows), label_of, NULL, &a, &count, &skipped);
	assert_int_equal(count, 1);
	assert_int_equal(skipped, 3);
	assert_false(dataset_shapes_same(&rows[0], &rows[1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back_is_the_same),
		cmocka_unit_test(test_rows_hold_few_digits),
		cmocka_unit_test(test_an_area_that_is_the_shapes_own_is_not_kept),
		cmocka_unit_test(test_what_no_file_can_say_is_counted),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
