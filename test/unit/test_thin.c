/* SPDX-License-Identifier: Apache-2.0 */
/* Which images of a stream count: pictures that look alike, and values that follow one another. */
#include "watch/thin.h"

#include "base/check.h"
#include "drift_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

static struct thin thin;

/* As it is used here: both values are one. */
static bool keeps(const struct seen *seen, double value)
{
	const double values[THIN_VALUES] = {value, value};
	return thin_keeps(&thin, seen, values);
}

static double normal_place(double x)
{
	return 0.5 * erfc(-x / sqrt(2));
}

/* How many of `count` values of a first-order stream of that correlation count; and how correlated these
 * still are.
 */
static unsigned kept_of(double rho, unsigned count, const char *source, struct chance *c, double *left)
{
	double x = chance_normal(c), last = (double)NAN, sum = 0, squares = 0;
	unsigned kept = 0;
	for (unsigned n = 0; n < count; n++) {
		struct log_row row = {.position = n, .source = source};
		struct seen seen = {.row = &row};
		x = rho * x + sqrt(1 - rho * rho) * chance_normal(c);
		if (!keeps(&seen, normal_place(x)))
			continue;
		kept++;
		if (!isnan(last))
			sum += x * last;
		squares += x * x;
		last = x;
	}
	*left = sum / squares;
	return kept;
}

static void followers_are_thinned_by_their_correlation(void **state)
{
	static const double correlations[] = {0, 0.5, 0.7, 0.9, 0.97};
	for (size_t i = 0; i < COUNT_OF(correlations); i++) {
		struct chance c = {61 + i};
		double rho = correlations[i], tau = (1 + rho) / (1 - rho), left;
		thin_reset(&thin);
		kept_of(rho, 3000, "a", &c, &left); /* it learns */
		double kept = kept_of(rho, 20000, "a", &c, &left);
		print_message("           rho %.2f: one in %.1f counts (tau %.1f), correlation left %.2f\n",
			rho, 20000 / kept, tau, left);
		assert_true(20000 / kept > 0.7 * tau && 20000 / kept < 1.4 * tau + 0.1);
		assert_true(left < 0.25);
	}
	assert_true(thin_factor(&thin) > 20);
}

/* Each source by itself: what is between two images of one does not matter. */
static void sources_do_not_mix(void **state)
{
	struct chance c = {71};
	double x[3] = {0, 2, -2};
	unsigned kept[3] = {0};
	thin_reset(&thin);
	for (unsigned n = 0; n < 30000; n++) {
		static const char *const names[] = {"calm", "slow", ""};
		unsigned i = n % 3;
		struct log_row row = {.position = n, .source = names[i]};
		struct seen seen = {.row = &row};
		double rho = i == 1 ? 0.9 : 0;
		x[i] = rho * x[i] + sqrt(1 - rho * rho) * chance_normal(&c);
		kept[i] += keeps(&seen, normal_place(x[i]));
	}
	assert_in_range(kept[0], 9200, 10000);
	assert_in_range(kept[1], 10000 / 28, 10000 / 11);
	assert_in_range(kept[2], 9200, 10000);
	/* More sources than there are places: the rest share the last one, and nothing breaks. */
	for (unsigned n = 0; n < 1000; n++) {
		char name[16];
		struct log_row row = {.position = n, .source = name};
		struct seen seen = {.row = &row};
		snprintf(name, sizeof(name), "camera %u", n % 100);
		keeps(&seen, chance_share(&c));
	}
	assert_int_equal(thin.seen, 31000);
}

static void pictures_that_look_alike_count_once(void **state)
{
	static struct made m;
	struct chance c = {81};
	unsigned kept = 0;
	thin_reset(&thin);
	for (uint64_t n = 1; n <= 4000; n++) {
		if (n % 10 == 1)
			make_image(&m, &c, n, TASK_DETECTION);
		m.sign[chance_below(&c, IMAGE_SIGN_SIZE)] ^= 1; /* hardly */
		kept += keeps(&m.seen, chance_share(&c));
	}
	assert_in_range(kept, 300, 400); /* of 400 scenes of ten pictures */
	assert_int_equal(thin.alike, 3600);
	/* A camera that always looks at the same does not fall silent. */
	thin_reset(&thin);
	kept = 0;
	for (uint64_t n = 1; n <= 6500; n++)
		kept += keeps(&m.seen, chance_share(&c));
	assert_in_range(kept, 40, 101); /* of 100; at first it is careful */
	/* Without a sign nothing is known to be alike. */
	thin_reset(&thin);
	m.row.image_sign = (struct span){0};
	for (uint64_t n = 1; n <= 100; n++)
		keeps(&m.seen, chance_share(&c));
	assert_int_equal(thin.alike, 0);
}

/* A change does not look like correlation for long: or it would hide itself. */
static void a_change_is_not_thinned_away(void **state)
{
	struct chance c = {91};
	unsigned kept = 0;
	thin_reset(&thin);
	for (unsigned n = 0; n < 700; n++) {
		struct log_row row = {.position = n, .source = ""};
		struct seen seen = {.row = &row};
		bool kept_now = keeps(&seen, n < 500 ? chance_share(&c) : 0.97 + 0.03 * chance_share(&c));
		kept += n >= 500 && n < 600 && kept_now;
	}
	assert_in_range(kept, 40, 100); /* of the first hundred after it */
}

/* A window is thinned by what it shows itself. */
static void windows(void **state)
{
	enum { COUNT = 600 };
	static struct made images[COUNT];
	static struct seen seen[COUNT];
	static double outliers[COUNT];
	static bool keep[COUNT];
	struct chance c = {101};
	size_t effective, counted = 0;
	double x = 0;
	for (size_t i = 0; i < COUNT; i++) {
		make_image(&images[i], &c, i + 1, TASK_DETECTION);
		seen[i] = images[i].seen;
		outliers[i] = (double)NAN;
	}
	thin_window(seen, NULL, COUNT, keep, &effective);
	assert_in_range(effective, COUNT * 85 / 100, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		counted += keep[i];
	assert_int_equal(counted, effective);
	for (size_t i = 0; i < COUNT; i++) {
		x = 0.9 * x + sqrt(1 - 0.81) * chance_normal(&c);
		outliers[i] = exp(x); /* whatever the scale */
	}
	thin_window(seen, outliers, COUNT, keep, &effective);
	assert_in_range(effective, COUNT / 35, COUNT / 8);
	thin_window(seen, outliers, 0, keep, &effective);
	assert_int_equal(effective, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(followers_are_thinned_by_their_correlation),
		cmocka_unit_test(sources_do_not_mix),
		cmocka_unit_test(pictures_that_look_alike_count_once),
		cmocka_unit_test(a_change_is_not_thinned_away),
		cmocka_unit_test(windows),
	};
	return cmocka_run_group_tests_name("thin", tests, NULL, NULL);
}
