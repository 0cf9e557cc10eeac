/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The matching of COCO's and VOC's evaluation, one image and one label at a time. Thresholds do not influence
 * each other, so that one pass over the answers does all ten of them, and only pairs that overlap enough for
 * the lowest threshold are looked at again.
 */
#include "task/match.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

static const double area_ranges[MATCH_AREA_COUNT][2] = {
	{0, 1e10}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e10}};

struct match_box match_box_of(struct box b)
{
	return (struct match_box){b.x1, b.y1, (double)b.x2 - b.x1, (double)b.y2 - b.y1};
}

/* ---- overlap ---- */

static double box_overlap(struct match_box a, struct match_box b, bool crowd, double more)
{
	double width = fmin(a.width + a.x, b.width + b.x) - fmax(a.x, b.x) + more;
	double height = fmin(a.height + a.y, b.height + b.y) - fmax(a.y, b.y) + more;
	if (!(width > 0 && height > 0))
		return 0;
	double shared = width * height, first = (a.width + more) * (a.height + more);
	double all = crowd ? first : first + (b.width + more) * (b.height + more) - shared;
	return shared / all;
}

static double mask_overlap(struct mask a, struct mask b, bool crowd)
{
	double shared = (double)mask_shared_area(a, b), first = (double)mask_area(a);
	if (shared == 0)
		return 0;
	return shared / (crowd ? first : first + (double)mask_area(b) - shared);
}

double match_iou(const struct match_rules *rules, const struct match_guess *g, const struct match_truth *t)
{
	if (rules->masks)
		return mask_overlap(g->mask, t->mask, t->crowd);
	if (rules->voc)
		return box_overlap(g->box, t->box, false, rules->inclusive_pixels ? 1 : 0);
	return box_overlap(g->box, t->box, t->crowd, 0);
}

static double area_of(const struct match_rules *rules, struct match_box box, struct mask mask)
{
	return rules->masks ? (double)mask_area(mask) : box.width * box.height;
}

static bool is_outside(double area, enum match_area range)
{
	return area < area_ranges[range][0] || area > area_ranges[range][1];
}

/* ---- who comes first ---- */

