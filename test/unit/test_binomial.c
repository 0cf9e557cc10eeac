/* SPDX-License-Identifier: Apache-2.0 */
/* stats/binomial.h against SciPy's binom.sf(k - 1, n, p). */
#include "stats/binomial.h"

#include "base/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void chances_are_scipys(void **state)
{
	static const struct {
		uint64_t k, n;
		double p, expected;
	} cases[] = {
		{1, 1, 0.0001, 1.000000000000e-04},
		{1, 1, 0.5, 5.000000000000e-01},
		{1, 7, 0.0001, 6.997900349965e-04},
		{3, 7, 0.05, 3.757042968750e-03},
		{3, 7, 0.5, 7.734375000000e-01},
		{6, 7, 0.97, 9.829069658162e-01},
		{1, 20, 0.0001, 1.998101139516e-03},
		{1, 20, 0.05, 6.415140775915e-01},
		{1, 20, 0.5, 9.999990463257e-01},
		{1, 20, 0.97, 1.000000000000e+00},
		{20, 20, 0.97, 5.437943429267e-01},
		{3, 50, 0.01, 1.381727083060e-02},
		{2, 50, 0.05, 7.205682476793e-01},
		{25, 50, 0.5, 5.561375863296e-01},
		{1, 50, 0.97, 1.000000000000e+00},
		{1, 333, 0.0001, 3.275326901848e-02},
		{3, 333, 0.01, 6.478892436681e-01},
		{16, 333, 0.05, 6.002077913741e-01},
		{1, 333, 0.5, 1.000000000000e+00},
		{1, 333, 0.97, 1.000000000000e+00},
		{333, 333, 0.97, 3.935387579963e-05},
		{1, 1000, 0.01, 9.999568287526e-01},
		{20, 1000, 0.01, 3.288359787727e-03},
		{71, 1000, 0.05, 2.330300547609e-03},
		{500, 1000, 0.5, 5.126125090892e-01},
		{970, 1000, 0.97, 5.483571283248e-01},
		{1, 20000, 0.0001, 8.646782505173e-01},
		{1, 20000, 0.01, 1.000000000000e+00},
		{243, 20000, 0.01, 1.672565860405e-03},
		{1093, 20000, 0.05, 1.519914335883e-03},
		{10000, 20000, 0.5, 5.028209126561e-01},
		{19400, 20000, 0.97, 5.108567806627e-01},
		{1, 1000000, 0.0001, 1.000000000000e+00},
		{1, 1000000, 0.01, 1.000000000000e+00},
		{10299, 1000000, 0.01, 1.408289400688e-03},
		{50654, 1000000, 0.05, 1.381265612581e-03},
		{500000, 1000000, 0.5, 5.003989421807e-01},
		{970000, 1000000, 0.97, 5.015357010919e-01},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		double got = binomial_at_least(cases[i].k, cases[i].n, cases[i].p);
		if (!(fabs(got - cases[i].expected) <= 1e-8 * cases[i].expected))
			fail_msg("P(X >= %llu) of %llu with %g is %.12g, not %.12g",
				(unsigned long long)cases[i].k, (unsigned long long)cases[i].n, cases[i].p,
				got, cases[i].expected);
	}
}

static void the_ends(void **state)
{
	assert_true(binomial_at_least(0, 10, 0.1) == 1);
	assert_true(binomial_at_least(0, 0, 0) == 1);
	assert_true(binomial_at_least(11, 10, 0.9) == 0);
	assert_true(binomial_at_least(1, 10, 0) == 0);
	assert_true(binomial_at_least(10, 10, 1) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chances_are_scipys),
		cmocka_unit_test(the_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
