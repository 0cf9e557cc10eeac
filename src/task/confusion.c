/* SPDX-License-Identifier: Apache-2.0 */
#include "task/confusion.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

struct ranked {
	double score;
	size_t at;
};

static int by_score(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static struct ranked *ranked(const struct match_guess *guesses, size_t count, struct arena *a)
{
	struct ranked *order = ARENA_ARRAY(a, struct ranked, count);
	for (size_t i = 0; i < count; i++)
		order[i] = (struct ranked){isnan(guesses[i].score) ? -INFINITY : guesses[i].score, i};
	qsort(order, count, sizeof(*order), by_score);
	return order;
}

/* Masks whose surroundings are apart share nothing; that is cheaper to see. */
static bool apart(struct mask_bounds a, struct mask_bounds b)
{
	return a.left >= b.right || b.left >= a.right || a.top >= b.bottom || b.top >= a.bottom;
}

struct confusion_pair *confusion_pairs(bool masks, const struct match_truth *truths, size_t truth_count,
	const struct match_guess *guesses, size_t guess_count, struct arena *a, size_t *count)
{
	const struct match_rules rules = {.masks = masks, .iou_count = 1, .ious = {CONFUSION_IOU}};
	const struct ranked *order = ranked(guesses, guess_count, a);
	struct confusion_pair *out = ARENA_ARRAY(a, struct confusion_pair, truth_count + guess_count);
	bool *taken = ARENA_ARRAY(a, bool, truth_count);
	struct mask_bounds *bounds = ARENA_ARRAY(a, struct mask_bounds, masks ? truth_count : 0);
	for (size_t k = 0; masks && k < truth_count; k++)
		bounds[k] = mask_bounds(truths[k].mask);
	*count = 0;
	for (size_t i = 0; i < guess_count; i++) {
		const struct match_guess *g = &guesses[order[i].at];
		struct mask_bounds own = masks ? mask_bounds(g->mask) : (struct mask_bounds){0};
		double best = CONFUSION_IOU;
		size_t found = truth_count;
		for (size_t k = 0; k < truth_count; k++) {
			if (taken[k] || (masks && apart(own, bounds[k])))
				continue;
			double iou = match_iou(&rules, g, &truths[k]);
			if (found == truth_count ? iou < best : !(iou > best))
				continue;
			best = iou;
			found = k;
		}
		int32_t truth = CONFUSION_NONE;
		if (found < truth_count) {
			taken[found] = true;
			truth = truths[found].label;
		}
		out[(*count)++] = (struct confusion_pair){order[i].score, g->label, truth};
	}
	for (size_t k = 0; k < truth_count; k++)
		if (!taken[k])
			out[(*count)++] = (struct confusion_pair){0, CONFUSION_NONE, truths[k].label};
	return out;
}

struct confusion_pair confusion_pair_of_classes(int32_t truth, int32_t guess, double score)
{
	return (struct confusion_pair){guess == CONFUSION_NONE ? 0 : score, guess, truth};
}

void confusion_init(struct confusion *c, uint32_t label_count, struct arena *a)
{
	size_t side = (size_t)label_count + 1;
	*c = (struct confusion){label_count, ARENA_ARRAY(a, uint64_t, side * side)};
}

static uint64_t *cell(const struct confusion *c, int32_t truth, int32_t guess)
{
	CHECK(truth >= CONFUSION_NONE && truth < (int64_t)c->label_count);
	CHECK(guess >= CONFUSION_NONE && guess < (int64_t)c->label_count);
	size_t side = (size_t)c->label_count + 1;
	size_t row = truth == CONFUSION_NONE ? side - 1 : (size_t)truth;
	return &c->cells[row * side + (guess == CONFUSION_NONE ? side - 1 : (size_t)guess)];
}

void confusion_add(struct confusion *c, const struct confusion_pair *pairs, size_t count, double threshold)
{
	for (size_t i = 0; i < count; i++) {
		bool answered = pairs[i].guess != CONFUSION_NONE && pairs[i].score >= threshold;
		if (answered || pairs[i].truth != CONFUSION_NONE)
			++*cell(c, pairs[i].truth, answered ? pairs[i].guess : CONFUSION_NONE);
	}
}

uint64_t confusion_cell(const struct confusion *c, int32_t truth, int32_t guess)
{
	return *cell(c, truth, guess);
}
