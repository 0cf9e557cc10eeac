/* SPDX-License-Identifier: Apache-2.0 */
/* task/shape and task/task: the bytes of packed shapes, drawn in docs/internals/shapes.md, and the tasks'
 * names. */
#include "task/shape.h"
#include "task/task.h"

#include "base/check.h"
#include "base/str.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const float triangle[] = {10, 20, 30.5f, 20, 10, 41};

static struct shape sample_items[] = {
	{.kind = SHAPE_BOX, .label = 15, .score = 0.5f, .box = {1, 2, 3.5f, 4}},
	{.kind = SHAPE_POLYGON,
		.label = 258,
		.score = 0.25f,
		.box = {10, 20, 30.5f, 41},
		.points = triangle,
		.point_count = 3},
	{.kind = SHAPE_CLASS, .label = 3, .score = 0.125f},
};
static const struct shapes sample = {sample_items, COUNT_OF(sample_items)};

/* Written by hand from the drawing: IEEE 754 single floats, little-endian. */
static const char sample_hex[] = "0100"
				 "0300"
				 "0100"
				 "0f000000"
				 "0000003f"
				 "0000803f"
				 "00000040"
				 "00006040"
				 "00008040"
				 "0200"
				 "02010000"
				 "0000803e"
				 "00002041"
				 "0000a041"
				 "0000f441"
				 "00002442"
				 "03000000"
				 "00002041"
				 "0000a041"
				 "0000f441"
				 "0000a041"
				 "00002041"
				 "00002442"
				 "0000"
				 "03000000"
				 "0000003e";

static void test_bytes_are_as_drawn(void **state)
{
	struct arena a;
	arena_init(&a);
	struct span packed = shapes_pack(&sample, &a);
	assert_int_equal(packed.size, 4 + 26 + 30 + 24 + 10);
	char *hex = arena_alloc(&a, 2 * packed.size + 1);
	hex_encode(packed.data, packed.size, hex);
	assert_string_equal(hex, sample_hex);
	arena_release(&a);
}

static void test_what_is_packed_is_unpacked(void **state)
{
	struct arena a;
	arena_init(&a);
	struct shapes out;
	struct err err;
	assert_int_equal(shapes_unpack(shapes_pack(&sample, &a), &a, &out, &err), ST_OK);
	assert_int_equal(out.count, sample.count);
	for (size_t i = 0; i < out.count; i++) {
		assert_int_equal(out.items[i].kind, sample_items[i].kind);
		assert_int_equal(out.items[i].label, sample_items[i].label);
		assert_true(out.items[i].score == sample_items[i].score);
		assert_memory_equal(&out.items[i].box, &sample_items[i].box, sizeof(struct box));
		assert_int_equal(out.items[i].point_count, sample_items[i].point_count);
	}
	assert_memory_equal(out.items[1].points, triangle, sizeof(triangle));
	assert_null(out.items[0].points);
	arena_release(&a);
}

static void test_no_shapes_are_four_bytes(void **state)
{
	struct arena a;
	arena_init(&a);
	struct shapes none = {0}, out;
	struct err err;
	struct span packed = shapes_pack(&none, &a);
	assert_int_equal(packed.size, 4);
	assert_int_equal(shapes_unpack(packed, &a, &out, &err), ST_OK);
	assert_int_equal(out.count, 0);
	arena_release(&a);
}

/* Unpack the sample with some of its bytes changed (or size bytes of it) and expect the sentence to have a
 * word. */
static void refuse(size_t at, const void *bytes, size_t count, size_t size, const char *word)
{
	struct arena a;
	arena_init(&a);
	struct span packed = shapes_pack(&sample, &a);
	uint8_t *changed = arena_zalloc(&a, 1, packed.size + 8);
	memcpy(changed, packed.data, packed.size);
	memcpy(changed + at, bytes, count);
	struct shapes out = {.count = 99};
	struct err err;
	assert_int_equal(shapes_unpack(span_of(changed, size), &a, &out, &err), ST_INVALID);
	assert_int_equal(out.count, 0);
	assert_non_null(strstr(err.text, word));
	assert_true(text_ends_with(err.text, "."));
	arena_release(&a);
}

#define SAMPLE_SIZE 94

static void test_a_cut_is_refused_anywhere(void **state)
{
	for (size_t size = 0; size < SAMPLE_SIZE; size++)
		refuse(0, "", 0, size, size < 4 ? "no packed shapes" : "");
	refuse(0, "", 0, SAMPLE_SIZE + 1, "1 bytes too many");
}

static void put_float(uint8_t out[4], float value)
{
	memcpy(out, &value, 4); /* the machine is little-endian, as the tests' hex says */
}

static void test_damage_is_refused(void **state)
{
	uint8_t bits[4];
	refuse(0, "\2", 1, SAMPLE_SIZE, "version 1");
	refuse(1, "\1", 1, SAMPLE_SIZE, "version 1");
	refuse(2, "\x2d\1", 2, SAMPLE_SIZE, "301");
	refuse(2, "\4", 1, SAMPLE_SIZE, "cut off");
	refuse(4, "\3", 1, SAMPLE_SIZE, "unknown kind");
	refuse(5, "\1", 1, SAMPLE_SIZE, "unknown kind");
	refuse(9, "\x80", 1, SAMPLE_SIZE, "negative label");
	put_float(bits, 1.5f);
	refuse(10, bits, 4, SAMPLE_SIZE, "score outside");
	put_float(bits, NAN);
	refuse(10, bits, 4, SAMPLE_SIZE, "score outside");
	put_float(bits, -0.5f);
	refuse(10, bits, 4, SAMPLE_SIZE, "score outside");
	put_float(bits, 0.2f);
	refuse(10, bits, 4, SAMPLE_SIZE, "above the one before");
	put_float(bits, INFINITY);
	refuse(22, bits, 4, SAMPLE_SIZE, "inverted or not finite");
	put_float(bits, 0.5f); /* x2 left of x1 */
	refuse(22, bits, 4, SAMPLE_SIZE, "inverted or not finite");
	refuse(56, "\2", 1, SAMPLE_SIZE, "too few");
	refuse(56, "\377\377\377\377", 4, SAMPLE_SIZE, "cut off");
	put_float(bits, NAN);
	refuse(60, bits, 4, SAMPLE_SIZE, "not finite");
}

static void test_tasks_have_two_names(void **state)
{
	enum task t = TASK_SEGMENTATION;
	assert_string_equal(task_wire_name(TASK_DETECTION), "OBJECT_DETECTION");
	assert_string_equal(task_name(TASK_DETECTION), "detection");
	assert_true(task_parse("object_detection", &t) && t == TASK_DETECTION);
	assert_true(task_parse("Classification", &t) && t == TASK_CLASSIFICATION);
	assert_false(task_parse("detect", &t));
	assert_false(task_parse(NULL, &t));
	assert_int_equal(t, TASK_CLASSIFICATION);
	for (enum task k = 0; k < TASK_COUNT; k++) {
		assert_true(task_parse(task_wire_name(k), &t) && t == k);
		assert_true(task_parse(task_name(k), &t) && t == k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_are_as_drawn),
		cmocka_unit_test(test_what_is_packed_is_unpacked),
		cmocka_unit_test(test_no_shapes_are_four_bytes),
		cmocka_unit_test(test_a_cut_is_refused_anywhere),
		cmocka_unit_test(test_damage_is_refused),
		cmocka_unit_test(test_tasks_have_two_names),
	};
	return cmocka_run_group_tests_name("shape", tests, NULL, NULL);
}
