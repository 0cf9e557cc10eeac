/* SPDX-License-Identifier: Apache-2.0 */
/* watch/verdict.h: how reviews are counted, what must hold besides, and what is said of it. The whole of it
 * is test/http/test_verdict.py. */
#include "watch/verdict.h"

#include "base/check.h"
#include "stats/e_process.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

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

/* A letter an image of the sample: W won, L lost, T tied, S skipped, '.' nobody reviewed it. */
static struct verdict counted(const char *results)
{
	size_t count = strlen(results);
	struct sample_row *sample = ARENA_ARRAY(&arena, struct sample_row, count + 1);
	enum quality_winner *winners = ARENA_ARRAY(&arena, enum quality_winner, count + 1);
	for (size_t i = 0; i < count; i++) {
		char c = results[i];
		sample[i].place = (int64_t)i + 1;
		sample[i].status = c == '.'   ? "TO REVIEW"
				   : c == 'S' ? "SKIPPED"
				   : i % 2    ? "REVIEWED"
					      : "SUBMITTED";
		winners[i] = c == 'W'   ? QUALITY_SECOND
			     : c == 'L' ? QUALITY_FIRST
			     : c == 'T' ? QUALITY_TIE
					: QUALITY_OPEN;
	}
	struct verdict v = {.needed = E_PROCESS_DECIDES,
		.shadow = {.model = "finder", .version = 4},
		.champion = {.model = "finder", .version = 3},
		.pairs = {.images = 300, .disagree = 90},
		.row = {.predictions = 300, .compared = 300, .cpu_us = 3000000, .champion_cpu_us = 2900000}};
	verdict_count(&v, sample, winners, count, &arena);
	return v;
}

static struct verdict said(const char *results)
{
	struct verdict v = counted(results);
	verdict_guard(&v, &arena);
	verdict_say(&v, &arena);
	return v;
}

static void test_reviews_count_in_order(void **state)
{
	struct verdict v = counted("WLTSW.WWW");
	assert_true(v.wins == 2 && v.losses == 1 && v.ties == 1 && v.reviewed == 4);
	assert_true(v.sampled == 9 && v.to_review == 1 && v.history_count == 4);
	assert_float_equal(v.log_e, e_process_log(2, 1), 0);
	assert_float_equal(v.log_e_worse, e_process_log(1, 2), 0);
	assert_string_equal(v.state, VERDICT_UNSURE);
	v = counted("");
	assert_true(v.reviewed == 0 && v.log_e == 0 && v.history_count == 0);
}

/* Reached once, it stays, whatever comes after. */
static void test_a_verdict_stays(void **state)
{
	char results[200];
	memset(results, 'W', 12);
	memset(results + 12, 'L', 12);
	results[24] = 0;
	struct verdict v = counted(results);
	assert_string_equal(v.state, VERDICT_BETTER);
	assert_true(v.log_e < log(E_PROCESS_DECIDES));
	assert_string_equal(counted("LLLLLLLLLLLL").state, VERDICT_WORSE);
	/* Seven out of seven are enough, six are not: E is 31.9 and 18.1. */
	assert_string_equal(counted("WWWWWWW").state, VERDICT_BETTER);
	assert_string_equal(counted("WWWWWW").state, VERDICT_UNSURE);
}

static void test_the_history_is_thinned(void **state)
{
	char results[1001];
	for (size_t i = 0; i < 1000; i++)
		results[i] = i % 3 ? 'W' : 'L';
	results[1000] = 0;
	struct verdict v = counted(results);
	assert_int_equal(v.history_count, VERDICT_HISTORY_MAX);
	assert_int_equal(v.history[VERDICT_HISTORY_MAX - 1].reviewed, 1000);
	for (size_t i = 1; i < v.history_count; i++)
		assert_true(v.history[i].reviewed > v.history[i - 1].reviewed);
}

static const char *const fifty = "WWWWWWWWWWWWWWWWWWWWWWWWWLWWWWWWWWWWWWWWWWWWWWWWLT";

static bool holds(const struct verdict *v, const char *name)
{
	for (size_t i = 0; i < VERDICT_GUARDS; i++)
		if (strcmp(v->guards[i].name, name) == 0)
			return v->guards[i].ok;
	fail_msg("there is no guard %s", name);
	return false;
}

