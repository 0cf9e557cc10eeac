/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do 95 % intervals hold the truth? Deployments are made up whose accuracy and mAP on all their images are
 * known; a queue chooses some of the images for review, in batches, in one of three ways; and what
 * task/estimate says of all images from these is compared with the truth. Figures are printed. GYRE_COVERAGE
 * is the number of deployments a way (by default 60, of classes 400): the more, the
 * surer.
 */
#include "learn/choose.h"
#include "task/estimate.h"
#include "task/score.h"

#include "base/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define IMAGES 2500
#define BATCHES 6        /* while the images come */
#define REVIEWS 260      /* wanted; what is drawn is a little more or less */
#define IMAGE_US 2000000 /* from one image to the next */

static uint64_t state;

static double chance01(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	uint64_t x = state ^ state >> 29;
	x *= 0xbf58476d1ce4e5b9u;
	return (double)((x ^ x >> 32) >> 11) * 0x1p-53;
}

static unsigned below(unsigned count)
{
	return (unsigned)(chance01() * count);
}

/* What a queue sees of an image, and the chance with which it chose it by the end. */
struct seen {
	struct queue_image image;
	double chance;
	bool chosen;
};

static const char *const orders[] = {"newest", "unsure", "outlier"};
enum way { NEWEST, UNSURE, OUTLIER, WAYS };

/* Batches of independent draws, each from those that have come and were not chosen, by the queue's own
 * arithmetic. */
static void choose(struct seen *images, enum way way, double random_share)
{
	struct queue_batch batches[BATCHES];
	for (int k = 0; k < BATCHES; k++) {
		size_t come = (size_t)IMAGES * (size_t)(k + 1) / BATCHES;
		struct queue_batch *batch = &batches[k];
		*batch = (struct queue_batch){.position = k + 1,
			.at_us = (int64_t)come * IMAGE_US,
			.queue_order = orders[way],
			.budget = REVIEWS / (double)BATCHES,
			.random_share = random_share};
		for (size_t i = 0; i < come; i++) {
			struct queue_image *image = &images[i].image;
			image->created_us = (int64_t)i * IMAGE_US;
			image->considered_from = image->considered_from ? image->considered_from : k + 1;
			if (image->chosen_batch)
				continue;
			batch->pool++;
			batch->weight_sum += choose_weight(orders[way], image, batch->at_us);
		}
		for (size_t i = 0; i < come; i++) {
			struct queue_image *image = &images[i].image;
			double weight = choose_weight(orders[way], image, batch->at_us);
			if (image->chosen_batch == 0 && chance01() < choose_chance(batch, weight))
				image->chosen_batch = k + 1;
		}
	}
	for (size_t i = 0; i < IMAGES; i++) {
		images[i].chosen = images[i].image.chosen_batch != 0;
		images[i].chance = choose_chance_now(batches, BATCHES, &images[i].image);
	}
}

/* Images get harder: what is newest is not like the rest. */
static double harder(size_t image)
{
	double since_batch = (double)(image % (IMAGES / BATCHES)) / (IMAGES / BATCHES);
	return since_batch > 0.85 ? 0.6 : 0;
}

static bool holds(struct estimate e, double truth)
{
	return e.low <= truth && truth <= e.high;
}

/* Of many deployments. */
struct tally {
	unsigned deployments, weighted, plain;
	double weighted_bias, plain_bias, width, reviews;
};

static void tally_add(struct tally *t, struct estimate weighted, struct estimate plain, double truth)
{
	t->deployments++;
	t->weighted += holds(weighted, truth);
	t->plain += holds(plain, truth);
	t->weighted_bias += weighted.value - truth;
	t->plain_bias += plain.value - truth;
	t->width += weighted.high - weighted.low;
	t->reviews += (double)weighted.images;
}

static double tally_print(const char *what, enum way way, double share, const struct tally *t)
{
	double n = t->deployments, weighted = t->weighted / n;
	printf("%-8s %-7s random share %.1f, %3.0f reviews: weighted %.3f in the interval (bias %+.4f, "
	       "width %.3f), plain %.3f (bias %+.4f)\n",
		what, orders[way], share, t->reviews / n, weighted, t->weighted_bias / n, t->width / n,
		t->plain / n, t->plain_bias / n);
	return weighted;
}

