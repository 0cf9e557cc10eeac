/* SPDX-License-Identifier: Apache-2.0 */
/* watch/dashboard_range.h: pieces of a range cover it once, by the largest roll-ups that a chart's points
 * allow. */
#include "watch/dashboard_range.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define MINUTE RANGE_MINUTE_US
#define HOUR (60 * MINUTE)
#define DAY RANGE_DAY_US

/* In order, without gaps, each of whole roll-ups that lie within one point. */
static void check_range(const struct range *r, int64_t from_us, int64_t to_us)
{
	assert_true(r->from_us <= from_us && from_us - r->from_us < MINUTE && r->from_us % MINUTE == 0);
	assert_true(r->to_us >= to_us && r->to_us - to_us < MINUTE && r->to_us % MINUTE == 0);
	assert_true(r->points >= 1 && r->points <= RANGE_POINTS_MAX && r->piece_count <= RANGE_PIECES_MAX);
	assert_true(r->first_us <= r->from_us && r->first_us % (r->step_s * 1000000) == 0);
	assert_int_equal(range_point(r, r->from_us), 0);
	assert_int_equal(range_point(r, r->to_us - 1), r->points - 1);
	int64_t at = r->from_us;
	for (size_t i = 0; i < r->piece_count; i++) {
		const struct range_piece *p = &r->pieces[i];
		int64_t level_us = p->level_s * INT64_C(1000000);
		assert_true(p->from_us == at && p->to_us > p->from_us);
		assert_true(p->from_us % level_us == 0 && p->to_us % level_us == 0);
		assert_true(r->step_s % p->level_s == 0);
		at = p->to_us;
	}
	assert_true(at == r->to_us);
}

static void test_pieces(void **state)
{
	struct range r;
	/* 00:30:20 of day 10 … 01:15 of day 400: days by weeks, hours and minutes at the edges */
	range_set(&r, 10 * DAY + 30 * MINUTE + 20000000, 400 * DAY + 75 * MINUTE);
	check_range(&r, 10 * DAY + 30 * MINUTE + 20000000, 400 * DAY + 75 * MINUTE);
	const struct range_piece pieces[] = {
		{60, 10 * DAY + 30 * MINUTE, 10 * DAY + HOUR},
		{3600, 10 * DAY + HOUR, 11 * DAY},
		{86400, 11 * DAY, 400 * DAY},
		{3600, 400 * DAY, 400 * DAY + HOUR},
		{60, 400 * DAY + HOUR, 400 * DAY + 75 * MINUTE},
	};
	assert_int_equal(r.piece_count, COUNT_OF(pieces));
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		assert_int_equal(r.pieces[i].level_s, pieces[i].level_s);
		assert_true(r.pieces[i].from_us == pieces[i].from_us && r.pieces[i].to_us == pieces[i].to_us);
	}
	assert_int_equal(r.step_s, 7 * 86400);
	assert_false(range_is_whole_days(&r));
}

static void test_whole_units_are_one_piece(void **state)
{
	static const struct {
		int64_t from, to, step_s;
		int level_s;
	} cases[] = {
		{20000 * DAY, 20000 * DAY + HOUR, 60, 60},
		{20000 * DAY, 20000 * DAY + 200 * MINUTE, 60, 60},
		{20000 * DAY, 20000 * DAY + 201 * MINUTE, 300, 60},
		{20000 * DAY, 20001 * DAY, 900, 60},
		{20000 * DAY, 20007 * DAY, 3600, 3600},
		{20000 * DAY, 20031 * DAY, 6 * 3600, 3600},
		{20000 * DAY, 20200 * DAY, 86400, 86400},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct range r;
		range_set(&r, cases[i].from, cases[i].to);
		check_range(&r, cases[i].from, cases[i].to);
		assert_int_equal(r.piece_count, 1);
		assert_int_equal(r.pieces[0].level_s, cases[i].level_s);
		assert_int_equal(r.step_s, cases[i].step_s);
	}
	struct range r;
	range_set(&r, 20000 * DAY, 20007 * DAY);
	assert_true(range_is_whole_days(&r));
}

static void test_any_range(void **state)
{
	srand(5);
	for (int i = 0; i < 20000; i++) {
		int64_t from =
			(rand() % 20000) * DAY + (rand() % 86400) * INT64_C(1000000) + rand() % 1000000;
		int64_t length = 1 + (int64_t)(rand() % 1000000) * (INT64_C(1) << (rand() % 28));
		struct range r;
		range_set(&r, from, from + length);
		check_range(&r, from, from + length);
	}
	struct range r;
	range_set(&r, 0, 1);
	check_range(&r, 0, 1);
	range_set(&r, 0, 100 * 365 * DAY);
	check_range(&r, 0, 100 * 365 * DAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_whole_units_are_one_piece),
		cmocka_unit_test(test_any_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
