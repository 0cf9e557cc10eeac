/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/measure.h"

#include "base/check.h"
#include "os/thread.h"
#include "task/score.h"

#include <stdlib.h>
#include <string.h>

/* Pixels of one class, over all pictures. */
struct overlap {
	uint64_t both, either, truth;
};

struct measure {
	enum task task;
	bool *labels;
	uint32_t label_count;
	uint64_t *evidence;  /* by picture */
	double *certainties; /* the same: a sum must not depend on the order of threads */
	size_t picture_count;
	pthread_mutex_t lock;     /* guards all below */
	size_t pictures, right;   /* added; classification: of which right */
	uint64_t true_boxes;      /* detection */
	struct score *score;      /* detection */
	struct overlap *overlaps; /* segmentation, by label */
};

const char *measure_name(enum task task)
{
	static const char *const names[TASK_COUNT] = {
		[TASK_DETECTION] = "AP", [TASK_CLASSIFICATION] = "accuracy", [TASK_SEGMENTATION] = "IoU"};
	CHECK(task < TASK_COUNT);
	return names[task];
}

struct measure *measure_new(enum task task, const bool *labels, uint32_t label_count, size_t picture_count)
{
	struct measure *m = calloc(1, sizeof(*m));
	CHECK(m != NULL && label_count > 0 && picture_count > 0);
	m->task = task;
	m->label_count = label_count;
	m->labels = malloc(label_count * sizeof(*m->labels));
	m->evidence = calloc(picture_count, sizeof(*m->evidence));
	m->certainties = calloc(picture_count, sizeof(*m->certainties));
	CHECK(m->labels != NULL && m->evidence != NULL && m->certainties != NULL);
	memcpy(m->labels, labels, label_count * sizeof(*labels));
	m->picture_count = picture_count;
	CHECK(pthread_mutex_init(&m->lock, NULL) == 0);
	const struct match_rules rules = score_rules_coco(false);
	if (task == TASK_DETECTION)
		m->score = score_new(&rules);
	m->overlaps = calloc(label_count, sizeof(*m->overlaps));
	CHECK(m->overlaps != NULL);
	return m;
}

void measure_free(struct measure *m)
{
	score_free(m->score);
	pthread_mutex_destroy(&m->lock);
	free(m->overlaps);
	free(m->certainties);
	free(m->evidence);
	free(m->labels);
	free(m);
}

static bool counts(const struct measure *m, int32_t label)
{
	return label >= 0 && (uint32_t)label < m->label_count && m->labels[label];
}

/* FNV-1a: not against an adversary, who could only fool himself. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
	return hash;
}

static uint64_t evidence_of(const struct shapes *shapes)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (size_t i = 0; i < shapes->count; i++) {
		const struct shape *s = &shapes->items[i];
		hash = mix(hash, &s->label, sizeof(s->label));
		hash = mix(hash, &s->score, sizeof(s->score));
		hash = mix(hash, &s->box, sizeof(s->box));
		if (s->points)
			hash = mix(hash, s->points, (size_t)2 * s->point_count * sizeof(s->points[0]));
	}
	return hash;
}

/* ---- detection ---- */

#define ALL_SIZES (((uint64_t)1 << MATCH_IOU_MAX) - 1) /* the bits of MATCH_ALL, one an IoU threshold */
_Static_assert(MATCH_ALL == 0, "its bits are the first ones");

/* By label, as match_label() takes them. */
static int by_label(const void *a, const void *b)
{
	const struct match_guess *x = a, *y = b;
	if (x->label != y->label)
		return x->label < y->label ? -1 : 1;
	return (x->score < y->score) - (x->score > y->score);
}

/* Sum over the true boxes of a picture, of which there are *count. guesses by label. */
static double box_certainty(const struct truth *truth, const struct match_guess *guesses, size_t guess_count,
	struct arena *a, uint64_t *count)
{
	const struct match_rules rules = score_rules_coco(false);
	struct match_truth *same = ARENA_ARRAY(a, struct match_truth, truth->shape_count + 1);
	double sum = 0;
	*count = 0;
	for (size_t i = 0; i < truth->shape_count; i++)
		*count += !truth->shapes[i].crowd;
	for (size_t first = 0, end; first < guess_count; first = end) {
		size_t same_count = 0;
		for (end = first; end < guess_count && guesses[end].label == guesses[first].label; end++)
			continue;
		for (size_t i = 0; i < truth->shape_count; i++)
			if (truth->shapes[i].label == guesses[first].label)
				same[same_count++] = truth->shapes[i];
		struct match_outcome found;
		match_label(&rules, same, same_count, guesses + first, end - first, a, &found);
		for (size_t i = 0; i < found.count; i++) {
			uint64_t passed = found.matches[i].matched & ~found.matches[i].ignored & ALL_SIZES;
			sum += found.matches[i].score * __builtin_popcountll(passed) / rules.iou_count;
		}
	}
	return sum;
}

static void add_boxes(struct measure *m, size_t picture, const struct truth *truth,
	const struct shapes *shapes, struct arena *a)
{
	struct match_guess *guesses = ARENA_ARRAY(a, struct match_guess, shapes->count + 1);
	size_t count = 0;
	for (size_t i = 0; i < shapes->count; i++) {
		const struct shape *s = &shapes->items[i];
		if (counts(m, s->label))
			guesses[count++] = (struct match_guess){
				.label = s->label, .score = s->score, .box = match_box_of(s->box)};
	}
	qsort(guesses, count, sizeof(*guesses), by_label);
	uint64_t true_boxes;
	double certainty = box_certainty(truth, guesses, count, a, &true_boxes);
	mutex_lock(&m->lock);
	score_add(m->score, (int64_t)picture, truth->shapes, truth->shape_count, guesses, count);
	m->certainties[picture] = certainty;
	m->true_boxes += true_boxes;
	mutex_unlock(&m->lock);
}

