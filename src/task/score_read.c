/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From records to numbers. Precision only matters where something is found: between two finds it can but
 * fall, and the envelope looks to the right. So a pass over a label's answers leaves one precision a find.
 */
#include "task/score.h"

#include "base/check.h"
#include "task/score_records.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The answers of a label by falling score, at one size class and IoU: the precision at each find; how many.
 */
size_t score_walk(const struct score_entry *e, uint64_t bit, double *precision)
{
	uint64_t found = 0, wrong = 0;
	for (size_t i = 0; i < e->count; i++) {
		const struct score_record *r = &e->records[i];
		if (r->ignored & bit)
			continue;
		if (r->matched_rank & bit) {
			found++;
			/* The reference adds an epsilon to what it divides by. */
			precision[found - 1] = (double)found / ((double)(wrong + found) + DBL_EPSILON);
		} else {
			wrong++;
		}
	}
	return found;
}

void score_envelope(double *precision, size_t count)
{
	for (size_t i = count; i-- > 1;)
		if (precision[i - 1] < precision[i])
			precision[i - 1] = precision[i];
}

/* The first find with which a recall is reached; count where it is not. */
size_t score_find_at(double recall, size_t count, uint64_t truths)
{
	double near = recall * (double)truths - 2;
	size_t find = near > 0 ? (size_t)near : 0;
	while (find < count && (double)(find + 1) / (double)truths < recall)
		find++;
	return find < count ? find : count;
}

/*
 * The mean of the envelope at recalls 0, step … 1; 0 where a recall is not reached. The recalls are multiples
 * of the step in double precision, as in the tools that everybody uses: 6 * 0.1 is a hair above 0.6, so that
 * exactly 60 % found do not reach it.
 */
static double mean_precision(const double *precision, size_t count, uint64_t truths, double step, int steps)
{
	double sum = 0;
	for (int i = 0; i <= steps; i++) {
		size_t find = score_find_at(i < steps ? i * step : 1, count, truths);
		if (find == count)
			break;
		sum += precision[find];
	}
	return sum / (steps + 1);
}

/*
 * All size classes and IoUs of a label in one pass. What is wrong is counted for all bits at once: a byte a
 * bit in five words, that are emptied into wider counters before a byte is full.
 */
#define BITS (MATCH_AREA_COUNT * MATCH_IOU_MAX)
#define ALL_BITS (((uint64_t)1 << BITS) - 1)
#define WORDS (BITS / 8)
_Static_assert(BITS % 8 == 0, "bits fill bytes");

struct pass {
	uint32_t wrong[BITS], found[BITS];
	double *precision[BITS]; /* at each find */
	uint64_t narrow[WORDS];  /* a byte a bit, of what is not in `wrong` yet */
};

/* Bit i becomes byte i, 0 or 1. */
static uint64_t spread(uint64_t byte)
{
	uint64_t bits = byte * 0x0101010101010101u & 0x8040201008040201u;
	return (bits + 0x7f7f7f7f7f7f7f7fu) >> 7 & 0x0101010101010101u;
}

static void widen(struct pass *p)
{
	for (unsigned bit = 0; bit < BITS; bit++)
		p->wrong[bit] += p->narrow[bit / 8] >> bit % 8 * 8 & 0xff;
	memset(p->narrow, 0, sizeof(p->narrow));
}

static void pass_records(struct pass *p, struct score_entry *e)
{
	uint32_t best1[MATCH_IOU_MAX] = {0}, best10[MATCH_IOU_MAX] = {0};
	for (size_t i = 0; i < e->count; i++) {
		const struct score_record *r = &e->records[i];
		uint64_t wrong = ~(r->matched_rank | r->ignored) & ALL_BITS;
		for (unsigned word = 0; word < WORDS; word++)
			p->narrow[word] += spread(wrong >> 8 * word & 0xff);
		if (i % 255 == 254)
			widen(p);
		uint64_t rank = r->matched_rank >> RECORD_RANK_SHIFT;
		for (uint64_t found = r->matched_rank & ~r->ignored & ALL_BITS; found; found &= found - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(found);
			uint32_t count = ++p->found[bit];
			uint64_t missed = p->wrong[bit] + (p->narrow[bit / 8] >> bit % 8 * 8 & 0xff);
			/* The reference adds an epsilon to what it divides by. */
			p->precision[bit][count - 1] =
				(double)count / ((double)(missed + count) + DBL_EPSILON);
			if (bit < MATCH_IOU_MAX) { /* MATCH_ALL */
				best1[bit] += rank < 1;
				best10[bit] += rank < 10;
			}
		}
	}
	for (unsigned t = 0; t < MATCH_IOU_MAX && e->truths[MATCH_ALL] > 0; t++) {
		e->sums.recall1[t] = best1[t] / (double)e->truths[MATCH_ALL];
		e->sums.recall10[t] = best10[t] / (double)e->truths[MATCH_ALL];
	}
}

