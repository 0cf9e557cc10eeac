/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A picture is compared with those that were let through, not with each one: else a camera that looks at the
 * same place for years would never be seen again after its first picture. So such a camera counts once in 65.
 *
 * The correlation is measured in blocks of BLOCK values, each about its own mean, and the blocks' are
 * averaged: so a change spoils one block among many instead of looking like correlation, thinning the very
 * images that show it. What is slower than a block is not seen; a reference has to contain it
 * (docs/internals/drift.md).
 */
#include "watch/thin.h"

#include "base/check.h"
#include "vision/image_sign.h"

#include <math.h>
#include <stdlib.h>

#define BLOCK 64
#define BLOCK_FIRST 32
#define BLOCK_LONG 512 /* of sources past RHO_LONG, which a short block cannot tell */
#define RHO_LONG 0.8
#define BLOCK_SHORT 16      /* at a window's end: fewer say nothing */
#define PRIOR_RHO (1.0 / 3) /* of PRIOR_BLOCKS blocks, before there are any: one in two counts */
#define PRIOR_BLOCKS 0.5
#define MEMORY 32.0  /* blocks after which one weighs 1/e */
#define RHO_MAX 0.99 /* one in 200 */

void thin_reset(struct thin *t)
{
	memset(t, 0, sizeof(*t));
	for (int i = 0; i < THIN_SOURCES; i++)
		t->sources[i].credit = 1; /* so that the first image counts */
}

/* FNV-1a, never 0. */
static uint64_t hash_of(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
	return hash ? hash : 1;
}

static struct thin_source *source_of(struct thin *t, const char *name)
{
	uint64_t hash = hash_of(name ? name : "");
	int i = 0;
	while (i + 1 < THIN_SOURCES && t->sources[i].name && t->sources[i].name != hash)
		i++;
	struct thin_source *s = &t->sources[i];
	if (s->name == 0)
		s->name = hash;
	return s;
}

static uint8_t mean_luma(const struct image_sign *sign)
{
	unsigned sum = 0;
	for (size_t i = 0; i < sizeof(sign->luma); i++)
		sum += sign->luma[i];
	return (uint8_t)(sum / sizeof(sign->luma));
}

/* Whether a picture is like one of the last that were let through; it joins them. Without a sign: no. */
static bool is_alike(struct thin_source *s, const struct seen *seen)
{
	struct image_sign sign = {.width = seen->row->width, .height = seen->row->height};
	if (seen->row->image_sign.size != sizeof(sign.luma))
		return false;
	memcpy(sign.luma, seen->row->image_sign.data, sizeof(sign.luma));
	uint64_t look = image_sign_hash(&sign);
	uint8_t luma = mean_luma(&sign);
	bool alike = false;
	for (uint32_t i = 0; i < s->filled && !alike; i++)
		alike = (s->kept_looks >> i & 1) &&
			image_sign_distance(s->looks[i], look) <= THIN_HASH_BITS &&
			abs(s->lumas[i] - luma) <= THIN_LUMA;
	s->looks[s->at] = look;
	s->lumas[s->at] = luma;
	s->kept_looks = (s->kept_looks & ~(1ULL << s->at)) | (uint64_t)!alike << s->at;
	s->at = (s->at + 1) % THIN_RECENT;
	if (s->filled < THIN_RECENT)
		s->filled++;
	return alike;
}

static double with_prior(double correlations, double blocks, double prior)
{
	double rho = (correlations + PRIOR_BLOCKS * prior) / (blocks + PRIOR_BLOCKS);
	return fmin(RHO_MAX, fmax(0, rho));
}

/* A source that has shown little is taken to be as all of them together are; and where nothing is known at
 * all, one of many is trusted more than one alone, as it cannot make an alarm by itself. */
static double rho_of(const struct thin *t, const struct thin_source *s)
{
	double largest = -1, prior = PRIOR_RHO * (double)s->seen / (double)t->seen;
	for (int value = 0; value < THIN_VALUES; value++) {
		const struct thin_series *own = &s->series[value];
		double correlations = 0, blocks = 0;
		for (int i = 0; i < THIN_SOURCES; i++) {
			correlations += t->sources[i].series[value].correlations;
			blocks += t->sources[i].series[value].blocks;
		}
		double all = with_prior(correlations, blocks, prior);
		if (blocks > 0) /* else nothing is known of this value */
			largest = fmax(largest, with_prior(own->correlations, own->blocks, all));
	}
	return largest < 0 ? prior : largest;
}

/* The correlation of the values that follow one another in a block, without the bias of its own mean
 * (Kendall, 1954: (1 + 4 rho) / n). */