/* ---- segmentation ---- */

/* The pixels of all shapes of a label; false when there is none. */
static bool guessed_mask(const struct shapes *shapes, int32_t label, uint32_t width, uint32_t height,
	struct arena *a, struct mask *out)
{
	struct mask_ring *rings = ARENA_ARRAY(a, struct mask_ring, shapes->count + 1);
	size_t count = 0;
	for (size_t i = 0; i < shapes->count; i++) {
		const struct shape *s = &shapes->items[i];
		if (s->label != label || s->kind != SHAPE_POLYGON)
			continue;
		double *points = ARENA_ARRAY(a, double, (size_t)2 * s->point_count);
		for (size_t k = 0; k < (size_t)2 * s->point_count; k++)
			points[k] = s->points[k];
		rings[count++] = (struct mask_ring){points, s->point_count};
	}
	if (count > 0)
		*out = mask_of_rings(rings, count, width, height, a);
	return count > 0;
}

static bool true_mask(const struct truth *truth, int32_t label, struct arena *a, struct mask *out)
{
	bool found = false;
	for (size_t i = 0; i < truth->shape_count; i++) {
		const struct match_truth *t = &truth->shapes[i];
		if (t->label != label)
			continue;
		*out = found ? mask_union(*out, t->mask, a) : t->mask;
		found = true;
	}
	return found;
}

static void add_pixels(struct measure *m, const struct truth *truth, const struct shapes *shapes,
	uint32_t width, uint32_t height, struct arena *a)
{
	for (uint32_t label = 0; label < m->label_count; label++) {
		struct mask guess, mask;
		if (!m->labels[label])
			continue;
		bool guessed = guessed_mask(shapes, (int32_t)label, width, height, a, &guess);
		bool is_there = true_mask(truth, (int32_t)label, a, &mask);
		if (!guessed && !is_there)
			continue;
		uint64_t area = is_there ? mask_area(mask) : 0, guess_area = guessed ? mask_area(guess) : 0;
		uint64_t both = guessed && is_there ? mask_shared_area(guess, mask) : 0;
		mutex_lock(&m->lock);
		m->overlaps[label].both += both;
		m->overlaps[label].either += area + guess_area - both;
		m->overlaps[label].truth += area;
		mutex_unlock(&m->lock);
	}
}

static double mean_overlap(const struct measure *m)
{
	double sum = 0;
	unsigned labels = 0;
	for (uint32_t i = 0; i < m->label_count; i++) {
		if (m->overlaps[i].truth == 0)
			continue;
		sum += (double)m->overlaps[i].both / (double)m->overlaps[i].either;
		labels++;
	}
	return labels ? sum / labels : 0;
}

/* ---- classification ---- */

static void add_class(
	struct measure *m, size_t picture, const struct truth *truth, const struct shapes *shapes)
{
	double certainty = 0;
	for (size_t i = 0; i < shapes->count; i++)
		if (shapes->items[i].label == truth->label)
			certainty = shapes->items[i].score;
	mutex_lock(&m->lock);
	m->certainties[picture] = certainty;
	m->right += shapes->count > 0 && shapes->items[0].label == truth->label;
	mutex_unlock(&m->lock);
}

/* ---- all ---- */

void measure_add(struct measure *m, size_t picture, const struct truth *truth, const struct shapes *shapes,
	uint32_t width, uint32_t height)
{
	CHECK(picture < m->picture_count);
	struct arena a;
	arena_init(&a);
	switch (m->task) {
	case TASK_DETECTION: add_boxes(m, picture, truth, shapes, &a); break;
	case TASK_CLASSIFICATION: add_class(m, picture, truth, shapes); break;
	default: add_pixels(m, truth, shapes, width, height, &a);
	}
	arena_release(&a);
	mutex_lock(&m->lock);
	m->evidence[picture] = evidence_of(shapes);
	m->pictures++;
	mutex_unlock(&m->lock);
}

static double ratio(double sum, uint64_t count)
{
	return count ? sum / (double)count : 0;
}

static void read_boxes(struct measure *m, struct measure_value *out)
{
	struct score_summary summary;
	struct arena a;
	arena_init(&a);
	score_read(m->score, &a, &summary);
	out->value = summary.numbers.ap > 0 ? summary.numbers.ap : 0; /* -1: there was nothing to find */
	out->value50 = summary.numbers.ap50 > 0 ? summary.numbers.ap50 : 0;
	arena_release(&a);
}

void measure_read(struct measure *m, struct measure_value *out)
{
	*out = (struct measure_value){.value50 = -1, .pictures = m->pictures};
	out->evidence = mix(0xcbf29ce484222325, m->evidence, m->picture_count * sizeof(m->evidence[0]));
	double sum = 0;
	for (size_t i = 0; i < m->picture_count; i++)
		sum += m->certainties[i];
	switch (m->task) {
	case TASK_DETECTION:
		read_boxes(m, out);
		out->certainty = ratio(sum, m->true_boxes);
		break;
	case TASK_CLASSIFICATION:
		out->value = ratio((double)m->right, m->pictures);
		out->certainty = ratio(sum, m->pictures);
		break;
	default: out->value = out->certainty = mean_overlap(m);
	}
}