static void sum_label(const struct match_rules *rules, struct score_entry *e)
{
	if (e->summed)
		return;
	e->summed = true;
	score_sort(e);
	if (e->truths[MATCH_ALL] == 0 &&
		e->truths[MATCH_SMALL] + e->truths[MATCH_MEDIUM] + e->truths[MATCH_LARGE] == 0)
		return;
	struct pass *p = calloc(1, sizeof(*p));
	size_t room = 0;
	for (int area = 0; area < MATCH_AREA_COUNT; area++)
		room += e->truths[area] * rules->iou_count;
	double *precision = malloc(room * sizeof(*precision)), *next = precision;
	CHECK(p != NULL && precision != NULL);
	for (unsigned bit = 0; bit < BITS; bit++) {
		p->precision[bit] = next;
		next += bit % MATCH_IOU_MAX < rules->iou_count ? e->truths[bit / MATCH_IOU_MAX] : 0;
	}
	pass_records(p, e);
	for (int area = 0; area < MATCH_AREA_COUNT; area++) {
		for (unsigned t = 0; t < rules->iou_count && e->truths[area] > 0; t++) {
			unsigned bit = (unsigned)area * MATCH_IOU_MAX + t;
			score_envelope(p->precision[bit], p->found[bit]);
			e->sums.precision[area][t] =
				mean_precision(p->precision[bit], p->found[bit], e->truths[area], 0.01, 100);
			e->sums.recall[area][t] = p->found[bit] / (double)e->truths[area];
		}
	}
	free(precision);
	free(p);
}

/* ---- COCO's numbers ---- */

/* Sums over labels of means over IoUs, and how many labels there are; in each size class. */
struct totals {
	double precision[MATCH_AREA_COUNT], recall[MATCH_AREA_COUNT], recall1, recall10, at50, at75;
	size_t labels[MATCH_AREA_COUNT];
};

static double mean_of(const double *values, unsigned count)
{
	double sum = 0;
	for (unsigned i = 0; i < count; i++)
		sum += values[i];
	return sum / count;
}

static int place_of_iou(const struct match_rules *rules, double iou)
{
	for (unsigned i = 0; i < rules->iou_count; i++)
		if (fabs(rules->ious[i] - iou) < 1e-9)
			return (int)i;
	return -1;
}

static void add_label(const struct match_rules *rules, const struct score_entry *e, struct totals *t)
{
	int at50 = place_of_iou(rules, 0.5), at75 = place_of_iou(rules, 0.75);
	for (int area = 0; area < MATCH_AREA_COUNT; area++) {
		if (e->truths[area] == 0)
			continue;
		t->labels[area]++;
		t->precision[area] += mean_of(e->sums.precision[area], rules->iou_count);
		t->recall[area] += mean_of(e->sums.recall[area], rules->iou_count);
	}
	if (e->truths[MATCH_ALL] == 0)
		return;
	t->recall1 += mean_of(e->sums.recall1, rules->iou_count);
	t->recall10 += mean_of(e->sums.recall10, rules->iou_count);
	t->at50 += at50 >= 0 ? e->sums.precision[MATCH_ALL][at50] : 0;
	t->at75 += at75 >= 0 ? e->sums.precision[MATCH_ALL][at75] : 0;
}

static double mean_or_none(double sum, size_t count)
{
	return count ? sum / (double)count : -1;
}

