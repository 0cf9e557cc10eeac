/* SPDX-License-Identifier: Apache-2.0 */
/* Heatmaps against each shape drawn cell by cell. */
#include "watch/heat.h"

#include "watch_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define PREDICTIONS 120
#define CELLS (HEAT_SIDE * HEAT_SIDE)

static struct heat heat, other;
static struct watch_sample samples[PREDICTIONS];
static uint32_t drawn_centres[CELLS], drawn_coverage[CELLS], coverage[CELLS];
static uint64_t drawn_images, drawn_shapes;
static struct arena arena;
static struct err err;

static int set_up(void **state)
{
	uint64_t chance = 11;
	arena_init(&arena);
	memset(&heat, 0, sizeof(heat));
	memset(&other, 0, sizeof(other));
	for (int i = 0; i < PREDICTIONS; i++)
		watch_sample(&chance, &samples[i]);
	return 0;
}

static int tear_down(void **state)
{
	arena_release(&arena);
	return 0;
}

/* Is something of [from, from + size] in the cell? What has no extent is where it begins. All in hundredths
 * of a pixel times 64. */
static bool touches(int64_t from, int64_t size, int64_t cell, int64_t side)
{
	const int64_t begin = cell * side * 100, end = begin + side * 100;
	const bool is_first = from * 64 >= begin && (from * 64 < end || cell == 63);
	return is_first || (from * 64 < end && (from + size) * 64 > begin);
}

static bool holds(int64_t twice_middle, int64_t cell, int64_t side)
{
	const int64_t begin = cell * side * 200, end = begin + side * 200;
	return twice_middle * 64 >= begin && (twice_middle * 64 < end || cell == 63);
}

static void draw(const struct seen *seen, const struct shape *s)
{
	const int64_t x = llround((double)s->box.x1 * 100),
		      w = llround((double)(s->box.x2 - s->box.x1) * 100);
	const int64_t y = llround((double)s->box.y1 * 100),
		      h = llround((double)(s->box.y2 - s->box.y1) * 100);
	for (int row = 0; row < HEAT_SIDE; row++)
		for (int column = 0; column < HEAT_SIDE; column++) {
			const int cell = row * HEAT_SIDE + column;
			drawn_coverage[cell] += touches(x, w, column, seen->row->width) &&
						touches(y, h, row, seen->row->height);
			drawn_centres[cell] += holds(2 * x + w, column, seen->row->width) &&
					       holds(2 * y + h, row, seen->row->height);
		}
}

static void draw_all(int32_t label, double threshold)
{
	memset(drawn_centres, 0, sizeof(drawn_centres));
	memset(drawn_coverage, 0, sizeof(drawn_coverage));
	drawn_images = drawn_shapes = 0;
	for (int i = 0; i < PREDICTIONS; i++) {
		uint64_t before = drawn_shapes;
		for (size_t k = 0; k < samples[i].seen.shapes.count; k++) {
			const struct shape *s = &samples[i].seen.shapes.items[k];
			if (s->kind == SHAPE_CLASS || s->score < threshold ||
				(label >= 0 && s->label != label))
				continue;
			drawn_shapes++;
			draw(&samples[i].seen, s);
		}
		drawn_images += drawn_shapes > before;
	}
}

static void test_cells_are_those_that_drawing_fills(void **state)
{
	static const double thresholds[] = {0.01, 0.5};
	for (int32_t label = -1; label < 3; label++)
		for (size_t t = 0; t < 2; t++) {
			memset(&heat, 0, sizeof(heat));
			for (int i = 0; i < PREDICTIONS; i++)
				heat_add(&heat, &samples[i].seen, label, thresholds[t]);
			draw_all(label, thresholds[t]);
			heat_coverage(&heat, coverage);
			assert_true(heat.shapes > 20);
			assert_int_equal(heat.shapes, drawn_shapes);
			assert_int_equal(heat.images, drawn_images);
			assert_memory_equal(heat.centres, drawn_centres, sizeof(drawn_centres));
			assert_memory_equal(coverage, drawn_coverage, sizeof(drawn_coverage));
		}
}

static void test_any_order_and_any_grouping_gives_the_same_bytes(void **state)
{
	static struct heat parts[2];
	memset(parts, 0, sizeof(parts));
	for (int i = 0; i < PREDICTIONS; i++)
		heat_add(&heat, &samples[i].seen, -1, 0.3);
	for (int i = PREDICTIONS - 1; i >= 0; i--)
		heat_add(&parts[i % 3 == 0], &samples[i].seen, -1, 0.3);
	heat_merge(&other, &parts[0]);
	assert_int_equal(heat_unpack_into(&other, heat_pack(&parts[1], &arena), &err), ST_OK);
	assert_memory_equal(&heat, &other, sizeof(heat));
	assert_true(span_equal(heat_pack(&heat, &arena), heat_pack(&other, &arena)));
}

static void test_bytes_are_as_drawn(void **state)
{
	static const uint8_t bytes[] = {1, 1, 1, /* version, images, shapes */
		1, 0xa0, 0x10, 1,                /* the middle of 64 x 64: row 32, column 32 */
		4, 0, 2, 63, 1,                  /* the corners of all of it: +1, -1 */
		0xff, 0x1f, 1, 63, 2};           /* -1, +1 */
	struct watch_sample *s = &samples[0];
	s->row.width = s->row.height = 640;
	s->shapes[0] = (struct shape){.kind = SHAPE_BOX, .score = 0.5f, .box = {-5, -5, 700, 700}};
	s->seen.shapes.count = 1;
	heat_add(&heat, &s->seen, 0, 0.5);
	const struct span got = heat_pack(&heat, &arena);
	assert_int_equal(got.size, sizeof(bytes));
	assert_memory_equal(got.data, bytes, sizeof(bytes));
}

static void test_cut_and_changed_bytes_are_refused_or_read_as_what_they_say(void **state)
{
	for (int i = 0; i < 4; i++)
		heat_add(&heat, &samples[i].seen, -1, 0.3);
	const struct span whole = heat_pack(&heat, &arena);
	uint8_t *bytes = arena_alloc(&arena, whole.size);
	for (size_t size = 0; size < whole.size; size++)
		assert_int_equal(heat_unpack_into(&other, span_of(whole.data, size), &err), ST_INVALID);
	for (size_t i = 0; i < whole.size; i++) {
		memcpy(bytes, whole.data, whole.size);
		bytes[i] ^= (uint8_t)(1u << (i % 8));
		memset(&other, 0, sizeof(other));
		if (heat_unpack_into(&other, span_of(bytes, whole.size), &err) == ST_OK)
			assert_true(span_equal(heat_pack(&other, &arena), span_of(bytes, whole.size)));
	}
}

static void test_classes_and_images_without_size_have_no_place(void **state)
{
	struct watch_sample *s = &samples[0];
	s->shapes[0] = (struct shape){.kind = SHAPE_CLASS, .score = 1};
	s->seen.shapes.count = 1;
	heat_add(&heat, &s->seen, -1, 0.5);
	s->shapes[0] = (struct shape){.kind = SHAPE_BOX, .score = 1, .box = {0, 0, 5, 5}};
	s->row.width = 0;
	heat_add(&heat, &s->seen, -1, 0.5);
	assert_int_equal(heat.shapes + heat.images, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cells_are_those_that_drawing_fills),
		TEST(test_any_order_and_any_grouping_gives_the_same_bytes),
		TEST(test_bytes_are_as_drawn),
		TEST(test_cut_and_changed_bytes_are_refused_or_read_as_what_they_say),
		TEST(test_classes_and_images_without_size_have_no_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
