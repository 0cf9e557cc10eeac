/* SPDX-License-Identifier: Apache-2.0 */
#include "task/overlap.h"

#include <stdlib.h>

static int by_label(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

/* The labels of both, each once. */
static int32_t *labels_of(const struct match_truth *truths, size_t truth_count,
	const struct match_guess *guesses, size_t guess_count, double threshold, struct arena *a,
	size_t *count)
{
	int32_t *out = ARENA_ARRAY(a, int32_t, truth_count + guess_count);
	size_t all = 0;
	for (size_t i = 0; i < truth_count; i++)
		out[all++] = truths[i].label;
	for (size_t i = 0; i < guess_count; i++)
		if (guesses[i].score >= threshold)
			out[all++] = guesses[i].label;
	qsort(out, all, sizeof(*out), by_label);
	*count = 0;
	for (size_t i = 0; i < all; i++)
		if (*count == 0 || out[*count - 1] != out[i])
			out[(*count)++] = out[i];
	return out;
}

static void unite(struct mask *sum, bool *any, struct mask more, struct arena *a)
{
	*sum = *any ? mask_union(*sum, more, a) : more;
	*any = true;
}

struct overlap *overlap_of_image(const struct match_truth *truths, size_t truth_count,
	const struct match_guess *guesses, size_t guess_count, double threshold, struct arena *a,
	size_t *count)
{
	const int32_t *labels = labels_of(truths, truth_count, guesses, guess_count, threshold, a, count);
	struct overlap *out = ARENA_ARRAY(a, struct overlap, *count);
	for (size_t i = 0; i < *count; i++) {
		struct mask truth, guess;
		bool is_there = false, is_said = false;
		for (size_t k = 0; k < truth_count; k++)
			if (truths[k].label == labels[i])
				unite(&truth, &is_there, truths[k].mask, a);
		for (size_t k = 0; k < guess_count; k++)
			if (guesses[k].label == labels[i] && guesses[k].score >= threshold)
				unite(&guess, &is_said, guesses[k].mask, a);
		out[i] = (struct overlap){
			labels[i], 0, is_there ? mask_area(truth) : 0, is_said ? mask_area(guess) : 0};
		if (is_there && is_said)
			out[i].both = mask_shared_area(truth, guess);
	}
	return out;
}

double overlap_iou(struct overlap sum)
{
	uint64_t either = sum.truth + sum.guess - sum.both;
	return either ? (double)sum.both / (double)either : -1;
}

double overlap_dice(struct overlap sum)
{
	uint64_t all = sum.truth + sum.guess;
	return all ? 2 * (double)sum.both / (double)all : -1;
}

double overlap_mean_iou(const struct overlap *sums, size_t count)
{
	double total = 0;
	size_t labels = 0;
	for (size_t i = 0; i < count; i++) {
		double iou = overlap_iou(sums[i]);
		if (iou < 0)
			continue;
		total += iou;
		labels++;
	}
	return labels ? total / (double)labels : -1;
}
