/* SPDX-License-Identifier: Apache-2.0 */
/* Reading made-up tensors, and what is expected of it: by hand, or of test/golden/outputs.txt. */
#ifndef GYRE_TEST_TASK_OUTCOMES_H
#define GYRE_TEST_TASK_OUTCOMES_H

#include "base/str.h"
#include "task_samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct tensor_map as_it_is = {1, 1, 0, 0, 1000, 1000};

struct outcome {
	struct arena arena;
	enum status status;
	struct err err;
	struct shapes shapes;
};

static inline struct outcome read_outputs(const struct recipe *r, const struct engine_tensor *tensors,
	unsigned count, const struct tensor_map *map)
{
	struct outcome o = {0};
	arena_init(&o.arena);
	o.status = recipe_read(r, tensors, count, map, &o.arena, &o.shapes, &o.err);
	return o;
}

static inline void expect_box(
	const struct shape *s, int32_t label, float score, float x1, float y1, float x2, float y2)
{
	assert_int_equal(s->kind, SHAPE_BOX);
	assert_int_equal(s->label, label);
	assert_float_equal(s->score, score, 1e-5);
	assert_float_equal(s->box.x1, x1, 1e-3);
	assert_float_equal(s->box.y1, y1, 1e-3);
	assert_float_equal(s->box.x2, x2, 1e-3);
	assert_float_equal(s->box.y2, y2, 1e-3);
}

static inline void expect_failure(
	const struct recipe *r, const struct engine_tensor *t, unsigned count, const char *word)
{
	struct outcome o = read_outputs(r, t, count, &as_it_is);
	assert_int_equal(o.status, ST_FAILED);
	assert_int_equal(o.err.status, ST_FAILED);
	assert_non_null(strstr(o.err.text, word));
	assert_true(text_ends_with(o.err.text, "."));
	assert_int_equal(o.shapes.count, 0);
	arena_release(&o.arena);
}

/* ---- by NumPy ---- */

/* The hash of test/golden/outputs.py. */
static inline float uniform(uint32_t i, uint32_t seed)
{
	uint32_t x = (i + seed) * 0x9e3779b9u;
	x ^= x >> 16;
	x *= 0x85ebca6bu;
	x ^= x >> 13;
	x *= 0xc2b2ae35u;
	x ^= x >> 16;
	return (float)(x >> 8) / 0x1p24f;
}

struct golden {
	const char *set;
	int32_t label;
	float score, x1, y1, x2, y2;
};

static const struct golden goldens[] = {
#define GOLDEN(set, label, score, x1, y1, x2, y2) {#set, label, score, x1, y1, x2, y2},
#define GOLDEN_COUNT(set, count)
#include "../golden/outputs.txt"
#undef GOLDEN
#undef GOLDEN_COUNT
};

static const struct {
	const char *set;
	size_t count;
} golden_counts[] = {
#define GOLDEN(set, label, score, x1, y1, x2, y2)
#define GOLDEN_COUNT(set, count) {#set, count},
#include "../golden/outputs.txt"
#undef GOLDEN
#undef GOLDEN_COUNT
};

#define GOLDEN_CLASSES 5
#define GOLDEN_CELLS (12 * 8 + 6 * 4 + 3 * 2)
static const struct tensor_map golden_map = {0.375f, 0.4375f, 1, 2, 250, 140};

static inline void expect_golden(
	const char *set, const struct recipe *r, const struct engine_tensor *t, unsigned count)
{
	struct outcome o = read_outputs(r, t, count, &golden_map);
	assert_int_equal(o.status, ST_OK);
	size_t seen = 0, counted = 0;
	for (size_t i = 0; i < COUNT_OF(golden_counts); i++)
		if (strcmp(golden_counts[i].set, set) == 0) {
			assert_int_equal(o.shapes.count, golden_counts[i].count);
			counted++;
		}
	for (size_t i = 0; i < COUNT_OF(goldens); i++) {
		const struct golden *g = &goldens[i];
		if (strcmp(g->set, set) != 0)
			continue;
		const struct shape *s = &o.shapes.items[seen++];
		assert_int_equal(s->label, g->label);
		assert_float_equal(s->score, g->score, 2e-6);
		assert_float_equal(s->box.x1, g->x1, 2e-3);
		assert_float_equal(s->box.y1, g->y1, 2e-3);
		assert_float_equal(s->box.x2, g->x2, 2e-3);
		assert_float_equal(s->box.y2, g->y2, 2e-3);
	}
	assert_int_equal(counted, 1);
	assert_true(seen >= 10);
	arena_release(&o.arena);
}

/* Rounded to nearest even; values of 2^-14 to 65504 only, and zero. */
static inline uint16_t half_of(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	if (fabsf(value) < 0x1p-14f) /* subnormal: multiples of 2^-24 */
		return (uint16_t)((bits >> 16 & 0x8000) | (uint32_t)lrintf(fabsf(value) * 0x1p24f));
	bits += 0xfff + (bits >> 13 & 1);
	return (uint16_t)((bits >> 16 & 0x8000) | (((bits & 0x7fffffff) >> 13) - ((127 - 15) << 10)));
}

static inline void expect_golden_half(
	const char *set, const struct recipe *r, const struct engine_tensor *full)
{
	uint16_t *halves = malloc(full->size / 2);
	CHECK(halves != NULL);
	for (size_t i = 0; i < full->size / 4; i++)
		halves[i] = half_of(((const float *)full->data)[i]);
	struct engine_tensor t = *full;
	t.type = ENGINE_FLOAT16;
	t.data = halves;
	t.size /= 2;
	expect_golden(set, r, &t, 1);
	free(halves);
}

#endif
