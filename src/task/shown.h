/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of shapes as answers show them: hundredths of a pixel and ten-thousandths of a score are below what
 * any model knows. What is measured is what was answered, so that anybody can check the measure from the
 * answers alone.
 */
#ifndef GYRE_TASK_SHOWN_H
#define GYRE_TASK_SHOWN_H

#include "task/match.h"
#include "task/shape.h"

#define SHOWN_PIXEL_PARTS 100
#define SHOWN_SCORE_PARTS 10000

static inline double shown_rounded(double value, double parts)
{
	double scaled = value * parts;
	return (double)(int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5) / parts;
}

static inline double shown_pixel(double value)
{
	return shown_rounded(value, SHOWN_PIXEL_PARTS);
}

static inline double shown_score(double score)
{
	return shown_rounded(score, SHOWN_SCORE_PARTS);
}

static inline struct match_box shown_box(struct box b)
{
	return (struct match_box){
		shown_pixel(b.x1), shown_pixel(b.y1), shown_pixel(b.x2 - b.x1), shown_pixel(b.y2 - b.y1)};
}

#endif
