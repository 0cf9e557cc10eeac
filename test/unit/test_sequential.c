/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sequential detector: on river's published stream beside river's own Page–Hinkley, on clean streams, and
 * how long it takes after changes of several sizes.
 */
#include "stats/sequential.h"

#include "base/arena.h"
#include "base/check.h"
#include "data_samples.h"
#include "drift_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

#define CHANGE 1000 /* where river's stream changes */
#define RIVER 2000

/* ---- river's stream ---- */

/* Page–Hinkley as river has it (min_instances 30, delta 0.005, threshold 50, alpha 0.9999): the index of the
 * first alarm. */
static size_t page_hinkley(const double *values, size_t count)
{
	double mean = 0, up = 0, down = 0, up_min = INFINITY, down_max = -INFINITY;
	for (size_t i = 0; i < count; i++) {
		mean += (values[i] - mean) / (double)(i + 1);
		up = 0.9999 * up + (values[i] - mean - 0.005);
		down = 0.9999 * down + (values[i] - mean + 0.005);
		up_min = fmin(up_min, up);
		down_max = fmax(down_max, down);
		if (i + 1 >= 30 && (up - up_min > 50 || down_max - down > 50))
			return i;
	}
	return count;
}

/* The place of a value among sorted ones, ties broken by chance. */
static double place(const double *sorted, size_t count, double value, struct chance *c)
{
	size_t below = 0, equal = 0;
	for (size_t i = 0; i < count; i++) {
		below += sorted[i] < value;
		equal += !(sorted[i] < value) && !(sorted[i] > value);
	}
	return ((double)below + chance_share(c) * (double)(equal + 1)) / (double)(count + 1);
}

static void the_published_stream(void **state)
{
	SKIP_WITHOUT_REAL_DATA();
	struct arena a;
	struct sequential s;
	struct chance c = {1};
	double values[RIVER], reference[CHANGE], strength;
	arena_init(&a);
	const struct span text = real_file("numeric/river_stream_2000.txt", &a);
	const char *at = arena_strndup(&a, (const char *)text.data, text.size);
	for (size_t i = 0; i < RIVER; i++) {
		char *end;
		values[i] = strtod(at, &end);
		assert_ptr_not_equal(at, end);
		at = end;
	}
	memcpy(reference, values, sizeof(reference));
	qsort(reference, CHANGE, sizeof(double), by_value);
	sequential_reset(&s);
	size_t alarm = 0;
	enum sequential_change change = SEQUENTIAL_NONE;
	for (; alarm < RIVER; alarm++) {
		double u = place(reference, CHANGE, values[alarm], &c);
		change = sequential_add(
			&s, u, sequential_tolerance(CHANGE), sequential_limit(1, 100000), &strength);
		if (strength >= 1)
			break;
	}
	print_message(
		"           change at %d: Page-Hinkley alarms at %zu, the e-detector (one false alarm in "
		"100,000) at %zu\n",
		CHANGE, page_hinkley(values, RIVER), alarm);
	assert_int_equal(page_hinkley(values, RIVER), 1006);
	assert_in_range(alarm, CHANGE, CHANGE + 60);
	assert_int_equal(change, SEQUENTIAL_HIGHER);
	assert_in_range(sequential_changed(&s, change), alarm - CHANGE, alarm - CHANGE + 40);
	arena_release(&a);
}

/* ---- made-up streams ---- */

enum { FOREVER = 20000 };

/* What a normal value that was moved by `shift` and stretched has for a place in the distribution before. */
static double moved(struct chance *c, double shift, double stretch)
{
	return 0.5 * erfc(-(chance_normal(c) * stretch + shift) / sqrt(2));
}

