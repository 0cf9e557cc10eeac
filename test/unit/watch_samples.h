/* SPDX-License-Identifier: Apache-2.0 */
/* Made-up predictions as those see them who watch, from the same generator as test/golden/summary.py. */
#ifndef GYRE_TEST_WATCH_SAMPLES_H
#define GYRE_TEST_WATCH_SAMPLES_H

#include "watch/seen.h"

#include <math.h>

#define SAMPLE_LABELS 7

struct watch_sample {
	struct log_row row;
	struct seen seen;
	struct shape shapes[40];
	float points[6];
};

static inline uint32_t watch_below(uint64_t *chance, uint32_t count)
{
	*chance = *chance * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*chance >> 33) % count);
}

static inline void watch_interval(uint64_t *chance, uint32_t side, float *from, float *to)
{
	const uint32_t a = watch_below(chance, 100 * side + 1), b = watch_below(chance, 100 * side + 1);
	*from = (float)((a < b ? a : b) / 100.0);
	*to = (float)((a < b ? b : a) / 100.0);
}

static inline void watch_shapes(uint64_t *chance, struct watch_sample *s)
{
	const bool classes = watch_below(chance, 5) == 0;
	const uint32_t count = watch_below(chance, 20) == 0 ? 40 : watch_below(chance, 12);
	uint32_t score = 10000;
	for (uint32_t i = 0; i < count; i++) {
		struct shape *shape = &s->shapes[i];
		const uint32_t down = watch_below(chance, 1200);
		score = score > 100 + down ? score - down : 100;
		*shape = (struct shape){
			.kind = SHAPE_CLASS,
			.label = (int32_t)watch_below(chance, SAMPLE_LABELS),
			.score = (float)(score / 10000.0),
		};
		if (classes)
			continue;
		watch_interval(chance, s->row.width, &shape->box.x1, &shape->box.x2);
		watch_interval(chance, s->row.height, &shape->box.y1, &shape->box.y2);
		shape->kind = i % 4 == 3 ? SHAPE_POLYGON : SHAPE_BOX;
		if (shape->kind == SHAPE_POLYGON) {
			shape->points = s->points;
			shape->point_count = 3;
		}
	}
	s->seen.shapes = (struct shapes){s->shapes, count};
}

static inline void watch_sample(uint64_t *chance, struct watch_sample *s)
{
	static const uint32_t widths[] = {640, 1920, 333, 64, 1, 4000};
	static const uint32_t heights[] = {480, 1080, 777, 64, 1, 1500};
	memset(s, 0, sizeof(*s));
	s->row.width = widths[watch_below(chance, 6)];
	s->row.height = heights[watch_below(chance, 6)];
	s->row.latency_us =
		watch_below(chance, 10) ? 5000 + watch_below(chance, 60000) : watch_below(chance, 5000000);
	s->row.cpu_us = watch_below(chance, 40000);
	s->seen.stats = (struct seen_stats){.brightness = NAN, .contrast = NAN, .blur = NAN};
	if (watch_below(chance, 8)) {
		s->seen.stats.brightness = watch_below(chance, 255001) / 1000.0;
		s->seen.stats.contrast = watch_below(chance, 127501) / 1000.0;
		s->seen.stats.blur = watch_below(chance, 40) ? watch_below(chance, 5000001) / 1000.0 : 0;
	}
	s->seen.row = &s->row;
	watch_shapes(chance, s);
}

#endif
