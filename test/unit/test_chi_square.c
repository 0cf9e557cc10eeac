/* SPDX-License-Identifier: Apache-2.0 */
/* The chi-square test against SciPy's, with bins that are too rare. */
#include "stats/chi_square.h"

#include "base/check.h"
#include "drift_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

static const struct {
	unsigned seed, degrees;
	double statistic, p;
} goldens[] = {
#define KS(...)
#define CHI(...) {__VA_ARGS__},
#define GAUSS(...)
#include "../golden/drift.txt"
#undef KS
#undef CHI
#undef GAUSS
};

static void same_as_scipy(void **state)
{
	unsigned merged = 0;
	for (size_t i = 0; i < COUNT_OF(goldens); i++) {
		struct chance c = {goldens[i].seed + 7000};
		unsigned bins = 2 + chance_below(&c, 8), total = 40 + chance_below(&c, 400);
		uint64_t counts[2][16] = {0};
		for (unsigned side = 0; side < 2; side++)
			for (unsigned k = 0; k < total * (side + 1); k++) {
				unsigned at = chance_below(&c, bins * bins);
				counts[side][goldens[i].seed % 2 ? (unsigned)sqrt(at) : at % bins]++;
			}
		struct chi_square found;
		chi_square_two_samples(counts[0], counts[1], bins, &found);
		assert_int_equal(found.degrees, goldens[i].degrees);
		assert_true(fabs(found.statistic - goldens[i].statistic) < 1e-9);
		assert_true(is_near(found.p, goldens[i].p, 1e-9));
		merged += goldens[i].degrees + 1 < bins;
	}
	assert_in_range(merged, 3, 1000);
}

static void known_tails(void **state)
{
	assert_true(is_near(chi_square_p(3.841458820694124, 1), 0.05, 1e-12));
	assert_true(is_near(chi_square_p(18.307038053275146, 10), 0.05, 1e-12));
	assert_true(is_near(chi_square_p(2, 2), exp(-1), 1e-14));
	assert_true(is_near(chi_square_p(200, 2), exp(-100), 1e-12)); /* small ones keep their digits */
	assert_true(chi_square_p(0, 3) >= 1 && chi_square_p(5, 0) >= 1);
}

static void nothing_to_compare(void **state)
{
	const uint64_t none[3] = {0}, some[3] = {10, 20, 30}, one[3] = {0, 50, 0};
	struct chi_square found;
	chi_square_two_samples(none, some, 3, &found);
	assert_true(found.p >= 1 && found.degrees == 0);
	chi_square_two_samples(one, one, 3, &found);
	assert_true(found.p >= 1 && found.degrees == 0);
	chi_square_two_samples(some, some, 3, &found);
	assert_true(found.p >= 1 && found.degrees == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_scipy),
		cmocka_unit_test(known_tails),
		cmocka_unit_test(nothing_to_compare),
	};
	return cmocka_run_group_tests_name("chi_square", tests, NULL, NULL);
}
