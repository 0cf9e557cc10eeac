/* SPDX-License-Identifier: Apache-2.0 */
/* Made-up images as watch/ sees them, and references of them built by hand. */
#ifndef GYRE_TEST_DRIFT_WORLD_H
#define GYRE_TEST_DRIFT_WORLD_H

#include "base/check.h"
#include "drift_samples.h"
#include "engine/tap.h"
#include "vision/image_sign.h"
#include "watch/detectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MADE_FEATURES 12
#define MADE_SHAPES 6

struct made {
	struct log_row row;
	struct shape shapes[MADE_SHAPES];
	uint16_t features[MADE_FEATURES];
	uint8_t sign[IMAGE_SIGN_SIZE];
	struct seen seen;
};

static inline struct uuid made_id(uint64_t number)
{
	struct uuid id = {{1}};
	memcpy(id.bytes + 8, &number, sizeof(number));
	return id;
}

/* Boxes or a class, statistics, features and a sign of chance; all of them independent of other images'.
 * Number 0 is none. A place cannot be moved: struct seen points into it. */
static inline void make_image(struct made *m, struct chance *c, uint64_t number, enum task task)
{
	*m = (struct made){.row = {.position = (int64_t)number,
				   .id = made_id(number),
				   .predicted_asset_id = made_id(number),
				   .created_us = (int64_t)number * 1000000,
				   .source = "",
				   .width = 640,
				   .height = 480}};
	double light = chance_normal(c), detail = chance_normal(c);
	m->seen = (struct seen){.row = &m->row,
		.shapes = {m->shapes, 0},
		.stats = {.brightness = 120 + 20 * light,
			.contrast = 50 + 5 * detail,
			.blur = 300 * exp(0.4 * detail + 0.3 * chance_normal(c)),
			.entropy = 7 + 0.2 * detail + 0.1 * chance_normal(c),
			.mean_rgb = {120 + 20 * light + 5 * chance_normal(c), 120 + 20 * light,
				115 + 18 * light + 5 * chance_normal(c)}}};
	m->seen.shapes.count = task == TASK_CLASSIFICATION ? 1 : chance_below(c, MADE_SHAPES + 1);
	float score = 0.95F;
	for (size_t i = 0; i < m->seen.shapes.count; i++) {
		struct shape *s = &m->shapes[i];
		score -= (float)(0.15 * chance_share(c));
		*s = (struct shape){.kind = task == TASK_CLASSIFICATION ? SHAPE_CLASS : SHAPE_BOX,
			.label = (int32_t)chance_below(c, 3),
			.score = score};
		if (task == TASK_CLASSIFICATION)
			continue;
		s->box.x1 = (float)(500 * chance_share(c));
		s->box.y1 = (float)(350 * chance_share(c));
		s->box.x2 = s->box.x1 + 4 + (float)(130 * chance_share(c));
		s->box.y2 = s->box.y1 + 4 + (float)(120 * chance_share(c));
	}
	for (int i = 0; i < MADE_FEATURES; i++)
		m->features[i] =
			tap_half((float)(1 + 0.05 * i + 0.3 * light / (1 + i) + 0.2 * chance_normal(c)));
	m->row.features = span_of(m->features, sizeof(m->features));
	for (int i = 0; i < IMAGE_SIGN_SIZE; i++)
		m->sign[i] = (uint8_t)chance_below(c, 256);
	m->row.image_sign = span_of(m->sign, sizeof(m->sign));
}

/* What a test has instead of rows: images are calibration every other time. */
static inline struct reference *reference_by_hand(
	const struct seen *images, size_t count, enum task task, double threshold)
{
	struct reference *r = calloc(1, sizeof(*r));
	bool *calibration = calloc(count, sizeof(*calibration));
	struct err err = {.text = ""};
	CHECK(r && calibration);
	arena_init(&r->arena);
	r->holds = 1;
	r->id = made_id(999);
	r->task = task;
	r->threshold = threshold;
	r->held_out = r->predicted = true;
	r->images = count;
	for (size_t i = 0; i < count; i++)
		calibration[i] = i % 2;
	CHECK(outlier_fit(images, calibration, count, &r->arena, &r->outlier, &err) == ST_OK);
	for (int f = 0; f < FEATURE_COUNT; f++)
		r->values[f] = ARENA_ARRAY(&r->arena, double, count);
	for (size_t i = 0; i < count; i++) {
		struct outlier_value value = {.score = (double)NAN};
		double values[FEATURE_COUNT];
		if (calibration[i])
			outlier_measure(r->outlier, &images[i], &value);
		features_of(&images[i], threshold, task, calibration[i] ? outlier_gaussian(r->outlier) : NULL,
			value.score, values);
		for (int f = 0; f < FEATURE_COUNT; f++)
			if (!isnan(values[f]))
				r->values[f][r->counts[f]++] = values[f];
	}
	for (int f = 0; f < FEATURE_COUNT; f++)
		qsort(r->values[f], r->counts[f], sizeof(double), by_value);
	free(calibration);
	return r;
}

/* Of so many images of chance. */
static inline struct reference *made_reference(size_t count, enum task task, double threshold)
{
	struct made *images = calloc(count, sizeof(*images));
	struct seen *seen = calloc(count, sizeof(*seen));
	struct chance c = {count};
	CHECK(images && seen);
	for (size_t i = 0; i < count; i++) {
		make_image(&images[i], &c, 1000000000 + i, task);
		seen[i] = images[i].seen;
	}
	struct reference *r = reference_by_hand(seen, count, task, threshold);
	free(seen);
	free(images);
	return r;
}

/* An image goes by: its outlier score, and the detectors. */
static inline bool goes_by(
	struct detectors *d, const struct reference *r, const struct made *m, struct detectors_alarm *alarm)
{
	struct outlier_value value;
	bool alarmed;
	outlier_measure(r->outlier, &m->seen, &value);
	detectors_add(d, &m->seen, &value, &alarmed, alarm);
	return alarmed;
}

#endif
