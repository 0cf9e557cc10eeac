/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict's arithmetic: against SciPy, against its promise (10,000 streams of equals, looked at after
 * every review), and against the published table of how many reviews a difference takes.
 */
#include "stats/e_process.h"

#include "base/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <cmocka.h>

static void test_it_is_what_scipy_says(void **state)
{
	/* (w+l+1) log(2) + betaln(1+w, 1+l) + beta.logsf(0.5, 1+w, 1+l) */
	const struct {
		uint64_t wins, losses;
		double log_e;
	} cases[] = {{0, 0, 0}, {1, 0, 0.405465108108164}, {0, 1, -0.693147180559945},
		{3, 1, 0.262364264467491}, {5, 0, 2.35137525716348}, {9, 1, 2.918262011878},
		{12, 3, 2.1867764119613}, {30, 20, -0.149038961717287}, {20, 30, -2.58610153160348},
		{61, 30, 3.98098092642604}, {300, 250, 0.0176672035836098}, {250, 300, -4.06788889068396},
		{1000, 900, -0.235807422606447}, {3000, 3000, -4.12409100757378},
		{5000, 1000, 1451.79103744683}, {0, 40, -3.71357206670431}};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_float_equal(e_process_log(cases[i].wins, cases[i].losses), cases[i].log_e,
			1e-11 * (1 + fabs(cases[i].log_e)));
}

/* Under the null hypothesis the expectation of the next value is the present one: a martingale. */
static void test_nobody_wins_by_betting_on_a_fair_coin(void **state)
{
	for (uint64_t w = 0; w < 40; w++)
		for (uint64_t l = 0; l < 40; l++) {
			double next = 0.5 * exp(e_process_log(w + 1, l)) + 0.5 * exp(e_process_log(w, l + 1));
			double now = exp(e_process_log(w, l));
			assert_float_equal(next, now, 1e-11 * now);
		}
}

/* ---- streams ---- */

#define LOOKS_MAX 4000
static uint32_t needed[LOOKS_MAX + 1]; /* wins among so many, that decide */

static int fill_needed(void **state)
{
	uint32_t wins = 0;
	for (uint32_t n = 0; n <= LOOKS_MAX; n++) {
		while (wins <= n && e_process_log(wins, n - wins) < log(E_PROCESS_DECIDES))
			wins++;
		needed[n] = wins; /* n + 1: not even all */
		if (n > 0)
			assert_true(needed[n] >= needed[n - 1]);
	}
	return 0;
}

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static double uniform(uint64_t *state)
{
	return (double)(next_random(state) >> 11) * 0x1p-53;
}

static void test_equals_are_seldom_promoted(void **state)
{
	uint64_t random = 8;
	unsigned promoted = 0, sent_back = 0;
	for (int stream = 0; stream < 10000; stream++) {
		uint32_t wins = 0;
		bool up = false, down = false;
		for (uint32_t n = 1; n <= LOOKS_MAX && !(up && down); n++) {
			wins += next_random(&random) >> 63;
			up = up || wins >= needed[n];
			down = down || n - wins >= needed[n];
		}
		promoted += up;
		sent_back += down;
	}
	print_message("of 10,000 streams of equals, looked at after each of %d disagreements: %u promoted, "
		      "%u sent back\n",
		LOOKS_MAX, promoted, sent_back);
	assert_true(promoted <= 500 && sent_back <= 500);
	assert_true(promoted >= 150); /* and not because nothing ever is */
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

#define REPEATS 3000
struct power {
	double discordance, rate; /* of images that the two disagree on, and that the shadow wins */
	double promoted;
	uint32_t reviewed, discordant; /* medians; 0: not published */
};

/* Reviews are of all images here, so most of them say nothing. */
static struct power measured(struct power p, uint64_t *random)
{
	static uint32_t reviewed[REPEATS], discordant[REPEATS];
	size_t count = 0;
	for (int i = 0; i < REPEATS; i++) {
		uint32_t wins = 0, n = 0;
		for (uint32_t review = 1; review <= 4000; review++) {
			if (uniform(random) >= p.discordance)
				continue;
			n++;
			wins += uniform(random) < p.rate;
			if (wins < needed[n])
				continue;
			reviewed[count] = review;
			discordant[count++] = n;
			break;
		}
	}
	p.promoted = (double)count / REPEATS;
	if (count > 0) {
		qsort(reviewed, count, sizeof(*reviewed), by_size);
		qsort(discordant, count, sizeof(*discordant), by_size);
		p.reviewed = reviewed[count / 2];
		p.discordant = discordant[count / 2];
	}
	return p;
}

/* The table was made from 300 repeats, whose median is off by a tenth easily; its last column is the share of
 * the one before. */
static void test_the_power_is_as_published(void **state)
{
	const struct power published[] = {{.10, .50, .03, 0, 0}, {.10, .60, .87, 1364, 136},
		{.10, .70, 1, 366, 37}, {.10, .80, 1, 155, 16}, {.10, .90, 1, 94, 9}, {.20, .60, 1, 774, 155},
		{.20, .70, 1, 162, 32}};
	uint64_t random = 5;
	for (size_t i = 0; i < COUNT_OF(published); i++) {
		struct power want = published[i], got = measured(want, &random);
		print_message(
			"discordance %.2f, wins %.2f: promoted %.3f (%.2f), reviewed %u (%u), discordant "
			"%u (%u)\n",
			want.discordance, want.rate, got.promoted, want.promoted, got.reviewed, want.reviewed,
			got.discordant, want.discordant);
		assert_float_equal(got.promoted, want.promoted, 0.05);
		if (want.reviewed == 0)
			continue;
		assert_float_equal(got.reviewed, want.reviewed, 0.2 * want.reviewed);
		assert_float_equal(got.discordant, want.discordant, fmax(2, 0.2 * want.discordant));
	}
}

/* ---- how many more ---- */

static void test_how_many_more_are_said(void **state)
{
	assert_int_equal(e_process_more(8, 0, E_PROCESS_DECIDES), 0);
	assert_true(e_process_more(0, 0, E_PROCESS_DECIDES) == UINT64_MAX); /* nothing is known */
	assert_true(e_process_more(10, 10, E_PROCESS_DECIDES) == UINT64_MAX);
	assert_true(e_process_more(10, 30, E_PROCESS_DECIDES) == UINT64_MAX);
	uint64_t few = e_process_more(9, 1, E_PROCESS_DECIDES);
	uint64_t many = e_process_more(12, 8, E_PROCESS_DECIDES);
	assert_true(few >= 1 && few <= 5);
	assert_true(many > 50 && many < 300);
	/* What was said was enough, if it goes on like that. */
	double rate = 13.0 / 22;
	uint64_t wins = 12 + (uint64_t)llround(rate * (double)many);
	assert_true(e_process_log(wins, 20 + many - wins) >= log(E_PROCESS_DECIDES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_what_scipy_says),
		cmocka_unit_test(test_nobody_wins_by_betting_on_a_fair_coin),
		cmocka_unit_test(test_equals_are_seldom_promoted),
		cmocka_unit_test(test_the_power_is_as_published),
		cmocka_unit_test(test_how_many_more_are_said),
	};
	return cmocka_run_group_tests(tests, fill_needed, NULL);
}