static double block_rho(const struct thin_series *s)
{
	double n = s->values, mean = s->sum / n, squares = s->squares - n * mean * mean;
	double products = s->products - mean * (2 * s->sum - s->first - s->last) + (n - 1) * mean * mean;
	if (!(squares > 1e-12))
		return 0;
	return (n * products / squares + 1) / (n - 4);
}

static void end_block(struct thin_series *s)
{
	double weight = (double)s->values / BLOCK, fade = exp(-weight / MEMORY);
	s->blocks = s->blocks * fade + weight;
	s->correlations = s->correlations * fade + weight * block_rho(s);
	s->values = 0;
	s->sum = s->squares = s->products = 0;
}

static void learn(struct thin_series *s, double value)
{
	if (isnan(value))
		return;
	if (s->values == 0)
		s->first = value;
	else
		s->products += value * s->last;
	s->last = value;
	s->sum += value;
	s->squares += value * value;
	bool is_first = s->blocks <= 0, is_long = s->correlations > RHO_LONG * s->blocks;
	if (++s->values >= (is_first ? BLOCK_FIRST : is_long ? BLOCK_LONG : BLOCK))
		end_block(s);
}

static bool pays(const struct thin *t, struct thin_source *s)
{
	double rho = rho_of(t, s);
	s->credit += (1 - rho) / (1 + rho); /* never above 2 */
	if (s->credit < 1 - 1e-9)
		return false;
	s->credit -= 1;
	return true;
}

bool thin_keeps(struct thin *t, const struct seen *seen, const double values[THIN_VALUES])
{
	struct thin_source *s = source_of(t, seen->row->source);
	t->seen++;
	s->seen++;
	if (is_alike(s, seen)) {
		t->alike++;
		return false;
	}
	bool kept = pays(t, s);
	for (int i = 0; i < THIN_VALUES; i++)
		learn(&s->series[i], values[i]);
	t->kept += kept;
	return kept;
}

double thin_factor(const struct thin *t)
{
	return t->kept ? (double)t->seen / (double)t->kept : 1;
}

/* ---- windows ---- */

struct valued {
	double value;
	size_t at;
};

static int ascending(const void *a, const void *b)
{
	const struct valued *x = a, *y = b;
	return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
				    : (x->at > y->at) - (x->at < y->at);
}

/* The place of each value among those of the window. */
static double *places_of(const double *values, size_t count)
{
	struct valued *order = calloc(count + 1, sizeof(*order));
	double *places = calloc(count + 1, sizeof(*places));
	size_t known = 0;
	CHECK(order != NULL && places != NULL);
	for (size_t i = 0; i < count; i++) {
		places[i] = (double)NAN;
		if (!isnan(values[i]))
			order[known++] = (struct valued){values[i], i};
	}
	qsort(order, known, sizeof(*order), ascending);
	for (size_t first = 0, end = 0; first < known; first = end) {
		while (end < known && !(order[end].value > order[first].value))
			end++;
		for (size_t i = first; i < end; i++)
			places[order[i].at] = (double)(first + end) / (2 * (double)known);
	}
	free(order);
	return places;
}

static double *brightness_of(const struct seen *images, size_t count)
{
	double *values = calloc(count + 1, sizeof(*values));
	CHECK(values != NULL);
	for (size_t i = 0; i < count; i++)
		values[i] = images[i].stats.brightness;
	double *places = places_of(values, count);
	free(values);
	return places;
}

/* What the window shows of itself. */
static void learn_window(
	struct thin *t, const struct seen *images, const double *outliers, size_t count, bool *keep)
{
	double *places[THIN_VALUES] = {
		outliers ? places_of(outliers, count) : NULL, brightness_of(images, count)};
	for (size_t i = 0; i < count; i++) {
		struct thin_source *s = source_of(t, images[i].row->source);
		t->seen++;
		s->seen++;
		keep[i] = !is_alike(s, &images[i]);
		for (int k = 0; keep[i] && k < THIN_VALUES; k++)
			if (places[k])
				learn(&s->series[k], places[k][i]);
	}
	for (int i = 0; i < THIN_SOURCES; i++)
		for (int k = 0; k < THIN_VALUES; k++)
			if (t->sources[i].series[k].values >= BLOCK_SHORT)
				end_block(&t->sources[i].series[k]);
	free(places[0]);
	free(places[1]);
}

void thin_window(
	const struct seen *images, const double *outliers, size_t count, bool *keep, size_t *effective)
{
	struct thin *t = calloc(1, sizeof(*t));
	CHECK(t != NULL);
	thin_reset(t);
	learn_window(t, images, outliers, count, keep);
	*effective = 0;
	for (size_t i = 0; i < count; i++) {
		keep[i] = keep[i] && pays(t, source_of(t, images[i].row->source));
		*effective += keep[i];
	}
	free(t);
}
