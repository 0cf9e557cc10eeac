/* SPDX-License-Identifier: Apache-2.0 */
/* Accuracy and its relatives, from a matrix of counts. */
#include "task/score.h"

#include "base/check.h"

void class_counts_init(struct class_counts *c, uint32_t label_count, struct arena *a)
{
	c->label_count = label_count;
	c->cells = ARENA_ARRAY(a, uint64_t, (size_t)label_count * ((size_t)label_count + 1));
}

static uint64_t *cell(const struct class_counts *c, size_t truth, size_t guess)
{
	return &c->cells[truth * ((size_t)c->label_count + 1) + guess];
}

void class_counts_add(struct class_counts *c, int32_t truth, int32_t guess, int amount)
{
	CHECK(truth >= 0 && (uint32_t)truth < c->label_count);
	CHECK(guess == CLASS_NONE || (guess >= 0 && (uint32_t)guess < c->label_count));
	uint64_t *count = cell(c, (size_t)truth, guess == CLASS_NONE ? c->label_count : (size_t)guess);
	CHECK(amount >= 0 || *count >= (uint64_t)-amount);
	*count += (uint64_t)amount; /* a negative amount wraps around to what is less */
}

void class_counts_merge(struct class_counts *into, const struct class_counts *from)
{
	CHECK(into->label_count == from->label_count);
	for (size_t i = 0; i < (size_t)into->label_count * ((size_t)into->label_count + 1); i++)
		into->cells[i] += from->cells[i];
}

static double ratio(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static struct class_score score_of(const struct class_counts *c, uint32_t label)
{
	struct class_score s = {.right = *cell(c, label, label)};
	for (uint32_t i = 0; i <= c->label_count; i++)
		s.truths += *cell(c, label, i);
	for (uint32_t i = 0; i < c->label_count; i++)
		s.guesses += *cell(c, i, label);
	s.precision = ratio(s.right, s.guesses);
	s.recall = ratio(s.right, s.truths);
	s.f1 = ratio(2 * s.right, s.truths + s.guesses);
	return s;
}

void class_counts_read(const struct class_counts *c, struct arena *a, struct class_summary *out)
{
	*out = (struct class_summary){.labels = ARENA_ARRAY(a, struct class_score, c->label_count)};
	uint32_t occur = 0;
	double weighted = 0;
	for (uint32_t i = 0; i < c->label_count; i++) {
		struct class_score s = out->labels[i] = score_of(c, i);
		out->images += s.truths;
		out->right += s.right;
		if (s.truths + s.guesses == 0)
			continue;
		occur++;
		out->precision_mean += s.precision;
		out->recall_mean += s.recall;
		out->f1_mean += s.f1;
		weighted += s.f1 * (double)s.truths;
	}
	out->accuracy = ratio(out->right, out->images);
	if (occur) {
		out->precision_mean /= occur;
		out->recall_mean /= occur;
		out->f1_mean /= occur;
	}
	out->f1_weighted = out->images ? weighted / (double)out->images : 0;
}