/* Values until the alarm, after 500 clean ones; FOREVER: none. */
static unsigned delay(struct chance *c, double shift, double stretch, double tolerance, double limit,
	enum sequential_change *change)
{
	struct sequential s;
	double strength;
	sequential_reset(&s);
	for (unsigned i = 0; i < 500; i++) {
		sequential_add(&s, moved(c, 0, 1), tolerance, limit, &strength);
		if (strength >= 1) /* once in a million values or so */
			sequential_reset(&s);
	}
	for (unsigned i = 1; i < FOREVER; i++) {
		*change = sequential_add(&s, moved(c, shift, stretch), tolerance, limit, &strength);
		if (strength >= 1)
			return i;
	}
	return FOREVER;
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

#define RUNS 41

static unsigned median_delay(
	double shift, double stretch, double tolerance, double limit, enum sequential_change *change)
{
	struct chance c = {(uint64_t)(fabs(shift) * 64) + (uint64_t)(stretch * 16) + 1};
	unsigned delays[RUNS];
	for (int run = 0; run < RUNS; run++)
		delays[run] = delay(&c, shift, stretch, tolerance, limit, change);
	qsort(delays, RUNS, sizeof(*delays), by_number);
	return delays[RUNS / 2];
}

/* Within what metrics.md 1.6 measured for c = 5,000 and eps = .03 (the numbers are medians of chance). */
static void delays_are_those_that_were_measured(void **state)
{
	static const struct {
		double shift, stretch;
		unsigned least, most;
		enum sequential_change change;
	} cases[] = {
		{0.25, 1, 300, 600, SEQUENTIAL_HIGHER},
		{0.5, 1, 80, 140, SEQUENTIAL_HIGHER},
		{-0.5, 1, 80, 140, SEQUENTIAL_LOWER},
		{1, 1, 30, 50, SEQUENTIAL_HIGHER},
		{2, 1, 16, 28, SEQUENTIAL_HIGHER},
		{0, 2, 45, 75, SEQUENTIAL_WIDER},
		{0, 0.5, 36, 65, SEQUENTIAL_NARROWER},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		enum sequential_change change = SEQUENTIAL_NONE;
		unsigned median = median_delay(
			cases[i].shift, cases[i].stretch, 0.03, sequential_limit(1, 5000), &change);
		print_message("           shift %5.2f sd, spread x %.1f: alarm after %u values\n",
			cases[i].shift, cases[i].stretch, median);
		assert_in_range(median, cases[i].least, cases[i].most);
		assert_int_equal(change, cases[i].change);
	}
}

/* How the tolerance of a reference's size and the budget of 19 features change the delay: printed. */
static void delays_by_the_size_of_the_reference(void **state)
{
	static const unsigned sizes[] = {120, 500, 2500};
	static const double shifts[] = {0.25, 0.5, 1, 2};
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		unsigned medians[COUNT_OF(shifts)];
		enum sequential_change change;
		for (size_t k = 0; k < COUNT_OF(shifts); k++)
			medians[k] = median_delay(shifts[k], 1, sequential_tolerance(sizes[i]),
				sequential_limit(19, 100000), &change);
		print_message("           reference of %4u images, tolerance %.3f: 0.25 sd %u, 0.5 sd %u, 1 "
			      "sd %u, 2 sd "
			      "%u values (%d: never)\n",
			sizes[i], sequential_tolerance(sizes[i]), medians[0], medians[1], medians[2],
			medians[3], FOREVER);
		assert_in_range(medians[2], 1, 400);
		assert_in_range(medians[3], 1, 80);
	}
}

/* Without any tolerance the mean time to a false alarm is at least what was asked for. */
static void false_alarms_are_as_rare_as_is_said(void **state)
{
	struct chance c = {3};
	struct sequential s;
	double strength;
	unsigned alarms = 0, values = 400000, images = 2000;
	sequential_reset(&s);
	for (unsigned i = 0; i < values; i++) {
		sequential_add(&s, chance_share(&c), 0, sequential_limit(1, images), &strength);
		if (strength < 1)
			continue;
		alarms++;
		sequential_reset(&s);
	}
	print_message(
		"           one false alarm in %u values was asked for: %u in %u\n", images, alarms, values);
	assert_in_range(alarms, 10, values / images); /* not none either: it is a bound, not a wall */
	alarms = 0;
	for (unsigned i = 0; i < values; i++) {
		sequential_add(&s, chance_share(&c), 0.03, sequential_limit(1, images), &strength);
		if (strength < 1)
			continue;
		alarms++;
		sequential_reset(&s);
	}
	assert_in_range(alarms, 0, 6); /* with a tolerance there are hardly any */
}

static void the_edges(void **state)
{
	struct sequential s;
	double strength = 0;
	assert_true(is_near(sequential_tolerance(500), 3.5 / sqrt(6000), 1e-12));
	assert_true(is_near(sequential_tolerance(100000), 0.03, 1e-12));
	assert_true(sequential_tolerance(0) >= 0.5 && sequential_tolerance(4) >= 0.5);
	assert_true(is_near(sequential_limit(19, 100000), 3.8e6, 1e-12));
	sequential_reset(&s);
	for (int i = 0; i < 5000; i++) { /* nothing overflows, and no stake loses more than all */
		sequential_add(&s, 1, 0.03, 10, &strength);
		for (int bet = 0; bet < SEQUENTIAL_BETS; bet++)
			assert_true(isfinite(s.bets[0][0][bet]) && s.bets[0][1][bet] >= 0);
	}
	assert_true(isfinite(strength) && strength > 1);
	sequential_reset(&s);
	for (int i = 0; i < 200; i++) {
		sequential_add(&s, 0, 0.5, 1e9, &strength);
		assert_true(s.bets[0][0][SEQUENTIAL_BETS - 1] >= 0 && strength < 1); /* all is tolerated */
	}
	assert_string_equal(sequential_change_name(SEQUENTIAL_WIDER), "wider");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_stream),
		cmocka_unit_test(delays_are_those_that_were_measured),
		cmocka_unit_test(delays_by_the_size_of_the_reference),
		cmocka_unit_test(false_alarms_are_as_rare_as_is_said),
		cmocka_unit_test(the_edges),
	};
	return cmocka_run_group_tests_name("sequential", tests, NULL, NULL);
}
