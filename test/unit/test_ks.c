/* SPDX-License-Identifier: Apache-2.0 */
/* The Kolmogorov–Smirnov test: SciPy's own cases, its answers on samples with ties, and what must hold
 * anyhow. */
#include "stats/ks.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/json.h"
#include "data_samples.h"
#include "drift_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

#define KS_CASES 120 /* as in test/golden/drift.py: then come large ones */

static const struct {
	unsigned seed;
	double d, p, asymptotic;
} goldens[] = {
#define KS(...) {__VA_ARGS__},
#define CHI(...)
#define GAUSS(...)
#include "../golden/drift.txt"
#undef KS
#undef CHI
#undef GAUSS
};

static size_t draw(struct chance *c, double *out, size_t count, unsigned kinds, unsigned shift)
{
	for (size_t i = 0; i < count; i++)
		out[i] = chance_below(c, kinds) + shift;
	return count;
}

static void same_as_scipy_on_samples_with_ties(void **state)
{
	static double a[2000], b[2000];
	unsigned large = 0;
	for (size_t i = 0; i < COUNT_OF(goldens); i++) {
		struct chance c = {goldens[i].seed};
		unsigned most = goldens[i].seed < KS_CASES ? 60 : 2000;
		size_t n = 1 + chance_below(&c, most), m = 1 + chance_below(&c, most);
		unsigned kinds = 2 + chance_below(&c, 150), shift = chance_below(&c, 40);
		struct ks ks;
		draw(&c, a, n, kinds, 0);
		draw(&c, b, m, kinds, goldens[i].seed % 3 == 0 ? shift : 0);
		qsort(a, n, sizeof(*a), by_value);
		qsort(b, m, sizeof(*b), by_value);
		ks_test(a, n, b, m, &ks);
		assert_true(is_near(ks.d, goldens[i].d, 1e-12));
		if (goldens[i].p >= 0 && !is_near(ks.p, goldens[i].p, 1e-9))
			fail_msg("case %u: p %.17g, expected %.17g", goldens[i].seed, ks.p, goldens[i].p);
		large += most == 2000;
	}
	assert_in_range(large, 10, 1000);
}

static size_t numbers(yyjson_val *array, double **out, struct arena *a)
{
	size_t count = yyjson_arr_size(array);
	*out = ARENA_ARRAY(a, double, count);
	for (size_t i = 0; i < count; i++)
		(*out)[i] = yyjson_get_num(yyjson_arr_get(array, i));
	qsort(*out, count, sizeof(double), by_value);
	return count;
}

static void same_as_scipys_own_cases(void **state)
{
	SKIP_WITHOUT_REAL_DATA();
	struct arena a;
	struct err err;
	yyjson_doc *doc;
	size_t at, most, count = 0;
	yyjson_val *test_case;
	arena_init(&a);
	assert_int_equal(json_parse(real_file("numeric/ks_2samp_scipy.json", &a), &a, &doc, &err), ST_OK);
	yyjson_val *cases = yyjson_obj_get(yyjson_doc_get_root(doc), "cases");
	yyjson_arr_foreach (cases, at, most, test_case) {
		double *x, *y;
		struct ks ks;
		yyjson_val *two_sided = yyjson_arr_get(yyjson_obj_get(test_case, "expect"), 0);
		size_t n = numbers(yyjson_obj_get(test_case, "x"), &x, &a);
		size_t m = numbers(yyjson_obj_get(test_case, "y"), &y, &a);
		assert_string_equal(yyjson_get_str(yyjson_obj_get(two_sided, "alternative")), "two-sided");
		ks_test(x, n, y, m, &ks);
		assert_true(is_near(ks.d, yyjson_get_num(yyjson_obj_get(two_sided, "statistic")), 1e-9));
		assert_true(is_near(ks.p, yyjson_get_num(yyjson_obj_get(two_sided, "pvalue")), 1e-9));
		count++;
	}
	assert_in_range(count, 10, 1000);
	arena_release(&a);
}

