/* SPDX-License-Identifier: Apache-2.0 */
/* Percentiles of counts against those of the sorted values. */
#include "stats/sketch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define VALUES 5000

static uint64_t counts[SKETCH_BINS];
static double values[VALUES];

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double uniform(uint64_t *chance)
{
	*chance = *chance * 6364136223846793005u + 1442695040888963407u;
	return (double)(*chance >> 11) / 9007199254740992.0;
}

static void test_each_value_is_within_a_hundredth_of_its_bins(void **state)
{
	for (double value = 1; value < 1e15; value *= 1.00137) {
		const double shown = sketch_value(sketch_bin(value));
		assert_true(fabs(shown - value) <= 0.01000001 * value);
	}
}

static void test_bins_rise_and_the_ends_are_the_first_and_the_last(void **state)
{
	static const double low[] = {0, -1, 0.5, 1, NAN, -INFINITY};
	for (size_t i = 0; i < sizeof(low) / sizeof(low[0]); i++)
		assert_int_equal(sketch_bin(low[i]), 0);
	assert_int_equal(sketch_bin(INFINITY), SKETCH_BINS - 1);
	assert_int_equal(sketch_bin(1e300), SKETCH_BINS - 1);
	for (unsigned i = 1; i < SKETCH_BINS; i++) {
		assert_true(sketch_value(i) > sketch_value(i - 1));
		assert_int_equal(sketch_bin(sketch_value(i)), i);
	}
}

static void test_quantiles_are_those_of_the_sorted_values(void **state)
{
	uint64_t chance = 7;
	for (int shape = 0; shape < 4; shape++) {
		memset(counts, 0, sizeof(counts));
		const int count = shape == 3 ? 3 : VALUES;
		for (int i = 0; i < count; i++) {
			const double u = uniform(&chance);
			values[i] =
				floor(shape == 0 ? 1 + 1e6 * u : exp(shape * 5 * u) + (u < 0.01 ? 9e6 : 1));
			counts[sketch_bin(values[i])]++;
		}
		qsort(values, (size_t)count, sizeof(values[0]), by_size);
		for (double q = 0; q <= 1; q += 1 / 256.0) {
			const int rank = (int)fmax(ceil(q * count), 1);
			const double exact = values[rank - 1];
			assert_true(fabs(sketch_quantile(counts, q) - exact) <= 0.01000001 * exact);
		}
	}
}

static void test_of_nothing_there_is_none(void **state)
{
	memset(counts, 0, sizeof(counts));
	assert_true(sketch_quantile(counts, 0.5) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_value_is_within_a_hundredth_of_its_bins),
		cmocka_unit_test(test_bins_rise_and_the_ends_are_the_first_and_the_last),
		cmocka_unit_test(test_quantiles_are_those_of_the_sorted_values),
		cmocka_unit_test(test_of_nothing_there_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
