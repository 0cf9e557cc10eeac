/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/dashboard_range.h"

#include "base/check.h"

#include <string.h>

#define SECOND_US INT64_C(1000000)
#define HOUR_S 3600
#define DAY_S 86400

/*
 * A point is never much longer than what it is read from, so that a chart costs some thousand small roll-ups
 * at most: 15 minutes are read as minutes, an hour as an hour.
 */
static const int64_t steps_s[] = {60, 300, 900, HOUR_S, INT64_C(6) * HOUR_S, DAY_S, INT64_C(7) * DAY_S,
	INT64_C(30) * DAY_S, INT64_C(365) * DAY_S};

static int64_t floor_to(int64_t at_us, int64_t unit_us)
{
	return at_us / unit_us * unit_us;
}

static int64_t ceil_to(int64_t at_us, int64_t unit_us)
{
	return floor_to(at_us + unit_us - 1, unit_us);
}

static size_t points_of(const struct range *r, int64_t step_s)
{
	int64_t step_us = step_s * SECOND_US;
	return (size_t)((ceil_to(r->to_us, step_us) - floor_to(r->from_us, step_us)) / step_us);
}

static void add_piece(struct range *r, int level_s, int64_t from_us, int64_t to_us)
{
	if (from_us < to_us)
		r->pieces[r->piece_count++] = (struct range_piece){level_s, from_us, to_us};
}

/* The part [from, to) by the level or finer ones: as much as it holds in the middle, what is left on both
 * sides. */
static void split(struct range *r, int level_s, int64_t from_us, int64_t to_us)
{
	static const int finer[] = {DAY_S, HOUR_S, 60};
	int64_t unit_us = level_s * SECOND_US;
	int64_t low = ceil_to(from_us, unit_us), high = floor_to(to_us, unit_us);
	int next = level_s == finer[0] ? finer[1] : finer[2];
	if (from_us >= to_us)
		return;
	if (level_s == 60) {
		add_piece(r, level_s, from_us, to_us);
	} else if (low >= high) {
		split(r, next, from_us, to_us);
	} else {
		split(r, next, from_us, low);
		add_piece(r, level_s, low, high);
		split(r, next, high, to_us);
	}
}

void range_set(struct range *r, int64_t from_us, int64_t to_us)
{
	CHECK(from_us >= 0 && from_us < to_us);
	memset(r, 0, sizeof(*r));
	r->from_us = floor_to(from_us, RANGE_MINUTE_US);
	r->to_us = ceil_to(to_us, RANGE_MINUTE_US);
	size_t i = 0;
	while (i + 1 < COUNT_OF(steps_s) && points_of(r, steps_s[i]) > RANGE_POINTS_MAX)
		i++;
	r->step_s = steps_s[i];
	r->points = points_of(r, r->step_s);
	CHECK(r->points <= RANGE_POINTS_MAX); /* 200 years */
	r->first_us = floor_to(r->from_us, r->step_s * SECOND_US);
	split(r, r->step_s >= DAY_S ? DAY_S : r->step_s >= HOUR_S ? HOUR_S : 60, r->from_us, r->to_us);
}

size_t range_point(const struct range *r, int64_t at_us)
{
	CHECK(at_us >= r->from_us && at_us < r->to_us);
	return (size_t)((at_us - r->first_us) / (r->step_s * SECOND_US));
}

bool range_is_whole_days(const struct range *r)
{
	return r->from_us % RANGE_DAY_US == 0 && r->to_us % RANGE_DAY_US == 0;
}