/* SciPy's exact mode says 4.2e-15 here, as it takes what is left of 1 (docs/internals/drift.md). */
static void small_p_keep_their_digits(void **state)
{
	assert_true(is_near(ks_p_exact(10000, 110, 612880), ks_p_exact(110, 10000, 612880), 1e-12));
	double p = ks_p_exact(10000, 110, 612880);
	assert_true(p > 1e-40 && p < 1e-20);
	assert_true(is_near(ks_p_exact(3, 3, 9), 2.0 / 20, 1e-15)); /* two of the twenty paths */
	assert_true(ks_p_exact(1, 1, 1) >= 1 && ks_p_exact(5, 7, 0) >= 1);
}

static void the_correction_is_near_the_exact_p(void **state)
{
	for (uint64_t h = 1500; h <= 6000; h += 500) {
		double d = (double)h / (200 * 150), exact = ks_p_exact(200, 150, h);
		assert_true(is_near(ks_p_asymptotic(200, 150, d), exact, 0.08));
	}
	assert_true(ks_p_asymptotic(100, 100, 0) >= 1);
	assert_true(is_near(ks_p_asymptotic(100, 110, 0.2109090909090909), 0.01588, 1e-3)); /* metrics.md */
}

/* Against 10,000 values: where Stephens' correction of SciPy's limit (kstwobign) is alpha. */
static void what_can_be_seen(void **state)
{
	static const struct {
		size_t n;
		double alpha, d;
	} table[] = {{50, .05, .1889}, {50, .001, .2712}, {100, .005, .1717}, {200, .05, .0961},
		{200, .001, .1380}, {500, .005, .0789}, {1000, .05, .0449}, {5000, .001, .0337}};
	for (size_t i = 0; i < COUNT_OF(table); i++)
		assert_true(fabs(ks_critical(table[i].n, 10000, table[i].alpha) - table[i].d) < 0.0005);
	/* It is the smallest one, on the grid of whole numbers. */
	for (size_t n = 5; n < 60; n += 7) {
		double d = ks_critical(n, 40, 0.05);
		uint64_t h = (uint64_t)(d * (double)n * 40 + 0.5);
		assert_true(ks_p_exact(n, 40, h) <= 0.05);
		uint64_t step = 40; /* of h: the greatest common divisor */
		while (n % step || 40 % step)
			step--;
		assert_true(ks_p_exact(n, 40, h - step) > 0.05);
	}
	assert_true(isnan(ks_critical(1, 1, 0.05)));
}

/* The interval holds the true distance (of two shifted uniforms: the shift) in at least 95 of 100 samples. */
static void the_interval_holds(void **state)
{
	struct chance c = {11};
	static double a[300], b[200];
	unsigned held = 0;
	struct ks ks;
	for (unsigned run = 0; run < 400; run++) {
		for (size_t i = 0; i < COUNT_OF(a); i++)
			a[i] = chance_share(&c);
		for (size_t i = 0; i < COUNT_OF(b); i++)
			b[i] = chance_share(&c) + 0.25;
		qsort(a, COUNT_OF(a), sizeof(*a), by_value);
		qsort(b, COUNT_OF(b), sizeof(*b), by_value);
		ks_test(a, COUNT_OF(a), b, COUNT_OF(b), &ks);
		held += ks.low <= 0.25 && 0.25 <= ks.high;
		assert_int_equal(ks.sign, 1); /* a is the smaller one */
		assert_true(ks.at > 0 && ks.at < 1.25);
	}
	assert_in_range(held, 380, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_scipy_on_samples_with_ties),
		cmocka_unit_test(same_as_scipys_own_cases),
		cmocka_unit_test(small_p_keep_their_digits),
		cmocka_unit_test(the_correction_is_near_the_exact_p),
		cmocka_unit_test(what_can_be_seen),
		cmocka_unit_test(the_interval_holds),
	};
	return cmocka_run_group_tests_name("ks", tests, NULL, NULL);
}