struct ranked {
	double score;
	size_t at;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static struct ranked *rank(const struct match_guess *guesses, size_t count, struct arena *a)
{
	struct ranked *order = ARENA_ARRAY(a, struct ranked, count);
	for (size_t i = 0; i < count; i++)
		order[i] = (struct ranked){isnan(guesses[i].score) ? -INFINITY : guesses[i].score, i};
	qsort(order, count, sizeof(*order), compare_ranked);
	return order;
}

/* ---- pairs that overlap enough for one of the thresholds ---- */

struct pair {
	uint32_t truth;
	double iou;
};

struct pairs {
	struct pair *items; /* of one answer after the other, by truth */
	size_t *starts;     /* of answer i: items[starts[i]] … items[starts[i + 1] - 1] */
};

/* COCO's thresholds: a hair below 1, so that the same box is found at 1 whatever the rounding. */
static double threshold_of(const struct match_rules *rules, unsigned i)
{
	return rules->voc ? rules->ious[i] : fmin(rules->ious[i], 1 - 1e-10);
}

struct scene {
	const struct match_rules *rules;
	const struct match_truth *truths;
	const struct match_guess *guesses;
	size_t truth_count;
	struct match_box *truth_boxes; /* masks: what surrounds them */
	double *truth_areas, *guess_areas;
};

static struct match_box surrounding(struct mask m)
{
	struct mask_bounds b = mask_bounds(m);
	return (struct match_box){b.left, b.top, (double)b.right - b.left, (double)b.bottom - b.top};
}

static double pair_iou(
	const struct scene *s, const struct match_guess *g, struct match_box guess_box, size_t truth)
{
	if (s->rules->masks && box_overlap(guess_box, s->truth_boxes[truth], true, 0) <= 0)
		return 0;
	return match_iou(s->rules, g, &s->truths[truth]);
}

static struct pairs find_pairs(
	const struct scene *s, const struct ranked *order, size_t guess_count, struct arena *a)
{
	struct pairs p;
	double lowest = threshold_of(s->rules, 0);
	size_t count = 0, room = s->truth_count < 8 ? s->truth_count * guess_count : 8 * guess_count;
	p.items = ARENA_ARRAY(a, struct pair, room);
	p.starts = ARENA_ARRAY(a, size_t, guess_count + 1);
	for (size_t i = 0; i < guess_count; i++) {
		const struct match_guess *g = &s->guesses[order[i].at];
		struct match_box box = s->rules->masks ? surrounding(g->mask) : g->box;
		for (size_t k = 0; k < s->truth_count; k++) {
			double iou = pair_iou(s, g, box, k);
			if (!(iou >= lowest))
				continue;
			if (count == room) {
				struct pair *more = ARENA_ARRAY(a, struct pair, 2 * room);
				memcpy(more, p.items, count * sizeof(*more));
				p.items = more;
				room *= 2;
			}
			p.items[count++] = (struct pair){(uint32_t)k, iou};
		}
		p.starts[i + 1] = count;
	}
	return p;
}

/* ---- COCO ---- */

struct coco {
	const struct match_rules *rules;
	const struct match_truth *truths;
	bool *ignored;    /* of each truth, in the size class at hand */
	uint16_t *taken;  /* of each truth, a bit for each threshold */
	struct pair *now; /* of the answer at hand, those that count first */
};

/* The best free truth for the answer at one threshold; NULL when there is none. */
static const struct pair *best_pair(const struct coco *c, size_t count, unsigned threshold)
{
	const struct pair *best = NULL;
	double iou = threshold_of(c->rules, threshold);
	for (size_t i = 0; i < count; i++) {
		const struct pair *p = &c->now[i];
		if ((c->taken[p->truth] >> threshold & 1) && !c->truths[p->truth].crowd)
			continue;
		if (best && !c->ignored[best->truth] && c->ignored[p->truth])
			break;
		if (p->iou < iou)
			continue;
		iou = p->iou;
		best = p;
	}
	return best;
}

static size_t sort_by_worth(const struct coco *c, const struct pair *pairs, size_t count)
{
	size_t n = 0;
	for (int ignored = 0; ignored < 2; ignored++)
		for (size_t i = 0; i < count; i++)
			if (c->ignored[pairs[i].truth] == (bool)ignored)
				c->now[n++] = pairs[i];
	return n;
}

static void match_guess(struct coco *c, enum match_area area, const struct pair *pairs, size_t count,
	bool outside, struct match *m)
{
	sort_by_worth(c, pairs, count);
	for (unsigned t = 0; t < c->rules->iou_count; t++) {
		const struct pair *p = best_pair(c, count, t);
		if (p) {
			c->taken[p->truth] |= (uint16_t)(1u << t);
			m->matched |= MATCH_BIT(area, t);
		}
		if (p ? c->ignored[p->truth] : outside)
			m->ignored |= MATCH_BIT(area, t);
	}
}

static void match_coco(const struct scene *s, const struct ranked *order, const struct pairs *p,
	struct arena *a, struct match_outcome *out)
{
	size_t n = s->truth_count;
	struct coco c = {s->rules, s->truths, ARENA_ARRAY(a, bool, n), ARENA_ARRAY(a, uint16_t, n),
		ARENA_ARRAY(a, struct pair, n)};
	for (int area = 0; area < MATCH_AREA_COUNT; area++) {
		for (size_t k = 0; k < n; k++) {
			c.ignored[k] =
				s->truths[k].crowd || is_outside(s->truth_areas[k], (enum match_area)area);
			c.taken[k] = 0;
			out->truths[area] += !c.ignored[k];
		}
		for (size_t i = 0; i < out->count; i++) {
			bool outside = is_outside(s->guess_areas[order[i].at], (enum match_area)area);
			match_guess(&c, (enum match_area)area, p->items + p->starts[i],
				p->starts[i + 1] - p->starts[i], outside, &out->matches[i]);
		}
	}
}

/* ---- VOC ---- */

static void match_voc(
	const struct scene *s, const struct pairs *p, struct arena *a, struct match_outcome *out)
{
	uint16_t *taken = ARENA_ARRAY(a, uint16_t, s->truth_count);
	for (size_t k = 0; k < s->truth_count; k++)
		out->truths[MATCH_ALL] += !s->truths[k].difficult;
	for (size_t i = 0; i < out->count; i++) {
		const struct pair *best = NULL;
		for (size_t j = p->starts[i]; j < p->starts[i + 1]; j++)
			if (best == NULL || p->items[j].iou > best->iou)
				best = &p->items[j];
		for (unsigned t = 0; best && t < s->rules->iou_count; t++) {
			if (best->iou < s->rules->ious[t])
				break;
			if (s->truths[best->truth].difficult) {
				out->matches[i].ignored |= MATCH_BIT(MATCH_ALL, t);
			} else if (!(taken[best->truth] >> t & 1)) {
				taken[best->truth] |= (uint16_t)(1u << t);
				out->matches[i].matched |= MATCH_BIT(MATCH_ALL, t);
			}
		}
	}
}

static void measure(struct scene *s, size_t guess_count, struct arena *a)
{
	s->truth_areas = ARENA_ARRAY(a, double, s->truth_count);
	s->guess_areas = ARENA_ARRAY(a, double, guess_count);
	s->truth_boxes = ARENA_ARRAY(a, struct match_box, s->truth_count);
	for (size_t k = 0; k < s->truth_count; k++) {
		const struct match_truth *t = &s->truths[k];
		s->truth_areas[k] = t->area >= 0 ? t->area : area_of(s->rules, t->box, t->mask);
		if (s->rules->masks)
			s->truth_boxes[k] = surrounding(t->mask);
	}
	for (size_t i = 0; i < guess_count; i++)
		s->guess_areas[i] = area_of(s->rules, s->guesses[i].box, s->guesses[i].mask);
}

void match_label(const struct match_rules *rules, const struct match_truth *truths, size_t truth_count,
	const struct match_guess *guesses, size_t guess_count, struct arena *a, struct match_outcome *out)
{
	CHECK(rules->iou_count >= 1 && rules->iou_count <= MATCH_IOU_MAX);
	CHECK(!(rules->voc && rules->masks));
	*out = (struct match_outcome){0};
	struct ranked *order = rank(guesses, guess_count, a);
	out->count = !rules->voc && guess_count > MATCH_GUESSES_MAX ? MATCH_GUESSES_MAX : guess_count;
	out->matches = ARENA_ARRAY(a, struct match, out->count);
	for (size_t i = 0; i < out->count; i++)
		out->matches[i] = (struct match){.score = order[i].score, .rank = (uint32_t)i};
	struct scene s = {.rules = rules, .truths = truths, .guesses = guesses, .truth_count = truth_count};
	measure(&s, guess_count, a);
	struct pairs p = find_pairs(&s, order, out->count, a);
	if (rules->voc)
		match_voc(&s, &p, a, out);
	else
		match_coco(&s, order, &p, a, out);
}
