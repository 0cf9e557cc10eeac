/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What many predictions say together: counts that add up, of whole numbers only, so that any order and any
 * grouping gives the same bytes. Roll-ups are packed summaries (store/sql/watch); whoever measures a range
 * of another kind (a sample, a few images) adds the predictions one by one to the same thing.
 *
 * Two kinds of number: those of the image and its latency, and those of the shapes that reach a threshold.
 */
#ifndef GYRE_WATCH_SUMMARY_H
#define GYRE_WATCH_SUMMARY_H

#include "stats/sketch.h"
#include "watch/seen.h"

#define SUMMARY_LABELS_MAX                                                                                   \
	10000 /* as many as a model version has at most; what is beyond has no count of its own */

enum {                        /* bins */
	SUMMARY_OBJECTS = 33, /* shapes of an image: 0…31, 32 and more */
	SUMMARY_SCORES = 50,  /* of 0.02 each, from 0 to 1 */
	SUMMARY_SIZES = 40,   /* of sqrt(box area / image area): 0.025 each */
	SUMMARY_RATIOS = 32,  /* of log2(w/h) of a box: 0.25 each, from -4 to 4 */
	SUMMARY_LUMA = 64,    /* brightness: 4 each; contrast: 2 each */
	SUMMARY_BLUR = 64,    /* of log2(1 + blur): 0.25 each */
	SUMMARY_AREAS = 64,   /* of log2(width * height): 0.5 each */
	SUMMARY_RATIO_NAMES =
		6 /* of the image: extremely tall is very tall; see summary_image_ratio_name() */
};

struct summary_label {
	uint64_t images; /* that have it, at the threshold */
	uint64_t shapes;
	uint64_t scores[SUMMARY_SCORES];
	uint64_t sizes[SUMMARY_SIZES];
	uint64_t ratios[SUMMARY_RATIOS];
};

struct summary {
	uint64_t predictions;
	uint64_t latency_sum_us, cpu_sum_us;
	uint64_t latencies[SKETCH_BINS]; /* microseconds */
	/* of images */
	uint64_t brightness[SUMMARY_LUMA], contrast[SUMMARY_LUMA], blur[SUMMARY_BLUR];
	uint64_t areas[SUMMARY_AREAS], image_ratios[SUMMARY_RATIO_NAMES];
	uint64_t width_sum, height_sum;
	uint64_t brightness_sum, contrast_sum,
		blur_sum;  /* of thousandths, rounded; unknown ones are not counted */
	uint64_t measured; /* images with these three */
	/* of shapes at the threshold */
	uint64_t shapes, without_shapes; /* images with none: "no answer" of a classifier */
	uint64_t objects[SUMMARY_OBJECTS];
	struct summary_label *labels; /* by label index; owned */
	uint32_t label_count;
};

void summary_init(struct summary *s); /* nothing seen */
void summary_release(struct summary *s);
/*
 * Shapes as answers show them: those at or above the threshold, coordinates in hundredths of a pixel, scores
 * in ten-thousandths (task/shown.h). Of classes the best one alone, if it reaches the threshold: else there
 * is no answer.
 */
void summary_add(struct summary *s, const struct seen *seen, double threshold);
void summary_merge(struct summary *into, const struct summary *from);
/* The same, of a version whose labels are counted otherwise: label i of `from` is map[i] of `into`. */
void summary_merge_mapped(
	struct summary *into, const struct summary *from, const uint32_t *map, uint32_t count);

/* The counts of a label, made when there are none; NULL: past SUMMARY_LABELS_MAX. Until the next call. */
struct summary_label *summary_label(struct summary *s, uint32_t label);

/* Sparse, versioned, canonical: equal summaries have equal bytes (docs/internals/rollups.md). Fuzzed. */
struct span summary_pack(const struct summary *s, struct arena *a);
/* Adds to `into`. ST_INVALID: not packed by this. */
enum status summary_unpack_into(struct summary *into, struct span packed, struct err *err) MUST_CHECK;

/* "square", "tall", "very tall", "wide", "very wide", "extremely wide" (Picsellia's names): */
const char *summary_image_ratio_name(unsigned bin);
unsigned summary_image_ratio(uint32_t width, uint32_t height);
/* Whether shape i counts: for those who count something else of the same shapes. */
bool summary_counts(const struct shapes *shapes, size_t i, double threshold);

#endif
