/* SPDX-License-Identifier: Apache-2.0 */
/* Distances and components of feature vectors, against NumPy written out (test/golden/drift.py). */
#include "stats/gaussian.h"

#include "base/check.h"
#include "drift_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <time.h>
#include <cmocka.h>

#define ASKED 6
#define FITTED_ASKED 2

static const struct {
	unsigned seed, count, size, classes;
	double distances[ASKED], projected[GAUSSIAN_COMPONENTS];
} goldens[] = {
#define KS(...)
#define CHI(...)
#define GAUSS(seed, count, size, classes, d0, d1, d2, d3, d4, d5, ...)                                       \
	{seed, count, size, classes, {d0, d1, d2, d3, d4, d5}, {__VA_ARGS__}},
#include "../golden/drift.txt"
#undef KS
#undef CHI
#undef GAUSS
};

static struct arena arena;

static int set_up(void **state)
{
	arena_init(&arena);
	return 0;
}

static int tear_down(void **state)
{
	arena_release(&arena);
	return 0;
}

static void draw(
	struct chance *c, unsigned count, unsigned size, unsigned classes, float *out, int32_t *labels)
{
	for (unsigned r = 0; r < count; r++) {
		labels[r] = (int32_t)chance_below(c, classes);
		double value = 0;
		for (unsigned i = 0; i < size; i++) {
			double noise = ((double)chance_below(c, 2001) - 1000) / 1024 * (1 + i % 5);
			value = noise + value / 2 + ((int32_t)(i % classes) == labels[r] ? 3 : 0);
			out[r * size + i] = (float)value;
		}
	}
}

static void same_as_numpy(void **state)
{
	unsigned reduced = 0;
	for (size_t i = 0; i < COUNT_OF(goldens); i++) {
		struct chance c = {goldens[i].seed + 9000};
		unsigned size = 2 + chance_below(&c, 24), count = 12 + chance_below(&c, 400);
		unsigned classes = goldens[i].seed % 2 ? 1 + chance_below(&c, 4) : 1;
		assert_true(size == goldens[i].size && count == goldens[i].count &&
			    classes == goldens[i].classes);
		float *rows = ARENA_ARRAY(&arena, float, count *size), others[4 * GAUSSIAN_SIZE_MAX];
		int32_t *labels = ARENA_ARRAY(&arena, int32_t, count), unused[4];
		struct gaussian *g;
		struct err err = {.text = ""};
		double projected[GAUSSIAN_COMPONENTS];
		draw(&c, count, size, classes, rows, labels);
		draw(&c, 4, size, classes, others, unused);
		assert_int_equal(gaussian_fit(rows, count, size, labels, classes, &arena, &g, &err), ST_OK);
		for (unsigned k = 0; k < ASKED; k++) {
			const float *x =
				k < FITTED_ASKED ? rows + k * size : others + (k - FITTED_ASKED) * size;
			double distance = gaussian_distance(g, x);
			if (!is_near(distance, goldens[i].distances[k], 1e-5))
				fail_msg("case %u: distance %u is %.12g, expected %.12g", goldens[i].seed, k,
					distance, goldens[i].distances[k]);
		}
		gaussian_project(g, others, projected);
		for (unsigned k = 0; k < GAUSSIAN_COMPONENTS; k++)
			if (fabs(projected[k] - goldens[i].projected[k]) > 2e-6)
				fail_msg("case %u: component %u is %.9g, expected %.9g", goldens[i].seed, k,
					projected[k], goldens[i].projected[k]);
		reduced += count < 5 * size;
	}
	assert_in_range(reduced, 1, COUNT_OF(goldens) - 3); /* both ways are taken */
}

static struct gaussian *fitted(unsigned count, unsigned size, unsigned classes)
{
	struct chance c = {5};
	float *rows = ARENA_ARRAY(&arena, float, (size_t)count *size);
	int32_t *labels = ARENA_ARRAY(&arena, int32_t, count);
	struct gaussian *g = NULL;
	struct err err = {.text = ""};
	draw(&c, count, size, classes, rows, labels);
	assert_int_equal(gaussian_fit(rows, count, size, labels, classes, &arena, &g, &err), ST_OK);
	return g;
}

static void packed_and_unpacked_it_is_the_same(void **state)
{
	struct gaussian *g = fitted(300, 20, 3), *again;
	struct chance c = {77};
	struct err err = {.text = ""};
	float x[20];
	int32_t unused;
	struct span packed = gaussian_pack(g, &arena);
	assert_int_equal(gaussian_unpack(packed, &arena, &again, &err), ST_OK);
	for (int i = 0; i < 50; i++) {
		draw(&c, 1, 20, 1, x, &unused);
		double a = gaussian_distance(g, x), b = gaussian_distance(again, x);
		assert_memory_equal(&a, &b, sizeof(a));
	}
	for (size_t size = 0; size < packed.size; size += 1 + size / 7)
		assert_int_equal(
			gaussian_unpack(span_of(packed.data, size), &arena, &again, &err), ST_INVALID);
	uint8_t *broken = arena_alloc(&arena, packed.size);
	for (size_t at = 0; at < 24; at++) { /* its head */
		memcpy(broken, packed.data, packed.size);
		broken[at] ^= 0xff;
		assert_int_equal(
			gaussian_unpack(span_of(broken, packed.size), &arena, &again, &err), ST_INVALID);
	}
	memcpy(broken, packed.data, packed.size);
	memset(broken + packed.size - 4, 0xff, 4); /* the last number is none */
	assert_int_equal(gaussian_unpack(span_of(broken, packed.size), &arena, &again, &err), ST_INVALID);
}

static void nothing_to_learn_is_said(void **state)
{
	float alike[20 * 4];
	struct gaussian *g;
	struct err err = {.text = ""};
	for (size_t i = 0; i < COUNT_OF(alike); i++)
		alike[i] = (float)(1 + i % 4);
	assert_int_equal(gaussian_fit(alike, 20, 4, NULL, 1, &arena, &g, &err), ST_INVALID);
	assert_non_null(strstr(err.text, "alike"));
	assert_int_equal(gaussian_fit(alike, 9, 4, NULL, 1, &arena, &g, &err), ST_INVALID);
	assert_non_null(strstr(err.text, "too few"));
	float one_differs[20 * 4];
	memcpy(one_differs, alike, sizeof(alike));
	one_differs[7] = 100;
	assert_int_equal(gaussian_fit(one_differs, 20, 4, NULL, 1, &arena, &g, &err), ST_OK);
	const float zero[4] = {0};
	assert_true(isfinite(gaussian_distance(g, zero)) && isfinite(gaussian_distance(g, alike)));
}

static double cpu_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Printed, not judged: machines differ. */
static void the_largest(void **state)
{
	double before = cpu_us();
	struct gaussian *g = fitted(2000, GAUSSIAN_SIZE_MAX, 10);
	double fit = cpu_us() - before, sum = 0;
	struct chance c = {1};
	float x[GAUSSIAN_SIZE_MAX];
	int32_t unused;
	draw(&c, 1, GAUSSIAN_SIZE_MAX, 1, x, &unused);
	before = cpu_us();
	for (int i = 0; i < 200; i++)
		sum += gaussian_distance(g, x);
	print_message(
		"           2,000 vectors of 256 in 10 classes: fitted in %.0f ms, a distance in %.1f us\n",
		fit / 1e3, (cpu_us() - before) / 200);
	assert_true(sum > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(same_as_numpy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(packed_and_unpacked_it_is_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_to_learn_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_largest, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("gaussian", tests, NULL, NULL);
}
