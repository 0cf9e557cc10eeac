/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which roll-ups make up a range of time: days inside, hours at their edges, minutes at the edges of these;
 * and the points of a chart of it. Ranges are widened to whole minutes. Times are Unix microseconds, UTC.
 * Pure.
 */
#ifndef GYRE_WATCH_DASHBOARD_RANGE_H
#define GYRE_WATCH_DASHBOARD_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RANGE_MINUTE_US INT64_C(60000000)
#define RANGE_DAY_US INT64_C(86400000000)
#define RANGE_POINTS_MAX 200
#define RANGE_PIECES_MAX 5

/* Roll-ups of one level in [from_us, to_us), which are multiples of the level. */
struct range_piece {
	int level_s; /* 60, 3600, 86400 */
	int64_t from_us, to_us;
};

struct range {
	int64_t from_us, to_us;                      /* whole minutes; from_us < to_us */
	int64_t step_s;                              /* of a chart's points, which begin at its multiples */
	size_t points;                               /* 1…RANGE_POINTS_MAX */
	int64_t first_us;                            /* where the first point begins: at from_us or before */
	struct range_piece pieces[RANGE_PIECES_MAX]; /* in order, without gaps; each within a point's level */
	size_t piece_count;
};

/* from_us < to_us, not negative. */
void range_set(struct range *r, int64_t from_us, int64_t to_us);
/* Which point a time within the range belongs to. */
size_t range_point(const struct range *r, int64_t at_us);
bool range_is_whole_days(const struct range *r);

#endif
