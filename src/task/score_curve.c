/* SPDX-License-Identifier: Apache-2.0 */
/* What lies behind a score's numbers: counts at a confidence, at all of them, and the precision by recall. */
#include "task/score.h"

#include "base/check.h"
#include "task/score_records.h"

#include <stdlib.h>

/* ---- at a confidence ---- */

static double ratio(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static void divide(struct score_counts *c)
{
	c->precision = ratio(c->found, c->found + c->wrong);
	c->recall = ratio(c->found, c->found + c->missed);
	c->f1 = ratio(2 * c->found, 2 * c->found + c->wrong + c->missed);
}

struct score_counts *score_read_at(struct score *s, double confidence, unsigned iou, struct arena *a,
	size_t *label_count, struct score_counts *all)
{
	CHECK(iou < s->rules.iou_count);
	uint64_t bit = MATCH_BIT(MATCH_ALL, iou);
	struct score_entry **entries = score_labels(s, a, label_count);
	struct score_counts *out = ARENA_ARRAY(a, struct score_counts, *label_count);
	*all = (struct score_counts){.label = -1};
	for (size_t i = 0; i < *label_count; i++) {
		const struct score_entry *e = entries[i];
		struct score_counts *c = &out[i];
		c->label = e->label;
		for (size_t k = 0; k < e->count; k++) {
			const struct score_record *r = &e->records[k];
			if ((r->ignored & bit) || r->score < confidence)
				continue;
			c->found += (r->matched_rank & bit) != 0;
			c->wrong += (r->matched_rank & bit) == 0;
		}
		c->missed = e->truths[MATCH_ALL] - c->found;
		divide(c);
		all->found += c->found;
		all->wrong += c->wrong;
		all->missed += c->missed;
	}
	divide(all);
	return out;
}

/* The highest of the confidences 0, 0.01 … that a score reaches; -1: not even 0. */
static int highest(double score)
{
	if (!(score >= 0))
		return -1;
	int at = score >= 1 ? SCORE_CONFIDENCES - 1 : (int)(score * 100);
	while (at + 1 < SCORE_CONFIDENCES && score >= (at + 1) / 100.0)
		at++;
	while (at > 0 && score < at / 100.0)
		at--;
	return at;
}

void score_read_confidences(
	const struct score *s, unsigned iou, int32_t label, struct score_counts out[SCORE_CONFIDENCES])
{
	CHECK(iou < s->rules.iou_count);
	uint64_t bit = MATCH_BIT(MATCH_ALL, iou), truths = 0;
	for (int i = 0; i < SCORE_CONFIDENCES; i++)
		out[i] = (struct score_counts){.label = label};
	for (size_t k = 0; k < s->entry_count; k++) {
		const struct score_entry *e = &s->entries[k];
		if (label != SCORE_ALL_LABELS && e->label != label)
			continue;
		truths += e->truths[MATCH_ALL];
		for (size_t i = 0; i < e->count; i++) {
			const struct score_record *r = &e->records[i];
			int at = highest(r->score);
			if (at < 0 || (r->ignored & bit))
				continue;
			out[at].found += (r->matched_rank & bit) != 0;
			out[at].wrong += (r->matched_rank & bit) == 0;
		}
	}
	for (int i = SCORE_CONFIDENCES - 1; i >= 0; i--) {
		if (i + 1 < SCORE_CONFIDENCES) {
			out[i].found += out[i + 1].found;
			out[i].wrong += out[i + 1].wrong;
		}
		out[i].missed = truths - out[i].found;
		divide(&out[i]);
	}
}

int score_best_confidence(const struct score_counts counts[SCORE_CONFIDENCES])
{
	int best = -1;
	for (int i = 0; i < SCORE_CONFIDENCES; i++)
		if (counts[i].f1 > 0 && (best < 0 || counts[i].f1 >= counts[best].f1))
			best = i;
	return best;
}

void score_read_curve(struct score *s, unsigned iou, int32_t label, double precision[SCORE_RECALLS])
{
	CHECK(iou < s->rules.iou_count);
	size_t labels = 0;
	struct arena a;
	arena_init(&a);
	size_t count;
	struct score_entry **entries = score_labels(s, &a, &count);
	for (int i = 0; i < SCORE_RECALLS; i++)
		precision[i] = 0;
	for (size_t k = 0; k < count; k++) {
		struct score_entry *e = entries[k];
		uint64_t truths = e->truths[MATCH_ALL];
		if ((label != SCORE_ALL_LABELS && e->label != label) || truths == 0)
			continue;
		score_sort(e);
		double *at = malloc((truths + 1) * sizeof(*at));
		CHECK(at != NULL);
		size_t found = score_walk(e, MATCH_BIT(MATCH_ALL, iou), at);
		score_envelope(at, found);
		for (int i = 0; i < SCORE_RECALLS; i++) {
			size_t find = score_find_at(i < SCORE_RECALLS - 1 ? i * 0.01 : 1, found, truths);
			precision[i] += find < found ? at[find] : 0;
		}
		free(at);
		labels++;
	}
	for (int i = 0; i < SCORE_RECALLS; i++)
		precision[i] = labels ? precision[i] / (double)labels : -1;
	arena_release(&a);
}
