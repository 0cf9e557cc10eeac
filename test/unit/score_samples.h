/* SPDX-License-Identifier: Apache-2.0 */
/* The made-up cases of test/golden/score.py, from the same generator. */
#ifndef GYRE_TEST_SCORE_SAMPLES_H
#define GYRE_TEST_SCORE_SAMPLES_H

#include "base/check.h"
#include "task/match.h"

#define SAMPLE_WIDTH 200
#define SAMPLE_HEIGHT 160
#define SAMPLE_IMAGES_MAX 6
#define SAMPLE_TRUTHS_MAX 6
#define SAMPLE_GUESSES_MAX 15

struct sample_image {
	int64_t id;
	size_t truth_count, guess_count;
	struct match_truth truths[SAMPLE_TRUTHS_MAX];
	struct match_guess guesses[SAMPLE_GUESSES_MAX];
};

struct sample_case {
	size_t image_count;
	struct sample_image images[SAMPLE_IMAGES_MAX];
};

static inline uint32_t chance_below(uint64_t *chance, uint32_t count)
{
	*chance = *chance * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*chance >> 33) % count);
}

static inline struct match_box chance_box(uint64_t *chance)
{
	static const uint32_t spans[] = {40, 120, 480};
	uint32_t span = spans[chance_below(chance, 3)];
	struct match_box b;
	b.x = chance_below(chance, 600) / 4.0;
	b.y = chance_below(chance, 480) / 4.0;
	b.width = (1 + chance_below(chance, span)) / 4.0;
	b.height = (1 + chance_below(chance, span)) / 4.0;
	return b;
}

static inline double chance_move(uint64_t *chance, double value)
{
	return value + ((double)chance_below(chance, 17) - 8) / 4;
}

static inline struct match_box chance_moved(uint64_t *chance, struct match_box b)
{
	b.x = chance_move(chance, b.x);
	b.y = chance_move(chance, b.y);
	b.width = chance_move(chance, b.width);
	b.height = chance_move(chance, b.height);
	b.width = b.width < 0.25 ? 0.25 : b.width;
	b.height = b.height < 0.25 ? 0.25 : b.height;
	return b;
}

static inline void sample_image_fill(struct sample_image *image, uint64_t *chance, uint32_t labels)
{
	image->truth_count = chance_below(chance, 7);
	for (size_t i = 0; i < image->truth_count; i++) {
		struct match_truth *t = &image->truths[i];
		*t = (struct match_truth){.label = (int32_t)chance_below(chance, labels)};
		t->box = chance_box(chance);
		t->crowd = chance_below(chance, 8) == 0;
		t->area = t->box.width * t->box.height * (chance_below(chance, 3) == 0 ? 0.5 : 1);
		t->difficult = chance_below(chance, 6) == 0;
	}
	image->guess_count = chance_below(chance, 16);
	for (size_t i = 0; i < image->guess_count; i++) {
		struct match_guess *g = &image->guesses[i];
		*g = (struct match_guess){0};
		if (image->truth_count && chance_below(chance, 4)) {
			const struct match_truth *t =
				&image->truths[chance_below(chance, (uint32_t)image->truth_count)];
			g->label = t->label;
			g->box = chance_below(chance, 3) == 0 ? t->box : chance_moved(chance, t->box);
		} else {
			g->label = (int32_t)chance_below(chance, labels + 1);
			g->box = chance_box(chance);
		}
		g->score = (1 + chance_below(chance, 16)) / 16.0;
	}
}

static inline void sample_case_fill(struct sample_case *c, uint64_t seed)
{
	uint64_t chance = seed;
	uint32_t labels = 1 + chance_below(&chance, 4);
	c->image_count = 1 + chance_below(&chance, 6);
	for (size_t i = 0; i < c->image_count; i++) {
		c->images[i].id = (int64_t)((i * 37 + 5) % 101);
		sample_image_fill(&c->images[i], &chance, labels);
	}
}

static inline struct mask_ring chance_ring(uint64_t *chance, struct match_box b, struct arena *a)
{
	size_t count = 3 + chance_below(chance, 6);
	double *points = ARENA_ARRAY(a, double, 2 * count);
	for (size_t i = 0; i < count; i++) {
		int x = (int)(b.x * 10) + (int)chance_below(chance, (uint32_t)(b.width * 10) + 1);
		points[2 * i] = (x - (int)chance_below(chance, 3)) / 10.0;
		int y = (int)(b.y * 10) + (int)chance_below(chance, (uint32_t)(b.height * 10) + 1);
		points[2 * i + 1] = (y - (int)chance_below(chance, 3)) / 10.0;
	}
	return (struct mask_ring){points, count};
}

static inline struct mask chance_mask(uint64_t *chance, struct match_box b, struct arena *a)
{
	struct mask_ring rings[2];
	size_t count = 1 + (chance_below(chance, 3) == 0);
	for (size_t i = 0; i < count; i++)
		rings[i] = chance_ring(chance, b, a);
	return mask_of_rings(rings, count, SAMPLE_WIDTH, SAMPLE_HEIGHT, a);
}

/* Polygons about the boxes of a case. */
static inline void sample_case_masks(struct sample_case *c, uint64_t seed, struct arena *a)
{
	uint64_t chance = seed + 1000;
	for (size_t i = 0; i < c->image_count; i++) {
		struct sample_image *image = &c->images[i];
		for (size_t k = 0; k < image->truth_count; k++)
			image->truths[k].mask = chance_mask(&chance, image->truths[k].box, a);
		for (size_t k = 0; k < image->guess_count; k++)
			image->guesses[k].mask = chance_mask(&chance, image->guesses[k].box, a);
	}
}

#endif