/* All hold; then one after the other does not, and it may not be promoted. */
static void test_every_guard_can_hold_it_back(void **state)
{
	struct quality_pair_label labels[2] = {{"scratch", 40, 0.5, 0.6, 0.05, 0.15, 1},
		{"dent", 29, 0.5, 0.1, -0.6, -0.2, 0.002}}; /* of too few objects */
	struct verdict good = counted(fifty);
	good.pair = (struct quality_pair){.images = 60, .labels = labels, .label_count = 2};
	verdict_guard(&good, &arena);
	assert_true(good.may_promote);
	struct verdict v = counted("WWWWWWWWWWWW");
	verdict_guard(&v, &arena);
	assert_true(!holds(&v, "reviews") && holds(&v, "evidence") && !v.may_promote);
	v = good;
	v.state = VERDICT_UNSURE;
	verdict_guard(&v, &arena);
	assert_true(!holds(&v, "evidence") && !v.may_promote);
	v = good;
	v.pairs.images = 199;
	verdict_guard(&v, &arena);
	assert_true(!holds(&v, "seen") && !v.may_promote);
	v = good;
	labels[1].truths = 30;
	verdict_guard(&v, &arena);
	assert_true(!holds(&v, "classes") && !v.may_promote);
	labels[1].chance = 0.03; /* of two classes each may be wrong with half the chance */
	verdict_guard(&v, &arena);
	assert_true(holds(&v, "classes") && v.may_promote);
	v = good;
	v.row.cpu_us = 6000000;
	verdict_guard(&v, &arena);
	assert_true(!holds(&v, "speed") && !v.may_promote);
	v.row.cpu_us = 900000, v.row.champion_cpu_us = 450000; /* 3 and 1.5 ms: both are nothing */
	verdict_guard(&v, &arena);
	assert_true(holds(&v, "speed"));
	v = good;
	v.row.skipped = 3;
	verdict_guard(&v, &arena);
	assert_true(holds(&v, "failures"));
	v.row.skipped = 4;
	verdict_guard(&v, &arena);
	assert_true(!holds(&v, "failures") && !v.may_promote);
	v = good;
	v.pairs.shadow_silent = 4, v.pairs.champion_silent = 1;
	verdict_guard(&v, &arena);
	assert_true(holds(&v, "answers"));
	v.pairs.shadow_silent = 5;
	verdict_guard(&v, &arena);
	assert_true(!holds(&v, "answers") && !v.may_promote);
}

static void test_what_is_said(void **state)
{
	struct verdict v = said("");
	assert_string_equal(v.sentence, "Not sure yet: version 4 and version 3 disagree on 90 of 300 images; "
					"none of these disagreements is "
					"reviewed. 50 reviews of them are the least it takes.");
	assert_false(v.known);
	v = said("WWL");
	assert_true(v.known && v.more_reviews >= 47);
	assert_non_null(strstr(v.sentence, "of 3 reviewed disagreements version 4 won 2 and lost 1. About "));
	v = said("WWLLT");
	assert_string_equal(v.sentence,
		"Not sure yet: of 5 reviewed disagreements version 4 won 2, lost 2 and tied 1. As "
		"it goes, reviews do not decide it soon.");
	v = said("WWWWWWWWWWWW");
	assert_string_equal(v.sentence,
		"Better: of 12 reviewed disagreements version 4 won 12 and lost 0. It may not be "
		"promoted by itself yet: 12 disagreements are reviewed; 50 must be.");
	assert_true(v.known && v.more_reviews == 38);
	v = said(fifty);
	assert_string_equal(
		v.sentence, "Better: of 50 reviewed disagreements version 4 won 47, lost 2 and tied 1.");
	assert_true(v.known && v.more_reviews == 0);
	v = said("LLLLLLLLLLLL");
	assert_string_equal(v.sentence, "Worse: of 12 reviewed disagreements version 4 won 0 and lost 12.");
	assert_true(v.known && v.more_reviews == 0);
	v = counted("");
	v.champion.model = "another";
	v.pairs.disagree = 0;
	verdict_guard(&v, &arena);
	verdict_say(&v, &arena);
	assert_string_equal(v.sentence,
		"Not sure yet: finder version 4 and another version 3 agree on all of the 300 "
		"images that both have seen.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reviews_count_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_verdict_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_history_is_thinned, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_every_guard_can_hold_it_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_said, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