static struct score_numbers numbers_of(const struct match_rules *rules, const struct totals *t)
{
	size_t all = t->labels[MATCH_ALL];
	return (struct score_numbers){
		.ap = mean_or_none(t->precision[MATCH_ALL], all),
		.ap50 = place_of_iou(rules, 0.5) < 0 ? -1 : mean_or_none(t->at50, all),
		.ap75 = place_of_iou(rules, 0.75) < 0 ? -1 : mean_or_none(t->at75, all),
		.ap_small = mean_or_none(t->precision[MATCH_SMALL], t->labels[MATCH_SMALL]),
		.ap_medium = mean_or_none(t->precision[MATCH_MEDIUM], t->labels[MATCH_MEDIUM]),
		.ap_large = mean_or_none(t->precision[MATCH_LARGE], t->labels[MATCH_LARGE]),
		.ar1 = mean_or_none(t->recall1, all),
		.ar10 = mean_or_none(t->recall10, all),
		.ar100 = mean_or_none(t->recall[MATCH_ALL], all),
		.ar_small = mean_or_none(t->recall[MATCH_SMALL], t->labels[MATCH_SMALL]),
		.ar_medium = mean_or_none(t->recall[MATCH_MEDIUM], t->labels[MATCH_MEDIUM]),
		.ar_large = mean_or_none(t->recall[MATCH_LARGE], t->labels[MATCH_LARGE]),
	};
}

static int compare_labels(const void *a, const void *b)
{
	const struct score_entry *x = *(struct score_entry *const *)a, *y = *(struct score_entry *const *)b;
	return x->label < y->label ? -1 : x->label > y->label;
}

/* Labels in their own order, so that sums do not depend on that of appearance; without those that are gone.
 */
struct score_entry **score_labels(struct score *s, struct arena *a, size_t *count)
{
	struct score_entry **out = ARENA_ARRAY(a, struct score_entry *, s->entry_count);
	*count = 0;
	for (size_t i = 0; i < s->entry_count; i++)
		if (s->entries[i].shares > 0)
			out[(*count)++] = &s->entries[i];
	qsort(out, *count, sizeof(struct score_entry *), compare_labels);
	return out;
}

void score_read(struct score *s, struct arena *a, struct score_summary *out)
{
	CHECK(!s->rules.voc);
	*out = (struct score_summary){.images = s->image_count};
	struct score_entry **entries = score_labels(s, a, &out->label_count);
	out->labels = ARENA_ARRAY(a, struct score_label, out->label_count);
	struct totals totals = {0};
	for (size_t i = 0; i < out->label_count; i++) {
		struct score_entry *e = entries[i];
		sum_label(&s->rules, e);
		struct totals own = {0};
		add_label(&s->rules, e, &own);
		add_label(&s->rules, e, &totals);
		out->labels[i] = (struct score_label){
			e->label, e->truths[MATCH_ALL], e->count, numbers_of(&s->rules, &own)};
		out->truths += e->truths[MATCH_ALL];
		out->guesses += e->count;
	}
	out->numbers = numbers_of(&s->rules, &totals);
}

/* ---- VOC's ---- */

static double every_point(const double *precision, size_t count, uint64_t truths)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += precision[i];
	return sum / (double)truths;
}

static void read_voc_label(
	const struct match_rules *rules, struct score_entry *e, struct score_voc_label *out)
{
	score_sort(e);
	double *precision = malloc((e->count + 1) * sizeof(*precision));
	CHECK(precision != NULL);
	*out = (struct score_voc_label){.label = e->label, .truths = e->truths[MATCH_ALL]};
	for (unsigned t = 0; t < rules->iou_count; t++) {
		out->every_point[t] = out->eleven_points[t] = -1;
		if (out->truths == 0)
			continue;
		size_t found = score_walk(e, MATCH_BIT(MATCH_ALL, t), precision);
		score_envelope(precision, found);
		out->every_point[t] = every_point(precision, found, out->truths);
		out->eleven_points[t] = mean_precision(precision, found, out->truths, 0.1, 10);
	}
	free(precision);
}

void score_read_voc(struct score *s, struct arena *a, struct score_voc_summary *out)
{
	CHECK(s->rules.voc);
	*out = (struct score_voc_summary){0};
	struct score_entry **entries = score_labels(s, a, &out->label_count);
	out->labels = ARENA_ARRAY(a, struct score_voc_label, out->label_count);
	size_t labels = 0;
	for (size_t i = 0; i < out->label_count; i++) {
		read_voc_label(&s->rules, entries[i], &out->labels[i]);
		if (out->labels[i].truths == 0)
			continue;
		labels++;
		for (unsigned t = 0; t < s->rules.iou_count; t++) {
			out->every_point[t] += out->labels[i].every_point[t];
			out->eleven_points[t] += out->labels[i].eleven_points[t];
		}
	}
	for (unsigned t = 0; t < s->rules.iou_count; t++) {
		out->every_point[t] = mean_or_none(out->every_point[t], labels);
		out->eleven_points[t] = mean_or_none(out->eleven_points[t], labels);
	}
}
