/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic on boxes, and the suppression that every detector needs. */
#include "vision/box.h"

#include "base/check.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static float least(float a, float b)
{
	return a < b ? a : b;
}

static float most(float a, float b)
{
	return a > b ? a : b;
}

float box_area(struct box b)
{
	return b.x2 > b.x1 && b.y2 > b.y1 ? (b.x2 - b.x1) * (b.y2 - b.y1) : 0;
}

/* The area that both have; 0 when one is empty or inverted. No branches, so that a loop over it becomes
 * vector code. */
static inline float shared_area(struct box a, struct box b)
{
	float width = most(least(a.x2, b.x2) - most(a.x1, b.x1), 0);
	float height = most(least(a.y2, b.y2) - most(a.y1, b.y1), 0);
	return width * height;
}

float box_iou(struct box a, struct box b)
{
	float both = shared_area(a, b);
	return both > 0 ? both / (box_area(a) + box_area(b) - both) : 0;
}

struct box box_clip(struct box b, float width, float height)
{
	return (struct box){
		.x1 = least(most(b.x1, 0), width),
		.y1 = least(most(b.y1, 0), height),
		.x2 = least(most(b.x2, 0), width),
		.y2 = least(most(b.y2, 0), height),
	};
}

/* What stays, as one array for each member, so that a candidate is compared with many at a time. */
#define LANES 16u
struct kept {
	float *x1, *y1, *x2, *y2, *area;
	int32_t *label;
	size_t count; /* the arrays end with zeroes up to a multiple of LANES; an empty box overlaps nothing
		       */
};

static bool overlaps_kept(const struct kept *k, const struct candidate *c, float iou_max)
{
	float area = box_area(c->box);
	for (size_t i = 0; i < k->count; i += LANES) {
		const float *x1 = k->x1 + i, *y1 = k->y1 + i, *x2 = k->x2 + i, *y2 = k->y2 + i,
			    *areas = k->area + i;
		const int32_t *labels = k->label + i;
		int hits = 0;
		for (size_t j = 0; j < LANES; j++) {
			float both = shared_area(c->box, (struct box){x1[j], y1[j], x2[j], y2[j]});
			hits |= (both > iou_max * (area + areas[j] - both)) & (labels[j] == c->label);
		}
		if (hits)
			return true;
	}
	return false;
}

static void keep(struct kept *k, const struct candidate *c)
{
	size_t i = k->count++;
	k->x1[i] = c->box.x1;
	k->y1[i] = c->box.y1;
	k->x2[i] = c->box.x2;
	k->y2[i] = c->box.y2;
	k->area[i] = box_area(c->box);
	k->label[i] = c->label;
}

struct rank {
	float score;
	uint32_t index;
};

static int by_score(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* Candidates by falling score; a score that is no number comes last. The caller frees. */
static struct candidate *sorted(const struct candidate *candidates, size_t count)
{
	struct rank *ranks = malloc(count * sizeof(*ranks));
	struct candidate *out = malloc(count * sizeof(*out));
	CHECK(ranks != NULL && out != NULL);
	for (size_t i = 0; i < count; i++) {
		float score = candidates[i].score;
		ranks[i] = (struct rank){.score = score == score ? score : -INFINITY, .index = (uint32_t)i};
	}
	qsort(ranks, count, sizeof(*ranks), by_score);
	for (size_t i = 0; i < count; i++)
		out[i] = candidates[ranks[i].index];
	free(ranks);
	return out;
}

size_t box_nms(struct candidate *candidates, size_t count, float iou_max, size_t keep_max)
{
	CHECK(count <= UINT32_MAX / sizeof(struct candidate));
	if (count == 0 || keep_max == 0)
		return 0;
	struct candidate *best_first = sorted(candidates, count);
	size_t room = ((keep_max < count ? keep_max : count) + LANES - 1) / LANES * LANES;
	float *memory = calloc(room, 5 * sizeof(float) + sizeof(int32_t));
	CHECK(memory != NULL);
	struct kept k = {
		.x1 = memory,
		.y1 = memory + room,
		.x2 = memory + 2 * room,
		.y2 = memory + 3 * room,
		.area = memory + 4 * room,
		.label = (int32_t *)(void *)(memory + 5 * room),
	};
	for (size_t i = 0; i < count && k.count < keep_max; i++) {
		if (overlaps_kept(&k, &best_first[i], most(iou_max, 0)))
			continue;
		candidates[k.count] = best_first[i];
		keep(&k, &best_first[i]);
	}
	free(memory);
	free(best_first);
	return k.count;
}