static unsigned deployments(unsigned otherwise)
{
	const char *text = getenv("GYRE_COVERAGE");
	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

/* ---- classes ---- */

/* An image is hard or not; the model is unsure of the hard ones, more or less, and more often wrong. */
static double make_classes(struct seen *images, double *right)
{
	double sum = 0;
	for (size_t i = 0; i < IMAGES; i++) {
		double hard = fmin(1, pow(chance01(), 3) + harder(i));
		right[i] = chance01() < 0.97 - 0.6 * hard;
		images[i] =
			(struct seen){.image = {.unsure = fmin(1, fmax(0, hard + 0.3 * (chance01() - 0.5))),
					      .outlier = pow(fmin(1, 0.5 * hard + 0.5 * chance01()), 2)}};
		sum += right[i];
	}
	return sum / IMAGES;
}

static struct tally try_classes(enum way way, double share, unsigned count)
{
	static struct seen images[IMAGES];
	static double right[IMAGES], values[IMAGES], chances[IMAGES];
	struct tally t = {0};
	for (unsigned d = 0; d < count; d++) {
		state = 77 + d * 1000003u + (unsigned)way;
		double truth = make_classes(images, right);
		choose(images, way, share);
		size_t n = 0;
		uint64_t sum = 0;
		for (size_t i = 0; i < IMAGES; i++) {
			if (!images[i].chosen)
				continue;
			values[n] = right[i];
			chances[n++] = images[i].chance;
			sum += right[i] > 0;
		}
		tally_add(&t, estimate_mean(values, chances, n), estimate_share(sum, n), truth);
	}
	return t;
}

static void test_accuracy(void **state_)
{
	for (enum way way = NEWEST; way < WAYS; way++) {
		for (int k = 0; k < 2; k++) {
			double share = k ? 0.5 : 0.2;
			struct tally t = try_classes(way, share, deployments(400));
			assert_true(tally_print("accuracy", way, share, &t) >= 0.93);
			assert_true(t.reviews / t.deployments >= 200);
			if (way != NEWEST && share < 0.3) /* the plain one is off */
				assert_true(t.plain / (double)t.deployments < 0.7);
		}
	}
}

/* ---- boxes ---- */

#define LABELS 5
#define OBJECTS_MAX 6

/* A box that overlaps by about so much. */
static struct match_box shifted(struct match_box box, double iou)
{
	box.x += box.width * (1 - iou) / (1 + iou);
	return box;
}

/* Objects side by side; hard images have more that are missed, found badly, or taken for another. */
static void make_image(struct score *s, int64_t id, struct seen *seen)
{
	struct match_truth truths[OBJECTS_MAX];
	struct match_guess guesses[2 * OBJECTS_MAX];
	size_t truth_count = 1 + below(OBJECTS_MAX - 1), guess_count = 0;
	double hard = fmin(1, pow(chance01(), 2.5) + harder((size_t)id)), entropy = 0;
	for (size_t i = 0; i < truth_count; i++) {
		int32_t label = (int32_t)below(LABELS);
		struct match_box box = {200.0 * (double)i, 10, 40 + 60 * chance01(), 40 + 60 * chance01()};
		truths[i] = (struct match_truth){.label = label, .box = box, .area = -1};
		if (chance01() < 0.05 + 0.6 * hard)
			continue;
		double iou = 0.95 - 0.45 * hard * chance01() - 0.15 * chance01();
		bool mistaken = chance01() < 0.5 * hard;
		guesses[guess_count++] =
			(struct match_guess){.label = mistaken ? (int32_t)below(LABELS) : label,
				.box = shifted(box, iou),
				.score = fmin(0.99, fmax(0.02, 1 - 0.8 * hard - 0.3 * chance01()))};
	}
	for (size_t i = below(3); i > 0; i--)
		guesses[guess_count++] = (struct match_guess){.label = (int32_t)below(LABELS),
			.box = {2000 + 200.0 * (double)i, 10, 50, 50},
			.score = 0.02 + (0.2 + 0.5 * hard) * chance01()};
	for (size_t i = 0; i < guess_count; i++) {
		double p = guesses[i].score;
		entropy -= (p * log2(p) + (1 - p) * log2(1 - p)) / (double)guess_count;
	}
	score_add(s, id, truths, truth_count, guesses, guess_count);
	*seen = (struct seen){.image = {.unsure = pow(entropy, 3),
				      .outlier = pow(fmin(1, 0.6 * hard + 0.4 * chance01()), 3)}};
}

static bool is_chosen(int64_t image, void *arg)
{
	return ((struct seen *)arg)[image].chosen;
}

static struct tally try_boxes(enum way way, double share, unsigned count)
{
	static struct seen images[IMAGES];
	const struct match_rules rules = score_rules_coco(false);
	struct tally t = {0};
	for (unsigned d = 0; d < count; d++) {
		struct arena a;
		struct score_summary summary;
		struct score *all = score_new(&rules);
		arena_init(&a);
		state = 99 + d * 1000033u + (unsigned)way;
		for (size_t i = 0; i < IMAGES; i++)
			make_image(all, (int64_t)i, &images[i]);
		choose(images, way, share);
		struct score *reviewed = score_select(all, SCORE_ALL_LABELS, is_chosen, images);
		score_read(all, &a, &summary);
		struct score_view *v = score_view_new(reviewed, &a);
		double *weights = ARENA_ARRAY(&a, double, score_view_count(v));
		for (size_t i = 0; i < score_view_count(v); i++)
			weights[i] = 1 / images[score_view_images(v)[i]].chance;
		tally_add(&t, estimate_ap(v, weights), estimate_ap(v, NULL), summary.numbers.ap);
		score_free(reviewed);
		score_free(all);
		arena_release(&a);
	}
	return t;
}

static void test_average_precision(void **state_)
{
	for (enum way way = NEWEST; way < WAYS; way++) {
		struct tally t = try_boxes(way, 0.2, deployments(60));
		assert_true(tally_print("mAP", way, 0.2, &t) >= 0.9);
		assert_true(t.reviews / t.deployments >= 200);
		if (way != NEWEST) /* the plain one is off */
			assert_true(t.plain / (double)t.deployments < 0.7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accuracy),
		cmocka_unit_test(test_average_precision),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
