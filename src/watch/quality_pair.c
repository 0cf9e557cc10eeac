/* SPDX-License-Identifier: Apache-2.0 */
/* Two versions beside each other on what people reviewed. */
#include "base/check.h"
#include "base/compare.h"
#include "task/paired.h"
#include "watch/quality_inside.h"

#include <math.h>
#include <stdlib.h>

#define SEED 1
#define TIE_IOU 0.01 /* pixels are never quite the same */

/* ---- one picture ---- */

static double f1_of(const struct kept_answer *answer, double threshold)
{
	uint64_t found = 0, other = 0; /* other: wrong, and missed */
	for (uint32_t i = 0; i < answer->pair_count; i++) {
		const struct confusion_pair *pair = &answer->pairs[i];
		bool answered = pair->guess != CONFUSION_NONE && pair->score >= threshold;
		bool there = pair->truth != CONFUSION_NONE, right = answered && pair->guess == pair->truth;
		found += right;
		other += (answered && !right) + (there && !right);
	}
	return found + other ? 2 * (double)found / (double)(2 * found + other) : 1;
}

static double worth_of(const struct kept *k, const struct kept_answer *answer, double threshold)
{
	if (k->task == TASK_CLASSIFICATION) /* none for none is right too */
		return answer->pair_count == 0 || answer->pairs[0].guess == answer->pairs[0].truth;
	if (k->task == TASK_SEGMENTATION)
		return fabs(
			overlap_mean_iou(answer->overlaps, answer->overlap_count)); /* nothing at all: 1 */
	return f1_of(answer, threshold);
}

static enum quality_winner winner_of(const struct kept *k, const struct kept_image *image, double threshold,
	uint32_t first, uint32_t second)
{
	const struct kept_answer *one = kept_answer_of(image, first), *other = kept_answer_of(image, second);
	if (one == NULL || other == NULL)
		return QUALITY_OPEN;
	double x = worth_of(k, one, threshold), y = worth_of(k, other, threshold);
	double tie = k->task == TASK_SEGMENTATION ? TIE_IOU : 1e-9;
	if (fabs(x - y) <= tie)
		return QUALITY_TIE;
	return x > y ? QUALITY_FIRST : QUALITY_SECOND;
}

struct asked {
	struct uuid id;
	size_t at;
};

void pair_winners(const struct kept *k, double threshold, uint32_t first, uint32_t second,
	const struct uuid *ids, size_t count, enum quality_winner *winners, struct arena *a)
{
	struct asked *asked = ARENA_ARRAY(a, struct asked, count + 1);
	for (size_t i = 0; i < count; i++) {
		asked[i] = (struct asked){ids[i], i};
		winners[i] = QUALITY_OPEN;
	}
	if (count == 0)
		return;
	qsort(asked, count, sizeof(*asked), compare_uuid); /* by its first member */
	for (size_t i = 0; i < k->image_count; i++) {
		const struct asked *found =
			bsearch(&k->images[i]->id, asked, count, sizeof(*asked), compare_uuid);
		if (found)
			winners[found->at] = winner_of(k, k->images[i], threshold, first, second);
	}
}

/* ---- all of them ---- */

struct both {
	const struct kept *kept;
	uint32_t first, second;
	int64_t oldest; /* key */
};

static bool is_in_both(int64_t key, void *arg)
{
	const struct both *b = arg;
	const struct kept_image *image = key >= b->oldest ? kept_find(b->kept, key) : NULL;
	return image && kept_answer_of(image, b->first) && kept_answer_of(image, b->second);
}

/* The oldest of the newest images that both predicted. */
static int64_t oldest_of(struct both *b)
{
	size_t count = 0;
	int64_t oldest = INT64_MAX;
	b->oldest = INT64_MIN;
	for (size_t i = b->kept->image_count; i-- > 0 && count < QUALITY_PAIR_IMAGES_MAX;) {
		if (!is_in_both(b->kept->images[i]->key, b))
			continue;
		oldest = b->kept->images[i]->key;
		count++;
	}
	return oldest;
}

static struct match_guess guess_of(const struct kept_answer *answer)
{
	bool any = answer->pair_count && answer->pairs[0].guess != CONFUSION_NONE;
	return (struct match_guess){.label = any ? answer->pairs[0].guess : CONFUSION_NONE};
}

static int32_t truth_of(const struct kept_answer *answer)
{
	return answer->pair_count ? answer->pairs[0].truth : CONFUSION_NONE;
}

static bool is_right(const struct kept_answer *answer)
{
	return answer->pair_count == 0 || answer->pairs[0].guess == answer->pairs[0].truth;
}

static void measure_classes(struct both *b, struct arena *a, struct paired_result *out)
{
	const struct kept *k = b->kept;
	struct paired *p = paired_new(TASK_CLASSIFICATION, (uint32_t)k->label_count);
	for (size_t i = 0; i < k->image_count; i++) {
		if (!is_in_both(k->images[i]->key, b))
			continue;
		const struct kept_answer *one = kept_answer_of(k->images[i], b->first);
		const struct kept_answer *other = kept_answer_of(k->images[i], b->second);
		struct match_guess first = guess_of(one), second = guess_of(other);
		/* Any of the classes that a review names is right, so each answer has its own truth. */
		int32_t truth = is_right(one) ? truth_of(one) : truth_of(other);
		if (is_right(one) && is_right(other))
			second.label = truth;
		const struct match_truth there = {.label = truth};
		paired_add(p, &there, truth != CONFUSION_NONE, &first, first.label != CONFUSION_NONE, &second,
			second.label != CONFUSION_NONE);
	}
	paired_read(p, SEED, a, out);
	paired_free(p);
}

static void measure_shapes(struct both *b, struct arena *a, struct paired_result *out)
{
	const struct kept *k = b->kept;
	struct score *first = score_select(k->versions[b->first].score, SCORE_ALL_LABELS, is_in_both, b);
	struct score *second = score_select(k->versions[b->second].score, SCORE_ALL_LABELS, is_in_both, b);
	paired_read_scores(first, second, (uint32_t)k->label_count, SEED, a, out);
	score_free(first);
	score_free(second);
}

void pair_measure(struct kept *k, uint32_t first, uint32_t second, struct arena *a, struct quality_pair *out)
{
	struct both both = {k, first, second, 0};
	struct paired_result result;
	*out = (struct quality_pair){.first = -1, .second = -1};
	if (first == k->version_count || second == k->version_count)
		return;
	both.oldest = oldest_of(&both);
	if (k->task == TASK_CLASSIFICATION)
		measure_classes(&both, a, &result);
	else
		measure_shapes(&both, a, &result);
	*out = (struct quality_pair){.images = result.images,
		.metric = result.metric,
		.first = result.first,
		.second = result.second,
		.difference = result.difference,
		.low = result.low,
		.high = result.high,
		.labels = ARENA_ARRAY(a, struct quality_pair_label, result.label_count + 1),
		.label_count = result.label_count};
	for (size_t i = 0; i < result.label_count; i++) {
		const struct paired_label *l = &result.labels[i];
		out->labels[i] =
			(struct quality_pair_label){arena_strdup(a, kept_label_name(k, (size_t)l->label)),
				l->truths, l->first, l->second, l->low, l->high, l->chance};
	}
}
