/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/summary.h"

#include "base/check.h"
#include "task/shown.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void summary_init(struct summary *s)
{
	memset(s, 0, sizeof(*s));
}

void summary_release(struct summary *s)
{
	free(s->labels);
	summary_init(s);
}

bool summary_counts(const struct shapes *shapes, size_t i, double threshold)
{
	return shapes->items[i].score >= threshold && (i == 0 || shapes->items[i].kind != SHAPE_CLASS);
}

/* NULL: there are no counts for such a label. */
struct summary_label *summary_label(struct summary *s, uint32_t label)
{
	if (label >= SUMMARY_LABELS_MAX)
		return NULL;
	if (label >= s->label_count) {
		s->labels = realloc(s->labels, (label + 1) * sizeof(*s->labels));
		CHECK(s->labels != NULL);
		memset(s->labels + s->label_count, 0, (label + 1 - s->label_count) * sizeof(*s->labels));
		s->label_count = label + 1;
	}
	return &s->labels[label];
}

static unsigned bin_of(double value, unsigned bins)
{
	if (!(value > 0))
		return 0;
	return value < bins ? (unsigned)value : bins - 1;
}

static uint64_t whole(double value)
{
	return value > 0 ? (uint64_t)(value + 0.5) : 0;
}

unsigned summary_image_ratio(uint32_t width, uint32_t height)
{
	const uint64_t w = width, h = height;
	if (10 * w < 5 * h)
		return 2;
	if (10 * w < 9 * h)
		return 1;
	if (9 * w <= 10 * h)
		return 0;
	if (w <= 2 * h)
		return 3;
	return w <= 3 * h ? 4 : 5;
}

const char *summary_image_ratio_name(unsigned bin)
{
	static const char *const names[SUMMARY_RATIO_NAMES] = {
		"square", "tall", "very tall", "wide", "very wide", "extremely wide"};
	CHECK(bin < SUMMARY_RATIO_NAMES);
	return names[bin];
}

static void add_image(struct summary *s, const struct seen *seen)
{
	const struct seen_stats *stats = &seen->stats;
	const uint32_t width = seen->row->width, height = seen->row->height;
	s->width_sum += width;
	s->height_sum += height;
	if (width > 0 && height > 0) {
		s->areas[bin_of(log2((double)width * height) * 2, SUMMARY_AREAS)]++;
		s->image_ratios[summary_image_ratio(width, height)]++;
	}
	if (!isfinite(stats->brightness) || !isfinite(stats->contrast) || !isfinite(stats->blur))
		return;
	s->measured++;
	s->brightness[bin_of(stats->brightness / 4, SUMMARY_LUMA)]++;
	s->contrast[bin_of(stats->contrast / 2, SUMMARY_LUMA)]++;
	s->blur[bin_of(log2(1 + fmax(stats->blur, 0)) * 4, SUMMARY_BLUR)]++;
	s->brightness_sum += whole(stats->brightness * 1000);
	s->contrast_sum += whole(stats->contrast * 1000);
	s->blur_sum += whole(stats->blur * 1000);
}

/* In whole hundredths of a pixel, so that which bin it is does not hang on how a machine rounds. */
static void add_box(struct summary_label *l, struct box b, uint32_t width, uint32_t height)
{
	const struct box clipped = box_clip(b, (float)width, (float)height);
	const uint64_t w = whole((double)SHOWN_PIXEL_PARTS * (double)(clipped.x2 - clipped.x1));
	const uint64_t h = whole((double)SHOWN_PIXEL_PARTS * (double)(clipped.y2 - clipped.y1));
	const uint64_t image = (uint64_t)width * height * SHOWN_PIXEL_PARTS * SHOWN_PIXEL_PARTS;
	if (image > 0) {
		const uint64_t square = w * h * SUMMARY_SIZES * SUMMARY_SIZES / image; /* of the bin */
		l->sizes[bin_of(sqrt((double)square), SUMMARY_SIZES)]++;
	}
	if (w > 0 && h > 0)
		l->ratios[bin_of((log2((double)w / (double)h) + 4) * 4, SUMMARY_RATIOS)]++;
}

static unsigned score_bin(float score)
{
	const uint64_t parts = whole((double)score * SHOWN_SCORE_PARTS);
	const uint64_t bin = parts * SUMMARY_SCORES / SHOWN_SCORE_PARTS;
	return bin < SUMMARY_SCORES ? (unsigned)bin : SUMMARY_SCORES - 1;
}

/* Labels of the shapes before i that count; the shapes of an image are few. */
static bool is_first_of_label(const struct shapes *shapes, size_t i, double threshold)
{
	for (size_t k = 0; k < i; k++)
		if (shapes->items[k].label == shapes->items[i].label && summary_counts(shapes, k, threshold))
			return false;
	return true;
}

void summary_add(struct summary *s, const struct seen *seen, double threshold)
{
	const struct log_row *row = seen->row;
	uint64_t objects = 0;
	const uint64_t latency_us = row->latency_us > 0 ? (uint64_t)row->latency_us : 0;
	s->predictions++;
	s->latency_sum_us += latency_us;
	s->cpu_sum_us += row->cpu_us > 0 ? (uint64_t)row->cpu_us : 0;
	s->latencies[sketch_bin((double)latency_us)]++;
	add_image(s, seen);
	for (size_t i = 0; i < seen->shapes.count; i++) {
		const struct shape *shape = &seen->shapes.items[i];
		if (!summary_counts(&seen->shapes, i, threshold))
			continue;
		objects++;
		struct summary_label *l = shape->label < 0 ? NULL : summary_label(s, (uint32_t)shape->label);
		if (l == NULL)
			continue;
		l->shapes++;
		l->images += is_first_of_label(&seen->shapes, i, threshold);
		l->scores[score_bin(shape->score)]++;
		if (shape->kind != SHAPE_CLASS)
			add_box(l, shape->box, row->width, row->height);
	}
	s->shapes += objects;
	s->without_shapes += objects == 0;
	s->objects[objects < SUMMARY_OBJECTS ? objects : SUMMARY_OBJECTS - 1]++;
}

static void add_all(uint64_t *into, const uint64_t *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		into[i] += from[i];
}

static void merge_labels(
	struct summary *into, const struct summary *from, const uint32_t *map, uint32_t map_count)
{
	_Static_assert(sizeof(struct summary_label) % sizeof(uint64_t) == 0, "a label is counts alone");
	for (uint32_t i = 0; i < from->label_count; i++) {
		const struct summary_label *l = &from->labels[i];
		struct summary_label *to = NULL;
		if (l->shapes == 0)
			continue;
		if (map == NULL)
			to = summary_label(into, i);
		else if (i < map_count)
			to = summary_label(into, map[i]);
		if (to)
			add_all((uint64_t *)to, (const uint64_t *)l, sizeof(*l) / sizeof(uint64_t));
	}
}

/* Everything before the labels is counts. */
#define SUMMARY_COUNTS (offsetof(struct summary, labels) / sizeof(uint64_t))

void summary_merge(struct summary *into, const struct summary *from)
{
	add_all((uint64_t *)into, (const uint64_t *)from, SUMMARY_COUNTS);
	merge_labels(into, from, NULL, 0);
}

void summary_merge_mapped(
	struct summary *into, const struct summary *from, const uint32_t *map, uint32_t count)
{
	add_all((uint64_t *)into, (const uint64_t *)from, SUMMARY_COUNTS);
	merge_labels(into, from, map, count);
}
